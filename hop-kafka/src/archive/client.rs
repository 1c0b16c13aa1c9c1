//! The archive as programs see it: messages by identifier, time and text, decoded as a reader would.

use std::sync::Arc;

use hop_core::{AnyModel, Place, Record, Route, guarded};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::document::{Notes, Stored};
use super::query::Query;
use super::server::{self, Server};
use super::{document, url_of};
use crate::blocking::{own, spawn};
use crate::http::Failure;
use crate::{Broker, Error, ErrorKind, Stream, Url};

/// What the name of a topic ends with in the archive, for messages that were too large for it.
const OVERSIZED: &str = "+oversized";

/// The archive of a broker: every message of the topics that are archived, also after Kafka has deleted it.
///
/// ```no_run
/// # async fn demo(hop: hop_kafka::Stream) -> Result<(), hop_kafka::Error> {
/// let archive = hop.archive("kafka://kafka.scimma.org/")?;
/// let message = archive.get("e09921f1-81bc-4f7c-aa24-a6dc658afb40".parse().unwrap()).await?;
/// println!("{:?}", message.model);
/// # Ok(())
/// # }
/// ```
///
/// Its address is what the broker's topic `sys.metadata` says, or [`StreamBuilder::archive_url`](crate::StreamBuilder::archive_url).
/// Requests carry the broker's credential, over TLS, or over `http` on this machine.
#[derive(Debug, Clone)]
pub struct Archive {
    pub(super) stream: Stream,
    pub(super) server: Arc<Server>,
    rules: hop_core::TopicRules,
}

/// A message from the archive.
#[derive(Debug)]
#[non_exhaustive]
pub struct Archived {
    /// The model.
    pub model: Box<dyn AnyModel>,
    /// By which rung of the ladder it was found.
    pub route: Route,
    /// Content, key, headers and timestamp. The archive does not know partition and offset, so it has no place.
    pub record: Record,
    /// What the archive says of the message.
    pub entry: Entry,
}

/// What the archive says of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The topic; that of a message that was too large for its topic `T` is `T+oversized`.
    pub topic: Option<String>,
    /// When it was published, in milliseconds since 1970.
    pub timestamp: Option<i64>,
    /// Under which identifier it is stored.
    pub id: Option<Uuid>,
    /// How large it is, in bytes, as it is stored.
    pub size: Option<i64>,
    /// Whether everyone may read it.
    pub is_public: Option<bool>,
    /// Whether its sender has withdrawn it.
    pub is_retracted: bool,
    /// Its header `title`.
    pub title: Option<String>,
    /// Who published it.
    pub sender: Option<String>,
    /// Its media type, by its format.
    pub media_type: Option<String>,
    /// Its header `file_name`.
    pub file_name: Option<String>,
}

impl Entry {
    pub(super) fn new(topic: Option<String>, timestamp: Option<i64>, notes: Notes) -> Self {
        let Notes { id, size, is_public, is_retracted, title, sender, media_type, file_name } = notes;
        Self { topic, timestamp, id, size, is_public, is_retracted, title, sender, media_type, file_name }
    }
}

impl Stream {
    /// Returns the archive of the broker that `url` names. Nothing is connected yet.
    ///
    /// # Errors
    /// Kind `Url`, `Credential`, `Tls` or `Config`.
    pub fn archive(&self, url: impl AsRef<str>) -> Result<Archive, Error> {
        let url: Url = url.as_ref().parse()?;
        let broker = Broker::of(&url)?;
        let shared = &self.shared;
        let rules = match &broker {
            Some(broker) => shared.rules.before(&broker.rules().linked_in(&shared.registry)),
            None => shared.rules.clone(),
        };
        let server = Arc::new(Server::new(self, &url.without_topics()?)?);
        Ok(Archive { stream: self.clone(), server, rules })
    }
}

impl Archive {
    /// Returns the message with this identifier: its `_id`, unless that was taken.
    ///
    /// If it is a placeholder, that is what is returned; [`External`](https://docs.rs/hop-models) has the URL.
    ///
    /// # Errors
    /// Kind `NotFound`, `Authentication`, `Authorization`; `Unavailable`, `Connection` or `TimedOut` after several attempts;
    /// `Protocol` for an answer that is not what it should be; `Decode` with the record.
    pub async fn get(&self, id: Uuid) -> Result<Archived, Error> {
        let stored = self.ask(move |server, is_given_up| server.message(id, is_given_up)).await?;
        let mut archived = self.archived(stored);
        if let Ok(archived) = &mut archived {
            archived.entry.id.get_or_insert(id);
        }
        archived
    }

    /// Returns the topics that have messages which the credential may read.
    ///
    /// # Errors
    /// Those of [`get`](Self::get), but `NotFound`.
    pub async fn topics(&self) -> Result<Vec<String>, Error> {
        let mut topics = self
            .ask(|server, is_given_up| server::read(document::names(&server.get("topics", is_given_up)?), "topics"))
            .await?;
        topics.sort_unstable();
        Ok(topics)
    }

    /// Returns a query for messages: by topic, time and text.
    pub fn query(&self) -> Query {
        Query::new(self.clone())
    }

    /// Asks on a thread of its own.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Server, &dyn Fn() -> bool) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Error> {
        let (tell, answer) = oneshot::channel();
        let server = Arc::clone(&self.server);
        spawn("hop-archive", move || {
            let answer = question(&server, &|| tell.is_closed());
            // Whoever asked may have given up meanwhile.
            let _received = tell.send(answer);
        })?;
        let ended = || Failure::new(ErrorKind::Kafka, "the thread that asked the archive ended", "ask again");
        Ok(own(answer).await.unwrap_or_else(|_| Err(ended()))?)
    }

    /// Decodes a stored message as a reader would.
    pub(super) fn archived(&self, stored: Stored) -> Result<Archived, Error> {
        let (mut record, entry) = record(stored);
        let shared = &self.stream.shared;
        let decoded =
            guarded("the model's `decode`", || shared.registry.decode_record(&record, &self.rules, &shared.limits));
        // It was there for the rules of the topic alone.
        record.place = None;
        match decoded {
            Ok(decoded) => Ok(Archived { model: decoded.model, route: decoded.route, record, entry }),
            Err(error) => Err(Error::decode(error, record)),
        }
    }

    /// Fetches the message that a placeholder stands for; other messages are returned as they are.
    pub(crate) async fn resolved(&self, record: Record) -> Result<Record, Error> {
        let Some(url) = url_of(&record) else { return Ok(record) };
        match self.ask(move |server, is_given_up| server.fetch(&url, is_given_up)).await {
            Ok(stored) => Ok(Record {
                content: stored.content.into(),
                key: stored.key,
                headers: stored.headers,
                timestamp: stored.timestamp.or(record.timestamp),
                ..record
            }),
            Err(error) => Err(Error::not_fetched(error, record)),
        }
    }
}

/// The record of a stored message, with its topic as a place, and what the archive says of it.
pub(super) fn record(stored: Stored) -> (Record, Entry) {
    let Stored { content, headers, key, timestamp, topic, notes } = stored;
    let place = topic.as_deref().map(|topic| Place {
        topic: topic.strip_suffix(OVERSIZED).unwrap_or(topic).into(),
        partition: -1,
        offset: -1,
    });
    let record = Record { content: content.into(), key, headers, timestamp, place };
    (record, Entry::new(topic, timestamp, notes))
}
