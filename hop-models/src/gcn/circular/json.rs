//! The two JSON forms of a circular: hop's, and that of GCN's own pages and topics.
//!
//! | GCN's JSON ([schema]) | title here | text |
//! |---|---|---|
//! | | `title` | `GCN CIRCULAR`, as in GCN's text form |
//! | `circularId` | `number` | its digits |
//! | `subject` | `subject` | |
//! | `createdOn`, milliseconds since 1970 | `date` | `23/08/13 09:01:24 GMT` |
//! | `submitter` | `from` | |
//! | `body` | the body | |
//! | every other name, and `createdOn` | the name in lower case | strings as they are, lists joined by `, `, the rest as JSON |
//!
//! [schema]: https://gcn.nasa.gov/schema/main/gcn/circulars.schema.json

use hop_core::{Error, ErrorKind, Location, Object, Value};
use serde::Deserialize;

use super::header::Written;
use super::{Circular, LABEL, Titles};
use crate::gcn::date;

/// What hop-client sends, and nothing beside it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    header: Titles,
    body: String,
}

/// The circular in content that hop-client sends: nearly all there are. `None` for any other, which takes a detour through a
/// value, and for what Python writes beyond the standard.
pub(super) fn read_strict(content: &[u8]) -> Option<Circular> {
    // Serde would read an array into it as well.
    let Some(b'{') = super::first(content) else { return None };
    let Wire { header, body } = serde_json::from_str(std::str::from_utf8(content).ok()?).ok()?;
    Some(Circular { titles: header, body: body.into(), ..Circular::default() })
}

/// The circular in an object of either form.
pub(super) fn read(value: Value) -> Result<Circular, Error> {
    let invalid = |found: &Value| {
        Error::new(ErrorKind::Invalid, LABEL)
            .expected("an object with `header` and `body`, or GCN's with `subject` and `body`")
            .found(found.describe())
    };
    match value {
        Value::Object(object) if object.get("header").is_some() => read_hop(object),
        Value::Object(object) if is_gcn(&object) => Ok(read_gcn(object)),
        other => Err(invalid(&other)),
    }
}

/// Whether an object is in either form.
pub(super) fn is_circular(value: &Value) -> bool {
    let Some(object) = value.as_object() else { return false };
    is_gcn(object) || (matches!(object.get("header"), Some(Value::Object(_))) && object.get("body").is_some())
}

fn is_gcn(object: &Object) -> bool {
    object.get("header").is_none()
        && matches!(object.get("body"), Some(Value::String(_)))
        && (object.get("subject").is_some() || object.get("circularId").is_some())
}

fn read_hop(mut object: Object) -> Result<Circular, Error> {
    let invalid = |path: &str, found: &'static str| {
        Error::new(ErrorKind::Invalid, LABEL).found(found).at(Location::Path(path.to_owned()))
    };
    let titles = match object.remove("header") {
        Some(Value::Object(header)) => Titles::from_object(header),
        other => {
            let found = other.as_ref().map_or("nothing", Value::describe);
            return Err(invalid("header", found).expected("an object"));
        }
    };
    match object.remove("body") {
        Some(body @ (Value::String(_) | Value::Null)) => {
            Ok(Circular { titles, body: body.into(), ..Circular::default() })
        }
        Some(other) => Err(invalid("body", other.describe()).expected("a string")),
        None => Err(invalid("body", "nothing").expected("a string")),
    }
}

fn read_gcn(mut object: Object) -> Circular {
    let body = object.remove("body").unwrap_or_default();
    let mut titles = Titles::new();
    titles.push("title", "GCN CIRCULAR");
    let mut take = |name: &str, title: &str| {
        if let Some(value) = object.remove(name) {
            titles.push(title, as_text(&value));
        }
    };
    take("circularId", "number");
    take("subject", "subject");
    if let Some(date) = object.get("createdOn").and_then(Value::as_i64).and_then(date::from_milliseconds) {
        titles.push("date", date::short(date));
    }
    if let Some(submitter) = object.remove("submitter") {
        titles.push("from", as_text(&submitter));
    }
    for (name, value) in object {
        titles.push(&name.to_string_lossy(), as_text(&value));
    }
    Circular { titles, body: body.into(), ..Circular::default() }
}

/// A value on one line of text.
fn as_text(value: &Value) -> String {
    match value {
        Value::Array(values) if values.iter().all(|value| matches!(value, Value::String(_))) => {
            values.iter().map(as_text).collect::<Vec<_>>().join(", ")
        }
        Value::Null => "null".to_owned(),
        other => Written::from(other.clone()).as_str().to_owned(),
    }
}
