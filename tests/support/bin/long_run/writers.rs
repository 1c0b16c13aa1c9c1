//! Two writers: one as they are by default, and an idempotent one. Even numbers are the former's, odd ones the latter's, so
//! are the keys.

use std::sync::Arc;
use std::time::Duration;

use hop_core::{JsonBlob, Value};
use hop_kafka::Publisher;

use crate::book::{Book, Spot};

/// What pads each message to the size of a small alert.
const TEXT: &str =
    "The quick look at the field shows one new source within the error circle; further observations follow. ";

pub(crate) fn message(number: u32) -> JsonBlob {
    Value::object([("n", i64::from(number).into()), ("text", TEXT.repeat(2).into())]).into()
}

pub(crate) fn number(message: &JsonBlob) -> Option<u32> {
    message.content["n"].as_i64()?.try_into().ok()
}

/// The first number of each writer; the others follow in steps of two.
pub(crate) const PLAIN: u32 = 0;
pub(crate) const IDEMPOTENT: u32 = 1;

/// Writes every other number, evenly over the time, and waits for all confirmations; gives what was not delivered.
pub(crate) async fn write(
    out: Publisher,
    first: u32,
    keys: u32,
    book: Arc<Book>,
    lasting: Duration,
) -> Result<(), hop_kafka::Error> {
    for number in (first..book.messages()).step_by(2) {
        let due = lasting.mul_f64(f64::from(number) / f64::from(book.messages()));
        if let Some(early) = due.checked_sub(book.started().elapsed()).filter(|early| early.as_millis() > 2) {
            tokio::time::sleep(early).await;
        }
        let delivery = out.write(&message(number)).key((number % keys).to_string()).queue().await?;
        book.note_queued(number);
        let book = Arc::clone(&book);
        tokio::spawn(async move {
            match delivery.await {
                Ok(delivered) => book.note_confirmed(number, Spot::new(delivered.partition, delivered.offset)),
                Err(error) => eprintln!("long: message {number}: {error}"),
            }
        });
    }
    out.close().await
}
