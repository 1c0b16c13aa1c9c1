//! What can go wrong with a journal.

use std::error::Error as StdError;
use std::fmt;
use std::io;

/// What kind of thing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The disk or the file system: no space is left, no permission, a device that fails.
    Storage,
    /// The bound in bytes or messages is reached.
    Full,
    /// Another process has the journal open.
    Locked,
    /// The journal's folder is no longer where it was opened.
    Moved,
    /// The folder, or the file, is not a journal.
    NotAJournal,
    /// The journal was written by a newer version of this crate.
    Unsupported,
    /// A record does not match its checksum.
    Damaged,
    /// A message is larger than a record may be.
    TooLarge,
    /// The journal has no message of that number, or no longer: its file was removed or cut off.
    NotFound,
}

impl ErrorKind {
    /// Returns the kind as a word for machines: `"storage"`, `"not-a-journal"`, …
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Storage => "storage",
            Self::Full => "full",
            Self::Locked => "locked",
            Self::Moved => "moved",
            Self::NotAJournal => "not-a-journal",
            Self::Unsupported => "unsupported",
            Self::Damaged => "damaged",
            Self::TooLarge => "too-large",
            Self::NotFound => "not-found",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An error of a journal: one sentence that says what happened, and one that says what to do.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    help: Option<&'static str>,
    cause: Option<io::Error>,
}

impl Error {
    #[cold]
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), help: None, cause: None }))
    }

    pub(crate) fn help(mut self, help: &'static str) -> Self {
        self.0.help = Some(help);
        self
    }

    /// Makes the error of an operation of the file system.
    #[cold]
    pub(crate) fn storage(operation: impl fmt::Display, cause: io::Error) -> Self {
        let help = match cause.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some("make room on the disk"),
            io::ErrorKind::FileTooLarge => Some("raise the limit on the size of files"),
            io::ErrorKind::ReadOnlyFilesystem => Some("mount the file system so that it can be written to"),
            io::ErrorKind::PermissionDenied => Some("check who owns the journal's folder"),
            _ => None,
        };
        let message = format!("{operation}: {cause}");
        Self(Box::new(Inner { kind: ErrorKind::Storage, message, help, cause: Some(cause) }))
    }

    /// Returns the kind, to match on.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns what to do about it, where that is known.
    pub fn advice(&self) -> Option<&str> {
        self.0.help
    }

    /// Returns the error of the file system, for the kind [`Storage`](ErrorKind::Storage).
    pub fn io(&self) -> Option<&io::Error> {
        self.0.cause.as_ref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        match self.0.help {
            Some(help) => write!(f, "; {help}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error").field("kind", &self.0.kind).field("message", &self.to_string()).finish()
    }
}

impl StdError for Error {}
