//! The result of each message's delivery, from librdkafka's report to whoever waits for it.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use hop_core::Payload;

use super::failures::UnreportedFailures;
use crate::blocking::poll_own;
use crate::error::{Error, ErrorKind, Undelivered};

/// Where a message was delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivered {
    /// The partition, from zero.
    pub partition: i32,
    /// The offset in it, from zero.
    pub offset: i64,
}

pub(super) type DeliveryResult = Result<Delivered, Undelivered>;

/// Called with the result of a message's delivery.
pub(super) type Callback = Box<dyn FnOnce(DeliveryResult) + Send>;

/// The delivery of one message; await it for the result.
///
/// A failure that is not awaited here is returned by the publisher's `flush` or `close`.
#[must_use = "the result is returned when the delivery is awaited, or by the publisher's `flush`"]
pub struct Delivery {
    message: Arc<InFlight>,
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery").field("message", &self.message.number).finish_non_exhaustive()
    }
}

impl Future for Delivery {
    type Output = Result<Delivered, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let message = &self.message;
        let result = std::task::ready!(poll_own(context, |context| message.poll_result(context)));
        Poll::Ready(match result {
            Some(Ok(delivered)) => Ok(delivered),
            Some(Err(undelivered)) => {
                message.failures.acknowledge(message.number);
                Err(Error::undelivered_messages(vec![undelivered]))
            }
            None => Err(Error::new(ErrorKind::Usage, "the result of the delivery was returned before")),
        })
    }
}

/// A message between its `queue` and its delivery report: what librdkafka carries along, shared with the [`Delivery`].
pub(super) struct InFlight {
    /// Messages are numbered in the order in which they were queued.
    number: u64,
    state: Mutex<State>,
    failures: Arc<UnreportedFailures>,
    /// Content that librdkafka sends from where it is: it has to live until the report.
    content: Option<Bytes>,
    /// How often the broker has refused it as too large.
    refusals: AtomicU32,
    /// No other message is in its batch.
    is_alone: AtomicBool,
    #[cfg(feature = "metrics")]
    queued: std::time::Instant,
}

impl fmt::Debug for InFlight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InFlight").field("number", &self.number).finish_non_exhaustive()
    }
}

enum State {
    Pending { waker: Option<Waker>, callback: Option<Callback> },
    Reported(DeliveryResult),
    Returned,
}

impl InFlight {
    pub(super) fn new(
        failures: &Arc<UnreportedFailures>,
        number: u64,
        content: Option<Bytes>,
        callback: Option<Callback>,
    ) -> Arc<Self> {
        Arc::new(Self {
            number,
            state: Mutex::new(State::Pending { waker: None, callback }),
            failures: Arc::clone(failures),
            content,
            refusals: AtomicU32::new(0),
            is_alone: AtomicBool::new(false),
            #[cfg(feature = "metrics")]
            queued: std::time::Instant::now(),
        })
    }

    pub(super) fn delivery(self: &Arc<Self>) -> Delivery {
        Delivery { message: Arc::clone(self) }
    }

    #[cfg(feature = "metrics")]
    pub(super) fn elapsed(&self) -> std::time::Duration {
        self.queued.elapsed()
    }

    /// Returns true if librdkafka may send the content from where it is: it lives as long as this.
    pub(super) fn shares(&self, content: &Payload) -> bool {
        match (&self.content, content.as_bytes()) {
            (Some(own), Some(sent)) => own.as_ptr_range() == sent.as_ptr_range(),
            _ => false,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns true if somebody has the [`Delivery`], or a callback waits for the result.
    pub(super) fn is_awaited(self: &Arc<Self>) -> bool {
        Arc::strong_count(self) > 1 || matches!(&*self.lock(), State::Pending { callback: Some(_), .. })
    }

    /// Counts that the broker has refused it as too large; returns how often it had before.
    pub(super) fn refuse(&self) -> u32 {
        self.refusals.fetch_add(1, Ordering::AcqRel)
    }

    /// Returns true while the broker has neither taken it nor refused it more often than this.
    pub(super) fn is_pending(&self, refusals: u32) -> bool {
        self.refusals.load(Ordering::Acquire) <= refusals && matches!(&*self.lock(), State::Pending { .. })
    }

    /// Sets whether no other message is in its batch, so that a refusal is of this one.
    pub(super) fn set_alone(&self, is_alone: bool) {
        self.is_alone.store(is_alone, Ordering::Release);
    }

    pub(super) fn is_alone(&self) -> bool {
        self.is_alone.load(Ordering::Acquire)
    }

    /// Takes the callback back from a message that was not queued.
    pub(super) fn take_callback(&self) -> Option<Callback> {
        match &mut *self.lock() {
            State::Pending { callback, .. } => callback.take(),
            State::Reported(_) | State::Returned => None,
        }
    }

    /// Passes the result to the callback, to the list of failures, and to the task that waits for it.
    pub(super) fn report(self: Arc<Self>, result: DeliveryResult) {
        let (waker, callback) = match &mut *self.lock() {
            State::Pending { waker, callback } => (waker.take(), callback.take()),
            State::Reported(_) | State::Returned => return,
        };
        match (&result, callback) {
            (_, Some(callback)) => call(callback, result.clone()),
            // Without the `Delivery` nobody else can learn of it; with it, awaiting it takes it from the list again.
            (Err(undelivered), None) => self.failures.add(self.number, undelivered.clone()),
            (Ok(_), None) => {}
        }
        let waker = {
            let mut state = self.lock();
            // It may have begun to wait meanwhile.
            let late = match std::mem::replace(&mut *state, State::Reported(result)) {
                State::Pending { waker, .. } => waker,
                State::Reported(_) | State::Returned => None,
            };
            late.or(waker)
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Returns the result once; `None` from then on.
    fn poll_result(&self, context: &mut Context<'_>) -> Poll<Option<DeliveryResult>> {
        let mut state = self.lock();
        match &mut *state {
            State::Pending { waker, .. } => {
                match waker {
                    Some(waker) => waker.clone_from(context.waker()),
                    None => *waker = Some(context.waker().clone()),
                }
                Poll::Pending
            }
            State::Reported(_) | State::Returned => {
                Poll::Ready(match std::mem::replace(&mut *state, State::Returned) {
                    State::Reported(result) => Some(result),
                    State::Pending { .. } | State::Returned => None,
                })
            }
        }
    }
}

/// Calls other people's code on the writer's thread, which goes on if it panics.
fn call(callback: Callback, result: DeliveryResult) {
    if catch_unwind(AssertUnwindSafe(|| callback(result))).is_err() {
        tracing::error!(target: "hop", "a delivery callback panicked");
    }
}
