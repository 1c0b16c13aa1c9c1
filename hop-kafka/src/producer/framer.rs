//! Puts a writer's framing around its messages.
//!
//! A framing that would have to wait for a registry does so on another thread, which also queues the message. The messages of
//! its topic that come after it wait in line there, so that they are queued in the order in which they were written, whichever
//! of the writers' tasks is polled first.

use std::collections::HashMap;
use std::fmt;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use hop_core::{Framing, Outgoing, guarded, header};
use tokio::sync::oneshot;

use crate::blocking::{block_on_until, own};
use crate::pool::Pool;
use crate::time::deadline;
use crate::{Error, ErrorKind};

const WRAP: &str = "the framing's `wrap`";

/// The framing of one writer.
pub(super) struct Framer {
    framing: Arc<dyn Framing>,
    waiting: Arc<Waiting>,
    pool: Pool,
}

impl fmt::Debug for Framer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Framer").field(&self.framing).finish()
    }
}

impl Framer {
    pub(super) fn new(framing: Arc<dyn Framing>) -> Self {
        Self { framing, waiting: Arc::default(), pool: Pool::new("hop-framing") }
    }

    /// Returns the message in its frame, if that takes no waiting and no message of the topic waits; otherwise the message
    /// itself, which has to be framed [in turn](Self::wrap_in_turn).
    pub(super) fn wrap_at_once(&self, topic: &str, message: Outgoing) -> Result<Result<Outgoing, Outgoing>, Error> {
        if self.waiting.has(topic) {
            return Ok(Err(message));
        }
        match guarded(WRAP, || Ok(self.framing.wrap_at_once(topic, message))).map_err(Error::encode)? {
            Ok(framed) => Ok(Ok(without_label(framed.map_err(Error::encode)?))),
            Err(message) => Ok(Err(message)),
        }
    }

    /// Frames the message after those of its topic that wait, and hands it over before the next one is framed: on the pool's
    /// thread, whichever of the writers' tasks is polled first, and whether or not this one is.
    pub(super) async fn wrap_in_turn<T, F>(
        &self,
        topic: &str,
        message: Outgoing,
        hand_over: impl FnOnce(Outgoing) -> F + Send + 'static,
    ) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>>,
    {
        let turn = Waiting::enter(&self.waiting, topic);
        let (mut tell, done) = oneshot::channel();
        let framing = Arc::clone(&self.framing);
        self.pool.run(Some(topic), move || {
            // The writer may have given up meanwhile.
            if tell.is_closed() {
                return;
            }
            let framed = guarded(WRAP, || framing.wrap(&turn.topic, message)).map_err(Error::encode);
            let handed_over = framed.map(without_label).map(|framed| unless_given_up(hand_over(framed), &mut tell));
            drop(turn);
            let _received = match handed_over {
                Ok(Some(handed_over)) => tell.send(handed_over),
                Ok(None) => return,
                Err(error) => tell.send(Err(error)),
            };
        })?;
        let ended = || Error::new(ErrorKind::Encode, "the framing's thread ended before the message was framed");
        own(done).await.unwrap_or_else(|_| Err(ended()))
    }
}

/// Waits for the future on this thread; `None` once nobody waits for its result.
fn unless_given_up<F: Future, T>(future: F, tell: &mut oneshot::Sender<T>) -> Option<F::Output> {
    let mut future = pin!(future);
    let output = std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => tell.poll_closed(context).map(|()| None),
    });
    block_on_until(output, deadline(Duration::MAX)).flatten()
}

/// The content is no longer what the label says.
fn without_label(mut framed: Outgoing) -> Outgoing {
    framed.headers.remove(header::FORMAT);
    framed
}

/// How many messages of each topic wait for their frame, or are framed and not handed over yet.
#[derive(Debug, Default)]
struct Waiting {
    all: AtomicUsize,
    topics: Mutex<HashMap<Arc<str>, usize>>,
}

/// The place of a message in line, until it is dropped.
struct Turn {
    waiting: Arc<Waiting>,
    topic: Arc<str>,
}

impl Waiting {
    fn topics(&self) -> MutexGuard<'_, HashMap<Arc<str>, usize>> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has(&self, topic: &str) -> bool {
        // Mostly nothing waits, and no lock is taken.
        self.all.load(Ordering::Acquire) > 0 && self.topics().contains_key(topic)
    }

    fn enter(waiting: &Arc<Self>, topic: &str) -> Turn {
        let mut topics = waiting.topics();
        let topic = topics.get_key_value(topic).map_or_else(|| topic.into(), |(topic, _)| Arc::clone(topic));
        *topics.entry(Arc::clone(&topic)).or_default() += 1;
        waiting.all.fetch_add(1, Ordering::Release);
        drop(topics);
        Turn { waiting: Arc::clone(waiting), topic }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut topics = self.waiting.topics();
        if let Some(count) = topics.get_mut(&self.topic) {
            *count -= 1;
            if *count == 0 {
                topics.remove(&self.topic);
            }
        }
        self.waiting.all.fetch_sub(1, Ordering::Release);
    }
}
