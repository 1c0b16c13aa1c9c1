//! Failed messages that nobody has been informed of yet.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Undelivered};

/// How many failures may accumulate before the next write returns them: messages, or bytes of content.
const MAX_MESSAGES: usize = 10_000;
const MAX_BYTES: usize = 64 << 20;

/// Failed messages by their number, until they are returned to the program.
#[derive(Debug, Default)]
pub(super) struct UnreportedFailures(Mutex<List>);

#[derive(Debug, Default)]
struct List {
    messages: BTreeMap<u64, Undelivered>,
    bytes: usize,
}

impl List {
    fn take(&mut self) -> Vec<Undelivered> {
        self.bytes = 0;
        std::mem::take(&mut self.messages).into_values().collect()
    }
}

impl UnreportedFailures {
    fn lock(&self) -> MutexGuard<'_, List> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, number: u64, undelivered: Undelivered) {
        let mut list = self.lock();
        list.bytes += size(&undelivered);
        list.messages.insert(number, undelivered);
    }

    /// Removes a failure that was returned in another way.
    pub(super) fn acknowledge(&self, number: u64) {
        let mut list = self.lock();
        if let Some(undelivered) = list.messages.remove(&number) {
            list.bytes -= size(&undelivered);
        }
    }

    pub(super) fn take(&self) -> Vec<Undelivered> {
        self.lock().take()
    }

    /// Takes them if there are so many that nothing more should be written before the program has seen them.
    pub(super) fn take_if_too_many(&self) -> Option<Vec<Undelivered>> {
        let mut list = self.lock();
        (list.messages.len() >= MAX_MESSAGES || list.bytes >= MAX_BYTES).then(|| list.take())
    }

    /// Takes them as an error, if there are any.
    pub(super) fn report(&self) -> Result<(), Error> {
        let undelivered = self.take();
        if undelivered.is_empty() { Ok(()) } else { Err(Error::undelivered_messages(undelivered)) }
    }
}

fn size(undelivered: &Undelivered) -> usize {
    undelivered.message.content.len()
}
