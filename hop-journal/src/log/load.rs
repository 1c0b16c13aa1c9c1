//! Reading a list back from its segments, whatever became of them.

use std::collections::BTreeMap;
use std::io;
use std::ops::{Range, RangeInclusive};

use bytes::Bytes;
use uuid::Uuid;

use super::{Location, Log, Segment, ranges};
use crate::error::Error;
use crate::frame::{self, Item, Seal};
use crate::recovery::{Damage, Recovery, Torn};
use crate::segment::{DAMAGED, List, Opening, RECORDS};
use crate::storage::{self, Storage};

/// A file above this size was not written by a journal.
const LARGEST: u64 = 1 << 30;

/// A segment as it was found.
pub(crate) struct Found {
    number: u64,
    name: String,
    bytes: Bytes,
    opening: Option<Opening>,
}

impl Found {
    /// Reads the segments of a list, in order.
    pub(crate) fn read_all(storage: &dyn Storage, list: List) -> Result<Vec<Self>, Error> {
        let names = storage.names().map_err(|error| Error::storage("reading the journal's folder", error))?;
        let mut found = Vec::new();
        for name in names {
            let Some(number) = list.segment(&name) else { continue };
            let failed = |error| Error::storage(format_args!("reading {name}"), error);
            let file = storage.open(&name).map_err(failed)?;
            if file.size().map_err(failed)? > LARGEST {
                return Err(failed(io::Error::other("it is larger than any file of a journal")));
            }
            let bytes = storage::read(&*file).map_err(failed)?;
            let opening = Opening::decode(&bytes)?;
            found.push(Self { number, name, bytes, opening });
        }
        found.sort_unstable_by_key(|found| found.number);
        Ok(found)
    }

    pub(crate) fn journal(&self) -> Option<Uuid> {
        self.opening.map(|opening| opening.journal)
    }
}

/// What is known of a segment while its list is read.
struct Reading {
    /// Numbers that should be in it and are not.
    missing: Vec<RangeInclusive<u64>>,
    /// Whether some of its damage was not known before.
    is_newly_damaged: bool,
}

/// Makes a list of its segments; in `others` are ids of journals, for segments whose beginning is damaged.
///
/// With `repair`, torn ends are cut off and damage is copied; otherwise nothing is written.
pub(crate) fn load(
    storage: &dyn Storage,
    list: List,
    found: Vec<Found>,
    others: &[Uuid],
    repair: bool,
    recovery: &mut Recovery,
) -> Result<(Log, u64), Error> {
    let journal = others.first().copied().unwrap_or_else(Uuid::new_v4);
    let mut log = Log::new(list, journal);
    let mut next = 1;
    let mut done: Vec<RangeInclusive<u64>> = Vec::new();
    let mut readings: BTreeMap<u64, Reading> = BTreeMap::new();
    for segment in found {
        log.next_segment = log.next_segment.max(segment.number.saturating_add(1));
        let known = segment.opening.or_else(|| guess(&segment, others));
        let Some(opening) = known else {
            set_aside(storage, &segment, repair, recovery)?;
            continue;
        };
        next = next.max(opening.first);
        let seal = Seal::new(opening.journal, opening.segment);
        let mut reading = Reading { missing: Vec::new(), is_newly_damaged: false };
        let mut expected = opening.first;
        let mut size = segment.bytes.len() as u64;
        for (place, item) in frame::scan(&segment.bytes, RECORDS, &seal) {
            match item {
                Item::Message { number, .. } => {
                    if number > expected {
                        reading.missing.push(expected..=number - 1);
                    }
                    expected = expected.max(number.saturating_add(1));
                    let location = Location {
                        segment: segment.number,
                        at: place.start as u64,
                        size: u32::try_from(place.len()).unwrap_or(u32::MAX),
                    };
                    log.messages.insert(number, location);
                }
                Item::Done { next, ranges } => {
                    // A message before it, whose head is damaged, shows here.
                    if next > expected {
                        reading.missing.push(expected..=next - 1);
                        expected = next;
                    }
                    for range in ranges {
                        log.forget(&range);
                        done.push(range);
                    }
                }
                Item::Other => {}
                Item::Damaged { number } => {
                    if let Some(number) = number.filter(|number| *number >= expected) {
                        reading.missing.push(expected..=number);
                        expected = number.saturating_add(1);
                    }
                    reading.is_newly_damaged |= note_damage(storage, &segment, place, repair, recovery)?;
                }
                Item::Torn => {
                    size = place.start as u64;
                    cut(storage, &segment, place, repair, recovery)?;
                }
            }
        }
        next = next.max(expected);
        readings.insert(segment.number, reading);
        let last = if expected > opening.first { expected - 1 } else { 0 };
        log.segments.insert(segment.number, Segment { seal, first: opening.first, last, live: 0, size });
    }
    // What is missing at the end of a segment shows where the next one begins.
    let firsts: Vec<(u64, u64)> = log.segments.iter().map(|(number, segment)| (*number, segment.first)).collect();
    for pair in firsts.windows(2) {
        let [(number, first), (following, next_first)] = pair else { continue };
        let end = log.segments.get(number).map_or(0, |segment| segment.last.max(first - 1));
        if number + 1 == *following
            && *next_first > end + 1
            && let Some(reading) = readings.get_mut(number)
        {
            reading.missing.push(end + 1..=next_first - 1);
        }
    }
    for location in log.messages.values() {
        if let Some(segment) = log.segments.get_mut(&location.segment) {
            segment.live += 1;
        }
    }
    let missing = readings.into_values().filter(|reading| reading.is_newly_damaged).flat_map(|reading| reading.missing);
    for range in missing {
        // A range is as long as a segment has room for; one that is longer stands for a damaged number.
        let numbers = range.clone().take(1 << 24).filter(|number| !done.iter().any(|done| done.contains(number)));
        recovery.lost.extend(ranges(numbers));
    }
    Ok((log, next))
}

impl Log {
    /// Forgets the messages of this range, which are done.
    fn forget(&mut self, range: &RangeInclusive<u64>) {
        if range.is_empty() {
            return;
        }
        let known: Vec<u64> = self.messages.range(range.clone()).map(|(number, _)| *number).collect();
        for number in known {
            self.messages.remove(&number);
        }
    }
}

/// Finds what a segment with a damaged beginning must have said there: one of the journals' ids fits its records.
fn guess(segment: &Found, others: &[Uuid]) -> Option<Opening> {
    others.iter().find_map(|journal| {
        let seal = Seal::new(*journal, segment.number);
        frame::scan(&segment.bytes, RECORDS, &seal).into_iter().find_map(|(_, item)| match item {
            Item::Message { number, .. } => {
                Some(Opening { journal: *journal, segment: segment.number, first: number, made: 0 })
            }
            _ => None,
        })
    })
}

/// Copies damaged bytes into a file of their own; returns false if they were known before.
fn note_damage(
    storage: &dyn Storage,
    segment: &Found,
    place: Range<usize>,
    repair: bool,
    recovery: &mut Recovery,
) -> Result<bool, Error> {
    let copy = format!("{DAMAGED}{}-{}", segment.name.trim_end_matches(".journal"), place.start);
    let failed = |error| Error::storage(format_args!("copying damaged bytes to {copy}"), error);
    let is_known = storage.names().map_err(failed)?.contains(&copy);
    if repair && is_known {
        return Ok(false);
    }
    if repair {
        let mut file = storage.create(&copy).map_err(failed)?;
        file.append(&segment.bytes[place.clone()]).and_then(|()| file.sync()).map_err(failed)?;
    }
    recovery.damage.push(Damage {
        file: segment.name.clone(),
        at: place.start as u64,
        bytes: place.len() as u64,
        copy: (repair || is_known).then_some(copy),
    });
    Ok(true)
}

/// Cuts off the end that was being written.
fn cut(
    storage: &dyn Storage,
    segment: &Found,
    place: Range<usize>,
    repair: bool,
    recovery: &mut Recovery,
) -> Result<(), Error> {
    if repair {
        let failed = |error| Error::storage(format_args!("cutting off the torn end of {}", segment.name), error);
        let mut file = storage.open(&segment.name).map_err(failed)?;
        file.cut(place.start as u64).and_then(|()| file.sync()).map_err(failed)?;
    }
    recovery.torn.push(Torn { file: segment.name.clone(), bytes: place.len() as u64 });
    Ok(())
}

/// Takes a segment out whose records cannot be told from other bytes: one that was being made is removed, another one is
/// given a name that says it is damaged.
fn set_aside(storage: &dyn Storage, segment: &Found, repair: bool, recovery: &mut Recovery) -> Result<(), Error> {
    let bytes = segment.bytes.len() as u64;
    let is_new = segment.bytes.len() < RECORDS || segment.bytes.iter().all(|byte| *byte == 0);
    let failed = |error| Error::storage(format_args!("setting {} aside", segment.name), error);
    if is_new {
        if repair {
            storage.remove(&segment.name).map_err(failed)?;
        }
        recovery.torn.push(Torn { file: segment.name.clone(), bytes });
        return Ok(());
    }
    let copy = format!("{DAMAGED}{}-0", segment.name.trim_end_matches(".journal"));
    if repair {
        storage.rename(&segment.name, &copy).map_err(failed)?;
    }
    recovery.damage.push(Damage { file: segment.name.clone(), at: 0, bytes, copy: repair.then_some(copy) });
    Ok(())
}
