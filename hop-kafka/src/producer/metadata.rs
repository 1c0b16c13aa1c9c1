//! Brokers and topics, asked through a writer's client.

use std::time::{Duration, Instant};

use rdkafka::client::{Client, ClientContext};
use rdkafka::metadata::Metadata;

use crate::Error;
use crate::complaint::Complaint;
use crate::error::is_transient;
use crate::time::for_librdkafka;

/// How long the first attempt waits before the connection's errors are looked at; each further one waits twice as long.
const FIRST_ATTEMPT: Duration = Duration::from_secs(1);

/// Returns brokers and topics, waiting on this thread, for at most `within` and only while someone waits for the answer.
pub(super) fn metadata<C: ClientContext>(
    client: &Client<C>,
    complaint: &Complaint,
    operation: &str,
    within: Duration,
    nobody_waits: impl Fn() -> bool,
) -> Result<Metadata, Error> {
    let (started, mut attempt) = (Instant::now(), FIRST_ATTEMPT);
    loop {
        let left = within.saturating_sub(started.elapsed());
        let error = match client.fetch_metadata(None, for_librdkafka(left.min(attempt))) {
            Ok(metadata) => {
                complaint.note_served();
                return Ok(metadata);
            }
            Err(error) => error,
        };
        if let Some(hopeless) = complaint.hopeless(operation) {
            return Err(hopeless);
        }
        if !error.rdkafka_error_code().is_some_and(is_transient) {
            return Err(Error::kafka(operation, error));
        }
        if left <= attempt || nobody_waits() {
            return Err(complaint.error(operation).unwrap_or_else(|| Error::timed_out(operation, within)));
        }
        attempt = attempt.saturating_mul(2);
    }
}
