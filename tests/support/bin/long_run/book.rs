//! What became of each message, by its number. All of it is laid out before the run, so that the memory which grows
//! meanwhile is not the book's.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Instant;

use hop_kafka::ReadCounters;

/// The time of what has not happened.
const NEVER: u32 = u32::MAX;
const NOWHERE: u64 = u64::MAX;

/// A partition and an offset in eight bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spot(u64);

impl Spot {
    /// `None` where either is below zero, which stands for unknown.
    pub(crate) fn new(partition: i32, offset: i64) -> Option<Self> {
        let (partition, offset) = (u64::try_from(partition).ok()?, u64::try_from(offset).ok()?);
        Some(Self(partition << 40 | offset))
    }

    pub(crate) fn partition(self) -> usize {
        (self.0 >> 40) as usize
    }

    pub(crate) fn offset(self) -> u64 {
        self.0 & ((1 << 40) - 1)
    }
}

/// Times are in milliseconds since the run began.
pub(crate) struct Book {
    started: Instant,
    queued: Vec<AtomicU32>,
    confirmed: Vec<AtomicU32>,
    spots: Vec<AtomicU64>,
}

impl Book {
    pub(crate) fn new(messages: u32) -> Self {
        let times = || (0..messages).map(|_| AtomicU32::new(NEVER)).collect();
        let spots = (0..messages).map(|_| AtomicU64::new(NOWHERE)).collect();
        Self { started: Instant::now(), queued: times(), confirmed: times(), spots }
    }

    pub(crate) fn messages(&self) -> u32 {
        self.queued.len() as u32
    }

    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    pub(crate) fn now(&self) -> u32 {
        self.started.elapsed().as_millis() as u32
    }

    pub(crate) fn note_queued(&self, number: u32) {
        self.queued[number as usize].store(self.now(), Ordering::Relaxed);
    }

    /// `None`: the broker confirmed it without saying where it stands.
    pub(crate) fn note_confirmed(&self, number: u32, spot: Option<Spot>) {
        self.spots[number as usize].store(spot.map_or(NOWHERE, |spot| spot.0), Ordering::Relaxed);
        self.confirmed[number as usize].store(self.now(), Ordering::Relaxed);
    }

    pub(crate) fn queued(&self, number: u32) -> Option<u32> {
        known(self.queued[number as usize].load(Ordering::Relaxed))
    }

    /// When the broker's confirmation came, and of which place if it said that.
    pub(crate) fn confirmed(&self, number: u32) -> Option<(u32, Option<Spot>)> {
        let spot = self.spots[number as usize].load(Ordering::Relaxed);
        let spot = (spot != NOWHERE).then_some(Spot(spot));
        known(self.confirmed[number as usize].load(Ordering::Relaxed)).map(|time| (time, spot))
    }
}

/// What one reader was handed.
pub(crate) struct Reading {
    pub(crate) name: &'static str,
    /// Where each message was seen first, and when.
    spots: Vec<u64>,
    times: Vec<u32>,
    /// Where messages were seen that stand elsewhere too: what a writer sent twice.
    twins: BTreeMap<Spot, u32>,
    /// Of each partition the offset handed over last.
    last: Vec<Option<u64>>,
    /// Of each key the highest number.
    newest: Vec<Option<u32>>,
    last_time: Option<u32>,
    /// The longest time without a message, and when it began.
    pub(crate) silence: (u32, u32),
    /// Messages handed over, again or not.
    pub(crate) messages: u64,
    /// Messages handed over that had been before, at the same place.
    pub(crate) again: u64,
    /// Offsets that were left out.
    pub(crate) leaps: Vec<String>,
    /// Messages that stand behind a later one with their key.
    pub(crate) disordered: Vec<u32>,
    /// Errors in the place of a message.
    pub(crate) errors: Vec<String>,
    /// Marks that were refused, as the partition had gone meanwhile.
    pub(crate) marks_refused: u64,
    pub(crate) counters: ReadCounters,
}

impl Reading {
    pub(crate) fn new(name: &'static str, messages: u32, partitions: u16, keys: u32) -> Self {
        Self {
            name,
            spots: vec![NOWHERE; messages as usize],
            times: vec![NEVER; messages as usize],
            twins: BTreeMap::new(),
            last: vec![None; partitions.into()],
            newest: vec![None; keys as usize],
            last_time: None,
            silence: (0, 0),
            messages: 0,
            again: 0,
            leaps: Vec::new(),
            disordered: Vec::new(),
            errors: Vec::new(),
            marks_refused: 0,
            counters: ReadCounters::default(),
        }
    }

    pub(crate) fn note(&mut self, number: u32, spot: Spot, now: u32) {
        self.messages += 1;
        let silent_since = self.last_time.replace(now).unwrap_or(now);
        self.silence = self.silence.max((now - silent_since, silent_since));
        let last = &mut self.last[spot.partition()];
        let next = last.map_or(0, |last| last + 1);
        // A reader that was thrown out of its group goes back to the last commit, and never ahead.
        if spot.offset() > next {
            self.leaps.push(format!("partition {}: {next} to {}", spot.partition(), spot.offset() - 1));
        }
        *last = Some(spot.offset());

        let first = &mut self.spots[number as usize];
        if *first == NOWHERE {
            *first = spot.0;
            self.times[number as usize] = now;
            let key = number as usize % self.newest.len();
            let newest = &mut self.newest[key];
            if newest.is_some_and(|newest| newest > number) {
                self.disordered.push(number);
            }
            *newest = (*newest).max(Some(number));
        } else if *first == spot.0 || self.twins.insert(spot, number).is_some() {
            self.again += 1;
        }
    }

    /// Whether every partition is read to its end.
    pub(crate) fn has_reached(&self, ends: &[u64]) -> bool {
        self.last.iter().zip(ends).all(|(last, end)| last.map_or(0, |last| last + 1) >= *end)
    }

    /// When the message was handed over first.
    pub(crate) fn time(&self, number: u32) -> Option<u32> {
        known(self.times[number as usize])
    }

    /// Whether the message was handed over from this place.
    pub(crate) fn has_seen(&self, number: u32, spot: Spot) -> bool {
        self.spots[number as usize] == spot.0 || self.twins.get(&spot) == Some(&number)
    }

    /// The places of messages that stand elsewhere too, with their numbers.
    pub(crate) fn twins(&self) -> &BTreeMap<Spot, u32> {
        &self.twins
    }
}

fn known(time: u32) -> Option<u32> {
    (time != NEVER).then_some(time)
}
