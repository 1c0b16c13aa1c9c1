//! Which topics there are, asked through a writer's client: unlike a reader's it has no group to leave.

use std::time::{Duration, Instant};

use rdkafka::metadata::Metadata;
use rdkafka::producer::{BaseProducer, Producer as _};
use tokio::sync::oneshot;

use super::Publish;
use super::delivery::Deliveries;
use crate::blocking::{own, spawn};
use crate::error::is_transient;
use crate::{Error, ErrorKind, Stream, Url};

const OPERATION: &str = "listing the topics";
/// How long the first attempt waits before it is seen whether there is any hope; each further one waits twice as long.
const FIRST_ATTEMPT: Duration = Duration::from_secs(1);

/// A topic on a broker.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// How many partitions it has.
    pub partitions: usize,
}

/// The topics of the URL that are there, or all where it names none.
pub(crate) async fn list(stream: Stream, url: Url) -> Result<Vec<Topic>, Error> {
    let within = stream.shared.connect_timeout;
    let named = url.topics().to_vec();
    let client = Publish::new(stream, Ok(url)).start()?;
    let (tell, told) = oneshot::channel();
    spawn("hop-request", move || {
        let answer = metadata(&client.producer, OPERATION, within, || tell.is_closed());
        // Whoever asked may have given up meanwhile.
        let _told = tell.send(answer.map(|metadata| topics(&metadata, &named)));
    })?;
    own(told)
        .await
        .unwrap_or_else(|_| Err(Error::new(ErrorKind::Kafka, format!("{OPERATION}: the thread that asked ended"))))
}

fn topics(metadata: &Metadata, named: &[String]) -> Vec<Topic> {
    let wanted = |name: &str| named.is_empty() || named.iter().any(|named| named == name);
    let there = metadata.topics().iter().filter(|topic| topic.error().is_none() && wanted(topic.name()));
    let mut topics: Vec<_> =
        there.map(|topic| Topic { name: topic.name().to_owned(), partitions: topic.partitions().len() }).collect();
    topics.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    topics
}

/// Brokers and topics, for as long as it may take and someone waits for it. It waits on this thread.
pub(super) fn metadata(
    producer: &BaseProducer<Deliveries>,
    operation: &str,
    within: Duration,
    nobody_waits: impl Fn() -> bool,
) -> Result<Metadata, Error> {
    let complaint = &producer.context().complaint;
    let (started, mut attempt) = (Instant::now(), FIRST_ATTEMPT);
    loop {
        let left = within.saturating_sub(started.elapsed());
        let error = match producer.client().fetch_metadata(None, left.min(attempt)) {
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
        attempt *= 2;
    }
}
