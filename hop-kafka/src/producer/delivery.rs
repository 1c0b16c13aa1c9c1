//! What became of each message.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use hop_core::{Headers, Outgoing};
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message as _};
use rdkafka::producer::{DeliveryResult, ProducerContext};
use tokio::sync::{oneshot, watch};

use crate::config::{Complaint, log};
use crate::error::{Error, Undelivered};

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
/// Dropped without having been awaited, a failure goes to the publisher, whose `flush` or `close` reports it.
#[derive(Debug)]
pub struct Delivery {
    fate: oneshot::Receiver<Fate>,
    told: bool,
    ledger: Arc<Ledger>,
}

impl Future for Delivery {
    type Output = Result<Delivered, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let fate = std::task::ready!(Pin::new(&mut self.fate).poll(context));
        self.told = true;
        Poll::Ready(match fate {
            Ok(fate) => fate.map_err(|undelivered| Error::undelivered_messages(vec![undelivered])),
            Err(_) => {
                Err(Error::new(crate::ErrorKind::Kafka, "the publisher ended before the message's fate was known"))
            }
        })
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if !self.told {
            // From here on the other side sees that nobody waits; what it said before that is passed on.
            self.fate.close();
            if let Ok(Err(undelivered)) = self.fate.try_recv() {
                self.ledger.keep(undelivered);
            }
        }
    }
}

/// What librdkafka carries along with a message, and hands back with its fate.
#[derive(Debug)]
pub(super) struct Ticket {
    tell: oneshot::Sender<Fate>,
    ledger: Arc<Ledger>,
}

impl Ticket {
    pub(super) fn new(deliveries: &Deliveries) -> (Self, Delivery) {
        let ledger = &deliveries.ledger;
        ledger.outstanding.fetch_add(1, Ordering::AcqRel);
        let (tell, fate) = oneshot::channel();
        let ticket = Self { tell, ledger: Arc::clone(ledger) };
        (ticket, Delivery { fate, told: false, ledger: Arc::clone(ledger) })
    }

    /// The message was not queued after all.
    pub(super) fn withdraw(self) {
        self.ledger.settle();
    }

    fn tell(self, fate: Fate) {
        if let Err(Err(undelivered)) = self.tell.send(fate) {
            self.ledger.keep(undelivered);
        }
        self.ledger.settle();
    }
}

#[derive(Debug, Default)]
struct Ledger {
    outstanding: AtomicUsize,
    /// What failed and nobody waited for.
    undelivered: Mutex<Vec<Undelivered>>,
    changed: watch::Sender<()>,
}

impl Ledger {
    fn keep(&self, undelivered: Undelivered) {
        self.undelivered.lock().unwrap_or_else(PoisonError::into_inner).push(undelivered);
    }

    fn settle(&self) {
        self.outstanding.fetch_sub(1, Ordering::AcqRel);
        self.changed.send_replace(());
    }
}

/// Librdkafka's context of a writer: it hears complaints, and the fate of each message.
#[derive(Debug, Default)]
pub(super) struct Deliveries {
    complaint: Complaint,
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
        std::mem::take(&mut *self.ledger.undelivered.lock().unwrap_or_else(PoisonError::into_inner))
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
        let text = code.map_or_else(|| error.to_string(), |code| code.to_string());
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
