//! One message in the journal, and its bytes in a record.
//!
//! All integers are little-endian. A text or a list of bytes is its length as `u32`, then the bytes; null is the length
//! `0xFFFF_FFFF` alone.
//!
//! | field | type |
//! |---|---|
//! | accepted | `u64`, milliseconds since 1970 |
//! | topic | text |
//! | key | bytes or null |
//! | content | bytes or null |
//! | headers | number as `u32`, then of each: name as text, value as bytes or null |
//! | refusal | `u8`: 0 none, 1: time as `u64`, kind as text, reason as text |

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use hop_core::{Headers, Outgoing};
use uuid::Uuid;

use crate::cursor::Cursor;
use crate::error::{Error, ErrorKind};

/// The length of null.
const NULL: u32 = u32::MAX;
/// The largest body of a record. A message of this size is far above what brokers take.
pub(crate) const MAX_BODY: usize = 256 << 20;

/// A message that waits to be sent, or was put aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The topic it is for.
    pub topic: String,
    /// Content, key and headers, `_id` included.
    pub message: Outgoing,
    /// When the journal accepted it, in milliseconds since 1970-01-01T00:00:00Z.
    pub accepted: u64,
    /// Why it was put aside, for a message that was.
    pub refusal: Option<Refusal>,
}

/// Why a message was put aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// When, in milliseconds since 1970-01-01T00:00:00Z.
    pub at: u64,
    /// The kind of the error, as a word for machines: `too-large`, `authorization`, …
    pub kind: String,
    /// The error.
    pub reason: String,
}

impl Refusal {
    /// Makes a refusal of this moment.
    pub fn new(kind: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { at: now(), kind: kind.into(), reason: reason.into() }
    }
}

/// Returns the time in milliseconds since 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

impl Entry {
    /// Makes an entry that is accepted at this moment.
    pub fn new(topic: impl Into<String>, message: Outgoing) -> Self {
        Self { topic: topic.into(), message, accepted: now(), refusal: None }
    }

    /// Returns the message's `_id`, by which readers recognise a repeat; `None` where it has none of 16 bytes.
    pub fn id(&self) -> Option<Uuid> {
        self.message.headers.id()
    }

    /// Adds the entry's bytes to `out`.
    ///
    /// # Errors
    /// Kind `TooLarge`; `out` is then as it was.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        let start = out.len();
        let size = self.size();
        if size > MAX_BODY {
            return Err(Error::new(
                ErrorKind::TooLarge,
                format!("a message for `{}` has {size} bytes, and the journal takes {MAX_BODY}", self.topic),
            )
            .help("send a reference to the data instead"));
        }
        out.reserve(size);
        out.extend_from_slice(&self.accepted.to_le_bytes());
        put(out, Some(self.topic.as_bytes()));
        put(out, self.message.key.as_deref());
        put(out, self.message.content.as_bytes().map(|content| &content[..]));
        put_length(out, self.message.headers.len());
        for header in &self.message.headers {
            put(out, Some(header.name.as_bytes()));
            put(out, header.value.as_deref());
        }
        out.push(u8::from(self.refusal.is_some()));
        if let Some(refusal) = &self.refusal {
            out.extend_from_slice(&refusal.at.to_le_bytes());
            put(out, Some(refusal.kind.as_bytes()));
            put(out, Some(refusal.reason.as_bytes()));
        }
        debug_assert_eq!(out.len() - start, size);
        Ok(())
    }

    /// Returns how many bytes [`encode`](Self::encode) adds.
    pub(crate) fn size(&self) -> usize {
        let optional = |bytes: Option<&[u8]>| 4 + bytes.map_or(0, <[u8]>::len);
        let headers: usize =
            self.message.headers.iter().map(|header| 4 + header.name.len() + optional(header.value.as_deref())).sum();
        let refusal = self.refusal.as_ref().map_or(0, |refusal| 8 + 4 + refusal.kind.len() + 4 + refusal.reason.len());
        8 + 4
            + self.topic.len()
            + optional(self.message.key.as_deref())
            + optional(self.message.content.as_bytes().map(|content| &content[..]))
            + 4
            + headers
            + 1
            + refusal
    }

    /// Reads an entry; what it holds shares the memory of `body`.
    ///
    /// # Errors
    /// Kind `Damaged`, for bytes that are not an entry, to the last of them.
    pub fn decode(body: &Bytes) -> Result<Self, Error> {
        read(body).ok_or_else(|| Error::new(ErrorKind::Damaged, "a record of the journal does not hold a message"))
    }
}

fn put_length(out: &mut Vec<u8>, length: usize) {
    // No length is above `MAX_BODY`, which is checked before.
    out.extend_from_slice(&u32::try_from(length).unwrap_or(NULL).to_le_bytes());
}

fn put(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => {
            put_length(out, bytes.len());
            out.extend_from_slice(bytes);
        }
        None => out.extend_from_slice(&NULL.to_le_bytes()),
    }
}

fn read(body: &Bytes) -> Option<Entry> {
    let mut fields = Fields(Cursor::new(body));
    let accepted = fields.u64()?;
    let topic = fields.text()?;
    let key = fields.bytes()?;
    let content = fields.bytes()?.into();
    let count = fields.u32()? as usize;
    // A header takes eight bytes at least: no memory is reserved for headers that are only announced.
    if count > fields.0.left() / 8 {
        return None;
    }
    let mut headers = Headers::with_capacity(count);
    for _ in 0..count {
        let name = fields.text()?;
        headers.push(name, fields.bytes()?);
    }
    let refusal = match fields.0.take(1)?[0] {
        0 => None,
        1 => Some(Refusal { at: fields.u64()?, kind: fields.text()?, reason: fields.text()? }),
        _ => return None,
    };
    let message = Outgoing { content, key, headers };
    fields.0.is_at_end().then_some(Entry { topic, message, accepted, refusal })
}

struct Fields<'a>(Cursor<'a>);

impl Fields<'_> {
    fn u32(&mut self) -> Option<u32> {
        self.0.take(4)?[..].try_into().ok().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.0.take(8)?[..].try_into().ok().map(u64::from_le_bytes)
    }

    /// `Some(None)` is null.
    #[allow(clippy::option_option)]
    fn bytes(&mut self) -> Option<Option<Bytes>> {
        match self.u32()? {
            NULL => Some(None),
            length => self.0.take(length as usize).map(Some),
        }
    }

    fn text(&mut self) -> Option<String> {
        String::from_utf8(self.bytes()??.to_vec()).ok()
    }
}

#[cfg(test)]
mod tests {
    use hop_core::Payload;

    use super::*;

    fn entries() -> Vec<Entry> {
        let headers: Headers = [("a", Some("1")), ("a", None), ("", Some(""))].into_iter().collect();
        let full = Outgoing { content: Bytes::from_static(b"content").into(), key: Some("k".into()), headers };
        let empty = Outgoing { content: Payload::EMPTY, key: Some(Bytes::new()), headers: Headers::new() };
        let null = Outgoing { content: Payload::NULL, key: None, headers: Headers::new() };
        let mut entries: Vec<Entry> = [full, empty, null].map(|message| Entry::new("ada.events", message)).into();
        entries[1].refusal = Some(Refusal::new("too-large", "it has 2 MB"));
        entries
    }

    #[test]
    fn what_is_written_is_read() {
        for entry in entries() {
            let mut bytes = Vec::new();
            entry.encode(&mut bytes).unwrap();
            assert_eq!(Entry::decode(&bytes.into()).unwrap(), entry);
        }
    }

    #[test]
    fn what_is_cut_or_has_more_is_not_an_entry() {
        for entry in entries() {
            let mut bytes = Vec::new();
            entry.encode(&mut bytes).unwrap();
            for end in 0..bytes.len() {
                assert_eq!(read(&Bytes::copy_from_slice(&bytes[..end])), None, "{end}");
            }
            bytes.push(0);
            assert_eq!(read(&bytes.into()), None);
        }
    }

    #[test]
    fn no_memory_is_reserved_for_what_is_only_announced() {
        let mut bytes = vec![0; 8];
        put(&mut bytes, Some(b"topic"));
        put(&mut bytes, None);
        put(&mut bytes, None);
        bytes.extend_from_slice(&0xFFFF_FFF0_u32.to_le_bytes());
        assert_eq!(read(&bytes.into()), None);
    }
}
