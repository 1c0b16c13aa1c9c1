//! From a record to what is handed over: filters first, then decoding.

use std::fmt;
use std::sync::Arc;

use hop_core::{Content, MessageModel, Place, Record, header};

use super::inbox::Item;
use super::{Alert, Typed};
use crate::{Error, Stream};

/// A condition on a record, asked before it is decoded.
pub(super) type Filter = Arc<dyn Fn(&Record) -> bool + Send + Sync>;

/// What became of a record, and the place it came from.
#[derive(Debug)]
pub(super) struct Opened<T = Alert> {
    pub(super) place: Option<Place>,
    pub(super) what: What<T>,
}

#[derive(Debug)]
pub(super) enum What<T> {
    Message(T),
    /// No model, or not its own, could read it.
    Undecodable(Error),
    /// Nobody asked for it.
    Skipped,
    /// No message at all: reading met an error.
    Failed(Error),
}

impl<T> Opened<T> {
    fn failed(error: Error) -> Self {
        Self { place: None, what: What::Failed(error) }
    }

    /// The same place, with something else made of the message, if there is one.
    fn then<U>(self, make: impl FnOnce(T) -> What<U>) -> Opened<U> {
        let what = match self.what {
            What::Message(message) => make(message),
            What::Undecodable(error) => What::Undecodable(error),
            What::Skipped => What::Skipped,
            What::Failed(error) => What::Failed(error),
        };
        Opened { place: self.place, what }
    }
}

impl Opened {
    /// A model panicked over this record.
    pub(super) fn panicked(record: Record) -> Self {
        let error = hop_core::Error::new(hop_core::ErrorKind::Invalid, "the model")
            .expected("an answer")
            .found("a panic in its `decode`");
        Self { place: record.place.clone(), what: What::Undecodable(Error::decode(error, record)) }
    }
}

/// The alert as a message of one format, if it is one.
fn typed<M: MessageModel>(alert: Alert) -> What<Typed<M>> {
    let Alert { model, record, .. } = alert;
    model.downcast().map_or(What::Skipped, |model| What::Message(Typed { model: *model, record }))
}

/// Opens records as one subscription wants them.
#[derive(Clone)]
pub(super) struct Opener {
    pub(super) stream: Stream,
    pub(super) test_messages: bool,
    /// Only these, where there are any.
    pub(super) formats: Vec<String>,
    pub(super) filters: Vec<Filter>,
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opener").field("formats", &self.formats).finish_non_exhaustive()
    }
}

impl Opener {
    /// What there is as an alert.
    pub(super) fn alert(&self, item: Item) -> Opened {
        match item {
            Item::Record(record) => self.open(record),
            Item::Opened(opened) => opened,
            Item::Failed(error) => Opened::failed(error),
        }
    }

    /// What there is as a record, not decoded.
    pub(super) fn record(&self, item: Item) -> Opened<Record> {
        match item {
            Item::Record(record) => {
                let place = record.place.clone();
                let what = if self.is_wanted(&record) { What::Message(record) } else { What::Skipped };
                Opened { place, what }
            }
            // A worker was quicker; whether it decoded makes no difference here.
            Item::Opened(Opened { place, what: What::Undecodable(error) }) => {
                let what = error.into_record().map_or(What::Skipped, What::Message);
                Opened { place, what }
            }
            Item::Opened(opened) => opened.then(|alert| What::Message(alert.record)),
            Item::Failed(error) => Opened::failed(error),
        }
    }

    /// What there is as a message of one format; all others are skipped.
    pub(super) fn typed<M: MessageModel>(&self, item: Item) -> Opened<Typed<M>> {
        if let Item::Record(record) = item {
            let registry = &self.stream.shared.registry;
            return match record.headers.first(header::FORMAT) {
                // What it is shows only when it is decoded.
                None => self.open(record).then(typed),
                Some(format) => {
                    let place = record.place.clone();
                    let label = format.value.as_deref().and_then(|label| std::str::from_utf8(label).ok());
                    let is_its_own = label.is_some_and(|label| match registry.get(label) {
                        Some(registration) => registration.is::<M>(),
                        None => label.eq_ignore_ascii_case(M::FORMAT),
                    });
                    if !is_its_own || !self.is_wanted(&record) {
                        return Opened { place, what: What::Skipped };
                    }
                    let limits = &self.stream.shared.limits;
                    let content = Content::from(&record.content).with_limits(limits).with_headers(&record.headers);
                    let what = match M::decode(content) {
                        Ok(model) => What::Message(Typed { model, record }),
                        Err(error) => What::Undecodable(Error::decode(error, record)),
                    };
                    Opened { place, what }
                }
            };
        }
        self.alert(item).then(typed)
    }

    /// Filters and decodes.
    pub(super) fn open(&self, record: Record) -> Opened {
        let place = record.place.clone();
        if !self.is_wanted(&record) {
            return Opened { place, what: What::Skipped };
        }
        let shared = &self.stream.shared;
        let content = Content::from(&record.content).with_limits(&shared.limits);
        let what = match shared.registry.decode(&record.headers, content) {
            Ok(decoded) => {
                if let Some(label) = decoded.route.unknown_label(&shared.registry) {
                    let linked: Vec<_> = shared.registry.labels().collect();
                    tracing::warn!(target: "hop", label, ?linked, "unknown format; the message is handed over as a blob");
                }
                // A message without a label has a format only now.
                let has_label = record.headers.contains(header::FORMAT);
                if has_label || self.is_format_wanted(decoded.model.format()) {
                    What::Message(Alert { model: decoded.model, route: decoded.route, record })
                } else {
                    What::Skipped
                }
            }
            Err(error) => What::Undecodable(Error::decode(error, record)),
        };
        Opened { place, what }
    }

    fn is_format_wanted(&self, label: &str) -> bool {
        self.formats.is_empty() || self.formats.iter().any(|format| format.eq_ignore_ascii_case(label))
    }

    fn is_wanted(&self, record: &Record) -> bool {
        if record.headers.is_test() && !self.test_messages {
            return false;
        }
        let labelled = record.headers.first(header::FORMAT);
        let format_fits = labelled.is_none_or(|format| {
            let label = format.value.as_deref().unwrap_or_default();
            self.is_format_wanted(&String::from_utf8_lossy(label))
        });
        format_fits && self.filters.iter().all(|filter| filter(record))
    }
}
