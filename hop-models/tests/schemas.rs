//! The schemas of models: what serde tells, what `schemars` knows, and what Avro makes of both.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;

use hop_core::{HopModel, MessageModel, Value};
use hop_models::AvroBlob;
use hop_models::avro::Schema;
use hop_models::codec::Avro;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The Avro schema of a model, which another library takes too.
fn avro<M: MessageModel>() -> Value {
    let schema = Schema::from_json_schema(&M::schema().unwrap()).unwrap();
    apache_avro::Schema::parse_str(schema.text()).unwrap();
    Value::from_json(schema.text()).unwrap()
}

#[track_caller]
fn same(found: &Value, expected: &str) {
    // Written as JSON, so that the order of the names counts.
    assert_eq!(found.to_string(), Value::from_json(expected).unwrap().to_string());
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, HopModel)]
#[hop(codec = Avro)]
struct Plain {
    id: String,
    small: i16,
    large: u32,
    single: Option<f32>,
    double: f64,
    raw: Vec<u8>,
    band: Option<Band>,
    epochs: Vec<Epoch>,
    first: Option<Epoch>,
    counts: BTreeMap<String, i64>,
    position: (f64, f64),
    shapes: Vec<Shape>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Band {
    G,
    R,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Epoch {
    jd: f64,
    before: Option<Box<Epoch>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Shape {
    Point,
    Circle { radius: f64, around: Option<Box<Shape>> },
    Polygon(Polygon),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Polygon {
    corners: Vec<(f32, f32)>,
}

fn plain() -> Plain {
    let epoch = Epoch { jd: 2_460_000.5, before: Some(Box::new(Epoch { jd: 1.0, before: None })) };
    let circle = Shape::Circle { radius: 1.5, around: Some(Box::new(Shape::Point)) };
    Plain {
        id: "S200302c".into(),
        small: -7,
        large: u32::MAX,
        single: Some(0.1),
        double: f64::INFINITY,
        raw: vec![0, 255],
        band: Some(Band::R),
        epochs: vec![epoch.clone()],
        first: Some(epoch),
        counts: BTreeMap::from([("Super-K".into(), 172)]),
        position: (83.6, -22.0),
        shapes: vec![Shape::Point, circle, Shape::Polygon(Polygon { corners: vec![(0.0, 1.0)] })],
    }
}

#[test]
fn a_model_has_an_avro_schema_without_another_word() {
    same(
        &avro::<Plain>(),
        r#"{"type": "record", "name": "Plain", "fields": [
            {"name": "id", "type": "string"},
            {"name": "small", "type": "int"},
            {"name": "large", "type": "long"},
            {"name": "single", "type": ["null", "float"], "default": null},
            {"name": "double", "type": "double"},
            {"name": "raw", "type": "bytes"},
            {"name": "band", "type": ["null", {"type": "enum", "name": "Band", "symbols": ["g", "r"]}], "default": null},
            {"name": "epochs", "type": {"type": "array", "items": {"type": "record", "name": "Epoch", "fields": [
                {"name": "jd", "type": "double"}, {"name": "before", "type": ["null", "Epoch"], "default": null}]}}},
            {"name": "first", "type": ["null", "Epoch"], "default": null},
            {"name": "counts", "type": {"type": "map", "values": "long"}},
            {"name": "position", "type": {"type": "array", "items": "double"}},
            {"name": "shapes", "type": {"type": "array", "items": [
                {"type": "record", "name": "Point", "fields": []},
                {"type": "record", "name": "Circle", "fields": [
                    {"name": "radius", "type": "double"},
                    {"name": "around", "type": ["null", "Point", "Circle",
                        {"type": "record", "name": "Polygon", "fields": [{"name": "corners",
                            "type": {"type": "array", "items": {"type": "array", "items": "float"}}}]}], "default": null}]},
                "Polygon"]}}]}"#,
    );
}

#[test]
fn what_a_model_writes_by_its_schema_it_reads_and_others_read() {
    let content = plain().encode().unwrap();
    assert_eq!(Plain::decode((&content).into()).unwrap(), plain());

    let theirs: Vec<_> = apache_avro::Reader::new(&content[..]).unwrap().map(Result::unwrap).collect();
    let apache_avro::types::Value::Record(fields) = &theirs[0] else { panic!("{theirs:?}") };
    assert_eq!(fields[5], ("raw".to_owned(), apache_avro::types::Value::Bytes(vec![0, 255])));

    let ours = AvroBlob::decode((&content).into()).unwrap();
    assert_eq!(ours.record().unwrap()["shapes"][1]["around"].get("radius"), None);
    assert_eq!(ours.record().unwrap()["shapes"][1]["radius"].as_f64(), Some(1.5));
}

/// An alert, told in full.
#[derive(Debug, Serialize, Deserialize, JsonSchema, HopModel)]
#[hop(format = "told")]
#[allow(dead_code)]
struct Told {
    /// Right ascension, J2000, in degrees.
    ra: f64,
    #[serde(flatten)]
    rest: Rest,
    #[serde(default = "one")]
    count: i32,
    name: Name,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Rest {
    /// Declination, J2000, in degrees.
    dec: Option<f64>,
}

/// How it is called, or by which number.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Name {
    Word(String),
    Number(i64),
}

fn one() -> i32 {
    1
}

#[test]
fn a_model_that_derives_json_schema_shows_that_one() {
    let schema = Told::schema().unwrap();
    assert_eq!(schema["description"].as_str(), Some("An alert, told in full."));
    assert_eq!(schema["properties"]["ra"]["description"].as_str(), Some("Right ascension, J2000, in degrees."));
    same(
        &avro::<Told>(),
        r#"{"type": "record", "name": "Told", "doc": "An alert, told in full.", "fields": [
            {"name": "ra", "doc": "Right ascension, J2000, in degrees.", "type": "double"},
            {"name": "dec", "doc": "Declination, J2000, in degrees.", "type": ["null", "double"], "default": null},
            {"name": "count", "type": "int", "default": 1},
            {"name": "name", "type": ["string", "long"]}]}"#,
    );
}

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(codec = Avro)]
#[allow(dead_code)]
struct Untold {
    id: u8,
    inner: Inner,
}

#[derive(Debug, Serialize, Deserialize)]
#[allow(dead_code)]
struct Inner {
    rest: Name,
}

#[test]
fn what_avro_cannot_have_is_said_with_the_path_and_the_way_out() {
    let refused = |schema: &str| {
        let schema = format!(r#"{{"title": "M", "type": "object", "properties": {{"a": {schema}}}}}"#);
        Schema::from_json_schema(&Value::from_json(&schema).unwrap()).unwrap_err().to_string()
    };
    assert_eq!(
        Untold { id: 1, inner: Inner { rest: Name::Number(1) } }.encode().unwrap_err().to_string(),
        "untold: expected a type that is told, found any value, in `inner.rest`; derive `schemars::JsonSchema` for the model, \
         which knows more than serde tells; or give the codec a schema of its own, by `avsc!`"
    );
    assert_eq!(
        refused(r#"{"type": "integer", "format": "uint128"}"#),
        "avro schema: expected an integer of at most 64 bits, found one of 128, in `a`"
    );
    assert_eq!(
        refused(r#"{"type": "array", "prefixItems": [{"type": "string"}, {"type": "null"}]}"#),
        "avro schema: expected a tuple of one type, found one of several, in `a`; name its parts: use a struct"
    );
    assert_eq!(
        refused(r#"{"type": "object", "properties": {"90%": {"type": "string"}}}"#),
        "avro schema: expected a name that Avro allows, found the field `90%`, in `a`; \
         Avro has names of ASCII letters, digits and `_`: rename it, by `#[serde(rename)]`"
    );
    assert_eq!(
        refused(r##"{"$ref": "#/$defs/Nowhere"}"##),
        "avro schema: expected a reference into the schema, found #/$defs/Nowhere, in `a`"
    );
    let endless = Value::from_json(r##"{"$ref": "#"}"##).unwrap();
    assert_eq!(
        Schema::from_json_schema(&endless).unwrap_err().to_string(),
        "avro schema: expected types that end, or have a name, found one that holds itself"
    );
    let endless = Value::from_json(r##"{"allOf": [{"$ref": "#"}]}"##).unwrap();
    assert!(Schema::from_json_schema(&endless).is_err());
}

#[test]
fn the_schemas_of_the_built_in_models_fit_their_examples() {
    for label in ["circular", "external", "voevent"] {
        let model = hop_models::MODELS.into_iter().find(|model| model.format() == label).unwrap();
        let (schema, example) = (model.schema().unwrap(), model.example().unwrap().fields().unwrap());
        let known = schema["properties"].as_object().unwrap();
        let shown = example.as_object().unwrap();
        assert!(shown.iter().all(|(name, _)| known.get(name.as_str().unwrap()).is_some()), "{label}: {example}");
        let required = schema["required"].as_array().unwrap();
        assert!(required.iter().all(|name| shown.get(name.as_str().unwrap()).is_some()), "{label}: {example}");
    }
}
