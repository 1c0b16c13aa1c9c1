//! The writer as programs see it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::time::Duration;

use hop_core::{AnyModel, Outgoing};
use hop_journal::{Entry, Journal, Recovery};
use tokio::sync::oneshot;

use super::super::Publisher;
use super::super::delivery::{Callback, Delivery};
use super::super::failures::UnreportedFailures;
use super::super::publisher::with_sendable_names;
use super::super::unsent::Unsent;
use super::super::write::Write;
use super::requests::{Accepting, Request};
use super::sender;
use super::writer::Writer;
use crate::blocking::{block_on_until, own, spawn};
use crate::counters::WriteCounters;
use crate::time::{deadline, timeout};
use crate::{Error, ErrorKind, Undelivered};

/// How long a publisher that goes out of scope waits for its threads to close the journal.
const CLOSING: Duration = Duration::from_secs(5);

/// A writer that accepts a message by writing it to a journal on disk, and sends it until the broker has it.
///
/// Once [`queue`](Write::queue) has returned, the message is sent, if need be after a crash, a restart or an outage of the
/// broker, as the [`Durability`](crate::journal::Durability) promises; [`send`](Write::send) also waits for the broker. Each
/// message is delivered at least once: a crash between the broker's confirmation and its note in the journal has it sent
/// again, with the same `_id`, by which readers recognise the repeat.
///
/// Messages are sent in the order in which they were accepted, so those with the same key arrive in that order. What the
/// broker does not take for good (too large, not allowed, no such topic) is put aside in the journal with the reason, and
/// returned as undelivered; `hop journal` shows it and sends it again.
///
/// A message that can no longer be read, since another program removed its file, is returned as undelivered too. While the
/// journal's folder is not where it was opened, no message is accepted.
///
/// What is not sent when the publisher is closed or dropped stays in the journal, for whoever opens it next.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use hop_core::JsonBlob;
/// use hop_kafka::{EmbeddedBroker, Stream, block_on};
///
/// # let folder = std::env::temp_dir().join(format!("hop-kafka-journal-{}", std::process::id()));
/// let broker = EmbeddedBroker::start()?;
/// let hop = Stream::builder().no_auth().build()?;
/// let out = block_on(hop.publish(broker.url("alerts")).journal(&folder))?;
/// // On disk when this returns; on its way to the broker.
/// let delivery = block_on(out.write(&JsonBlob::default()).queue())?;
/// // The broker has it when this returns.
/// block_on(delivery)?;
/// block_on(out.close())?;
/// # std::fs::remove_dir_all(folder)?;
/// # Ok(())
/// # }
/// ```
pub struct JournaledPublisher {
    inner: Arc<Publisher>,
    requests: Sender<Request>,
    shared: Arc<Shared>,
    /// Ready when the journal is closed.
    closed: Option<oneshot::Receiver<()>>,
    recovery: Recovery,
}

/// What the writer's thread tells whoever has the publisher.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Messages that wait in the journal or are on their way.
    pub(super) unsent: Unsent,
    pub(super) refused: AtomicUsize,
    /// The journal is no longer where it was opened.
    pub(super) is_moved: AtomicBool,
    pub(super) failures: Arc<UnreportedFailures>,
}

impl fmt::Debug for JournaledPublisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JournaledPublisher")
            .field("publisher", &self.inner)
            .field("unsent", &self.unsent())
            .finish_non_exhaustive()
    }
}

fn ended() -> Error {
    Error::new(ErrorKind::Journal, "the journal's thread ended")
        .help("open the publisher anew; nothing accepted is lost")
}

/// The answer to a message that was submitted.
type Submitted = oneshot::Receiver<Result<Delivery, Error>>;

/// Returns the message, unless so many before it have failed, and nobody looked, that they are returned with it.
fn unless_too_many_failed(shared: &Shared, topic: &str, message: Outgoing) -> Result<Outgoing, Error> {
    let Some(mut lost) = shared.failures.take_if_too_many() else { return Ok(message) };
    let reason = "not queued: too many before it were not delivered".to_owned();
    lost.push(Undelivered { topic: topic.to_owned(), message, kind: ErrorKind::Undelivered, reason });
    Err(Error::undelivered_messages(lost))
}

/// Submits a message to the journal's thread, which accepts messages in the order in which they were submitted.
fn submit(
    requests: &Sender<Request>,
    topic: &str,
    message: Outgoing,
    callback: Option<Callback>,
) -> Result<Submitted, Error> {
    let (reply, answer) = oneshot::channel();
    let entry = Entry::new(topic, message);
    requests.send(Request::Accept(Accepting { entry, callback, reply })).map_err(|_| ended())?;
    Ok(answer)
}

impl JournaledPublisher {
    pub(super) fn start(inner: Publisher, journal: Journal, recovery: Recovery) -> Result<Self, Error> {
        let inner = Arc::new(inner);
        let shared = Arc::new(Shared::default());
        journal.waiting().for_each(|_| shared.unsent.begin());
        shared.refused.store(journal.refused().count(), Ordering::Relaxed);
        let (requests, incoming) = mpsc::channel();
        let outlet = sender::start(Arc::clone(&inner), requests.clone())?;
        let writer = Writer::new(journal, Arc::clone(&shared), outlet, Arc::clone(&inner));
        let (tell, closed) = oneshot::channel();
        spawn("hop-journal", move || {
            writer.run(&incoming);
            // Nobody waits any more where this fails.
            let _told = tell.send(());
        })?;
        Ok(Self { inner, requests, shared, closed: Some(closed), recovery })
    }

    /// Returns a message with this model as its content; add headers and the like, then send or queue it.
    pub fn write<'a>(&'a self, model: &'a dyn AnyModel) -> Write<'a> {
        Write::to_journal(self, model)
    }

    /// Queues a message as it is, its headers unchanged: one that was received, and is to be received again.
    ///
    /// # Errors
    /// Kind `Usage` when it is not the name of a topic; otherwise as [`Write::queue`], and it hands the message back.
    pub async fn forward(&self, topic: impl Into<String>, message: Outgoing) -> Result<Delivery, Error> {
        let topic = topic.into();
        let topic = self.inner.topic(Some(&topic))?;
        self.accept(topic, with_sendable_names(topic, message)?, None).await
    }

    /// Returns how many messages wait in the journal or are on their way.
    pub fn unsent(&self) -> usize {
        self.shared.unsent.count()
    }

    /// Returns how many messages are put aside.
    pub fn refused(&self) -> usize {
        self.shared.refused.load(Ordering::Relaxed)
    }

    /// Returns what the journal held when it was opened, and what was wrong with it.
    pub fn recovery(&self) -> &Recovery {
        &self.recovery
    }

    /// Returns what the writer has sent so far; a message that was tried several times counts several times.
    pub fn counters(&self) -> WriteCounters {
        self.inner.counters()
    }

    /// Lets the messages that were put aside wait again, behind all others; returns how many they are.
    ///
    /// # Errors
    /// Kind `Journal` when the journal cannot be written; what is still aside stays there.
    pub async fn retry_refused(&self) -> Result<usize, Error> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(Request::RetryRefused(reply)).map_err(|_| ended())?;
        own(answer).await.map_err(|_| ended())?
    }

    pub(in super::super) fn publisher(&self) -> &Publisher {
        &self.inner
    }

    /// Accepts a message, waiting while the journal is full.
    pub(in super::super) async fn accept(
        &self,
        topic: &str,
        message: Outgoing,
        callback: Option<Callback>,
    ) -> Result<Delivery, Error> {
        tokio::task::coop::consume_budget().await;
        let message = unless_too_many_failed(&self.shared, topic, message)?;
        Self::accepted(submit(&self.requests, topic, message, callback)?).await
    }

    /// Returns a function that submits a message to the journal from any thread, without waiting until it is accepted.
    pub(in super::super) fn submitter(
        &self,
    ) -> impl FnOnce(&str, Outgoing, Option<Callback>) -> Result<Submitted, Error> + Send + use<> {
        let (requests, shared) = (self.requests.clone(), Arc::clone(&self.shared));
        move |topic, message, callback| {
            let message = unless_too_many_failed(&shared, topic, message)?;
            submit(&requests, topic, message, callback)
        }
    }

    /// Waits until a submitted message is accepted.
    pub(in super::super) async fn accepted(submitted: Submitted) -> Result<Delivery, Error> {
        own(submitted).await.map_err(|_| ended())?
    }

    /// Waits until the broker has every message of the journal, or has refused it; for ever, as long as the broker does not
    /// answer.
    ///
    /// # Errors
    /// Kind `Undelivered`, with the messages that were put aside or dropped, except those that were returned before.
    pub async fn flush(&self) -> Result<(), Error> {
        self.shared.unsent.at_most(0).await;
        self.report()
    }

    /// Waits in the same way, for at most the duration given.
    ///
    /// # Errors
    /// As [`flush`](Self::flush); kind `TimedOut` when messages still wait in the journal and none was refused.
    pub async fn flush_within(&self, patience: Duration) -> Result<(), Error> {
        let _in_time = timeout(patience, self.shared.unsent.at_most(0)).await;
        self.report()
    }

    /// Flushes and closes the journal; for ever, as long as the broker does not answer.
    ///
    /// # Errors
    /// As [`flush`](Self::flush).
    pub async fn close(mut self) -> Result<(), Error> {
        let flushed = self.flush().await;
        self.end().await;
        flushed
    }

    /// Flushes for at most the duration given, then closes the journal; what is not sent stays in it.
    ///
    /// # Errors
    /// As [`flush_within`](Self::flush_within).
    pub async fn close_within(mut self, patience: Duration) -> Result<(), Error> {
        let flushed = self.flush_within(patience).await;
        self.end().await;
        flushed
    }

    /// Has the threads end, and waits for them.
    async fn end(&mut self) {
        // The thread may have ended already.
        let _sent = self.requests.send(Request::End);
        if let Some(closed) = self.closed.take() {
            let _closed = own(closed).await;
        }
    }

    fn report(&self) -> Result<(), Error> {
        let report = self.shared.failures.report();
        match (self.unsent(), report) {
            (_, Err(error)) => {
                Err(error.help("`Error::undelivered` hands them back; `hop journal` shows those put aside"))
            }
            (0, report) => report,
            (unsent, Ok(())) => {
                let messages =
                    if unsent == 1 { "1 message waits".to_owned() } else { format!("{unsent} messages wait") };
                let help = match self.shared.is_moved.load(Ordering::Relaxed) {
                    true => {
                        "its folder was moved or removed: put it back, and whoever opens it next sends what waits in it"
                    }
                    false => "nothing is lost: whoever opens the journal next sends what waits in it",
                };
                Err(Error::new(ErrorKind::TimedOut, format!("{messages} in the journal")).help(help))
            }
        }
    }
}

impl Drop for JournaledPublisher {
    fn drop(&mut self) {
        if self.closed.is_some() && block_on_until(self.end(), deadline(CLOSING)).is_none() {
            tracing::warn!(target: "hop", "a journal is still being closed by its thread");
        }
    }
}
