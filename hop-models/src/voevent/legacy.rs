//! Events from before hop-client 0.12: the dictionary of the parsed event, as JSON.
//!
//! Such an event is written again as XML. What was an attribute and what an element is not in the dictionary; it is told
//! by the names that VOEvent gives to attributes, and by what only attributes can hold.

use std::borrow::Cow;

use hop_core::{Content, Error, ErrorKind, Object, Text, Value, json};

use super::VoEvent;
use super::dictionary::{self, EXTRA, FIELDS};
use super::xml::{SUBJECT, Writer, is_allowed, is_name};

/// The attributes of VOEvent 2.0, and some of versions before it.
const ATTRIBUTES: [&str; 24] = [
    "cite",
    "coord_system_id",
    "dataType",
    "expires",
    "id",
    "importance",
    "ivorn",
    "meaning",
    "mimetype",
    "name",
    "probability",
    "relation",
    "role",
    "type",
    "ucd",
    "unit",
    "uri",
    "utype",
    "value",
    "version",
    // Of VOEvent 1 and the STC of its time.
    "ID",
    "pos_unit",
    "units",
    "url",
];

/// The namespace that what is written here is in.
pub(super) const NAMESPACE: &str = "http://www.ivoa.net/xml/VOEvent/v2.0";

/// Namespaces of prefixes that hop-client let into dictionaries.
const KNOWN_PREFIXES: [(&str, &str); 3] = [
    ("xlink", "http://www.w3.org/1999/xlink"),
    ("xsi", "http://www.w3.org/2001/XMLSchema-instance"),
    ("stc", "http://www.ivoa.net/xml/STC/stc-v1.30.xsd"),
];

/// The event in JSON content.
pub(super) fn decode(content: Content<'_>) -> Result<VoEvent, Error> {
    let value = json::parse(content).map_err(|error| error.about(SUBJECT))?;
    event(value, content)
}

/// The event of which `fields` is the dictionary.
pub(super) fn from_fields(fields: Value) -> Result<VoEvent, Error> {
    event(fields, Content::from(&b""[..]))
}

/// The event of a dictionary, under the limits of `content`.
fn event(fields: Value, content: Content<'_>) -> Result<VoEvent, Error> {
    let fields = check(fields)?;
    let event = VoEvent::read(write(&fields)?.into(), content)?;
    Ok(VoEvent { dictionary: Some(Box::new(dictionary::with_defaults(fields))), ..event })
}

/// The dictionary, if it is one of an event: an `ivorn`, and no names but hop-client's.
fn check(fields: Value) -> Result<Object, Error> {
    let invalid = |found: String| {
        Err(Error::new(ErrorKind::Unsupported, SUBJECT)
            .expected("XML, or a JSON object of a VOEvent's fields with a text `ivorn`")
            .found(found)
            .help("read it as `json`"))
    };
    let Value::Object(mut object) = fields else { return invalid(fields.describe().to_owned()) };
    match object.get("ivorn") {
        Some(Value::String(_)) => {}
        Some(other) => return invalid(format!("an `ivorn` that is {}", other.describe())),
        None => return invalid("JSON without `ivorn`".to_owned()),
    }
    // Python keeps the XML of an event under this name and leaves it out of what it shows.
    object.remove("_raw");
    if let Some(Value::Object(extra)) = object.remove(EXTRA) {
        for (key, value) in extra {
            if !FIELDS.iter().any(|field| key == *field) {
                object.insert(key, value);
            }
        }
        return Ok(object);
    }
    let other = object.iter().map(|(key, _)| key).find(|key| !FIELDS.iter().any(|field| *key == field));
    if let Some(key) = other {
        return invalid(format!("JSON with the name {}", hop_core::excerpt(key.as_bytes())));
    }
    Ok(object)
}

/// What is being written.
enum Task<'v> {
    Element { name: Cow<'v, str>, value: &'v Value },
    End,
}

/// The dictionary as a VOEvent document.
fn write(fields: &Object) -> Result<String, Error> {
    let mut writer = Writer::new();
    writer.start("voe:VOEvent");
    writer.attribute("xmlns:voe", NAMESPACE);
    for (prefix, namespace) in KNOWN_PREFIXES {
        if mentions(fields, prefix) {
            writer.attribute(&format!("xmlns:{prefix}"), namespace);
        }
    }
    let mut tasks = vec![Task::End];
    members(fields, true, &mut writer, &mut tasks)?;
    while let Some(task) = tasks.pop() {
        match task {
            Task::End => writer.end(),
            Task::Element { name, value } => {
                writer.start(&name);
                tasks.push(Task::End);
                match value {
                    Value::Object(object) => members(object, false, &mut writer, &mut tasks)?,
                    Value::Null => {}
                    // A list in a list is no element of XML; hop-client writes its text.
                    Value::Array(_) => writer.text(&plain(&Value::from(value.to_string()))),
                    scalar => writer.text(&plain(scalar)),
                }
            }
        }
    }
    Ok(writer.finish())
}

/// Writes the attributes and text of the element just opened, and puts its elements on the stack.
fn members<'v>(object: &'v Object, is_root: bool, writer: &mut Writer, tasks: &mut Vec<Task<'v>>) -> Result<(), Error> {
    // Python writes the attributes of an element before its elements.
    let last_known = object.iter().enumerate().filter(|(_, (key, value))| is_known(key) && is_scalar(value)).last();
    let last_known = last_known.map_or(0, |(at, _)| at);
    let has_text = object.get("#text").is_some();
    let first_task = tasks.len();
    for (at, (key, value)) in object.iter().enumerate() {
        let name = name(key)?;
        if name == "#text" {
            continue;
        }
        let by_place = !is_root && is_scalar(value) && starts_small(&name) && (has_text || at < last_known);
        let is_attribute = match value {
            _ if is_root && FIELDS[3..].contains(&&*name) => false,
            Value::String(text) if !is_root && only_an_attribute_holds(text) => true,
            value => is_scalar(value) && (is_known(key) || by_place || name.contains(':')),
        };
        if name == "xmlns" || name.starts_with("xmlns:") {
            // Names are written without it, so it would move them to another namespace.
            continue;
        }
        match value {
            scalar if is_attribute => writer.attribute(&name, &plain(scalar)),
            // What hop-client puts where there is nothing.
            Value::Object(empty) if is_root && empty.is_empty() => {}
            Value::Array(values) => {
                // An attribute and elements of one name come together in a list, the attribute first.
                let elements = match values.split_first() {
                    Some((first @ Value::String(text), rest)) if !is_root && only_an_attribute_holds(text) => {
                        writer.attribute(&name, &plain(first));
                        rest
                    }
                    _ => values,
                };
                tasks.extend(elements.iter().map(|value| Task::Element { name: name.clone(), value }));
            }
            value => tasks.push(Task::Element { name, value }),
        }
    }
    if let Some(text) = object.get("#text") {
        writer.text(&plain(text));
    }
    // The stack hands out the last one first.
    tasks[first_task..].reverse();
    Ok(())
}

/// The name of an element or attribute; `#text` is let through.
fn name(key: &Text) -> Result<Cow<'_, str>, Error> {
    match key.as_str() {
        Some(name) if name == "#text" || is_name(name) => Ok(name.into()),
        _ => Err(Error::new(ErrorKind::Invalid, SUBJECT)
            .expected("names that XML allows")
            .found(hop_core::excerpt(key.as_bytes()))
            .help("read it as `json`")),
    }
}

fn is_known(key: &Text) -> bool {
    ATTRIBUTES.iter().any(|attribute| *key == *attribute)
}

fn is_scalar(value: &Value) -> bool {
    matches!(value, Value::String(_) | Value::Bool(_) | Value::Int(_) | Value::BigInt(_) | Value::Float(_))
}

/// VOEvent's elements start with a capital letter, its attributes do not.
fn starts_small(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
}

/// Text that cannot have come from an element: that is null when empty, and loses white space around it.
fn only_an_attribute_holds(text: &Text) -> bool {
    text.as_str().is_some_and(|text| text.trim().len() != text.len() || text.is_empty())
}

/// Whether `prefix:` stands before a name anywhere in the dictionary.
fn mentions(fields: &Object, prefix: &str) -> bool {
    let mut rest: Vec<&Value> = Vec::new();
    let mut object = Some(fields);
    loop {
        if let Some(object) = object {
            for (key, value) in object.iter() {
                let key = key.as_bytes();
                if key.starts_with(prefix.as_bytes()) && key.get(prefix.len()) == Some(&b':') {
                    return true;
                }
                rest.push(value);
            }
        }
        object = match rest.pop() {
            Some(Value::Array(values)) => {
                rest.extend(values);
                None
            }
            Some(other) => other.as_object(),
            None => return false,
        };
    }
}

/// A scalar as text, with `U+FFFD` for what XML cannot hold.
fn plain(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.to_string_lossy().into_owned(),
        Value::Float(number) if number.is_nan() => "nan".to_owned(),
        Value::Float(number) if number.is_infinite() => if *number > 0.0 { "inf" } else { "-inf" }.to_owned(),
        other => other.to_string(),
    };
    if text.chars().all(is_allowed) {
        return text;
    }
    text.chars().map(|c| if is_allowed(c) { c } else { char::REPLACEMENT_CHARACTER }).collect()
}
