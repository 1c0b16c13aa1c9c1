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
    /// The registry has it, and it is of no use.
    Unusable(Failure),
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
    pub(super) fn get(&mut self, key: &Key) -> Option<Known> {
        match self.known.get(key)? {
            (known, Some(until)) if *until > Instant::now() => Some(known.clone()),
            (known, None) => Some(known.clone()),
            _ => {
                self.known.remove(key);
                None
            }
        }
    }

    pub(super) fn keep(&mut self, key: Key, known: Known, holds: Option<Duration>) {
        let size = known.size();
        if self.known.len() >= MOST || self.bytes + size > MOST_BYTES {
            // Senders can name schemas that do not exist without end.
            let now = Instant::now();
            self.known.retain(|_, (_, until)| until.is_none_or(|until| until > now));
        }
        if self.known.len() >= MOST || self.bytes + size > MOST_BYTES {
            self.known.clear();
            self.bytes = 0;
        }
        self.bytes += size;
        self.known.insert(key, (known, holds.map(|holds| Instant::now() + holds)));
    }
}
