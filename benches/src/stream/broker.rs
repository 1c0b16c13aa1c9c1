//! Where messages go and come from: Apache Kafka where `HOP_TEST_BROKER` names one, else the embedded broker.

use std::time::{Duration, Instant};

use hop_kafka::EmbeddedBroker;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use tokio::runtime::Runtime;

use super::load::{Load, Messages};
use super::raw::Writer;
use crate::Outcome;

const TIMEOUT: Duration = Duration::from_secs(20);
/// The embedded broker keeps about 5 MB of a partition.
const EMBEDDED_BYTES: u64 = 4_000_000;

pub(crate) struct Broker {
    embedded: Option<EmbeddedBroker>,
    pub(crate) address: String,
    runtime: Runtime,
}

impl Broker {
    pub(crate) fn new() -> Outcome<Self> {
        let runtime = Runtime::new()?;
        if let Ok(address) = std::env::var("HOP_TEST_BROKER") {
            return Ok(Self { embedded: None, address, runtime });
        }
        let embedded = EmbeddedBroker::start()?;
        Ok(Self { address: embedded.address(), embedded: Some(embedded), runtime })
    }

    pub(crate) const fn name(&self) -> &'static str {
        if self.embedded.is_some() { "the embedded broker" } else { "Apache Kafka" }
    }

    /// So many messages, or as many as the broker keeps of each partition.
    pub(crate) fn keeps(&self, wanted: u64, messages: &Messages, partitions: u64) -> u64 {
        match self.embedded {
            Some(_) => wanted.min(EMBEDDED_BYTES / messages.bytes() as u64 * partitions),
            None => wanted,
        }
    }

    /// Whether what was written can be read again, all of it.
    pub(crate) const fn keeps_all(&self) -> bool {
        self.embedded.is_none()
    }

    /// A new topic with so many partitions.
    pub(crate) fn topic(&self, partitions: i32) -> Outcome<String> {
        let name = format!("hop-bench-{}", uuid::Uuid::new_v4().simple());
        if let Some(embedded) = &self.embedded {
            embedded.create_topic(&name, u16::try_from(partitions)?)?;
            return Ok(name);
        }
        // Deleted soon after it is: the next rounds need the space.
        let topic = NewTopic::new(&name, partitions, TopicReplication::Fixed(1)).set("file.delete.delay.ms", "1000");
        let admin = self.admin()?;
        for outcome in self.runtime.block_on(admin.create_topics([&topic], &options()))? {
            outcome.map_err(|(topic, code)| format!("making {topic}: {code}"))?;
        }
        // The broker answers before every part of it knows the topic.
        let deadline = Instant::now() + TIMEOUT;
        loop {
            let metadata = admin.inner().fetch_metadata(Some(&name), TIMEOUT)?;
            let mut topics = metadata.topics().iter();
            if topics.any(|topic| topic.error().is_none() && topic.partitions().len() == partitions as usize) {
                return Ok(name);
            }
            if Instant::now() > deadline {
                return Err(format!("the topic {name} did not come up").into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn topics(&self, count: usize, partitions: i32) -> Outcome<Vec<String>> {
        (0..count).map(|_| self.topic(partitions)).collect()
    }

    pub(crate) fn delete(&self, topics: &[String]) -> Outcome<()> {
        if self.embedded.is_none() {
            let names: Vec<&str> = topics.iter().map(String::as_str).collect();
            for outcome in self.runtime.block_on(self.admin()?.delete_topics(&names, &options()))? {
                outcome.map_err(|(topic, code)| format!("deleting {topic}: {code}"))?;
            }
        }
        Ok(())
    }

    fn admin(&self) -> Outcome<AdminClient<DefaultClientContext>> {
        Ok(ClientConfig::new().set("bootstrap.servers", &self.address).create()?)
    }

    /// Writes so many messages, to each partition of each topic in turn; returns the sum of them all.
    pub(crate) fn fill(
        &self,
        topics: &[String],
        partitions: i32,
        load: Load,
        count: u64,
        headers: usize,
    ) -> Outcome<u64> {
        let messages = Messages::new(load)?;
        let writer = Writer::new(&self.address, &[], &messages, headers)?;
        let (of_topics, of_partitions) = (topics.len() as u64, partitions as u64);
        for number in 0..count {
            let place = number % (of_topics * of_partitions);
            writer.queue(&topics[(place / of_partitions) as usize], Some((place % of_partitions) as i32), number)?;
            if number % 1000 == 999 {
                writer.serve(Duration::ZERO);
            }
        }
        writer.flush(count)?;
        Ok(messages.sum(count, of_topics * of_partitions))
    }

    /// How many messages have been written to the topic.
    pub(crate) fn written(&self, topic: &str, partitions: i32) -> Outcome<u64> {
        let consumer: BaseConsumer =
            ClientConfig::new().set("bootstrap.servers", &self.address).set("group.id", "hop-bench").create()?;
        let ends = (0..partitions).map(|partition| Ok(consumer.fetch_watermarks(topic, partition, TIMEOUT)?.1 as u64));
        ends.sum()
    }
}

fn options() -> AdminOptions {
    AdminOptions::new().operation_timeout(Some(TIMEOUT))
}
