//! Avro's schema resolution, of files and of models with a schema in a file.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use hop_core::{HopModel, MessageModel, Value};
use hop_models::AvroBlob;
use hop_models::avro::Schema;
use hop_models::codec::Avro;
use serde::{Deserialize, Serialize};

fn record(fields: &str) -> Schema {
    Schema::parse(&format!(r#"{{"type": "record", "name": "alert", "namespace": "svy", "fields": [{fields}]}}"#))
        .unwrap()
}

/// The record `json` as `reader` has it, which was written by `writer`.
fn resolved(writer: &Schema, reader: &Schema, json: &str) -> Result<Value, String> {
    let written = AvroBlob::new(Value::from_json(json).unwrap()).with_schema(writer.clone()).unwrap();
    let read = AvroBlob::decode((&written.encode().unwrap()).into()).unwrap();
    let resolved = read.resolved(reader).map_err(|error| error.to_string())?;
    // What was resolved is a file of the reader's.
    let again = AvroBlob::decode((&resolved.encode().unwrap()).into()).unwrap();
    assert_eq!(again.content().unwrap(), resolved.content().unwrap());
    assert_eq!(again.schema(), Some(reader));
    Ok(resolved.content().unwrap())
}

#[test]
fn what_the_writer_has_not_has_its_default() {
    let old = record(r#"{"name": "id", "type": "long"}"#);
    for (field, value) in [
        (r#"{"name": "x", "type": "int", "default": 7}"#, "7"),
        (r#"{"name": "x", "type": "string", "default": "u"}"#, "\"u\""),
        (r#"{"name": "x", "type": "boolean", "default": true}"#, "true"),
        (r#"{"name": "x", "type": "double", "default": -999.0}"#, "-999.0"),
        (r#"{"name": "x", "type": "double", "default": 3}"#, "3.0"),
        (r#"{"name": "x", "type": {"type": "array", "items": "int"}, "default": [1, 2]}"#, "[1, 2]"),
        (r#"{"name": "x", "type": {"type": "map", "values": "string"}, "default": {"a": "b"}}"#, r#"{"a": "b"}"#),
        (
            r#"{"name": "x", "type": {"type": "record", "name": "Rec", "fields": [{"name": "q", "type": "int", "default": 3}]},
                "default": {"q": 4}}"#,
            r#"{"q": 4}"#,
        ),
        (
            r#"{"name": "x", "type": {"type": "record", "name": "Rec", "fields": [{"name": "q", "type": "int", "default": 3}]},
                "default": {}}"#,
            r#"{"q": 3}"#,
        ),
        (r#"{"name": "x", "type": ["double", "null"], "default": 1.5}"#, "1.5"),
        (r#"{"name": "x", "type": ["null", "double"], "default": null}"#, "null"),
        (r#"{"name": "x", "type": {"type": "enum", "name": "E", "symbols": ["a", "b"]}, "default": "b"}"#, "\"b\""),
    ] {
        let new = record(&format!(r#"{{"name": "id", "type": "long"}}, {field}"#));
        let expected = Value::from_json(&format!(r#"{{"id": 5, "x": {value}}}"#)).unwrap();
        assert_eq!(resolved(&old, &new, r#"{"id": 5}"#).unwrap(), expected, "{field}");
        // Before what the writer has, too.
        let new = record(&format!(r#"{field}, {{"name": "id", "type": "long"}}"#));
        let expected = Value::from_json(&format!(r#"{{"x": {value}, "id": 5}}"#)).unwrap();
        assert_eq!(resolved(&old, &new, r#"{"id": 5}"#).unwrap(), expected, "{field}");
    }
    let bytes = record(r#"{"name": "id", "type": "long"}, {"name": "x", "type": "bytes", "default": "a\u00ff"}"#);
    assert_eq!(resolved(&old, &bytes, r#"{"id": 5}"#).unwrap()["x"].as_bytes().unwrap().as_ref(), b"a\xFF");
    let none = record(r#"{"name": "id", "type": "long"}, {"name": "x", "type": "int"}"#);
    let error = resolved(&old, &none, r#"{"id": 5}"#).unwrap_err();
    assert!(error.contains("the field `x`, which has no default"), "{error}");
}

#[test]
fn names_are_found_by_their_aliases_and_numbers_are_promoted() {
    let cases = [
        (
            r#"{"name": "id", "type": "long"}"#,
            r#"{"name": "identifier", "type": "long", "aliases": ["id"]}"#,
            r#"{"id": 5}"#,
            r#"{"identifier": 5}"#,
        ),
        (r#"{"name": "v", "type": "int"}"#, r#"{"name": "v", "type": "long"}"#, r#"{"v": -7}"#, r#"{"v": -7}"#),
        (r#"{"name": "v", "type": "int"}"#, r#"{"name": "v", "type": "float"}"#, r#"{"v": -7}"#, r#"{"v": -7.0}"#),
        (
            r#"{"name": "v", "type": "long"}"#,
            r#"{"name": "v", "type": "double"}"#,
            r#"{"v": 9007199254740993}"#,
            r#"{"v": 9007199254740992.0}"#,
        ),
        (r#"{"name": "v", "type": "float"}"#, r#"{"name": "v", "type": "double"}"#, r#"{"v": 1.5}"#, r#"{"v": 1.5}"#),
        (
            r#"{"name": "v", "type": "int"}"#,
            r#"{"name": "v", "type": ["null", "double"]}"#,
            r#"{"v": 2}"#,
            r#"{"v": 2.0}"#,
        ),
        (r#"{"name": "v", "type": ["null", "int"]}"#, r#"{"name": "v", "type": "long"}"#, r#"{"v": 2}"#, r#"{"v": 2}"#),
        (
            r#"{"name": "v", "type": ["null", "int"]}"#,
            r#"{"name": "v", "type": ["string", "long", "null"]}"#,
            r#"{"v": null}"#,
            r#"{"v": null}"#,
        ),
        (
            r#"{"name": "a", "type": "int"}, {"name": "b", "type": "string"}"#,
            r#"{"name": "b", "type": "string"}, {"name": "a", "type": "int"}"#,
            r#"{"a": 1, "b": "x"}"#,
            r#"{"b": "x", "a": 1}"#,
        ),
        (
            r#"{"name": "a", "type": {"type": "array", "items": "int"}}, {"name": "b", "type": "string"}"#,
            r#"{"name": "b", "type": "string"}"#,
            r#"{"a": [1, 2, 3], "b": "x"}"#,
            r#"{"b": "x"}"#,
        ),
        (
            r#"{"name": "a", "type": {"type": "array", "items": "int"}}"#,
            r#"{"name": "a", "type": {"type": "array", "items": "double"}}"#,
            r#"{"a": [1, 2]}"#,
            r#"{"a": [1.0, 2.0]}"#,
        ),
        (
            r#"{"name": "e", "type": {"type": "enum", "name": "E", "symbols": ["a", "b", "c"]}}"#,
            r#"{"name": "e", "type": {"type": "enum", "name": "E", "symbols": ["z", "c"], "default": "z"}}"#,
            r#"{"e": "b"}"#,
            r#"{"e": "z"}"#,
        ),
        (
            r#"{"name": "r", "type": {"type": "record", "name": "Old", "fields": [{"name": "q", "type": "int"}]}}"#,
            r#"{"name": "r", "type": {"type": "record", "name": "New", "aliases": ["Old"], "fields": [{"name": "q", "type": "long"}]}}"#,
            r#"{"r": {"q": 1}}"#,
            r#"{"r": {"q": 1}}"#,
        ),
    ];
    for (writer, reader, sent, read) in cases {
        assert_eq!(
            resolved(&record(writer), &record(reader), sent).unwrap(),
            Value::from_json(read).unwrap(),
            "{reader}"
        );
    }
    for (writer, reader, sent) in [
        (r#"{"name": "v", "type": "long"}"#, r#"{"name": "v", "type": "int"}"#, r#"{"v": 1}"#),
        (r#"{"name": "v", "type": "string"}"#, r#"{"name": "v", "type": "long"}"#, r#"{"v": "1"}"#),
        (r#"{"name": "v", "type": ["null", "long"]}"#, r#"{"name": "v", "type": "long"}"#, r#"{"v": null}"#),
        (
            r#"{"name": "e", "type": {"type": "enum", "name": "E", "symbols": ["a", "b"]}}"#,
            r#"{"name": "e", "type": {"type": "enum", "name": "E", "symbols": ["a"]}}"#,
            r#"{"e": "b"}"#,
        ),
    ] {
        assert!(resolved(&record(writer), &record(reader), sent).is_err(), "{reader}");
    }
    let text = record(r#"{"name": "v", "type": "string"}"#);
    let raw = record(r#"{"name": "v", "type": "bytes"}"#);
    assert_eq!(resolved(&text, &raw, r#"{"v": "é"}"#).unwrap()["v"].as_bytes().unwrap().as_ref(), "é".as_bytes());
}

#[test]
fn times_are_converted_where_that_loses_nothing() {
    let field = |unit: &str| {
        record(&format!(r#"{{"name": "t", "type": {{"type": "long", "logicalType": "timestamp-{unit}"}}}}"#))
    };
    let read = |from: &str, into: &str, count: i64| {
        let written = AvroBlob::new(Value::object([("t", count.into())])).with_schema(field(from)).unwrap();
        let blob = written.resolved(&field(into)).map_err(|error| error.to_string())?;
        #[derive(Deserialize)]
        struct Alert {
            t: i64,
        }
        Ok::<_, String>(blob.record_as::<Alert>().unwrap().t)
    };
    assert_eq!(read("millis", "micros", 5), Ok(5000));
    assert_eq!(read("micros", "millis", 5000), Ok(5));
    assert_eq!(read("millis", "nanos", -5), Ok(-5_000_000));
    assert!(read("micros", "millis", 5001).is_err());
    assert!(read("millis", "nanos", i64::MAX).is_err());
}

hop_models::avsc!(
    NewSchema = text
        r#"{"type": "record", "name": "alert", "fields": [
            {"name": "identifier", "type": "long", "aliases": ["id"]},
            {"name": "mag", "type": "double", "default": -999.0},
            {"name": "note", "type": ["null", "string"]},
            {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["Known"]}, "default": "Known"}
        ]}"#
);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Kind {
    Known,
    #[serde(untagged)]
    Other(String),
}

#[derive(Debug, PartialEq, Serialize, Deserialize, HopModel)]
#[hop(format = "resolved-alert", codec = Avro<NewSchema>)]
struct New {
    identifier: i64,
    mag: f64,
    note: Option<String>,
    kind: Kind,
}

#[test]
fn a_new_model_reads_old_alerts_and_ones_that_are_newer_than_it() {
    let read = |schema: &str, json: &str| {
        let blob = AvroBlob::new(Value::from_json(json).unwrap()).with_schema(Schema::parse(schema).unwrap()).unwrap();
        New::decode((&blob.encode().unwrap()).into())
    };
    let old = r#"{"type": "record", "name": "ztf_alert", "fields": [{"name": "id", "type": "int"}]}"#;
    let expected = New { identifier: 5, mag: -999.0, note: None, kind: Kind::Known };
    assert_eq!(read(old, r#"{"id": 5}"#).unwrap(), expected);
    // A newer one has more fields, and symbols that the model does not list.
    let newer = r#"{"type": "record", "name": "alert", "fields": [
        {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["Fresh", "Known"]}},
        {"name": "more", "type": {"type": "array", "items": "string"}},
        {"name": "id", "type": "long"}, {"name": "mag", "type": "float"}]}"#;
    let found = read(newer, r#"{"kind": "Fresh", "more": ["x"], "id": 6, "mag": 1.5}"#).unwrap();
    assert_eq!(found, New { identifier: 6, mag: 1.5, note: None, kind: Kind::Other("Fresh".into()) });
    let wrong = r#"{"type": "record", "name": "alert", "fields": [{"name": "other", "type": "string"}]}"#;
    assert!(read(wrong, r#"{"other": "x"}"#).is_err());
}

#[test]
fn schemas_that_refer_to_themselves_and_many_branches_end() {
    let list = |item: &str| {
        Schema::parse(&format!(
            r#"{{"type": "record", "name": "L", "fields": [{{"name": "v", "type": "{item}"}}, {{"name": "next", "type": ["null", "L"]}}]}}"#
        ))
        .unwrap()
    };
    let sent = r#"{"v": 1, "next": {"v": 2, "next": null}}"#;
    let read = resolved(&list("int"), &list("double"), sent).unwrap();
    assert_eq!(read["next"]["v"].as_f64(), Some(2.0));
    let branches: Vec<String> =
        (0..2000).map(|at| format!(r#"{{"type": "fixed", "name": "f{at}", "size": {}}}"#, at + 1)).collect();
    let many = Schema::parse(&format!("[{}]", branches.join(","))).unwrap();
    let other = Schema::parse(&format!("[\"null\", {}]", branches.join(","))).unwrap();
    let blob = AvroBlob::new(Value::Bytes(vec![1; 3].into())).with_schema(many).unwrap();
    assert_eq!(blob.resolved(&other).unwrap().record().unwrap().as_bytes().unwrap().len(), 3);
}

#[test]
fn each_record_of_a_file_is_a_file_of_its_own() {
    let schema = record(r#"{"name": "a", "type": "string"}, {"name": "b", "type": ["null", "double"]}"#);
    let records: Vec<Value> = ["x", "", "longer"]
        .into_iter()
        .map(|text| Value::object([("a", text.into()), ("b", if text.is_empty() { Value::Null } else { 1.5.into() })]))
        .collect();
    let file = AvroBlob::of_records(records.clone()).with_schema(schema).unwrap();
    let read = AvroBlob::decode((&file.encode().unwrap()).into()).unwrap();
    let each = read.each_record().unwrap();
    let again: Vec<Value> =
        each.iter().map(|one| AvroBlob::decode((&one.encode().unwrap()).into()).unwrap().content().unwrap()).collect();
    assert_eq!(again, records);
    assert!(
        AvroBlob::of_records(Vec::new())
            .with_schema(Schema::parse("\"int\"").unwrap())
            .unwrap()
            .each_record()
            .unwrap()
            .is_empty()
    );
}

#[test]
fn text_that_is_not_a_uuid_is_not_written_as_one() {
    let schema = record(r#"{"name": "id", "type": {"type": "string", "logicalType": "uuid"}}"#);
    let write =
        |text: &str| AvroBlob::new(Value::object([("id", text.into())])).with_schema(schema.clone()).unwrap().encode();
    assert!(write("e09921f1-7c3b-4b6e-9d7c-2f1d2b6a1c55").is_ok());
    for wrong in ["example", "", "e09921f1-7c3b-4b6e-9d7c", "e09921f1-7c3b-4b6e-9d7c-2f1d2b6a1cXY"] {
        assert!(write(wrong).is_err(), "{wrong}");
    }
}

hop_models::avsc!(
    NestedSchema = text
        r#"{"type": "record", "name": "nested", "fields": [{"name": "what", "type": [
            {"type": "record", "name": "alert", "fields": [
                {"name": "src", "type": {"type": "record", "name": "src", "fields": [{"name": "x", "type": "int"}]}},
                {"name": "id", "type": "int", "default": 0}]},
            "src"]}]}"#
);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Src {
    x: i32,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Inner {
    src: Src,
    id: i32,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum What {
    Alert(Inner),
    Src(Src),
}

#[derive(Debug, PartialEq, Serialize, Deserialize, HopModel)]
#[hop(format = "nested-alert", codec = Avro<NestedSchema>)]
struct Nested {
    what: What,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Alert(Inner),
    Src(Src),
}

#[derive(Debug, PartialEq, Serialize, Deserialize, HopModel)]
#[hop(format = "nested-untagged", codec = Avro<NestedSchema>)]
struct NestedUntagged {
    what: Untagged,
}

/// `{"src": {"x": 3}}` is the variant `src`, and looks like an `alert` without its `id`.
#[test]
fn a_variant_is_not_taken_for_a_record_with_a_field_of_its_name() {
    let back = |content: bytes::Bytes| Nested::decode((&content).into()).unwrap();
    for what in [What::Src(Src { x: 3 }), What::Alert(Inner { src: Src { x: 3 }, id: 0 })] {
        let model = Nested { what };
        assert_eq!(back(model.encode().unwrap()), model);
    }
    for what in [Untagged::Src(Src { x: 3 }), Untagged::Alert(Inner { src: Src { x: 3 }, id: 7 })] {
        let model = NestedUntagged { what };
        assert_eq!(NestedUntagged::decode((&model.encode().unwrap()).into()).unwrap(), model);
    }
}

/// What the newer schema has more must not mix up branches that only their namespaces tell apart.
#[test]
fn branches_of_one_short_name_stay_apart_where_schemas_resolve() {
    let union = |more: &str| {
        record(&format!(
            r#"{{"name": "p", "type": [
                {{"type": "record", "name": "src", "namespace": "lsst", "fields": [{{"name": "x", "type": "int", "default": 1}}]}},
                {{"type": "record", "name": "src", "namespace": "ztf", "fields": [{{"name": "y", "type": "int"}}{more}]}}]}}"#
        ))
    };
    let newer = union(r#", {"name": "z", "type": "double", "default": -1.5}"#);
    let read = resolved(&union(""), &newer, r#"{"p": {"y": 3}}"#).unwrap();
    assert_eq!(read, Value::from_json(r#"{"p": {"y": 3, "z": -1.5}}"#).unwrap());
    let read = resolved(&newer, &union(""), r#"{"p": {"y": 3, "z": 2}}"#).unwrap();
    assert_eq!(read, Value::from_json(r#"{"p": {"y": 3}}"#).unwrap());
    let read = resolved(&union(""), &newer, r#"{"p": {"x": 4}}"#).unwrap();
    assert_eq!(read, Value::from_json(r#"{"p": {"x": 4}}"#).unwrap());
}

#[test]
fn a_field_has_its_own_name_before_an_alias() {
    let writer =
        record(r#"{"name": "old", "type": "int"}, {"name": "new", "type": "int"}, {"name": "older", "type": "int"}"#);
    let reader = record(r#"{"name": "new", "type": "int", "aliases": ["old"]}"#);
    let sent = r#"{"old": 1, "new": 2, "older": 3}"#;
    assert_eq!(resolved(&writer, &reader, sent).unwrap()["new"].as_i64(), Some(2));
    let reader = record(r#"{"name": "newest", "type": "int", "aliases": ["older", "old"]}"#);
    assert_eq!(resolved(&writer, &reader, sent).unwrap()["newest"].as_i64(), Some(3));
}
