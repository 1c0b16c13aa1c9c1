use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use hop_core::{
    Error, ErrorKind, Frame, Framing, Location, Outgoing, SchemaId, SchemaSource, SchemaText, Value, excerpt,
};
use uuid::Uuid;

use super::avro_datum::{Schemas, split};
use crate::avro::Schema;

/// The header in which newer serializers name the schema of the value.
const SCHEMA_HEADER: &str = "__value_schema_id";

/// How many numbers of schemas a writer keeps, and how many bytes of text of those schemas.
const MOST_NUMBERS: usize = 1000;
const MOST_TEXT: usize = 8 << 20;

/// Confluent's framing, named `confluent`: a zero byte and the number that the schema has in a registry, most significant
/// byte first, then an Avro datum; or a one and the schema's 16-byte identifier. Newer serializers put either into the header
/// `__value_schema_id` and leave the content bare. JSON by a JSON Schema is framed in the same way, and comes out as it is.
///
/// Specification:
/// [wire format](https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format).
///
/// Written, a message has the number that the schema has under the [subject](SubjectName) of its topic: before the datum, or
/// [in the header](Self::in_header).
#[derive(Debug)]
pub struct Confluent {
    name: &'static str,
    schemas: Schemas,
    subject: SubjectName,
    in_header: bool,
    numbers: Mutex<HashMap<(String, Text), u32>>,
}

/// The text of a schema.
type Text = Box<str>;

/// Under which subject a registry has the schema of a message's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum SubjectName {
    /// `TopicNameStrategy`: `TOPIC-value`.
    #[default]
    Topic,
    /// `RecordNameStrategy`: the full name of the record.
    Record,
    /// `TopicRecordNameStrategy`: `TOPIC-` and the full name of the record.
    TopicRecord,
}

impl SubjectName {
    fn of(self, framing: &'static str, topic: &str, schema: &Schema) -> Result<String, Error> {
        let record = || {
            schema.json().get("name").and_then(Value::as_str).ok_or_else(|| {
                Error::new(ErrorKind::Unencodable, framing)
                    .expected("a record, whose name is that of the subject")
                    .found(schema.json().describe())
            })
        };
        Ok(match self {
            Self::Topic => format!("{topic}-value"),
            Self::Record => record()?.to_owned(),
            Self::TopicRecord => format!("{topic}-{}", record()?),
        })
    }
}

impl Confluent {
    /// Makes the framing, which looks schemas up in `source`.
    pub fn new(source: Arc<dyn SchemaSource>) -> Self {
        Self::named("confluent", source)
    }

    /// Makes the framing under another name.
    pub(super) fn named(name: &'static str, source: Arc<dyn SchemaSource>) -> Self {
        Self {
            name,
            schemas: Schemas::new(source),
            subject: SubjectName::default(),
            in_header: false,
            numbers: Mutex::default(),
        }
    }

    /// Sets under which subject a writer's schemas are; [`SubjectName::Topic`] unless set.
    #[must_use]
    pub fn subject(mut self, subject: SubjectName) -> Self {
        self.subject = subject;
        self
    }

    /// Writes the number into the header `__value_schema_id` and leaves the datum bare; unless set, it stands before the datum.
    #[must_use]
    pub fn in_header(mut self, in_header: bool) -> Self {
        self.in_header = in_header;
        self
    }

    fn known_number(&self, key: &(String, Text)) -> Option<u32> {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner).get(key).copied()
    }

    /// Asks the source for the number of a schema, given as subject and text.
    fn ask_number(&self, key: (String, Text)) -> Result<u32, Error> {
        let number = self.schemas.source.number(&key.0, &SchemaText::avro(&*key.1))?.ok_or_else(|| {
            Error::new(ErrorKind::UnknownSchema, self.name)
                .expected(format!("a number for the schema under subject `{}`", key.0))
                .found("a source of schemas that gives none")
                .help("write with a registry")
        })?;
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        let text: usize = numbers.keys().map(|(_, text)| text.len()).sum();
        if numbers.len() >= MOST_NUMBERS || text + key.1.len() > MOST_TEXT {
            numbers.clear();
        }
        numbers.insert(key, number);
        Ok(number)
    }

    /// Splits a message into subject and text of its schema, and the datum.
    fn split(&self, topic: &str, message: &Outgoing) -> Result<((String, Text), Bytes), Error> {
        let (schema, datum) = split(self.name, message)?;
        Ok(((self.subject.of(self.name, topic, &schema)?, schema.text().into()), datum))
    }

    /// Puts the number of the schema before the datum, or into the header.
    fn with_number(&self, number: u32, datum: Bytes, message: Outgoing) -> Result<Outgoing, Error> {
        let name = [&[0][..], &number.to_be_bytes()].concat();
        if !self.in_header {
            return Ok(Outgoing { content: Bytes::from([&name[..], &datum].concat()).into(), ..message });
        }
        let mut headers = message.headers;
        if headers.first(SCHEMA_HEADER).is_some() {
            return Err(Error::new(ErrorKind::Unencodable, self.name)
                .expected(format!("a message without the header `{SCHEMA_HEADER}`"))
                .found("one that has it"));
        }
        headers.push(SCHEMA_HEADER, Some(name.into()));
        Ok(Outgoing { content: datum.into(), headers, ..message })
    }

    /// Returns the name of the schema, and the datum.
    fn name_and_datum(&self, frame: &Frame<'_>) -> Result<(SchemaId, Bytes), Error> {
        let content = frame.content.to_bytes();
        let header = frame.content.headers().first(SCHEMA_HEADER).and_then(|header| header.value.as_ref());
        match header {
            // Nothing may follow the name in the header.
            Some(value) => match prefix(value) {
                Some((id, rest)) if rest.is_empty() => Ok((id, content)),
                _ => Err(Error::new(ErrorKind::Malformed, self.name)
                    .expected(format!("the name of a schema in the header `{SCHEMA_HEADER}`"))
                    .found(excerpt(value))),
            },
            None => prefix(&content).ok_or_else(|| {
                Error::new(ErrorKind::Malformed, self.name)
                    .expected("a zero byte and the number of a schema")
                    .found(if content.is_empty() { "no content".to_owned() } else { excerpt(&content) })
                    .at(Location::Byte(0))
            }),
        }
    }
}

/// Splits off the name of the schema that content starts with.
fn prefix(content: &Bytes) -> Option<(SchemaId, Bytes)> {
    match content.first()? {
        0 => {
            let (&[_, a, b, c, d], _) = content.split_first_chunk::<5>()?;
            Some((SchemaId::Number(u32::from_be_bytes([a, b, c, d])), content.slice(5..)))
        }
        1 => {
            let (head, _) = content.split_first_chunk::<17>()?;
            Some((SchemaId::Guid(Uuid::from_slice(&head[1..]).ok()?), content.slice(17..)))
        }
        _ => None,
    }
}

impl Framing for Confluent {
    fn name(&self) -> &str {
        self.name
    }

    fn unwrap(&self, frame: &Frame<'_>) -> Result<Bytes, Error> {
        let (id, datum) = self.name_and_datum(frame)?;
        self.schemas.open(self.name, &id, datum, frame.content)
    }

    /// # Errors
    /// When the content is not one Avro record, and when the registry does not take the schema or does not answer.
    fn wrap(&self, topic: &str, message: Outgoing) -> Result<Outgoing, Error> {
        let (schema, datum) = self.split(topic, &message)?;
        let number = match self.known_number(&schema) {
            Some(number) => number,
            None => self.ask_number(schema)?,
        };
        self.with_number(number, datum, message)
    }

    fn may_wait(&self) -> bool {
        self.schemas.source.may_wait()
    }

    fn can_unwrap_at_once(&self, frame: &Frame<'_>) -> bool {
        // A message that does not name a schema fails at once.
        !self.may_wait() || self.name_and_datum(frame).map_or(true, |(id, _)| self.schemas.has(&id))
    }

    fn wrap_at_once(&self, topic: &str, message: Outgoing) -> Result<Result<Outgoing, Error>, Outgoing> {
        if !self.may_wait() {
            return Ok(self.wrap(topic, message));
        }
        match self.split(topic, &message) {
            Ok((schema, datum)) => match self.known_number(&schema) {
                Some(number) => Ok(self.with_number(number, datum, message)),
                None => Err(message),
            },
            Err(error) => Ok(Err(error)),
        }
    }
}
