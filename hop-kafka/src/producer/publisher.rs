//! The writer.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hop_core::{AnyModel, Outgoing};

use super::context::WriterContext;
use super::delivery::Delivery;
use super::framer::Framer;
use super::outlet::Outlet;
use super::worker::Worker;
use super::write::Write;
use crate::auth::token::Refresher;
use crate::blocking::block_on_until;
use crate::counters::WriteCounters;
use crate::record::is_sendable;
use crate::time::{deadline, timeout};
use crate::{Error, ErrorKind};

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
    pub(super) outlet: Arc<Outlet>,
    pub(super) topics: Vec<String>,
    pub(super) sender: Option<String>,
    pub(super) framer: Option<Framer>,
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
        self.outlet.queue(topic, with_sendable_names(topic, message)?, None).await
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
        self.outlet.limits.of(self.topic(Some(topic))?).await
    }

    pub(super) fn context(&self) -> &WriterContext {
        self.outlet.context()
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
