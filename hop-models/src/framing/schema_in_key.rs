use std::sync::Arc;

use bytes::Bytes;
use hop_core::{Error, ErrorKind, Frame, Framing, Outgoing, SchemaId, SchemaSource, excerpt};

use super::avro_datum::{Schemas, container, split};
use crate::avro::Schema;

const NAME: &str = "schema-in-key";

/// A bare Avro datum whose schema is the record's key, as JSON text, named `schema-in-key`: Fink's way.
///
/// Older messages of Fink have the name of the schema as their key; with [a source](Self::with_names) they are read as well.
#[derive(Debug, Default)]
pub struct SchemaInKey(Option<Schemas>);

impl SchemaInKey {
    /// Makes the framing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the framing that looks names in keys up in `source`.
    pub fn with_names(source: Arc<dyn SchemaSource>) -> Self {
        Self(Some(Schemas::new(source)))
    }
}

/// Returns true if the key is a schema, and not the name of one.
fn is_schema(key: &str) -> bool {
    key.trim_start().starts_with(['{', '[', '"'])
}

impl Framing for SchemaInKey {
    fn name(&self) -> &str {
        NAME
    }

    fn unwrap(&self, frame: &Frame<'_>) -> Result<Bytes, Error> {
        let wrong = |found: String| {
            Error::new(ErrorKind::Malformed, NAME).expected("an Avro schema as the key of the record").found(found)
        };
        let key = match frame.key {
            None | Some([]) => return Err(wrong("none".to_owned())),
            Some(key) => key,
        };
        let text = std::str::from_utf8(key).map_err(|_| wrong(excerpt(key)))?;
        let datum = frame.content.to_bytes();
        if is_schema(text) {
            return container(&Schema::parse_within(text, frame.content.limits())?, datum, frame.content);
        }
        match &self.0 {
            Some(schemas) => schemas.open(NAME, &SchemaId::Name(text.into()), datum, frame.content),
            None => Err(wrong(format!("{}, which may be the name of one", excerpt(key)))
                .help("name a folder that has the schema as `NAME.avsc`")),
        }
    }

    fn wrap(&self, _topic: &str, message: Outgoing) -> Result<Outgoing, Error> {
        let (schema, datum) = split(NAME, &message)?;
        if message.key.is_some() {
            return Err(Error::new(ErrorKind::Unencodable, NAME)
                .expected("a message without a key, which is to be the schema")
                .found("one with a key"));
        }
        let key = Bytes::copy_from_slice(schema.text().as_bytes());
        Ok(Outgoing { content: datum.into(), key: Some(key), ..message })
    }

    fn may_wait(&self) -> bool {
        self.0.as_ref().is_some_and(|schemas| schemas.source.may_wait())
    }

    fn can_unwrap_at_once(&self, frame: &Frame<'_>) -> bool {
        let name = || frame.key.and_then(|key| std::str::from_utf8(key).ok()).filter(|text| !is_schema(text));
        let is_known = |name: &str| self.0.as_ref().is_none_or(|schemas| schemas.has(&SchemaId::Name(name.into())));
        !self.may_wait() || name().is_none_or(is_known)
    }

    fn wrap_at_once(&self, topic: &str, message: Outgoing) -> Result<Result<Outgoing, Error>, Outgoing> {
        Ok(self.wrap(topic, message))
    }
}
