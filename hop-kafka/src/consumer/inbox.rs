//! Between the polling thread and the reader: a queue with a bound in messages and in bytes.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use hop_core::Record;

use crate::Error;

/// Beyond either of these the polling thread waits. librdkafka holds as much again in its own queues.
const MOST_MESSAGES: usize = 1_000;
const MOST_BYTES: usize = 32 << 20;

#[derive(Debug)]
pub(super) enum Item {
    Record(Record),
    Failed(Error),
}

impl Item {
    fn bytes(&self) -> usize {
        match self {
            Self::Record(record) => record.content.len(),
            Self::Failed(_) => 0,
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Inbox {
    state: Mutex<State>,
    /// Signalled when something arrives, or the thread ends.
    arrival: Condvar,
    /// Signalled when something is taken, or the reader is gone.
    space: Condvar,
}

#[derive(Debug, Default)]
struct State {
    items: VecDeque<Item>,
    bytes: usize,
    reader: Option<Waker>,
    /// No more will come.
    complete: bool,
    /// How many messages nobody took before the reading was stopped.
    left: usize,
    /// The consumer is closed, and the thread at its end.
    ended: bool,
    /// Nobody will take anything any more.
    abandoned: bool,
}

impl State {
    fn is_full(&self) -> bool {
        !self.abandoned && !self.items.is_empty() && (self.items.len() >= MOST_MESSAGES || self.bytes >= MOST_BYTES)
    }

    fn take(&mut self) -> Option<Item> {
        let item = self.items.pop_front()?;
        self.bytes -= item.bytes();
        Some(item)
    }
}

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        change(&mut state);
        let waker = state.reader.take();
        drop(state);
        self.arrival.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Adds at the end, full or not.
    pub(super) fn put(&self, item: Item) {
        self.change(|state| {
            if !state.abandoned {
                state.bytes += item.bytes();
                state.items.push_back(item);
            }
        });
    }

    /// Waits until there is room, at most so long; whether there is.
    pub(super) fn wait_for_space(&self, timeout: Duration) -> bool {
        let state = self.lock();
        let waited = self.space.wait_timeout_while(state, timeout, |state| state.is_full());
        !waited.unwrap_or_else(PoisonError::into_inner).0.is_full()
    }

    /// Waits until everything is taken, at most so long; whether it is.
    pub(super) fn wait_until_empty(&self, timeout: Duration) -> bool {
        let state = self.lock();
        let waited = self.space.wait_timeout_while(state, timeout, |state| !state.items.is_empty());
        waited.unwrap_or_else(PoisonError::into_inner).0.items.is_empty()
    }

    /// Drops the records that `of` names: whoever has their partition now reads them again.
    pub(super) fn forget(&self, of: impl Fn(&Record) -> bool) {
        let mut state = self.lock();
        state.items.retain(|item| !matches!(item, Item::Record(record) if of(record)));
        state.bytes = state.items.iter().map(Item::bytes).sum();
    }

    /// No more will come.
    pub(super) fn complete(&self) {
        self.change(|state| state.complete = true);
    }

    /// Counts what nobody took, before closing the consumer takes its partitions away.
    pub(super) fn count(&self) {
        self.change(|state| state.left = state.items.len());
    }

    /// The thread has closed the consumer.
    pub(super) fn end(&self) {
        self.change(|state| (state.complete, state.ended) = (true, true));
    }

    /// The reader is gone.
    pub(super) fn abandon(&self) {
        let mut state = self.lock();
        state.abandoned = true;
        state.items.clear();
        state.bytes = 0;
        drop(state);
        self.space.notify_all();
    }

    pub(super) fn poll_take(&self, context: &mut Context<'_>) -> Poll<Option<Item>> {
        let mut state = self.lock();
        if let Some(item) = state.take() {
            drop(state);
            self.space.notify_all();
            return Poll::Ready(Some(item));
        }
        if state.complete {
            return Poll::Ready(None);
        }
        state.reader = Some(context.waker().clone());
        Poll::Pending
    }

    pub(super) fn take_blocking(&self) -> Option<Item> {
        let state = self.lock();
        let waited = self.arrival.wait_while(state, |state| state.items.is_empty() && !state.complete);
        let item = waited.unwrap_or_else(PoisonError::into_inner).take();
        self.space.notify_all();
        item
    }

    /// Ready, with the number of messages left, once the thread has ended.
    pub(super) fn poll_ended(&self, context: &mut Context<'_>) -> Poll<usize> {
        let mut state = self.lock();
        if state.ended {
            return Poll::Ready(state.left);
        }
        state.reader = Some(context.waker().clone());
        Poll::Pending
    }

    pub(super) fn wait_ended(&self) -> usize {
        let state = self.lock();
        let waited = self.arrival.wait_while(state, |state| !state.ended);
        waited.unwrap_or_else(PoisonError::into_inner).left
    }
}
