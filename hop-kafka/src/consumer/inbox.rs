//! Between the polling thread and the reader: a queue with a bound in messages and in bytes.
//!
//! Entries are numbered in the order in which they came. A decoding worker takes a record out, leaves the entry in its
//! place, and puts what became of it back there: so the order is kept, whoever decodes.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use hop_core::{Place, Record};

use super::open::Opened;
use crate::Error;

/// Beyond either of these the polling thread waits. librdkafka holds as much again in its own queues.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    pub(super) messages: usize,
    pub(super) bytes: usize,
}

impl Default for Bound {
    fn default() -> Self {
        Self { messages: 1_000, bytes: 32 << 20 }
    }
}

#[derive(Debug)]
pub(super) enum Item {
    /// As it was received.
    Record(Record),
    /// Opened by a worker.
    Opened(Opened),
    /// Reading met an error.
    Failed(Error),
}

#[derive(Debug)]
struct Entry {
    number: u64,
    place: Option<Place>,
    bytes: usize,
    /// `None` while a worker has it.
    item: Option<Item>,
}

#[derive(Debug, Default)]
pub(super) struct Inbox {
    bound: Bound,
    state: Mutex<State>,
    /// Signalled when something arrives, or the thread ends.
    arrival: Condvar,
    /// Signalled when something is taken, or the reader is gone.
    space: Condvar,
}

#[derive(Debug, Default)]
struct State {
    entries: VecDeque<Entry>,
    /// The number of the next entry.
    next: u64,
    /// The number of the first entry that no worker has looked at.
    undecoded: u64,
    bytes: usize,
    reader: Option<Waker>,
    /// Nothing is handed over until further notice.
    paused: bool,
    /// No more will be handed over, whatever there is.
    stopped: bool,
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
    fn has_space(&self, bound: Bound) -> bool {
        self.abandoned
            || (!self.paused
                && (self.entries.is_empty() || (self.entries.len() < bound.messages && self.bytes < bound.bytes)))
    }

    fn is_over(&self) -> bool {
        self.stopped || (self.complete && self.entries.is_empty())
    }

    /// The first entry, unless a worker still has it.
    fn take(&mut self) -> Option<Item> {
        if self.paused || self.stopped {
            return None;
        }
        let item = self.entries.front_mut()?.item.take()?;
        if let Some(entry) = self.entries.pop_front() {
            self.bytes -= entry.bytes;
            self.undecoded = self.undecoded.max(entry.number + 1);
        }
        Some(item)
    }

    fn position(&self, number: u64) -> usize {
        self.entries.partition_point(|entry| entry.number < number)
    }
}

/// What a record takes up here, roughly: its bytes, and what stands around them.
fn size(record: &Record) -> usize {
    const AROUND: usize = 200;
    let headers = record.headers.iter().map(|header| header.name.len() + header.value.as_ref().map_or(0, |v| v.len()));
    AROUND + record.content.len() + record.key.as_ref().map_or(0, |key| key.len()) + headers.sum::<usize>()
}

impl Inbox {
    pub(super) fn new(bound: Bound) -> Self {
        Self { bound, ..Self::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes something that the reader or a worker may be waiting for.
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let out = change(&mut state);
        let waker = state.reader.take();
        drop(state);
        self.arrival.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
        out
    }

    pub(super) fn put(&self, item: Item) {
        self.change(|state| {
            if state.abandoned {
                return;
            }
            let (place, bytes) = match &item {
                Item::Record(record) => (record.place.clone(), size(record)),
                Item::Opened(_) | Item::Failed(_) => (None, 0),
            };
            state.bytes += bytes;
            let number = state.next;
            state.next += 1;
            state.entries.push_back(Entry { number, place, bytes, item: Some(item) });
        });
    }

    /// Waits until there is room and nothing is paused, at most so long; whether it is so.
    pub(super) fn wait_for_space(&self, timeout: Duration) -> bool {
        let state = self.lock();
        let waited = self.space.wait_timeout_while(state, timeout, |state| !state.has_space(self.bound));
        waited.unwrap_or_else(PoisonError::into_inner).0.has_space(self.bound)
    }

    /// Waits until everything is taken, at most so long; whether it is.
    pub(super) fn wait_until_empty(&self, timeout: Duration) -> bool {
        let state = self.lock();
        let waited = self.space.wait_timeout_while(state, timeout, |state| !state.entries.is_empty());
        waited.unwrap_or_else(PoisonError::into_inner).0.entries.is_empty()
    }

    /// Whether the user paused the reading.
    pub(super) fn is_paused(&self) -> bool {
        self.lock().paused
    }

    /// Hands nothing over, or goes on.
    pub(super) fn pause(&self, paused: bool) {
        self.change(|state| state.paused = paused);
        self.space.notify_all();
    }

    /// Whether the user stopped the reading.
    pub(super) fn is_stopped(&self) -> bool {
        self.lock().stopped
    }

    /// Hands nothing over any more; what there is stays for the count.
    pub(super) fn stop(&self) {
        self.change(|state| state.stopped = true);
        self.space.notify_all();
    }

    /// Drops the messages from the places that `of` names: whoever has their partition now reads them again.
    pub(super) fn forget(&self, of: impl Fn(&Place) -> bool) {
        self.change(|state| {
            state.entries.retain(|entry| !entry.place.as_ref().is_some_and(&of));
            state.bytes = state.entries.iter().map(|entry| entry.bytes).sum();
        });
        self.space.notify_all();
    }

    /// No more will come.
    pub(super) fn complete(&self) {
        self.change(|state| state.complete = true);
    }

    /// How many messages wait here.
    pub(super) fn waiting(&self) -> usize {
        self.lock().entries.len()
    }

    /// Counts what nobody took, before closing the consumer takes its partitions away.
    pub(super) fn count(&self) {
        self.change(|state| state.left = state.entries.len());
    }

    /// The thread has closed the consumer.
    pub(super) fn end(&self) {
        self.change(|state| (state.complete, state.ended) = (true, true));
    }

    /// The reader is gone.
    pub(super) fn abandon(&self) {
        self.change(|state| {
            state.abandoned = true;
            state.entries.clear();
            state.bytes = 0;
        });
        self.space.notify_all();
    }

    pub(super) fn poll_take(&self, context: &mut Context<'_>) -> Poll<Option<Item>> {
        let mut state = self.lock();
        if let Some(item) = state.take() {
            drop(state);
            self.space.notify_all();
            return Poll::Ready(Some(item));
        }
        if state.is_over() {
            return Poll::Ready(None);
        }
        state.reader = Some(context.waker().clone());
        Poll::Pending
    }

    /// Ready once so many messages wait, or no more can be waited for.
    pub(super) fn poll_gathered(&self, context: &mut Context<'_>, most: usize) -> Poll<()> {
        let mut state = self.lock();
        if state.is_over() || state.complete || (!state.paused && state.entries.len() >= most) {
            return Poll::Ready(());
        }
        if !state.paused && !state.has_space(self.bound) {
            return Poll::Ready(());
        }
        state.reader = Some(context.waker().clone());
        Poll::Pending
    }

    /// For a worker: the first record that none has looked at, and the number to give it back under; `None` at the end.
    fn take_to_open(&self) -> Option<(u64, Record)> {
        let mut state = self.lock();
        loop {
            if state.ended || state.abandoned || state.stopped {
                return None;
            }
            let mut at = state.position(state.undecoded);
            while let Some(entry) = state.entries.get_mut(at) {
                let number = entry.number;
                let taken = match entry.item.take() {
                    Some(Item::Record(record)) => Some(record),
                    other => {
                        entry.item = other;
                        None
                    }
                };
                state.undecoded = number + 1;
                if let Some(record) = taken {
                    return Some((number, record));
                }
                at += 1;
            }
            if state.complete && state.entries.is_empty() {
                return None;
            }
            state = self.arrival.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// What became of the record with this number, unless it was forgotten meanwhile.
    fn give_back(&self, number: u64, item: Item) {
        self.change(|state| {
            let at = state.position(number);
            if let Some(entry) = state.entries.get_mut(at)
                && entry.number == number
            {
                entry.item = Some(item);
            }
        });
    }

    /// A worker's whole life: opens records, in any order, until the inbox ends.
    pub(super) fn work(self: &Arc<Self>, open: impl Fn(Record) -> Opened) {
        /// Gives back what a panic in a model would keep for ever.
        struct Hold<'a> {
            inbox: &'a Inbox,
            number: u64,
            record: Option<Record>,
        }
        impl Drop for Hold<'_> {
            fn drop(&mut self) {
                if let Some(record) = self.record.take() {
                    self.inbox.give_back(self.number, Item::Opened(Opened::panicked(record)));
                }
            }
        }
        while let Some((number, record)) = self.take_to_open() {
            let mut hold = Hold { inbox: self, number, record: Some(record.clone()) };
            let opened = open(record);
            hold.record = None;
            self.give_back(number, Item::Opened(opened));
        }
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

    /// Waits for the thread's end, at most so long; the number of messages left, if it came.
    pub(super) fn wait_ended(&self, timeout: Duration) -> Option<usize> {
        let state = self.lock();
        let waited = self.arrival.wait_timeout_while(state, timeout, |state| !state.ended);
        let state = waited.unwrap_or_else(PoisonError::into_inner).0;
        state.ended.then_some(state.left)
    }
}
