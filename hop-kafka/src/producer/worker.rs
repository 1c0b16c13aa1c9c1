//! The thread that polls librdkafka for a writer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rdkafka::producer::{BaseProducer, Producer as _, PurgeConfig};

use super::context::WriterContext;
use crate::Error;
use crate::blocking::spawn;

/// How soon the thread sees that it is to purge or to end. Delivery reports are dealt with as they come.
const POLL: Duration = Duration::from_millis(100);

#[derive(Debug, Default)]
struct Orders {
    /// Fail what is queued or on its way; there is a report on each message.
    purge: AtomicBool,
    end: AtomicBool,
}

/// Polls for delivery reports. Dropping this stops the thread; the client is then destroyed by the last thread that still
/// uses it.
#[derive(Debug)]
pub(super) struct Worker(Arc<Orders>);

impl Worker {
    pub(super) fn start(producer: Arc<BaseProducer<WriterContext>>) -> Result<Self, Error> {
        let orders = Arc::new(Orders::default());
        let worker = Self(Arc::clone(&orders));
        spawn("hop-writer", move || {
            #[cfg(feature = "metrics")]
            let mut report = crate::metrics::WriterReport::new();
            while !orders.end.load(Ordering::Acquire) {
                producer.poll(POLL);
                #[cfg(feature = "metrics")]
                if report.is_due() {
                    report.report(producer.context().tally.read());
                }
                // A wrong password does not mend with time: what waits for the first contact is returned at once.
                if orders.purge.load(Ordering::Acquire) || producer.context().is_refused() {
                    // Not waiting for librdkafka's threads: one may hang in the resolution of a name.
                    producer.purge(PurgeConfig::default().queue().inflight().non_blocking());
                }
            }
            #[cfg(feature = "metrics")]
            report.report(producer.context().tally.read());
        })?;
        Ok(worker)
    }

    pub(super) fn purge(&self) {
        self.0.purge.store(true, Ordering::Release);
    }

    pub(super) fn has_purged(&self) -> bool {
        self.0.purge.load(Ordering::Acquire)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.0.end.store(true, Ordering::Release);
    }
}
