//! What a reader or a writer has done so far, in numbers.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a reader has done so far; each number only grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ReadCounters {
    /// Messages received, whether or not they were handed over.
    pub messages: u64,
    /// Bytes of their contents.
    pub bytes: u64,
    /// Messages that were received and filtered out.
    pub skipped: u64,
    /// Messages that did not decode.
    pub undecodable: u64,
    /// Those of them that went to the dead-letter topic.
    pub dead_letters: u64,
    /// Messages that were fetched from the archive in the place of their placeholders.
    pub fetched: u64,
    /// Placeholders whose message could not be fetched.
    pub fetch_failed: u64,
    /// Errors of the connection, those that librdkafka mends by itself included.
    pub errors: u64,
    /// How often the group gave partitions or took them away.
    pub rebalances: u64,
    /// Offsets of messages that were deleted before they were read: at most so many messages.
    pub lost: u64,
}

/// What a writer has done so far; each number only grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct WriteCounters {
    /// Messages that were queued; those that are neither delivered nor failed are still to be sent.
    pub queued: u64,
    /// Messages that the broker confirmed.
    pub delivered: u64,
    /// Bytes of their contents.
    pub bytes: u64,
    /// Messages that were not delivered.
    pub failed: u64,
    /// Messages that were stored in the archive, and replaced by a placeholder.
    pub offloaded: u64,
    /// Errors of the connection, those that librdkafka mends by itself included.
    pub errors: u64,
}

#[derive(Debug, Default)]
pub(crate) struct WriteTally {
    queued: AtomicU64,
    delivered: AtomicU64,
    bytes: AtomicU64,
    failed: AtomicU64,
    offloaded: AtomicU64,
    errors: AtomicU64,
}

impl WriteTally {
    pub(crate) fn offloaded(&self) {
        add(&self.offloaded, 1);
    }

    pub(crate) fn queued(&self) {
        add(&self.queued, 1);
    }

    pub(crate) fn delivered(&self, bytes: usize) {
        add(&self.delivered, 1);
        add(&self.bytes, bytes as u64);
    }

    pub(crate) fn failed(&self) {
        add(&self.failed, 1);
    }

    pub(crate) fn error(&self) {
        add(&self.errors, 1);
    }

    pub(crate) fn read(&self) -> WriteCounters {
        WriteCounters {
            queued: get(&self.queued),
            delivered: get(&self.delivered),
            bytes: get(&self.bytes),
            failed: get(&self.failed),
            offloaded: get(&self.offloaded),
            errors: get(&self.errors),
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Tally {
    messages: AtomicU64,
    bytes: AtomicU64,
    skipped: AtomicU64,
    undecodable: AtomicU64,
    dead_letters: AtomicU64,
    fetched: AtomicU64,
    fetch_failed: AtomicU64,
    errors: AtomicU64,
    rebalances: AtomicU64,
    lost: AtomicU64,
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}

fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

impl Tally {
    pub(crate) fn received(&self, messages: usize, bytes: usize) {
        add(&self.messages, messages as u64);
        add(&self.bytes, bytes as u64);
    }

    pub(crate) fn skipped(&self) {
        add(&self.skipped, 1);
    }

    pub(crate) fn undecodable(&self) {
        add(&self.undecodable, 1);
    }

    pub(crate) fn dead_letter(&self) {
        add(&self.dead_letters, 1);
    }

    pub(crate) fn fetched(&self) {
        add(&self.fetched, 1);
    }

    pub(crate) fn fetch_failed(&self) {
        add(&self.fetch_failed, 1);
    }

    pub(crate) fn error(&self) {
        add(&self.errors, 1);
    }

    pub(crate) fn lost(&self, offsets: u64) {
        add(&self.lost, offsets);
    }

    pub(crate) fn rebalance(&self) {
        add(&self.rebalances, 1);
    }

    pub(crate) fn read(&self) -> ReadCounters {
        ReadCounters {
            messages: get(&self.messages),
            bytes: get(&self.bytes),
            skipped: get(&self.skipped),
            undecodable: get(&self.undecodable),
            dead_letters: get(&self.dead_letters),
            fetched: get(&self.fetched),
            fetch_failed: get(&self.fetch_failed),
            errors: get(&self.errors),
            rebalances: get(&self.rebalances),
            lost: get(&self.lost),
        }
    }
}
