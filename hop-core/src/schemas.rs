//! Where the schemas of messages that do not carry their own come from.

use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

use crate::Error;

/// How a message names the schema that it was written by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SchemaId {
    /// The number that a registry gave it.
    Number(u32),
    /// The identifier that a registry gave it, the same in all registries.
    Guid(Uuid),
    /// The CRC-64-AVRO fingerprint of its canonical form.
    Fingerprint(u64),
    /// A name that reader and writer agreed on.
    Name(Box<str>),
}

impl fmt::Display for SchemaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "schema {number}"),
            Self::Guid(guid) => write!(f, "schema {guid}"),
            Self::Fingerprint(fingerprint) => write!(f, "the schema of fingerprint {fingerprint:016x}"),
            Self::Name(name) => write!(f, "schema `{}`", name.escape_debug()),
        }
    }
}

/// The language that a schema is written in.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum SchemaLanguage {
    /// Avro.
    #[default]
    Avro,
    /// JSON Schema.
    Json,
    /// Another one, as the registry calls it.
    Other(Box<str>),
}

impl SchemaLanguage {
    /// Returns the name that registries use: `AVRO`, `JSON`, or another.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Avro => "AVRO",
            Self::Json => "JSON",
            Self::Other(name) => name,
        }
    }
}

/// A schema as text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct SchemaText {
    /// The language of the text.
    pub language: SchemaLanguage,
    /// The schema itself.
    pub text: Arc<str>,
    /// The schemas that it refers to, directly or not.
    pub references: Vec<Arc<str>>,
}

impl SchemaText {
    /// Makes the text of an Avro schema that refers to no other.
    pub fn avro(text: impl Into<Arc<str>>) -> Self {
        Self { language: SchemaLanguage::Avro, text: text.into(), references: Vec::new() }
    }
}

/// Finds schemas: a registry, a folder, the program itself.
///
/// ```
/// use hop_core::{Error, SchemaId, SchemaSource, SchemaText};
///
/// /// The one schema that the observatory has.
/// #[derive(Debug)]
/// struct Observatory;
///
/// impl SchemaSource for Observatory {
///     fn schema(&self, id: &SchemaId) -> Result<Option<SchemaText>, Error> {
///         let is_it = *id == SchemaId::Number(1);
///         Ok(is_it.then(|| SchemaText::avro(r#"{"type": "map", "values": "double"}"#)))
///     }
/// }
/// ```
pub trait SchemaSource: fmt::Debug + Send + Sync {
    /// Returns a schema; `None` if this source does not have it.
    ///
    /// # Errors
    /// Kind [`Unavailable`](crate::ErrorKind::Unavailable) when the source did not answer in time, or not as it should.
    fn schema(&self, id: &SchemaId) -> Result<Option<SchemaText>, Error>;

    /// Returns the number under which `subject` has the schema, for a writer; `None` if this source does not give numbers.
    ///
    /// A registry may be set to register the schema where it does not have it yet.
    ///
    /// # Errors
    /// As [`schema`](Self::schema), and when the source refuses the schema or does not know it.
    fn number(&self, subject: &str, schema: &SchemaText) -> Result<Option<u32>, Error> {
        let _ = (subject, schema);
        Ok(None)
    }

    /// Returns true if the source may wait for a network or a disk.
    fn may_wait(&self) -> bool {
        false
    }
}

/// Asks several sources, one after the other.
///
/// The first that has the schema gives it. A source that fails does not keep the next from being asked; its error is
/// returned if none of the others has the schema.
#[derive(Debug, Clone, Default)]
pub struct SchemaChain(Vec<Arc<dyn SchemaSource>>);

impl SchemaChain {
    /// Makes the chain, the source to ask first at the front.
    pub fn new(sources: impl IntoIterator<Item = Arc<dyn SchemaSource>>) -> Self {
        Self(sources.into_iter().collect())
    }

    fn first<T>(&self, ask: impl Fn(&dyn SchemaSource) -> Result<Option<T>, Error>) -> Result<Option<T>, Error> {
        let mut failed = None;
        for source in &self.0 {
            match ask(&**source) {
                Ok(None) => {}
                Ok(found) => return Ok(found),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(None), Err)
    }
}

impl SchemaSource for SchemaChain {
    fn schema(&self, id: &SchemaId) -> Result<Option<SchemaText>, Error> {
        self.first(|source| source.schema(id))
    }

    fn number(&self, subject: &str, schema: &SchemaText) -> Result<Option<u32>, Error> {
        self.first(|source| source.number(subject, schema))
    }

    fn may_wait(&self) -> bool {
        self.0.iter().any(|source| source.may_wait())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[derive(Debug)]
    struct Of(Result<Option<&'static str>, ()>);

    impl SchemaSource for Of {
        fn schema(&self, _id: &SchemaId) -> Result<Option<SchemaText>, Error> {
            let found = self.0.map_err(|()| Error::new(ErrorKind::Unavailable, "registry"))?;
            Ok(found.map(SchemaText::avro))
        }
    }

    #[test]
    fn a_source_that_fails_or_has_nothing_leaves_it_to_the_next() {
        let (fails, lacks, has) = (Of(Err(())), Of(Ok(None)), Of(Ok(Some("int"))));
        let chain = |sources: Vec<Of>| {
            let sources = sources.into_iter().map(|source| Arc::new(source) as Arc<dyn SchemaSource>);
            SchemaChain::new(sources).schema(&SchemaId::Number(1))
        };
        assert_eq!(chain(vec![fails, lacks, has]).unwrap().unwrap().text, "int".into());
        assert_eq!(chain(vec![Of(Ok(None)), Of(Err(())), Of(Ok(None))]).unwrap_err().kind(), ErrorKind::Unavailable);
        assert_eq!(chain(vec![Of(Ok(None))]).unwrap(), None);
    }
}
