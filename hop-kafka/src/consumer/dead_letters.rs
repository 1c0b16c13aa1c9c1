//! What becomes of a message that does not decode.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use hop_core::{Headers, Outgoing, Record};

use crate::{Delivered, Error, Publisher};

/// What a reader does with a message that does not decode.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Undecodable {
    /// Hands over an error that carries the record, and goes on with the next message.
    #[default]
    Yield,
    /// Counts and logs it, and goes on.
    Skip,
    /// Hands over an error that carries the record, and ends. In a group the message is not counted as done.
    Stop,
    /// Sends it to this topic of the same broker, counts and logs it, and goes on. It counts as done once the broker has
    /// confirmed it there; where it cannot be sent, it is handed over as an error.
    ///
    /// Content, key and headers arrive as they were. Behind the headers stand further ones: [`dead_letter`].
    DeadLetter(String),
}

/// The headers that a message in a dead-letter topic has behind its own.
pub mod dead_letter {
    /// Why the message does not decode: the error's sentence.
    pub const REASON: &str = "hop-dead-letter-reason";
    /// The topic that it was read from.
    pub const TOPIC: &str = "hop-dead-letter-topic";
    /// The partition there, from zero, in digits.
    pub const PARTITION: &str = "hop-dead-letter-partition";
    /// The offset there, from zero, in digits.
    pub const OFFSET: &str = "hop-dead-letter-offset";
    /// Its timestamp there: milliseconds since 1970, in digits.
    pub const TIMESTAMP: &str = "hop-dead-letter-timestamp";
    /// When it was put aside: milliseconds since 1970, in digits.
    pub const AT: &str = "hop-dead-letter-at";
    /// What the names of all of these start with.
    pub const PREFIX: &str = "hop-dead-letter-";
}

/// A message from a dead-letter topic as it was before: without the headers that say why it is there.
///
/// Gives the topic that it came from beside it; `None` when the headers do not say.
pub fn restore(record: &Record) -> (Option<String>, Outgoing) {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let topic = record.headers.get_all(dead_letter::TOPIC).last().flatten().map(text);
    let mut headers = Headers::with_capacity(record.headers.len());
    // What stands before the first of them is its own, even under such a name: it may have been put aside twice.
    let count = own(&record.headers);
    for header in record.headers.iter().take(count) {
        headers.push(header.name.clone(), header.value.clone());
    }
    (topic, Outgoing { content: record.content.clone(), key: record.key.clone(), headers })
}

/// How many headers stand before the last group of dead-letter headers.
fn own(headers: &Headers) -> usize {
    headers.iter().rposition(|header| header.name == dead_letter::REASON).unwrap_or(headers.len())
}

/// The message for the dead-letter topic.
pub(super) fn letter(error: &Error, record: &Record) -> Outgoing {
    let mut headers = record.headers.clone();
    let mut add = |name: &str, value: String| headers.push(name, Some(Bytes::from(value)));
    add(dead_letter::REASON, error.to_string());
    if let Some(place) = &record.place {
        add(dead_letter::TOPIC, place.topic.to_string());
        add(dead_letter::PARTITION, place.partition.to_string());
        add(dead_letter::OFFSET, place.offset.to_string());
    }
    if let Some(timestamp) = record.timestamp {
        add(dead_letter::TIMESTAMP, timestamp.to_string());
    }
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    add(dead_letter::AT, now.as_millis().to_string());
    Outgoing { content: record.content.clone(), key: record.key.clone(), headers }
}

/// A dead letter on its way, and the error to hand over if it does not arrive.
pub(super) struct Sending {
    sent: Pin<Box<dyn Future<Output = Result<Delivered, Error>> + Send>>,
    error: Option<Error>,
}

impl Sending {
    pub(super) fn new(publisher: Arc<Publisher>, topic: String, error: Error) -> Result<Self, Error> {
        let Some(record) = error.record() else { return Err(error) };
        let letter = letter(&error, record);
        let sent = Box::pin(async move { publisher.forward(topic, letter).await?.await });
        Ok(Self { sent, error: Some(error) })
    }

    /// Ready once the broker has it; or with the error of the message, which says that it was not sent either.
    pub(super) fn poll(&mut self, context: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Error>> {
        let sent = std::task::ready!(self.sent.as_mut().poll(context));
        std::task::Poll::Ready(match (sent, self.error.take()) {
            (Err(unsent), Some(error)) => {
                Err(error.help(format!("it could not be sent to the dead-letter topic either: {unsent}")))
            }
            (Ok(_), _) | (Err(_), None) => Ok(()),
        })
    }
}
