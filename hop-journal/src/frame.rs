//! Records in a segment: a head of 28 bytes, then the body.
//!
//! | at | type | field |
//! |---|---|---|
//! | 0 | 4 bytes | `F1 'h' 'o' 'p'` |
//! | 4 | `u32` | kind: 1 a message ([`entry`](crate::entry)), 2 messages that are done |
//! | 8 | `u32` | length of the body |
//! | 12 | `u64` | number of the message; for kind 2, the number after that of the last message before |
//! | 20 | `u32` | CRC-32 of the body |
//! | 24 | `u32` | CRC-32 of the journal's id, the segment's number, the record's place in the segment, and bytes 0 to 23 |
//!
//! The body of a record of kind 2 is a list of ranges: the first and the last number, `u64` each.
//!
//! The checksum of the head covers the journal's random id and the record's place, so that content which looks like a record,
//! such as a message that is a copy of a journal, is not taken for one when the reader looks for the next record after
//! damage. Checksums find damage; they do not stop somebody who may write to the files.

use std::ops::{Range, RangeInclusive};

use bytes::Bytes;
use crc32fast::Hasher;
use memchr::memmem::Finder;
use uuid::Uuid;

const MARK: [u8; 4] = *b"\xF1hop";
const HEAD: usize = 28;

const MESSAGE: u32 = 1;
const DONE: u32 = 2;

/// What the heads of all records of a segment are checked with.
#[derive(Debug, Clone)]
pub(crate) struct Seal(Hasher);

impl Seal {
    pub(crate) fn new(journal: Uuid, segment: u64) -> Self {
        let mut hasher = Hasher::new();
        hasher.update(journal.as_bytes());
        hasher.update(&segment.to_le_bytes());
        Self(hasher)
    }

    fn of(&self, place: u64, head: &[u8]) -> u32 {
        let mut hasher = self.0.clone();
        hasher.update(&place.to_le_bytes());
        hasher.update(head);
        hasher.finalize()
    }
}

/// Adds a message's record to `out`, which is written at `start` in the segment; `body` writes the message.
pub(crate) fn put_message<E>(
    out: &mut Vec<u8>,
    start: u64,
    seal: &Seal,
    number: u64,
    body: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    put(out, start, seal, MESSAGE, number, body)
}

/// Adds the record of messages that are done; `next` is the number after that of the last message before.
pub(crate) fn put_done(out: &mut Vec<u8>, start: u64, seal: &Seal, next: u64, ranges: &[RangeInclusive<u64>]) {
    let written: Result<(), std::convert::Infallible> = put(out, start, seal, DONE, next, |out| {
        for range in ranges {
            out.extend_from_slice(&range.start().to_le_bytes());
            out.extend_from_slice(&range.end().to_le_bytes());
        }
        Ok(())
    });
    match written {
        Ok(()) => {}
        Err(never) => match never {},
    }
}

fn put<E>(
    out: &mut Vec<u8>,
    start: u64,
    seal: &Seal,
    kind: u32,
    number: u64,
    body: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    let head = out.len();
    out.extend_from_slice(&[0; HEAD]);
    if let Err(error) = body(out) {
        out.truncate(head);
        return Err(error);
    }
    let (before, body) = out.split_at_mut(head + HEAD);
    let bytes = &mut before[head..];
    bytes[..4].copy_from_slice(&MARK);
    bytes[4..8].copy_from_slice(&kind.to_le_bytes());
    // Bodies are bounded before.
    bytes[8..12].copy_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes());
    bytes[12..20].copy_from_slice(&number.to_le_bytes());
    bytes[20..24].copy_from_slice(&crc32fast::hash(body).to_le_bytes());
    let sum = seal.of(start + head as u64, &bytes[..24]);
    bytes[24..].copy_from_slice(&sum.to_le_bytes());
    Ok(())
}

/// Returns the bytes that a record with this body takes.
pub(crate) const fn size(body: usize) -> usize {
    HEAD + body
}

/// What stands at one place of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item {
    Message {
        number: u64,
        body: Bytes,
    },
    Done {
        next: u64,
        ranges: Vec<RangeInclusive<u64>>,
    },
    /// A record of a kind that this version does not know; whoever wrote it meant older readers to pass it.
    Other,
    /// Bytes that are not a record; `number` is that of the message whose body they were, if its head is whole.
    Damaged {
        number: Option<u64>,
    },
    /// The end of a record that was being written when the process or the machine stopped.
    Torn,
}

/// Returns what stands in a segment from `start` on, place by place, to its last byte.
pub(crate) fn scan(segment: &Bytes, start: usize, seal: &Seal) -> Vec<(Range<usize>, Item)> {
    let mark = Finder::new(&MARK);
    let mut items = Vec::new();
    let mut at = start.min(segment.len());
    while at < segment.len() {
        let (end, item) = match Head::read(segment, at, seal) {
            Some(head) if head.end > segment.len() => (segment.len(), Item::Torn),
            Some(head) => (head.end, head.item(segment)),
            None => {
                let next = next_head(segment, at + 1, seal, &mark);
                let end = next.unwrap_or(segment.len());
                let rest = &segment[at..end];
                let is_torn = next.is_none() && (rest.len() < HEAD || rest.iter().all(|byte| *byte == 0));
                (end, if is_torn { Item::Torn } else { Item::Damaged { number: None } })
            }
        };
        items.push((at..end, item));
        at = end;
    }
    items
}

/// Returns the body of the record that stands at `record`, if it is the message of that number and whole.
pub(crate) fn message(record: &Bytes, place: u64, seal: &Seal, number: u64) -> Option<Bytes> {
    let head = Head::read_at(record, place, seal)?;
    match head.item(record) {
        Item::Message { number: found, body } if found == number && head.end == record.len() => Some(body),
        _ => None,
    }
}

fn next_head(segment: &[u8], from: usize, seal: &Seal, mark: &Finder<'_>) -> Option<usize> {
    let mut from = from;
    loop {
        let at = from + mark.find(segment.get(from..)?)?;
        if Head::read(segment, at, seal).is_some() {
            return Some(at);
        }
        from = at + 1;
    }
}

struct Head {
    kind: u32,
    number: u64,
    sum: u32,
    start: usize,
    end: usize,
}

impl Head {
    fn read(segment: &[u8], at: usize, seal: &Seal) -> Option<Self> {
        let head = Self::read_at(segment.get(at..)?, at as u64, seal)?;
        Some(Self { start: at + head.start, end: at + head.end, ..head })
    }

    /// Reads the head at the beginning of `record`, which stands at `place` in its segment.
    fn read_at(record: &[u8], place: u64, seal: &Seal) -> Option<Self> {
        let head = record.get(..HEAD)?;
        let u32_at = |at: usize| head[at..at + 4].try_into().ok().map(u32::from_le_bytes);
        if head[..4] != MARK || seal.of(place, &head[..24]) != u32_at(24)? {
            return None;
        }
        let number = head[12..20].try_into().ok().map(u64::from_le_bytes)?;
        let end = HEAD + u32_at(8)? as usize;
        Some(Self { kind: u32_at(4)?, number, sum: u32_at(20)?, start: HEAD, end })
    }

    fn item(&self, segment: &Bytes) -> Item {
        let damaged = Item::Damaged { number: (self.kind == MESSAGE).then_some(self.number) };
        if self.end > segment.len() {
            return damaged;
        }
        let body = segment.slice(self.start..self.end);
        if crc32fast::hash(&body) != self.sum {
            return damaged;
        }
        match self.kind {
            MESSAGE => Item::Message { number: self.number, body },
            DONE => match ranges(&body) {
                Some(ranges) => Item::Done { next: self.number, ranges },
                None => damaged,
            },
            _ => Item::Other,
        }
    }
}

fn ranges(body: &[u8]) -> Option<Vec<RangeInclusive<u64>>> {
    let (pairs, []) = body.as_chunks::<16>() else { return None };
    let number = |bytes: &[u8]| bytes.try_into().ok().map(u64::from_le_bytes);
    pairs.iter().map(|pair| Some(number(&pair[..8])?..=number(&pair[8..])?)).collect()
}
