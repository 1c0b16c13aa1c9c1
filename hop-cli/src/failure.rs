//! How the command ends when it cannot go on.

use std::fmt;
use std::io;
use std::process::ExitCode;

use hop_kafka::ErrorKind;

use crate::output;

/// What ended the command.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Reading or writing failed.
    Io(io::Error),
    /// The models, or the content.
    Core(hop_core::Error),
    /// The stream.
    Kafka(hop_kafka::Error),
    /// A journal on disk.
    Journal(hop_kafka::journal::Error),
    /// It was called wrongly.
    Usage(String),
}

impl Failure {
    /// Writes to the standard error what it is, with its parts if `debug` is set, and returns the exit code.
    pub(crate) fn report(self, debug: bool) -> ExitCode {
        // Whoever read our output has seen enough, as in `hop subscribe … | head`.
        if matches!(&self, Self::Io(error) if error.kind() == io::ErrorKind::BrokenPipe) {
            return ExitCode::SUCCESS;
        }
        output::complain(&self);
        if debug {
            output::complain(format_args!("in detail: {self:#?}"));
        }
        match self {
            Self::Usage(_) => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Core(error) => error.fmt(f),
            Self::Journal(error) => error.fmt(f),
            Self::Kafka(error) => {
                error.fmt(f)?;
                // The library's way out, in this command's words.
                let by = match error.to_string() {
                    text if error.kind() != ErrorKind::Credential || text.is_empty() => return Ok(()),
                    text if text.ends_with("authentication off") => " with `--no-auth`",
                    text if text.ends_with("overwrite it") => " with `--force`",
                    _ => return Ok(()),
                };
                f.write_str(by)
            }
            Self::Usage(what) => f.write_str(what),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<hop_core::Error> for Failure {
    fn from(error: hop_core::Error) -> Self {
        Self::Core(error)
    }
}

impl From<hop_kafka::Error> for Failure {
    fn from(error: hop_kafka::Error) -> Self {
        Self::Kafka(error)
    }
}

impl From<hop_kafka::journal::Error> for Failure {
    fn from(error: hop_kafka::journal::Error) -> Self {
        Self::Journal(error)
    }
}
