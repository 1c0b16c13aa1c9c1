//! Between the worker and the reader: a queue with a bound in messages and in bytes.
//!
//! Entries are numbered in the order in which they came. A decoding thread takes an entry out, leaves its slot in its
//! place, and puts the result back there: so the order stays, whichever thread is faster.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// Beyond either of these the worker waits. librdkafka fetches as many bytes ahead into its own queues.
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

/// How much an entry counts against the bound.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) messages: usize,
    pub(super) bytes: usize,
}

impl Size {
    /// Takes so many messages off, with their share of the bytes.
    fn split_off(&mut self, messages: usize) -> Self {
        let messages = messages.min(self.messages);
        let part = Self { messages, bytes: self.bytes / self.messages.max(1) * messages };
        self.messages -= part.messages;
        self.bytes -= part.bytes;
        part
    }
}

/// The most entries that decoding threads work on, or have worked on, before the reader takes the first of them.
const DECODED_AHEAD: usize = 16;

#[derive(Debug)]
struct Slot<T> {
    number: u64,
    size: Size,
    /// `None` while a decoding thread has it.
    entry: Option<T>,
}

/// The queue of one subscription.
#[derive(Debug)]
pub(super) struct Queue<T> {
    bound: Bound,
    state: Mutex<State<T>>,
    /// Signalled when something arrives that a decoding thread may take, or the worker ends.
    arrival: Condvar,
    /// Signalled when space becomes free, or the reader is gone.
    space: Condvar,
    /// How many messages of the entries that the reader has were handed over.
    walked: AtomicUsize,
}

#[derive(Debug)]
struct State<T> {
    slots: VecDeque<Slot<T>>,
    /// The number of the next slot.
    next: u64,
    /// The number of the first slot that no decoding thread has looked at.
    untouched: u64,
    /// Everything in the slots, and the entries that the reader has.
    total: Size,
    reader: Option<Waker>,
    /// Whether a thread waits on `space`; whether any waits on `arrival`.
    waits_for_space: bool,
    decoders_waiting: usize,
    /// No more will come.
    complete: bool,
    /// Messages that were not handed over when the reading ended.
    left: usize,
    /// The consumer is closed, and the worker at its end.
    ended: bool,
    /// The reader is gone.
    abandoned: bool,
}

impl<T> Default for State<T> {
    fn default() -> Self {
        Self {
            slots: VecDeque::new(),
            next: 0,
            untouched: 0,
            total: Size::default(),
            reader: None,
            waits_for_space: false,
            decoders_waiting: 0,
            complete: false,
            left: 0,
            ended: false,
            abandoned: false,
        }
    }
}

impl<T> State<T> {
    fn space(&self, bound: Bound) -> Size {
        if self.abandoned {
            return Size { messages: usize::MAX, bytes: usize::MAX };
        }
        if self.total.messages == 0 {
            // One message is always taken, however large.
            return Size { messages: bound.messages.max(1), bytes: bound.bytes.max(1) };
        }
        Size {
            messages: bound.messages.saturating_sub(self.total.messages),
            bytes: bound.bytes.saturating_sub(self.total.bytes),
        }
    }

    fn has_space(&self, bound: Bound) -> bool {
        let space = self.space(bound);
        space.messages > 0 && space.bytes > 0
    }

    /// Whether it is worth waking the worker: so much is free, or the reader waits for more.
    fn has_much_space(&self, bound: Bound) -> bool {
        let is_half = self.total.messages <= bound.messages / 2 && self.total.bytes <= bound.bytes / 2;
        self.abandoned || is_half || (self.reader.is_some() && self.has_space(bound))
    }

    fn subtract(&mut self, size: Size) {
        self.total.messages = self.total.messages.saturating_sub(size.messages);
        self.total.bytes = self.total.bytes.saturating_sub(size.bytes);
    }

    fn position(&self, number: u64) -> usize {
        self.slots.partition_point(|slot| slot.number < number)
    }

    /// Returns the slot whose entry a decoding thread has, and where it is: the last of its number, after the parts.
    fn worked_on(&mut self, number: u64) -> Option<(usize, &mut Slot<T>)> {
        let at = self.slots.partition_point(|slot| slot.number <= number).checked_sub(1)?;
        self.slots.get_mut(at).filter(|slot| slot.number == number && slot.entry.is_none()).map(|slot| (at, slot))
    }
}

impl<T> Queue<T> {
    pub(super) fn new(bound: Bound) -> Self {
        Self {
            bound,
            state: Mutex::default(),
            arrival: Condvar::new(),
            space: Condvar::new(),
            walked: AtomicUsize::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, and wakes only those who wait for the change.
    fn change<R>(&self, change: impl FnOnce(&mut State<T>) -> R) -> R {
        let mut state = self.lock();
        let out = change(&mut state);
        let reader = state.reader.take();
        let (decoders, space) = (state.decoders_waiting > 0, state.waits_for_space);
        drop(state);
        if decoders {
            self.arrival.notify_all();
        }
        if space {
            self.space.notify_all();
        }
        if let Some(reader) = reader {
            reader.wake();
        }
        out
    }

    /// Adds entries at the end.
    pub(super) fn put(&self, entries: impl IntoIterator<Item = (T, Size)>) {
        self.change(|state| {
            if state.abandoned {
                return;
            }
            for (entry, size) in entries {
                state.total.messages += size.messages;
                state.total.bytes += size.bytes;
                let number = state.next;
                state.next += 1;
                state.slots.push_back(Slot { number, size, entry: Some(entry) });
            }
        });
    }

    /// Returns how much more the queue takes now.
    pub(super) fn space(&self) -> Size {
        self.lock().space(self.bound)
    }

    /// Waits on the worker's side until `fits`, at most for this time; returns whether it does.
    fn wait(&self, timeout: Duration, fits: impl Fn(&State<T>) -> bool) -> bool {
        let mut state = self.lock();
        if timeout.is_zero() || fits(&state) {
            return fits(&state);
        }
        state.waits_for_space = true;
        let waited = self.space.wait_timeout_while(state, timeout, |state| !fits(state));
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        state.waits_for_space = false;
        fits(&state)
    }

    /// Where the queue is full, waits until half of it is free, at most for this time; returns whether there is space.
    pub(super) fn wait_for_space(&self, timeout: Duration) -> bool {
        if self.lock().has_space(self.bound) {
            return true;
        }
        self.wait(timeout, |state| state.has_much_space(self.bound)) || self.lock().has_space(self.bound)
    }

    /// Waits until everything is handed over, at most for this time; returns whether it is.
    pub(super) fn wait_until_empty(&self, timeout: Duration) -> bool {
        self.wait(timeout, |state| state.total.messages == 0 && state.slots.is_empty())
    }

    /// Wakes the reader and everybody else who waits here, so that they look at what changed elsewhere.
    pub(super) fn wake_all(&self) {
        self.change(|_| ());
    }

    /// Drops the entries that `discarded` names. Entries that a decoding thread has at the moment stay.
    pub(super) fn discard(&self, discarded: impl Fn(&T) -> bool) {
        self.change(|state| {
            let mut freed = Size::default();
            state.slots.retain(|slot| {
                let gone = slot.entry.as_ref().is_some_and(&discarded);
                if gone {
                    freed.messages += slot.size.messages;
                    freed.bytes += slot.size.bytes;
                }
                !gone
            });
            state.subtract(freed);
        });
    }

    /// No more will come.
    pub(super) fn complete(&self) {
        self.change(|state| state.complete = true);
    }

    /// Counts the messages that were not handed over, before closing the consumer takes its partitions away.
    pub(super) fn count_left(&self) {
        let waiting = self.waiting();
        self.change(|state| state.left = waiting);
    }

    /// The worker has closed the consumer.
    pub(super) fn end(&self) {
        self.change(|state| (state.complete, state.ended) = (true, true));
    }

    /// The reader is gone.
    pub(super) fn abandon(&self) {
        self.change(|state| {
            state.abandoned = true;
            state.slots.clear();
            state.total = Size::default();
        });
    }

    /// Returns true if the reader has taken everything, and no more will come.
    pub(super) fn is_taken(&self) -> bool {
        let state = self.lock();
        state.complete && state.slots.is_empty()
    }

    /// Returns how many messages wait to be handed over.
    pub(super) fn waiting(&self) -> usize {
        let total = self.lock().total.messages;
        total.saturating_sub(self.walked.load(Ordering::Relaxed))
    }

    /// Notes how many messages of the entries that it has the reader has handed over.
    pub(super) fn walked(&self, messages: usize) {
        self.walked.store(messages, Ordering::Relaxed);
    }

    /// The reader has walked through an entry of this size; of those that it still has, so many messages were handed over.
    pub(super) fn release(&self, size: Size, walked: usize) {
        let mut state = self.lock();
        self.walked.store(walked, Ordering::Relaxed);
        state.subtract(size);
        if state.waits_for_space {
            drop(state);
            self.space.notify_all();
        }
    }

    /// Takes the first entry, unless a decoding thread still has it; ready with `None` at the end. It counts until it is
    /// [released](Self::release).
    pub(super) fn poll_take(&self, context: &mut Context<'_>) -> Poll<Option<(T, Size)>> {
        let mut state = self.lock();
        if let Some(entry) = state.slots.front_mut().and_then(|slot| slot.entry.take()) {
            let mut size = Size::default();
            if let Some(slot) = state.slots.pop_front() {
                state.untouched = state.untouched.max(slot.number + 1);
                size = slot.size;
            }
            let may_work = state.decoders_waiting > 0;
            drop(state);
            if may_work {
                self.arrival.notify_all();
            }
            return Poll::Ready(Some((entry, size)));
        }
        if state.complete && state.slots.is_empty() {
            return Poll::Ready(None);
        }
        self.note_waiting(state, context);
        Poll::Pending
    }

    /// The reader waits from now on.
    fn note_waiting(&self, mut state: MutexGuard<'_, State<T>>, context: &Context<'_>) {
        match &mut state.reader {
            Some(waker) if waker.will_wake(context.waker()) => {}
            reader => *reader = Some(context.waker().clone()),
        }
        if state.waits_for_space {
            drop(state);
            self.space.notify_all();
        }
    }

    /// Registers the reader to be woken by the next change.
    pub(super) fn register(&self, context: &mut Context<'_>) {
        self.note_waiting(self.lock(), context);
    }

    /// Ready once the first entry can be taken, or no more will come.
    pub(super) fn poll_first(&self, context: &mut Context<'_>) -> Poll<()> {
        let state = self.lock();
        let is_there = state.slots.front().is_some_and(|slot| slot.entry.is_some());
        if is_there || (state.complete && state.slots.is_empty()) {
            return Poll::Ready(());
        }
        self.note_waiting(state, context);
        Poll::Pending
    }

    /// Ready once so many messages wait, the queue is full, or no more will come.
    pub(super) fn poll_gathered(&self, context: &mut Context<'_>, most: usize) -> Poll<()> {
        let state = self.lock();
        let waiting = state.total.messages.saturating_sub(self.walked.load(Ordering::Relaxed));
        if state.complete || waiting >= most || !state.has_space(self.bound) {
            return Poll::Ready(());
        }
        // An error is an entry without a message, and is not waited with.
        if state.slots.iter().any(|slot| slot.size.messages == 0) {
            return Poll::Ready(());
        }
        self.note_waiting(state, context);
        Poll::Pending
    }

    /// Works on the entries, in any order, until the queue ends: the whole life of a decoding thread.
    ///
    /// `work` is given a function that hands over so many messages of an entry before it is done with the rest.
    pub(super) fn work(&self, over: impl Fn() -> bool, work: impl Fn(T, &dyn Fn(T, usize)) -> T) {
        while let Some((number, entry)) = self.take_to_work(&over) {
            let entry = work(entry, &|part, messages| self.give_part(number, part, messages));
            self.give_back(number, entry);
        }
    }

    fn take_to_work(&self, over: impl Fn() -> bool) -> Option<(u64, T)> {
        let mut state = self.lock();
        loop {
            if state.ended || state.abandoned || over() {
                return None;
            }
            let at = state.position(state.untouched);
            // What is decoded may be far larger than what was received, which the bound counts.
            if at < DECODED_AHEAD
                && let Some(slot) = state.slots.get_mut(at)
            {
                let (number, entry) = (slot.number, slot.entry.take());
                state.untouched = number + 1;
                match entry {
                    Some(entry) => return Some((number, entry)),
                    None => continue,
                }
            }
            if state.complete && state.slots.is_empty() {
                return None;
            }
            state.decoders_waiting += 1;
            state = self.arrival.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.decoders_waiting -= 1;
        }
    }

    fn give_back(&self, number: u64, entry: T) {
        self.change(|state| {
            if let Some((_, slot)) = state.worked_on(number) {
                slot.entry = Some(entry);
            }
        });
    }

    /// Puts a part of an entry that is worked on before the rest of it.
    fn give_part(&self, number: u64, part: T, messages: usize) {
        self.change(|state| {
            if let Some((at, slot)) = state.worked_on(number) {
                let size = slot.size.split_off(messages);
                state.slots.insert(at, Slot { number, size, entry: Some(part) });
            }
        });
    }

    /// Ready, with the number of messages left, once the worker has ended.
    pub(super) fn poll_ended(&self, context: &mut Context<'_>) -> Poll<usize> {
        let state = self.lock();
        if state.ended {
            return Poll::Ready(state.left);
        }
        self.note_waiting(state, context);
        Poll::Pending
    }
}
