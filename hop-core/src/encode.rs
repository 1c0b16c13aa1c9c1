//! From a model to what is sent: content, and the headers that hop writes.

use bytes::Bytes;

use crate::id::fresh_id;
use crate::{AnyModel, Error, ErrorKind, Headers, Payload, header};

/// A message ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The content, byte for byte; null is sent as a message without a value.
    pub content: Payload,
    /// The key, if there is one.
    pub key: Option<Bytes>,
    /// All headers: the user's, `format-version` where the model has versions, then `_id`, `_sender`, `_test`, `_format`.
    pub headers: Headers,
}

/// Turns models into messages: the user's headers first, then hop's.
///
/// ```
/// use hop_core::{Blob, Encoder};
///
/// let message = Encoder::new()
///     .header("priority", "1")
///     .sender(Some("astronomer"))
///     .test(true)
///     .encode(&Blob::from(&b"Nova"[..]))?;
/// let names: Vec<_> = message.headers.iter().map(|header| &*header.name).collect();
/// assert_eq!(names, ["priority", "_id", "_sender", "_test", "_format"]);
/// assert_eq!(message.headers.get("_format"), Some(&b"blob"[..]));
/// # Ok::<(), hop_core::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Encoder {
    headers: Headers,
    key: Option<Bytes>,
    sender: Option<String>,
    test: bool,
}

impl Encoder {
    /// Without headers, key or sender, and no test.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a header. A name may come again; names that start with `_` are refused when encoding.
    pub fn header(mut self, name: impl Into<String>, value: impl AsRef<[u8]>) -> Self {
        self.headers.push(name.into(), Some(Bytes::copy_from_slice(value.as_ref())));
        self
    }

    /// Adds a header whose value is null.
    pub fn null_header(mut self, name: impl Into<String>) -> Self {
        self.headers.push(name.into(), None);
        self
    }

    /// Adds headers, from a list or a map.
    pub fn headers<H>(mut self, headers: H) -> Self
    where
        H: IntoIterator,
        Headers: FromIterator<H::Item>,
    {
        for header in headers.into_iter().collect::<Headers>() {
            self.headers.push(header.name, header.value);
        }
        self
    }

    /// Sets the key.
    pub fn key(mut self, key: impl AsRef<[u8]>) -> Self {
        self.key = Some(Bytes::copy_from_slice(key.as_ref()));
        self
    }

    /// Sets who sends: the name of the credential, `None` when there is none.
    pub fn sender(mut self, sender: Option<&str>) -> Self {
        self.sender = sender.map(str::to_owned);
        self
    }

    /// Marks the message as a test, or not.
    pub fn test(mut self, test: bool) -> Self {
        self.test = test;
        self
    }

    /// The message, with a fresh `_id`.
    ///
    /// # Errors
    /// Kind `Reserved` when a header of the user's starts with `_` or its name holds a NUL; and what the model's own encoding says.
    pub fn encode(self, model: &dyn AnyModel) -> Result<Outgoing, Error> {
        let mut headers = self.headers;
        headers.reserve(5);
        for name in headers.iter().map(|header| &*header.name) {
            if name.starts_with(header::RESERVED) {
                return Err(Error::new(ErrorKind::Reserved, "header")
                    .expected("a name that does not start with `_`")
                    .found(format!("`{}`", name.escape_debug()))
                    .help("names with `_` are reserved for hop itself; choose another"));
            }
            if name.contains('\0') {
                return Err(Error::new(ErrorKind::Reserved, "header")
                    .expected("a name without NUL")
                    .found(format!("`{}`", name.escape_debug())));
            }
        }
        let content = if model.is_null() { Payload::NULL } else { model.encode()?.into() };
        if let Some(version) = model.version() {
            // Headers handed on from a message of another version must not speak for this one.
            headers.remove(header::VERSION);
            headers.push(header::VERSION, Some(version.to_string().into()));
        }
        headers.push(header::ID, Some(Bytes::copy_from_slice(&fresh_id())));
        if let Some(sender) = self.sender {
            headers.push(header::SENDER, Some(sender.into()));
        }
        if self.test {
            headers.push(header::TEST, Some(Bytes::from_static(b"true")));
        }
        headers.push(header::FORMAT, Some(Bytes::from_static(model.sent_as().as_bytes())));
        Ok(Outgoing { content, key: self.key, headers })
    }
}
