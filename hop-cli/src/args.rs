//! What the command takes: one place for the parser and the help.

use std::path::PathBuf;

use clap::{ArgAction, Args as ClapArgs, Parser, Subcommand, ValueEnum};
use hop_kafka::StartPosition;

/// Publish, receive and inspect astronomical alerts (VOEvents, GCN circulars and notices, Avro, JSON) on Kafka.
#[derive(Debug, Parser)]
#[command(name = "hop", version, propagate_version = false, max_term_width = 100, infer_long_args = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Only display warnings and errors.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Display additional logging messages.
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,

    /// Display everything: what `--verbose` does, librdkafka's messages, and the parts of an error.
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub(crate) debug: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Publish messages, from files or line by line from standard input.
    ///
    /// Ctrl-C, SIGTERM or SIGHUP stops it: it says how many messages are unsent. Exit code: 0 if all messages were delivered,
    /// 1 if some were not, 2 if it was called wrongly.
    Publish(Publish),
    /// Receive messages and print them.
    ///
    /// Ctrl-C, SIGTERM or SIGHUP stops it: in a group, what was printed is committed, and the partitions go to the other
    /// members at once. Exit code: 0 if all messages were printed, also if it was stopped; 1 if one did not decode or reading
    /// failed; 2 if it was called wrongly. The second signal ends it at once, without a commit, with 128 and its number.
    Subscribe(Subscribe),
    /// Send what a dead-letter topic holds back to where it came from, now that it decodes.
    ///
    /// Reads to the end of the topic. What still does not decode, and what its topic does not take, is put back at the end,
    /// with its headers as they are. Exit code: 0 if all were sent, also if it was stopped by Ctrl-C, SIGTERM or SIGHUP; 1 if
    /// some are kept or the connection was lost; 2 if it was called wrongly.
    Replay(Replay),
    /// List the topics of a broker that the credential may see.
    ListTopics(ListTopics),
    /// Decode files without a broker.
    Decode(Decode),
    /// Check that files hold messages of their format, and say what is wrong with those that do not.
    Validate(Validate),
    /// List the message formats that this binary knows.
    Models(Models),
    /// List the public alert brokers that hop knows, and what it knows of them.
    Brokers(Brokers),
    /// List, add and remove the credentials that streams use.
    #[command(subcommand)]
    Auth(Auth),
    /// Show and change general settings.
    #[command(subcommand)]
    Configure(Configure),
    /// Make a crate with a message model of one's own: the model, a message, tests, and a `hop` that knows it.
    New(New),
    /// Write a message model for a schema: an Avro schema (`.avsc`) or a JSON Schema.
    Generate(Generate),
    /// Run a broker inside this process, for demonstrations and tests, until Ctrl-C, SIGTERM or SIGHUP.
    Broker(Broker),
    /// Publish one message of each format to a broker inside this process, and read them back.
    Demo,
    /// Print the version.
    Version,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Publish {
    /// Where to: `kafka://[username@]broker[:port]/topic`.
    pub(crate) url: String,

    /// Files to publish, one message each. If there are none, standard input is read to its end, and each line is a message.
    pub(crate) files: Vec<PathBuf>,

    /// The format of the messages, in any case; BLOB, for opaque bytes, unless set.
    #[arg(short, long)]
    pub(crate) format: Option<String>,

    /// Mark the messages as test messages.
    #[arg(short, long)]
    pub(crate) test: bool,

    /// Send each record of an Avro file as a message of its own; hop-client cannot read several in one.
    #[arg(long)]
    pub(crate) each_record: bool,

    /// Seconds in which each message has to be sent and confirmed; zero for no limit.
    #[arg(long, default_value = "0", value_name = "SECONDS", value_parser = seconds)]
    pub(crate) timeout: std::time::Duration,

    /// Do not authenticate.
    #[arg(long)]
    pub(crate) no_auth: bool,
}

/// What to do with a message that does not decode.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Undecodable {
    /// Say so, and go on.
    Report,
    /// Say so, go on, and end as if all had gone well.
    Skip,
    /// Say so, and end; a group meets the message again.
    Stop,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Subscribe {
    /// Where from: `kafka://[username@]broker[:port]/topic[,topic2[,...]]`.
    pub(crate) url: String,

    /// Where to start: EARLIEST (with the oldest message that is still there) or LATEST (with what is published from now
    /// on), unless the group has been further already; or, whatever the group has, at a time such as 2026-11-22T03:00:00Z,
    /// or with the last messages of each partition, such as -5.
    #[arg(
        short, long, default_value = "LATEST", value_name = "EARLIEST|LATEST|TIME|-N", value_parser = start_at,
        allow_negative_numbers = true
    )]
    pub(crate) start_at: StartPosition,

    /// Stop at the end of what is there, instead of waiting for more.
    #[arg(short = 'e', long)]
    pub(crate) until_eos: bool,

    /// Read as a member of this group. Members share the messages, and the group's place is kept.
    #[arg(short, long)]
    pub(crate) group_id: Option<String>,

    /// Print one JSON object a message, with format, metadata, headers and model.
    #[arg(short, long)]
    pub(crate) json: bool,

    /// Print test messages too.
    #[arg(short, long)]
    pub(crate) test: bool,

    /// Print messages of this format alone; may be given several times.
    #[arg(short, long, value_name = "LABEL")]
    pub(crate) format: Vec<String>,

    /// Read messages that carry no `_format` as this format: those of the topics that PATTERN stands for (`*` is a part of
    /// a name, `**` several), or all; may be given several times. FRAMING is what the content is wrapped in: `confluent`,
    /// `rubin`, `single-object`, `schema-in-key`, `zlib-bson`, `container` or `gzip`; several are joined, the innermost first.
    #[arg(long = "as", value_name = "[PATTERN=]LABEL[+FRAMING...]")]
    pub(crate) read_as: Vec<String>,

    /// How many dates `{date}` in a topic stands for, the present one in UTC included: 2 are today and yesterday.
    #[arg(long, default_value = "2", value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=31))]
    pub(crate) nights: u16,

    /// Look schemas up in this schema registry; a credential for its host and port is sent along.
    #[arg(long, value_name = "URL")]
    pub(crate) registry: Option<String>,

    /// Look schemas up in this folder of `.avsc` files, before any registry.
    #[arg(long, value_name = "DIR")]
    pub(crate) schemas: Option<PathBuf>,

    /// What to do with a message that does not decode.
    #[arg(long, default_value = "report", value_name = "WHAT")]
    pub(crate) undecodable: Undecodable,

    /// Go on after a batch of messages that cannot be unpacked, such as one of a size that no client takes.
    #[arg(long)]
    pub(crate) pass_unreadable: bool,

    /// Serve counters for Prometheus at http://ADDR/metrics; a port alone is one of this machine, for itself only.
    #[arg(long, value_name = "ADDR", value_parser = listen_address)]
    pub(crate) metrics: Option<std::net::SocketAddr>,

    /// Send what does not decode to this topic of the same broker; `hop replay` brings it back.
    #[arg(long, value_name = "TOPIC", conflicts_with = "undecodable")]
    pub(crate) dead_letter: Option<String>,

    /// What to print between messages; `\n`, `\t`, `\0`, `\xNN` and `\uNNNN` are understood.
    #[arg(short = 'D', long, default_value = r"\n", allow_hyphen_values = true)]
    pub(crate) delimiter: String,

    /// Do not authenticate.
    #[arg(long)]
    pub(crate) no_auth: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Replay {
    /// The topic of dead letters: `kafka://[username@]broker[:port]/topic`.
    pub(crate) url: String,

    /// Send to this topic, instead of the one that each message came from.
    #[arg(long, value_name = "TOPIC")]
    pub(crate) to: Option<String>,

    /// Send back what still does not decode too.
    #[arg(short, long)]
    pub(crate) all: bool,

    /// The group that keeps how far the dead letters are read; `hop-replay` after the username and a hyphen unless set.
    #[arg(short, long)]
    pub(crate) group_id: Option<String>,

    /// Do not authenticate.
    #[arg(long)]
    pub(crate) no_auth: bool,
}

#[derive(Debug, ClapArgs)]
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

#[derive(Debug, ClapArgs)]
pub(crate) struct Decode {
    /// Files to decode; `-` for standard input.
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,

    /// The format, in any case. Without it: that of the headers, given or in `headers.json` beside a file called
    /// `content.*`, else that of the first folder above it that bears the name of one, else what the content is.
    #[arg(short, long)]
    pub(crate) format: Option<String>,

    /// The files hold what travels on the wire, not what people keep on disk.
    #[arg(short, long)]
    pub(crate) wire: bool,

    /// The headers of the messages: a JSON object, or a list of `[name, value]`; values are text, null or `{"$bytes": base64}`.
    #[arg(long, value_name = "FILE.json", conflicts_with = "format")]
    pub(crate) headers: Option<PathBuf>,

    /// Print one JSON object a file.
    #[arg(short, long, action = ArgAction::SetTrue)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Validate {
    /// Files to check; `-` for standard input.
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,

    /// The format, in any case. Without it: that of `headers.json` beside the file, else that of the first folder above it
    /// that bears the name of one, else what the content is. Either way `content.*` must have the wire form, and `file.*`
    /// the file form; a file of another name may have either.
    #[arg(short, long)]
    pub(crate) format: Option<String>,

    /// Print one JSON object a file.
    #[arg(short, long)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct New {
    /// The name of the crate, which is the label of its messages too: `donut`.
    pub(crate) name: String,

    /// Where to make it, instead of a folder of that name here.
    #[arg(long, value_name = "DIR")]
    pub(crate) path: Option<PathBuf>,

    /// Take hop from this checkout of its sources, instead of the one that this command was built from.
    #[arg(long, value_name = "DIR", env = "HOP_PATH")]
    pub(crate) hop_path: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Generate {
    /// The schema, or an Avro file written by it. What it refers to is looked for beside it.
    #[arg(long, value_name = "FILE")]
    pub(crate) from: PathBuf,

    /// The label of the messages: 1 to 64 of `a-z`, `0-9`, `-`, `_`, `.`.
    #[arg(short, long, value_name = "LABEL")]
    pub(crate) format: String,

    /// Where to write the module, instead of to the standard output. An Avro schema is put beside it, instead of into it.
    #[arg(short, long, value_name = "FILE.rs")]
    pub(crate) out: Option<PathBuf>,

    /// Where to write an example of a message, instead of to `fixtures/LABEL` in the crate of the module.
    #[arg(long, value_name = "DIR")]
    pub(crate) fixtures: Option<PathBuf>,

    /// The name of the type, instead of the schema's own.
    #[arg(long, value_name = "TYPE")]
    pub(crate) name: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Models {
    /// Print a JSON list.
    #[arg(short, long)]
    pub(crate) json: bool,

    /// Print the JSON Schema of one format's fields.
    #[arg(short, long, value_name = "LABEL", conflicts_with = "json")]
    pub(crate) schema: Option<String>,

    /// Print the schema as an Avro schema.
    #[arg(short, long, requires = "schema")]
    pub(crate) avro: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Brokers {
    /// Print a JSON list, with the rules for topics.
    #[arg(short, long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Auth {
    /// Print the path of the file of credentials.
    Locate,
    /// List the credentials: their usernames, and the brokers they are for.
    List,
    /// Add a credential, from a CSV file or as it is typed in.
    ///
    /// Without a file it asks for username, password, hostname and token endpoint; where standard input is no terminal,
    /// each is a line of it. A password is never an argument, which everybody on the machine could see.
    Add(AddCredential),
    /// Remove a credential.
    Remove {
        /// The username, or username and hostname as in `ada-1234@kafka.scimma.org`, or `#2` for the second in the file.
        name: String,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct AddCredential {
    /// A CSV file whose header row names the fields, such as Hopskotch's web site hands out; `-` for standard input.
    #[arg(value_name = "CSV FILE")]
    pub(crate) file: Option<PathBuf>,

    /// The broker that the credential is for, by its name in `hop brokers`: only username and password are asked for, which
    /// GCN calls client ID and client secret.
    #[arg(long, value_name = "NAME", conflicts_with = "file")]
    pub(crate) broker: Option<String>,

    /// Overwrite the credential that has the same username and hostname.
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Configure {
    /// Print the path of a file.
    Locate {
        /// Which file: general settings, or credentials.
        #[arg(short = 't', long = "type", value_name = "TYPE", default_value = "general")]
        which: Located,
    },
    /// Print the settings as they are in force, the environment included.
    Show,
    /// Write a setting into the file.
    Set {
        /// The setting.
        #[arg(value_parser = hop_kafka::Configuration::NAMES)]
        name: String,
        /// `true`, `yes`, `on` or `1`; or `false`, `no`, `off` or `0`.
        value: String,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Located {
    /// General settings.
    General,
    /// Credentials.
    Auth,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Broker {
    /// Make a topic beforehand, with so many partitions: `name` or `name:partitions`. Others are made as they are used.
    #[arg(long, value_name = "NAME[:PARTITIONS]", value_parser = topic)]
    pub(crate) topic: Vec<(String, u16)>,
}

fn seconds(text: &str) -> Result<std::time::Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| format!("expected a number of seconds, found `{text}`"))?;
    std::time::Duration::try_from_secs_f64(seconds).map_err(|_| "expected seconds, zero or more".to_owned())
}

fn listen_address(text: &str) -> Result<std::net::SocketAddr, String> {
    if let Ok(port) = text.parse() {
        return Ok(std::net::SocketAddr::from((std::net::Ipv4Addr::LOCALHOST, port)));
    }
    text.parse().map_err(|_| "expected a port, or an address with one such as `0.0.0.0:9090`".to_owned())
}

fn start_at(text: &str) -> Result<StartPosition, String> {
    if text.eq_ignore_ascii_case("earliest") {
        return Ok(StartPosition::Earliest);
    }
    if text.eq_ignore_ascii_case("latest") {
        return Ok(StartPosition::Latest);
    }
    if let Some(Ok(count)) = text.strip_prefix('-').filter(|count| !count.starts_with('+')).map(str::parse) {
        return Ok(StartPosition::Last(count));
    }
    let time: jiff::Timestamp = text.parse().map_err(|_| {
        format!(
            "expected EARLIEST, LATEST, a time with its offset such as 2026-11-22T03:00:00Z, or the number of the last \
             messages to read such as -5, found `{text}`"
        )
    })?;
    Ok(StartPosition::Time(time.into()))
}

fn topic(text: &str) -> Result<(String, u16), String> {
    match text.split_once(':') {
        None => Ok((text.to_owned(), 1)),
        Some((name, partitions)) => {
            let partitions =
                partitions.parse().map_err(|_| format!("expected a number of partitions, found `{partitions}`"))?;
            Ok((name.to_owned(), partitions))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_starts_at_either_end_at_a_time_or_before_the_end() {
        assert_eq!(start_at("Earliest"), Ok(StartPosition::Earliest));
        assert_eq!(start_at("LATEST"), Ok(StartPosition::Latest));
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_millis(1_500);
        assert_eq!(start_at("1970-01-01T01:00:01.5+01:00"), Ok(StartPosition::Time(time)));
        assert_eq!(start_at("-5"), Ok(StartPosition::Last(5)));
        for bad in [
            "",
            "-",
            "5",
            "--5",
            "-+5",
            "-5s",
            "-99999999999999999999",
            "yesterday",
            "2026-11-22",
            "2026-11-22T03:00:00",
        ] {
            assert!(start_at(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_arguments_are_consistent() {
        <Args as clap::CommandFactory>::command().debug_assert();
    }
}
