//! Writing: messages are queued, librdkafka sends them, and each one's fate is told.

mod delivery;
mod write;

use std::fmt;
use std::future::IntoFuture;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hop_core::{AnyModel, Outgoing};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _, PurgeConfig};

use tokio::sync::watch;

pub use self::delivery::{Delivered, Delivery};
use self::delivery::{Deliveries, Ticket};
pub use self::write::Write;
use crate::complaint::Complaint;
use crate::record::owned_headers;
use crate::{Credential, Error, ErrorKind, Stream, Undelivered, Url};

/// How long one poll of the delivery thread waits.
const POLL: Duration = Duration::from_millis(100);
/// How long a publisher that goes out of scope waits for what is still unsent.
const GRACE: Duration = Duration::from_secs(1);
/// The largest message that librdkafka lets through; the topic's own limit is the broker's to enforce.
const LARGEST_MESSAGE: &str = "67108864";
/// How many requests may be on their way to one broker. A broker takes up the next one of a connection when it has answered
/// the one before, so that more of them only wait there: a busy broker then gets many small ones, where it could have few
/// large ones. librdkafka has no limit of its own, unless the writer is idempotent; then it is this one.
const IN_FLIGHT: &str = "5";

/// How content is compressed on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// RFC 1952.
    Gzip,
    /// Snappy.
    Snappy,
    /// LZ4.
    Lz4,
    /// RFC 8878.
    Zstd,
}

impl Compression {
    const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }
}

/// Settings of one writer; await it to get the [`Publisher`].
#[derive(Debug)]
#[must_use = "a publisher starts when it is awaited"]
pub struct Publish {
    stream: Stream,
    url: Result<Url, Error>,
    produce_timeout: Duration,
    compression: Compression,
    idempotent: bool,
}

impl Publish {
    pub(crate) fn new(stream: Stream, url: Result<Url, Error>) -> Self {
        Self { stream, url, produce_timeout: Duration::ZERO, compression: Compression::None, idempotent: false }
    }

    /// How long each message may take to be sent and confirmed; zero, the default, waits for ever.
    pub fn produce_timeout(mut self, produce_timeout: Duration) -> Self {
        self.produce_timeout = produce_timeout;
        self
    }

    /// Compresses what is sent.
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// Whether the broker drops what a retry sends twice, and keeps the order in spite of retries; off unless set.
    pub fn idempotent(mut self, idempotent: bool) -> Self {
        self.idempotent = idempotent;
        self
    }

    /// The writer. Nothing is connected yet.
    ///
    /// # Errors
    /// Kind `Url`, `Credential` or `Config`.
    pub fn start(self) -> Result<Publisher, Error> {
        let url = self.url?;
        let credential = self.stream.credential(&url)?;
        let mut config = crate::config::client(&url, credential.as_ref(), &[]);
        config.set("message.timeout.ms", milliseconds(self.produce_timeout)?.to_string());
        config.set("message.max.bytes", LARGEST_MESSAGE);
        // A topic that is not there is told after this time; one made just now is known everywhere well before.
        config.set("topic.metadata.propagation.max.ms", "8000");
        config.set("max.in.flight.requests.per.connection", IN_FLIGHT);
        config.set("compression.type", self.compression.as_str());
        config.set("enable.idempotence", if self.idempotent { "true" } else { "false" });
        for (name, value) in &self.stream.shared.properties {
            config.set(name, value);
        }
        let producer: BaseProducer<Deliveries> =
            FromClientConfigAndContext::from_config_and_context(&config, Deliveries::new(Complaint::new(&config)))
                .map_err(|error: KafkaError| Error::setting("setting up the writer", &error))?;
        let producer = Arc::new(producer);
        let stop = Arc::new(AtomicBool::new(false));
        let thread = {
            let (producer, stop) = (Arc::clone(&producer), Arc::clone(&stop));
            move || {
                while !stop.load(Ordering::Acquire) {
                    producer.poll(POLL);
                    // No patience mends a wrong password: what waits for the first contact is handed back at once.
                    if producer.context().is_refused() {
                        producer.purge(PurgeConfig::default().queue().inflight());
                    }
                }
            }
        };
        std::thread::Builder::new()
            .name("hop-writer".to_owned())
            .spawn(thread)
            .map_err(|error| Error::new(ErrorKind::Kafka, format!("starting the writer's thread: {error}")))?;
        Ok(Publisher {
            producer,
            stop,
            topics: url.topics().to_vec(),
            sender: credential.as_ref().map(Credential::username).map(str::to_owned),
        })
    }
}

/// The time-out as librdkafka wants it: zero for none.
fn milliseconds(produce_timeout: Duration) -> Result<i32, Error> {
    if produce_timeout.is_zero() {
        return Ok(0);
    }
    i32::try_from(produce_timeout.as_millis()).map(|milliseconds| milliseconds.max(1)).map_err(|_| {
        Error::new(ErrorKind::Config, format!("the produce time-out {produce_timeout:?} is too long"))
            .help("24 days are the most; zero waits for ever")
    })
}

impl IntoFuture for Publish {
    type Output = Result<Publisher, Error>;
    type IntoFuture = std::future::Ready<Self::Output>;

    /// The writer, as [`start`](Publish::start) gives it.
    fn into_future(self) -> Self::IntoFuture {
        std::future::ready(self.start())
    }
}

/// A writer: queues messages and tells the fate of each.
///
/// Nothing is lost silently. [`flush`](Self::flush) and [`close`](Self::close) hand back what was not delivered; a publisher
/// that goes out of scope waits a second for what is still queued, and logs how many messages it has to drop.
pub struct Publisher {
    producer: Arc<BaseProducer<Deliveries>>,
    stop: Arc<AtomicBool>,
    topics: Vec<String>,
    sender: Option<String>,
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher")
            .field("topics", &self.topics)
            .field("unsent", &self.unsent())
            .finish_non_exhaustive()
    }
}

impl Publisher {
    /// A message with this model as its content; add headers and the like, then send or queue it.
    pub fn write<'a>(&'a self, model: &'a dyn AnyModel) -> Write<'a> {
        Write::new(self, model)
    }

    /// Queues a message as it is, its headers unchanged: one that was received, and is to be received again.
    ///
    /// # Errors
    /// Kind `Usage` when it is no name of a topic; kind `TooLarge`.
    pub async fn forward(&self, topic: impl Into<String>, message: Outgoing) -> Result<Delivery, Error> {
        let topic = self.topic(Some(topic.into()))?;
        self.queue(topic, message).await
    }

    /// How many messages are queued or on their way.
    pub fn unsent(&self) -> usize {
        self.deliveries().outstanding()
    }

    fn deliveries(&self) -> &Arc<Deliveries> {
        self.producer.client().context()
    }

    /// The topic to write to.
    fn topic(&self, named: Option<String>) -> Result<String, Error> {
        match (named, self.topics.as_slice()) {
            (Some(topic), _) if crate::url::is_topic(&topic) => Ok(topic),
            (Some(topic), _) => {
                Err(Error::new(ErrorKind::Usage, format!("`{}` is no name of a topic", topic.escape_debug())))
            }
            (None, [topic]) => Ok(topic.clone()),
            (None, topics) => Err(Error::new(ErrorKind::Usage, format!("the URL names {} topics", topics.len()))
                .help("say which one with `topic`, or open the publisher on exactly one")),
        }
    }

    /// Queues a message, waiting while the queue is full.
    async fn queue(&self, topic: String, message: Outgoing) -> Result<Delivery, Error> {
        // Many messages in a row must not keep time-outs and signals of the same task waiting.
        tokio::task::coop::consume_budget().await;
        loop {
            if let Some(delivery) = self.try_queue(&topic, &message)? {
                return Ok(delivery);
            }
            // Watched before the second attempt, so that a message that leaves the queue in between is not missed.
            let mut space = self.deliveries().watch();
            if let Some(delivery) = self.try_queue(&topic, &message)? {
                return Ok(delivery);
            }
            self.wait_for(&mut space).await;
        }
    }

    /// Waits until the fate of another message is known.
    async fn wait_for(&self, change: &mut watch::Receiver<()>) {
        // The sending half lives as long as the publisher, so this only ends with a change.
        let _changed = change.changed().await;
    }

    /// `None` when the queue is full.
    fn try_queue(&self, topic: &str, message: &Outgoing) -> Result<Option<Delivery>, Error> {
        let (ticket, delivery) = Ticket::new(self.deliveries());
        let record = BaseRecord {
            topic,
            partition: None,
            payload: Some(&message.content[..]),
            key: message.key.as_deref(),
            timestamp: None,
            headers: Some(owned_headers(&message.headers)),
            delivery_opaque: Box::new(ticket),
        };
        match self.producer.send(record) {
            Ok(()) => Ok(Some(delivery)),
            Err((error, record)) => {
                record.delivery_opaque.withdraw();
                match error.rdkafka_error_code() {
                    Some(RDKafkaErrorCode::QueueFull) => Ok(None),
                    _ => Err(Error::kafka(&format!("writing to `{topic}`"), error)),
                }
            }
        }
    }

    /// Waits until every queued message is confirmed or has failed.
    ///
    /// # Errors
    /// Kind `Undelivered`, with the messages that were not delivered, but for those whose [`Delivery`] said so already.
    pub async fn flush(&self) -> Result<(), Error> {
        loop {
            let mut changed = self.deliveries().watch();
            if self.deliveries().outstanding() == 0 {
                break;
            }
            self.wait_for(&mut changed).await;
        }
        self.deliveries().report()
    }

    /// Flushes and ends; without a produce time-out it waits for ever, as long as the broker does not answer.
    ///
    /// # Errors
    /// As [`flush`](Self::flush).
    pub async fn close(self) -> Result<(), Error> {
        self.flush().await
    }

    /// Flushes for so long at most, then gives up what is left and ends.
    ///
    /// # Errors
    /// As [`flush`](Self::flush); what was given up is handed back with the rest.
    pub async fn close_within(self, patience: Duration) -> Result<(), Error> {
        if let Ok(flushed) = tokio::time::timeout(patience, self.flush()).await {
            return flushed;
        }
        self.give_up();
        // Each message that is given up is reported as failed by the delivery thread, at its next poll.
        let all_told = tokio::time::timeout(POLL * 10, self.flush()).await;
        all_told.unwrap_or_else(|_| {
            self.deliveries().report()?;
            let unsent = self.unsent();
            Err(Error::new(ErrorKind::TimedOut, format!("what became of {unsent} messages is not known")))
        })
    }

    /// Takes back what is queued or on its way; the delivery thread reports each message as not delivered.
    fn give_up(&self) {
        self.producer.purge(PurgeConfig::default().queue().inflight());
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        let deadline = Instant::now() + GRACE;
        while self.unsent() > 0 && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
        }
        if self.unsent() > 0 {
            self.give_up();
            let deadline = Instant::now() + POLL * 3;
            while self.unsent() > 0 && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        self.stop.store(true, Ordering::Release);
        let lost: Vec<Undelivered> = self.deliveries().take_undelivered();
        if !lost.is_empty() || self.unsent() > 0 {
            let topics: Vec<&str> = lost.iter().map(|lost| lost.topic.as_str()).collect();
            tracing::error!(
                target: "hop",
                count = lost.len() + self.unsent(),
                ?topics,
                "a publisher went out of scope with messages that were not delivered; close it to have them handed back"
            );
        }
    }
}
