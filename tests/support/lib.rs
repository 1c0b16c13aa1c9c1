//! What the tests share: a broker to talk to, and a way to skip that cannot hide.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, missing_docs)]

pub mod archive;
#[cfg(doctest)]
mod book;
#[path = "../../hop-models/tests/support/corpus.rs"]
pub mod corpus;
pub mod hostile;
mod http;
pub mod made;
pub mod pairs;
pub mod process;
pub mod proxy;
#[cfg(unix)]
pub mod pty;
pub mod registry;
pub mod secured;
pub mod token;

use std::path::PathBuf;
use std::time::Duration;

use hop_core::Place;
use hop_kafka::{EmbeddedBroker, StartPosition, Stream, StreamBuilder};
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

/// The Apache Kafka broker that the tests are to use, `host:port`; see `tests/kafka/up`.
pub const BROKER_VARIABLE: &str = "HOP_TEST_BROKER";
/// Set where a skipped test is a failure.
pub const REQUIRE_VARIABLE: &str = "HOP_TEST_REQUIRE";

/// The broker of a test: Apache Kafka where `HOP_TEST_BROKER` names one, else one inside the process.
pub struct Broker {
    embedded: Option<EmbeddedBroker>,
    address: String,
}

impl Broker {
    pub fn new() -> Self {
        Self::apache().unwrap_or_else(|| {
            let embedded = EmbeddedBroker::start().unwrap();
            Self { address: embedded.address(), embedded: Some(embedded) }
        })
    }

    fn apache() -> Option<Self> {
        Some(Self { embedded: None, address: std::env::var(BROKER_VARIABLE).ok()? })
    }

    /// Apache Kafka, for what the embedded broker cannot do; `None`, said aloud, where there is none.
    pub fn apache_or_skip(test: &str) -> Option<Self> {
        let apache = Self::apache();
        if apache.is_none() {
            skip(test, "it needs Apache Kafka: eval \"$(tests/kafka/up)\"");
        }
        apache
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    pub fn is_embedded(&self) -> bool {
        self.embedded.is_some()
    }

    pub fn url(&self, topics: &str) -> String {
        format!("kafka://{}/{topics}", self.address)
    }

    /// A new topic with so many partitions.
    pub async fn topic(&self, partitions: u16) -> String {
        self.topic_with(partitions, &[]).await
    }

    /// The same, with settings, which only Apache Kafka has.
    pub async fn topic_with(&self, partitions: u16, settings: &[(&str, &str)]) -> String {
        self.topic_after("hop-test-", partitions, settings).await
    }

    /// The same, with a name that begins in this way.
    pub async fn topic_after(&self, prefix: &str, partitions: u16, settings: &[(&str, &str)]) -> String {
        let name = format!("{prefix}{}", uuid::Uuid::new_v4().simple());
        if let Some(embedded) = &self.embedded {
            embedded.create_topic(&name, partitions).unwrap();
            return name;
        }
        let mut topic = NewTopic::new(&name, partitions.into(), TopicReplication::Fixed(1));
        for (key, value) in settings {
            topic = topic.set(key, value);
        }
        let admin = self.admin();
        for outcome in admin.create_topics([&topic], &options()).await.unwrap() {
            outcome.unwrap();
        }
        settle(&admin, &name, partitions).await;
        name
    }

    /// A topic of this very name, with one partition; it may be there already.
    pub async fn named_topic(&self, name: &str) {
        if let Some(embedded) = &self.embedded {
            // Made a second time, it is an error, and there.
            let _made = embedded.create_topic(name, 1);
            return;
        }
        let admin = self.admin();
        let topic = NewTopic::new(name, 1, TopicReplication::Fixed(1));
        for outcome in admin.create_topics([&topic], &options()).await.unwrap() {
            match outcome {
                Ok(_) | Err((_, rdkafka::error::RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
        settle(&admin, name, 1).await;
    }

    /// Lets the topic have so many partitions.
    pub async fn add_partitions(&self, topic: &str, partitions: u16) {
        let admin = self.admin();
        let more = NewPartitions::new(topic, partitions.into());
        for outcome in admin.create_partitions([&more], &options()).await.unwrap() {
            outcome.unwrap();
        }
        settle(&admin, topic, partitions).await;
    }

    /// Deletes the topic, and makes it anew with so many partitions.
    pub async fn make_anew(&self, topic: &str, partitions: u16) {
        let admin = self.admin();
        for outcome in admin.delete_topics(&[topic], &options()).await.unwrap() {
            outcome.unwrap();
        }
        let again = NewTopic::new(topic, partitions.into(), TopicReplication::Fixed(1));
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        // The name is free once the old topic is gone.
        while admin.create_topics([&again], &options()).await.unwrap().iter().any(Result::is_err) {
            assert!(std::time::Instant::now() < deadline, "the topic {topic} was not made anew");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        settle(&admin, topic, partitions).await;
    }

    /// Deletes the messages before this place in its partition.
    pub async fn delete_before(&self, place: &Place) {
        let mut before = TopicPartitionList::new();
        before.add_partition_offset(&place.topic, place.partition, Offset::Offset(place.offset)).unwrap();
        for element in self.admin().delete_records(&before, &options()).await.unwrap().elements() {
            element.error().unwrap();
        }
    }

    fn admin(&self) -> AdminClient<DefaultClientContext> {
        ClientConfig::new().set("bootstrap.servers", &self.address).create().unwrap()
    }
}

fn options() -> AdminOptions {
    AdminOptions::new().operation_timeout(Some(Duration::from_secs(20)))
}

/// Waits until the broker knows the topic with so many partitions: it answers before every part of it does.
async fn settle(admin: &AdminClient<DefaultClientContext>, name: &str, partitions: u16) {
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    loop {
        let metadata = admin.inner().fetch_metadata(Some(name), Duration::from_secs(5)).unwrap();
        let known = metadata
            .topics()
            .iter()
            .any(|topic| topic.error().is_none() && topic.partitions().len() == usize::from(partitions));
        if known {
            return;
        }
        assert!(std::time::Instant::now() < deadline, "the topic {name} did not come up");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

impl Default for Broker {
    fn default() -> Self {
        Self::new()
    }
}

/// Says that a test is left out, and why; a failure where `HOP_TEST_REQUIRE` is set.
pub fn skip(test: &str, why: &str) {
    eprintln!("SKIPPED {test}: {why}");
    assert!(std::env::var_os(REQUIRE_VARIABLE).is_none(), "{test} was skipped, and {REQUIRE_VARIABLE} forbids that");
}

/// Sends content under headers of any kind, beside hop, to the first partition.
pub fn send_raw(address: &str, topic: &str, content: &[u8], headers: &[(&str, Option<&[u8]>)]) {
    send_record(address, topic, 0, content, headers);
}

/// Sends content without headers, beside hop, to this partition.
pub fn send_to(address: &str, topic: &str, partition: i32, content: &[u8]) {
    send_record(address, topic, partition, content, &[]);
}

/// Sends content of this time, in milliseconds since 1970.
pub fn send_at(address: &str, topic: &str, partition: i32, content: &[u8], timestamp: i64) {
    let producer: BaseProducer = ClientConfig::new().set("bootstrap.servers", address).create().unwrap();
    let record = BaseRecord::<(), _>::to(topic).payload(content).partition(partition).timestamp(timestamp);
    producer.send(record).unwrap();
    producer.flush(Duration::from_secs(10)).unwrap();
}

fn send_record(address: &str, topic: &str, partition: i32, content: &[u8], headers: &[(&str, Option<&[u8]>)]) {
    let producer: BaseProducer = ClientConfig::new().set("bootstrap.servers", address).create().unwrap();
    let headers =
        headers.iter().fold(OwnedHeaders::new(), |owned, (key, value)| owned.insert(Header { key, value: *value }));
    producer.send(BaseRecord::<(), _>::to(topic).payload(content).partition(partition).headers(headers)).unwrap();
    producer.flush(Duration::from_secs(10)).unwrap();
}

/// Reads from the beginning to the end, without authentication, with every model.
pub fn stream() -> StreamBuilder {
    let registry = hop_core::Registry::builder().models(hop_models::MODELS).linked().build().unwrap();
    Stream::builder()
        .registry(registry)
        .no_auth()
        .start_at(StartPosition::Earliest)
        .until_eos(true)
        // Only tests of the archive ask for it: several share a broker.
        .fetch_external(false)
        .offload(hop_kafka::Offload::Off)
        // The embedded broker learns by this alone that a member of a group has left.
        .property("session.timeout.ms", "6000")
        .property("heartbeat.interval.ms", "1000")
}

/// The root of the project.
pub fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The code in the project's README, which is run like any other example.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
