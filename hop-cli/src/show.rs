//! Messages for people and for programs.

use bytes::Bytes;
use hop_core::{Header, Headers, Record, Value};

/// Headers as a list of `[name, value]`: text where it can be read, null, or `{"$bytes": …}`.
pub(crate) fn headers(headers: &Headers) -> Value {
    let pair = |header: &Header| {
        let value = header.value.as_ref().map_or(Value::Null, text_or_bytes);
        Value::Array(vec![(&*header.name).into(), value])
    };
    Value::Array(headers.iter().map(pair).collect())
}

/// Where and when a record was read, its key, its `_id` and its sender.
pub(crate) fn metadata(record: &Record) -> Value {
    let place = record.place.as_ref();
    Value::object([
        ("topic", place.map(|place| &*place.topic).into()),
        ("partition", place.map(|place| place.partition).into()),
        ("offset", place.map(|place| place.offset).into()),
        ("timestamp", record.timestamp.into()),
        ("key", record.key.as_ref().map_or(Value::Null, text_or_bytes)),
        ("id", record.headers.id().map(|id| id.to_string()).into()),
        ("sender", record.headers.sender().into()),
        ("test", record.headers.is_test().into()),
    ])
}

fn text_or_bytes(bytes: &Bytes) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains(|c: char| c.is_control() && !c.is_whitespace()) => text.into(),
        _ => Value::Bytes(bytes.clone()),
    }
}

/// The start of a value's one-line form, for people.
pub(crate) fn short(value: &Value) -> String {
    const MOST: usize = 100;
    let text = value.to_string();
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Headers in one line, for people.
pub(crate) fn headers_line(headers: &Headers) -> String {
    let one = |header: &Header| match &header.value {
        None => format!("{}: null", header.name),
        Some(value) if header.name == hop_core::header::ID => {
            headers.id().map_or_else(|| format!("_id: {} bytes", value.len()), |id| format!("_id: {id}"))
        }
        Some(value) => format!("{}: {}", header.name, value.escape_ascii()),
    };
    headers.iter().map(one).collect::<Vec<_>>().join(", ")
}
