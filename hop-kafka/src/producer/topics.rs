//! Which topics there are, asked through a writer's client: unlike a reader's it has no group to leave.

use std::time::{Duration, Instant};

use rdkafka::producer::Producer as _;
use tokio::sync::oneshot;

use super::{Publish, Publisher};
use crate::error::is_transient;
use crate::waiting::spawn;
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
        // Whoever asked may have given up meanwhile.
        let _told = tell.send(ask(&client, &named, within));
    })?;
    told.await
        .unwrap_or_else(|_| Err(Error::new(ErrorKind::Kafka, format!("{OPERATION}: the thread that asked ended"))))
}

fn ask(client: &Publisher, named: &[String], within: Duration) -> Result<Vec<Topic>, Error> {
    let complaint = &client.deliveries().complaint;
    let (started, mut attempt) = (Instant::now(), FIRST_ATTEMPT);
    loop {
        let left = within.saturating_sub(started.elapsed());
        let error = match client.producer.client().fetch_metadata(None, left.min(attempt)) {
            Ok(metadata) => {
                let wanted = |name: &str| named.is_empty() || named.iter().any(|named| named == name);
                let there = metadata.topics().iter().filter(|topic| topic.error().is_none() && wanted(topic.name()));
                let mut topics: Vec<_> = there
                    .map(|topic| Topic { name: topic.name().to_owned(), partitions: topic.partitions().len() })
                    .collect();
                topics.sort_unstable_by(|one, other| one.name.cmp(&other.name));
                return Ok(topics);
            }
            Err(error) => error,
        };
        if let Some(hopeless) = complaint.hopeless(OPERATION) {
            return Err(hopeless);
        }
        if !error.rdkafka_error_code().is_some_and(is_transient) {
            return Err(Error::kafka(OPERATION, error));
        }
        if left <= attempt {
            return Err(complaint.error(OPERATION).unwrap_or_else(|| Error::timed_out(OPERATION, within)));
        }
        attempt *= 2;
    }
}
