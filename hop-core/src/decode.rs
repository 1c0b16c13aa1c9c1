//! The ladder from a record to a model, and nothing else.

use std::borrow::Cow;
use std::sync::Arc;

use crate::{
    AnyModel, Blob, Content, Error, ErrorKind, Frame, Headers, JsonBlob, Limits, MessageModel, Record, Registration,
    Registry, TopicPattern, TopicRule, TopicRules, Value,
};
use crate::{envelope, header};

/// A model, and the way it was found.
#[derive(Debug)]
pub struct Decoded {
    /// The model.
    pub model: Box<dyn AnyModel>,
    /// The rung of the ladder.
    pub route: Route,
}

/// By which rung of the ladder content became a model.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Route {
    /// The `_format` header named a linked model, which read the content.
    Header,
    /// The `_format` header named no linked model; the content is a [`Blob`].
    UnknownFormat {
        /// The label as it came, with `U+FFFD` for what is not UTF-8; empty where the header is null.
        label: String,
    },
    /// There was no `_format`, or the rule goes before it: the rule for the topic named the model, which read the content.
    Topic {
        /// The pattern of the rule.
        pattern: Arc<TopicPattern>,
    },
    /// There was no `_format`; the content is an envelope from before hop-client 0.6 around the fields of the model.
    Envelope {
        /// The label in the envelope.
        label: String,
    },
    /// There was no `_format`; the content is JSON.
    Json,
    /// There was no `_format`, and the content is no JSON: a [`Blob`].
    Blob,
}

impl Route {
    /// The rung in a word: `header`, `topic`, `unknown-format`, `envelope`, `json` or `blob`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Topic { .. } => "topic",
            Self::UnknownFormat { .. } => "unknown-format",
            Self::Envelope { .. } => "envelope",
            Self::Json => "json",
            Self::Blob => "blob",
        }
    }

    /// The label that no linked model carries, where there was one: worth a warning.
    pub fn unknown_label(&self, registry: &Registry) -> Option<&str> {
        match self {
            Self::UnknownFormat { label } => Some(label),
            Self::Envelope { label } if !envelope::is_known(registry, label) => Some(label),
            _ => None,
        }
    }
}

impl std::fmt::Display for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is known of a record's format before its content is looked at.
#[derive(Debug, Clone)]
pub enum Announced<'a> {
    /// The `_format` header names this model.
    Header(&'a Registration),
    /// This rule for the topic names this model.
    Topic(&'a TopicRule, &'a Registration),
    /// The `_format` header names no linked model: the label, empty where the header is null.
    Unknown(Cow<'a, str>),
    /// Neither a header nor a rule says anything.
    Nothing,
}

impl Announced<'_> {
    /// Returns the label of the model, or the label that no linked model carries.
    pub fn label(&self) -> Option<&str> {
        match self {
            Self::Header(model) | Self::Topic(_, model) => Some(model.format()),
            Self::Unknown(label) => Some(label),
            Self::Nothing => None,
        }
    }
}

impl Registry {
    /// Returns the model in `content`, found by the `_format` among `headers`:
    ///
    /// 1. `_format` names a linked model, in any case: that model decodes the content.
    /// 2. `_format` is there and names none, or is null or not UTF-8: a [`Blob`].
    /// 3. No `_format`, and the content is a JSON object with `format` (a string) and `content`: an envelope from before
    ///    hop-client 0.6. Under `blob` stands a JSON value; under a known label that model's fields; under any other, a
    ///    [`Blob`] of the whole.
    /// 4. No `_format`, other JSON: a [`JsonBlob`].
    /// 5. Anything else: a [`Blob`].
    ///
    /// The first `_format` counts. [`decode_record`](Self::decode_record) knows rules for topics as well.
    ///
    /// Null content, of a message without a value, is a [`Blob`] that is null: no other model can read it, so under the label
    /// of one in `_format` it is an error.
    ///
    /// # Errors
    /// When the model that rung 1 or 3 chose does not decode the content, when null stands under its label, and when the
    /// content is over the limit in size.
    pub fn decode(&self, headers: &Headers, content: Content<'_>) -> Result<Decoded, Error> {
        let frame = Frame { content: content.with_headers(headers), key: None, topic: None };
        self.decode_announced(self.announced_by_header(headers), &frame)
    }

    /// Returns the model in a record; as [`decode`](Self::decode), with a rung for `rules`:
    ///
    /// - A rule that goes [before the header](TopicRule::before_header) and fits the record's topic: the rule's model
    ///   decodes the content, whatever `_format` says.
    /// - No `_format`, and another rule that fits the topic: the rule's model decodes the content.
    ///
    /// A rule whose model is not in the registry does not apply. A framing of the rule is taken off first.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hop_core::{JsonBlob, Limits, Place, Record, Registry, Route, TopicRule, TopicRules};
    ///
    /// let registry = Registry::builder().build()?;
    /// let place = Place { topic: "sensors.dome".into(), partition: 0, offset: 0 };
    /// let record = Record { content: "open".into(), place: Some(place), ..Record::default() };
    ///
    /// let rules = TopicRules::new([TopicRule::new("sensors.*", "json")?])?;
    /// let error = registry.decode_record(&record, &rules, &Limits::DEFAULT).unwrap_err();
    /// assert!(error.to_string().starts_with("json: expected"), "{error}");
    ///
    /// let decoded = registry.decode_record(&record, &TopicRules::default(), &Limits::DEFAULT)?;
    /// assert_eq!(decoded.route, Route::Blob);
    /// # Ok::<(), hop_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`decode`](Self::decode), and when the rule's model does not decode the content.
    pub fn decode_record(&self, record: &Record, rules: &TopicRules, limits: &Limits) -> Result<Decoded, Error> {
        let content = Content::from(&record.content).with_limits(limits).with_headers(&record.headers);
        let topic = record.place.as_ref().map(|place| &*place.topic);
        self.decode_announced(self.announced(record, rules), &Frame { content, key: record.key.as_deref(), topic })
    }

    /// Returns what headers and rules say of a record's format.
    pub fn announced<'a>(&'a self, record: &'a Record, rules: &'a TopicRules) -> Announced<'a> {
        let topic = record.place.as_ref().map(|place| &*place.topic);
        let by_rule = |rule: &'a TopicRule| self.get(rule.label()).map(|model| Announced::Topic(rule, model));
        if let Some(announced) = topic.and_then(|topic| rules.find_before_header(topic)).and_then(by_rule) {
            return announced;
        }
        match self.announced_by_header(&record.headers) {
            Announced::Nothing => {
                topic.and_then(|topic| rules.find(topic)).and_then(by_rule).unwrap_or(Announced::Nothing)
            }
            announced => announced,
        }
    }

    fn announced_by_header<'a>(&'a self, headers: &'a Headers) -> Announced<'a> {
        let Some(format) = headers.first(header::FORMAT) else { return Announced::Nothing };
        let label = format.value.as_deref().unwrap_or_default();
        match std::str::from_utf8(label).ok().and_then(|label| self.get(label)) {
            Some(model) => Announced::Header(model),
            None => Announced::Unknown(String::from_utf8_lossy(label)),
        }
    }

    fn decode_announced(&self, announced: Announced<'_>, frame: &Frame<'_>) -> Result<Decoded, Error> {
        match announced {
            Announced::Header(model) if frame.content.is_null() && !model.is::<Blob>() => Err(null(model.format())),
            Announced::Header(model) => Ok(Decoded { model: model.decode(frame.content)?, route: Route::Header }),
            // The message itself claims nothing.
            Announced::Topic(..) if frame.content.is_null() => self.decode_unlabelled(frame.content),
            Announced::Topic(rule, model) => {
                let made;
                let framing = match (rule.framing(), rule.framing_name()) {
                    (None, Some(name)) => {
                        made = self.framing(name, None)?;
                        Some(&*made)
                    }
                    (framing, _) => framing,
                };
                let model = match framing {
                    None => model.decode(frame.content)?,
                    Some(framing) => {
                        frame.content.check_size("message")?;
                        let inside = framing.unwrap(frame)?;
                        model.decode(frame.content.with_bytes(&inside))?
                    }
                };
                Ok(Decoded { model, route: Route::Topic { pattern: rule.shared_pattern() } })
            }
            Announced::Unknown(label) => {
                Ok(Decoded { model: blob(frame.content)?, route: Route::UnknownFormat { label: label.into_owned() } })
            }
            Announced::Nothing => self.decode_unlabelled(frame.content),
        }
    }

    fn decode_unlabelled(&self, content: Content<'_>) -> Result<Decoded, Error> {
        // Content that is no JSON is told from its first bytes, most often; what is, is parsed to the end.
        let value = match content.first() {
            Some(_) => match JsonBlob::decode(content) {
                Ok(json) => json.content,
                Err(error) if error.kind() == ErrorKind::Limit => return Err(error),
                Err(_) => return Ok(Decoded { model: blob(content)?, route: Route::Blob }),
            },
            None => return Ok(Decoded { model: blob(content)?, route: Route::Blob }),
        };
        match envelope::open(value) {
            Err(value) => Ok(Decoded { model: Box::new(JsonBlob::from(value)), route: Route::Json }),
            Ok(envelope) => {
                let model = self.decode_envelope(&envelope.label, envelope.content, content)?;
                Ok(Decoded { model, route: Route::Envelope { label: envelope.label } })
            }
        }
    }

    fn decode_envelope(&self, label: &str, inner: Value, whole: Content<'_>) -> Result<Box<dyn AnyModel>, Error> {
        if label == envelope::JSON_LABEL {
            return Ok(Box::new(JsonBlob::from(inner)));
        }
        match self.get(label) {
            Some(model) => model.from_fields(inner),
            None => blob(whole),
        }
    }
}

/// The error of a message without a value under the label of a model that needs one.
fn null(format: &'static str) -> Error {
    Error::new(ErrorKind::Malformed, format)
        .expected("content")
        .found("null: the message has no value")
        .help("in a compacted topic such a message deletes what has its key")
}

fn blob(content: Content<'_>) -> Result<Box<dyn AnyModel>, Error> {
    Ok(Box::new(Blob::decode(content)?))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::{ErrorKind, Framing, Place};

    fn record(topic: &str, content: &'static str, format: Option<&'static str>) -> Record {
        let place = Place { topic: topic.into(), partition: 0, offset: 7 };
        let headers = format.map(|label| (header::FORMAT, Some(label))).into_iter().collect();
        Record { content: content.into(), headers, place: Some(place), ..Record::default() }
    }

    fn route(rules: &TopicRules, record: &Record) -> Result<&'static str, ErrorKind> {
        let registry = Registry::builder().build().unwrap();
        let decoded = registry.decode_record(record, rules, &Limits::DEFAULT);
        decoded.map(|decoded| decoded.route.as_str()).map_err(|error| error.kind())
    }

    #[test]
    fn a_rule_reads_what_has_no_format_and_leaves_the_rest_alone() {
        let rules = TopicRules::new([
            TopicRule::new("text.*", "blob").unwrap(),
            TopicRule::new("wrong.*", "blob").unwrap().before_header(),
            TopicRule::new("json.*", "json").unwrap(),
            TopicRule::new("nobody.*", "nobody").unwrap(),
        ])
        .unwrap();
        for (record, expected) in [
            (record("text.a", "{}", None), Ok("topic")),
            (record("text.a", "{}", Some("JSON")), Ok("header")),
            (record("text.a", "{}", Some("unheard")), Ok("unknown-format")),
            (record("wrong.a", "{}", None), Ok("topic")),
            (record("wrong.a", "no JSON", Some("json")), Ok("topic")),
            (record("json.a", "{", None), Err(ErrorKind::Malformed)),
            (record("json.a", "{}", None), Ok("topic")),
            (record("nobody.a", "{}", None), Ok("json")),
            (record("other", "{}", None), Ok("json")),
            (Record { place: None, ..record("text.a", "{}", None) }, Ok("json")),
        ] {
            assert_eq!(route(&rules, &record), expected, "{record:?}");
        }
        let blob = record("text.a", "{}", None);
        let decoded = Registry::builder().build().unwrap().decode_record(&blob, &rules, &Limits::DEFAULT).unwrap();
        assert!(matches!(decoded.route, Route::Topic { pattern } if pattern.as_str() == "text.*"));
    }

    #[derive(Debug)]
    struct FirstByte;

    impl Framing for FirstByte {
        fn name(&self) -> &str {
            "first-byte"
        }

        fn unwrap(&self, frame: &Frame<'_>) -> Result<Bytes, Error> {
            assert_eq!((frame.key, frame.topic), (Some(&b"key"[..]), Some("framed")));
            Ok(frame.content.to_bytes().slice(1..))
        }
    }

    #[test]
    fn a_framing_is_taken_off_before_the_model_reads() {
        let rule = TopicRule::new("framed", "json").unwrap().framed(Arc::new(FirstByte));
        let rules = TopicRules::new([rule]).unwrap();
        let framed = Record { key: Some(Bytes::from_static(b"key")), ..record("framed", "\0[1]", None) };
        let registry = Registry::builder().build().unwrap();
        let decoded = registry.decode_record(&framed, &rules, &Limits::DEFAULT).unwrap();
        assert_eq!(decoded.model.downcast_ref(), Some(&JsonBlob::from(Value::from(vec![Value::Int(1)]))));
        // A message with a known label is not framed.
        assert_eq!(route(&rules, &record("framed", "[1]", Some("json"))), Ok("header"));
        let tight = Limits { content: 3, ..Limits::DEFAULT };
        assert_eq!(registry.decode_record(&framed, &rules, &tight).unwrap_err().kind(), ErrorKind::Limit);
    }
}
