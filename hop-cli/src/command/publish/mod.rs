mod messages;

use std::cell::Cell;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use hop_core::Registry;
use hop_kafka::Write;
use hop_kafka::journal::Durability;

use self::messages::Message;
use super::journal;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::output;
use crate::output::progress;
use crate::schemas;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hop publish -f voevent kafka://kafka.scimma.org/my.topic event.xml
  hop publish -f circular --header instrument=H1 --key GRB260131A \\
      kafka://kafka.scimma.org/my.topic circular.txt
  jq -c '{content: ., key: .event, headers: {source: \"lab\"}}' notes.json |
      hop publish --ndjson kafka://localhost/notes")]
pub(crate) struct Publish {
    /// Where to: `kafka://[username@]broker[:port]/topic`.
    pub(crate) url: String,

    /// Files to publish, one message each: paths, patterns such as `'night/*.xml'`, or `-` for the whole standard input.
    /// If there are none, each line of the standard input is a message.
    pub(crate) files: Vec<PathBuf>,

    /// The format of the messages, in any case; BLOB, for opaque bytes, unless set (with `--ndjson`, JSON).
    #[arg(short, long)]
    pub(crate) format: Option<String>,

    /// Wrap each message in this, for readers that expect it: several are joined by `+`, the innermost first.
    ///
    /// `confluent`, `single-object`, `schema-in-key` or `container` for Avro, `gzip` for anything.
    #[arg(hide_short_help = true, long, value_name = "FRAMING[+FRAMING...]")]
    pub(crate) framing: Option<String>,

    /// Ask this schema registry for the numbers of schemas; a credential for its host and port is sent along.
    #[arg(hide_short_help = true, long, value_name = "URL", requires = "framing")]
    pub(crate) registry: Option<String>,

    /// Register the schemas that the registry does not have.
    #[arg(hide_short_help = true, long, requires = "registry")]
    pub(crate) register: bool,

    /// Take the numbers of schemas from this folder of `.avsc` files, before any registry.
    #[arg(hide_short_help = true, long, value_name = "DIR", requires = "framing")]
    pub(crate) schemas: Option<PathBuf>,

    /// Mark the messages as test messages.
    #[arg(short, long)]
    pub(crate) test: bool,

    /// Add this header to each message; without `=` its value is null. May be given several times.
    #[arg(long, value_name = "NAME[=VALUE]", value_parser = header)]
    pub(crate) header: Vec<(String, Option<String>)>,

    /// The key of each message; messages with the same key go to the same partition.
    #[arg(long)]
    pub(crate) key: Option<String>,

    /// The topic, instead of the one in the URL.
    #[arg(long)]
    pub(crate) topic: Option<String>,

    /// Each line is an object: `content`, and if wanted `headers`, `key`, `topic`, `format`.
    #[arg(long, conflicts_with = "each_record")]
    pub(crate) ndjson: bool,

    /// Send each record of an Avro file as a message of its own; hop-client cannot read several in one.
    #[arg(long)]
    pub(crate) each_record: bool,

    /// Seconds in which each message has to be sent and confirmed; zero for no limit.
    #[arg(long, default_value = "0", value_name = "SECONDS", value_parser = seconds)]
    pub(crate) timeout: Duration,

    /// Accept the messages by writing them to a journal in this folder, and send them from there.
    ///
    /// What cannot be sent now stays in it, and is sent by the next command that uses it, or by `hop journal send`.
    #[arg(long, value_name = "DIR")]
    pub(crate) journal: Option<PathBuf>,

    /// When the journal is written to the disk: before a message is accepted (`each`), within so many seconds, or when the
    /// operating system does it (`none`). A loss of power takes what was not written.
    #[arg(
        hide_short_help = true, long, value_name = "each|SECONDS|none", default_value = "each", requires = "journal",
        value_parser = durability
    )]
    pub(crate) sync: Durability,

    /// Do not authenticate.
    #[arg(long)]
    pub(crate) no_auth: bool,
}

fn durability(text: &str) -> Result<Durability, String> {
    match text {
        "each" => Ok(Durability::Each),
        "none" => Ok(Durability::OperatingSystem),
        text => seconds(text).map(Durability::Within).map_err(|_| "expected `each`, `none` or seconds".to_owned()),
    }
}

pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| format!("expected a number of seconds, found `{text}`"))?;
    Duration::try_from_secs_f64(seconds).map_err(|_| "expected seconds, zero or more".to_owned())
}

/// Reads `NAME=VALUE`, or `NAME` for a header that is null.
fn header(text: &str) -> Result<(String, Option<String>), String> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (text, None),
    };
    match name {
        "" => Err("expected NAME=VALUE, or NAME for a header that is null".to_owned()),
        reserved if reserved.starts_with(hop_core::header::RESERVED) => {
            Err(format!("`{reserved}` is reserved: names that start with `_` are hop's own"))
        }
        name => Ok((name.to_owned(), value)),
    }
}

pub(crate) async fn run(registry: Registry, options: Publish) -> Result<ExitCode, Failure> {
    let framing = match &options.framing {
        Some(name) => {
            registry.require_framing(name).map_err(|error| Failure::Usage(format!("--framing {name}: {error}")))?;
            let schemas = schemas::source(options.schemas.as_deref(), options.registry.as_deref(), options.register)?;
            Some(registry.framing(name, schemas.as_ref())?)
        }
        None => None,
    };
    let messages = messages::load(&registry, &options)?;
    let hop = crate::stream(registry, options.no_auth).build()?;
    let mut interrupt = Interrupt::listen()?;
    let request = hop.publish(&options.url);
    let request = match framing {
        Some(framing) => request.framing(framing),
        None => request,
    };
    if let Some(path) = &options.journal {
        let out = request.journal(path).durability(options.sync).await?;
        journal::note(out.recovery());
        let total = out.unsent() + messages.len();
        let writes = messages.iter().map(|message| prepare(out.write(&*message.model), message, &options));
        let accepted = journal::accept(writes, &mut interrupt).await;
        return journal::publish(out, accepted, &mut interrupt, options.timeout, total, path).await;
    }
    let out = request.produce_timeout(options.timeout).await?;
    let (queued, refused) = (Cell::new(0), Cell::new(0));
    let work = async {
        for message in &messages {
            // What is not delivered comes back from `flush`; what is too large comes back here, and the others go on.
            match prepare(out.write(&*message.model), message, &options).queue().await {
                Ok(_delivery) => {}
                Err(error) if error.undelivered().is_empty() => return Err(error),
                Err(error) => refused.set(refused.get() + output::undelivered(&error)),
            }
            queued.set(queued.get() + 1);
        }
        out.flush().await
    };
    let done = || queued.get() - out.unsent().min(queued.get());
    let sent = progress::until_interrupted(work, messages.len(), done, &mut interrupt).await;
    let lost = match sent {
        Some(Ok(())) => refused.get(),
        Some(Err(error)) if error.undelivered().is_empty() => return Err(error.into()),
        Some(Err(error)) => refused.get() + output::undelivered(&error),
        None => {
            let unsent = messages.len() - queued.get() + out.unsent();
            // What is given up here is counted already.
            let _given_up = out.close_within(Duration::ZERO).await;
            output::complain(format_args!("stopped with {unsent} of {} messages unsent", messages.len()));
            // What was refused is queued no more.
            unsent + refused.get()
        }
    };
    output::outcome(messages.len(), lost);
    Ok(if lost == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Adds to a message what the options and its line say.
fn prepare<'a>(write: Write<'a>, message: &Message, options: &Publish) -> Write<'a> {
    let mut write = write.test(options.test);
    for (name, value) in &options.header {
        write = match value {
            Some(value) => write.header(name, value),
            None => write.null_header(name),
        };
    }
    write = write.headers(message.headers.clone());
    if let Some(key) = message.key.as_deref().or(options.key.as_ref().map(String::as_bytes)) {
        write = write.key(key);
    }
    if let Some(topic) = message.topic.as_ref().or(options.topic.as_ref()) {
        write = write.topic(topic);
    }
    write
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_have_values_or_are_null_and_reserved_names_are_refused() {
        assert_eq!(header("a=b=c"), Ok(("a".to_owned(), Some("b=c".to_owned()))));
        assert_eq!(header("a="), Ok(("a".to_owned(), Some(String::new()))));
        assert_eq!(header("a"), Ok(("a".to_owned(), None)));
        assert!(header("=b").is_err() && header("_id=1").is_err_and(|error| error.contains("reserved")));
    }
}
