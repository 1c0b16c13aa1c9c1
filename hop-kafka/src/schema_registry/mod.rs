//! Schemas from a Confluent schema registry, over HTTP.

mod cache;
mod client;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hop_core::{ErrorKind as CoreKind, SchemaId, SchemaLanguage, SchemaSource, SchemaText};
use serde_json::{Value, json};

use self::cache::{Cache, Known};
use self::client::{Answer, Client};
use crate::auth::{Auth, Secret};
use crate::{Error, ErrorKind};

/// How long a look-up may take, the schemas that the schema refers to included.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long the registry is believed to lack a schema, and not asked for it again.
const LACKED_FOR: Duration = Duration::from_secs(30);
/// How long what failed is not asked for again.
const LEFT_ALONE_FOR: Duration = Duration::from_secs(5);
/// The longest that what is not answered in time is not asked for again, in steps of the above.
const MOST_DOUBLINGS: u32 = 6;
/// After how many schemas that are not answered in time, and none that is found, the registry is left alone.
const MOST_LATE: usize = 3;
/// How many time-outs ago a late answer no longer counts.
const LATE_WITHIN: u32 = 8;
/// How many schemas one may refer to, directly or not.
const MOST_REFERENCES: usize = 200;
/// How many bytes of answers a schema may take, those for what it refers to included.
const MOST_BYTES: usize = 8 << 20;

/// A schema registry that speaks Confluent's protocol: Confluent's own, Apicurio's (`/apis/ccompat/v7`), Karapace, Redpanda.
///
/// ```
/// use std::sync::Arc;
/// use hop_kafka::{SchemaRegistry, Stream};
///
/// let registry = SchemaRegistry::new("https://registry.example.org")?.basic("ada", "secret");
/// let hop = Stream::builder().schema_source(Arc::new(registry)).no_auth().build()?;
/// # Ok::<(), hop_kafka::Error>(())
/// ```
///
/// What a number stands for never changes, so a schema is asked for once. That a schema is not there is remembered for 30
/// seconds; that the registry fails to give it, for 5. What it does not answer in time is left alone for 5 seconds, then 10, 20
/// and so on up to 5 minutes. Until then messages by that schema are errors of kind `Unavailable`, or left to the next source of
/// a [chain](hop_core::SchemaChain); other schemas are asked for. A registry that cannot be reached, or that is late for
/// three schemas and finds no other in between, is left alone for 5 seconds, so that a stream does not wait for each message.
///
/// The registry is not asked in the name of a topic's subject: contexts of Confluent's registry, which number schemas on
/// their own, need a URL of their own (`https://host/contexts/:.name:`).
///
/// Protocol: [API reference](https://docs.confluent.io/platform/current/schema-registry/develop/api.html).
#[derive(Debug)]
pub struct SchemaRegistry {
    client: Client,
    timeout: Duration,
    registers: bool,
    state: Mutex<State>,
    /// Signalled when something was answered.
    answered: Condvar,
}

#[derive(Debug, Default)]
struct State {
    cache: Cache,
    /// What is being asked for, so that a schema that several threads need is asked for once.
    asking: HashSet<Key>,
    /// What was not answered in time since something was found last, and when.
    late: HashMap<Key, Instant>,
    /// Until when the registry is left alone, and what it did.
    failed: Option<(Instant, Failure)>,
}

/// Why there is no answer.
#[derive(Debug, Clone)]
struct Failure {
    what: String,
    help: &'static str,
    scope: Scope,
}

/// What a failure says of other requests.
#[derive(Debug, Clone, Copy)]
enum Scope {
    /// They will fail too: the registry cannot be reached.
    Registry,
    /// Nothing.
    Request,
    /// Nothing, unless several are as late.
    Late,
}

impl SchemaRegistry {
    /// Makes the client of the registry at `url`, the URL that its paths (`/schemas/ids/…`) follow. Nothing is connected yet.
    ///
    /// # Errors
    /// Kind `Config`: it is not an `http` or `https` URL, or has a password in it.
    pub fn new(url: &str) -> Result<Self, Error> {
        Ok(Self {
            client: Client::new(url)?,
            timeout: TIMEOUT,
            registers: false,
            state: Mutex::default(),
            answered: Condvar::new(),
        })
    }

    /// Logs in with a username and a password; Confluent Cloud calls them key and secret. Over `http` they are sent to this
    /// machine alone.
    #[must_use]
    pub fn basic(mut self, username: &str, password: &str) -> Self {
        self.client.basic(username, &Secret::new(password));
        self
    }

    /// Logs in with a token. Over `http` it is sent to this machine alone.
    #[must_use]
    pub fn bearer(mut self, token: &str) -> Self {
        self.client.bearer(&Secret::new(token));
        self
    }

    /// Adds a header to every request, such as Confluent Cloud's `target-sr-cluster` and `Confluent-Identity-Pool-Id`. It may be
    /// a key: over `http` it is sent to this machine alone.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.client.header(name, value);
        self
    }

    /// Trusts the authorities in this PEM file in the place of the system's.
    #[must_use]
    pub fn ca_location(mut self, path: impl Into<PathBuf>) -> Self {
        self.client.ca_location(path.into());
        self
    }

    /// Sets how long a look-up may take, from resolving the name to the last byte of the last schema that is referred to;
    /// 5 seconds unless set.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Registers the schemas of a writer that the registry does not have; unless set, they are only looked up.
    #[must_use]
    pub fn registering(mut self, registers: bool) -> Self {
        self.registers = registers;
        self
    }

    /// Makes the client of the registry at `url`, which logs in with the credential whose hostname is the registry's with its
    /// port, such as `registry.example.org:443`, if there is one. [`Auth::Off`] is about brokers: the file is asked then too.
    ///
    /// # Errors
    /// Those of [`new`](Self::new).
    pub fn with_auth(url: &str, auth: &Auth) -> Result<Self, Error> {
        let mut registry = Self::new(url)?;
        let (host, port) = registry.client.address();
        if let Some((username, password)) = auth.login_at(&host, port) {
            registry.client.basic(&username, &password);
        }
        Ok(registry)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers from what is known, else by `ask`, which is given the time by which it has to be done.
    fn answer(
        &self,
        key: &Key,
        ask: impl FnOnce(Instant) -> Result<Option<Known>, Failure>,
    ) -> Result<Option<Known>, Failure> {
        let mut state = self.state();
        loop {
            match state.cache.get(key) {
                Some(Known::Lacking) => return Ok(None),
                Some(Known::Unusable(failure) | Known::Late(failure, _)) => return Err(failure),
                Some(known) => return Ok(Some(known)),
                None => {}
            }
            if let Some((_, failure)) = state.failed.as_ref().filter(|(until, _)| *until > Instant::now()) {
                return Err(failure.clone());
            }
            if state.asking.insert(key.clone()) {
                break;
            }
            // Another thread asks for it, and ends in time.
            state = self.answered.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        drop(state);
        let asking = Asking { registry: self, key };
        let found = ask(crate::time::deadline(self.timeout));
        self.state().note(key, &found, self.timeout);
        drop(asking);
        found
    }

    fn fetch(&self, path: &str, deadline: Instant) -> Result<Option<SchemaText>, Failure> {
        let Some(answer) = self.client.get(path, deadline)?.found()? else { return Ok(None) };
        let text = answer.text("schema")?;
        let language = match answer.value.get("schemaType").and_then(Value::as_str) {
            None | Some("AVRO") => SchemaLanguage::Avro,
            Some("JSON") => SchemaLanguage::Json,
            Some(other) => SchemaLanguage::Other(other.chars().take(100).collect()),
        };
        let mut references = Vec::new();
        if language == SchemaLanguage::Avro {
            self.references(&answer, deadline, &mut references)?;
        }
        Ok(Some(SchemaText { language, text: text.into(), references }))
    }

    /// Fetches what a schema refers to, and what that refers to, each once.
    fn references(&self, first: &Answer, deadline: Instant, texts: &mut Vec<Arc<str>>) -> Result<(), Failure> {
        let mut seen = HashSet::new();
        let mut bytes = first.size;
        let mut left: Vec<(String, i64)> = first.references()?;
        while let Some((subject, version)) = left.pop() {
            if !seen.insert((subject.clone(), version)) {
                continue;
            }
            if seen.len() > MOST_REFERENCES {
                return Err(self
                    .client
                    .bad_schema(&format!("a schema that refers to more than {MOST_REFERENCES} others")));
            }
            let path = format!("/subjects/{}/versions/{version}?deleted=true", client::encoded(&subject));
            let answer = self.client.get(&path, deadline)?.found()?.ok_or_else(|| {
                self.client.bad_schema(&format!(
                    "a schema that refers to version {version} of `{}`, which it does not have",
                    subject.escape_debug()
                ))
            })?;
            bytes += answer.size;
            if bytes > MOST_BYTES {
                return Err(self
                    .client
                    .bad_schema(&format!("a schema that takes more than {MOST_BYTES} bytes with what it refers to")));
            }
            texts.push(answer.text("schema")?.into());
            left.extend(answer.references()?);
        }
        Ok(())
    }

    fn error(failure: Failure) -> hop_core::Error {
        hop_core::Error::new(CoreKind::Unavailable, "schema registry").found(failure.what).help(failure.help)
    }
}

impl State {
    /// Notes what came of asking.
    fn note(&mut self, key: &Key, found: &Result<Option<Known>, Failure>, timeout: Duration) {
        let left_alone = |failure: &Failure| Some((Instant::now() + LEFT_ALONE_FOR, failure.clone()));
        match found {
            Ok(Some(known)) => {
                self.cache.keep(key.clone(), known.clone(), None);
                self.late.clear();
            }
            Ok(None) => self.cache.keep(key.clone(), Known::Lacking, Some(LACKED_FOR)),
            Err(failure) => match failure.scope {
                Scope::Registry => self.failed = left_alone(failure),
                Scope::Request => {
                    self.cache.keep(key.clone(), Known::Unusable(failure.clone()), Some(LEFT_ALONE_FOR));
                }
                Scope::Late => {
                    let times = self.cache.late(key);
                    let holds = LEFT_ALONE_FOR * (1 << times.min(MOST_DOUBLINGS));
                    self.cache.keep(key.clone(), Known::Late(failure.clone(), times.saturating_add(1)), Some(holds));
                    let within = timeout.saturating_mul(LATE_WITHIN);
                    self.late.retain(|_, since| since.elapsed() < within);
                    self.late.insert(key.clone(), Instant::now());
                    if self.late.len() >= MOST_LATE {
                        self.failed = left_alone(failure);
                    }
                }
            },
        }
    }
}

/// What is being asked for, until it is dropped.
struct Asking<'r> {
    registry: &'r SchemaRegistry,
    key: &'r Key,
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.registry.state().asking.remove(self.key);
        self.registry.answered.notify_all();
    }
}

/// What the registry is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Schema(SchemaId),
    /// The number of a schema under a subject.
    Number(String, Arc<str>),
}

impl Key {
    fn size(&self) -> usize {
        match self {
            Self::Schema(_) => 0,
            Self::Number(subject, text) => subject.len() + text.len(),
        }
    }
}

impl SchemaSource for SchemaRegistry {
    fn schema(&self, id: &SchemaId) -> Result<Option<SchemaText>, hop_core::Error> {
        let path = match id {
            SchemaId::Number(number) => format!("/schemas/ids/{number}"),
            SchemaId::Guid(guid) => format!("/schemas/guids/{guid}"),
            // Registries know no fingerprints, and have subjects and versions in the place of names.
            _ => return Ok(None),
        };
        let found = self.answer(&Key::Schema(id.clone()), |deadline| {
            Ok(self.fetch(&path, deadline)?.map(|text| Known::Schema(Arc::new(text))))
        });
        match found.map_err(Self::error)? {
            Some(Known::Schema(text)) => Ok(Some((*text).clone())),
            _ => Ok(None),
        }
    }

    fn number(&self, subject: &str, schema: &SchemaText) -> Result<Option<u32>, hop_core::Error> {
        let path = match self.registers {
            true => format!("/subjects/{}/versions?normalize=false", client::encoded(subject)),
            false => format!("/subjects/{}?normalize=false", client::encoded(subject)),
        };
        let mut body = json!({ "schema": &*schema.text });
        if schema.language != SchemaLanguage::Avro {
            body["schemaType"] = schema.language.as_str().into();
        }
        let found = self.answer(&Key::Number(subject.to_owned(), Arc::clone(&schema.text)), |deadline| {
            let Some(answer) = self.client.post(&path, &body, deadline)?.found()? else { return Ok(None) };
            let number = answer.value.get("id").and_then(Value::as_u64).and_then(|id| u32::try_from(id).ok());
            number
                .map(|number| Some(Known::Number(number)))
                .ok_or_else(|| self.client.bad("an answer without the `id` of the schema"))
        });
        match found.map_err(Self::error)? {
            Some(Known::Number(number)) => Ok(Some(number)),
            _ => Err(hop_core::Error::new(CoreKind::UnknownSchema, "schema registry")
                .found(format!("{} does not have the schema under subject `{}`", self.client, subject.escape_debug()))
                .help("register it first, or let the writer: `SchemaRegistry::registering`")),
        }
    }

    fn may_wait(&self) -> bool {
        true
    }
}

/// Returns the error of a URL that is not a registry's.
fn refused(what: &str) -> Error {
    Error::new(ErrorKind::Config, format!("the schema registry's URL {what}"))
        .help("write `https://host/path`, without username and password")
}
