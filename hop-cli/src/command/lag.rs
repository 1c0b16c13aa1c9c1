use std::process::ExitCode;

use clap::Args;
use hop_core::{Registry, Value};
use hop_kafka::{ErrorKind, GroupDescription, GroupProgress};

use crate::failure::Failure;
use crate::output;
use crate::output::table::table;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hop lag ada-night-watch kafka://kafka.scimma.org/gcn.circular")]
pub(crate) struct Lag {
    /// The name of the group.
    pub(crate) group: String,

    /// Where: `kafka://[username@]broker[:port]/[topic[,topic2[,...]]]`; all topics that the group has read, where it names none.
    pub(crate) url: String,

    /// Print one JSON object.
    #[arg(short, long)]
    pub(crate) json: bool,

    /// Do not authenticate.
    #[arg(long)]
    pub(crate) no_auth: bool,
}

pub(crate) async fn run(registry: Registry, options: Lag) -> Result<ExitCode, Failure> {
    let hop = crate::stream(registry, options.no_auth).build()?;
    let group = hop.group(&options.url, &options.group);
    let progress = group.progress().await?;
    // Not every broker says who is in a group, and to whom.
    let description = match group.describe().await {
        Ok(description) => Some(description),
        Err(error) if error.kind() == ErrorKind::Authorization => return Err(error.into()),
        Err(error) => {
            tracing::debug!(target: "hop", %error, "who is in the group is not known");
            None
        }
    };
    let lag: u64 = progress.iter().map(GroupProgress::lag).sum();
    if options.json {
        output::line(as_json(&options.group, description.as_ref(), &progress, lag))?;
        return Ok(ExitCode::SUCCESS);
    }
    let members = description.map_or_else(String::new, |group| {
        let members = if group.members == 1 { "1 member".to_owned() } else { format!("{} members", group.members) };
        format!(", {members} ({})", group.state.to_lowercase())
    });
    let group = hop_core::escape_controls(&options.group);
    if progress.is_empty() {
        output::line(format_args!("{group}: nothing is committed{members}"))?;
        return Ok(ExitCode::SUCCESS);
    }
    output::line(format_args!("{group}: {lag} to read{members}"))?;
    let rows: Vec<_> = progress
        .iter()
        .map(|of| {
            [of.topic.clone(), of.partition.to_string(), offset(of.committed), of.end.to_string(), of.lag().to_string()]
        })
        .collect();
    table(["TOPIC", "PARTITION", "COMMITTED", "END", "LAG"], &rows)?;
    for of in progress.iter().filter(|of| of.lost() > 0) {
        let (topic, partition, lost) = (&of.topic, of.partition, of.lost());
        output::complain(format_args!("{topic}[{partition}]: {lost} messages were deleted before the group read them"));
    }
    Ok(ExitCode::SUCCESS)
}

/// An offset that may not be there.
pub(super) fn offset(offset: Option<i64>) -> String {
    offset.map_or_else(|| "-".to_owned(), |offset| offset.to_string())
}

/// Where a group is in a partition, and which messages there are.
pub(super) fn partition(of: &GroupProgress) -> [(&'static str, Value); 5] {
    [
        ("topic", of.topic.as_str().into()),
        ("partition", of.partition.into()),
        ("committed", of.committed.map_or(Value::Null, Value::Int)),
        ("first", Value::Int(of.first)),
        ("end", Value::Int(of.end)),
    ]
}

/// A number as JSON has it.
fn number(number: u64) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

fn as_json(group: &str, description: Option<&GroupDescription>, progress: &[GroupProgress], lag: u64) -> Value {
    let partition = |of: &GroupProgress| {
        Value::object(partition(of).into_iter().chain([("lag", number(of.lag())), ("lost", number(of.lost()))]))
    };
    Value::object([
        ("group", group.into()),
        ("state", description.map_or(Value::Null, |group| group.state.to_lowercase().into())),
        ("members", description.map_or(Value::Null, |group| number(group.members as u64))),
        ("lag", number(lag)),
        ("partitions", Value::Array(progress.iter().map(partition).collect())),
    ])
}
