use std::process::ExitCode;

use clap::Args;
use hop_core::{Registry, Value};

use crate::failure::Failure;
use crate::output;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hop list-topics kafka://kafka.scimma.org/
  hop list-topics --json kafka://kafka.scimma.org/gcn.circular")]
pub(crate) struct ListTopics {
    /// Where: `kafka://[username@]broker[:port]/[topic[,topic2[,...]]]`; those topics alone, where it names some.
    pub(crate) url: String,

    /// Print a JSON list, with the number of partitions of each topic.
    #[arg(short, long)]
    pub(crate) json: bool,

    /// Do not authenticate.
    #[arg(long)]
    pub(crate) no_auth: bool,
}

pub(crate) async fn run(registry: Registry, options: ListTopics) -> Result<ExitCode, Failure> {
    let hop = crate::stream(registry, options.no_auth).build()?;
    let topics = hop.list_topics(&options.url).await?;
    if options.json {
        let topics = topics.into_iter().map(|topic| {
            Value::object([("topic", topic.name.into()), ("partitions", (topic.partitions as i64).into())])
        });
        output::line(Value::Array(topics.collect()))?;
    } else if topics.is_empty() {
        output::line("No accessible topics")?;
    } else {
        output::line("Accessible topics:")?;
        for topic in topics {
            output::line(format_args!(" {}", topic.name))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
