//! The way of a message into librdkafka's queue, or into the archive if it is too large.

use std::ffi::CString;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hop_core::Outgoing;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::producer::{BaseProducer, Producer as _};

use super::context::WriterContext;
use super::delivery::{Callback, Delivery};
use super::max_message_size::Limits;
use super::offload::Offloader;
use super::send::{SHARED_FROM, send};
use crate::record::{native_headers, size_as_sent};
use crate::time::timeout;
use crate::{Error, ErrorKind, Undelivered};

/// Queues the messages of one writer.
pub(super) struct Outlet {
    pub(super) producer: Arc<BaseProducer<WriterContext>>,
    pub(super) limits: Limits,
    /// Stores what is too large for its topic.
    pub(super) offloader: Arc<Offloader>,
    /// Whether messages are smaller on their way than they are here.
    pub(super) compressed: bool,
}

impl fmt::Debug for Outlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outlet").field("compressed", &self.compressed).finish_non_exhaustive()
    }
}

impl Outlet {
    pub(super) fn context(&self) -> &WriterContext {
        self.producer.context()
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

    /// Stores a message that is too large for its topic, or any message where the writer stores all; returns its placeholder.
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
                        RDKafkaErrorCode::QueueFull => self.wait_for_room().await,
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
    async fn wait_for_room(&self) {
        match self.context().unsent.count() {
            // librdkafka has yet to free what was reported last.
            0 => _ = timeout(Duration::from_millis(1), std::future::pending::<()>()).await,
            unsent => self.context().unsent.at_most(unsent - unsent.div_ceil(8)).await,
        }
    }
}
