//! `hop archive`: what the archive beside a broker has.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use hop_core::{Registry, Value};
use hop_kafka::archive::{Archived, Entry, Query};
use hop_kafka::{Archive, Error, ErrorKind};
use jiff::Timestamp;

use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::moment;
use crate::output::{self, ndjson};

#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  hop archive topics
  hop archive search 'GRB 260131A' --topic gcn.circular
  hop archive fetch gcn.circular --since 2026-11-26 --until 2h")]
pub(crate) enum ArchiveCommand {
    /// Print one message.
    Get {
        /// Its identifier: its `_id`, a UUID.
        id: String,
        #[command(flatten)]
        common: Common,
    },
    /// List the messages that have certain words in their text, the newest first.
    Search {
        /// The words; `"a phrase"`, `or` and `-without` are understood.
        text: String,
        /// In this topic alone; may be given several times.
        #[arg(long, value_name = "TOPIC")]
        topic: Vec<String>,
        #[command(flatten)]
        range: Range,
        #[command(flatten)]
        common: Common,
    },
    /// List the topics that have messages which the credential may read.
    Topics {
        #[command(flatten)]
        common: Common,
    },
    /// Print the messages of a topic, the oldest first.
    Fetch {
        /// The topic. Messages that were too large for it are in TOPIC+oversized.
        topic: String,
        #[command(flatten)]
        range: Range,
        /// List them, without their contents.
        #[arg(short, long)]
        list: bool,
        #[command(flatten)]
        common: Common,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Common {
    /// The broker whose archive is asked: `kafka://[username@]broker[:port]/`.
    #[arg(long, value_name = "URL", default_value = "kafka://kafka.scimma.org/")]
    pub(crate) broker: String,

    /// The address of the archive, if the broker does not say it.
    #[arg(long, value_name = "URL")]
    pub(crate) address: Option<String>,

    /// Print JSON, one object a line.
    #[arg(short, long)]
    pub(crate) json: bool,

    /// Do not authenticate: only what is public is found.
    #[arg(long)]
    pub(crate) no_auth: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Range {
    /// From this time on: 2h ago, a date, or RFC 3339; see `hop help topics times`.
    #[arg(long, value_name = "TIME", value_parser = moment::from_now)]
    pub(crate) since: Option<Timestamp>,

    /// Before this time.
    #[arg(long, value_name = "TIME", value_parser = moment::from_now)]
    pub(crate) until: Option<Timestamp>,

    /// At most so many messages.
    #[arg(long, value_name = "COUNT")]
    pub(crate) most: Option<usize>,
}

impl Range {
    fn query(&self, mut query: Query) -> Query {
        if let Some(since) = self.since {
            query = query.since(since.into());
        }
        if let Some(until) = self.until {
            query = query.until(until.into());
        }
        query
    }

    fn most(&self) -> usize {
        self.most.unwrap_or(usize::MAX)
    }
}

pub(crate) async fn run(registry: Registry, command: ArchiveCommand) -> Result<ExitCode, Failure> {
    let mut interrupt = Interrupt::listen()?;
    tokio::select! {
        biased;
        () = interrupt.received() => Ok(ExitCode::SUCCESS),
        done = ask(registry, command) => done,
    }
}

async fn ask(registry: Registry, command: ArchiveCommand) -> Result<ExitCode, Failure> {
    match command {
        ArchiveCommand::Get { id, common } => {
            let id = id.parse().map_err(|_| Failure::Usage(format!("`{id}` is not a UUID")))?;
            let message = open(registry, &common)?.get(id).await;
            Ok(code(print(message, common.json)?))
        }
        ArchiveCommand::Topics { common } => {
            let topics = open(registry, &common)?.topics().await?;
            for topic in topics {
                match common.json {
                    true => output::line(Value::object([("topic", topic.into())]))?,
                    false => output::line(hop_core::escape_controls(&topic))?,
                }
            }
            Ok(ExitCode::SUCCESS)
        }
        ArchiveCommand::Search { text, topic, range, common } => {
            let query = open(registry, &common)?.query().text(text).newest_first(true);
            list(topic.into_iter().fold(range.query(query), Query::topic), range.most(), common.json).await
        }
        ArchiveCommand::Fetch { topic, range, list: true, common } => {
            list(range.query(open(registry, &common)?.query().topic(topic)), range.most(), common.json).await
        }
        ArchiveCommand::Fetch { topic, range, list: false, common } => {
            let mut messages = range.query(open(registry, &common)?.query().topic(topic)).messages();
            let mut all_shown = true;
            for _ in 0..range.most() {
                let Some(message) = messages.next().await else { break };
                all_shown &= print(message, common.json)?;
            }
            Ok(code(all_shown))
        }
    }
}

fn code(all_shown: bool) -> ExitCode {
    if all_shown { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn open(registry: Registry, common: &Common) -> Result<Archive, Failure> {
    let mut hop = crate::stream(registry, common.no_auth);
    if let Some(address) = &common.address {
        hop = hop.archive_url(address);
    }
    Ok(hop.build()?.archive(&common.broker)?)
}

/// Lists what a query finds; fails if an entry cannot be read.
async fn list(query: Query, most: usize, as_json: bool) -> Result<ExitCode, Failure> {
    let mut entries = query.entries();
    let mut all_shown = true;
    for _ in 0..most {
        match entries.next().await {
            None => break,
            Some(Ok(entry)) if as_json => output::line(described(&entry))?,
            Some(Ok(entry)) => output::line(line(&entry))?,
            // One entry is damaged; the others follow.
            Some(Err(error)) if error.kind() == ErrorKind::Protocol => {
                all_shown = false;
                output::complain(&error);
            }
            Some(Err(error)) => return Err(error.into()),
        }
    }
    Ok(code(all_shown))
}

/// An entry in one line, for people.
fn line(entry: &Entry) -> String {
    let timestamp = entry.timestamp.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    let parts = [
        entry.id.map_or_else(|| "-".to_owned(), |id| id.to_string()),
        timestamp.map_or_else(|| "-".to_owned(), |time| format!("{time:.3}")),
        entry.topic.clone().unwrap_or_else(|| "-".to_owned()),
        entry.size.map_or_else(|| "-".to_owned(), |size| size.to_string()),
        entry.title.clone().or_else(|| entry.file_name.clone()).unwrap_or_default(),
    ];
    let mark = if entry.is_retracted { "RETRACTED " } else { "" };
    hop_core::escape_controls(&format!("{mark}{}", parts.join("  ").trim_end())).into_owned()
}

/// What the archive says of a message.
fn described(entry: &Entry) -> Value {
    Value::object([
        ("id", entry.id.map(|id| id.to_string()).into()),
        ("topic", entry.topic.clone().into()),
        ("timestamp", entry.timestamp.into()),
        ("size", entry.size.into()),
        ("public", entry.is_public.into()),
        ("retracted", entry.is_retracted.into()),
        ("title", entry.title.clone().into()),
        ("sender", entry.sender.clone().into()),
        ("media_type", entry.media_type.clone().into()),
        ("file_name", entry.file_name.clone().into()),
    ])
}

/// Prints a message; returns whether it could be shown.
fn print(message: Result<Archived, Error>, as_json: bool) -> Result<bool, Failure> {
    let message = match message {
        Ok(message) => message,
        // One message is damaged; the others follow.
        Err(error) if matches!(error.kind(), ErrorKind::Decode | ErrorKind::Protocol) => {
            output::complain(&error);
            return Ok(false);
        }
        Err(error) => return Err(error.into()),
    };
    let shown = match as_json {
        true => message.model.fields().map(|fields| {
            let message = Value::object([
                ("format", message.model.format().into()),
                ("route", message.route.as_str().into()),
                ("metadata", ndjson::metadata(&message.record)),
                ("headers", ndjson::headers(&message.record.headers)),
                ("archive", described(&message.entry)),
                ("model", fields),
            ]);
            message.to_string().into()
        }),
        false => message.model.dump(),
    };
    if message.entry.is_retracted {
        let id = message.entry.id.map_or_else(|| "a message".to_owned(), |id| id.to_string());
        output::complain(format_args!("{id} was retracted by its sender"));
    }
    match shown {
        Ok(bytes) => output::bytes(&bytes, b"\n")?,
        Err(error) => {
            output::complain(format_args!("a message cannot be shown: {error}"));
            return Ok(false);
        }
    }
    Ok(true)
}
