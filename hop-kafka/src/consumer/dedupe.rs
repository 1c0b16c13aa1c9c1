//! Repeats: messages that come a second time, since their publisher was not sure that they had arrived.

use std::collections::hash_map::RandomState;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, PoisonError};

use hop_core::{Place, Record, header};

use super::Alert;

/// How many messages are remembered unless told otherwise.
const MOST: usize = 100_000;

type Identify = Arc<dyn Fn(&Alert) -> Option<String> + Send + Sync>;

/// How a reader recognises a message that it has handed over already.
///
/// Publishers that lose nothing send a message again when they are not sure that it arrived, as hop's
/// [journal](crate::Publish::journal) and hop-client's `RobustProducer` do: with the same `_id`, at another place. Networks also
/// pass on what they got by several ways, with an `_id` of their own each; what the message says about itself tells then.
///
/// ```
/// use hop_kafka::Dedupe;
///
/// // By `_id`, and by the field `id` of JSON.
/// let dedupe = Dedupe::by_id().or_by(|alert| {
///     let id = &alert.get::<hop_core::JsonBlob>()?.content["id"];
///     Some(format!("json {}", id.as_str()?))
/// });
/// ```
#[derive(Clone)]
#[must_use]
pub struct Dedupe {
    most: usize,
    identify: Option<Identify>,
}

impl fmt::Debug for Dedupe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dedupe").field("most", &self.most).finish_non_exhaustive()
    }
}

impl Dedupe {
    /// Recognises repeats by their `_id`. A message without one of 16 bytes is never a repeat.
    pub fn by_id() -> Self {
        Self { most: MOST, identify: None }
    }

    /// Also recognises repeats by what `identify` returns: an identifier that no other message has, such as an IVORN, or
    /// `None` where the message states none. It is asked of decoded messages only, not by
    /// [`next_record`](crate::Subscription::next_record).
    pub fn or_by(mut self, identify: impl Fn(&Alert) -> Option<String> + Send + Sync + 'static) -> Self {
        self.identify = Some(Arc::new(identify));
        self
    }

    /// Remembers this many identifiers, the latest; 100,000 unless set, which takes some 5 MB. A repeat that comes later than
    /// that is handed over.
    pub fn remember(mut self, most: usize) -> Self {
        self.most = most.max(1);
        self
    }
}

/// What a reader has handed over.
pub(super) struct Seen {
    identify: Option<Identify>,
    memory: Mutex<Memory>,
}

/// Hashes of identifiers, and the place at which each was seen first.
struct Memory {
    most: usize,
    hasher: RandomState,
    places: HashMap<(u64, u64), u64>,
    order: VecDeque<(u64, u64)>,
}

impl Seen {
    pub(super) fn new(dedupe: Dedupe) -> Self {
        let memory =
            Memory { most: dedupe.most, hasher: RandomState::new(), places: HashMap::new(), order: VecDeque::new() };
        Self { identify: dedupe.identify, memory: Mutex::new(memory) }
    }

    /// Returns whether an alert is a repeat; if it is not, its repeats are from now on.
    pub(super) fn is_repeat(&self, alert: &Alert) -> bool {
        let own = self.identify.as_ref().and_then(|identify| identify(alert));
        self.is_known(&alert.record, own.as_deref())
    }

    /// Returns whether a record that is not decoded is a repeat.
    pub(super) fn is_repeat_record(&self, record: &Record) -> bool {
        self.is_known(record, None)
    }

    fn is_known(&self, record: &Record, own: Option<&str>) -> bool {
        let id = record.headers.get(header::ID).filter(|id| id.len() == 16);
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let place = memory
            .hasher
            .hash_one(record.place.as_ref().map(|Place { topic, partition, offset }| (topic, partition, offset)));
        let keys = [id.map(|id| memory.key(0, id)), own.map(|own| memory.key(1, own.as_bytes()))];
        // The same message once more, at its own place, was asked for: by seeking, or since it was not done.
        let is_elsewhere = |key: &(u64, u64)| memory.places.get(key).is_some_and(|known| *known != place);
        let is_repeat = keys.iter().flatten().any(is_elsewhere);
        if !is_repeat {
            keys.into_iter().flatten().for_each(|key| memory.remember(key, place));
        }
        is_repeat
    }
}

impl Memory {
    /// 128 bits of a keyed hash, so that nobody can make two messages that are taken for one.
    fn key(&self, kind: u8, identifier: &[u8]) -> (u64, u64) {
        (self.hasher.hash_one((kind, 0_u8, identifier)), self.hasher.hash_one((kind, 1_u8, identifier)))
    }

    fn remember(&mut self, key: (u64, u64), place: u64) {
        if self.places.insert(key, place).is_some() {
            return;
        }
        self.order.push_back(key);
        if self.order.len() > self.most
            && let Some(oldest) = self.order.pop_front()
        {
            self.places.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: u8, offset: i64) -> Record {
        let place = Place { topic: "t".into(), partition: 0, offset };
        let headers = [("_id", Some([id; 16]))].into_iter().collect();
        Record { headers, place: Some(place), ..Record::default() }
    }

    #[test]
    fn the_same_id_elsewhere_is_a_repeat_and_the_same_place_is_not() {
        let seen = Seen::new(Dedupe::by_id());
        assert!(!seen.is_repeat_record(&record(1, 0)));
        assert!(!seen.is_repeat_record(&record(2, 1)));
        assert!(seen.is_repeat_record(&record(1, 2)));
        assert!(!seen.is_repeat_record(&record(1, 0)), "it is read again where it was");
        let without = Record { headers: [("_id", Some("short"))].into_iter().collect(), ..record(3, 3) };
        assert!(!seen.is_repeat_record(&without));
        assert!(!seen.is_repeat_record(&Record { place: record(3, 4).place, ..without }));
    }

    #[test]
    fn an_identifier_of_its_own_counts_beside_the_id() {
        let seen = Seen::new(Dedupe::by_id().or_by(|_| None));
        assert!(!seen.is_known(&record(1, 0), Some("ivo://a")));
        assert!(seen.is_known(&record(2, 1), Some("ivo://a")));
        assert!(seen.is_known(&record(1, 2), Some("ivo://b")));
        assert!(!seen.is_known(&record(3, 3), Some("ivo://b")));
    }

    #[test]
    fn memory_is_bounded() {
        let seen = Seen::new(Dedupe::by_id().remember(10));
        for offset in 0..200 {
            assert!(!seen.is_repeat_record(&record(offset as u8, offset)));
        }
        let memory = seen.memory.lock().unwrap();
        assert_eq!((memory.places.len(), memory.order.len()), (10, 10));
        drop(memory);
        assert!(seen.is_repeat_record(&record(199, 1000)));
        assert!(!seen.is_repeat_record(&record(1, 1001)), "it was forgotten");
    }
}
