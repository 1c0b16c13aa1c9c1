//! What a journal promises, and how large it may become.

use std::time::Duration;

/// When what is accepted is written to the disk, and so what a loss of power may take.
///
/// The end of the process alone, however it ends, takes nothing that was accepted, by any of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Durability {
    /// Before a message is accepted. A loss of power takes nothing. Messages that are accepted at the same time share one
    /// write to the disk.
    #[default]
    Each,
    /// At the latest after this time. A loss of power takes at most what was accepted within it.
    Within(Duration),
    /// When the operating system does it, usually within 30 seconds. A loss of power takes what was accepted since.
    OperatingSystem,
}

impl Durability {
    /// Returns false where nothing is ever synced.
    pub(crate) fn syncs(self) -> bool {
        self != Self::OperatingSystem
    }
}

/// What happens when the journal's bound is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum WhenFull {
    /// A new message waits until others are confirmed.
    #[default]
    Wait,
    /// A new message is refused with an error.
    Refuse,
    /// The oldest messages are dropped, a file of them at a time, and reported as undelivered. One that is on its way to the
    /// broker may arrive all the same.
    DropOldest,
}

/// Settings of a journal.
#[derive(Debug, Clone)]
#[must_use]
pub struct Options {
    pub(crate) durability: Durability,
    pub(crate) when_full: WhenFull,
    pub(crate) max_bytes: u64,
    pub(crate) max_messages: usize,
    pub(crate) segment_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            durability: Durability::default(),
            when_full: WhenFull::default(),
            max_bytes: 1 << 30,
            max_messages: 1_000_000,
            segment_bytes: 16 << 20,
        }
    }
}

impl Options {
    /// Sets when messages are written to the disk; before they are accepted unless set.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Sets what happens when the bound is reached; new messages wait unless set.
    pub fn when_full(mut self, when_full: WhenFull) -> Self {
        self.when_full = when_full;
        self
    }

    /// Bounds the bytes of the journal's files; 1 GiB unless set, and 256 KiB at least.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes.max(256 << 10);
        self
    }

    /// Bounds how many messages wait or are put aside; a million unless set. Each takes about 100 bytes of memory.
    pub fn max_messages(mut self, messages: usize) -> Self {
        self.max_messages = messages.max(1);
        self
    }

    /// Sets the size at which a new file is begun; 16 MiB unless set, and an eighth of the bound at most.
    pub fn segment_bytes(mut self, bytes: u64) -> Self {
        self.segment_bytes = bytes.clamp(16 << 10, 256 << 20);
        self
    }

    pub(crate) fn segment_size(&self) -> u64 {
        self.segment_bytes.min(self.max_bytes / 8)
    }
}
