//! From a record to what is handed over: filters first, then the ladder.
//!
//! Models and filters are other people's code. A panic in one of them is an error of that message, and nothing more.

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use hop_core::{Announced, Content, Frame, MessageModel, Record, Registry, Route, TopicRule, TopicRules, guarded};

use super::dedupe::{Dedupe, Seen};
use super::external::{Fetcher, Fetching};
use super::{Alert, Typed};
use crate::{Error, Stream};

/// A condition on a record, asked before it is decoded.
pub(super) type Filter = Arc<dyn Fn(&Record) -> bool + Send + Sync>;

/// The unknown labels that are logged; a stream with more of them is noted once.
const LOGGED_LABELS: usize = 1_000;
/// The characters of a label that are logged.
const LOGGED_CHARACTERS: usize = 100;

/// What a message came to.
#[derive(Debug)]
pub(super) enum Outcome<T> {
    /// It is handed over.
    Alert(T),
    /// Nobody asked for it.
    Skipped,
    /// Its model could not read it. The error has the record.
    Undecodable(Error),
    /// Not a message: reading met an error.
    Failed(Error),
}

impl<T> Outcome<T> {
    fn then<U>(self, make: impl FnOnce(T) -> Outcome<U>) -> Outcome<U> {
        match self {
            Self::Alert(alert) => make(alert),
            Self::Skipped => Outcome::Skipped,
            Self::Undecodable(error) => Outcome::Undecodable(error),
            Self::Failed(error) => Outcome::Failed(error),
        }
    }
}

/// A message that waits to be handed over.
#[derive(Debug)]
pub(super) enum Item {
    /// As it was received.
    Received(Record),
    /// A placeholder whose message is on its way.
    Fetching(Fetching),
    /// A message that was fetched in the place of its placeholder.
    Fetched(Record),
    /// As a decoding thread left it.
    Decoded(Outcome<Alert>),
}

/// Decodes records as one subscription wants them.
#[derive(Clone)]
pub(super) struct Decoder(Arc<Settings>);

struct Settings {
    stream: Stream,
    test_messages: bool,
    /// Only these, where there are any.
    formats: Vec<String>,
    filters: Vec<Filter>,
    rules: TopicRules,
    fetcher: Option<Fetcher>,
    /// What was handed over, if repeats are skipped.
    seen: Option<Seen>,
    /// The unknown labels that were logged.
    unknown: Mutex<HashSet<String>>,
    /// Whether a message that was skipped for want of a label was logged.
    unlabelled: AtomicBool,
    /// Whether a message that was skipped for a rule's format was logged.
    ruled_out: AtomicBool,
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder").field("formats", &self.0.formats).finish_non_exhaustive()
    }
}

impl Decoder {
    pub(super) fn new(
        stream: Stream,
        test_messages: bool,
        formats: Vec<String>,
        filters: Vec<Filter>,
        rules: TopicRules,
        fetcher: Option<Fetcher>,
        dedupe: Option<Dedupe>,
    ) -> Self {
        let seen = dedupe.map(Seen::new);
        Self(Arc::new(Settings {
            stream,
            test_messages,
            formats,
            filters,
            rules,
            fetcher,
            seen,
            unknown: Mutex::default(),
            unlabelled: AtomicBool::new(false),
            ruled_out: AtomicBool::new(false),
        }))
    }

    /// What fetches the messages that placeholders stand for, if they are fetched.
    pub(super) fn fetcher(&self) -> Option<&Fetcher> {
        self.0.fetcher.as_ref()
    }

    fn registry(&self) -> &Registry {
        &self.0.stream.shared.registry
    }

    /// Whether decoding the item may wait for a registry.
    pub(super) fn may_wait(&self, item: &Item) -> bool {
        let Item::Received(record) = item else { return false };
        let topic = record.place.as_ref().map(|place| &*place.topic);
        let rule = topic.and_then(|topic| self.0.rules.find(topic));
        let Some(framing) = rule.and_then(TopicRule::framing).filter(|framing| framing.may_wait()) else {
            return false;
        };
        let content = Content::from(&record.content).with_limits(&self.0.stream.shared.limits);
        let frame = Frame { content: content.with_headers(&record.headers), key: record.key.as_deref(), topic };
        guarded("the framing's `can_unwrap_at_once`", || Ok(!framing.can_unwrap_at_once(&frame))).unwrap_or(true)
    }

    /// Decodes an item ahead of the reader.
    pub(super) fn ahead(&self, item: Item) -> Item {
        match item {
            // The reader fetches what stands behind a placeholder.
            Item::Received(record) if self.fetcher().is_some_and(|fetcher| fetcher.wants(&record)) => {
                Item::Received(record)
            }
            Item::Received(record) => Item::Decoded(self.decode(record)),
            other => other,
        }
    }

    /// Makes an alert of the item.
    pub(super) fn alert(&self, item: Item) -> Outcome<Alert> {
        let outcome = match item {
            Item::Received(record) | Item::Fetched(record) => self.decode(record),
            Item::Fetching(fetching) => self.decode(fetching.into_placeholder()),
            Item::Decoded(outcome) => outcome,
        };
        match &self.0.seen {
            Some(seen) => outcome.then(|alert| match guarded("the identifier", || Ok(seen.is_repeat(&alert))) {
                Ok(true) => Outcome::Skipped,
                Ok(false) => Outcome::Alert(alert),
                Err(error) => Outcome::Undecodable(Error::decode(error, alert.record)),
            }),
            None => outcome,
        }
    }

    /// Makes a record of the item, which is not decoded.
    pub(super) fn record(&self, item: Item) -> Outcome<Record> {
        let outcome = match item {
            Item::Fetching(fetching) => return self.record(Item::Received(fetching.into_placeholder())),
            Item::Received(record) | Item::Fetched(record) => match self.wants(&record) {
                Ok(true) => Outcome::Alert(record),
                Ok(false) => Outcome::Skipped,
                Err(error) => Outcome::Undecodable(Error::decode(error, record)),
            },
            // A decoding thread was faster; whether it decoded makes no difference here.
            Item::Decoded(Outcome::Undecodable(error)) => error.into_record().map_or(Outcome::Skipped, Outcome::Alert),
            Item::Decoded(outcome) => outcome.then(|alert| Outcome::Alert(alert.record)),
        };
        match &self.0.seen {
            Some(seen) => outcome.then(|record| match seen.is_repeat_record(&record) {
                true => Outcome::Skipped,
                false => Outcome::Alert(record),
            }),
            None => outcome,
        }
    }

    /// Makes a message of one format of the item; all others are skipped, before they are decoded where the label says so.
    pub(super) fn typed<M: MessageModel>(&self, item: Item) -> Outcome<Typed<M>> {
        if let Item::Received(record) | Item::Fetched(record) = &item {
            let announced = self.registry().announced(record, &self.0.rules);
            if is_announced_as::<M>(&announced) == Some(false) {
                self.log_ruled_out(&announced, record, M::FORMAT);
                return Outcome::Skipped;
            }
        }
        self.alert(item).then(|alert| self.downcast(alert))
    }

    fn downcast<M: MessageModel>(&self, alert: Alert) -> Outcome<Typed<M>> {
        let Alert { model, route, record } = alert;
        match model.downcast() {
            Ok(model) => Outcome::Alert(Typed { model: *model, record }),
            // `M` is asked for by name, so it is read although it is not in the registry.
            Err(_blob) if matches!(&route, Route::UnknownFormat { label } if is_own_label::<M>(label)) => {
                let content = Content::from(&record.content).with_limits(&self.0.stream.shared.limits);
                match guarded("the model's `decode`", || M::decode(content.with_headers(&record.headers))) {
                    Ok(model) => Outcome::Alert(Typed { model, record }),
                    Err(error) => Outcome::Undecodable(Error::decode(error, record)),
                }
            }
            Err(other) => match guarded("the model's `drop`", || {
                drop(other);
                Ok(())
            }) {
                Ok(()) => Outcome::Skipped,
                Err(error) => Outcome::Undecodable(Error::decode(error, record)),
            },
        }
    }

    /// Filters and decodes.
    fn decode(&self, record: Record) -> Outcome<Alert> {
        match self.wants(&record) {
            Ok(true) => {}
            Ok(false) => return Outcome::Skipped,
            Err(error) => return Outcome::Undecodable(Error::decode(error, record)),
        }
        let Settings { stream, rules, formats, .. } = &*self.0;
        let decoded = guarded("the model's `decode`", || {
            let decoded = self.registry().decode_record(&record, rules, &stream.shared.limits)?;
            // A message without a label has a format only now.
            let was_announced =
                matches!(decoded.route, Route::Header | Route::Topic { .. } | Route::UnknownFormat { .. });
            if was_announced || self.wants_format(decoded.model.format()) {
                return Ok(Some(decoded));
            }
            if let Some(format) = formats.first() {
                self.log_unlabelled(&decoded.route, &record, format);
            }
            Ok(None)
        });
        match decoded {
            Ok(Some(decoded)) => {
                if let Some(label) = decoded.route.unknown_label(self.registry()) {
                    self.log_unknown(label);
                }
                Outcome::Alert(Alert { model: decoded.model, route: decoded.route, record })
            }
            Ok(None) => Outcome::Skipped,
            Err(error) => Outcome::Undecodable(Error::decode(error, record)),
        }
    }

    fn wants_format(&self, label: &str) -> bool {
        let formats = &self.0.formats;
        let is = |format: &String| {
            format.eq_ignore_ascii_case(label)
                || self.registry().get(format).is_some_and(|model| model.format() == label)
        };
        formats.is_empty() || formats.iter().any(is)
    }

    fn wants(&self, record: &Record) -> Result<bool, hop_core::Error> {
        let Settings { test_messages, formats, filters, rules, .. } = &*self.0;
        if !test_messages && record.headers.is_test() {
            return Ok(false);
        }
        if let Some(wanted) = formats.first() {
            let announced = self.registry().announced(record, rules);
            if announced.label().is_some_and(|label| !self.wants_format(label)) {
                self.log_ruled_out(&announced, record, wanted);
                return Ok(false);
            }
        }
        match filters.is_empty() {
            true => Ok(true),
            false => guarded("the filter", || Ok(filters.iter().all(|filter| filter(record)))),
        }
    }

    /// Logs once that messages are skipped because a rule for their topic, and not they themselves, states another format.
    fn log_ruled_out(&self, announced: &Announced<'_>, record: &Record, wanted: &str) {
        let Announced::Topic(rule, _) = announced else { return };
        if self.0.ruled_out.swap(true, Ordering::Relaxed) {
            return;
        }
        let topic = record.place.as_ref().map_or("", |place| &*place.topic);
        tracing::warn!(
            target: "hop",
            topic,
            "a message was skipped, and others like it will be: the rule for `{}` reads it as `{}`, not as `{wanted}`. If the \
             topic holds `{wanted}`, say so with `topic_model(\"{topic}\", \"{wanted}\")`, or `hop subscribe --as \
             {topic}={wanted}`",
            rule.pattern().as_str(),
            rule.label(),
        );
    }

    /// Logs once that messages are skipped because neither a header nor a rule says what they are.
    fn log_unlabelled(&self, route: &Route, record: &Record, wanted: &str) {
        if !matches!(route, Route::Json | Route::Blob) || self.0.unlabelled.swap(true, Ordering::Relaxed) {
            return;
        }
        let topic = record.place.as_ref().map_or("", |place| &*place.topic);
        tracing::warn!(
            target: "hop",
            topic,
            "a message without `_format` was skipped, and others like it will be: it is read as `{}`, not as `{wanted}`. If \
             the topic holds `{wanted}`, say so with `topic_model(\"{topic}\", \"{wanted}\")`, or `hop subscribe --as \
             {topic}={wanted}`",
            route.as_str(),
        );
    }

    /// Logs an unknown label once, cut to a length that a log can take.
    #[cold]
    fn log_unknown(&self, label: &str) {
        let label: String = label.chars().take(LOGGED_CHARACTERS).collect();
        let mut logged = self.0.unknown.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.len() > LOGGED_LABELS || logged.contains(&label) {
            return;
        }
        if logged.len() == LOGGED_LABELS {
            tracing::warn!(target: "hop", "more than {LOGGED_LABELS} unknown formats; further ones are not logged");
        } else {
            let linked: Vec<_> = self.registry().labels().collect();
            tracing::warn!(target: "hop", label, ?linked, "unknown format; its messages are handed over as blobs");
        }
        logged.insert(label);
    }
}

/// Whether the header, or a rule for the topic, says that the record is an `M`; `None` where neither says anything.
fn is_announced_as<M: MessageModel>(announced: &Announced<'_>) -> Option<bool> {
    match announced {
        Announced::Header(model) | Announced::Topic(_, model) => Some(model.is::<M>()),
        Announced::Unknown(label) => Some(is_own_label::<M>(label)),
        Announced::Nothing => None,
    }
}

fn is_own_label<M: MessageModel>(label: &str) -> bool {
    std::iter::once(&M::FORMAT).chain(M::ALIASES).any(|own| own.eq_ignore_ascii_case(label))
}
