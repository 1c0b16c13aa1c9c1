use std::process::ExitCode;

use clap::{Args, Subcommand};
use hop_core::{Registry, Value};
use hop_kafka::{GroupMove, GroupProgress, StartPosition};

use super::lag::{offset, partition};
use super::subscribe::start_at;
use crate::failure::Failure;
use crate::output;
use crate::output::table::table;

#[derive(Debug, Subcommand)]
pub(crate) enum Offsets {
    /// Show what a group has committed, and which messages there are.
    Show(Show),
    /// Move a group, so that it goes on elsewhere. Without `--execute` it is only shown.
    Reset(Reset),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hop offsets show ada-night-watch kafka://kafka.scimma.org/gcn.circular")]
pub(crate) struct Show {
    /// The name of the group.
    pub(crate) group: String,

    /// Where: `kafka://[username@]broker[:port]/[topic[,topic2[,...]]]`; all topics that the group has read, where it names none.
    pub(crate) url: String,

    /// Print a JSON list.
    #[arg(short, long)]
    pub(crate) json: bool,

    /// Do not authenticate.
    #[arg(long)]
    pub(crate) no_auth: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hop offsets reset ada-night-watch kafka://kafka.scimma.org/gcn.circular \\
      --to -10 --execute")]
pub(crate) struct Reset {
    /// The name of the group, which may have no members meanwhile.
    pub(crate) group: String,

    /// Where: `kafka://[username@]broker[:port]/topic[,topic2[,...]]`.
    pub(crate) url: String,

    /// Where to go on: EARLIEST (the oldest message that is still there), LATEST (after the newest), at a time such as
    /// 2026-11-22T03:00:00Z, or with the last messages of each partition, such as -5.
    #[arg(long, value_name = "EARLIEST|LATEST|TIME|-N", value_parser = start_at, allow_negative_numbers = true)]
    pub(crate) to: StartPosition,

    /// Do it.
    #[arg(long)]
    pub(crate) execute: bool,

    /// Print a JSON list.
    #[arg(short, long)]
    pub(crate) json: bool,

    /// Do not authenticate.
    #[arg(long)]
    pub(crate) no_auth: bool,
}

pub(crate) async fn run(registry: Registry, options: Offsets) -> Result<ExitCode, Failure> {
    match options {
        Offsets::Show(options) => show(registry, options).await,
        Offsets::Reset(options) => reset(registry, options).await,
    }
}

async fn show(registry: Registry, options: Show) -> Result<ExitCode, Failure> {
    let hop = crate::stream(registry, options.no_auth).build()?;
    let progress = hop.group(&options.url, &options.group).progress().await?;
    if options.json {
        output::line(Value::Array(progress.iter().map(|of| Value::object(partition(of))).collect()))?;
        return Ok(ExitCode::SUCCESS);
    }
    if progress.is_empty() {
        output::line("nothing is committed")?;
        return Ok(ExitCode::SUCCESS);
    }
    let row = |of: &GroupProgress| {
        [of.topic.clone(), of.partition.to_string(), of.first.to_string(), offset(of.committed), of.end.to_string()]
    };
    let rows: Vec<_> = progress.iter().map(row).collect();
    table(["TOPIC", "PARTITION", "FIRST", "COMMITTED", "END"], &rows)?;
    Ok(ExitCode::SUCCESS)
}

async fn reset(registry: Registry, options: Reset) -> Result<ExitCode, Failure> {
    let url: hop_kafka::Url = options.url.parse()?;
    if url.topics().is_empty() {
        return Err(Failure::Usage("the URL names no topic: say in which topics the group is to be moved".to_owned()));
    }
    let hop = crate::stream(registry, options.no_auth).build()?;
    let group = hop.group(&options.url, &options.group);
    let moves = group.plan(&options.to).await?;
    if options.execute {
        group.commit(&moves).await?;
    }
    if options.json {
        let one = |one: &GroupMove| {
            Value::object([
                ("topic", one.topic.as_str().into()),
                ("partition", one.partition.into()),
                ("from", one.from.map_or(Value::Null, Value::Int)),
                ("to", Value::Int(one.to)),
                ("done", options.execute.into()),
            ])
        };
        output::line(Value::Array(moves.iter().map(one).collect()))?;
    } else {
        let row =
            |one: &GroupMove| [one.topic.clone(), one.partition.to_string(), offset(one.from), one.to.to_string()];
        let rows: Vec<_> = moves.iter().map(row).collect();
        table(["TOPIC", "PARTITION", "FROM", "TO"], &rows)?;
    }
    if !options.execute {
        output::complain("nothing was changed; do it with `--execute`");
    }
    Ok(ExitCode::SUCCESS)
}
