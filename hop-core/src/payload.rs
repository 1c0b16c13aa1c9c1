//! The content of a message as Kafka carries it: bytes, or null.

use std::fmt;
use std::ops::Deref;

use bytes::Bytes;

/// The content of a message: bytes, which may be empty, or null.
///
/// Kafka tells a message without a value (a tombstone, which deletes its key from a compacted topic) from one whose value
/// is empty, and so does this. Where the difference does not matter it is a `[u8]`, empty for null.
///
/// ```
/// use hop_core::Payload;
///
/// let (empty, null) = (Payload::from(&b""[..]), Payload::NULL);
/// assert_eq!((empty.len(), null.len()), (0, 0));
/// assert!(null.is_null() && !empty.is_null());
/// assert_ne!(empty, null);
/// assert_eq!(Payload::from("Nova"), "Nova");
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Payload(Option<Bytes>);

impl Payload {
    /// No value at all.
    pub const NULL: Self = Self(None);
    /// A value of no bytes.
    pub const EMPTY: Self = Self(Some(Bytes::new()));

    /// Returns true for null, and false for bytes, also for none of them.
    pub const fn is_null(&self) -> bool {
        self.0.is_none()
    }

    /// Returns the bytes, shared; `None` for null.
    pub const fn as_bytes(&self) -> Option<&Bytes> {
        self.0.as_ref()
    }

    /// Returns the bytes; `None` for null.
    pub fn into_bytes(self) -> Option<Bytes> {
        self.0
    }
}

impl Default for Payload {
    /// Returns the empty payload, not null.
    fn default() -> Self {
        Self::EMPTY
    }
}

impl Deref for Payload {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0.as_deref().unwrap_or_default()
    }
}

impl AsRef<[u8]> for Payload {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(bytes) => bytes.fmt(f),
            None => f.write_str("null"),
        }
    }
}

impl From<Bytes> for Payload {
    fn from(bytes: Bytes) -> Self {
        Self(Some(bytes))
    }
}

impl From<Option<Bytes>> for Payload {
    fn from(bytes: Option<Bytes>) -> Self {
        Self(bytes)
    }
}

impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<&[u8]> for Payload {
    fn from(bytes: &[u8]) -> Self {
        Bytes::copy_from_slice(bytes).into()
    }
}

impl From<&str> for Payload {
    fn from(text: &str) -> Self {
        text.as_bytes().into()
    }
}

/// Null equals no bytes, not even the empty ones.
impl PartialEq<[u8]> for Payload {
    fn eq(&self, bytes: &[u8]) -> bool {
        self.0.as_deref() == Some(bytes)
    }
}

impl<T: AsRef<[u8]> + ?Sized> PartialEq<&T> for Payload {
    fn eq(&self, bytes: &&T) -> bool {
        *self == *bytes.as_ref()
    }
}

impl PartialEq<Bytes> for Payload {
    fn eq(&self, bytes: &Bytes) -> bool {
        *self == **bytes
    }
}

impl PartialEq<Vec<u8>> for Payload {
    fn eq(&self, bytes: &Vec<u8>) -> bool {
        *self == **bytes
    }
}

impl PartialEq<Payload> for Bytes {
    fn eq(&self, payload: &Payload) -> bool {
        payload == self
    }
}
