//! `hop journal`: what a journal holds, and what becomes of it.

mod contents;
mod import;
mod send;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use hop_core::Registry;
use hop_kafka::journal::Folder;

pub(crate) use self::contents::note;
pub(crate) use self::send::{accept, publish};
use crate::failure::Failure;

#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  hop journal list spool
  hop journal send spool kafka://localhost:9092/")]
pub(crate) enum Journal {
    /// List the messages that wait to be sent, and those that were put aside with the reason.
    ///
    /// Works while another process has the journal open.
    List(List),
    /// Show one message: its headers, key and content.
    Show(Show),
    /// Send what waits in a journal.
    ///
    /// Ctrl-C, SIGTERM or SIGHUP stops it; what is not sent stays in the journal. Exit code: 0 if all messages were sent, 1 if
    /// some were not, 2 if it was called wrongly.
    Send(Send),
    /// Drop messages from a journal, for good.
    Drop(Drop),
    /// Check every record of a journal, and say what is damaged. Nothing is changed.
    ///
    /// Exit code: 0 if all is well, 1 if something is damaged.
    Verify(Verify),
    /// Put the messages of a journal file of hop-client into a journal. The file stays as it is.
    Import(Import),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// The journal's folder.
    #[arg(value_name = "DIR")]
    pub(crate) journal: PathBuf,

    /// Print one JSON object a message.
    #[arg(short, long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The journal's folder.
    #[arg(value_name = "DIR")]
    pub(crate) journal: PathBuf,

    /// The number of the message, as `hop journal list` shows it.
    pub(crate) number: u64,

    /// Write the content alone, byte for byte.
    #[arg(short, long)]
    pub(crate) raw: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Send {
    /// The journal's folder.
    #[arg(value_name = "DIR")]
    pub(crate) journal: PathBuf,

    /// Where to: `kafka://[username@]broker[:port]/`. Each message goes to the topic that it was for.
    pub(crate) url: String,

    /// Send those that were put aside too.
    #[arg(long)]
    pub(crate) refused: bool,

    /// Seconds after which what is left stays in the journal; zero for no limit.
    #[arg(long, default_value = "0", value_name = "SECONDS", value_parser = super::publish::seconds)]
    pub(crate) timeout: std::time::Duration,

    /// Do not authenticate.
    #[arg(long)]
    pub(crate) no_auth: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Drop {
    /// The journal's folder.
    #[arg(value_name = "DIR")]
    pub(crate) journal: PathBuf,

    /// The numbers of the messages, as `hop journal list` shows them.
    #[arg(required_unless_present = "refused")]
    pub(crate) numbers: Vec<u64>,

    /// Drop all that were put aside.
    #[arg(long, conflicts_with = "numbers")]
    pub(crate) refused: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The journal's folder.
    #[arg(value_name = "DIR")]
    pub(crate) journal: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The file of hop-client, usually called `publisher.journal`.
    pub(crate) file: PathBuf,

    /// The journal's folder, which is made if it is not there.
    #[arg(value_name = "DIR")]
    pub(crate) journal: PathBuf,

    /// The topic of messages of hop-client's first version, which did not write it down.
    #[arg(long, value_name = "TOPIC")]
    pub(crate) topic: Option<String>,
}

pub(crate) fn run(registry: Registry, command: Journal) -> Result<ExitCode, Failure> {
    match command {
        Journal::List(options) => contents::list(&options),
        Journal::Show(options) => contents::show(&options),
        Journal::Send(options) => crate::wait(send::run(registry, options)),
        Journal::Drop(options) => contents::drop(&options),
        Journal::Verify(options) => contents::verify(&options),
        Journal::Import(options) => import::run(&options),
    }
}

/// Fails where there is no journal: that is a mistake here, and none for a publisher, which makes one.
fn require(journal: &Path) -> Result<(), Failure> {
    Ok(Folder::inspect(journal).map(drop)?)
}
