//! The sub-commands and the options that all of them have; those of each sub-command are in its module.

use clap::{Parser, Subcommand};

use crate::command::archive::ArchiveCommand;
use crate::command::auth::Auth;
use crate::command::broker::Broker;
use crate::command::brokers::Brokers;
use crate::command::completions::Completions;
use crate::command::configure::Configure;
use crate::command::decode::Decode;
use crate::command::doctor::Doctor;
use crate::command::generate::Generate;
use crate::command::help::Help;
use crate::command::journal::Journal;
use crate::command::lag::Lag;
use crate::command::list_topics::ListTopics;
use crate::command::man::Manual;
use crate::command::models::Models;
use crate::command::new::New;
use crate::command::offsets::Offsets;
use crate::command::publish::Publish;
use crate::command::record::Record;
use crate::command::replay::Replay;
use crate::command::show::Show;
use crate::command::subscribe::Subscribe;
use crate::command::validate::Validate;
use crate::command::watch::Watch;

/// Publish, receive and inspect astronomical alerts (VOEvents, GCN circulars and notices, Avro, JSON) on Kafka.
#[derive(Debug, Parser)]
#[command(name = "hop", version, propagate_version = false, max_term_width = 100, infer_long_args = true)]
#[command(
    disable_help_subcommand = true,
    after_help = "`hop help topics` explains URLs, credentials, formats, times, output and exit codes."
)]
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
    Subscribe(Box<Subscribe>),
    /// Record topics in a file, for `hop replay`.
    ///
    /// Headers, keys, times and nulls are kept as they are. Ctrl-C, SIGTERM or SIGHUP ends the recording. Exit code: 0 if the
    /// file is whole, 1 if reading or writing failed, 2 if it was called wrongly.
    Record(Record),
    /// Send a recording, or re-send dead letters that now decode to their original topics.
    ///
    /// Dead letters are read to the end of their topic. What still does not decode, and what its topic does not take, is put
    /// back at the end, with its headers as they are. Exit code: 0 if all were sent, also if it was stopped by Ctrl-C, SIGTERM or SIGHUP; 1 if
    /// some are kept or the connection was lost; 2 if it was called wrongly.
    Replay(Replay),
    /// Watch alerts on a terminal screen as they come: a list, a map of the sky, and the details of one.
    ///
    /// `q`, Ctrl-C, SIGTERM or SIGHUP leaves it. Nothing is committed. Exit code: 0, 1 if reading failed, 2 if it was called
    /// wrongly.
    Watch(Watch),
    /// Look into a journal of messages that wait to be sent, send them, drop them, and import hop-client's.
    #[command(subcommand)]
    Journal(Journal),
    /// List the topics of a broker that the credential may see.
    ListTopics(ListTopics),
    /// Read what the archive beside a broker has, also after Kafka has deleted it.
    #[command(subcommand)]
    Archive(ArchiveCommand),
    /// Show alerts in files: what they say, their contents, and where they were on the sky.
    Show(Show),
    /// Say what is wrong between here and a broker, step by step, and what to do about it.
    ///
    /// Exit code: 0 if nothing is wrong, 1 if something is, 2 if it was called wrongly. Nothing is written to the broker.
    Doctor(Doctor),
    /// Say how far a group is behind.
    Lag(Lag),
    /// Show where a group goes on, and move it.
    #[command(
        subcommand,
        after_help = "Examples:\n  hop offsets show ada-night-watch kafka://kafka.scimma.org/gcn.circular"
    )]
    Offsets(Offsets),
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
    #[command(after_help = "Examples:\n  hop demo")]
    Demo,
    /// Print a script that completes commands and options in a shell.
    Completions(Completions),
    /// Print or write manual pages.
    #[command(name = "man")]
    Manual(Manual),
    /// Print help on a command, or on what several share: `hop help topics`.
    Help(Help),
    /// Print the version.
    #[command(after_help = "Examples:\n  hop version")]
    Version,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        <Args as clap::CommandFactory>::command().debug_assert();
    }
}
