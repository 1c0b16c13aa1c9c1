//! Settings of one writer.

use std::future::IntoFuture;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hop_core::Framing;
use rdkafka::config::{ClientConfig, FromClientConfigAndContext};
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, Producer as _};

use super::context::WriterContext;
use super::framer::Framer;
use super::journal::JournaledPublish;
use super::max_message_size::Limits;
use super::offload::Offloader;
use super::outlet::Outlet;
use super::publisher::Publisher;
use super::worker::Worker;
use crate::auth::token::{Refresher, hand_over};
use crate::complaint::Complaint;
use crate::config::set_default;
use crate::time::for_librdkafka;
use crate::url::is_nightly;
use crate::{Credential, Error, ErrorKind, Offload, Stream, Url};

/// The largest message that librdkafka lets through; the topic's own limit is found when it matters.
const LARGEST_MESSAGE: usize = 64 << 20;
/// How many bytes of messages go to the broker at once. The topic's limit is for all of them together: librdkafka's own
/// megabyte would have small messages refused where large ones are not allowed. On a broker that is busy a megabyte is up
/// to half as fast again; whoever knows the topic's limit may set the property `batch.size`.
pub(super) const BATCH: usize = 128 << 10;

/// How many requests may be on their way to one broker. A broker takes up the next one of a connection when it has answered
/// the one before, so that more of them only wait there: a busy broker then gets many small ones, where it could have few
/// large ones. librdkafka has no limit of its own, unless the writer is idempotent; then it is this one.
const IN_FLIGHT: &str = "5";
/// How many of them keep the order of messages when one of them fails and is sent again.
const IN_FLIGHT_IN_ORDER: &str = "1";

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
    in_order: bool,
    framing: Option<Arc<dyn Framing>>,
    offload: Option<Offload>,
}

impl Publish {
    pub(crate) fn new(stream: Stream, url: Result<Url, Error>) -> Self {
        Self {
            stream,
            url,
            produce_timeout: Duration::ZERO,
            compression: Compression::None,
            idempotent: false,
            in_order: false,
            framing: None,
            offload: None,
        }
    }

    /// Sets when a message is stored in the broker's archive, and a placeholder sent in its place, instead of the stream's
    /// setting.
    pub fn offload(mut self, offload: Offload) -> Self {
        self.offload = Some(offload);
        self
    }

    /// How long each message may take to be sent and confirmed; zero, the default, waits for ever.
    /// 24.8 days are the longest that librdkafka counts.
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

    /// Puts this framing around every message, for readers that are not hop's: Confluent's, with the schema in a registry, say.
    ///
    /// A message then goes without `_format`, since its content is no longer what a label says; a reader of hop needs a
    /// [rule](hop_core::TopicRule::framed) for the topic. [`Publisher::forward`] sends messages as they are.
    pub fn framing(mut self, framing: Arc<dyn Framing>) -> Self {
        self.framing = Some(framing);
        self
    }

    /// Accepts messages by writing them to a journal in the folder `path`, and sends them until the broker has them, also
    /// after a crash, a restart or an outage.
    ///
    /// The folder is made if it is not there, for this user alone, and holds one journal of one broker, which one process may
    /// have open. The produce time-out is not used: no message is given up.
    pub fn journal(self, path: impl Into<PathBuf>) -> JournaledPublish {
        JournaledPublish::new(self, path.into())
    }

    /// Keeps the order of messages, whatever has to be sent again, and gives none up.
    pub(super) fn in_order(mut self) -> Self {
        self.in_order = true;
        self.produce_timeout = Duration::ZERO;
        self
    }

    /// The writer. Nothing is connected yet.
    ///
    /// # Errors
    /// Kind `Url`, `Credential` or `Config`.
    pub fn start(self) -> Result<Publisher, Error> {
        let url = self.url?;
        if let Some(topic) = url.topics().iter().find(|topic| is_nightly(topic)) {
            return Err(Error::new(ErrorKind::Usage, format!("`{topic}` stands for a topic of each night"))
                .help("name the topic to write to, with its date"));
        }
        let credential = self.stream.credential(&url)?;
        let tokens = crate::config::tokens(credential.as_ref(), &self.stream.shared.properties)?;
        let mut config = crate::config::client(&url, credential.as_ref(), &self.stream.shared.properties);
        set_default(&mut config, "message.timeout.ms", milliseconds(self.produce_timeout).to_string());
        set_default(&mut config, "message.max.bytes", LARGEST_MESSAGE.to_string());
        // A topic that is not there is told after this time; one made just now is known everywhere well before.
        set_default(&mut config, "topic.metadata.propagation.max.ms", "8000");
        // A message leaves at once; what is queued while requests are on their way travels together all the same.
        set_default(&mut config, "linger.ms", "0");
        set_default(&mut config, "batch.size", BATCH.to_string());
        // An idempotent writer keeps the order with several of them.
        let in_flight = if self.in_order && !self.idempotent { IN_FLIGHT_IN_ORDER } else { IN_FLIGHT };
        set_default(&mut config, "max.in.flight.requests.per.connection", in_flight);
        set_default(&mut config, "compression.type", self.compression.as_str());
        set_default(&mut config, "enable.idempotence", self.idempotent.to_string());
        let producer: BaseProducer<WriterContext> =
            FromClientConfigAndContext::from_config_and_context(&config, WriterContext::new(Complaint::new(&config)))
                .map_err(|error: KafkaError| crate::config::refused("setting up the writer", &config, &error))?;
        let producer = Arc::new(producer);
        let mut patience = self.stream.shared.connect_timeout;
        if !self.produce_timeout.is_zero() {
            patience = patience.min(self.produce_timeout);
        }
        let sender = credential.as_ref().map(Credential::username).map(str::to_owned);
        let mode = self.offload.map_or_else(|| self.stream.shared.large.offloads(), Ok)?;
        let broker = url.clone().without_topics()?;
        let offloader = Offloader::new(self.stream.clone(), broker, mode, sender.clone(), self.produce_timeout);
        let offloader = Arc::new(offloader);
        producer.context().set_offloader(Arc::clone(&offloader), &producer);
        let worker = Worker::start(Arc::clone(&producer))?;
        let refresher = |source| {
            let producer = Arc::clone(&producer);
            Refresher::start(source, move |fate| hand_over(producer.client(), &producer.context().complaint, fate))
        };
        let tokens = tokens.map(refresher).transpose()?;
        let outlet = Outlet {
            limits: Limits::new(Arc::clone(&producer), patience, BATCH),
            producer,
            offloader,
            compressed: is_compressed(&config),
        };
        Ok(Publisher {
            outlet: Arc::new(outlet),
            _tokens: tokens,
            worker,
            topics: url.topics().to_vec(),
            framer: self.framing.map(Framer::new),
            sender,
        })
    }
}

/// Whether a message may be smaller on its way than it is here.
fn is_compressed(config: &ClientConfig) -> bool {
    ["compression.type", "compression.codec"].iter().any(|name| config.get(name).is_some_and(|codec| codec != "none"))
}

/// The time-out as librdkafka wants it: zero for none, and 24.8 days at most.
fn milliseconds(produce_timeout: Duration) -> u128 {
    if produce_timeout.is_zero() { 0 } else { for_librdkafka(produce_timeout).as_millis().max(1) }
}

impl IntoFuture for Publish {
    type Output = Result<Publisher, Error>;
    type IntoFuture = std::future::Ready<Self::Output>;

    /// The writer, as [`start`](Publish::start) gives it.
    fn into_future(self) -> Self::IntoFuture {
        std::future::ready(self.start())
    }
}
