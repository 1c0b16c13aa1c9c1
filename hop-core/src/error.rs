//! The one error of `hop-core`: what was expected, what was found, where, and the way out.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

/// What went wrong, in a word; the rest of an [`Error`] says the details.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The content breaks the rules of its own format: it is cut short, or not well formed.
    Malformed,
    /// The content is well formed, but is not what the model describes: a field is missing or has another type.
    Invalid,
    /// The content is recognised as something this model does not read (another format, an unknown codec).
    Unsupported,
    /// The content goes beyond one of the [`Limits`](crate::Limits).
    Limit,
    /// No linked model carries the label asked for.
    UnknownFormat,
    /// Two crates claim one label.
    Duplicate,
    /// A crate that is to bring models into the program brought none.
    Unlinked,
    /// A label or a header name that is not allowed.
    Reserved,
    /// A model that cannot be written in its format.
    Unencodable,
    /// No source has the schema that the content was written by.
    UnknownSchema,
    /// Something beside the content that decoding needs, such as a schema in a registry, could not be fetched: later it may be.
    Unavailable,
}

impl ErrorKind {
    /// The kind as a word for machines: `"malformed"`, `"unknown-format"`, …
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Invalid => "invalid",
            Self::Unsupported => "unsupported",
            Self::Limit => "limit",
            Self::UnknownFormat => "unknown-format",
            Self::Duplicate => "duplicate",
            Self::Unlinked => "unlinked",
            Self::Reserved => "reserved",
            Self::Unencodable => "unencodable",
            Self::UnknownSchema => "unknown-schema",
            Self::Unavailable => "unavailable",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where in the content the trouble is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Location {
    /// Bytes from the start of the content.
    Byte(usize),
    /// A position in text; lines and columns count from one, columns in characters, `byte` from zero.
    Text {
        /// Line, from one.
        line: usize,
        /// Character within the line, from one.
        column: usize,
        /// Bytes from the start of the content.
        byte: usize,
    },
    /// A path through the fields, such as `diaSource.ra`.
    Path(String),
}

impl Location {
    /// The line and column of byte `byte` in `text`.
    ///
    /// Bytes that are not UTF-8 count one character each; an offset past the end is the end.
    pub fn in_text(text: &[u8], byte: usize) -> Self {
        let byte = byte.min(text.len());
        let before = &text[..byte];
        let line = before.iter().filter(|b| **b == b'\n').count() + 1;
        let start = before.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        // Continuation bytes do not start a character.
        let column = before[start..].iter().filter(|b| (**b & 0xC0) != 0x80).count() + 1;
        Self::Text { line, column, byte }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Byte(byte) => write!(f, "at byte {byte}"),
            Self::Text { line, column, byte } => {
                write!(f, "at line {line}, column {column} (byte {byte})")
            }
            Self::Path(path) => write!(f, "in `{path}`"),
        }
    }
}

/// Why content could not be decoded, a model not encoded, or a registry not built.
///
/// Printed, it is one sentence: the subject, what was expected, what was found, where, and what to do:
///
/// ```
/// use hop_core::{Error, ErrorKind, Location};
///
/// let error = Error::new(ErrorKind::Malformed, "json")
///     .expected("a value")
///     .found("`}`")
///     .at(Location::in_text(b"{\"a\":\n}", 6))
///     .help("read it as `blob` to get the bytes as they are");
/// assert_eq!(
///     error.to_string(),
///     "json: expected a value, found `}`, at line 2, column 1 (byte 6); \
///      read it as `blob` to get the bytes as they are",
/// );
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    subject: Cow<'static, str>,
    expected: Option<Cow<'static, str>>,
    found: Option<Cow<'static, str>>,
    location: Option<Location>,
    help: Option<Cow<'static, str>>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of `kind` about `subject`: a format's label, or the name of the thing that failed.
    #[cold]
    pub fn new(kind: ErrorKind, subject: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            subject: subject.into(),
            expected: None,
            found: None,
            location: None,
            help: None,
            source: None,
        }))
    }

    /// Says what should have been there.
    #[must_use]
    pub fn expected(mut self, what: impl Into<Cow<'static, str>>) -> Self {
        self.0.expected = Some(what.into());
        self
    }

    /// Says what was there instead.
    #[must_use]
    pub fn found(mut self, what: impl Into<Cow<'static, str>>) -> Self {
        self.0.found = Some(what.into());
        self
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, location: Location) -> Self {
        self.0.location = Some(location);
        self
    }

    /// Says what the reader can do about it.
    #[must_use]
    pub fn help(mut self, what: impl Into<Cow<'static, str>>) -> Self {
        self.0.help = Some(what.into());
        self
    }

    /// Keeps the error underneath; [`source`](StdError::source) returns it.
    #[must_use]
    pub fn source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The same error about another subject: a codec's error becomes that of the model it decoded.
    #[must_use]
    pub fn about(mut self, subject: impl Into<Cow<'static, str>>) -> Self {
        self.0.subject = subject.into();
        self
    }

    /// The error underneath, if it is an `E`.
    pub(crate) fn source_ref<E: StdError + 'static>(&self) -> Option<&E> {
        StdError::source(self)?.downcast_ref()
    }

    /// The sentence without its subject.
    pub(crate) fn details(&self) -> impl fmt::Display {
        Details(&self.0)
    }

    /// The kind, to match on.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What the error is about, usually a format's label.
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    /// Where in the content, when that is known.
    pub fn location(&self) -> Option<&Location> {
        self.0.location.as_ref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.subject, self.details())
    }
}

struct Details<'a>(&'a Inner);

impl fmt::Display for Details<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.0;
        match (&inner.expected, &inner.found) {
            (Some(expected), Some(found)) => write!(f, "expected {expected}, found {found}")?,
            (Some(expected), None) => write!(f, "expected {expected}")?,
            (None, Some(found)) => write!(f, "{found}")?,
            (None, None) => write!(f, "{}", inner.kind)?,
        }
        if let Some(location) = &inner.location {
            write!(f, ", {location}")?;
        }
        if let Some(help) = &inner.help {
            write!(f, "; {help}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error").field("kind", &self.0.kind).field("message", &self.to_string()).finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

/// The start of some bytes, quoted for an error message: at most 32 of them, with escapes.
pub fn excerpt(bytes: &[u8]) -> String {
    const MOST: usize = 32;
    let cut = &bytes[..bytes.len().min(MOST)];
    let dots = if bytes.len() > MOST { "…" } else { "" };
    format!("`{}{dots}`", cut.escape_ascii())
}

/// Returns the text with its control characters, and those that turn the direction of writing, as escapes such as
/// `\u{1b}`: what comes from a file or its name may not steer the terminal that shows it.
///
/// ```
/// assert_eq!(hop_core::escape_controls("a\u{1b}[31mb é"), "a\\u{1b}[31mb é");
/// ```
pub fn escape_controls(text: &str) -> Cow<'_, str> {
    if !text.contains(steers_terminal) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if steers_terminal(character) {
            escaped.extend(character.escape_default());
        } else {
            escaped.push(character);
        }
    }
    Cow::Owned(escaped)
}

/// Returns true for control characters, and for those that turn the direction of writing.
pub(crate) fn steers_terminal(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A message of a library, cut to a length that can be shown: some quote the content they refuse, whole.
pub(crate) fn shorten(message: &str) -> String {
    const MOST: usize = 200;
    match message.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message.to_owned(),
    }
}
