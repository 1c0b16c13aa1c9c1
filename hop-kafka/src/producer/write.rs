//! One message on its way out.

use hop_core::{AnyModel, Encoder, Headers};

use super::{Delivered, Delivery, Publisher};
use crate::Error;

/// One message: its model, and what goes beside it.
///
/// [`send`](Self::send) waits until the broker has confirmed it; [`queue`](Self::queue) only until it is queued, which is
/// what many messages in a row want.
#[derive(Debug)]
#[must_use = "a message is written by `send` or `queue`"]
pub struct Write<'a> {
    publisher: &'a Publisher,
    model: &'a dyn AnyModel,
    encoder: Encoder,
    topic: Option<String>,
}

impl<'a> Write<'a> {
    pub(super) fn new(publisher: &'a Publisher, model: &'a dyn AnyModel) -> Self {
        let encoder = Encoder::new().sender(publisher.sender.as_deref());
        Self { publisher, model, encoder, topic: None }
    }

    /// Adds a header. A name may come again; names that start with `_` are refused.
    pub fn header(mut self, name: impl Into<String>, value: impl AsRef<[u8]>) -> Self {
        self.encoder = self.encoder.header(name, value);
        self
    }

    /// Adds a header whose value is null.
    pub fn null_header(mut self, name: impl Into<String>) -> Self {
        self.encoder = self.encoder.null_header(name);
        self
    }

    /// Adds headers from a list or a map of names and values.
    pub fn headers<H>(mut self, headers: H) -> Self
    where
        H: IntoIterator,
        Headers: FromIterator<H::Item>,
    {
        self.encoder = self.encoder.headers(headers);
        self
    }

    /// Sets the key; messages with the same key go to the same partition.
    pub fn key(mut self, key: impl AsRef<[u8]>) -> Self {
        self.encoder = self.encoder.key(key);
        self
    }

    /// Marks the message as a test, or not.
    pub fn test(mut self, test: bool) -> Self {
        self.encoder = self.encoder.test(test);
        self
    }

    /// Writes to this topic; needed unless the publisher was opened on exactly one.
    pub fn topic(mut self, topic: impl Into<String>) -> Self {
        self.topic = Some(topic.into());
        self
    }

    /// Queues the message, waiting while the queue is full.
    ///
    /// # Errors
    /// Kind `Encode` for the model or a reserved header; kind `Usage` when it is not clear which topic; kind `TooLarge`.
    pub async fn queue(self) -> Result<Delivery, Error> {
        let topic = self.publisher.topic(self.topic)?;
        let message = self.encoder.encode(self.model).map_err(Error::encode)?;
        self.publisher.queue(topic, message).await
    }

    /// Sends the message and waits until the broker has it.
    ///
    /// # Errors
    /// As [`queue`](Self::queue); kind `Undelivered`, with the message, when the broker does not take it in time.
    pub async fn send(self) -> Result<Delivered, Error> {
        self.queue().await?.await
    }
}
