//! Which messages are done with, and so how far a partition may be committed.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hop_core::Place;

/// A topic and a partition.
pub(super) type Partition = (String, i32);

pub(super) fn partition_of(place: &Place) -> Partition {
    (place.topic.to_string(), place.partition)
}

/// What was handed over and is not done with, by partition, so that the commit never passes it.
#[derive(Debug, Default)]
pub(super) struct Done {
    partitions: Mutex<HashMap<Partition, Open>>,
}

#[derive(Debug, Default)]
struct Open {
    /// The offsets of messages that someone works on.
    working: BTreeSet<i64>,
    /// The highest offset that was handed over or skipped.
    reached: i64,
}

impl Open {
    /// The last offset before the first message that someone works on.
    fn safe(&self) -> Option<i64> {
        match self.working.first() {
            Some(first) => first.checked_sub(1).filter(|before| *before >= 0),
            None => Some(self.reached),
        }
    }
}

impl Done {
    fn lock(&self) -> MutexGuard<'_, HashMap<Partition, Open>> {
        self.partitions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Someone works on it from now on.
    pub(super) fn hand_over(&self, place: &Place) {
        let mut partitions = self.lock();
        let open = partitions.entry(partition_of(place)).or_default();
        open.working.insert(place.offset);
        open.reached = open.reached.max(place.offset);
    }

    /// Nobody asked for it; the offset to store, if that moved it.
    pub(super) fn skip(&self, place: &Place) -> Option<i64> {
        let mut partitions = self.lock();
        let open = partitions.entry(partition_of(place)).or_default();
        open.reached = open.reached.max(place.offset);
        open.safe()
    }

    /// It is done with. The outer `None`: it is not a message that was handed over since the partition came here; the
    /// inner one: an earlier message is not done with, and the first of all.
    pub(super) fn finish(&self, place: &Place) -> Option<Option<i64>> {
        let mut partitions = self.lock();
        let open = partitions.get_mut(&partition_of(place))?;
        open.working.remove(&place.offset);
        Some(open.safe())
    }

    /// The partition went away, or is read from elsewhere.
    pub(super) fn forget(&self, partition: &Partition) {
        self.lock().remove(partition);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(offset: i64) -> Place {
        Place { topic: "t".into(), partition: 0, offset }
    }

    #[test]
    fn the_commit_never_passes_a_message_that_is_not_done() {
        let done = Done::default();
        for offset in [10, 11, 13] {
            done.hand_over(&place(offset));
        }
        assert_eq!(done.finish(&place(11)), Some(Some(9)));
        assert_eq!(done.skip(&place(14)), Some(9));
        assert_eq!(done.finish(&place(10)), Some(Some(12)));
        assert_eq!(done.finish(&place(10)), Some(Some(12)), "twice is no harm");
        assert_eq!(done.finish(&place(13)), Some(Some(14)));
        done.hand_over(&place(15));
        done.forget(&partition_of(&place(0)));
        assert_eq!(done.finish(&place(15)), None);
        done.hand_over(&place(0));
        done.hand_over(&place(1));
        assert_eq!(done.finish(&place(1)), Some(None));
    }
}
