//! JSON as it travels on the wire: the standard ([RFC 8259]), and what Python's `json` writes beyond it.
//!
//! Messages come from Python, so what `json.dumps` sends must arrive, and arrive unchanged:
//!
//! | on the wire | here | written back as |
//! |---|---|---|
//! | `NaN`, `Infinity`, `-Infinity` | [`Value::Float`] | the same word |
//! | an integer beyond 64 bits | [`Value::BigInt`], its digits | the same digits |
//! | `1e999`, beyond a double | [`Value::Float`] of infinity, as in Python | `Infinity` |
//! | `"\ud83d"`, half a surrogate pair | [`Text`](crate::Text) that is no `str` | the same escape |
//! | a name that repeats in an object | its last value, in its first place, as in Python | once |
//! | a byte-order mark in front | skipped (hop-client refuses it) | left out |
//! | nesting deeper than [`Limits::depth`](crate::Limits::depth) | an error of kind `Limit` | |
//!
//! Everything else that the standard refuses is refused: comments, single quotes, trailing commas, control characters in
//! strings, leading zeros, text after the value.
//!
//! Writing gives the bytes that `json.dumps` gives with its defaults: `", "` and `": "` between things, `\uXXXX` for all
//! that is not ASCII, floating-point numbers as Python's `repr` has them.
//!
//! [RFC 8259]: https://www.rfc-editor.org/rfc/rfc8259

mod input;
mod parse;
mod source;
mod write;

pub(crate) use self::source::read;
use crate::{Content, Error, Value};

const SUBJECT: &str = "json";

/// The value that JSON content holds.
///
/// # Errors
/// Kind `Malformed` with line and column; kind `Limit` when larger, deeper or of more values than the content's limits.
pub fn parse(content: Content<'_>) -> Result<Value, Error> {
    parse::parse(content)
}

/// The value as Python's `json.dumps` writes it.
///
/// # Errors
/// Kind `Unencodable` when the value holds bytes, which JSON has not.
pub fn write(value: &Value) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    write::write(&mut out, value, write::Style::Wire)?;
    Ok(out)
}

/// The text of a derived model's fields: as [`write`], with bytes as arrays of numbers.
pub(crate) fn write_fields(fields: &Value) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    write::write(&mut out, fields, write::Style::WireWithBytes)?;
    Ok(out)
}

/// Appends a value in its one-line form for people and programs, as its `Display` writes it: UTF-8.
///
/// ```
/// use hop_core::{Value, json};
///
/// let mut line = b"seen: ".to_vec();
/// json::append(&mut line, &Value::object([("stars", Value::Int(3)), ("rate", Value::Float(f64::NAN))]));
/// assert_eq!(line, br#"seen: {"stars": 3, "rate": {"$float": "NaN"}}"#);
/// ```
pub fn append(out: &mut Vec<u8>, value: &Value) {
    // This style has a form for every value.
    let written = write::write(out, value, write::Style::Tagged);
    debug_assert!(written.is_ok());
}

/// Appends a string as [`append`] would.
///
/// ```
/// let mut line = Vec::new();
/// hop_core::json::append_str(&mut line, "a \"nova\"\n");
/// assert_eq!(line, br#""a \"nova\"\n""#);
/// ```
pub fn append_str(out: &mut Vec<u8>, text: &str) {
    write::write_str(out, text, write::Style::Tagged);
}
