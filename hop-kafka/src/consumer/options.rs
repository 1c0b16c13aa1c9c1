//! Settings of one reader.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use hop_core::{Record, SchemaChain, SchemaSource, TopicPattern, TopicRule, TopicRules};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use tokio::sync::oneshot;

use super::client::{Client as _, Librdkafka};
use super::context::Context;
use super::dead_letters::Undecodable;
use super::decode::{Decoder, Filter};
use super::dedupe::Dedupe;
use super::external::Fetcher;
use super::nightly::Topics;
use super::offsets::StartPosition;
use super::queue::Bound;
use super::session::{Arrival, Batch, Session, Settings};
use super::subscription::Subscription;
use super::worker::Worker;
use crate::auth::token::{Refresher, hand_over};
use crate::blocking::{own, spawn};
use crate::complaint::Complaint;
use crate::producer::Publish;
use crate::{Broker, Error, ErrorKind, Publisher, SchemaRegistry, Stream, Url};

/// How often new partitions are looked for unless the property says otherwise.
const DISCOVERY: Duration = Duration::from_secs(30);
/// How long a message may take on its way to the dead-letter topic.
const DEAD_LETTER_TIMEOUT: Duration = Duration::from_secs(60);

/// How many dates the window of nightly topics has: tonight's messages may still go to the topic of yesterday.
const NIGHTS: u16 = 2;
/// The most nights that a window has: each that is not there is asked for, one after another.
const MOST_NIGHTS: u16 = 31;

/// How many rules that read nothing are named in the log.
const LOGGED_RULES: usize = 5;

/// How many messages librdkafka fetches ahead, at least.
const AHEAD: usize = 10_000;
/// The most messages that a batch takes from the worker to the reader, and from a decoding thread.
const BATCH: usize = 128;
const DECODED_BATCH: usize = 8;
/// How long what is decoded of a batch waits for the rest of it.
const SLOW: Duration = Duration::from_millis(5);

/// When a message of a group is done, so that the group does not read it again. What is done is committed in the background.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Commit {
    /// When the next message is asked for.
    #[default]
    Auto,
    /// When it, or a later one of its partition, is given to [`mark_done`](Subscription::mark_done).
    Marked,
    /// When it and all before it in its partition are given to [`mark_done`](Subscription::mark_done), in any order: for
    /// programs that work on several messages at once.
    ///
    /// A message that did not decode has to be marked as well: its record is in the error. What filters leave out needs no
    /// mark.
    Each,
}

/// Settings of one reader; await it to get the [`Subscription`].
#[must_use = "a subscription starts when it is awaited"]
pub struct Subscribe {
    stream: Stream,
    url: Result<Url, Error>,
    group: Option<String>,
    start_at: StartPosition,
    until_eos: bool,
    until: Option<SystemTime>,
    test_messages: bool,
    formats: Vec<String>,
    filters: Vec<Filter>,
    dedupe: Option<Dedupe>,
    rules: Vec<Result<TopicRule, hop_core::Error>>,
    commit: Option<Commit>,
    undecodable: Undecodable,
    report_loss: bool,
    pass_unreadable: bool,
    bound: Bound,
    workers: usize,
    nights: u16,
    fetch_external: Option<bool>,
}

impl fmt::Debug for Subscribe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscribe")
            .field("url", &self.url)
            .field("group", &self.group)
            .field("start_at", &self.start_at)
            .field("until_eos", &self.until_eos)
            .finish_non_exhaustive()
    }
}

impl Subscribe {
    pub(crate) fn new(stream: Stream, url: Result<Url, Error>) -> Self {
        let (start_at, until_eos) = (stream.shared.start_at.clone(), stream.shared.until_eos);
        Self {
            stream,
            url,
            group: None,
            start_at,
            until_eos,
            until: None,
            test_messages: false,
            formats: Vec::new(),
            filters: Vec::new(),
            dedupe: None,
            rules: Vec::new(),
            commit: None,
            undecodable: Undecodable::Yield,
            report_loss: false,
            pass_unreadable: false,
            bound: Bound::default(),
            workers: 0,
            nights: NIGHTS,
            fetch_external: None,
        }
    }

    /// Reads as a member of this group: members share the partitions, and what one has committed none reads again.
    ///
    /// Without a group every partition of the topics is read, and nothing is committed.
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.group = Some(group.into());
        self
    }

    /// Where to start, in the place of the stream's setting.
    pub fn start_at(mut self, start_at: StartPosition) -> Self {
        self.start_at = start_at;
        self
    }

    /// Whether to stop at the ends, as they stand when the reader starts, in the place of the stream's setting.
    pub fn until_eos(mut self, until_eos: bool) -> Self {
        self.until_eos = until_eos;
        self
    }

    /// Stops in each partition before its first message of this time or later, or at its end, as both stand when the reader
    /// starts; it implies [`until_eos`](Self::until_eos). [`StartPosition::Latest`] and [`StartPosition::Last`] count from there.
    ///
    /// Timestamps are in milliseconds. A publisher may set them, so they need not be in order: a message of an earlier time that
    /// stands behind that first one is not read; a reader that starts at the same time reads it. A broker that cannot look up
    /// times has its partitions read to find that message, as for [`StartPosition::Time`].
    ///
    /// ```no_run
    /// # async fn demo(hop: hop_kafka::Stream) -> Result<(), hop_kafka::Error> {
    /// use std::time::{Duration, SystemTime};
    ///
    /// use hop_kafka::StartPosition;
    ///
    /// let hour = Duration::from_secs(3_600);
    /// let since = StartPosition::Time(SystemTime::now() - 2 * hour);
    /// let until = SystemTime::now() - hour;
    /// let mut alerts = hop.subscribe("kafka://kafka.scimma.org/gcn.circular").start_at(since).until(until).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn until(mut self, time: SystemTime) -> Self {
        self.until = Some(time);
        self
    }

    /// Hands test messages over too; they are skipped unless asked for.
    pub fn test_messages(mut self, test_messages: bool) -> Self {
        self.test_messages = test_messages;
        self
    }

    /// Hands over messages of these formats alone, told by the `_format` header, in any case, before decoding.
    ///
    /// A message without that header is decoded, and handed over if its format is one of them.
    pub fn formats<L: Into<String>>(mut self, labels: impl IntoIterator<Item = L>) -> Self {
        self.formats = labels.into_iter().map(Into::into).collect();
        self
    }

    /// Reads messages of the topics that `pattern` stands for by the model labelled `label`, if they carry no `_format`.
    ///
    /// It goes before the stream's own rules and those of the broker's profile; see
    /// [`StreamBuilder::topic_model`](crate::StreamBuilder::topic_model).
    pub fn topic_model(mut self, pattern: &str, label: &str) -> Self {
        self.rules.push(TopicRule::new(pattern, label));
        self
    }

    /// Adds a rule with a framing, or one that goes before the header.
    pub fn topic_rule(mut self, rule: TopicRule) -> Self {
        self.rules.push(Ok(rule));
        self
    }

    /// Hands over only what fits this as well, asked before decoding. Each call adds a condition.
    ///
    /// ```no_run
    /// # async fn demo(hop: hop_kafka::Stream) -> Result<(), hop_kafka::Error> {
    /// let mut alerts = hop
    ///     .subscribe("kafka://kafka.scimma.org/gcn.circular,igwn.gwalert")
    ///     .filter(|record| record.headers.get("priority") == Some(b"1"))
    ///     .filter(|record| record.place.as_ref().is_some_and(|place| &*place.topic == "igwn.gwalert"))
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn filter(mut self, condition: impl Fn(&Record) -> bool + Send + Sync + 'static) -> Self {
        self.filters.push(Arc::new(condition));
        self
    }

    /// Skips a message that was handed over before and comes again at another place, since its publisher was not sure that it
    /// had arrived.
    ///
    /// ```no_run
    /// # async fn demo(hop: hop_kafka::Stream) -> Result<(), hop_kafka::Error> {
    /// use hop_kafka::Dedupe;
    ///
    /// let alerts = hop.subscribe("kafka://kafka.scimma.org/gcn.circular").dedupe(Dedupe::by_id()).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// What was handed over is remembered by this reader alone: members of a group do not know what the others have had, and a
    /// program that is started anew begins anew. Repeats count as skipped.
    pub fn dedupe(mut self, dedupe: Dedupe) -> Self {
        self.dedupe = Some(dedupe);
        self
    }

    /// Sets when a message is done: [`Commit::Auto`] unless set. It takes a [`group`](Self::group).
    ///
    /// ```no_run
    /// # async fn demo(hop: hop_kafka::Stream) -> Result<(), hop_kafka::Error> {
    /// use hop_kafka::Commit;
    ///
    /// let url = "kafka://kafka.scimma.org/gcn.circular";
    /// let mut alerts = hop.subscribe(url).group("ada-night-watch").commit(Commit::Marked).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn commit(mut self, commit: Commit) -> Self {
        self.commit = Some(commit);
        self
    }

    /// What to do with a message that does not decode; it is handed over as an error unless set.
    pub fn on_undecodable(mut self, undecodable: Undecodable) -> Self {
        self.undecodable = undecodable;
        self
    }

    /// Hands over an error of kind [`Lost`](crate::ErrorKind::Lost) where messages were deleted before they were read, a
    /// topic was deleted and made anew, or a batch was [passed](Self::pass_unreadable). Without this they are counted and logged, with both offsets.
    ///
    /// Offsets that are missing for another reason, such as compaction and transactions, are no loss. A topic that was made
    /// anew is read from its beginning, unless it already has more messages than were read of the old one: then reading
    /// goes on at the same offset, and nothing shows the change.
    pub fn report_loss(mut self, report_loss: bool) -> Self {
        self.report_loss = report_loss;
        self
    }

    /// Goes on after a batch of messages that librdkafka cannot unpack, such as one that unpacks to more than
    /// `receive.message.max.bytes` (100 MB). Without this its error is handed over, and the partition is not read on.
    ///
    /// The messages that are passed are counted and logged with their offsets, and reported as
    /// [`report_loss`](Self::report_loss) says. To find the end of the batch, reading is tried from offsets after it: a few
    /// seconds for a batch of thousands. No message outside of the batch is passed.
    pub fn pass_unreadable(mut self, pass_unreadable: bool) -> Self {
        self.pass_unreadable = pass_unreadable;
        self
    }

    /// How much may wait here to be asked for: so many messages or so many bytes, whichever is reached first; 1,000 and
    /// 32 MiB unless set. librdkafka keeps as many bytes again, with `until_eos` for each partition.
    ///
    /// When it is full, nothing more is fetched until some is taken. One message is always taken, however large.
    ///
    /// The bound covers contents, keys and headers here, and contents there. It does not cover what librdkafka needs around
    /// each message that it fetched ahead, some 500 bytes: 500,000 messages of a few bytes took 273 MiB. Nor does it cover
    /// compressed batches, each of which is unpacked at once: with zstd up to `receive.message.max.bytes`, with the other
    /// codecs to any size. Where publishers are not trusted, limit the memory of the process.
    pub fn buffer(mut self, messages: usize, bytes: usize) -> Self {
        self.bound = Bound { messages: messages.max(1), bytes: bytes.max(1) };
        self
    }

    /// Decodes on so many threads beside the network and the caller; zero, the default, decodes where the next message is
    /// asked for. The order is the same either way.
    pub fn decoding_threads(mut self, threads: usize) -> Self {
        self.workers = threads;
        self
    }

    /// Sets how many dates `{date}` in a topic of the URL stands for, the present one in UTC included; 2 unless set: today and
    /// yesterday. At most 31: more count as 31.
    ///
    /// Some brokers make a topic for each night, such as `lc_classifier_20261127`. Those within the window that are there are
    /// read; a topic that is not there yet is looked for every 30 seconds (`topic.metadata.refresh.interval.ms`) and read from
    /// its beginning, and one whose date falls out of the window is let go once it is read to its end. No other topics are
    /// touched, so names that a broker still lists and no longer serves do no harm.
    ///
    /// With `until_eos` the window is that of the start. A reader that was down for longer than the window misses the nights
    /// between, group or not.
    ///
    /// ```no_run
    /// # async fn demo(hop: hop_kafka::Stream) -> Result<(), hop_kafka::Error> {
    /// let url = "kafka://kafka.alerce.science:9093/lc_classifier_{date}";
    /// let mut alerts = hop.subscribe(url).group("night-watch").nights(3).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn nights(mut self, nights: u16) -> Self {
        self.nights = nights.min(MOST_NIGHTS);
        self
    }

    /// Sets whether the message that a placeholder (format `external`) stands for is fetched from the broker's archive and
    /// handed over in its place, instead of the stream's setting.
    ///
    /// Its content, headers, key and timestamp are those of the stored message; topic, partition and offset are the
    /// placeholder's, so that it is marked as done as any other. Filters and formats apply to the stored message. Messages
    /// behind a placeholder wait for it; up to four are fetched at once. One that cannot be fetched is handed over as an
    /// error with the placeholder as its record, and may go to a dead-letter topic. [`Subscription::next_record`] returns
    /// placeholders as they are.
    pub fn fetch_external(mut self, fetch_external: bool) -> Self {
        self.fetch_external = Some(fetch_external);
        self
    }

    /// The reader, at once and without waiting for the connection. Where that fails, the first message asked for is the
    /// error, and the last.
    ///
    /// # Errors
    /// Kind `Url`, `Usage` (no topic), `Credential` or `Config`.
    pub fn start(self) -> Result<Subscription, Error> {
        self.launch().map(|(subscription, _)| subscription)
    }

    pub(super) fn is_in_group(&self) -> bool {
        self.group.is_some()
    }

    /// The stream and the URL that it reads.
    pub(super) fn target(&self) -> Result<(Stream, Url), Error> {
        match &self.url {
            Ok(url) => Ok((self.stream.clone(), url.clone())),
            Err(error) => Err(Error::new(error.kind(), error.to_string())),
        }
    }

    /// Whether placeholders are replaced by what they stand for.
    pub(super) fn fetches(&self) -> Result<bool, Error> {
        self.fetch_external.map_or_else(|| self.stream.shared.large.fetches(), Ok)
    }

    async fn connect(self) -> Result<Subscription, Error> {
        let (subscription, started) = self.launch()?;
        let ended = || Error::new(ErrorKind::Kafka, "the reader's thread ended before it was connected");
        own(started).await.unwrap_or_else(|_| Err(ended()))?;
        Ok(subscription)
    }

    /// When messages are done; `None` without a group.
    fn committing(&self) -> Result<Option<Commit>, Error> {
        match (&self.group, self.commit) {
            (Some(group), _) if group.is_empty() => Err(Error::new(ErrorKind::Usage, "the name of the group is empty")
                .help("name the group, or leave it out to read everything without commits")),
            (Some(_), commit) => Ok(Some(commit.unwrap_or_default())),
            (None, None) => Ok(None),
            (None, Some(_)) => Err(Error::new(ErrorKind::Usage, "nothing can be committed without a group")
                .help("name a group with `.group(…)`, or leave `.commit(…)` out")),
        }
    }

    /// The writer to the dead-letter topic, if there is one.
    fn dead_letters(&self, url: &Url) -> Result<Option<Arc<Publisher>>, Error> {
        let Undecodable::DeadLetter(topic) = &self.undecodable else { return Ok(None) };
        if Topics::may_be(url.topics(), topic) {
            return Err(Error::new(
                ErrorKind::Usage,
                format!(
                    "the dead-letter topic `{topic}` is one of the topics to read: its messages would go round for ever"
                ),
            )
            .help("send dead letters to a topic that this reader does not read"));
        }
        let publish = Publish::new(self.stream.clone(), Ok(url.with_topic(topic)?));
        Ok(Some(Arc::new(publish.produce_timeout(DEAD_LETTER_TIMEOUT).start()?)))
    }

    /// The rules for these topics, the reader's own before the stream's before the broker's.
    fn rules(&mut self, broker: Option<&Broker>, topics: &[String]) -> Result<TopicRules, Error> {
        let shared = &self.stream.shared;
        let own = crate::stream::topic_rules(std::mem::take(&mut self.rules), &shared.registry)?;
        log_unused(&own, topics);
        let rules = own.before(&shared.rules);
        let rules = match broker {
            Some(broker) => broker.rules_after(&rules, topics, &shared.registry)?,
            None => rules.for_topics(topics),
        };
        if rules.iter().all(|rule| rule.framing_name().is_none()) {
            return Ok(rules);
        }
        let schemas = self.schemas(broker)?;
        let framed = rules.with_framings(&shared.registry, schemas.as_ref());
        framed.map_err(|error| Error::new(ErrorKind::Config, error.to_string()))
    }

    /// Where schemas are looked up: first where the stream says, then in the broker's registry.
    fn schemas(&self, broker: Option<&Broker>) -> Result<Option<Arc<dyn SchemaSource>>, Error> {
        let shared = &self.stream.shared;
        let registry = match broker.and_then(|broker| broker.registry.as_deref()) {
            None => None,
            Some(url) => Some(Arc::new(SchemaRegistry::with_auth(url, &shared.auth)?) as Arc<dyn SchemaSource>),
        };
        Ok(match (shared.schemas.clone(), registry) {
            (Some(own), Some(registry)) => Some(Arc::new(SchemaChain::new([own, registry]))),
            (own, registry) => own.or(registry),
        })
    }

    fn launch(mut self) -> Result<(Subscription, oneshot::Receiver<Result<(), Error>>), Error> {
        let url = std::mem::replace(&mut self.url, Err(Error::new(ErrorKind::Usage, "the URL was taken")))?;
        if url.topics().is_empty() {
            return Err(Error::new(ErrorKind::Usage, "the URL names no topic to read")
                .help("write `kafka://[username@]broker[:port]/topic[,topic2]`"));
        }
        let commit = self.committing()?;
        let fetches = self.fetches()?;
        let broker = Broker::of(&url)?;
        let rules = self.rules(broker.as_ref(), url.topics())?;
        // Looking up a schema would hold up whoever asks for the next message.
        if self.workers == 0 && rules.iter().filter_map(TopicRule::framing).any(|framing| framing.may_wait()) {
            self.workers = 1;
        }
        let dead_letters = self.dead_letters(&url)?;
        let credential = self.stream.credential(&url)?;
        let username = credential.as_ref().map(crate::Credential::username);
        if let (Some(broker), Some(group)) = (&broker, &self.group) {
            broker.check_group(group, username)?;
        }
        let group = self.group.unwrap_or_else(|| random_group(username));
        let tokens = crate::config::tokens(credential.as_ref(), &self.stream.shared.properties)?;
        let mut config = crate::config::client(&url, credential.as_ref(), &self.stream.shared.properties);
        configure(&mut config, &group, commit.is_some(), self.bound);
        // Below one it is switched off.
        let discovery = config.get("topic.metadata.refresh.interval.ms").and_then(|text| text.parse().ok());
        let settings = Settings {
            topics: Topics::new(url.topics().to_vec(), self.nights),
            start_at: self.start_at,
            until_eos: self.until_eos || self.until.is_some(),
            until: self.until,
            commit,
            discovery: discovery.filter(|ms| *ms > 0).map(Duration::from_millis),
            timeout: self.stream.shared.connect_timeout,
            report_loss: self.report_loss,
            pass_unreadable: self.pass_unreadable,
            // Small where threads decode, so that all of them have work, and the first message does not wait for the last.
            batch: if self.workers > 0 { DECODED_BATCH } else { BATCH },
        };
        let session = Arc::new(Session::new(settings, self.bound, Complaint::new(&config)));
        let consumer: BaseConsumer<Context> = config
            .create_with_context(Context { session: Arc::clone(&session) })
            .map_err(|error| crate::config::refused("setting up the reader", &config, &error))?;
        let client = Librdkafka::new(consumer).ok_or_else(|| {
            Error::new(ErrorKind::Kafka, "setting up the reader: librdkafka gives no queue of events")
        })?;
        let client = Arc::new(client);
        session.set_waker({
            let client = Arc::downgrade(&client);
            move || {
                if let Some(client) = client.upgrade() {
                    client.wake();
                }
            }
        });
        let refresher = |source| {
            let client = Arc::clone(&client);
            let deliver = move |fate: Result<&_, &_>| {
                hand_over(client.consumer.client(), &client.consumer.context().session.complaint, fate);
            };
            Refresher::start(source, deliver)
        };
        let tokens = tokens.map(refresher).transpose()?;
        let fetcher = match fetches {
            true => Some(Fetcher::new(self.stream.clone(), url.clone().without_topics()?, self.test_messages)),
            false => None,
        };
        let (formats, filters) = (self.formats, self.filters);
        let decoder =
            Decoder::new(self.stream.clone(), self.test_messages, formats, filters, rules, fetcher, self.dedupe);
        let worker = Worker::new(Arc::clone(&session), client);
        // From here on the threads end when the subscription is dropped.
        let (tell, started) = oneshot::channel();
        let subscription = Subscription::new(Arc::clone(&session), decoder.clone(), self.undecodable, dead_letters);
        for _ in 0..self.workers {
            let (session, decoder) = (Arc::clone(&session), decoder.clone());
            spawn("hop-decoder", move || {
                session
                    .queue
                    .work(|| session.is_stopped(), |arrival, hand_over| decode_ahead(&decoder, arrival, hand_over));
            })?;
        }
        spawn("hop-reader", move || worker.run(tokens, tell))?;
        Ok((subscription, started))
    }
}

/// Logs which of a reader's own rules read none of its topics: the topic's name may be mistyped in one of the two.
fn log_unused(own: &TopicRules, topics: &[String]) {
    let topics: Vec<TopicPattern> = topics.iter().filter_map(|topic| topic.parse().ok()).collect();
    let is_unused = |rule: &&TopicRule| !topics.iter().any(|topic| rule.pattern().overlaps(topic));
    let mut unused = own.iter().filter(is_unused).map(|rule| rule.pattern().as_str());
    let named: Vec<&str> = unused.by_ref().take(LOGGED_RULES).collect();
    if named.is_empty() {
        return;
    }
    let (rules, more) = (named.join("`, `"), unused.count());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let topics = topics.iter().map(TopicPattern::as_str).collect::<Vec<_>>().join("`, `");
    tracing::warn!(
        target: "hop",
        "no message is read by the rule for `{rules}`{more}: the topics are `{topics}`; correct the pattern, or leave the rule out"
    );
}

/// Decodes what waits in the queue. What is decoded does not wait for a message behind it that takes long.
fn decode_ahead(decoder: &Decoder, arrival: Arrival, hand_over: &dyn Fn(Arrival, usize)) -> Arrival {
    let Arrival::Batch(Batch { tenure, items }) = arrival else { return arrival };
    let (mut decoded, mut since) = (Vec::with_capacity(items.len()), Instant::now());
    for (offset, item) in items {
        // Of a partition that went away, nothing is handed over.
        if tenure.is_over() {
            decoded.push((offset, item));
            continue;
        }
        if !decoded.is_empty() && (since.elapsed() >= SLOW || decoder.may_wait(&item)) {
            let (tenure, items) = (Arc::clone(&tenure), std::mem::take(&mut decoded));
            let messages = items.len();
            hand_over(Arrival::Batch(Batch { tenure, items }), messages);
            since = Instant::now();
        }
        decoded.push((offset, decoder.ahead(item)));
    }
    Arrival::Batch(Batch { tenure, items: decoded })
}

/// What librdkafka has to know of a reader.
fn configure(config: &mut ClientConfig, group: &str, in_group: bool, bound: Bound) {
    config.set("group.id", group);
    // Offsets are stored by us, once a message is done with; in the background the stored ones are committed.
    config.set("enable.auto.offset.store", "false");
    config.set("enable.auto.commit", if in_group { "true" } else { "false" });
    config.set("enable.partition.eof", "true");
    let kilobytes = (bound.bytes / 1024).clamp(1, 2_097_151).to_string();
    let messages = bound.messages.clamp(AHEAD, 10_000_000).to_string();
    for (name, value) in [
        // A member that died is noticed soon, and its partitions are read on.
        ("session.timeout.ms", "10000"),
        ("heartbeat.interval.ms", "2000"),
        ("topic.metadata.refresh.interval.ms", &DISCOVERY.as_millis().to_string()),
        ("queued.max.messages.kbytes", &kilobytes),
        ("queued.min.messages", &messages),
        // How long fetching pauses when these are reached. A second, as librdkafka has it, leaves the reader without
        // messages most of the time.
        ("fetch.queue.backoff.ms", "5"),
    ] {
        if config.get(name).is_none() {
            config.set(name, value);
        }
    }
    // Where an offset is no longer there, the oldest message is: then nothing that can still be read is skipped.
    config.set("auto.offset.reset", "earliest");
}

impl IntoFuture for Subscribe {
    type Output = Result<Subscription, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    /// The reader, once it is connected: every message published from then on is read.
    ///
    /// Fails with kind `Url`, `Usage` (no topic), `Credential`, `Config`, and what the broker says: `Connection`, `Tls`,
    /// `Authentication`, `Authorization`, `UnknownTopic`, or `TimedOut` after the stream's connect time-out.
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.connect())
    }
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
