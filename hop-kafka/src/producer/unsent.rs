//! How many messages are queued or on their way, and who waits for them to leave.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::blocking::poll_own;

/// The count of unsent messages. A message costs two additions; only while someone waits does it cost more.
#[derive(Debug)]
pub(super) struct Unsent {
    count: AtomicUsize,
    /// The highest count at which a waiter wakes.
    wake_at: AtomicUsize,
    waiters: Mutex<Waiters>,
}

/// In place of a count, while nobody waits.
const NOBODY: usize = usize::MAX;

#[derive(Debug, Default)]
struct Waiters {
    next: u64,
    waiting: Vec<Waiter>,
}

#[derive(Debug)]
struct Waiter {
    id: u64,
    /// Wakes when no more messages than this are unsent.
    at_most: usize,
    waker: Waker,
}

impl Default for Unsent {
    fn default() -> Self {
        Self { count: AtomicUsize::new(0), wake_at: AtomicUsize::new(NOBODY), waiters: Mutex::default() }
    }
}

impl Unsent {
    pub(super) fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    /// Counts a message that is about to be queued.
    pub(super) fn begin(&self) {
        self.count.fetch_add(1, Ordering::SeqCst);
    }

    /// Counts a message as gone: delivered, failed, or not queued after all.
    pub(super) fn end(&self) {
        let count = self.count.fetch_sub(1, Ordering::SeqCst) - 1;
        self.wake(count);
    }

    /// Waits until no more messages than this are unsent.
    pub(super) async fn at_most(&self, at_most: usize) {
        let mut waiting = Waiting { unsent: self, at_most, id: None };
        std::future::poll_fn(|context| poll_own(context, |context| waiting.poll(context))).await;
    }

    fn lock(&self) -> MutexGuard<'_, Waiters> {
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, count: usize) {
        let wake_at = self.wake_at.load(Ordering::SeqCst);
        if wake_at == NOBODY || count > wake_at {
            return;
        }
        let mut waiters = self.lock();
        let due: Vec<Waiter> = waiters.waiting.extract_if(.., |waiter| count <= waiter.at_most).collect();
        self.update(&waiters);
        drop(waiters);
        due.into_iter().for_each(|waiter| waiter.waker.wake());
    }

    fn update(&self, waiters: &Waiters) {
        let highest = waiters.waiting.iter().map(|waiter| waiter.at_most).max();
        self.wake_at.store(highest.unwrap_or(NOBODY), Ordering::SeqCst);
    }
}

/// One who waits, until it is dropped.
struct Waiting<'a> {
    unsent: &'a Unsent,
    at_most: usize,
    id: Option<u64>,
}

impl Waiting<'_> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.unsent.count() <= self.at_most {
            return Poll::Ready(());
        }
        let mut waiters = self.unsent.lock();
        let known = self.id.and_then(|id| waiters.waiting.iter_mut().find(|waiter| waiter.id == id));
        match known {
            Some(waiter) => waiter.waker.clone_from(context.waker()),
            None => {
                let id = waiters.next;
                waiters.next += 1;
                waiters.waiting.push(Waiter { id, at_most: self.at_most, waker: context.waker().clone() });
                self.id = Some(id);
            }
        }
        self.unsent.update(&waiters);
        drop(waiters);
        // The last report may have come before `update`.
        if self.unsent.count() <= self.at_most { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            let mut waiters = self.unsent.lock();
            waiters.waiting.retain(|waiter| waiter.id != id);
            self.unsent.update(&waiters);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::time::timeout;

    #[test]
    fn who_waits_wakes_at_the_number_and_leaves_nothing_behind() {
        let unsent = Arc::new(Unsent::default());
        (0..10).for_each(|_| unsent.begin());
        for _ in 0..3 {
            assert_eq!(pollster::block_on(timeout(Duration::from_millis(5), unsent.at_most(4))), None);
        }
        assert!(unsent.lock().waiting.is_empty());
        assert_eq!(unsent.wake_at.load(Ordering::SeqCst), NOBODY);
        let ending = Arc::clone(&unsent);
        let thread = std::thread::spawn(move || {
            for _ in 0..10 {
                std::thread::sleep(Duration::from_millis(1));
                ending.end();
            }
        });
        let within = Duration::from_secs(10);
        assert_eq!(pollster::block_on(timeout(within, unsent.at_most(4))), Some(()));
        assert!(unsent.count() <= 4);
        assert_eq!(pollster::block_on(timeout(within, unsent.at_most(0))), Some(()));
        thread.join().unwrap();
    }
}
