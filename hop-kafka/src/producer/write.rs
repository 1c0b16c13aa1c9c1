//! One message on its way out.

use std::fmt;
use std::sync::Arc;

use hop_core::{AnyModel, Encoder, Headers, Outgoing};

use super::delivery::Callback;
use super::framer::Framer;
use super::{Delivered, Delivery, JournaledPublisher, Publisher};
use crate::{Error, Undelivered};

/// One message: its model, and what goes beside it.
///
/// [`send`](Self::send) waits until the broker has confirmed it; [`queue`](Self::queue) only until it is queued, which is
/// what many messages in a row want.
#[must_use = "a message is written by `send` or `queue`"]
pub struct Write<'a> {
    publisher: &'a Publisher,
    /// Accepts the message in the publisher's place.
    journal: Option<&'a JournaledPublisher>,
    model: &'a dyn AnyModel,
    encoder: Encoder,
    topic: Option<String>,
    callback: Option<Callback>,
}

impl fmt::Debug for Write<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Write").field("model", &self.model).field("topic", &self.topic).finish_non_exhaustive()
    }
}

impl<'a> Write<'a> {
    pub(super) fn new(publisher: &'a Publisher, model: &'a dyn AnyModel) -> Self {
        let encoder = Encoder::new().sender(publisher.sender.as_deref());
        Self { publisher, journal: None, model, encoder, topic: None, callback: None }
    }

    pub(super) fn to_journal(journal: &'a JournaledPublisher, model: &'a dyn AnyModel) -> Self {
        Self { journal: Some(journal), ..Self::new(journal.publisher(), model) }
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

    /// Calls `callback` when the message is delivered or has failed. It is not called if the message was never queued.
    /// `flush` and `close` do not return a failure that the callback has received.
    ///
    /// It is called on the writer's thread: while it runs, no other delivery is reported, and waiting there for this writer
    /// never ends. A panic in it is logged and harms nothing else.
    pub fn on_delivery(mut self, callback: impl FnOnce(Result<Delivered, Undelivered>) + Send + 'static) -> Self {
        self.callback = Some(Box::new(callback));
        self
    }

    /// Queues the message, waiting while the queue is full; with a journal, accepts it there.
    ///
    /// The first message of more than 128 KiB also waits until the broker has told how much the topic takes, for as long as
    /// the stream's connect time-out at most. Where it does not tell, the message is queued, and the broker takes it or not.
    ///
    /// # Errors
    /// Kind `Encode` for the model, a reserved header or the writer's framing; kind `Usage` when it is not clear which topic. With the message
    /// handed back: kind `TooLarge` when the topic takes no message of this size, and kind `Undelivered` when so many messages
    /// before it have failed, and nobody looked, that this is the place to say so: it hands them back too; kind `Journal`
    /// when the journal does not accept it.
    pub async fn queue(self) -> Result<Delivery, Error> {
        let topic = self.publisher.topic(self.topic.as_deref())?;
        let message = self.encoder.encode(self.model).map_err(Error::encode)?;
        let message = match &self.publisher.framer {
            None => message,
            Some(framer) => match framer.wrap_at_once(topic, message)? {
                Ok(framed) => framed,
                Err(message) => {
                    return Self::queue_in_turn(self.publisher, self.journal, framer, topic, message, self.callback)
                        .await;
                }
            },
        };
        match self.journal {
            Some(journal) => journal.accept(topic, message, self.callback).await,
            None => self.publisher.outlet.queue(topic, message, self.callback).await,
        }
    }

    /// Queues a message that has to wait for its frame.
    async fn queue_in_turn(
        publisher: &Publisher,
        journal: Option<&JournaledPublisher>,
        framer: &Framer,
        topic: &str,
        message: Outgoing,
        callback: Option<Callback>,
    ) -> Result<Delivery, Error> {
        let to = topic.to_owned();
        match journal {
            Some(journal) => {
                let submit = journal.submitter();
                let submit = move |framed| std::future::ready(submit(&to, framed, callback));
                JournaledPublisher::accepted(framer.wrap_in_turn(topic, message, submit).await?).await
            }
            None => {
                let outlet = Arc::clone(&publisher.outlet);
                let queue = move |framed| async move { outlet.queue(&to, framed, callback).await };
                framer.wrap_in_turn(topic, message, queue).await
            }
        }
    }

    /// Sends the message and waits until the broker has it.
    ///
    /// # Errors
    /// As [`queue`](Self::queue); kind `Undelivered`, with the message, when the broker does not take it in time.
    pub async fn send(self) -> Result<Delivered, Error> {
        self.queue().await?.await
    }
}
