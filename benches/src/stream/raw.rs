//! librdkafka alone, by way of the rdkafka crate: what there is to gain.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, DeliveryResult, Header, Message as _, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext};
use rdkafka::{Offset, TopicPartitionList};

use super::job::{Job, Meter, Report};
use super::load::Messages;
use crate::Outcome;

const POLL: Duration = Duration::from_millis(100);
const FLUSH: Duration = Duration::from_secs(60);

/// The properties of our readers that matter for speed.
const OURS_READING: [(&str, &str); 2] = [("queued.max.messages.kbytes", "32768"), ("fetch.queue.backoff.ms", "5")];
/// Those of our writers.
const OURS_WRITING: [(&str, &str); 2] = [("batch.size", "131072"), ("max.in.flight.requests.per.connection", "5")];
/// What makes the raw reader fastest.
const BEST_READING: [(&str, &str); 1] = [("fetch.queue.backoff.ms", "1")];
/// What makes one message fastest.
const AT_ONCE: [(&str, &str); 1] = [("linger.ms", "0")];

fn config(broker: &str, properties: &[(&str, &str)]) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", broker);
    for (name, value) in properties {
        config.set(*name, *value);
    }
    config
}

/// A reader of all that `job` names, from this place on.
fn reader(job: &Job, properties: &[(&str, &str)], from: Offset) -> Outcome<BaseConsumer> {
    let mut config = config(&job.broker, properties);
    config.set("group.id", job.group.as_deref().unwrap_or("hop-bench"));
    config.set("auto.offset.reset", "earliest");
    config.set("enable.auto.commit", if job.group.is_some() { "true" } else { "false" });
    let consumer: BaseConsumer = config.create()?;
    if job.group.is_some() {
        let topics: Vec<&str> = job.topics.iter().map(String::as_str).collect();
        consumer.subscribe(&topics)?;
    } else {
        let mut list = TopicPartitionList::new();
        for topic in &job.topics {
            for partition in 0..job.partitions {
                list.add_partition_offset(topic, partition, from)?;
            }
        }
        consumer.assign(&list)?;
    }
    Ok(consumer)
}

/// The next message.
fn next(consumer: &BaseConsumer) -> Outcome<BorrowedMessage<'_>> {
    loop {
        match consumer.poll(POLL) {
            None => {}
            Some(Ok(message)) => return Ok(message),
            Some(Err(error)) => return Err(error.into()),
        }
    }
}

fn read_with(job: &Job, properties: &[(&str, &str)]) -> Outcome<Report> {
    let mut meter = Meter::start(job);
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..job.readers)
            .map(|_| {
                scope.spawn(|| {
                    let mut meter = Meter::start(job);
                    read_one(job, properties, &mut meter).map_err(|error| error.to_string())?;
                    Ok::<Meter, String>(meter)
                })
            })
            .collect();
        read_one(job, properties, &mut meter)?;
        for other in others {
            meter.add(other.join().map_err(|_| "a reader panicked")??);
        }
        Ok::<(), Box<dyn std::error::Error>>(())
    })?;
    meter.report()
}

fn read_one(job: &Job, properties: &[(&str, &str)], meter: &mut Meter) -> Outcome<()> {
    let consumer = reader(job, properties, Offset::Beginning)?;
    loop {
        let message = next(&consumer)?;
        meter.arrived(1);
        if meter.count(message.payload().unwrap_or_default(), message.offset(), job.messages) {
            return Ok(());
        }
    }
}

/// At its best.
pub(super) fn read(job: &Job) -> Outcome<Report> {
    read_with(job, &BEST_READING)
}

/// With librdkafka's defaults.
pub(super) fn read_default(job: &Job) -> Outcome<Report> {
    read_with(job, &[])
}

/// With the properties of our readers.
pub(super) fn read_same(job: &Job) -> Outcome<Report> {
    read_with(job, &OURS_READING)
}

/// Counts what is confirmed.
#[derive(Default)]
struct Confirmed {
    delivered: AtomicU64,
    failed: AtomicU64,
}

impl ClientContext for Confirmed {}

impl ProducerContext for Confirmed {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, _: ()) {
        let counter = if result.is_ok() { &self.delivered } else { &self.failed };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// A writer that confirms what it has sent.
pub(super) struct Writer<'a> {
    producer: BaseProducer<Confirmed>,
    messages: &'a Messages,
    /// Headers beside those that each message has.
    headers: usize,
}

impl<'a> Writer<'a> {
    pub(super) fn new(
        broker: &str,
        properties: &[(&str, &str)],
        messages: &'a Messages,
        headers: usize,
    ) -> Outcome<Self> {
        let mut config = config(broker, properties);
        config.set("message.max.bytes", "67108864");
        Ok(Self { producer: config.create_with_context(Confirmed::default())?, messages, headers })
    }

    /// Queues message `number`, with headers as hop's messages have them, for this partition.
    pub(super) fn queue(&self, topic: &str, partition: Option<i32>, number: u64) -> Outcome<()> {
        let (content, label) = self.messages.content(number);
        loop {
            let id = number.to_le_bytes().repeat(2);
            let mut headers = OwnedHeaders::new_with_capacity(2 + self.headers)
                .insert(Header { key: "_id", value: Some(&id) })
                .insert(Header { key: "_format", value: Some(label) });
            for more in 0..self.headers {
                headers = headers.insert(Header { key: &format!("header-{more}"), value: Some("some value") });
            }
            let mut record = BaseRecord::<(), [u8]>::to(topic).payload(content).headers(headers);
            record.partition = partition;
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                    self.producer.poll(Duration::from_millis(1));
                }
                Err((error, _)) => return Err(error.into()),
            }
        }
    }

    pub(super) fn serve(&self, wait: Duration) {
        self.producer.poll(wait);
    }

    fn confirmed(&self) -> u64 {
        self.producer.context().delivered.load(Ordering::Relaxed)
    }

    /// Waits until all are confirmed.
    pub(super) fn flush(&self, messages: u64) -> Outcome<()> {
        self.producer.flush(FLUSH)?;
        if self.confirmed() != messages {
            return Err(format!("{} of {messages} messages were confirmed", self.confirmed()).into());
        }
        Ok(())
    }
}

fn write_with(job: &Job, properties: &[(&str, &str)]) -> Outcome<Report> {
    let messages = Messages::new(job.load)?;
    let mut meter = Meter::start(job);
    let writer = Writer::new(&job.broker, properties, &messages, job.headers)?;
    meter.writes();
    for number in 0..job.messages {
        writer.queue(&job.topics[0], None, number)?;
        if number % 1000 == 999 {
            writer.serve(Duration::ZERO);
        }
    }
    writer.flush(job.messages)?;
    meter.wrote(job.messages);
    meter.report()
}

/// At its best.
pub(super) fn write(job: &Job) -> Outcome<Report> {
    write_with(job, &[])
}

/// With the properties of our writers.
pub(super) fn write_same(job: &Job) -> Outcome<Report> {
    write_with(job, &OURS_WRITING)
}

/// Waits for each message to be confirmed before it sends the next one.
pub(super) fn send(job: &Job) -> Outcome<Report> {
    let messages = Messages::new(job.load)?;
    let mut meter = Meter::start(job);
    let writer = Writer::new(&job.broker, &AT_ONCE, &messages, 0)?;
    meter.writes();
    for number in 0..job.messages {
        let sent = Instant::now();
        writer.queue(&job.topics[0], None, number)?;
        // The crate's `poll` does not return before the time given, whatever comes.
        while writer.confirmed() <= number {
            writer.serve(Duration::ZERO);
        }
        meter.time(sent.elapsed());
    }
    writer.flush(job.messages)?;
    meter.wrote(job.messages);
    meter.report()
}

/// Writes a message and waits for it, then the next one.
pub(super) fn latency(job: &Job) -> Outcome<Report> {
    let messages = Messages::new(job.load)?;
    let mut meter = Meter::start(job);
    let consumer = reader(job, &BEST_READING, Offset::Beginning)?;
    let writer = Writer::new(&job.broker, &AT_ONCE, &messages, 0)?;
    meter.writes();
    let mut due = Instant::now();
    for number in 0..job.messages {
        super::wait_until(due);
        let sent = Instant::now();
        writer.queue(&job.topics[0], None, number)?;
        let message = next(&consumer)?;
        meter.time(sent.elapsed());
        meter.count(message.payload().unwrap_or_default(), message.offset(), job.messages);
        writer.serve(Duration::ZERO);
        due = sent + Duration::from_millis(job.pace_ms);
    }
    meter.wrote(job.messages);
    meter.report()
}
