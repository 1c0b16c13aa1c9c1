//! The search for the end of a batch that librdkafka cannot unpack.
//!
//! librdkafka says at which offset such a batch begins, but not where it ends, and meets the same batch again from every
//! offset in it. So reading is tried from later offsets: in steps that double until one is beyond the batch, then halfway
//! between. Nothing readable is passed, since an offset counts as part of the batch only where the very same batch is met.

use std::sync::Arc;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::progress::Tenure;

/// Returns true for errors that librdkafka meets again whenever it reads from the same offset.
pub(super) fn is_unreadable(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::{
        BadCompression, BadMessage, CriticalSystemResource, InvalidMessage, MessageSizeTooLarge, NotImplemented,
    };
    matches!(
        error.rdkafka_error_code(),
        Some(
            BadCompression
                | BadMessage
                | CriticalSystemResource
                | InvalidMessage
                | MessageSizeTooLarge
                | NotImplemented
        )
    )
}

/// What reading from the offset tried last came to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Met {
    /// A batch that cannot be unpacked, which begins at this offset.
    Unreadable(i64),
    /// A message, or the end of the partition.
    Readable,
}

/// How the search goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Reading is to be tried from this offset.
    Try(i64),
    /// The batch ends before this offset, which is also the one tried last.
    Beyond(i64),
}

/// The search for the end of one batch.
#[derive(Debug)]
pub(super) struct Search {
    /// The partition as it was read when the batch was met.
    pub(super) tenure: Arc<Tenure>,
    /// The first offset that was not read.
    pub(super) from: i64,
    /// Why librdkafka cannot unpack the batch.
    pub(super) reason: String,
    /// Where the batch begins: at `from`, or before it.
    base: i64,
    /// The last offset known to be in the batch.
    inside: i64,
    /// The first offset known to be beyond it.
    beyond: Option<i64>,
    tried: i64,
    step: i64,
}

impl Search {
    /// A batch that begins at `base` was met when `from` was the offset to read.
    pub(super) fn new(tenure: Arc<Tenure>, base: i64, from: i64, reason: String) -> Self {
        let from = from.max(base);
        Self { tenure, from, reason, base, inside: from, beyond: None, tried: from, step: 1 }
    }

    /// Returns the next offset to try: at most `end`, where the partition ends.
    pub(super) fn next(&mut self, met: Met, end: i64) -> Step {
        match met {
            Met::Unreadable(base) if base == self.base => self.inside = self.inside.max(self.tried),
            // What lies between the two batches may be readable.
            Met::Unreadable(base) if base > self.inside => self.note_beyond(base.min(self.tried)),
            Met::Unreadable(_) | Met::Readable => self.note_beyond(self.tried),
        }
        let next = match self.beyond {
            Some(beyond) if beyond <= self.inside + 1 && self.tried == beyond => return Step::Beyond(beyond),
            Some(beyond) => (self.inside + (beyond - self.inside) / 2).max(self.inside + 1),
            None => {
                let next = self.inside.saturating_add(self.step).min(end.max(self.inside + 1));
                self.step = self.step.saturating_mul(2);
                next
            }
        };
        self.tried = next;
        Step::Try(next)
    }

    fn note_beyond(&mut self, offset: i64) {
        self.beyond = Some(self.beyond.map_or(offset, |beyond| beyond.min(offset)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Searches a partition of `end` messages with unreadable batches there; returns where reading goes on, and the tries.
    fn search(batches: &[(i64, i64)], at: i64, end: i64) -> (i64, usize) {
        let met = |offset: i64| {
            // A batch is met from the gap before it, too, but here there are none.
            let batch = batches.iter().find(|(start, end)| (*start..*end).contains(&offset));
            batch.map_or(Met::Readable, |(start, _)| Met::Unreadable(*start))
        };
        let Met::Unreadable(base) = met(at) else { panic!("{at} is readable") };
        let mut search = Search::new(Tenure::new("t".into(), 0, Some(at)), base, at, String::new());
        let mut seen = Met::Unreadable(base);
        for tries in 0..200 {
            match search.next(seen, end) {
                Step::Try(offset) => {
                    assert!(offset <= end, "the broker would begin anew");
                    seen = met(offset);
                }
                Step::Beyond(offset) => return (offset, tries),
            }
        }
        panic!("no end");
    }

    #[test]
    fn the_end_of_a_batch_is_found_exactly() {
        for length in 1..70 {
            for (start, rest) in [(0, 0), (0, 1), (5, 3), (5, 1000)] {
                let end = start + length + rest;
                let (beyond, tries) = search(&[(start, start + length)], start, end);
                assert_eq!(beyond, start + length, "{length} messages from {start} of {end}");
                assert!(tries < 20, "{tries} tries for {length}");
            }
        }
        assert_eq!(search(&[(10, 500_010)], 10, 600_000).0, 500_010);
        assert_eq!(search(&[(10, 500_010)], 300_000, 600_000).0, 500_010, "from the middle of it");
    }

    #[test]
    fn what_is_readable_between_two_batches_is_not_passed() {
        for gap in 0..10 {
            for second in 1..40 {
                let (beyond, _) = search(&[(3, 20), (20 + gap, 20 + gap + second)], 3, 100);
                assert_eq!(beyond, 20, "gap {gap}, second {second}");
            }
        }
    }
}
