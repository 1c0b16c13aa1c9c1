//! What some brokers wrap around content: a compression, a schema's number, a container of their own.

use std::fmt;

use bytes::Bytes;

use crate::{Content, Error};

/// A message as it came, with what a [`Framing`] may need beside the content.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// The content, with its limits and headers.
    pub content: Content<'a>,
    /// The key of the record.
    pub key: Option<&'a [u8]>,
    /// The topic that the record was read from.
    pub topic: Option<&'a str>,
}

/// Takes what a broker wraps around content off again, so that any model reads what is inside.
///
/// ```
/// use hop_core::{Error, ErrorKind, Frame, Framing};
///
/// /// A checksum of four bytes before the content.
/// #[derive(Debug)]
/// struct Summed;
///
/// impl Framing for Summed {
///     fn name(&self) -> &str {
///         "summed"
///     }
///
///     fn unwrap(&self, frame: &Frame<'_>) -> Result<bytes::Bytes, Error> {
///         let all = frame.content.to_bytes();
///         if all.len() < 4 {
///             return Err(Error::new(ErrorKind::Malformed, "summed").expected("4 bytes of checksum"));
///         }
///         Ok(all.slice(4..))
///     }
/// }
/// ```
pub trait Framing: fmt::Debug + Send + Sync {
    /// Returns the name that rules in files give it.
    fn name(&self) -> &str;

    /// Returns the content inside.
    ///
    /// # Errors
    /// When the content is not in this frame, or what it refers to cannot be found.
    fn unwrap(&self, frame: &Frame<'_>) -> Result<Bytes, Error>;

    /// Returns true if [`unwrap`](Self::unwrap) may wait for a network or a disk; readers then decode on a thread of its own.
    fn may_wait(&self) -> bool {
        false
    }
}
