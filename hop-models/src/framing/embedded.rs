use std::collections::HashMap;

use hop_core::{Error, SchemaId, SchemaSource, SchemaText};

use crate::avro::Schema;
use crate::codec::Avsc;

/// Schemas that are part of the program, made by [`avsc!`](crate::avsc).
///
/// ```
/// use hop_core::{SchemaId, SchemaSource};
/// use hop_models::framing::EmbeddedSchemas;
///
/// hop_models::avsc!(Donut = text r#"{"type": "record", "name": "donut", "fields": []}"#);
///
/// let schemas = EmbeddedSchemas::new().with::<Donut>(7)?;
/// assert!(schemas.schema(&SchemaId::Number(7))?.is_some());
/// assert!(schemas.schema(&SchemaId::Name("donut".into()))?.is_some());
/// assert!(schemas.schema(&SchemaId::Number(8))?.is_none());
/// # Ok::<(), hop_core::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct EmbeddedSchemas(HashMap<SchemaId, SchemaText>);

impl EmbeddedSchemas {
    /// Makes a source that has no schemas yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a schema that has this number in the sender's registry. It is found by its fingerprint and the name of its
    /// record too.
    ///
    /// # Errors
    /// Those of [`Schema::parse`].
    pub fn with<S: Avsc>(mut self, number: u32) -> Result<Self, Error> {
        self.add(S::TEXT, Some(number))?;
        Ok(self)
    }

    /// Adds a schema that has no number.
    ///
    /// # Errors
    /// Those of [`Schema::parse`].
    pub fn with_unnumbered<S: Avsc>(mut self) -> Result<Self, Error> {
        self.add(S::TEXT, None)?;
        Ok(self)
    }

    /// Adds a schema whose text is complete.
    pub(super) fn add(&mut self, text: &str, number: Option<u32>) -> Result<(), Error> {
        let schema = Schema::parse(text)?;
        let text = SchemaText::avro(schema.text());
        let name = schema.json().get("name").and_then(hop_core::Value::as_str);
        let ids = [
            number.map(SchemaId::Number),
            Some(SchemaId::Fingerprint(schema.fingerprint())),
            name.map(|name| SchemaId::Name(name.into())),
        ];
        for id in ids.into_iter().flatten() {
            self.0.insert(id, text.clone());
        }
        Ok(())
    }

    /// Adds another name of a schema.
    pub(super) fn name(&mut self, name: &str, schema: &Schema) {
        self.0.insert(SchemaId::Name(name.into()), SchemaText::avro(schema.text()));
    }
}

impl SchemaSource for EmbeddedSchemas {
    fn schema(&self, id: &SchemaId) -> Result<Option<SchemaText>, Error> {
        Ok(self.0.get(id).cloned())
    }

    fn number(&self, _subject: &str, schema: &SchemaText) -> Result<Option<u32>, Error> {
        let numbers = self.0.iter().filter_map(|(id, text)| match id {
            SchemaId::Number(number) if text.text == schema.text => Some(*number),
            _ => None,
        });
        Ok(numbers.min())
    }
}
