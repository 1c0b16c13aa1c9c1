//! A broker inside the program, for demonstrations and tests.

use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

use crate::{Error, ErrorKind};

/// A Kafka broker inside this process, on a loopback port that it picks itself; it ends when it is dropped.
///
/// It speaks the real protocol, groups and commits included, and makes topics as they are written to. It is librdkafka's
/// mock cluster, and has no authentication, no TLS, no access rights and no topic configuration; it keeps about 5 MB a
/// partition and forgets what is older.
///
/// ```
/// # async fn demo() -> Result<(), hop_kafka::Error> {
/// use hop_kafka::{EmbeddedBroker, Stream};
///
/// let broker = EmbeddedBroker::start()?;
/// let hop = Stream::builder().no_auth().build()?;
/// let out = hop.publish(broker.url("alerts")).await?;
/// # Ok(())
/// # }
/// ```
pub struct EmbeddedBroker {
    cluster: MockCluster<'static, DefaultProducerContext>,
}

// SAFETY: what is called through a reference reads a string that is set once (`bootstrap_servers`) or puts a request into the
// queue of the cluster's own thread (`create_topic`). Any thread may do either, and any thread may destroy the cluster.
#[allow(unsafe_code)]
unsafe impl Send for EmbeddedBroker {}
// SAFETY: as above.
#[allow(unsafe_code)]
unsafe impl Sync for EmbeddedBroker {}

impl EmbeddedBroker {
    /// A running broker without topics.
    ///
    /// # Errors
    /// Kind `Kafka` when it cannot be started, for want of a port or memory.
    pub fn start() -> Result<Self, Error> {
        let cluster = MockCluster::new(1).map_err(|error| Error::kafka("starting the embedded broker", error))?;
        Ok(Self { cluster })
    }

    /// Where it listens: `host:port`.
    pub fn address(&self) -> String {
        self.cluster.bootstrap_servers()
    }

    /// The URL of topics on it, separated by commas.
    pub fn url(&self, topics: &str) -> String {
        format!("kafka://{}/{topics}", self.address())
    }

    /// Makes a topic with this number of partitions. One that is written to without that gets four.
    ///
    /// # Errors
    /// Kind `Usage` when the name or the number is not possible, or the topic is there.
    pub fn create_topic(&self, name: &str, partitions: u16) -> Result<(), Error> {
        if !crate::url::is_topic(name) || partitions == 0 {
            return Err(Error::new(
                ErrorKind::Usage,
                format!("cannot make {partitions} partitions of `{}`", name.escape_debug()),
            ));
        }
        self.cluster
            .create_topic(name, i32::from(partitions), 1)
            .map_err(|error| Error::new(ErrorKind::Usage, format!("making the topic `{name}`: {error}")))
    }
}

impl std::fmt::Debug for EmbeddedBroker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EmbeddedBroker").field("address", &self.address()).finish()
    }
}
