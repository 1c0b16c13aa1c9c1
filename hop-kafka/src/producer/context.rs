//! What librdkafka calls on behalf of a writer: errors, logs, and the report on each message.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use bytes::Bytes;
use hop_core::{Headers, Outgoing};
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message as _};
use rdkafka::producer::{BaseProducer, DeliveryResult, ProducerContext};

use super::delivery::{Callback, Delivered, InFlight};
use super::failures::UnreportedFailures;
use super::offload::Offloader;
use super::unsent::Unsent;
use crate::complaint::Complaint;
use crate::counters::WriteTally;
use crate::error::{Error, ErrorKind, Undelivered};
use crate::record::size_as_sent;

/// The context of a writer's client.
#[derive(Debug)]
pub(super) struct WriterContext {
    pub(super) complaint: Complaint,
    pub(super) tally: WriteTally,
    pub(super) failures: Arc<UnreportedFailures>,
    pub(super) unsent: Unsent,
    /// Stores what the broker finds too large; and the client that sends the placeholders.
    offloader: OnceLock<(Arc<Offloader>, Weak<BaseProducer<Self>>)>,
    /// What the broker finds too large is reported as undelivered instead, for whoever has to keep the order.
    reports_too_large: AtomicBool,
    /// The number of the next message.
    next: AtomicU64,
}

impl WriterContext {
    pub(super) fn new(complaint: Complaint) -> Self {
        Self {
            complaint,
            tally: WriteTally::default(),
            failures: Arc::default(),
            unsent: Unsent::default(),
            offloader: OnceLock::new(),
            reports_too_large: AtomicBool::new(false),
            next: AtomicU64::new(0),
        }
    }

    /// Stores what the broker finds too large from now on.
    pub(super) fn set_offloader(&self, offloader: Arc<Offloader>, producer: &Arc<BaseProducer<Self>>) {
        // It is set once, when the writer is made.
        let _was_unset = self.offloader.set((offloader, Arc::downgrade(producer)));
    }

    /// Sets whether what the broker finds too large is reported as undelivered, and not stored.
    pub(super) fn report_too_large(&self, reports: bool) {
        self.reports_too_large.store(reports, Ordering::Release);
    }

    /// Stores a message that the broker has refused, if it is too large; otherwise gives it back.
    fn offload(
        &self,
        code: Option<RDKafkaErrorCode>,
        undelivered: Undelivered,
        in_flight: &Arc<InFlight>,
    ) -> Option<Undelivered> {
        match self.offloader.get() {
            Some((offloader, producer))
                if code == Some(RDKafkaErrorCode::MessageSizeTooLarge)
                    && !self.reports_too_large.load(Ordering::Acquire)
                    && offloader.is_on() =>
            {
                offloader.replace_refused(producer, undelivered, in_flight)
            }
            _ => Some(undelivered),
        }
    }

    /// Counts a message that is about to be queued.
    pub(super) fn begin(&self, content: Option<Bytes>, callback: Option<Callback>) -> Arc<InFlight> {
        self.unsent.begin();
        InFlight::new(&self.failures, self.next.fetch_add(1, Ordering::Relaxed), content, callback)
    }

    /// Returns true if nothing was ever delivered and authentication cannot succeed: the broker rejects the credential, or
    /// no token can be obtained.
    pub(super) fn is_refused(&self) -> bool {
        self.unsent.count() > 0
            && self.tally.read().delivered == 0
            && self.complaint.hopeless("publishing").is_some_and(|error| {
                matches!(error.kind(), ErrorKind::Authentication | ErrorKind::Tls | ErrorKind::TimedOut)
            })
    }

    fn undelivered(&self, error: &KafkaError, message: &BorrowedMessage<'_>) -> Undelivered {
        let outgoing = Outgoing {
            content: message.payload().map(Bytes::copy_from_slice).into(),
            key: message.key().map(Bytes::copy_from_slice),
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
        // The code only says that time ran out; the connection's last error says why.
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

impl ClientContext for WriterContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.complaint.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.tally.error();
        #[cfg(feature = "metrics")]
        crate::metrics::write_error(Error::kind_of(&error));
        self.complaint.hear(&error, reason);
    }
}

impl ProducerContext for WriterContext {
    type DeliveryOpaque = Arc<InFlight>;

    fn delivery(&self, result: &DeliveryResult<'_>, in_flight: Arc<InFlight>) {
        let reported = match result {
            Ok(message) => {
                self.complaint.note_served();
                self.tally.delivered(message.payload_len());
                #[cfg(feature = "metrics")]
                metrics::histogram!("hop_write_delivery_seconds").record(in_flight.elapsed());
                Ok(Delivered { partition: message.partition(), offset: message.offset() })
            }
            Err((error, message)) => {
                let undelivered = self.undelivered(error, message);
                let Some(undelivered) = self.offload(error.rdkafka_error_code(), undelivered, &in_flight) else {
                    return;
                };
                self.tally.failed();
                Err(undelivered)
            }
        };
        in_flight.report(reported);
        self.unsent.end();
    }
}
