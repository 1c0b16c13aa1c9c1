//! What a broker keeps of groups and topics beside the messages: offsets, members, rights. Asked through a client that joins
//! no group and sends no message.

mod describe;
mod group;
mod rights;

use std::sync::Arc;
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::KafkaError;
use tokio::sync::oneshot;

pub use self::group::{Group, GroupDescription, GroupMove, GroupProgress};
pub use self::rights::{Right, TopicRights};
use crate::auth::token::{Refresher, hand_over};
use crate::blocking::{own, spawn};
use crate::complaint::Complaint;
use crate::time::timeout;
use crate::{Error, ErrorKind, Stream, Url};

/// What librdkafka calls back.
struct Context(Complaint);

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.0.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.0.hear(&error, reason);
    }
}

impl ConsumerContext for Context {}

/// A client of the broker that `url` names.
struct Client {
    consumer: Arc<BaseConsumer<Context>>,
    within: Duration,
    _tokens: Option<Refresher>,
}

impl Client {
    /// Makes a client that can commit for `group`, if one is named.
    fn new(stream: &Stream, url: &Url, group: Option<&str>) -> Result<Self, Error> {
        let shared = &stream.shared;
        let credential = stream.credential(url)?;
        let tokens = crate::config::tokens(credential.as_ref(), &shared.properties)?;
        let mut config = crate::config::client(url, credential.as_ref(), &shared.properties);
        config.set("enable.auto.commit", "false");
        if let Some(group) = group {
            config.set("group.id", group);
        }
        let consumer: BaseConsumer<Context> = config
            .create_with_context(Context(Complaint::new(&config)))
            .map_err(|error| crate::config::refused("setting up the client", &config, &error))?;
        let consumer = Arc::new(consumer);
        let refresher = |source| {
            let consumer = Arc::clone(&consumer);
            Refresher::start(source, move |fate: Result<&_, &_>| {
                hand_over(consumer.client(), &consumer.context().0, fate);
            })
        };
        let _tokens = tokens.map(refresher).transpose()?;
        Ok(Self { consumer, within: shared.connect_timeout, _tokens })
    }

    /// What an operation met; where it got no answer, what is known of the connection.
    fn error(&self, operation: &str, error: KafkaError) -> Error {
        let transient = error.rdkafka_error_code().is_some_and(crate::error::is_transient);
        let known = if transient { self.consumer.context().0.error(operation) } else { None };
        known.unwrap_or_else(|| Error::kafka(operation, error))
    }
}

/// Runs on a thread of its own what blocks in librdkafka, the end of the client included.
///
/// The broker was heard before, so that what is wrong with the connection is said by [`Stream::list_topics`].
async fn on_thread<T: Send + 'static>(
    operation: &'static str,
    within: Duration,
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let (tell, told) = oneshot::channel();
    spawn("hop-request", move || {
        // Whoever asked may have given up meanwhile.
        let _told = tell.send(work());
    })?;
    match timeout(within, own(told)).await {
        Some(Ok(answer)) => answer,
        Some(Err(_)) => Err(Error::new(ErrorKind::Kafka, format!("{operation}: the thread that asked ended"))),
        None => Err(Error::timed_out(operation, within)),
    }
}
