//! What became of each message.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use hop_core::{Headers, Outgoing};
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message as _};
use rdkafka::producer::{DeliveryResult, ProducerContext};
use tokio::sync::{oneshot, watch};

use crate::config::{Complaint, log};
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

/// The fate of one message; await it to know.
///
/// A failure that is not learned of here is told by the publisher's `flush` or `close`.
#[derive(Debug)]
#[must_use = "the fate of the message is told when it is awaited, or by the publisher's `flush`"]
pub struct Delivery {
    fate: oneshot::Receiver<Fate>,
    number: u64,
    ledger: Arc<Ledger>,
}

impl Future for Delivery {
    type Output = Result<Delivered, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let fate = std::task::ready!(Pin::new(&mut self.fate).poll(context));
        self.ledger.strike(self.number);
        Poll::Ready(match fate {
            Ok(fate) => fate.map_err(|undelivered| Error::undelivered_messages(vec![undelivered])),
            Err(_) => Err(Error::new(ErrorKind::Kafka, "the publisher ended before the message's fate was known")),
        })
    }
}

/// What librdkafka carries along with a message, and hands back with its fate.
#[derive(Debug)]
pub(super) struct Ticket {
    tell: oneshot::Sender<Fate>,
    number: u64,
    ledger: Arc<Ledger>,
}

impl Ticket {
    pub(super) fn new(deliveries: &Deliveries) -> (Self, Delivery) {
        let ledger = &deliveries.ledger;
        ledger.outstanding.fetch_add(1, Ordering::AcqRel);
        let number = ledger.next.fetch_add(1, Ordering::Relaxed);
        let (tell, fate) = oneshot::channel();
        let ticket = Self { tell, number, ledger: Arc::clone(ledger) };
        (ticket, Delivery { fate, number, ledger: Arc::clone(ledger) })
    }

    /// The message was not queued after all.
    pub(super) fn withdraw(self) {
        // Whoever waits for room in the queue learns nothing by this; whoever waits for the last message does.
        if self.ledger.outstanding.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.ledger.changed.send_replace(());
        }
    }

    fn tell(self, fate: Fate) {
        match &fate {
            Ok(_) => self.ledger.delivered.store(true, Ordering::Release),
            Err(undelivered) => self.ledger.enter(self.number, undelivered.clone()),
        }
        // Where nobody waits for it, it stands in the ledger.
        let _waiting = self.tell.send(fate);
        self.ledger.outstanding.fetch_sub(1, Ordering::AcqRel);
        self.ledger.changed.send_replace(());
    }
}

#[derive(Debug, Default)]
struct Ledger {
    next: AtomicU64,
    outstanding: AtomicUsize,
    /// Whether any message was ever delivered.
    delivered: AtomicBool,
    /// What failed and was not told yet, by the number of the message.
    undelivered: Mutex<BTreeMap<u64, Undelivered>>,
    changed: watch::Sender<()>,
}

impl Ledger {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Undelivered>> {
        self.undelivered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, number: u64, undelivered: Undelivered) {
        self.lock().insert(number, undelivered);
    }

    fn strike(&self, number: u64) {
        self.lock().remove(&number);
    }
}

/// Librdkafka's context of a writer: it hears complaints, and the fate of each message.
#[derive(Debug, Default)]
pub(super) struct Deliveries {
    pub(super) complaint: Complaint,
    ledger: Arc<Ledger>,
}

impl Deliveries {
    pub(super) fn outstanding(&self) -> usize {
        self.ledger.outstanding.load(Ordering::Acquire)
    }

    /// Changes whenever the fate of a message becomes known, from this call on.
    pub(super) fn watch(&self) -> watch::Receiver<()> {
        self.ledger.changed.subscribe()
    }

    pub(super) fn take_undelivered(&self) -> Vec<Undelivered> {
        std::mem::take(&mut *self.ledger.lock()).into_values().collect()
    }

    /// Whether the broker refuses us, and always has; or there is no token to ask it with, nor will be.
    pub(super) fn is_refused(&self) -> bool {
        !self.ledger.delivered.load(Ordering::Acquire)
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
        let code = error.rdkafka_error_code();
        let operation = format!("writing to `{}`", message.topic());
        // A time-out only says that time is over; what was heard meanwhile says why.
        let cause = match code {
            Some(
                RDKafkaErrorCode::MessageTimedOut | RDKafkaErrorCode::PurgeQueue | RDKafkaErrorCode::PurgeInflight,
            ) => self.complaint.error(&operation),
            _ => None,
        };
        let text = match code {
            Some(RDKafkaErrorCode::PurgeInflight) => "given up on its way; it may have arrived".to_owned(),
            Some(RDKafkaErrorCode::PurgeQueue) => "given up before it was sent".to_owned(),
            Some(code) => code.to_string(),
            None => error.to_string(),
        };
        let error = Error::of_code(&operation, code, &text);
        let reason = match cause {
            Some(cause) => format!("{error}; last heard: {cause}"),
            None => error.to_string(),
        };
        Undelivered {
            topic: message.topic().to_owned(),
            message: Outgoing {
                content: bytes::Bytes::copy_from_slice(message.payload().unwrap_or_default()),
                key: message.key().map(bytes::Bytes::copy_from_slice),
                headers: message.headers().map_or_else(Headers::new, crate::record::headers),
            },
            reason,
        }
    }
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.complaint.hear(&error, reason);
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Box<Ticket>;

    fn delivery(&self, result: &DeliveryResult<'_>, ticket: Box<Ticket>) {
        ticket.tell(match result {
            Ok(message) => Ok(Delivered { partition: message.partition(), offset: message.offset() }),
            Err((error, message)) => Err(self.undelivered(error, message)),
        });
    }
}
