//! Which topics there are, asked through a writer's client: unlike a reader's it has no group to leave.

use rdkafka::metadata::Metadata;
use rdkafka::producer::Producer as _;
use tokio::sync::oneshot;

use super::Publish;
use super::metadata::metadata;
use crate::blocking::{own, spawn};
use crate::url::DATE;
use crate::{Error, ErrorKind, Stream, Url};

const OPERATION: &str = "listing the topics";

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
    let client = Publish::new(stream, url.without_topics()).start()?;
    let (tell, told) = oneshot::channel();
    spawn("hop-request", move || {
        let answer = metadata(client.outlet.producer.client(), &client.context().complaint, OPERATION, within, || {
            tell.is_closed()
        });
        // Whoever asked may have given up meanwhile.
        let _told = tell.send(answer.map(|metadata| topics(&metadata, &named)));
    })?;
    own(told)
        .await
        .unwrap_or_else(|_| Err(Error::new(ErrorKind::Kafka, format!("{OPERATION}: the thread that asked ended"))))
}

/// Whether a topic has this name, or one of it for some date.
fn is_named(topic: &str, name: &str) -> bool {
    let Some((before, after)) = name.split_once(DATE) else { return topic == name };
    let date = topic.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    date.is_some_and(|date| date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit()))
}

fn topics(metadata: &Metadata, named: &[String]) -> Vec<Topic> {
    let wanted = |name: &str| named.is_empty() || named.iter().any(|named| is_named(name, named));
    let there = metadata.topics().iter().filter(|topic| topic.error().is_none() && wanted(topic.name()));
    let mut topics: Vec<_> =
        there.map(|topic| Topic { name: topic.name().to_owned(), partitions: topic.partitions().len() }).collect();
    topics.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    topics
}
