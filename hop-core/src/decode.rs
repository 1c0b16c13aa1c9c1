//! The ladder from a record to a model, and nothing else.

use crate::{AnyModel, Blob, Content, Error, Headers, JsonBlob, MessageModel, Record, Registry, Value};
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
    /// The rung in a word: `header`, `unknown-format`, `envelope`, `json` or `blob`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Header => "header",
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

impl Registry {
    /// The model in `content`, found by the `_format` among `headers`:
    ///
    /// 1. `_format` names a linked model, in any case: that model decodes the content.
    /// 2. `_format` is there and names none, or is null or not UTF-8: a [`Blob`].
    /// 3. No `_format`, and the content is a JSON object with `format` (a string) and `content`: an envelope from before
    ///    hop-client 0.6. Under `blob` stands a JSON value; under a known label that model's fields; under any other, a
    ///    [`Blob`] of the whole.
    /// 4. No `_format`, other JSON: a [`JsonBlob`].
    /// 5. Anything else: a [`Blob`].
    ///
    /// The first `_format` counts.
    ///
    /// # Errors
    /// When the model that rung 1 or 3 chose does not decode the content, and when the content is over the limit in size.
    pub fn decode(&self, headers: &Headers, content: Content<'_>) -> Result<Decoded, Error> {
        let Some(format) = headers.first(header::FORMAT) else {
            return self.decode_unlabelled(content);
        };
        let label = format.value.as_deref().unwrap_or_default();
        if let Some(model) = std::str::from_utf8(label).ok().and_then(|label| self.get(label)) {
            return Ok(Decoded { model: model.decode(content.with_headers(headers))?, route: Route::Header });
        }
        let label = String::from_utf8_lossy(label).into_owned();
        Ok(Decoded { model: blob(content)?, route: Route::UnknownFormat { label } })
    }

    /// The model in a record; [`decode`](Self::decode) with its parts.
    ///
    /// # Errors
    /// As there.
    pub fn decode_record(&self, record: &Record) -> Result<Decoded, Error> {
        self.decode(&record.headers, (&record.content).into())
    }

    fn decode_unlabelled(&self, content: Content<'_>) -> Result<Decoded, Error> {
        // Content that is no JSON is told from its first bytes, most often; what is, is parsed to the end.
        let value = match content.first() {
            Some(_) => match JsonBlob::decode(content) {
                Ok(json) => json.content,
                Err(error) if error.kind() == crate::ErrorKind::Limit => return Err(error),
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

fn blob(content: Content<'_>) -> Result<Box<dyn AnyModel>, Error> {
    Ok(Box::new(Blob::decode(content)?))
}
