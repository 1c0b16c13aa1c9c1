use bson::raw::{RawBsonRef, RawDocument};
use bytes::Bytes;
use hop_core::{Content, Error, ErrorKind, Frame, Framing, Text, Value};

use super::inflate;

const NAME: &str = "zlib-bson";

/// [BSON](https://bsonspec.org) compressed with zlib, named `zlib-bson`: ANTARES' way. It comes out as JSON.
///
/// Dates are text as `2026-03-04T05:06:07.008Z`, identifiers and decimals are text, what is binary is base64, and a number
/// that is not finite is `NaN`, `Infinity` or `-Infinity`, as Python writes it. Other types of MongoDB's own (regular
/// expressions, code, timestamps of its log) are refused.
#[derive(Debug, Clone, Copy, Default)]
pub struct ZlibBson;

impl Framing for ZlibBson {
    fn name(&self) -> &str {
        NAME
    }

    fn unwrap(&self, frame: &Frame<'_>) -> Result<Bytes, Error> {
        let unpacked = inflate::zlib(NAME, frame.content)?;
        let document = RawDocument::from_bytes(&unpacked).map_err(malformed)?;
        let limits = frame.content.limits();
        let mut reader = Reader { nodes: limits.nodes, room: limits.content, most: limits.content };
        let value = reader.document(document, depth(frame.content))?;
        drop(unpacked);
        Ok(value.to_json().map_err(|error| error.about(NAME))?.into())
    }
}

fn depth(content: Content<'_>) -> usize {
    // As deep as JSON is read; the stack has room for no more.
    content.limits().depth.min(1000)
}

struct Reader {
    /// How many values more there may be.
    nodes: usize,
    /// How many bytes of JSON more there may be, of how many.
    room: usize,
    most: usize,
}

impl Reader {
    fn count(&mut self, bytes: usize) -> Result<(), Error> {
        self.room = self.room.checked_sub(bytes).ok_or_else(|| {
            Error::new(ErrorKind::Limit, NAME)
                .expected(format!("at most {} bytes of JSON", self.most))
                .found("more")
                .help("raise `Limits::content` to read it")
        })?;
        Ok(())
    }

    fn document(&mut self, document: &RawDocument, depth: usize) -> Result<Value, Error> {
        let depth = depth.checked_sub(1).ok_or_else(|| limit("levels of nesting"))?;
        let mut entries = Vec::new();
        for entry in document.iter() {
            let (name, value) = entry.map_err(malformed)?;
            self.count(written(name.as_str()))?;
            entries.push((Text::from(name.as_str()), self.value(value, depth)?));
        }
        // Of a repeated name, which BSON allows, the last stands, as in Python.
        Ok(Value::Object(entries.into()))
    }

    fn value(&mut self, value: RawBsonRef<'_>, depth: usize) -> Result<Value, Error> {
        self.nodes = self.nodes.checked_sub(1).ok_or_else(|| limit("values"))?;
        // Before anything is made of it: as JSON, text takes up to six times as many bytes.
        self.count(match &value {
            RawBsonRef::String(text) | RawBsonRef::Symbol(text) => written(text),
            RawBsonRef::Binary(binary) => binary.bytes.len().div_ceil(3).saturating_mul(4),
            _ => 1,
        })?;
        Ok(match value {
            RawBsonRef::Double(number) => Value::Float(number),
            RawBsonRef::String(text) | RawBsonRef::Symbol(text) => text.into(),
            RawBsonRef::Document(document) => self.document(document, depth)?,
            RawBsonRef::Array(array) => {
                let depth = depth.checked_sub(1).ok_or_else(|| limit("levels of nesting"))?;
                let values = array.into_iter().map(|value| self.value(value.map_err(malformed)?, depth));
                Value::Array(values.collect::<Result<_, Error>>()?)
            }
            RawBsonRef::Boolean(value) => value.into(),
            RawBsonRef::Null | RawBsonRef::Undefined => Value::Null,
            RawBsonRef::Int32(number) => number.into(),
            RawBsonRef::Int64(number) => number.into(),
            RawBsonRef::Binary(binary) => base64(binary.bytes).into(),
            RawBsonRef::ObjectId(id) => id.to_hex().into(),
            RawBsonRef::DateTime(time) => date(time.timestamp_millis()),
            RawBsonRef::Decimal128(decimal) => decimal.to_string().into(),
            other => {
                return Err(Error::new(ErrorKind::Unsupported, NAME)
                    .expected("a value that JSON has, a date, an identifier or bytes")
                    .found(format!("{:?}", other.element_type())));
            }
        })
    }
}

/// How many bytes of JSON a text is, without its quotes.
fn written(text: &str) -> usize {
    let one = |c: char| match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        ' '..='~' => 1,
        _ => 6 * c.len_utf16(),
    };
    text.chars().map(one).sum()
}

fn base64(bytes: &[u8]) -> String {
    use ::base64::Engine as _;
    ::base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// A date as text; one that no calendar has, as milliseconds.
fn date(milliseconds: i64) -> Value {
    match jiff::Timestamp::from_millisecond(milliseconds) {
        Ok(time) => format!("{time:.3}").into(),
        Err(_) => Value::Int(milliseconds),
    }
}

#[cold]
fn malformed(error: bson::error::Error) -> Error {
    Error::new(ErrorKind::Malformed, NAME).expected("BSON").found(error.to_string()).source(error)
}

#[cold]
fn limit(what: &str) -> Error {
    Error::new(ErrorKind::Limit, NAME).expected(format!("fewer {what}")).found("more than the limits allow")
}
