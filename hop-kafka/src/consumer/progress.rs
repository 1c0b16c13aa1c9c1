//! Which messages of a partition are done, and so how far it may be committed.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A partition for as long as this reader has it and reads it from one place on: a partition that is taken away and given
/// back, or read on from elsewhere, is a new one.
///
/// Every batch of messages knows the one that it was received for. So a message that was received before a change of the
/// group or a seek is recognised after it, and neither handed over nor committed.
#[derive(Debug)]
pub(super) struct Tenure {
    pub(super) topic: Arc<str>,
    pub(super) partition: i32,
    over: AtomicBool,
    /// The offset of the next message to receive; below zero where it is not known.
    position: AtomicI64,
    /// The offset to commit: the one after the last message that is done; below zero where there is none yet.
    next: AtomicI64,
    /// What the worker has stored of it.
    stored: AtomicI64,
    open: Mutex<Open>,
}

/// The messages of a partition that are marked one by one.
#[derive(Debug)]
struct Open {
    /// The offsets of messages that were handed over and are not done.
    working: BTreeSet<i64>,
    /// The highest offset that was handed over or skipped.
    reached: i64,
}

/// How far a partition can be committed after a message was marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marked {
    /// Up to this offset, which is the next one to read.
    UpTo(i64),
    /// An earlier message is not done, and it is the first one of all.
    Blocked,
}

impl Tenure {
    /// The partition as it is read from this offset on, where that is known.
    pub(super) fn new(topic: Arc<str>, partition: i32, start: Option<i64>) -> Arc<Self> {
        Arc::new(Self {
            topic,
            partition,
            over: AtomicBool::new(false),
            position: AtomicI64::new(start.unwrap_or(-1)),
            next: AtomicI64::new(-1),
            stored: AtomicI64::new(-1),
            open: Mutex::new(Open { working: BTreeSet::new(), reached: -1 }),
        })
    }

    /// Ends it: what was received and is not handed over is forgotten.
    pub(super) fn end(&self) {
        self.over.store(true, Ordering::Release);
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// Returns the offset of the next message to receive, where it is known.
    pub(super) fn position(&self) -> Option<i64> {
        Some(self.position.load(Ordering::Relaxed)).filter(|position| *position >= 0)
    }

    /// The worker goes on to this offset; returns where it was to go on, if that is another one.
    pub(super) fn advance_to(&self, offset: i64, next: i64) -> Option<i64> {
        let expected = self.position.swap(next, Ordering::Relaxed);
        (expected >= 0 && expected != offset).then_some(expected)
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All messages up to this one are done. What is done never becomes less.
    pub(super) fn done(&self, offset: i64) -> i64 {
        self.next.fetch_max(offset.saturating_add(1), Ordering::AcqRel).max(offset.saturating_add(1))
    }

    /// Returns true if all messages up to this one are done.
    pub(super) fn is_done(&self, offset: i64) -> bool {
        self.next.load(Ordering::Acquire) > offset
    }

    /// Notes a message that has to be marked by itself.
    pub(super) fn hand_over(&self, offset: i64) {
        let mut open = self.open();
        open.working.insert(offset);
        open.reached = open.reached.max(offset);
    }

    /// Notes a message that nobody has to mark.
    pub(super) fn skip(&self, offset: i64) {
        let mut open = self.open();
        open.reached = open.reached.max(offset);
        self.advance(&open);
    }

    /// Marks one message as done, of those that are marked one by one; `None` if none was handed over yet.
    pub(super) fn mark(&self, offset: i64) -> Option<Marked> {
        let mut open = self.open();
        if open.reached < offset {
            return None;
        }
        open.working.remove(&offset);
        Some(self.advance(&open))
    }

    fn advance(&self, open: &Open) -> Marked {
        let before = match open.working.first() {
            Some(first) => first - 1,
            None => open.reached,
        };
        match before {
            before if before < 0 => Marked::Blocked,
            before => Marked::UpTo(self.done(before)),
        }
    }

    /// Returns the offset to store for the next commit, if it moved since the last call.
    pub(super) fn to_store(&self) -> Option<i64> {
        let next = self.next.load(Ordering::Acquire);
        (self.stored.swap(next, Ordering::AcqRel) < next).then_some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenure() -> Arc<Tenure> {
        Tenure::new("t".into(), 0, None)
    }

    #[test]
    fn the_commit_never_passes_a_message_that_is_not_done() {
        let partition = tenure();
        for offset in [10, 11, 13] {
            partition.hand_over(offset);
        }
        assert_eq!(partition.mark(11), Some(Marked::UpTo(10)));
        partition.skip(14);
        assert_eq!(partition.to_store(), Some(10));
        assert_eq!(partition.mark(10), Some(Marked::UpTo(13)));
        assert_eq!(partition.mark(10), Some(Marked::UpTo(13)), "twice is no harm");
        assert_eq!(partition.mark(13), Some(Marked::UpTo(15)));
        assert_eq!((partition.to_store(), partition.to_store()), (Some(15), None));
        assert_eq!(partition.mark(16), None, "it was not handed over");

        let from_the_first = tenure();
        from_the_first.hand_over(0);
        from_the_first.hand_over(1);
        assert_eq!(from_the_first.mark(1), Some(Marked::Blocked));
        assert_eq!(from_the_first.to_store(), None);
    }

    #[test]
    fn what_is_done_never_becomes_less() {
        let partition = tenure();
        assert_eq!([partition.done(9), partition.done(3)], [10, 10]);
        assert_eq!(partition.to_store(), Some(10));
        partition.done(4);
        assert_eq!(partition.to_store(), None);
    }
}
