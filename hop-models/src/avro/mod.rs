//! Avro: `avro`, object container files.
//!
//! [`AvroBlob`] is such a file: its records, and the schema they were sent with. On the wire and on disk it is the same
//! bytes, and a blob that was read is written as the bytes it was read from.
//!
//! ```
//! use hop_core::{MessageModel, Value};
//! use hop_models::AvroBlob;
//!
//! let sent = AvroBlob::new(Value::object([("name", "ZTF18abeoiol".into()), ("magnitude", 19.5.into())]));
//! let alert = AvroBlob::decode((&sent.encode()?).into())?;
//! assert_eq!(alert.record()?["name"].as_str(), Some("ZTF18abeoiol"));
//!
//! #[derive(serde::Deserialize)]
//! struct Alert<'a> {
//!     name: &'a str,
//!     magnitude: Option<f32>,
//! }
//! let alert: Alert<'_> = alert.record_as()?;
//! assert_eq!((alert.name, alert.magnitude), ("ZTF18abeoiol", Some(19.5)));
//! # Ok::<(), hop_core::Error>(())
//! ```
//!
//! Decoding walks over all records once, keeps to the limits and makes no values; they are made when they are first asked
//! for. So an alert that is passed on, or read into a struct, costs what it must.
//!
//! Specification: [Apache Avro 1.12](https://avro.apache.org/docs/1.12.0/specification/). Codecs: null, deflate, snappy,
//! zstandard, bzip2, xz, and lz4 as fastavro has it. A file inside gzip is read as that file, and written without the gzip.
//!
//! Records are read as they were written; [`AvroBlob::resolved`] reads them by another schema. A struct that asks for other
//! fields than there are is read by serde's rules (`default`, `alias`).
//!
//! # Not supported
//!
//! - Containers of before Avro 1.3; JSON encoding; protocols and messages between processes.
//! - What the logical types `big-decimal`, `uuid` over fixed, and any unknown one mean: the value underneath is shown,
//!   as hop-client shows it. Decimals of more than 1024 bytes are refused; of more than 38 digits, not written.
//! - Framed datums are not decoded on their own, since their schema is elsewhere: [`split_confluent`] and
//!   [`split_single_object`] take the frame off, [`AvroBlob::from_datum`] reads what is in it.
//!
//! # Differences from hop-client
//!
//! - Files with none or several records are read, not refused; so are files inside gzip, and all codecs, without anything to
//!   install.
//! - A snappy block's checksum is checked; a negative index, a negative count of records and bytes after a compressed
//!   stream are errors. A time of day that is none is shown as a number; hop-client shows another time or fails.
//! - Timestamps outside of the years 1 to 9999, text that is no UUID, and decimals declared wrong are shown as well as
//!   can be, where hop-client fails. So are schemas with defaults that do not fit or names that are not allowed.
//! - Inferred schemas name equal records once, and hold at most one array and one map in a union, as the specification
//!   wants; in hop-client each record has a name of its own, and the order of a union changes from run to run.
//! - Fields that the schema does not have are an error when encoding; hop-client leaves them out without a word.
//! - The sync marker is made of the content instead of drawn, so the same content gives the same bytes.

mod codec;
mod container;
mod cursor;
mod de;
mod decode;
mod encode;
mod framing;
mod infer;
mod iso;
mod logical;
mod resolve;
mod schema;
mod value;

use std::fmt;
use std::sync::OnceLock;

use bytes::Bytes;
use hop_core::{Content, Error, ErrorKind, Limits, MessageModel};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use self::container::{Block, File, Origin};
pub use self::framing::{split_confluent, split_single_object};
pub use self::logical::{Date, Decimal, Duration, Time, TimeUnit, Timestamp};
use self::resolve::{Resolution, Rules};
pub(crate) use self::schema::Others;
pub use self::schema::Schema;
pub use self::value::{Map, Record, Symbol, Value};

/// The label, and the subject of all errors here.
pub(crate) const LABEL: &str = "avro";

/// Avro records and their schema, labelled `avro`; see [the module](self).
///
/// Its fields are `content`, `schema` and `single_record`: the content of one record is the record itself; of none or
/// several, an array of them, and `single_record` is false.
#[derive(Clone)]
pub struct AvroBlob {
    /// What it was made of; `None` where it was read.
    made: Option<Made>,
    /// The file: read, or written when first asked for.
    file: OnceLock<File>,
    /// The values in it, made when first asked for.
    values: OnceLock<Vec<Value>>,
}

#[derive(Debug, Clone)]
struct Made {
    records: Vec<hop_core::Value>,
    single: bool,
    schema: Option<Schema>,
}

impl AvroBlob {
    /// A file of one record, whose schema is inferred unless [`with_schema`](Self::with_schema) gives it.
    pub fn new(content: hop_core::Value) -> Self {
        Self::made(Made { records: vec![content], single: true, schema: None })
    }

    /// A file of any number of records.
    pub fn of_records(records: Vec<hop_core::Value>) -> Self {
        Self::made(Made { records, single: false, schema: None })
    }

    /// The same content under that schema.
    ///
    /// # Errors
    /// Those of [`content`](Self::content). Whether the content fits the schema shows when it is encoded.
    pub fn with_schema(self, schema: Schema) -> Result<Self, Error> {
        let single = self.is_single();
        let records = match self.made {
            Some(made) => made.records,
            None => self.records()?.iter().map(Into::into).collect(),
        };
        Ok(Self::made(Made { records, single, schema: Some(schema) }))
    }

    /// The record that a datum is, which comes without a container and its schema apart.
    ///
    /// # Errors
    /// Those of decoding, and kind `Malformed` when there is something after the datum.
    pub fn from_datum(schema: &Schema, datum: impl Into<Bytes>) -> Result<Self, Error> {
        File::datum(schema, datum.into(), &Limits::DEFAULT).map(Self::read)
    }

    /// Returns each record as a file of its own, by the same schema: hop-client reads messages of one record only.
    ///
    /// # Errors
    /// Those of [`records`](Self::records).
    pub fn each_record(&self) -> Result<Vec<Self>, Error> {
        let file = self.file()?;
        let mut each = Vec::with_capacity(file.count());
        for Block { data, count } in &file.blocks {
            let mut start = 0;
            for _ in 0..*count {
                let end =
                    start + decode::length(&file.schema, &data[start..]).map_err(|fault| fault.into_error(0, None))?;
                let block = Block { data: data.slice(start..end), count: 1 };
                each.push(Self::read(File { schema: file.schema.clone(), blocks: vec![block], origin: Origin::Datum }));
                start = end;
            }
        }
        Ok(each)
    }

    /// Returns the records as the reader's schema has them, by Avro's
    /// [schema resolution](https://avro.apache.org/docs/1.12.0/specification/#schema-resolution): fields and types are found by
    /// their names and aliases, those that the writer has not have their defaults, and numbers, strings and bytes are promoted.
    ///
    /// ```
    /// use hop_core::{MessageModel, Value};
    /// use hop_models::AvroBlob;
    /// use hop_models::avro::Schema;
    ///
    /// let old = Schema::parse(r#"{"type": "record", "name": "alert", "fields": [{"name": "id", "type": "int"}]}"#)?;
    /// let new = Schema::parse(
    ///     r#"{"type": "record", "name": "alert", "fields": [
    ///         {"name": "identifier", "type": "long", "aliases": ["id"]},
    ///         {"name": "magnitude", "type": "double", "default": -999.0}
    ///     ]}"#,
    /// )?;
    /// let alert = AvroBlob::new(Value::object([("id", 5.into())])).with_schema(old)?;
    /// let alert = alert.resolved(&new)?;
    /// assert_eq!(alert.record()?["identifier"].as_i64(), Some(5));
    /// assert_eq!(alert.record()?["magnitude"].as_f64(), Some(-999.0));
    /// # Ok::<(), hop_core::Error>(())
    /// ```
    ///
    /// Of the reader's union, the branch that has the full name of the writer's type is taken, else the first that fits. Times are converted to the reader's unit where that loses
    /// nothing.
    ///
    /// # Errors
    /// Kind `Invalid`, with the path, when a record does not resolve; kind `Limit` when the records grow beyond the default
    /// limits; and those of [`records`](Self::records).
    pub fn resolved(&self, reader: &Schema) -> Result<Self, Error> {
        let file = self.file()?;
        let resolution = Resolution::between(&file.schema, reader, Rules::Strict)?;
        let mut room = Limits::DEFAULT.decompressed;
        let mut blocks = Vec::with_capacity(file.blocks.len());
        for Block { data, count } in &file.blocks {
            let data = resolution.apply(data, *count, room)?;
            room = room.saturating_sub(data.len());
            blocks.push(Block { data: data.into(), count: *count });
        }
        Ok(Self::read(File { schema: reader.clone(), blocks, origin: Origin::Datum }))
    }

    fn made(made: Made) -> Self {
        Self { made: Some(made), file: OnceLock::new(), values: OnceLock::new() }
    }

    fn read(file: File) -> Self {
        Self { made: None, file: file.into(), values: OnceLock::new() }
    }

    fn file(&self) -> Result<&File, Error> {
        if let Some(file) = self.file.get() {
            return Ok(file);
        }
        let file = match &self.made {
            Some(made) => made.write()?,
            // What was read has its file.
            None => return Err(Error::new(ErrorKind::Unencodable, LABEL)),
        };
        Ok(self.file.get_or_init(|| file))
    }

    /// The schema; `None` where it is yet to be inferred.
    pub fn schema(&self) -> Option<&Schema> {
        match self.file.get() {
            Some(file) => Some(&file.schema),
            None => self.made.as_ref()?.schema.as_ref(),
        }
    }

    /// How many records there are.
    pub fn count(&self) -> usize {
        match &self.made {
            Some(made) => made.records.len(),
            None => self.file.get().map_or(0, File::count),
        }
    }

    /// Whether the content is one record, and not a list of them.
    pub fn is_single(&self) -> bool {
        self.made.as_ref().map_or_else(|| self.count() == 1, |made| made.single)
    }

    /// What the header says beside the records, by name: `avro.schema`, `avro.codec`, and what the sender added.
    ///
    /// Empty where there was no container.
    pub fn metadata(&self) -> Vec<(&str, &[u8])> {
        match self.file.get().map(|file| (&file.origin, &file.schema)) {
            Some((Origin::Container(bytes), _)) => container::metadata(bytes),
            Some((Origin::Written(_), schema)) => {
                vec![("avro.codec", b"null"), ("avro.schema", schema.text().as_bytes())]
            }
            _ => Vec::new(),
        }
    }

    /// The records, as Avro has them.
    ///
    /// # Errors
    /// Those of [`encode`](MessageModel::encode) where the blob was not read but made; else none.
    pub fn records(&self) -> Result<&[Value], Error> {
        if let Some(values) = self.values.get() {
            return Ok(values);
        }
        let file = self.file()?;
        let mut values = Vec::with_capacity(file.count());
        for block in &file.blocks {
            let mut reader = decode::Reader::new(&file.schema, &block.data);
            for _ in 0..block.count {
                let mut value = Value::Null;
                reader.record(&mut value).map_err(|fault| fault.into_error(0, None))?;
                values.push(value);
            }
        }
        Ok(self.values.get_or_init(|| values))
    }

    /// The one record.
    ///
    /// # Errors
    /// Kind `Invalid` when there are none or several; and those of [`records`](Self::records).
    pub fn record(&self) -> Result<&Value, Error> {
        let records = self.records()?;
        match records {
            [one] => Ok(one),
            _ => Err(not_one(records.len())),
        }
    }

    /// The records, each as a `T`, straight from the bytes.
    ///
    /// Names are matched as serde has it; fields that a struct does not name are passed over, with
    /// `deny_unknown_fields` too. Dates, times and decimals are text for a type that reads text, and the number
    /// underneath (days, units of time) for one that reads integers; a record in a union is a variant of the name of its
    /// type. Strings and bytes may be borrowed.
    ///
    /// # Errors
    /// Kind `Invalid` with the path, when a record does not fit; and those of [`records`](Self::records).
    pub fn records_as<'de, T: Deserialize<'de>>(&'de self) -> Result<Vec<T>, Error> {
        let file = self.file()?;
        let mut out = Vec::with_capacity(file.count().min(1024));
        for block in &file.blocks {
            let mut typed = de::Typed::new(&file.schema, &block.data);
            for _ in 0..block.count {
                out.push(typed.record().map_err(|fault| de::misfit(&fault))?);
            }
        }
        Ok(out)
    }

    /// The one record as a `T`; [`records_as`](Self::records_as) says how.
    ///
    /// # Errors
    /// As there; and kind `Invalid` when there are none or several.
    pub fn record_as<'de, T: Deserialize<'de>>(&'de self) -> Result<T, Error> {
        let mut records = self.records_as()?;
        match (records.pop(), records.len()) {
            (Some(one), 0) => Ok(one),
            (one, more) => Err(not_one(more + usize::from(one.is_some()))),
        }
    }

    /// The content as hop shows it: the record, or the array of them.
    ///
    /// # Errors
    /// Those of [`records`](Self::records).
    pub fn content(&self) -> Result<hop_core::Value, Error> {
        let shown = match &self.made {
            Some(made) => made.records.clone(),
            None => self.records()?.iter().map(Into::into).collect(),
        };
        Ok(match <[hop_core::Value; 1]>::try_from(shown) {
            Ok([one]) if self.is_single() => one,
            Ok([one]) => hop_core::Value::Array(vec![one]),
            Err(several) => hop_core::Value::Array(several),
        })
    }
}

/// The one record of an object container file, checked: its schema and its bytes.
pub(crate) fn only_record(content: Content<'_>) -> Result<(Schema, Bytes), Error> {
    let File { schema, blocks, .. } = File::read(content)?;
    match <[Block; 1]>::try_from(blocks) {
        Ok([Block { data, count: 1 }]) => Ok((schema, data)),
        Ok([several]) => Err(not_one(several.count)),
        Err(blocks) => Err(not_one(blocks.iter().map(|block| block.count).sum())),
    }
}

/// The object container file of one record.
pub(crate) fn container_of(schema: &Schema, datum: &Bytes) -> Bytes {
    container::write(schema, &[Block { data: datum.clone(), count: 1 }]).into()
}

/// Checks that content starts as an object container file does.
pub(crate) fn check_magic(content: &[u8]) -> Result<(), Error> {
    if content.starts_with(&container::MAGIC) { Ok(()) } else { Err(framing::refuse(content)) }
}

/// Checks that `datum` is one, by that schema, and nothing more.
pub(crate) fn check_datum(schema: &Schema, datum: &Bytes, limits: &Limits) -> Result<(), Error> {
    File::datum(schema, datum.clone(), limits).map(drop)
}

/// The `T` that a datum is, which was checked.
pub(crate) fn read_datum<'de, T: Deserialize<'de>>(schema: &'de Schema, datum: &'de [u8]) -> Result<T, Error> {
    de::Typed::new(schema, datum).record().map_err(|fault| de::misfit(&fault))
}

/// The `T` that a datum is, which was checked, for a model whose own schema is another: with that one's aliases and
/// defaults, where the two resolve; else by the names of the fields alone.
pub(crate) fn read_resolved<T: DeserializeOwned>(
    writer: &Schema,
    reader: &Schema,
    datum: &[u8],
    limits: &Limits,
) -> Result<T, Error> {
    if writer == reader {
        return read_datum(writer, datum);
    }
    let resolved = || {
        let resolution = Resolution::between(writer, reader, Rules::Model)?;
        let datum = resolution.apply(datum, 1, limits.decompressed)?;
        read_datum(resolution.reader(), &datum)
    };
    match resolved() {
        Ok(model) => Ok(model),
        // As a model without a schema of its own is read.
        Err(reason) => read_datum(writer, datum).map_err(|error| match error.location() {
            Some(_) => error,
            None => reason,
        }),
    }
}

/// The datum that a model is.
///
/// # Errors
/// Kind `Unencodable`, with the path, where the model does not fit the schema, and for one that would come back as another.
pub(crate) fn write_datum<M: serde::Serialize + DeserializeOwned>(
    schema: &Schema,
    model: &M,
) -> Result<Vec<u8>, Error> {
    let value = hop_core::Value::of(model)?;
    for variants in [encode::Variants::ByFields, encode::Variants::ByName] {
        let mut out = Vec::new();
        let ambiguous = encode::model(schema, &value, variants, &mut out)?;
        let comes_back = || hop_core::Value::of(&read_datum::<M>(schema, &out).ok()?).ok();
        if !ambiguous || comes_back().is_some_and(|again| again == value) {
            return Ok(out);
        }
    }
    Err(Error::new(ErrorKind::Unencodable, LABEL)
        .expected("a model whose variants are told from the fields of records")
        .found("one that is read as another")
        .help("call the records, or the variants, otherwise"))
}

/// Files are equal if their [content](Self::content) is, as in hop-client: neither the schema nor the compression counts. A
/// file whose records cannot be read is equal to the same bytes alone.
impl PartialEq for AvroBlob {
    fn eq(&self, other: &Self) -> bool {
        let bytes = |blob: &Self| blob.file.get().filter(|file| !matches!(file.origin, Origin::Datum)).map(File::bytes);
        if let (Some(ours), Some(theirs)) = (bytes(self), bytes(other))
            && ours == theirs
        {
            return true;
        }
        matches!((self.content(), other.content()), (Ok(ours), Ok(theirs)) if ours == theirs)
    }
}

/// The number of records and the schema; a file may be long.
impl fmt::Debug for AvroBlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AvroBlob").field("records", &self.count()).field("schema", &self.schema()).finish()
    }
}

#[cold]
fn not_one(count: usize) -> Error {
    Error::new(ErrorKind::Invalid, LABEL).expected("one record").found(count.to_string())
}

impl Made {
    fn write(&self) -> Result<File, Error> {
        let schema = match &self.schema {
            Some(schema) => schema.clone(),
            None => {
                let json = infer::schema(&self.records)?.to_json()?;
                Schema::parse(&String::from_utf8_lossy(&json))?
            }
        };
        let mut data = Vec::new();
        for record in &self.records {
            encode::record(&schema, record, &mut data)?;
        }
        let mut blocks = Vec::new();
        if !self.records.is_empty() {
            blocks.push(Block { data: data.into(), count: self.records.len() });
        }
        Ok(File { schema, blocks, origin: Origin::Datum })
    }
}

impl MessageModel for AvroBlob {
    const FORMAT: &'static str = LABEL;

    /// The records and the schema of an object container file.
    ///
    /// Content that is borrowed is copied, once; values share the bytes.
    ///
    /// # Errors
    /// Kind `Unsupported` for what is known not to be one, and says what it is; `Malformed` for a file that is cut short or
    /// broken, with the offset and, inside a record, the path; `Invalid` for a schema that is none; `Limit` for one that
    /// goes beyond the limits in size, depth, values, records or decompressed bytes.
    fn decode(content: Content<'_>) -> Result<Self, Error> {
        File::read(content).map(Self::read)
    }

    /// The file: as it was read; else one block, uncompressed, by the schema given or inferred.
    ///
    /// # Errors
    /// Kind `Unencodable`, with the path, when the content does not fit the schema.
    fn encode(&self) -> Result<Bytes, Error> {
        self.file().map(File::bytes)
    }

    /// What, where and when of an alert of LIGO, Virgo and KAGRA; of other records only the label.
    fn summary(&self) -> hop_core::Summary {
        // A file of many records is not one alert.
        let content = if self.is_single() { self.content().ok() } else { None };
        let known = content.as_ref().and_then(crate::summary::of_value);
        known.unwrap_or_else(|| hop_core::Summary::new(Self::FORMAT))
    }

    fn fields(&self) -> Result<hop_core::Value, Error> {
        Ok(hop_core::Value::object([
            ("content", self.content()?),
            ("schema", self.schema().map_or(hop_core::Value::Null, |schema| schema.json().clone())),
            ("single_record", self.is_single().into()),
        ]))
    }

    fn from_fields(fields: hop_core::Value) -> Result<Self, Error> {
        let invalid = |expected: &'static str, found: &hop_core::Value| {
            Error::new(ErrorKind::Invalid, LABEL).expected(expected).found(found.describe())
        };
        let content = fields.get("content").ok_or_else(|| invalid("an object with `content`", &fields))?;
        let blob = match (fields["single_record"].as_bool(), content) {
            (Some(false), hop_core::Value::Array(records)) => Self::of_records(records.clone()),
            (Some(false), other) => return Err(invalid("an array of records as `content`", other)),
            (_, content) => Self::new(content.clone()),
        };
        match &fields["schema"] {
            hop_core::Value::Null => Ok(blob),
            schema => blob.with_schema(Schema::parse(&String::from_utf8_lossy(&schema.to_json()?))?),
        }
    }

    fn example() -> Option<Self> {
        let alert = [("objectId", "ZTF26aaaaaaa".into()), ("ra", 123.4567.into()), ("dec", (-12.3456).into())];
        // As it arrives: with the schema that is inferred when it is sent.
        let sent = Self::new(hop_core::Value::object(alert)).encode().ok()?;
        Self::decode((&sent).into()).ok()
    }
}
