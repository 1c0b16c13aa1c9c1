//! What a registry has answered.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hop_core::SchemaText;

use super::{Failure, Key};

/// How many answers are kept, and how many bytes of schemas.
const MOST: usize = 10_000;
const MOST_BYTES: usize = 64 << 20;

/// What is known of one thing that was asked for.
#[derive(Debug, Clone)]
pub(super) enum Known {
    Schema(Arc<SchemaText>),
    Number(u32),
    /// The registry does not have it.
    Lacking,
    /// The registry does not give it, or it is of no use.
    Unusable(Failure),
    /// The registry did not answer in time, so many times in a row.
    Late(Failure, u32),
}

impl Known {
    fn size(&self) -> usize {
        match self {
            Self::Schema(text) => text.text.len() + text.references.iter().map(|text| text.len()).sum::<usize>(),
            _ => 0,
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Cache {
    /// With the time until which it holds; for ever if there is none.
    known: HashMap<Key, (Known, Option<Instant>)>,
    bytes: usize,
}

impl Cache {
    pub(super) fn get(&self, key: &Key) -> Option<Known> {
        match self.known.get(key)? {
            (known, Some(until)) if *until > Instant::now() => Some(known.clone()),
            (known, None) => Some(known.clone()),
            _ => None,
        }
    }

    /// Returns how many times in a row the registry did not answer in time for it.
    pub(super) fn late(&self, key: &Key) -> u32 {
        match self.known.get(key) {
            Some((Known::Late(_, times), _)) => *times,
            _ => 0,
        }
    }

    fn remove(&mut self, key: &Key) {
        if let Some((known, _)) = self.known.remove(key) {
            self.bytes -= key.size() + known.size();
        }
    }

    pub(super) fn keep(&mut self, key: Key, known: Known, holds: Option<Duration>) {
        let size = key.size() + known.size();
        self.remove(&key);
        if self.known.len() >= MOST || self.bytes + size > MOST_BYTES {
            // Senders can name schemas that do not exist without end.
            let now = Instant::now();
            self.known.retain(|_, (_, until)| until.is_none_or(|until| until > now));
            self.bytes = self.known.iter().map(|(key, (known, _))| key.size() + known.size()).sum();
        }
        if self.known.len() >= MOST || self.bytes + size > MOST_BYTES {
            self.known.clear();
            self.bytes = 0;
        }
        self.bytes += size;
        self.known.insert(key, (known, holds.map(|holds| Instant::now() + holds)));
    }
}

#[cfg(test)]
mod tests {
    use hop_core::SchemaId;

    use super::*;

    #[test]
    fn what_is_kept_is_bounded_in_number_and_bytes_and_counted_once() {
        let mut cache = Cache::default();
        let schema = |bytes: usize| Known::Schema(Arc::new(SchemaText::avro("x".repeat(bytes))));
        let key = |number: u32| Key::Schema(SchemaId::Number(number));
        for number in 0..100 {
            cache.keep(key(number % 2), schema(1 << 20), None);
        }
        assert_eq!(cache.bytes, 2 << 20);
        for number in 0..200 {
            cache.keep(key(number), schema(1 << 20), None);
            assert!(cache.bytes <= MOST_BYTES && cache.get(&key(number)).is_some());
        }
        // What no longer holds makes room.
        let mut cache = Cache::default();
        cache.keep(key(1), schema(MOST_BYTES / 2), Some(Duration::ZERO));
        cache.keep(key(2), schema(MOST_BYTES / 2), None);
        cache.keep(key(3), schema(MOST_BYTES / 2), None);
        assert!(cache.get(&key(2)).is_some() && cache.get(&key(3)).is_some());
        for number in 0..30_000 {
            cache.keep(key(number), Known::Lacking, Some(Duration::from_secs(30)));
        }
        assert!(cache.known.len() <= MOST);
    }
}
