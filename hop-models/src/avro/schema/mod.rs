//! Schemas: parsed, checked, and laid out flat for reading.
//!
//! Specification: [Schema declaration](https://avro.apache.org/docs/1.12.0/specification/#schema-declaration).

mod cache;
mod canonical;
mod from_json;
mod parse;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use hop_core::{Content, Error, ErrorKind, Limits, Value};

pub(super) use self::canonical::rabin;
pub(crate) use self::parse::Others;

/// The longest text that is parsed; those of the large surveys have some ten thousand bytes.
const LONGEST: usize = 2 << 20;

/// An Avro schema, ready to read and to write with.
///
/// Cloning shares it. Parsed schemas are kept, a few dozen in the process, and found again by their text, because parsing
/// one costs more than decoding a message.
///
/// ```
/// use hop_models::avro::Schema;
///
/// let schema = Schema::parse(r#"{"type": "array", "items": "double"}"#)?;
/// assert_eq!(schema.canonical(), r#"{"type":"array","items":"double"}"#);
/// assert!(Schema::parse(r#"{"type": "record"}"#).is_err());
/// # Ok::<(), hop_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Schema(Arc<Inner>);

struct Inner {
    text: Box<str>,
    /// With full names, as fastavro shows it.
    json: Value,
    nodes: Box<[Node]>,
    root: Id,
    canonical: OnceLock<Box<str>>,
    /// The CRC-64-AVRO of the text.
    checksum: OnceLock<u64>,
}

impl Schema {
    /// The schema that JSON text declares.
    ///
    /// # Errors
    /// Kind `Malformed` when the text is not JSON; kind `Invalid` when it declares no schema, with the path to the
    /// trouble; kind `Limit` when it is nested too deep, or longer than 2 MiB.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::parse_within(text, &Limits::DEFAULT)
    }

    /// The schema that JSON text declares, in which types may be named that one of the other texts declares.
    ///
    /// Its own [text](Self::text) declares all of them.
    ///
    /// ```
    /// use hop_models::avro::Schema;
    ///
    /// let alert = r#"{"type": "record", "name": "a.alert", "fields": [{"name": "by", "type": "a.site"}]}"#;
    /// let site = r#"{"type": "enum", "name": "site", "namespace": "a", "symbols": ["north", "south"]}"#;
    /// let schema = Schema::parse_with(alert, [site])?;
    /// assert!(Schema::parse(alert).is_err() && Schema::parse(schema.text()).is_ok());
    /// # Ok::<(), hop_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`parse`](Self::parse), for each of the texts; and kind `Invalid` when several of the others declare a type that
    /// is named, each in another way.
    pub fn parse_with<'t>(text: &str, others: impl IntoIterator<Item = &'t str>) -> Result<Self, Error> {
        let mut declared = Others::default();
        for other in others {
            declared.add(Self::parse_json(other)?);
        }
        Self::parse_among(text, &declared)
    }

    /// Parses the JSON of a schema.
    pub(crate) fn parse_json(text: &str) -> Result<Value, Error> {
        match text.len() {
            ..=LONGEST => hop_core::json::parse(text.into()).map_err(|error| error.about("avro schema")),
            long => Err(too_long(long)),
        }
    }

    /// Parses a schema that may name types which `others` declare.
    pub(crate) fn parse_among(text: &str, others: &Others) -> Result<Self, Error> {
        let complete = parse::parse(&Self::parse_json(text)?, others)?.json.to_json()?;
        Self::parse(&String::from_utf8_lossy(&complete))
    }

    /// The schema of that text, if it is one of those kept.
    pub(super) fn known(text: &[u8]) -> Option<Self> {
        cache::find(text)
    }

    /// The schema for what a JSON Schema describes, as [`MessageModel::schema`](hop_core::MessageModel::schema) gives it.
    ///
    /// Structs are records, and their documentation is `doc`; what may be null is a union with null, which is the default; enums
    /// of words are enums, others unions of records by the names of the variants; lists of bytes are `bytes`. Integers
    /// of up to 32 bits are `int`, others `long`.
    ///
    /// ```
    /// use hop_core::Value;
    /// use hop_models::avro::Schema;
    ///
    /// let json = Value::from_json(
    ///     r#"{"title": "Donut", "type": "object", "properties": {"flavor": {"type": "string"}}, "required": ["flavor"]}"#,
    /// )?;
    /// let avro = Schema::from_json_schema(&json)?;
    /// assert_eq!(avro.canonical(), r#"{"name":"Donut","type":"record","fields":[{"name":"flavor","type":"string"}]}"#);
    /// # Ok::<(), hop_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// Kind `Unsupported`, with the path and the way out, for what Avro has no type for: integers of 128 bits, tuples of several
    /// types, names beyond ASCII, variants without named fields; and for what the schema leaves open.
    pub fn from_json_schema(json: &Value) -> Result<Self, Error> {
        Self::parse(&String::from_utf8_lossy(&from_json::convert(json)?.to_json()?))
    }

    pub(crate) fn parse_within(text: &str, limits: &Limits) -> Result<Self, Error> {
        if let Some(schema) = Self::known(text.as_bytes()) {
            return Ok(schema);
        }
        if text.len() > LONGEST {
            return Err(too_long(text.len()));
        }
        let json = hop_core::json::parse(Content::from(text).with_limits(limits))
            .map_err(|error| error.about("avro schema"))?;
        let parsed = parse::parse(&json, &parse::Others::default())?;
        let schema = Self(Arc::new(Inner {
            text: text.into(),
            json: parsed.json,
            nodes: parsed.nodes.into(),
            root: parsed.root,
            canonical: OnceLock::new(),
            checksum: OnceLock::new(),
        }));
        cache::keep(&schema);
        Ok(schema)
    }

    /// The text it was parsed from.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The schema as a value: as sent, but for names, which are full and have absorbed their `namespace`.
    ///
    /// This is how hop-client shows a schema.
    pub fn json(&self) -> &Value {
        &self.0.json
    }

    /// The [parsing canonical form](https://avro.apache.org/docs/1.12.0/specification/#parsing-canonical-form-for-schemas).
    pub fn canonical(&self) -> &str {
        self.0.canonical.get_or_init(|| canonical::form(&self.0.json).into())
    }

    /// The CRC-64-AVRO fingerprint of the canonical form, by which single-object encoding names a schema.
    pub fn fingerprint(&self) -> u64 {
        rabin(self.canonical().as_bytes())
    }

    /// Returns the CRC-64-AVRO of the text as it is.
    pub(super) fn checksum(&self) -> u64 {
        *self.0.checksum.get_or_init(|| rabin(self.text().as_bytes()))
    }

    /// Whether both are the same in memory.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The schema with more symbols in some of its enums, to read with.
    pub(super) fn with_symbols(&self, more: &HashMap<Id, Vec<Box<str>>>) -> Self {
        let extended = |(id, node): (usize, &Node)| {
            let more = Id::try_from(id).ok().and_then(|id| more.get(&id));
            match (&node.kind, more) {
                (Kind::Enum(of), Some(more)) => {
                    let symbols = of.symbols.iter().chain(more).cloned().collect();
                    let of = EnumType { name: of.name.clone(), symbols, default: of.default.clone() };
                    Node { kind: Kind::Enum(Arc::new(of)), ..node.clone() }
                }
                _ => node.clone(),
            }
        };
        Self(Arc::new(Inner {
            text: self.0.text.clone(),
            json: self.0.json.clone(),
            nodes: self.0.nodes.iter().enumerate().map(extended).collect(),
            root: self.0.root,
            canonical: OnceLock::new(),
            checksum: OnceLock::new(),
        }))
    }

    /// Whether a named type is a branch of a union beside others that have names.
    pub(super) fn is_branch_among_named(&self, id: Id) -> bool {
        let is_it = |node: &Node| match &node.kind {
            Kind::Union(branches) => {
                branches.contains(&id)
                    && branches.iter().any(|branch| *branch != id && self.node(*branch).name.is_some())
            }
            _ => false,
        };
        self.0.nodes.iter().any(is_it)
    }

    pub(super) fn root(&self) -> Id {
        self.0.root
    }

    #[inline]
    pub(super) fn node(&self, id: Id) -> &Node {
        &self.0.nodes[id as usize]
    }
}

#[cold]
fn too_long(length: usize) -> Error {
    Error::new(ErrorKind::Limit, "avro schema")
        .expected(format!("at most {LONGEST} bytes"))
        .found(format!("{length} bytes"))
}

/// Two schemas are equal when they show the same.
impl PartialEq for Schema {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.json == other.0.json
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST: usize = 200;
        match self.0.text.char_indices().nth(MOST) {
            Some((end, _)) => write!(f, "Schema({}…)", &self.0.text[..end]),
            None => write!(f, "Schema({})", self.0.text),
        }
    }
}

/// The place of a node among the nodes of its schema.
pub(super) type Id = u32;

/// One type in a schema.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// What a record, an enum or a fixed is called.
    pub(super) name: Option<Arc<Name>>,
    /// The fewest bytes that a value of it takes; [`NEVER`] for a record that holds itself without end.
    pub(super) least: u64,
}

/// What a named type is called.
#[derive(Debug)]
pub(super) struct Name {
    pub(super) full: Box<str>,
    /// Full names, of which the namespace may be left out.
    pub(super) aliases: Box<[Box<str>]>,
}

pub(super) const NEVER: u64 = u64::MAX;

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
    Fixed(usize),
    Enum(Arc<EnumType>),
    Array(Id),
    Map(Id),
    Union(Box<[Id]>),
    Record(Arc<RecordType>),
    Date,
    TimeMillis,
    TimeMicros,
    Timestamp(super::logical::TimeUnit, bool),
    Uuid,
    /// Precision and scale; the size where it is fixed.
    Decimal(u32, u32, Option<usize>),
    Duration,
}

/// What all values of one enum share.
#[derive(Debug, PartialEq)]
pub(super) struct EnumType {
    pub(super) name: Box<str>,
    pub(super) symbols: Box<[Box<str>]>,
    /// What stands for a symbol that is not listed.
    pub(super) default: Option<Box<str>>,
}

impl EnumType {
    pub(super) fn index(&self, symbol: &str) -> Option<usize> {
        self.symbols.iter().position(|other| **other == *symbol)
    }
}

/// What all records of one type share.
#[derive(Debug, PartialEq)]
pub(super) struct RecordType {
    pub(super) name: Box<str>,
    pub(super) fields: Box<[Field]>,
}

#[derive(Debug, PartialEq)]
pub(super) struct Field {
    pub(super) name: Box<str>,
    /// Other names that writers have for it.
    pub(super) aliases: Box<[Box<str>]>,
    pub(super) node: Id,
    pub(super) default: Option<Value>,
}
