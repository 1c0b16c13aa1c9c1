//! The writer.

use std::collections::BTreeSet;
use std::ffi::CString;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hop_core::{AnyModel, Framing, Outgoing, guarded, header};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::producer::{BaseProducer, Producer as _};

use super::context::WriterContext;
use super::delivery::{Callback, Delivery};
use super::max_message_size::Limits;
use super::offload::Offloader;
use super::send::{SHARED_FROM, send};
use super::worker::Worker;
use super::write::Write;
use crate::auth::token::Refresher;
use crate::blocking::{block_on_until, own, spawn};
use crate::counters::WriteCounters;
use crate::record::{is_sendable, native_headers, size_as_sent};
use crate::time::{deadline, timeout};
use crate::{Error, ErrorKind, Undelivered};

/// How long a publisher that goes out of scope waits for what is still unsent.
const GRACE: Duration = Duration::from_secs(1);
/// How long it takes at most until what is given up is told of.
const SETTLING: Duration = Duration::from_millis(500);

/// A writer: queues messages and returns the result of each delivery.
///
/// The result is awaited ([`Delivery`]), passed to a callback ([`Write::on_delivery`]), or counted
/// ([`counters`](Self::counters)). Nothing is lost silently: failures that were not returned in one of the first two ways are
/// returned by [`flush`](Self::flush) and [`close`](Self::close), and by the next write once there are 10,000 of them or
/// 64 MiB. A publisher that goes out of scope waits a second for what is still queued, and logs how many messages it has to
/// drop.
///
/// Its futures need no runtime; [`block_on`](crate::block_on) waits for one on the calling thread.
pub struct Publisher {
    pub(super) producer: Arc<BaseProducer<WriterContext>>,
    pub(super) limits: Limits,
    pub(super) topics: Vec<String>,
    pub(super) sender: Option<String>,
    pub(super) framing: Option<Arc<dyn Framing>>,
    /// Stores what is too large for its topic.
    pub(super) offloader: Arc<Offloader>,
    /// Whether messages are smaller on their way than they are here.
    pub(super) compressed: bool,
    /// Gives the client its tokens.
    pub(super) _tokens: Option<Refresher>,
    /// The last to be dropped, so that its thread destroys the client, which may take long.
    pub(super) worker: Worker,
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
        let topic = topic.into();
        let topic = self.topic(Some(&topic))?;
        self.queue(topic, with_sendable_names(topic, message)?, None).await
    }

    /// How many messages are queued or on their way.
    pub fn unsent(&self) -> usize {
        self.context().unsent.count()
    }

    /// What the writer has done so far.
    pub fn counters(&self) -> WriteCounters {
        self.context().tally.read()
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
        self.limits.of(self.topic(Some(topic))?).await
    }

    pub(super) fn context(&self) -> &WriterContext {
        self.producer.context()
    }

    /// The topic to write to.
    pub(super) fn topic<'a>(&'a self, named: Option<&'a str>) -> Result<&'a str, Error> {
        match (named, self.topics.as_slice()) {
            (Some(topic), _) if crate::url::is_topic(topic) => Ok(topic),
            (Some(topic), _) => {
                Err(Error::new(ErrorKind::Usage, format!("`{}` is no name of a topic", topic.escape_debug())))
            }
            (None, [topic]) => Ok(topic),
            (None, topics) => Err(Error::new(ErrorKind::Usage, format!("the URL names {} topics", topics.len()))
                .help("say which one with `topic`, or open the publisher on exactly one")),
        }
    }

    /// Puts the writer's framing around a message, if it has one; on a thread of its own where that may wait for a registry.
    pub(super) async fn framed(&self, topic: &str, message: Outgoing) -> Result<Outgoing, Error> {
        let Some(framing) = &self.framing else { return Ok(message) };
        let wrap = |framing: &dyn Framing, topic: &str, message| {
            let mut framed = guarded("the framing's `wrap`", || framing.wrap(topic, message)).map_err(Error::encode)?;
            framed.headers.remove(header::FORMAT);
            Ok(framed)
        };
        if framing.can_wrap_at_once(topic, &message) {
            return wrap(&**framing, topic, message);
        }
        let (tell, done) = tokio::sync::oneshot::channel();
        let (framing, topic) = (Arc::clone(framing), topic.to_owned());
        spawn("hop-framing", move || {
            // Nobody waits for it any more where this fails.
            let _sent = tell.send(wrap(&*framing, &topic, message));
        })?;
        let ended = || Error::new(ErrorKind::Encode, "the framing's thread ended before the message was framed");
        own(done).await.unwrap_or_else(|_| Err(ended()))
    }

    /// Queues a message, waiting while the queue is full.
    pub(super) async fn queue(
        &self,
        topic: &str,
        message: Outgoing,
        callback: Option<Callback>,
    ) -> Result<Delivery, Error> {
        // Many messages in a row must not keep time-outs and signals of the same task waiting.
        tokio::task::coop::consume_budget().await;
        if let Some(mut lost) = self.context().failures.take_if_too_many() {
            let reason = "not queued: too many before it were not delivered".to_owned();
            lost.push(Undelivered { topic: topic.to_owned(), message, kind: ErrorKind::Undelivered, reason });
            return Err(Error::undelivered_messages(lost).help(
                "`Error::undelivered` hands them back, the last one being the one to write now; `flush` from time to time \
                 tells of failures sooner",
            ));
        }
        if self.offloader.is_behind() {
            self.offloader.catch_up().await;
        }
        let queued = match self.offloaded_if_too_large(topic, &message).await {
            Ok(placeholder) => self.queue_or_offload(topic, &message, placeholder, callback).await,
            Err(error) => Err(error),
        };
        queued.map_err(|error| error.hand_back(topic.to_owned(), message))
    }

    /// Stores a message that the topic does not take, or every one if that is asked for; returns its placeholder.
    async fn offloaded_if_too_large(&self, topic: &str, message: &Outgoing) -> Result<Option<Outgoing>, Error> {
        let may_be_stored = self.offloader.may_store(message);
        let mut limit = None;
        if !self.compressed {
            let size = size_as_sent(message);
            limit = self.limits.exceeded(topic, size).await;
            if let Some(limit) = limit
                && !(may_be_stored && self.offloader.fits(message, limit))
            {
                return Err(Error::too_large(topic, size, limit));
            }
        }
        if limit.is_none() && !(may_be_stored && self.offloader.is_for_all()) {
            return Ok(None);
        }
        let too_large = || match limit {
            Some(limit) => Error::too_large(topic, size_as_sent(message), limit),
            None => Error::new(ErrorKind::NotFound, format!("writing to `{topic}`: the broker names no archive"))
                .help("give its address with `StreamBuilder::archive_url`, or store only what is too large"),
        };
        self.offload(topic, message).await?.map(Some).ok_or_else(too_large)
    }

    /// Stores a message, and returns its placeholder; `None` where the broker has no archive.
    async fn offload(&self, topic: &str, message: &Outgoing) -> Result<Option<Outgoing>, Error> {
        let placeholder = self.offloader.replace(topic, message).await?;
        if placeholder.is_some() {
            self.context().tally.offloaded();
        }
        Ok(placeholder)
    }

    async fn queue_or_offload(
        &self,
        topic: &str,
        message: &Outgoing,
        mut placeholder: Option<Outgoing>,
        mut callback: Option<Callback>,
    ) -> Result<Delivery, Error> {
        let operation = || format!("writing to `{topic}`");
        let no_memory = || Error::new(ErrorKind::Kafka, format!("{}: there is no memory for the headers", operation()));
        let native = |message: &Outgoing| native_headers(&message.headers).map(Some).ok_or_else(no_memory);
        let mut headers = native(placeholder.as_ref().unwrap_or(message))?;
        let name = CString::new(topic).map_err(|_| Error::new(ErrorKind::Usage, operation()))?;
        loop {
            let sent = placeholder.as_ref().unwrap_or(message);
            let content = sent.content.as_bytes().filter(|content| content.len() >= SHARED_FROM).cloned();
            let in_flight = self.context().begin(content, callback.take());
            let delivery = in_flight.delivery();
            match send(&self.producer, &name, sent, &mut headers, in_flight) {
                Ok(()) => {
                    self.context().tally.queued();
                    return Ok(delivery);
                }
                Err((code, in_flight)) => {
                    callback = in_flight.take_callback();
                    self.context().unsent.end();
                    match code {
                        RDKafkaErrorCode::QueueFull => self.room().await,
                        RDKafkaErrorCode::MessageSizeTooLarge => {
                            let too_large = || Error::too_large_to_send(topic, size_as_sent(sent));
                            if !self.offloader.may_store(sent) {
                                return Err(too_large());
                            }
                            let stored = self.offload(topic, sent).await?.ok_or_else(too_large)?;
                            headers = native(&stored)?;
                            placeholder = Some(stored);
                        }
                        code => return Err(Error::of_code(&operation(), Some(code), &code.to_string())),
                    }
                }
            }
        }
    }

    /// Waits for room in the queue: for an eighth of it, since waking up for each message would cost more than sending it.
    async fn room(&self) {
        match self.context().unsent.count() {
            // librdkafka has yet to free what was reported last.
            0 => _ = timeout(Duration::from_millis(1), std::future::pending::<()>()).await,
            unsent => self.context().unsent.at_most(unsent - unsent.div_ceil(8)).await,
        }
    }

    /// Waits until every queued message is confirmed or has failed. Without a produce time-out it waits for ever, as long as
    /// the broker does not answer.
    ///
    /// # Errors
    /// Kind `Undelivered`, with the messages that were not delivered, but for those whose fate was told already.
    pub async fn flush(&self) -> Result<(), Error> {
        self.context().unsent.at_most(0).await;
        self.report(true)
    }

    /// The same, for so long at most; what is unsent by then stays queued.
    ///
    /// # Errors
    /// As [`flush`](Self::flush), also while some are unsent; kind `TimedOut`, which says how many are unsent, when none has
    /// failed.
    pub async fn flush_within(&self, patience: Duration) -> Result<(), Error> {
        let in_time = timeout(patience, self.context().unsent.at_most(0)).await;
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
        let mut in_time = timeout(patience, self.context().unsent.at_most(0)).await;
        if in_time.is_none() {
            self.worker.purge();
            in_time = timeout(SETTLING, self.context().unsent.at_most(0)).await;
        }
        self.report(in_time.is_some())
    }

    /// Waits on this thread for so long at most, then gives up what is left; whether the fate of every message is known.
    fn send_or_give_up(&self, patience: Duration) -> bool {
        if block_on_until(self.context().unsent.at_most(0), deadline(patience)).is_some() {
            return true;
        }
        self.worker.purge();
        block_on_until(self.context().unsent.at_most(0), deadline(SETTLING)).is_some()
    }

    /// What `flush` and `close` say, whether or not the fate of every message was known in time.
    fn report(&self, in_time: bool) -> Result<(), Error> {
        let report = self.context().failures.report();
        let unsent = if in_time { 0 } else { self.unsent() };
        match (unsent, report) {
            (0, report) => report,
            (_, Err(error)) => Err(error.help(format!("`Error::undelivered` hands them back; {}", open(unsent)))),
            (_, Ok(())) => Err(Error::new(ErrorKind::TimedOut, open(unsent))
                .help("check the connection to the broker, or allow more time")),
        }
    }
}

/// Hands a message back that has a header whose name readers would not get whole.
pub(super) fn with_sendable_names(topic: &str, message: Outgoing) -> Result<Outgoing, Error> {
    let Some(header) = message.headers.iter().find(|header| !is_sendable(&header.name)) else { return Ok(message) };
    let name = header.name.escape_debug();
    let error = Error::new(ErrorKind::Usage, format!("writing to `{topic}`: the header name `{name}` contains NUL"));
    Err(error.help("readers would get the part before it; rename the header").hand_back(topic.to_owned(), message))
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
        self.send_or_give_up(if self.worker.has_purged() { Duration::ZERO } else { GRACE });
        self.context().complaint.note_closing();
        let (lost, unsent) = (self.context().failures.take(), self.unsent());
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
