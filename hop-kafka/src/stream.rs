//! Defaults for readers and writers, and the doors to both.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hop_core::{Limits, Registry, SchemaSource, TopicRule, TopicRules};

use crate::archive::{LargeMessages, Offload};
use crate::auth::TokenLife;
use crate::blocking::{own, spawn};
use crate::consumer::Subscribe;
use crate::producer::Publish;
use crate::{Auth, Credential, Error, ErrorKind, StartPosition, Topic, Url};

/// What readers and writers have in common: credentials, models, and where to start.
///
/// ```
/// use hop_kafka::{StartPosition, Stream};
///
/// let hop = Stream::builder().start_at(StartPosition::Earliest).until_eos(true).no_auth().build()?;
/// # Ok::<(), hop_kafka::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Stream {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) auth: Auth,
    pub(crate) registry: RegistryRef,
    pub(crate) rules: TopicRules,
    pub(crate) schemas: Option<Arc<dyn SchemaSource>>,
    pub(crate) start_at: StartPosition,
    pub(crate) until_eos: bool,
    pub(crate) connect_timeout: Duration,
    pub(crate) limits: Limits,
    pub(crate) properties: Vec<(String, String)>,
    pub(crate) large: LargeMessages,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A property may hold a password; only the names are shown.
        let names: Vec<&str> = self.properties.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Stream")
            .field("auth", &self.auth)
            .field("start_at", &self.start_at)
            .field("until_eos", &self.until_eos)
            .field("properties", &names)
            .finish_non_exhaustive()
    }
}

/// The linked registry, or one of the user's.
#[derive(Debug, Clone)]
pub(crate) enum RegistryRef {
    Linked(&'static Registry),
    Own(Arc<Registry>),
}

impl std::ops::Deref for RegistryRef {
    type Target = Registry;

    fn deref(&self) -> &Registry {
        match self {
            Self::Linked(registry) => registry,
            Self::Own(registry) => registry,
        }
    }
}

/// Returns a reader of the topics that `url` names, with the defaults of a [`Stream`]; await it, after settings of its own.
///
/// ```no_run
/// # async fn demo() -> Result<(), hop_kafka::Error> {
/// let mut alerts = hop_kafka::subscribe("kafka://kafka.scimma.org/gcn.circular").await?;
/// while let Some(alert) = alerts.next().await {
///     println!("{:?}", alert?.model);
/// }
/// # Ok(())
/// # }
/// ```
pub fn subscribe(url: impl AsRef<str>) -> Subscribe {
    let (stream, url) = with_defaults(url.as_ref());
    Subscribe::new(stream, url)
}

/// Returns a writer to the broker that `url` names, with the defaults of a [`Stream`]; await it, after settings of its own.
///
/// ```no_run
/// # async fn demo() -> Result<(), hop_kafka::Error> {
/// let out = hop_kafka::publish("kafka://kafka.scimma.org/my.topic").await?;
/// out.write(&hop_core::JsonBlob::default()).send().await?;
/// out.close().await?;
/// # Ok(())
/// # }
/// ```
pub fn publish(url: impl AsRef<str>) -> Publish {
    let (stream, url) = with_defaults(url.as_ref());
    Publish::new(stream, url)
}

/// Lists the topics of `url` with the defaults of a [`Stream`], as [`Stream::list_topics`] does.
///
/// # Errors
/// Those of [`Stream::list_topics`].
pub async fn list_topics(url: impl AsRef<str>) -> Result<Vec<Topic>, Error> {
    Stream::builder().build()?.list_topics(url).await
}

/// The default stream; where there is none, the URL's place has the reason.
fn with_defaults(url: &str) -> (Stream, Result<Url, Error>) {
    match Stream::builder().build() {
        Ok(stream) => (stream, url.parse()),
        Err(error) => {
            (StreamBuilder::default().with(RegistryRef::Own(Arc::default()), TopicRules::default()), Err(error))
        }
    }
}

impl Stream {
    /// Defaults to change: credentials from the user's file, every linked model, start at the latest, read for ever.
    pub fn builder() -> StreamBuilder {
        StreamBuilder::default()
    }

    /// A reader of the topics that `url` names; await it, after settings of its own.
    ///
    /// ```no_run
    /// # async fn demo(hop: hop_kafka::Stream) -> Result<(), hop_kafka::Error> {
    /// let mut alerts = hop.subscribe("kafka://kafka.scimma.org/gcn.circular").group("ada-night-watch").await?;
    /// while let Some(alert) = alerts.next().await {
    ///     match alert {
    ///         Ok(alert) => println!("{:?}", alert.model),
    ///         // One message that does not decode: the error has its record, and the next one follows.
    ///         Err(error) => eprintln!("{error}"),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn subscribe(&self, url: impl AsRef<str>) -> Subscribe {
        Subscribe::new(self.clone(), url.as_ref().parse())
    }

    /// A writer to the broker that `url` names; await it, after settings of its own.
    ///
    /// ```no_run
    /// # async fn demo(hop: hop_kafka::Stream) -> Result<(), hop_kafka::Error> {
    /// use hop_core::JsonBlob;
    ///
    /// let out = hop.publish("kafka://kafka.scimma.org/my.topic").await?;
    /// out.write(&JsonBlob::default()).header("priority", "1").send().await?;
    /// out.close().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn publish(&self, url: impl AsRef<str>) -> Publish {
        Publish::new(self.clone(), url.as_ref().parse())
    }

    /// The topics that `url` names, as far as they are there, or every topic where it names none; sorted by name. What the
    /// credential may not see is not there.
    ///
    /// ```no_run
    /// # async fn demo(hop: hop_kafka::Stream) -> Result<(), hop_kafka::Error> {
    /// for topic in hop.list_topics("kafka://kafka.scimma.org/").await? {
    ///     println!("{}: {} partitions", topic.name, topic.partitions);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Kind `Url`, `Credential` or `Config`, and what the broker says: `Connection`, `Tls`, `Authentication`, or `TimedOut`
    /// after the stream's connect time-out.
    pub async fn list_topics(&self, url: impl AsRef<str>) -> Result<Vec<Topic>, Error> {
        crate::producer::list(self.clone(), url.as_ref().parse()?).await
    }

    /// The username that readers and writers of `url` speak as; `None` when authentication is off.
    ///
    /// # Errors
    /// Kind `Credential`: the file cannot be used, or none or several credentials fit.
    pub fn username(&self, url: &Url) -> Result<Option<String>, Error> {
        Ok(self.credential(url)?.map(|credential| credential.username().to_owned()))
    }

    /// Fetches a token as a reader or a writer of `url` would, and returns what it says of itself; `None` if the credential
    /// takes none.
    ///
    /// # Errors
    /// Kind `Credential`: none or several credentials fit, or the file cannot be used; and why there is no token.
    pub async fn fetch_token(&self, url: &Url) -> Result<Option<TokenLife>, Error> {
        let credential = self.credential(url)?;
        let Some(source) = crate::config::tokens(credential.as_ref(), &self.shared.properties)? else {
            return Ok(None);
        };
        let (tell, told) = tokio::sync::oneshot::channel();
        spawn("hop-request", move || {
            // Whoever asked may have given up meanwhile.
            let _told = tell.send(source.try_out());
        })?;
        let ended = |_| Error::new(ErrorKind::Kafka, "fetching a token: the thread that asked ended");
        own(told).await.map_err(ended)?.map(Some)
    }

    /// The credential for `url`.
    pub(crate) fn credential(&self, url: &Url) -> Result<Option<Credential>, Error> {
        self.shared.auth.select(url)
    }
}

/// Settings of a [`Stream`].
#[derive(Default)]
#[must_use]
pub struct StreamBuilder {
    auth: Auth,
    registry: Option<Arc<Registry>>,
    rules: Vec<Result<TopicRule, hop_core::Error>>,
    schemas: Option<Arc<dyn SchemaSource>>,
    start_at: StartPosition,
    until_eos: bool,
    connect_timeout: Option<Duration>,
    limits: Limits,
    properties: Vec<(String, String)>,
    large: LargeMessages,
}

impl fmt::Debug for StreamBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamBuilder").field("auth", &self.auth).finish_non_exhaustive()
    }
}

impl StreamBuilder {
    /// Speaks as this credential, on every broker that it fits.
    pub fn credential(mut self, credential: Credential) -> Self {
        self.auth = match self.auth {
            Auth::Credentials(mut several) => {
                several.push(credential);
                Auth::Credentials(several)
            }
            _ => Auth::Credentials(vec![credential]),
        };
        self
    }

    /// Finds its credential this way.
    pub fn auth(mut self, auth: Auth) -> Self {
        self.auth = auth;
        self
    }

    /// Without authentication and without TLS at the broker. A schema registry is still logged in to.
    pub fn no_auth(self) -> Self {
        self.auth(Auth::Off)
    }

    /// Decodes with these models, in the place of all that are linked.
    pub fn registry(mut self, registry: impl Into<Arc<Registry>>) -> Self {
        self.registry = Some(registry.into());
        self
    }

    /// Reads messages of the topics that `pattern` stands for by the model labelled `label`, if they carry no `_format`.
    ///
    /// `*` stands for a part of a name, `**` for several; the more specific pattern goes first. Rules that are set here go
    /// before those of the broker's [profile](crate::Broker), whatever their patterns.
    ///
    /// ```
    /// use hop_kafka::Stream;
    ///
    /// let hop = Stream::builder().topic_model("dome.*", "json").no_auth().build()?;
    ///
    /// let error = Stream::builder().topic_model("dome.*", "weather").no_auth().build().unwrap_err();
    /// assert!(error.to_string().starts_with("the rule for topic `dome.*`: unknown format `weather`"), "{error}");
    /// # Ok::<(), hop_kafka::Error>(())
    /// ```
    pub fn topic_model(mut self, pattern: &str, label: &str) -> Self {
        self.rules.push(TopicRule::new(pattern, label));
        self
    }

    /// Adds a rule with a framing, or one that goes before the header.
    pub fn topic_rule(mut self, rule: TopicRule) -> Self {
        self.rules.push(Ok(rule));
        self
    }

    /// Looks schemas up here, for messages whose rule has a framing that needs them; the registry of the broker's profile is
    /// asked next. Several are a [`SchemaChain`](hop_core::SchemaChain).
    ///
    /// Messages are then decoded on a thread of their own, where they wait for the source; their order stays.
    pub fn schema_source(mut self, schemas: Arc<dyn SchemaSource>) -> Self {
        self.schemas = Some(schemas);
        self
    }

    /// Where readers start; [`StartPosition::Latest`] unless set.
    pub fn start_at(mut self, start_at: StartPosition) -> Self {
        self.start_at = start_at;
        self
    }

    /// Whether readers stop once every partition's end, as it stood when they started, is reached.
    pub fn until_eos(mut self, until_eos: bool) -> Self {
        self.until_eos = until_eos;
        self
    }

    /// How long the first contact with the broker may take; 10 seconds unless set.
    pub fn connect_timeout(mut self, connect_timeout: Duration) -> Self {
        self.connect_timeout = Some(connect_timeout);
        self
    }

    /// What decoding one message may cost.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets a [property of librdkafka](https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md).
    ///
    /// Readers keep what decides which messages they get: the group, the offsets and their commits, the ends.
    pub fn property(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.properties.push((name.into(), value.into()));
        self
    }

    /// Sets whether readers fetch the messages that placeholders (format `external`) stand for, and hand those over;
    /// as the user's [`Configuration`](crate::Configuration) says unless set.
    ///
    /// Only the broker's own archive is asked, and the hosts of [`external_host`](Self::external_host).
    pub fn fetch_external(mut self, fetch_external: bool) -> Self {
        self.large.fetch = Some(fetch_external);
        self
    }

    /// Sets when writers store a message in the broker's archive, and send a placeholder; as the user's
    /// [`Configuration`](crate::Configuration) says unless set.
    pub fn offload(mut self, offload: Offload) -> Self {
        self.large.offload = Some(offload);
        self
    }

    /// Allows placeholders to name this host, `host` or `host:port`; without a port 80 and 443. It gets no credential.
    ///
    /// A host whose address is on this machine, in a private network or local to a link is asked only if that address is
    /// allowed as well.
    pub fn external_host(mut self, host: impl Into<String>) -> Self {
        self.large.hosts.push(host.into());
        self
    }

    /// Sets the largest message that is fetched from the archive, in bytes; 100 MiB unless set. Up to four at once are in
    /// memory.
    pub fn external_limit(mut self, bytes: u64) -> Self {
        self.large.fetch_limit = bytes;
        self
    }

    /// Sets how long a message may take to be fetched, with all attempts; 60 seconds unless set.
    pub fn external_timeout(mut self, timeout: Duration) -> Self {
        self.large.fetch_timeout = timeout.min(Duration::from_secs(86_400));
        self
    }

    /// Sets the address of the archive, in the place of what the broker's topic `sys.metadata` says.
    pub fn archive_url(mut self, url: impl Into<String>) -> Self {
        self.large.archive = Some(url.into());
        self
    }

    /// The stream. Nothing is connected yet.
    ///
    /// # Errors
    /// Kind `Config` when two linked models claim one label, and for a rule that no topic fits, that has an equal, or whose
    /// label is not linked.
    pub fn build(mut self) -> Result<Stream, Error> {
        let registry = match &self.registry {
            Some(registry) => RegistryRef::Own(Arc::clone(registry)),
            None => RegistryRef::Linked(
                Registry::linked().map_err(|error| Error::new(ErrorKind::Config, error.to_string()))?,
            ),
        };
        let rules = topic_rules(std::mem::take(&mut self.rules), &registry)?;
        Ok(self.with(registry, rules))
    }

    fn with(self, registry: RegistryRef, rules: TopicRules) -> Stream {
        Stream {
            shared: Arc::new(Shared {
                auth: self.auth,
                registry,
                rules,
                schemas: self.schemas,
                start_at: self.start_at,
                until_eos: self.until_eos,
                connect_timeout: self.connect_timeout.unwrap_or(Duration::from_secs(10)),
                limits: self.limits,
                properties: self.properties,
                large: self.large,
            }),
        }
    }
}

/// Checks and sorts rules, all of whose models have to be in the registry.
pub(crate) fn topic_rules(
    rules: Vec<Result<TopicRule, hop_core::Error>>,
    registry: &Registry,
) -> Result<TopicRules, Error> {
    let checked = rules.into_iter().collect::<Result<Vec<_>, _>>().and_then(|rules| {
        let rules = TopicRules::new(rules)?;
        rules.require(registry)?;
        Ok(rules)
    });
    checked.map_err(|error| Error::new(ErrorKind::Config, error.to_string()))
}
