//! What a decoder is given: bytes, borrowed or shared, the limits to keep, and the headers beside them.

use std::ops::Deref;

use bytes::Bytes;

use crate::{Error, ErrorKind, Headers, Limits, Payload};

/// The headers of content that has none.
static NO_HEADERS: Headers = Headers::new();

/// The content of one message, on its way into a model.
///
/// It is a `[u8]` to read from. A model that keeps the bytes asks [`to_bytes`](Self::to_bytes), which shares them when
/// they are already shared and copies them, once, when they are only borrowed.
#[derive(Debug, Clone, Copy)]
pub struct Content<'a> {
    bytes: Source<'a>,
    limits: &'a Limits,
    headers: &'a Headers,
}

#[derive(Debug, Clone, Copy)]
enum Source<'a> {
    Null,
    Borrowed(&'a [u8]),
    Shared(&'a Bytes),
}

impl<'a> Content<'a> {
    /// The same content under other limits.
    #[must_use]
    pub fn with_limits(self, limits: &'a Limits) -> Self {
        Self { limits, ..self }
    }

    /// The limits that decoders keep to.
    pub fn limits(&self) -> &'a Limits {
        self.limits
    }

    /// The same content beside these headers, as a record carries them.
    #[must_use]
    pub fn with_headers(self, headers: &'a Headers) -> Self {
        Self { headers, ..self }
    }

    /// The headers of the record; none for a file. Most models are read from the content alone.
    pub fn headers(&self) -> &'a Headers {
        self.headers
    }

    /// Returns these bytes under the same limits, beside the same headers.
    #[must_use]
    pub fn with_bytes(self, bytes: &'a Bytes) -> Self {
        Self { bytes: Source::Shared(bytes), ..self }
    }

    /// The bytes, for as long as the content lives.
    pub fn as_slice(&self) -> &'a [u8] {
        match self.bytes {
            Source::Null => &[],
            Source::Borrowed(bytes) => bytes,
            Source::Shared(bytes) => bytes,
        }
    }

    /// The bytes to keep: shared if they can be, else copied.
    pub fn to_bytes(&self) -> Bytes {
        match self.bytes {
            Source::Null => Bytes::new(),
            Source::Borrowed(bytes) => Bytes::copy_from_slice(bytes),
            Source::Shared(bytes) => bytes.clone(),
        }
    }

    /// Returns true where the message has no value, which is not the same as an empty one.
    ///
    /// Of the built-in models only [`Blob`](crate::Blob) is ever given it: see [`Registry::decode`](crate::Registry::decode).
    pub fn is_null(&self) -> bool {
        matches!(self.bytes, Source::Null)
    }

    /// The content as text, for the model labelled `subject`.
    ///
    /// # Errors
    /// Kind `Malformed`, with the offset of the first byte that is not UTF-8.
    pub fn as_str(&self, subject: &'static str) -> Result<&'a str, Error> {
        std::str::from_utf8(self.as_slice()).map_err(|error| {
            let at = error.valid_up_to();
            Error::new(ErrorKind::Malformed, subject)
                .expected("UTF-8 text")
                .found(format!("byte 0x{:02x}", self.as_slice().get(at).copied().unwrap_or(0)))
                .at(crate::Location::in_text(self.as_slice(), at))
        })
    }

    /// Refuses content that is larger than [`Limits::content`].
    ///
    /// # Errors
    /// Kind `Limit`, with both sizes.
    pub fn check_size(&self, subject: &'static str) -> Result<(), Error> {
        let (size, most) = (self.len(), self.limits.content);
        if size <= most {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Limit, subject)
            .expected(format!("at most {most} bytes"))
            .found(format!("{size} bytes"))
            .help("raise `Limits::content` to read it"))
    }
}

impl<'a> From<&'a [u8]> for Content<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self { bytes: Source::Borrowed(bytes), limits: &Limits::DEFAULT, headers: &NO_HEADERS }
    }
}

impl<'a> From<&'a str> for Content<'a> {
    fn from(text: &'a str) -> Self {
        text.as_bytes().into()
    }
}

impl<'a> From<&'a Bytes> for Content<'a> {
    fn from(bytes: &'a Bytes) -> Self {
        Self { bytes: Source::Shared(bytes), limits: &Limits::DEFAULT, headers: &NO_HEADERS }
    }
}

impl<'a> From<&'a Payload> for Content<'a> {
    fn from(payload: &'a Payload) -> Self {
        match payload.as_bytes() {
            Some(bytes) => bytes.into(),
            None => Self { bytes: Source::Null, limits: &Limits::DEFAULT, headers: &NO_HEADERS },
        }
    }
}

impl Deref for Content<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.as_slice()
    }
}
