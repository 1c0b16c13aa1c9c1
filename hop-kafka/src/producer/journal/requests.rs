//! The requests to the thread that has the journal, and the messages that it has on their way to the broker.

use std::collections::HashMap;

use hop_journal::Entry;
use tokio::sync::oneshot;

use super::super::delivery::{Callback, Delivery, DeliveryResult};
use crate::Error;

/// How much may be on its way at a time: messages, and bytes of them.
const MAX_MESSAGES: usize = 10_000;
const MAX_BYTES: usize = 32 << 20;

/// A request to the thread that has the journal.
pub(super) enum Request {
    Accept(Accepting),
    Report(Report),
    RetryRefused(oneshot::Sender<Result<usize, Error>>),
    End,
}

/// A message to accept.
pub(super) struct Accepting {
    pub(super) entry: Entry,
    pub(super) callback: Option<Callback>,
    pub(super) reply: oneshot::Sender<Result<Delivery, Error>>,
}

/// The result of one attempt to send a message.
pub(super) struct Report {
    pub(super) number: u64,
    pub(super) result: DeliveryResult,
    /// The result is of this message, not of a batch in which it was.
    pub(super) is_own: bool,
}

/// What is on its way.
#[derive(Debug, Default)]
pub(super) struct OnItsWay {
    pub(super) sizes: HashMap<u64, usize>,
    bytes: usize,
}

impl OnItsWay {
    pub(super) fn has_room(&self) -> bool {
        self.sizes.len() < MAX_MESSAGES && self.bytes < MAX_BYTES
    }

    pub(super) fn add(&mut self, number: u64, size: usize) {
        self.bytes += size;
        self.sizes.insert(number, size);
    }

    pub(super) fn remove(&mut self, number: u64) {
        self.bytes -= self.sizes.remove(&number).unwrap_or_default();
    }
}
