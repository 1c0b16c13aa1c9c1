//! What became of each message.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use hop_core::{Headers, Outgoing};
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message as _};
use rdkafka::producer::{DeliveryResult, ProducerContext};
use tokio::sync::{oneshot, watch};

use super::limit::size_as_sent;
use crate::blocking::poll_own;
use crate::complaint::Complaint;
use crate::counters::WriteTally;
use crate::error::{Error, ErrorKind, Undelivered};

/// Where a message ended up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivered {
    /// The partition, from zero.
    pub partition: i32,
    /// The offset in it, from zero.
    pub offset: i64,
}

type Fate = Result<Delivered, Undelivered>;

/// What is called once the fate of a message is known.
pub(super) type Callback = Box<dyn FnOnce(Result<Delivered, Undelivered>) + Send>;

/// How much may have failed without anyone having looked: so many messages or so many bytes of content.
const UNTOLD_MESSAGES: usize = 10_000;
const UNTOLD_BYTES: usize = 64 << 20;

/// The fate of one message; await it to know.
///
/// A failure that is not learned of here is told by the publisher's `flush` or `close`.
#[must_use = "the fate of the message is told when it is awaited, or by the publisher's `flush`"]
pub struct Delivery {
    fate: oneshot::Receiver<Fate>,
    number: u64,
    ledger: Arc<Ledger>,
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery").field("message", &self.number).finish_non_exhaustive()
    }
}

impl Delivery {
    /// The fate, waiting for it on this thread.
    ///
    /// # Errors
    /// As awaiting it: kind `Undelivered`, with the message.
    pub fn wait_blocking(self) -> Result<Delivered, Error> {
        crate::blocking::block_on(self)
    }
}

impl Future for Delivery {
    type Output = Result<Delivered, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let fate = std::task::ready!(poll_own(context, |context| Pin::new(&mut self.fate).poll(context)));
        self.ledger.strike(self.number);
        Poll::Ready(match fate {
            Ok(fate) => fate.map_err(|undelivered| Error::undelivered_messages(vec![undelivered])),
            Err(_) => Err(Error::new(ErrorKind::Kafka, "the publisher ended before the message's fate was known")),
        })
    }
}

/// What librdkafka carries along with a message, and hands back with its fate.
pub(super) struct Ticket {
    tell: oneshot::Sender<Fate>,
    /// Never locked: librdkafka carries only what threads may share.
    callback: Mutex<Option<Callback>>,
    number: u64,
    ledger: Arc<Ledger>,
}

impl Ticket {
    pub(super) fn new(deliveries: &Deliveries, callback: Option<Callback>) -> (Self, Delivery) {
        let ledger = &deliveries.ledger;
        ledger.outstanding.fetch_add(1, Ordering::AcqRel);
        let number = ledger.next.fetch_add(1, Ordering::Relaxed);
        let (tell, fate) = oneshot::channel();
        let ticket = Self { tell, callback: Mutex::new(callback), number, ledger: Arc::clone(ledger) };
        (ticket, Delivery { fate, number, ledger: Arc::clone(ledger) })
    }

    /// The message was not queued after all; whoever was to be called is not.
    pub(super) fn withdraw(self) -> Option<Callback> {
        // Whoever waits for room in the queue learns nothing by this; whoever waits for the last message does.
        if self.ledger.outstanding.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.ledger.changed.send_replace(());
        }
        self.callback.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(self, fate: Fate) {
        match (&fate, self.callback.into_inner().unwrap_or_else(PoisonError::into_inner)) {
            (_, Some(callback)) => call(callback, fate.clone()),
            (Err(undelivered), None) => self.ledger.untold().enter(self.number, undelivered.clone()),
            (Ok(_), None) => {}
        }
        // Where nobody waits for it, it stands in the ledger.
        let _waiting = self.tell.send(fate);
        self.ledger.outstanding.fetch_sub(1, Ordering::AcqRel);
        self.ledger.changed.send_replace(());
    }
}

/// Someone else's code on the writer's thread: where it panics, the writer goes on.
fn call(callback: Callback, fate: Fate) {
    if catch_unwind(AssertUnwindSafe(|| callback(fate))).is_err() {
        tracing::error!(target: "hop", "what was to be called on a message's delivery panicked");
    }
}

/// What failed and was not told yet, by the number of the message.
#[derive(Debug, Default)]
struct Untold {
    messages: BTreeMap<u64, Undelivered>,
    bytes: usize,
}

impl Untold {
    fn enter(&mut self, number: u64, undelivered: Undelivered) {
        self.bytes += undelivered.message.content.len();
        self.messages.insert(number, undelivered);
    }

    fn strike(&mut self, number: u64) {
        if let Some(undelivered) = self.messages.remove(&number) {
            self.bytes -= undelivered.message.content.len();
        }
    }

    fn take(&mut self) -> Vec<Undelivered> {
        self.bytes = 0;
        std::mem::take(&mut self.messages).into_values().collect()
    }

    fn is_too_much(&self) -> bool {
        self.messages.len() >= UNTOLD_MESSAGES || self.bytes >= UNTOLD_BYTES
    }
}

#[derive(Debug, Default)]
struct Ledger {
    next: AtomicU64,
    outstanding: AtomicUsize,
    untold: Mutex<Untold>,
    changed: watch::Sender<()>,
}

impl Ledger {
    fn untold(&self) -> MutexGuard<'_, Untold> {
        self.untold.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn strike(&self, number: u64) {
        self.untold().strike(number);
    }
}

/// Librdkafka's context of a writer: it hears complaints, and the fate of each message.
#[derive(Debug)]
pub(super) struct Deliveries {
    pub(super) complaint: Complaint,
    pub(super) tally: WriteTally,
    ledger: Arc<Ledger>,
}

impl Deliveries {
    pub(super) fn new(complaint: Complaint) -> Self {
        Self { complaint, tally: WriteTally::default(), ledger: Arc::default() }
    }

    pub(super) fn outstanding(&self) -> usize {
        self.ledger.outstanding.load(Ordering::Acquire)
    }

    /// Changes whenever the fate of a message becomes known, from this call on.
    pub(super) fn watch(&self) -> watch::Receiver<()> {
        self.ledger.changed.subscribe()
    }

    pub(super) fn take_undelivered(&self) -> Vec<Undelivered> {
        self.ledger.untold().take()
    }

    /// What failed and was not told yet, once it is so much that no more is to be written before someone looks.
    pub(super) fn too_much_undelivered(&self) -> Option<Vec<Undelivered>> {
        let mut untold = self.ledger.untold();
        untold.is_too_much().then(|| untold.take())
    }

    /// Whether the broker refuses us, and always has; or there is no token to ask it with, nor will be.
    pub(super) fn is_refused(&self) -> bool {
        self.tally.read().delivered == 0
            && self.outstanding() > 0
            && self.complaint.hopeless("publishing").is_some_and(|error| {
                matches!(error.kind(), ErrorKind::Authentication | ErrorKind::Tls | ErrorKind::TimedOut)
            })
    }

    pub(super) fn report(&self) -> Result<(), Error> {
        let undelivered = self.take_undelivered();
        if undelivered.is_empty() { Ok(()) } else { Err(Error::undelivered_messages(undelivered)) }
    }

    fn undelivered(&self, error: &KafkaError, message: &BorrowedMessage<'_>) -> Undelivered {
        let outgoing = Outgoing {
            content: message.payload().map(bytes::Bytes::copy_from_slice).into(),
            key: message.key().map(bytes::Bytes::copy_from_slice),
            headers: message.headers().map_or_else(Headers::new, crate::record::headers),
        };
        let code = error.rdkafka_error_code();
        let operation = format!("writing to `{}`", message.topic());
        let given_up = match code {
            Some(RDKafkaErrorCode::PurgeInflight) => Some("given up on its way; it may have arrived"),
            Some(RDKafkaErrorCode::PurgeQueue) => Some("given up before it was sent"),
            Some(RDKafkaErrorCode::MessageTimedOut) => Some("it could not be sent in time"),
            _ => None,
        };
        // That only says that time is over; what was heard meanwhile says why.
        let (kind, reason) = match (given_up, self.complaint.told()) {
            (Some(what), Some((kind, cause))) => (kind, format!("{operation}: {what}; last heard: {cause}")),
            (Some(what), None) => {
                let help = "check the connection to the broker, or allow more time";
                (ErrorKind::TimedOut, format!("{operation}: {what}; {help}"))
            }
            (None, _) => {
                let text = match code {
                    Some(code @ RDKafkaErrorCode::MessageSizeTooLarge) => {
                        format!("{code}: it has {} bytes with its headers", size_as_sent(&outgoing))
                    }
                    Some(code) => code.to_string(),
                    None => error.to_string(),
                };
                let error = Error::of_code(&operation, code, &text);
                (error.kind(), error.to_string())
            }
        };
        Undelivered { topic: message.topic().to_owned(), message: outgoing, kind, reason }
    }
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.complaint.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.tally.error();
        self.complaint.hear(&error, reason);
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Box<Ticket>;

    fn delivery(&self, result: &DeliveryResult<'_>, ticket: Box<Ticket>) {
        ticket.tell(match result {
            Ok(message) => {
                self.complaint.note_served();
                self.tally.delivered(message.payload_len());
                Ok(Delivered { partition: message.partition(), offset: message.offset() })
            }
            Err((error, message)) => {
                self.tally.failed();
                Err(self.undelivered(error, message))
            }
        });
    }
}
