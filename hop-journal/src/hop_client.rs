//! The journal files of hop-client's `RobustProducer`, as they are on disk: both versions of its records.
//!
//! A record is, in big-endian integers: `u64` type, `u64` length of the body, `u32` CRC-32 of the body, `u32` CRC-32 of the
//! 20 bytes before, body. The bodies:
//!
//! | type | body |
//! |---|---|
//! | 0, a message of version 1 | number, content, headers |
//! | 1, a message that was sent or given up | number |
//! | 2, a message of version 2 | number, topic, content, key, headers |
//!
//! A number or a length is a `u64`; texts and bytes are a length and the bytes; headers are their number, then name and
//! value of each. A key of no bytes stands for none.
//!
//! hop-client refuses a file with one damaged byte, or a torn end. Here what is whole is read, and the rest is reported.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;

use bytes::Bytes;
use hop_core::{Headers, Outgoing};

use crate::cursor::Cursor;

const HEAD: usize = 24;

/// What a journal of hop-client holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HopClientJournal {
    /// The messages that were not sent, in the order in which they were written.
    pub messages: Vec<HopClientMessage>,
    /// How many messages were sent, or given up by hop-client.
    pub sent: usize,
    /// Parts of the file that are not records.
    pub damage: Vec<Range<usize>>,
    /// The beginning of a record that was being written, at the end of the file.
    pub torn: Option<Range<usize>>,
}

/// A message of a journal of hop-client.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HopClientMessage {
    /// Its number; two processes that wrote to one file used the same ones.
    pub number: u64,
    /// The topic; version 1 does not say.
    pub topic: Option<String>,
    /// Content, key and headers.
    pub message: Outgoing,
}

impl HopClientJournal {
    /// Reads a file.
    ///
    /// Returns `None` for a file that has bytes, and no record of hop-client's in them.
    pub fn read(file: &Bytes) -> Option<Self> {
        let mut journal = Self::default();
        let mut unsent = Unsent::default();
        let mut records = 0;
        let mut at = 0;
        while at < file.len() {
            if let Some(record) = Record::at(file, at) {
                if record.end > file.len() {
                    journal.torn = Some(at..file.len());
                    break;
                }
                let body = file.slice(record.start..record.end);
                if crc32fast::hash(&body) == record.sum && unsent.apply(record.kind, &body).is_some() {
                    records += 1;
                } else {
                    journal.note_damage(at..record.end);
                }
                at = record.end;
                continue;
            }
            let rest = file.len() - at;
            match (at + 1..file.len()).find(|next| Record::at(file, *next).is_some()) {
                Some(next) => {
                    journal.note_damage(at..next);
                    at = next;
                }
                None if rest < HEAD && begins_record(&file[at..]) => {
                    journal.torn = Some(at..file.len());
                    break;
                }
                None => {
                    journal.note_damage(at..file.len());
                    break;
                }
            }
        }
        journal.messages = unsent.messages.into_iter().flatten().collect();
        journal.sent = unsent.sent;
        (records > 0 || file.is_empty() || journal.torn.is_some()).then_some(journal)
    }

    fn note_damage(&mut self, place: Range<usize>) {
        match self.damage.last_mut() {
            Some(last) if last.end == place.start => last.end = place.end,
            _ => self.damage.push(place),
        }
    }
}

/// Returns true if these bytes, too few for a record's head, are the beginning of one: of its type, which comes first.
fn begins_record(bytes: &[u8]) -> bool {
    bytes.iter().take(7).all(|byte| *byte == 0) && bytes.get(7).is_none_or(|kind| *kind <= 2)
}

/// The messages that were not sent, as far as the file is read.
#[derive(Default)]
struct Unsent {
    messages: Vec<Option<HopClientMessage>>,
    /// Where the messages of a number are.
    places: HashMap<u64, VecDeque<usize>>,
    sent: usize,
}

impl Unsent {
    /// Applies a record; `None` for one that hop-client does not write.
    fn apply(&mut self, kind: u64, body: &Bytes) -> Option<()> {
        let mut fields = Fields(Cursor::new(body));
        let number = fields.integer()?;
        if kind == 1 {
            fields.end()?;
            self.sent += 1;
            // Of two messages with one number, the first was sent first.
            if let Some(place) = self.places.get_mut(&number).and_then(VecDeque::pop_front) {
                self.messages[place] = None;
            }
            return Some(());
        }
        let topic = match kind {
            0 => None,
            2 => Some(String::from_utf8(fields.bytes()?.to_vec()).ok()?),
            _ => return None,
        };
        let content = fields.bytes()?;
        let key = if kind == 2 { Some(fields.bytes()?).filter(|key| !key.is_empty()) } else { None };
        let count = usize::try_from(fields.integer()?).ok()?;
        if count > fields.0.left() / 16 {
            return None;
        }
        let mut headers = Headers::with_capacity(count);
        for _ in 0..count {
            let name = String::from_utf8(fields.bytes()?.to_vec()).ok()?;
            headers.push(name, Some(fields.bytes()?));
        }
        fields.end()?;
        let message = Outgoing { content: content.into(), key, headers };
        self.places.entry(number).or_default().push_back(self.messages.len());
        self.messages.push(Some(HopClientMessage { number, topic, message }));
        Some(())
    }
}

struct Record {
    kind: u64,
    sum: u32,
    start: usize,
    end: usize,
}

impl Record {
    fn at(file: &[u8], at: usize) -> Option<Self> {
        let head = file.get(at..at + HEAD)?;
        let (kind, length) = (integer(&head[..8])?, integer(&head[8..16])?);
        // Cheap, before the checksum: the search tries every byte.
        if kind > 2 {
            return None;
        }
        let sum = |at: usize| head[at..at + 4].try_into().ok().map(u32::from_be_bytes);
        if crc32fast::hash(&head[..20]) != sum(20)? {
            return None;
        }
        let start = at + HEAD;
        Some(Self { kind, sum: sum(16)?, start, end: start.saturating_add(usize::try_from(length).ok()?) })
    }
}

fn integer(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_be_bytes)
}

struct Fields<'a>(Cursor<'a>);

impl Fields<'_> {
    fn integer(&mut self) -> Option<u64> {
        integer(&self.0.take(8)?)
    }

    fn bytes(&mut self) -> Option<Bytes> {
        let count = usize::try_from(self.integer()?).ok()?;
        self.0.take(count)
    }

    fn end(&self) -> Option<()> {
        self.0.is_at_end().then_some(())
    }
}
