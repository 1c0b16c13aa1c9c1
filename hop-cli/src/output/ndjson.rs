//! Messages for programs: one JSON object a line. `docs/src/output.md` describes it, and `docs/src/message.schema.json`.

use std::borrow::Cow;

use bytes::Bytes;
use hop_core::summary::{Direction, SkyMap};
use hop_core::{AnyModel, Error, Header, Headers, Record, Route, Summary, Text, Value, guarded, json};

use super::people;

/// The longest byte string, and the longest text in base64, that is written out without `--full`.
const LONG: usize = 4096;

/// Returns the line of one message; without what is long unless it is to be `full`, and on a terminal without a character
/// that would steer it.
///
/// Fails if the model cannot show its fields.
pub(crate) fn line(
    model: &dyn AnyModel,
    route: &Route,
    record: &Record,
    full: bool,
    for_terminal: bool,
) -> Result<Vec<u8>, Error> {
    let mut fields = guarded("the model's `fields`", || model.fields())?;
    if !full {
        shorten(&mut fields);
    }
    // Written from where it stands: this is done for each of many messages.
    const REST: usize = 1024;
    let mut line = Vec::with_capacity(record.content.len() + REST);
    line.extend_from_slice(br#"{"format": "#);
    json::append_str(&mut line, model.format());
    line.extend_from_slice(br#", "route": "#);
    json::append_str(&mut line, route.as_str());
    line.extend_from_slice(br#", "metadata": "#);
    append_object(&mut line, metadata_fields(record));
    line.extend_from_slice(br#", "headers": ["#);
    append_each(&mut line, &record.headers, |line, header: &Header| {
        line.push(b'[');
        json::append_str(line, &header.name);
        line.extend_from_slice(b", ");
        Field::of_bytes(header.value.as_ref()).append(line);
        line.push(b']');
    });
    line.extend_from_slice(br#"], "summary": "#);
    append_object(&mut line, summary_fields(&people::summary(model)));
    line.extend_from_slice(br#", "model": "#);
    json::append(&mut line, &fields);
    line.push(b'}');
    Ok(if for_terminal { harmless(&String::from_utf8_lossy(&line)).into_bytes() } else { line })
}

/// What is printed under a name, borrowed where it can be.
enum Field<'a> {
    Text(Cow<'a, str>),
    Texts(&'a [String]),
    Other(Value),
}

impl<'a> Field<'a> {
    fn text(text: &'a str) -> Self {
        Self::Text(text.into())
    }

    /// Text, or null.
    fn optional(text: Option<impl Into<Cow<'a, str>>>) -> Self {
        text.map_or(Self::Other(Value::Null), |text| Self::Text(text.into()))
    }

    fn number(number: Option<f64>) -> Self {
        Self::Other(optional(number))
    }

    /// Text where bytes are that, without characters that a terminal would obey; else the bytes, or null.
    fn of_bytes(bytes: Option<&'a Bytes>) -> Self {
        let Some(bytes) = bytes else { return Self::Other(Value::Null) };
        match std::str::from_utf8(bytes) {
            Ok(text) if !text.contains(|c: char| c.is_control() && !c.is_whitespace()) => Self::text(text),
            _ => Self::Other(Value::Bytes(bytes.clone())),
        }
    }

    fn append(&self, line: &mut Vec<u8>) {
        match self {
            Self::Text(text) => json::append_str(line, text),
            Self::Other(value) => json::append(line, value),
            Self::Texts(texts) => {
                line.push(b'[');
                append_each(line, *texts, |line, text: &String| json::append_str(line, text));
                line.push(b']');
            }
        }
    }
}

impl From<Field<'_>> for Value {
    fn from(field: Field<'_>) -> Self {
        match field {
            Field::Text(text) => text.as_ref().into(),
            Field::Texts(texts) => Self::Array(texts.iter().map(|text| text.as_str().into()).collect()),
            Field::Other(value) => value,
        }
    }
}

fn optional(number: Option<f64>) -> Value {
    number.map_or(Value::Null, Value::Float)
}

fn append_object<'a>(line: &mut Vec<u8>, fields: impl IntoIterator<Item = (&'static str, Field<'a>)>) {
    line.push(b'{');
    append_each(line, fields, |line, (name, field)| {
        json::append_str(line, name);
        line.extend_from_slice(b": ");
        field.append(line);
    });
    line.push(b'}');
}

/// Appends parts with commas between them.
fn append_each<T>(line: &mut Vec<u8>, parts: impl IntoIterator<Item = T>, mut append: impl FnMut(&mut Vec<u8>, T)) {
    for (at, part) in parts.into_iter().enumerate() {
        line.extend_from_slice(if at > 0 { b", " } else { b"" });
        append(line, part);
    }
}

/// Returns a line of JSON without characters that a terminal would obey. JSON has escapes for those below space already.
fn harmless(line: &str) -> String {
    let mut safe = String::with_capacity(line.len());
    for character in line.chars() {
        if hop_core::escape_controls(character.encode_utf8(&mut [0; 4])).len() == character.len_utf8() {
            safe.push(character);
        } else {
            safe.push_str(&format!("\\u{:04x}", u32::from(character)));
        }
    }
    safe
}

/// Headers as a list of `[name, value]`: text where it can be read, null, or `{"$bytes": …}`.
pub(crate) fn headers(headers: &Headers) -> Value {
    let pair =
        |header: &Header| Value::Array(vec![(&*header.name).into(), Field::of_bytes(header.value.as_ref()).into()]);
    Value::Array(headers.iter().map(pair).collect())
}

/// Where and when a record was read, its key, its `_id` and its sender.
pub(crate) fn metadata(record: &Record) -> Value {
    Value::object(metadata_fields(record).map(|(name, field)| (name, field.into())))
}

fn metadata_fields(record: &Record) -> [(&'static str, Field<'_>); 8] {
    let place = record.place.as_ref();
    [
        ("topic", Field::optional(place.map(|place| &*place.topic))),
        ("partition", Field::Other(place.map(|place| place.partition).into())),
        ("offset", Field::Other(place.map(|place| place.offset).into())),
        ("timestamp", Field::Other(record.timestamp.into())),
        ("key", Field::of_bytes(record.key.as_ref())),
        ("id", Field::optional(record.headers.id().map(|id| id.to_string()))),
        ("sender", Field::optional(record.headers.sender())),
        ("test", Field::Other(record.headers.is_test().into())),
    ]
}

/// What a message says in one glance; null for what it does not say.
fn summary_fields(summary: &Summary) -> [(&'static str, Field<'_>); 14] {
    let position = match summary.direction {
        Direction::At(position) => Value::object([
            ("ra", Value::Float(position.ra())),
            ("dec", Value::Float(position.dec())),
            ("radius", optional(position.radius())),
            ("confidence", optional(position.region().and_then(|region| region.confidence()))),
        ]),
        _ => Value::Null,
    };
    [
        ("title", Field::Text(summary.title().into())),
        ("kind", Field::text(&summary.kind)),
        ("names", Field::Texts(&summary.names)),
        ("instrument", Field::optional(summary.instrument.as_deref())),
        ("time", Field::optional(summary.time.map(|time| time.to_string()))),
        ("position", Field::Other(position)),
        ("on_sky", Field::Other(Value::Bool(!matches!(summary.direction, Direction::NotOnSky)))),
        ("importance", Field::number(summary.importance)),
        ("false_alarm_rate", Field::number(summary.false_alarm_rate)),
        ("test", Field::Other(summary.is_test.into())),
        ("retraction", Field::Other(summary.is_retraction.into())),
        ("cites", Field::Texts(&summary.cites)),
        ("sky_map", Field::optional(summary.sky_map.as_ref().map(SkyMap::to_string))),
        ("problems", Field::Texts(&summary.problems)),
    ]
}

/// Replaces what is long, and of no use to whoever reads it: byte strings, and base64 such as a sky map's.
fn shorten(value: &mut Value) {
    let omitted = |what: &str, length: usize| {
        let length = Value::Int(i64::try_from(length).unwrap_or(i64::MAX));
        Value::object([("$omitted", what.into()), ("length", length)])
    };
    match value {
        Value::Bytes(bytes) if bytes.len() > LONG => *value = omitted("bytes", bytes.len()),
        Value::String(text) if text.as_bytes().len() > LONG && is_base64(text) => {
            *value = omitted("base64", text.as_bytes().len());
        }
        Value::Array(values) => values.iter_mut().for_each(shorten),
        Value::Object(object) => object.iter_mut().for_each(|(_, value)| shorten(value)),
        _ => {}
    }
}

fn is_base64(text: &Text) -> bool {
    let allowed =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=' | b'\r' | b'\n');
    text.as_bytes().iter().all(allowed)
}

/// Returns the bytes of text, or of `{"$bytes": base64}`, and none for null; `None` for anything else.
pub(crate) fn bytes(value: &Value) -> Option<Option<Bytes>> {
    // Read as the value of a header is.
    let one = Value::Array(vec![Value::Array(vec!["".into(), value.clone()])]);
    Headers::from_value(&one).ok()?.into_iter().next().map(|header| header.value)
}

/// Text where bytes are that, without characters that a terminal would obey; else the bytes.
pub(crate) fn text_or_bytes(bytes: &Bytes) -> Value {
    Field::of_bytes(Some(bytes)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_bytes_and_base64_are_left_out_and_long_words_are_not() {
        let value = Value::object([
            ("map", Value::from("QUJD".repeat(2_000))),
            ("words", Value::from("a nova in Cygnus ".repeat(1_000))),
            ("stamp", Value::Array(vec![Value::Bytes(vec![0; LONG + 1].into()), Value::Bytes(vec![0; LONG].into())])),
        ]);
        let mut short = value.clone();
        shorten(&mut short);
        assert_eq!(short["map"].to_string(), r#"{"$omitted": "base64", "length": 8000}"#);
        assert_eq!(short["stamp"][0].to_string(), r#"{"$omitted": "bytes", "length": 4097}"#);
        assert_eq!((&short["words"], &short["stamp"][1]), (&value["words"], &value["stamp"][1]));
    }

    #[test]
    fn a_line_for_a_terminal_is_the_same_json_without_characters_that_steer_it() {
        let value = Value::object([("text", Value::from("\u{9b}31m \u{202e} \u{1b}[0m \u{7f} é"))]);
        let line = harmless(&value.to_string());
        assert!(!line.chars().any(char::is_control), "{line:?}");
        assert_eq!(Value::from_json(&line).unwrap(), value);
    }
}
