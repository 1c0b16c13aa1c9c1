//! The writer, and the thread that serves it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hop_core::{AnyModel, Outgoing};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _, PurgeConfig};

use super::delivery::{Callback, Deliveries, Delivery, Ticket};
use super::limit::{Limits, size_as_sent};
use super::write::Write;
use crate::auth::token::Refresher;
use crate::blocking::{block_on, block_on_until, own, spawn};
use crate::counters::WriteCounters;
use crate::record::owned_headers;
use crate::time::{deadline, timeout};
use crate::{Error, ErrorKind, Undelivered};

/// How long one poll of the thread waits: the delay with which it sees what it is to do.
const POLL: Duration = Duration::from_millis(100);
/// How long a publisher that goes out of scope waits for what is still unsent.
const GRACE: Duration = Duration::from_secs(1);
/// How long it takes at most until what is given up is told of.
const SETTLING: Duration = Duration::from_millis(500);

/// What the writer's thread is to do.
#[derive(Debug, Default)]
struct Orders {
    /// Take back what is queued or on its way; each message is told of as not delivered.
    give_up: AtomicBool,
    end: AtomicBool,
}

/// The thread that tells fates; it ends when this is dropped, and destroys the client unless a question is still open, whose
/// thread then does.
#[derive(Debug)]
pub(super) struct Thread(Arc<Orders>);

impl Thread {
    pub(super) fn start(producer: Arc<BaseProducer<Deliveries>>) -> Result<Self, Error> {
        let orders = Arc::new(Orders::default());
        let thread = Self(Arc::clone(&orders));
        spawn("hop-writer", move || {
            while !orders.end.load(Ordering::Acquire) {
                producer.poll(POLL);
                // No patience mends a wrong password: what waits for the first contact is handed back at once.
                if orders.give_up.load(Ordering::Acquire) || producer.context().is_refused() {
                    // Not waiting for librdkafka's threads: one may hang in the resolution of a name.
                    producer.purge(PurgeConfig::default().queue().inflight().non_blocking());
                }
            }
        })?;
        Ok(thread)
    }

    fn give_up(&self) {
        self.0.give_up.store(true, Ordering::Release);
    }

    fn has_given_up(&self) -> bool {
        self.0.give_up.load(Ordering::Acquire)
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.0.end.store(true, Ordering::Release);
    }
}

/// A writer: queues messages and tells the fate of each.
///
/// The fate of a message is awaited ([`Delivery`]), told to a function ([`Write::on_delivery`]), or counted
/// ([`counters`](Self::counters)). Nothing is lost silently: what failed and was not told in one of the first two ways,
/// [`flush`](Self::flush) and [`close`](Self::close) hand back. So does the next write, once 10,000 such messages or 64 MiB
/// of them have come together. A publisher that goes out of scope waits a second for what is still queued, and logs how many
/// messages it has to drop.
///
/// What has `_blocking` in its name waits on the calling thread, for programs without an asynchronous runtime.
pub struct Publisher {
    pub(super) producer: Arc<BaseProducer<Deliveries>>,
    pub(super) limits: Limits,
    pub(super) topics: Vec<String>,
    pub(super) sender: Option<String>,
    /// Whether messages are smaller on their way than they are here.
    pub(super) compressed: bool,
    /// Gives the client its tokens.
    pub(super) _tokens: Option<Refresher>,
    /// The last one to go: whoever lets go of the client last destroys it, which takes as long as it likes.
    pub(super) thread: Thread,
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher")
            .field("topics", &self.topics)
            .field("unsent", &self.unsent())
            .finish_non_exhaustive()
    }
}

impl Publisher {
    /// A message with this model as its content; add headers and the like, then send or queue it.
    pub fn write<'a>(&'a self, model: &'a dyn AnyModel) -> Write<'a> {
        Write::new(self, model)
    }

    /// Queues a message as it is, its headers unchanged: one that was received, and is to be received again.
    ///
    /// # Errors
    /// Kind `Usage` when it is no name of a topic; otherwise as [`Write::queue`], and it hands the message back.
    pub async fn forward(&self, topic: impl Into<String>, message: Outgoing) -> Result<Delivery, Error> {
        let topic = self.topic(Some(topic.into()))?;
        self.queue(topic, message, None).await
    }

    /// How many messages are queued or on their way.
    pub fn unsent(&self) -> usize {
        self.deliveries().outstanding()
    }

    /// What the writer has done so far.
    pub fn counters(&self) -> WriteCounters {
        self.deliveries().tally.read()
    }

    /// The largest message that the topic takes, in bytes, with its key, its headers and some 70 bytes of Kafka's: the
    /// topic's `max.message.bytes`. The broker is asked unless it was within the last minute.
    ///
    /// The writer finds it by itself when it matters: once a message of more than 128 KiB is to be written.
    ///
    /// # Errors
    /// Kind `Authorization` where the credential may not ask for the topic's configuration, `UnknownTopic`, and what is wrong
    /// with the connection, when the broker has not answered within the stream's connect time-out or the produce time-out.
    pub async fn max_message_bytes(&self, topic: &str) -> Result<usize, Error> {
        let topic = self.topic(Some(topic.to_owned()))?;
        self.limits.of(&topic).await
    }

    pub(super) fn deliveries(&self) -> &Arc<Deliveries> {
        self.producer.client().context()
    }

    /// The topic to write to.
    pub(super) fn topic(&self, named: Option<String>) -> Result<String, Error> {
        match (named, self.topics.as_slice()) {
            (Some(topic), _) if crate::url::is_topic(&topic) => Ok(topic),
            (Some(topic), _) => {
                Err(Error::new(ErrorKind::Usage, format!("`{}` is no name of a topic", topic.escape_debug())))
            }
            (None, [topic]) => Ok(topic.clone()),
            (None, topics) => Err(Error::new(ErrorKind::Usage, format!("the URL names {} topics", topics.len()))
                .help("say which one with `topic`, or open the publisher on exactly one")),
        }
    }

    /// Queues a message, waiting while the queue is full.
    pub(super) async fn queue(
        &self,
        topic: String,
        message: Outgoing,
        mut callback: Option<Callback>,
    ) -> Result<Delivery, Error> {
        // Many messages in a row must not keep time-outs and signals of the same task waiting.
        tokio::task::coop::consume_budget().await;
        if let Some(mut lost) = self.deliveries().too_much_undelivered() {
            let reason = "not queued: too many before it were not delivered".to_owned();
            lost.push(Undelivered { topic, message, kind: ErrorKind::Undelivered, reason });
            return Err(Error::undelivered_messages(lost).help(
                "`Error::undelivered` hands them back, the last one being the one to write now; `flush` from time to time \
                 tells of failures sooner",
            ));
        }
        let queued = self.queue_if_it_fits(&topic, &message, &mut callback).await;
        queued.map_err(|error| error.hand_back(topic, message))
    }

    async fn queue_if_it_fits(
        &self,
        topic: &str,
        message: &Outgoing,
        callback: &mut Option<Callback>,
    ) -> Result<Delivery, Error> {
        if !self.compressed {
            let size = size_as_sent(message);
            if let Some(limit) = self.limits.exceeded(topic, size).await {
                return Err(Error::too_large(topic, size, limit));
            }
        }
        loop {
            if let Some(delivery) = self.try_queue(topic, message, callback)? {
                return Ok(delivery);
            }
            // Watched before the second attempt, so that a message that leaves the queue in between is not missed.
            let mut space = self.deliveries().watch();
            if let Some(delivery) = self.try_queue(topic, message, callback)? {
                return Ok(delivery);
            }
            // The sending half lives as long as the publisher, so this only ends with a change.
            let _changed = own(space.changed()).await;
        }
    }

    /// `None` when the queue is full.
    fn try_queue(
        &self,
        topic: &str,
        message: &Outgoing,
        callback: &mut Option<Callback>,
    ) -> Result<Option<Delivery>, Error> {
        let (ticket, delivery) = Ticket::new(self.deliveries(), callback.take());
        let record = BaseRecord {
            topic,
            partition: None,
            payload: message.content.as_bytes().map(|content| &content[..]),
            key: message.key.as_deref(),
            timestamp: None,
            headers: Some(owned_headers(&message.headers)),
            delivery_opaque: Box::new(ticket),
        };
        match self.producer.send(record) {
            Ok(()) => {
                self.deliveries().tally.queued();
                Ok(Some(delivery))
            }
            Err((error, record)) => {
                *callback = record.delivery_opaque.withdraw();
                match error.rdkafka_error_code() {
                    Some(RDKafkaErrorCode::QueueFull) => Ok(None),
                    _ => Err(Error::kafka(&format!("writing to `{topic}`"), error)),
                }
            }
        }
    }

    /// Waits until every queued message is confirmed or has failed. Without a produce time-out it waits for ever, as long as
    /// the broker does not answer.
    ///
    /// # Errors
    /// Kind `Undelivered`, with the messages that were not delivered, but for those whose fate was told already.
    pub async fn flush(&self) -> Result<(), Error> {
        self.all_told().await;
        self.report(true)
    }

    /// The same, for so long at most; what is unsent by then stays queued.
    ///
    /// # Errors
    /// As [`flush`](Self::flush), also while some are unsent; kind `TimedOut`, which says how many are unsent, when none has
    /// failed.
    pub async fn flush_within(&self, patience: Duration) -> Result<(), Error> {
        let in_time = timeout(patience, self.all_told()).await;
        self.report(in_time.is_some())
    }

    /// As [`flush`](Self::flush), waiting on this thread.
    ///
    /// # Errors
    /// As there.
    pub fn flush_blocking(&self) -> Result<(), Error> {
        block_on(self.flush())
    }

    /// As [`flush_within`](Self::flush_within), waiting on this thread.
    ///
    /// # Errors
    /// As there.
    pub fn flush_within_blocking(&self, patience: Duration) -> Result<(), Error> {
        let in_time = block_on_until(self.all_told(), deadline(patience));
        self.report(in_time.is_some())
    }

    /// Flushes and ends; without a produce time-out it waits for ever, as long as the broker does not answer.
    ///
    /// # Errors
    /// As [`flush`](Self::flush).
    pub async fn close(self) -> Result<(), Error> {
        self.flush().await
    }

    /// Flushes for so long at most, then gives up what is left and ends.
    ///
    /// # Errors
    /// As [`flush`](Self::flush); what was given up is handed back with the rest.
    pub async fn close_within(self, patience: Duration) -> Result<(), Error> {
        let mut in_time = timeout(patience, self.all_told()).await;
        if in_time.is_none() {
            self.thread.give_up();
            in_time = timeout(SETTLING, self.all_told()).await;
        }
        self.report(in_time.is_some())
    }

    /// As [`close`](Self::close), waiting on this thread.
    ///
    /// # Errors
    /// As there.
    pub fn close_blocking(self) -> Result<(), Error> {
        self.flush_blocking()
    }

    /// As [`close_within`](Self::close_within), waiting on this thread.
    ///
    /// # Errors
    /// As there.
    pub fn close_within_blocking(self, patience: Duration) -> Result<(), Error> {
        let in_time = self.send_or_give_up(patience);
        self.report(in_time)
    }

    /// Waits on this thread for so long at most, then gives up what is left; whether the fate of every message is known.
    fn send_or_give_up(&self, patience: Duration) -> bool {
        if block_on_until(self.all_told(), deadline(patience)).is_some() {
            return true;
        }
        self.thread.give_up();
        block_on_until(self.all_told(), deadline(SETTLING)).is_some()
    }

    /// Waits until the fate of every queued message is known.
    async fn all_told(&self) {
        loop {
            let mut changed = self.deliveries().watch();
            if self.unsent() == 0 {
                return;
            }
            // The sending half lives as long as the publisher, so this only ends with a change.
            let _changed = own(changed.changed()).await;
        }
    }

    /// What `flush` and `close` say, whether or not the fate of every message was known in time.
    fn report(&self, in_time: bool) -> Result<(), Error> {
        let report = self.deliveries().report();
        let unsent = if in_time { 0 } else { self.unsent() };
        match (unsent, report) {
            (0, report) => report,
            (_, Err(error)) => Err(error.help(format!("`Error::undelivered` hands them back; {}", open(unsent)))),
            (_, Ok(())) => Err(Error::new(ErrorKind::TimedOut, open(unsent))
                .help("check the connection to the broker, or allow more time")),
        }
    }
}

fn open(unsent: usize) -> String {
    match unsent {
        1 => "1 message is still unsent".to_owned(),
        unsent => format!("{unsent} messages are still unsent"),
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        // Where `close` has given up already there is nothing left to wait for.
        self.send_or_give_up(if self.thread.has_given_up() { Duration::ZERO } else { GRACE });
        self.deliveries().complaint.note_closing();
        let (lost, unsent) = (self.deliveries().take_undelivered(), self.unsent());
        if !lost.is_empty() || unsent > 0 {
            let topics: BTreeSet<&str> = lost.iter().map(|lost| lost.topic.as_str()).collect();
            tracing::error!(
                target: "hop",
                count = lost.len() + unsent,
                ?topics,
                "a publisher went out of scope with messages that were not delivered; close it to have them handed back"
            );
        }
    }
}
