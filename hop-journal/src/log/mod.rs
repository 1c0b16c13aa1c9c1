//! One list of messages: its segments, which messages in them are not done yet, and the segment that is written to.

mod intact;
mod load;
mod write;

use std::collections::BTreeMap;
use std::io;
use std::ops::RangeInclusive;

use bytes::Bytes;
use uuid::Uuid;

pub(crate) use self::load::{Found, load};
pub(crate) use self::write::Manner;
use crate::entry::Entry;
use crate::error::{Error, ErrorKind};
use crate::frame::{self, Seal};
use crate::segment::List;
use crate::storage::{File, Storage};

/// Where a message's record is.
#[derive(Debug, Clone, Copy)]
struct Location {
    segment: u64,
    at: u64,
    size: u32,
}

#[derive(Debug)]
struct Segment {
    seal: Seal,
    /// The first number that a message in it may have, and the last that one has; 0 if it has none.
    first: u64,
    last: u64,
    /// How many messages in it are not done.
    live: usize,
    size: u64,
}

/// The segment that is written to.
#[derive(Debug)]
struct Active {
    segment: u64,
    file: Box<dyn File>,
    is_synced: bool,
}

/// Records that are made and not yet written.
#[derive(Debug, Default)]
struct Staged {
    bytes: Vec<u8>,
    /// Number, place in `bytes` and size.
    messages: Vec<(u64, usize, u32)>,
}

#[derive(Debug)]
pub(crate) struct Log {
    list: List,
    /// The journal's id, for new segments.
    journal: Uuid,
    segments: BTreeMap<u64, Segment>,
    /// The messages that are not done, by number, which is the order in which they were accepted.
    messages: BTreeMap<u64, Location>,
    active: Option<Active>,
    /// Files that are full and not yet synced.
    unsynced: Vec<Box<dyn File>>,
    next_segment: u64,
    staged: Staged,
    /// Messages that are done, and whose record says so only in memory.
    unwritten: Vec<RangeInclusive<u64>>,
    /// The file that was read last.
    reading: Option<(u64, Box<dyn File>)>,
}

impl Log {
    fn new(list: List, journal: Uuid) -> Self {
        Self {
            list,
            journal,
            segments: BTreeMap::new(),
            messages: BTreeMap::new(),
            active: None,
            unsynced: Vec::new(),
            next_segment: 1,
            staged: Staged::default(),
            unwritten: Vec::new(),
            reading: None,
        }
    }

    /// Returns the numbers of the messages that are not done, in order.
    pub(crate) fn numbers(&self) -> impl DoubleEndedIterator<Item = u64> + '_ {
        self.messages.keys().copied()
    }

    /// Returns the first message after this number.
    pub(crate) fn next_after(&self, number: u64) -> Option<u64> {
        self.messages.range(number.checked_add(1)?..).next().map(|(number, _)| *number)
    }

    pub(crate) fn contains(&self, number: u64) -> bool {
        self.messages.contains_key(&number)
    }

    pub(crate) fn len(&self) -> usize {
        self.messages.len()
    }

    /// Returns the bytes of all files, and of what is about to be written.
    pub(crate) fn bytes(&self) -> u64 {
        self.segments.values().map(|segment| segment.size).sum::<u64>() + self.staged.bytes.len() as u64
    }

    /// Returns how many bytes the messages have that are not done.
    pub(crate) fn live_bytes(&self) -> u64 {
        self.messages.values().map(|location| u64::from(location.size)).sum()
    }

    /// Returns the messages that are in the same segment as the oldest.
    pub(crate) fn oldest_segment(&self) -> Vec<u64> {
        let Some(oldest) = self.messages.values().next().map(|location| location.segment) else { return Vec::new() };
        let same = self.messages.iter().take_while(|(_, location)| location.segment == oldest);
        same.map(|(number, _)| *number).collect()
    }

    /// Reads a message that is not done.
    pub(crate) fn read(&mut self, storage: &dyn Storage, number: u64) -> Result<Entry, Error> {
        let missing = || Error::new(ErrorKind::NotFound, format!("the journal has no message {number}"));
        let location = *self.messages.get(&number).ok_or_else(missing)?;
        let segment = self.segments.get(&location.segment).ok_or_else(missing)?;
        let name = self.list.name(location.segment);
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof => Error::new(
                ErrorKind::NotFound,
                format!("message {number} is gone: another program removed or cut off {name}"),
            ),
            _ => Error::storage(format_args!("reading message {number} from {name}"), error),
        };
        let is_open = |(segment, _): &(u64, Box<dyn File>)| *segment == location.segment;
        let file = match (&self.active, self.reading.take_if(|reading| !is_open(reading))) {
            // It can be read whatever becomes of its name.
            (Some(active), _) if active.segment == location.segment => &active.file,
            _ => match &mut self.reading {
                Some((_, file)) => file,
                reading => {
                    let file = storage.open(&name).map_err(failed)?;
                    &reading.insert((location.segment, file)).1
                }
            },
        };
        let body = record(&**file, location, number, &segment.seal).map_err(failed)?;
        body.and_then(|body| Entry::decode(&body).ok()).ok_or_else(|| {
            Error::new(ErrorKind::Damaged, format!("message {number} in {name} is damaged"))
                .help("`hop journal verify` shows what else is")
        })
    }
}

/// Reads the body of a message's record; `None` if the record is damaged.
fn record(file: &dyn File, location: Location, number: u64, seal: &Seal) -> io::Result<Option<Bytes>> {
    let mut record = vec![0; location.size as usize];
    file.read_at(&mut record, location.at)?;
    Ok(frame::message(&Bytes::from(record), location.at, seal, number))
}

/// Makes ranges of numbers that are in order.
pub(crate) fn ranges(numbers: impl IntoIterator<Item = u64>) -> Vec<RangeInclusive<u64>> {
    let mut ranges: Vec<RangeInclusive<u64>> = Vec::new();
    for number in numbers {
        match ranges.last_mut() {
            Some(last) if last.end().checked_add(1) == Some(number) => *last = *last.start()..=number,
            _ => ranges.push(number..=number),
        }
    }
    ranges
}
