//! Reading: a thread of its own talks to the broker, the reader decodes.
//!
//! The thread polls librdkafka, copies each message into a record, and puts it into a bounded inbox. The reader takes
//! records out, decodes them, and stores offsets as messages are done with.

mod assign;
mod inbox;
mod poll;

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use hop_core::{AnyModel, Content, MessageModel, Place, Record, Route};
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::Offset;

use self::assign::Assigner;
use self::inbox::{Inbox, Item};
use crate::stream::Shared;
use crate::{Error, ErrorKind, StartPosition, Stream, Url};

/// One message: the model, the way it was found, and the record as it was received.
#[derive(Debug)]
pub struct Alert {
    /// The model.
    pub model: Box<dyn AnyModel>,
    /// By which rung of the ladder it was found.
    pub route: Route,
    /// Topic, partition, offset, timestamp, key, headers, and the content byte for byte.
    pub record: Record,
}

impl Alert {
    /// The model as an `M`, if it is one.
    pub fn get<M: MessageModel>(&self) -> Option<&M> {
        self.model.downcast_ref()
    }

    /// The model as an owned `M`, or the alert back.
    ///
    /// # Errors
    /// The alert unchanged, when its model is of another type.
    pub fn into_model<M: MessageModel>(self) -> Result<M, Box<Self>> {
        let Self { model, route, record } = self;
        match model.downcast() {
            Ok(model) => Ok(*model),
            Err(model) => Err(Box::new(Self { model, route, record })),
        }
    }
}

/// Settings of one reader; await it to get the [`Subscription`].
#[derive(Debug)]
#[must_use = "a subscription starts when it is awaited"]
pub struct Subscribe {
    stream: Stream,
    url: Result<Url, Error>,
    group: Option<String>,
    start_at: StartPosition,
    until_eos: bool,
    test_messages: bool,
    auto_commit: bool,
}

impl Subscribe {
    pub(crate) fn new(stream: Stream, url: Result<Url, Error>) -> Self {
        let Shared { start_at, until_eos, .. } = *stream.shared;
        Self { stream, url, group: None, start_at, until_eos, test_messages: false, auto_commit: true }
    }

    /// Reads as a member of this group: members share the partitions, and what one has committed none reads again.
    ///
    /// Without a group every partition that the topics have at the start is read, and nothing is committed.
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.group = Some(group.into());
        self
    }

    /// Where to start without a committed offset, in the place of the stream's setting.
    pub fn start_at(mut self, start_at: StartPosition) -> Self {
        self.start_at = start_at;
        self
    }

    /// Whether to stop at the ends, in the place of the stream's setting.
    pub fn until_eos(mut self, until_eos: bool) -> Self {
        self.until_eos = until_eos;
        self
    }

    /// Hands test messages over too; they are skipped unless asked for.
    pub fn test_messages(mut self, test_messages: bool) -> Self {
        self.test_messages = test_messages;
        self
    }

    /// Whether a message counts as done once the next one is asked for (true unless set), or only when
    /// [`mark_done`](Subscription::mark_done) says so.
    pub fn auto_commit(mut self, auto_commit: bool) -> Self {
        self.auto_commit = auto_commit;
        self
    }

    /// The reader, waiting for it on this thread.
    ///
    /// # Errors
    /// As awaiting it.
    pub fn start_blocking(self) -> Result<Subscription, Error> {
        let (subscription, started) = self.launch()?;
        started.blocking_recv().unwrap_or_else(|_| Err(thread_ended()))?;
        Ok(subscription)
    }

    async fn start(self) -> Result<Subscription, Error> {
        let (subscription, started) = self.launch()?;
        started.await.unwrap_or_else(|_| Err(thread_ended()))?;
        Ok(subscription)
    }

    fn launch(self) -> Result<(Subscription, tokio::sync::oneshot::Receiver<Result<(), Error>>), Error> {
        let url = self.url?;
        if url.topics().is_empty() {
            return Err(Error::new(ErrorKind::Usage, "the URL names no topic to read")
                .help("write `kafka://[username@]broker[:port]/topic[,topic2]`"));
        }
        let credential = self.stream.credential(&url)?;
        let username = credential.as_ref().map(crate::Credential::username);
        let group = self.group.clone().unwrap_or_else(|| random_group(username));
        let mut config = crate::config::client(&url, credential.as_ref(), &self.stream.shared.properties);
        config.set("group.id", group);
        // Offsets are stored by us, once a message is done with; in the background the stored ones are committed.
        config.set("enable.auto.offset.store", "false");
        config.set("enable.auto.commit", if self.group.is_some() { "true" } else { "false" });
        config.set("enable.partition.eof", "true");
        // A member that died is noticed soon, and its partitions are read on.
        for (name, value) in [("session.timeout.ms", "10000"), ("heartbeat.interval.ms", "2000")] {
            if config.get(name).is_none() {
                config.set(name, value);
            }
        }
        // Where an offset is no longer there, the oldest message is: then nothing that can still be read is skipped.
        config.set("auto.offset.reset", "earliest");
        let inbox = Arc::new(Inbox::default());
        let assigner = Assigner::new(self.start_at, Arc::clone(&inbox));
        let consumer: BaseConsumer<Assigner> =
            config.create_with_context(assigner).map_err(|error| Error::setting("setting up the reader", &error))?;
        let consumer = Arc::new(consumer);
        let weak = Arc::downgrade(&consumer);
        let stop = Arc::new(AtomicBool::new(false));
        let (tell, started) = tokio::sync::oneshot::channel();
        let poller = poll::Poller {
            topics: url.topics().to_vec(),
            in_group: self.group.is_some(),
            until_eos: self.until_eos,
            connect_timeout: self.stream.shared.connect_timeout,
            inbox: Arc::clone(&inbox),
            stop: Arc::clone(&stop),
        };
        std::thread::Builder::new()
            .name("hop-reader".to_owned())
            .spawn(move || poller.run(consumer, tell))
            .map_err(|error| Error::new(ErrorKind::Kafka, format!("starting the reader's thread: {error}")))?;
        let subscription = Subscription {
            stream: self.stream,
            consumer: weak,
            inbox,
            stop,
            in_group: self.group.is_some(),
            auto_commit: self.auto_commit,
            test_messages: self.test_messages,
            handed_over: None,
        };
        Ok((subscription, started))
    }
}

impl IntoFuture for Subscribe {
    type Output = Result<Subscription, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    /// The reader, once it is connected: every message published from then on is read.
    ///
    /// Fails with kind `Url`, `Usage` (no topic), `Credential`, `Config`, and what the broker says: `Connection`, `Tls`,
    /// `Authentication`, `Authorization`, `UnknownTopic`, or `TimedOut` after the stream's connect time-out.
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.start())
    }
}

fn thread_ended() -> Error {
    Error::new(ErrorKind::Kafka, "the reader's thread ended before it was connected")
}

/// A name that no other group has, in the form that access rules of Hopskotch want: `username-` and ten capitals or digits.
fn random_group(username: Option<&str>) -> String {
    const SYMBOLS: &[u8; 36] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let random = u128::from_be_bytes(*uuid::Uuid::new_v4().as_bytes());
    // The version bits of a UUID stand in the middle; ten symbols fit into the 48 bits before and the 62 after them.
    let (first, second) = ((random >> 80) as u64, random as u64 & ((1 << 62) - 1));
    let symbol = |mut bits: u64, at: u32| {
        bits /= 36_u64.pow(at);
        char::from(SYMBOLS[(bits % 36) as usize])
    };
    let suffix: String = (0..5).map(|at| symbol(first, at)).chain((0..5).map(|at| symbol(second, at))).collect();
    match username {
        Some(username) => format!("{username}-{suffix}"),
        None => suffix,
    }
}

/// A reader: alerts, one after another.
///
/// It is an asynchronous stream ([`next`](Self::next), or `futures`' `Stream`) and a blocking iterator
/// ([`blocking`](Self::blocking)). A message that does not decode is an `Err` of kind `Decode` that carries the record;
/// the messages after it follow.
///
/// In a group, a message counts as done when the next one is asked for, unless `auto_commit` is off. What is done is
/// committed in the background, and by [`close`](Self::close). A program that dies while it works on a message gets it
/// again.
///
/// Dropping it stops the reading thread, which leaves the group by itself.
pub struct Subscription {
    stream: Stream,
    consumer: Weak<BaseConsumer<Assigner>>,
    inbox: Arc<Inbox>,
    stop: Arc<AtomicBool>,
    in_group: bool,
    auto_commit: bool,
    test_messages: bool,
    /// The message that the caller works on.
    handed_over: Option<Place>,
}

impl Subscription {
    /// The next alert; `None` at the end, which only comes with `until_eos` or after an error that ends the stream.
    ///
    /// It may be cancelled at any await: no message is lost by that.
    pub async fn next(&mut self) -> Option<Result<Alert, Error>> {
        std::future::poll_fn(|context| self.poll_next_alert(context)).await
    }

    /// The alerts as a blocking iterator, for programs without an asynchronous runtime.
    pub fn blocking(&mut self) -> impl Iterator<Item = Result<Alert, Error>> {
        std::iter::from_fn(|| {
            self.finish_handed_over();
            loop {
                let item = self.inbox.take_blocking()?;
                if let Some(outcome) = self.open(item) {
                    return Some(outcome);
                }
            }
        })
    }

    fn poll_next_alert(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Alert, Error>>> {
        self.finish_handed_over();
        loop {
            // A full inbox must not keep time-outs and signals of the same task waiting.
            let turn = std::task::ready!(tokio::task::coop::poll_proceed(context));
            match self.inbox.poll_take(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Ready(Some(item)) => {
                    turn.made_progress();
                    if let Some(outcome) = self.open(item) {
                        return Poll::Ready(Some(outcome));
                    }
                }
            }
        }
    }

    /// Decodes what came; `None` for a test message that nobody asked for.
    fn open(&mut self, item: Item) -> Option<Result<Alert, Error>> {
        let record = match item {
            Item::Failed(error) => return Some(Err(error)),
            Item::Record(record) => record,
        };
        if record.headers.is_test() && !self.test_messages {
            self.handed_over = record.place;
            self.finish_handed_over();
            return None;
        }
        self.handed_over.clone_from(&record.place);
        let shared = &self.stream.shared;
        let content = Content::from(&record.content).with_limits(&shared.limits);
        Some(match shared.registry.decode(&record.headers, content) {
            Ok(decoded) => {
                if let Some(label) = decoded.route.unknown_label(&shared.registry) {
                    let linked: Vec<_> = shared.registry.labels().collect();
                    tracing::warn!(target: "hop", label, ?linked, "unknown format; the message is handed over as a blob");
                }
                Ok(Alert { model: decoded.model, route: decoded.route, record })
            }
            Err(error) => Err(Error::decode(error, record)),
        })
    }

    /// The message handed over last is done with, since the next one is asked for.
    fn finish_handed_over(&mut self) {
        let Some(place) = self.handed_over.take() else { return };
        if self.in_group
            && self.auto_commit
            && let Err(error) = self.store(&place)
        {
            // The partition went to another member, which reads from the last commit: the message comes twice.
            tracing::debug!(target: "hop", %place, %error, "the offset is not stored");
        }
    }

    fn store(&self, place: &Place) -> Result<(), KafkaError> {
        match self.consumer.upgrade() {
            // Stored is the offset after it, the next one to read: librdkafka adds the one by itself.
            Some(consumer) => consumer.store_offset(&place.topic, place.partition, place.offset),
            None => Err(KafkaError::Canceled),
        }
    }

    fn place<'a>(&self, record: &'a Record) -> Result<&'a Place, Error> {
        if !self.in_group {
            return Err(
                Error::new(ErrorKind::Usage, "nothing can be committed without a group").help("subscribe with a group")
            );
        }
        record.place.as_ref().ok_or_else(|| Error::new(ErrorKind::Usage, "the record was not read from a topic"))
    }

    /// Says that this record, and all before it in its partition, are done with; the commit follows in the background.
    ///
    /// # Errors
    /// Kind `Usage` without a group; kind `Kafka` when the partition is no longer this reader's.
    pub fn mark_done(&self, record: &Record) -> Result<(), Error> {
        let place = self.place(record)?;
        self.store(place).map_err(|error| Error::kafka(&format!("marking {place} done"), error))
    }

    /// Commits this record, and all before it in its partition, now; returns once the broker has confirmed it.
    ///
    /// # Errors
    /// As [`mark_done`](Self::mark_done), and what the broker says.
    pub async fn mark_done_now(&self, record: &Record) -> Result<(), Error> {
        let place = self.place(record)?.clone();
        let operation = format!("committing {place}");
        let gone = || Error::new(ErrorKind::Usage, format!("{operation}: the reader has ended"));
        let consumer = self.consumer.upgrade().ok_or_else(gone)?;
        let commit = move || -> Result<(), KafkaError> {
            let mut offsets = TopicPartitionList::new();
            offsets.add_partition_offset(&place.topic, place.partition, Offset::Offset(place.offset + 1))?;
            consumer.commit(&offsets, CommitMode::Sync)
        };
        match tokio::task::spawn_blocking(commit).await {
            Ok(done) => done.map_err(|error| Error::kafka(&operation, error)),
            Err(_) => Err(gone()),
        }
    }

    /// Stops, commits what is done, leaves the group, and says how many messages had been received and not handed over.
    ///
    /// The message handed over last is not counted as done unless it was marked so; it comes again. A broker that does
    /// not answer is waited for as long as librdkafka does, up to a minute; put a time-out around it to give up earlier.
    pub async fn close(self) -> usize {
        self.stop.store(true, Ordering::Release);
        std::future::poll_fn(|context| self.inbox.poll_ended(context)).await
    }

    /// The same, waiting on this thread.
    pub fn close_blocking(self) -> usize {
        self.stop.store(true, Ordering::Release);
        self.inbox.wait_ended()
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("working_on", &self.handed_over).finish_non_exhaustive()
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.inbox.abandon();
    }
}

impl futures_core::Stream for Subscription {
    type Item = Result<Alert, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_next_alert(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_groups_have_the_form_that_access_rules_want() {
        let group = random_group(Some("ada"));
        let suffix = group.strip_prefix("ada-").unwrap();
        assert_eq!(suffix.len(), 10);
        assert!(suffix.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()));
        assert_ne!(group, random_group(Some("ada")));
        assert_eq!(random_group(None).len(), 10);
    }
}
