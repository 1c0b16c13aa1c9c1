use std::collections::{HashMap, HashSet};

use hop_core::{Error, ErrorKind, SchemaId, SchemaSource, SchemaText};

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
///
/// Several versions of one record have the same name; then they are found by their numbers and fingerprints alone.
#[derive(Debug, Clone, Default)]
pub struct EmbeddedSchemas {
    schemas: HashMap<SchemaId, SchemaText>,
    /// The names that several schemas have.
    ambiguous: HashSet<Box<str>>,
}

impl EmbeddedSchemas {
    /// Makes a source that has no schemas yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a schema that has this number in the sender's registry. It is found by its fingerprint and the name of its
    /// record too.
    ///
    /// # Errors
    /// Those of [`Schema::parse`], and kind `Duplicate` when another schema has the number.
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
        if let Some(number) = number
            && self.schemas.insert(SchemaId::Number(number), text.clone()).is_some_and(|other| other != text)
        {
            return Err(Error::new(ErrorKind::Duplicate, "schemas")
                .expected(format!("one schema of the number {number}"))
                .found("two")
                .help("give each schema the number that the sender's registry has for it"));
        }
        // Of one fingerprint, either reads the same bytes.
        self.schemas.insert(SchemaId::Fingerprint(schema.fingerprint()), text);
        if let Some(name) = name_of(&schema) {
            self.name(name, &schema);
        }
        Ok(())
    }

    /// Adds a name of a schema.
    pub(super) fn name(&mut self, name: &str, schema: &Schema) {
        let text = SchemaText::avro(schema.text());
        if self.schemas.insert(SchemaId::Name(name.into()), text.clone()).is_some_and(|other| other != text) {
            self.ambiguous.insert(name.into());
        }
    }
}

/// Returns the full name of a record, an enum or a fixed.
pub(super) fn name_of(schema: &Schema) -> Option<&str> {
    schema.json().get("name").and_then(hop_core::Value::as_str)
}

impl SchemaSource for EmbeddedSchemas {
    fn schema(&self, id: &SchemaId) -> Result<Option<SchemaText>, Error> {
        match id {
            SchemaId::Name(name) if self.ambiguous.contains(name) => Err(Error::new(ErrorKind::Duplicate, "schemas")
                .expected("a name that one schema has")
                .found(format!("`{}`, which several versions have", name.escape_debug()))
                .help("a message names one of several versions by its number or its fingerprint")),
            _ => Ok(self.schemas.get(id).cloned()),
        }
    }

    fn number(&self, _subject: &str, schema: &SchemaText) -> Result<Option<u32>, Error> {
        let numbers = self.schemas.iter().filter_map(|(id, text)| match id {
            SchemaId::Number(number) if text.text == schema.text => Some(*number),
            _ => None,
        });
        Ok(numbers.min())
    }
}
