//! Avro data whose schema is elsewhere.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use hop_core::{Content, Error, ErrorKind, Outgoing, SchemaId, SchemaLanguage, SchemaSource};

use crate::avro::{self, Schema};

/// How many schemas a framing keeps parsed.
const MOST: usize = 1000;
/// How many bytes of text they may have together; parsed, they take several times that.
const MOST_TEXT: usize = 8 << 20;

/// What a source had under a name, ready to read with.
#[derive(Debug, Clone)]
enum Found {
    Avro(Schema),
    /// The content is JSON.
    Json,
    /// A schema that nobody can read with.
    Unusable(ErrorKind, Arc<str>),
}

impl Found {
    fn size(&self) -> usize {
        match self {
            Self::Avro(schema) => schema.text().len(),
            Self::Json => 0,
            Self::Unusable(_, why) => why.len(),
        }
    }
}

/// A source of schemas, and those that were found there: what a name stands for does not change.
#[derive(Debug)]
pub(super) struct Schemas {
    pub(super) source: Arc<dyn SchemaSource>,
    found: RwLock<HashMap<SchemaId, Found>>,
}

impl Schemas {
    pub(super) fn new(source: Arc<dyn SchemaSource>) -> Self {
        Self { source, found: RwLock::default() }
    }

    /// Returns true if the schema was looked up before.
    pub(super) fn has(&self, id: &SchemaId) -> bool {
        self.found.read().unwrap_or_else(PoisonError::into_inner).contains_key(id)
    }

    /// Looks a schema up; the error is about `framing`.
    fn find(&self, framing: &'static str, id: &SchemaId) -> Result<Found, Error> {
        if let Some(found) = self.found.read().unwrap_or_else(PoisonError::into_inner).get(id) {
            return Ok(found.clone());
        }
        let text = self.source.schema(id).map_err(|error| error.about(framing))?.ok_or_else(|| unknown(framing, id))?;
        // What cannot be parsed is not parsed again for each message.
        let unusable = |error: Error| Found::Unusable(error.kind(), error.to_string().into());
        let found = match &text.language {
            SchemaLanguage::Avro if text.references.is_empty() => {
                Schema::parse(&text.text).map_or_else(unusable, Found::Avro)
            }
            SchemaLanguage::Avro => {
                let schema = Schema::parse_with(&text.text, text.references.iter().map(|text| &**text));
                schema.map_or_else(unusable, Found::Avro)
            }
            SchemaLanguage::Json => Found::Json,
            other => {
                let other = other.as_str().escape_debug();
                Found::Unusable(
                    ErrorKind::Unsupported,
                    format!("expected a schema of Avro or JSON, found one of {other}").into(),
                )
            }
        };
        let mut kept = self.found.write().unwrap_or_else(PoisonError::into_inner);
        let text: usize = kept.values().map(Found::size).sum();
        if kept.len() >= MOST || text + found.size() > MOST_TEXT {
            kept.clear();
        }
        kept.insert(id.clone(), found.clone());
        Ok(found)
    }

    /// Returns the content that a datum by this schema is.
    pub(super) fn open(
        &self,
        framing: &'static str,
        id: &SchemaId,
        datum: Bytes,
        content: Content<'_>,
    ) -> Result<Bytes, Error> {
        match self.find(framing, id)? {
            Found::Avro(schema) => container(&schema, datum, content),
            Found::Json => Ok(datum),
            Found::Unusable(kind, why) => Err(Error::new(kind, framing)
                .found(format!("{id} cannot be read with: {why}"))
                .help("check the schema at its source")),
        }
    }
}

#[cold]
fn unknown(framing: &'static str, id: &SchemaId) -> Error {
    Error::new(ErrorKind::UnknownSchema, framing)
        .expected("a schema that a source has")
        .found(id.to_string())
        .help("name the sender's registry, or put the schema into the folder of schemas")
}

/// Returns the object container file of a datum, which is checked to be one by the schema.
pub(super) fn container(schema: &Schema, datum: Bytes, content: Content<'_>) -> Result<Bytes, Error> {
    avro::check_datum(schema, &datum, content.limits())?;
    Ok(avro::container_of(schema, &datum))
}

/// Returns the schema and the datum of a message whose content is an object container file of one record.
pub(super) fn split(framing: &'static str, message: &Outgoing) -> Result<(Schema, Bytes), Error> {
    match message.content.as_bytes() {
        Some(content) => avro::only_record(content.into()).map_err(|error| error.about(framing)),
        None => Err(Error::new(ErrorKind::Unencodable, framing).expected("an Avro record").found("null")),
    }
}
