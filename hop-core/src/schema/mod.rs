//! JSON Schema of models: from serde, or from `schemars`.
//!
//! With the feature `schema`, which `hop-models` and the command turn on, every derived model has one,
//! [`MessageModel::schema`](crate::MessageModel::schema): [`traced`] asks serde for it. A model that derives `JsonSchema` of
//! `schemars` 1 too has that one instead, which knows more: the documentation, the parts of flattened structs, the variants
//! behind a tag.
//!
//! ```
//! # #[cfg(all(feature = "derive", feature = "schema"))] {
//! use hop_core::{HopModel, MessageModel};
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Debug, Serialize, Deserialize, JsonSchema, HopModel)]
//! #[hop(format = "told-donut")]
//! struct Donut {
//!     /// What it tastes of.
//!     flavor: String,
//! }
//!
//! let schema = Donut::schema().unwrap_or_default();
//! assert_eq!(schema["properties"]["flavor"]["description"].as_str(), Some("What it tastes of."));
//! # }
//! ```
//!
//! `hop models --schema told-donut` prints it, and with `--avro` the Avro schema that `hop-models` makes of it.

mod trace;

use std::collections::{HashMap, VecDeque};

use serde::de::DeserializeOwned;

use self::trace::{Held, Id, ROOT, Record, Shape, Trace};
use crate::{Object, Value};

/// What the schemas are written in.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The [JSON Schema](https://json-schema.org/draft/2020-12) of what `T` is read from.
///
/// It is found by reading a `T` again and again out of something that notes what serde asks for: names of types, fields and
/// variants, the kinds of numbers, and which fields may be missing.
///
/// ```
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Donut {
///     flavor: String,
///     #[serde(default)]
///     holes: u8,
///     shop: Option<String>,
/// }
///
/// let schema = hop_core::schema::traced::<Donut>();
/// assert_eq!(schema["title"].as_str(), Some("Donut"));
/// assert_eq!(schema["required"].to_string(), r#"["flavor"]"#);
/// assert_eq!(
///     schema["properties"]["holes"].to_string(),
///     r#"{"type": "integer", "format": "uint8", "minimum": 0, "maximum": 255}"#,
/// );
/// assert_eq!(schema["properties"]["shop"].to_string(), r#"{"type": ["string", "null"]}"#);
/// ```
///
/// # Limits
/// Of some types serde says less than there is to know, and the schema leaves that open: a struct with `#[serde(flatten)]`
/// shows fields that it cannot do without; an enum under `#[serde(tag)]` shows the tag, one under `#[serde(untagged)]` is
/// any value. What a type that checks its text wants of it is not known either; after a field of one for which no text was
/// found, fields are not said to be required.
///
/// The schema is of what serde reads first. It does not have `#[serde(alias)]` and `#[serde(other)]`, has fields that are read and
/// not written, and takes the word of an `impl Deserialize` by hand for what it asks for. A model with these derives `JsonSchema`.
pub fn traced<T: DeserializeOwned>() -> Value {
    written(&Trace::of::<T>())
}

fn written(trace: &Trace) -> Value {
    let mut writer = Writer { trace, names: HashMap::new(), waiting: VecDeque::new() };
    writer.names.insert(ROOT, "#".to_owned());
    let mut root = vec![("$schema".into(), DIALECT.into())];
    if let Some(name) = writer.name(ROOT) {
        root.push(("title".into(), name.into()));
    }
    root.extend(writer.declared(ROOT));
    let mut definitions = Vec::new();
    while let Some((id, name)) = writer.waiting.pop_front() {
        let schema = Value::Object(writer.declared(id));
        definitions.push((name.into(), schema));
    }
    if !definitions.is_empty() {
        root.push(("$defs".into(), Value::Object(definitions.into())));
    }
    Value::Object(root.into())
}

struct Writer<'a> {
    trace: &'a Trace,
    /// Where the types with names are declared.
    names: HashMap<Id, String>,
    /// Those that are named, and yet to be declared.
    waiting: VecDeque<(Id, String)>,
}

impl Writer<'_> {
    /// The name of a record or an enum.
    fn name(&self, id: Id) -> Option<&'static str> {
        match self.trace.shape(id) {
            Shape::Record(record) if !record.name.is_empty() => Some(record.name),
            Shape::Enum(of) => Some(of.name),
            _ => None,
        }
    }

    /// The schema of a type where it is used.
    fn used(&mut self, id: Id) -> Object {
        let id = if let Shape::Same(other) = self.trace.shape(id) { *other } else { id };
        let Some(name) = self.name(id) else { return self.declared(id) };
        let place = match self.names.get(&id) {
            Some(place) => place.clone(),
            None => {
                // Types of several modules may have one name.
                let known = |name: &str| self.names.values().any(|place| place.rsplit('/').next() == Some(name));
                let numbered = (2..).map(|number| format!("{name}{number}"));
                let free =
                    std::iter::once(name.to_owned()).chain(numbered).find(|name| !known(name)).unwrap_or_default();
                let place = format!("#/$defs/{free}");
                self.names.insert(id, place.clone());
                self.waiting.push_back((id, free));
                place
            }
        };
        object([("$ref", place.into())])
    }

    /// The schema of a type where it is declared.
    fn declared(&mut self, id: Id) -> Object {
        match self.trace.shape(id) {
            Shape::Unseen | Shape::Any => Object::new(),
            Shape::Null => of_type("null"),
            Shape::Bool => of_type("boolean"),
            Shape::Number(format) => number(format),
            Shape::Char => object([("type", "string".into()), ("minLength", 1.into()), ("maxLength", 1.into())]),
            Shape::Text => of_type("string"),
            Shape::Words(words) => one_of_words(words.iter().copied()),
            Shape::Bytes => object([("type", "array".into()), ("items", number("uint8").into())]),
            Shape::Option(inner) => nullable(self.used(*inner)),
            Shape::List(items) => object([("type", "array".into()), ("items", self.used(*items).into())]),
            Shape::Tuple(parts) => {
                let parts: Vec<Value> = parts.iter().map(|part| self.used(*part).into()).collect();
                let length = i64::try_from(parts.len()).unwrap_or(i64::MAX);
                object([
                    ("type", "array".into()),
                    ("prefixItems", parts.into()),
                    ("minItems", length.into()),
                    ("maxItems", length.into()),
                ])
            }
            Shape::Map(_, value) => {
                object([("type", "object".into()), ("additionalProperties", self.used(*value).into())])
            }
            Shape::Record(record) => self.record(record),
            Shape::Enum(of) => {
                let is_word = |held: &Option<Held>| matches!(held, Some(Held::Nothing));
                let words = of.variants.iter().filter(|variant| is_word(&variant.held)).map(|variant| variant.name);
                if of.variants.iter().all(|variant| is_word(&variant.held)) {
                    return one_of_words(words);
                }
                let mut choices: Vec<Value> = Vec::new();
                if words.clone().next().is_some() {
                    choices.push(one_of_words(words).into());
                }
                for variant in &of.variants {
                    if let Some(Held::One(id)) = variant.held {
                        let held = self.used(id);
                        choices.push(
                            object([
                                ("type", "object".into()),
                                ("properties", Value::object([(variant.name, held.into())])),
                                ("required", vec![variant.name.into()].into()),
                                ("additionalProperties", false.into()),
                            ])
                            .into(),
                        );
                    }
                }
                object([("oneOf", choices.into())])
            }
            Shape::Same(other) => self.used(*other),
        }
    }

    fn record(&mut self, record: &Record) -> Object {
        let mut properties = Vec::new();
        let mut required: Vec<Value> = Vec::new();
        // What a variant of a flattened enum holds is found behind its tag; another variant may not hold it. The types of
        // flattened fields are not told, and any may be the tag.
        let mut behind_tag = false;
        for field in record.fields.iter().filter(|field| !field.alias) {
            properties.push((field.name.into(), self.used(field.node).into()));
            if field.required == Some(true) && !behind_tag {
                required.push(field.name.into());
            }
            behind_tag |= record.open && matches!(self.trace.shape(field.node), Shape::Words(_) | Shape::Any);
        }
        let mut out = vec![("type".into(), "object".into())];
        if !properties.is_empty() {
            out.push(("properties".into(), Value::Object(properties.into())));
        }
        if !required.is_empty() {
            out.push(("required".into(), required.into()));
        }
        out.into()
    }
}

fn object<const N: usize>(entries: [(&str, Value); N]) -> Object {
    entries.into_iter().map(|(key, value)| (key.into(), value)).collect()
}

fn of_type(name: &str) -> Object {
    object([("type", name.into())])
}

fn one_of_words<'w>(words: impl Iterator<Item = &'w str>) -> Object {
    object([("type", "string".into()), ("enum", words.map(Value::from).collect::<Vec<_>>().into())])
}

/// The names and bounds are those that `schemars` writes.
fn number(format: &'static str) -> Object {
    let (least, most) = match format {
        "float" | "double" => return object([("type", "number".into()), ("format", format.into())]),
        "int8" => (Some(-128), Some(127)),
        "int16" => (Some(-32768), Some(32767)),
        "uint8" => (Some(0), Some(255)),
        "uint16" => (Some(0), Some(65535)),
        unsigned if unsigned.starts_with('u') => (Some(0), None),
        _ => (None, None),
    };
    let mut out = object([("type", "integer".into()), ("format", format.into())]);
    for (key, bound) in [("minimum", least), ("maximum", most)] {
        if let Some(bound) = bound {
            out.insert(key, Value::Int(bound));
        }
    }
    out
}

/// The same or null.
fn nullable(mut schema: Object) -> Object {
    if schema.is_empty() {
        return schema;
    }
    match schema.get_mut("type") {
        // It has null already.
        Some(Value::Array(_)) => schema,
        Some(of) if of.as_str() != Some("null") => {
            *of = vec![std::mem::take(of), "null".into()].into();
            // Null is one of the words, where there are words.
            if let Some(Value::Array(words)) = schema.get_mut("enum") {
                words.push(Value::Null);
            }
            schema
        }
        _ => object([("anyOf", vec![schema.into(), of_type("null").into()].into())]),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};
    use std::net::Ipv4Addr;
    use std::num::NonZeroU8;

    use serde::Deserialize;

    use super::*;

    /// The schema as a line, without what all have.
    fn shown<T: DeserializeOwned>() -> String {
        let Value::Object(mut schema) = traced::<T>() else { panic!("a schema is an object") };
        assert_eq!(schema.remove("$schema").unwrap().as_str(), Some(DIALECT));
        Value::Object(schema).to_string()
    }

    #[track_caller]
    fn same<T: DeserializeOwned>(expected: &str) {
        // Written as JSON, so that the order of the names counts.
        assert_eq!(shown::<T>(), Value::from_json(expected).unwrap().to_string());
    }

    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Alert {
        id: String,
        #[serde(alias = "a", alias = "z")]
        name: Option<String>,
        position: (f64, f32),
        #[serde(default)]
        epochs: Vec<Epoch>,
        checked: Checked,
        raw: Vec<u8>,
        address: Ipv4Addr,
        by_band: HashMap<char, i64>,
        any: Value,
        state: Option<State>,
        unit: (),
        count: NonZeroU8,
    }

    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Epoch {
        jd: f64,
        before: Option<Box<Epoch>>,
    }

    /// A text that is hard to guess.
    #[derive(Deserialize)]
    #[serde(try_from = "String")]
    struct Checked;

    impl TryFrom<String> for Checked {
        type Error = String;

        fn try_from(text: String) -> Result<Self, String> {
            if text == "S200302c" { Ok(Self) } else { Err("no event".to_owned()) }
        }
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "lowercase")]
    #[allow(dead_code)]
    enum State {
        Sent,
        Retracted,
    }

    #[test]
    fn a_struct_is_told_with_all_that_is_in_it() {
        same::<Alert>(
            r##"{"title": "Alert", "type": "object", "properties": {
                "id": {"type": "string"},
                "name": {"type": ["string", "null"]},
                "position": {"type": "array", "prefixItems": [{"type": "number", "format": "double"},
                    {"type": "number", "format": "float"}], "minItems": 2, "maxItems": 2},
                "epochs": {"type": "array", "items": {"$ref": "#/$defs/Epoch"}},
                "checked": {"type": "string"},
                "raw": {"type": "array", "items": {"type": "integer", "format": "uint8", "minimum": 0, "maximum": 255}},
                "address": {"type": "string"},
                "by_band": {"type": "object", "additionalProperties": {"type": "integer", "format": "int64"}},
                "any": {},
                "state": {"anyOf": [{"$ref": "#/$defs/State"}, {"type": "null"}]},
                "unit": {"type": "null"},
                "count": {"type": "integer", "format": "uint8", "minimum": 0, "maximum": 255}},
            "required": ["id", "position", "checked"],
            "$defs": {
                "Epoch": {"type": "object", "properties": {"jd": {"type": "number", "format": "double"},
                    "before": {"anyOf": [{"$ref": "#/$defs/Epoch"}, {"type": "null"}]}}, "required": ["jd"]},
                "State": {"type": "string", "enum": ["sent", "retracted"]}}}"##,
        );
    }

    #[derive(Deserialize)]
    #[serde(try_from = "Range")]
    #[allow(dead_code)]
    struct Narrow(u8, u8);

    #[derive(Deserialize)]
    struct Range {
        from: u8,
        #[serde(default)]
        to: u8,
    }

    impl TryFrom<Range> for Narrow {
        type Error = &'static str;

        fn try_from(range: Range) -> Result<Self, &'static str> {
            if range.from < range.to { Ok(Self(range.from, range.to)) } else { Err("empty") }
        }
    }

    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Ranges {
        one: Option<Narrow>,
        #[serde(default)]
        more: Vec<Narrow>,
        name: String,
    }

    #[test]
    fn types_that_are_never_had_hide_nothing() {
        same::<Ranges>(
            r##"{"title": "Ranges", "type": "object", "properties": {
                "one": {"anyOf": [{"$ref": "#/$defs/Range"}, {"type": "null"}]},
                "more": {"type": "array", "items": {"$ref": "#/$defs/Range"}}, "name": {"type": "string"}},
            "required": ["name"],
            "$defs": {"Range": {"type": "object", "properties": {
                "from": {"type": "integer", "format": "uint8", "minimum": 0, "maximum": 255},
                "to": {"type": "integer", "format": "uint8", "minimum": 0, "maximum": 255}}, "required": ["from"]}}}"##,
        );
    }

    #[derive(Deserialize)]
    #[allow(dead_code)]
    enum Shape {
        Point,
        Circle(f64),
        Pair(u8, u8),
        Box { width: f32, inner: Option<Box<Shape>> },
        Named(Named),
    }

    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Named {
        name: String,
        #[serde(default)]
        note: String,
    }

    #[test]
    fn the_variants_of_an_enum_are_told_with_what_they_hold() {
        same::<Shape>(
            r##"{"title": "Shape", "oneOf": [
                {"type": "string", "enum": ["Point"]},
                {"type": "object", "properties": {"Circle": {"type": "number", "format": "double"}},
                    "required": ["Circle"], "additionalProperties": false},
                {"type": "object", "properties": {"Pair": {"type": "array", "prefixItems": [
                    {"type": "integer", "format": "uint8", "minimum": 0, "maximum": 255},
                    {"type": "integer", "format": "uint8", "minimum": 0, "maximum": 255}], "minItems": 2, "maxItems": 2}},
                    "required": ["Pair"], "additionalProperties": false},
                {"type": "object", "properties": {"Box": {"type": "object", "properties": {
                    "width": {"type": "number", "format": "float"}, "inner": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}},
                    "required": ["width"]}}, "required": ["Box"], "additionalProperties": false},
                {"type": "object", "properties": {"Named": {"$ref": "#/$defs/Named"}}, "required": ["Named"],
                    "additionalProperties": false}],
            "$defs": {"Named": {"type": "object", "properties": {"name": {"type": "string"}, "note": {"type": "string"}},
                "required": ["name"]}}}"##,
        );
    }

    mod twin {
        #[derive(serde::Deserialize)]
        #[allow(dead_code)]
        pub(super) struct Named {
            other: bool,
        }
    }

    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Page<T> {
        items: Vec<T>,
        next: Option<T>,
    }

    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Pages {
        named: Page<Named>,
        twins: Page<twin::Named>,
        pages: Page<Page<u8>>,
    }

    #[test]
    fn types_of_one_name_are_told_apart() {
        let schema = traced::<Pages>();
        let place = |name: &str| schema["properties"][name]["$ref"].as_str().unwrap().to_owned();
        let items = |place: &str| schema["$defs"][place]["properties"]["items"]["items"].to_string();
        assert_eq!([place("named"), place("twins")], ["#/$defs/Page", "#/$defs/Page2"]);
        assert_eq!(items("Page"), r##"{"$ref": "#/$defs/Named"}"##);
        assert_eq!(items("Page2"), r##"{"$ref": "#/$defs/Named2"}"##);
        assert_eq!(place("pages"), "#/$defs/Page3");
        assert_eq!(items("Page3"), r##"{"$ref": "#/$defs/Page4"}"##);
        assert_eq!(schema["$defs"]["Named2"]["properties"]["other"]["type"].as_str(), Some("boolean"));
    }

    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Flat {
        own: u8,
        #[serde(flatten)]
        part: Named,
        #[serde(flatten)]
        rest: BTreeMap<String, Value>,
    }

    #[derive(Deserialize)]
    #[serde(tag = "kind")]
    #[allow(dead_code)]
    enum Tagged {
        One { one: u8 },
        Two { two: String },
    }

    #[derive(Deserialize)]
    #[serde(tag = "kind", content = "held")]
    #[allow(dead_code)]
    enum Beside {
        One(u8),
        Two(String),
    }

    #[derive(Deserialize)]
    #[serde(untagged)]
    #[allow(dead_code)]
    enum Untagged {
        One(u8),
        Two(String),
    }

    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Hard {
        flat: Flat,
        tagged: Tagged,
        beside: Beside,
        untagged: Vec<Untagged>,
        after: bool,
    }

    #[test]
    fn what_one_variant_holds_is_not_asked_of_all() {
        #[derive(Deserialize)]
        #[expect(dead_code)]
        struct Message {
            x: i32,
            #[serde(flatten)]
            event: Event,
        }
        #[derive(Deserialize)]
        #[serde(tag = "kind", rename_all = "snake_case")]
        #[expect(dead_code)]
        enum Event {
            Alert { ra: f64 },
            Retract,
        }
        let schema = traced::<Message>();
        assert_eq!(schema["required"].to_string(), r#"["x", "kind"]"#, "{schema}");
    }

    #[test]
    fn times_of_two_kinds_are_two_types() {
        #[derive(Deserialize)]
        #[expect(dead_code)]
        struct Times {
            lasting: std::time::Duration,
            at: std::time::SystemTime,
        }
        let schema = traced::<Times>();
        assert_ne!(schema["properties"]["lasting"], schema["properties"]["at"], "{schema}");
    }

    #[test]
    fn what_serde_does_not_say_is_left_open_and_hides_nothing_else() {
        same::<Hard>(
            r##"{"title": "Hard", "type": "object", "properties": {
                "flat": {"type": "object", "properties": {
                    "own": {"type": "integer", "format": "uint8", "minimum": 0, "maximum": 255}, "name": {}},
                    "required": ["own", "name"]},
                "tagged": {"type": "object", "properties": {"kind": {"type": "string", "enum": ["One", "Two"]}, "one": {}},
                    "required": ["kind"]}, "beside": {"$ref": "#/$defs/Beside"}, "untagged": {"type": "array", "items": {}},
                "after": {"type": "boolean"}},
            "required": ["flat", "tagged", "beside", "untagged", "after"],
            "$defs": {"Beside": {"type": "object", "properties": {
                "kind": {"type": "string", "enum": ["One", "Two"]}, "held": {}}, "required": ["kind"]}}}"##,
        );
    }
}
