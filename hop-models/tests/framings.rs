//! Framings: there and back, by name and by rule, and against hostile content.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use hop_core::{
    Encoder, Error, ErrorKind, Frame, Framing, Header, Headers, HopModel, Limits, Outgoing, Place, Record, Registry,
    SchemaChain, SchemaId, SchemaLanguage, SchemaSource, SchemaText, TopicRule, TopicRules, Value,
};
use hop_models::avro::Schema;
use hop_models::codec::Avro;
use hop_models::framing::{
    Confluent, Container, EmbeddedSchemas, Gzip, SchemaFolder, SchemaInKey, SingleObject, SubjectName, rubin,
};
use hop_models::{AvroBlob, JsonBlob};
use serde::{Deserialize, Serialize};

hop_models::avsc!(Old = text r#"{"type": "record", "name": "a.alert", "fields": [{"name": "id", "type": "int"}]}"#);
hop_models::avsc!(
    New = text r#"{"type": "record", "name": "a.alert", "fields": [
        {"name": "identifier", "type": "long", "aliases": ["id"]},
        {"name": "magnitude", "type": "double", "default": -999.0}]}"#
);

/// A model of one's own, by a newer schema than the sender's.
#[derive(Debug, PartialEq, Serialize, Deserialize, HopModel)]
#[hop(format = "own-alert", codec = Avro<New>)]
struct Alert {
    identifier: i64,
    magnitude: f64,
}

fn schemas() -> Arc<dyn SchemaSource> {
    Arc::new(EmbeddedSchemas::new().with::<Old>(7).unwrap())
}

fn old() -> AvroBlob {
    AvroBlob::new(Value::object([("id", 5.into())])).with_schema(Schema::parse(OLD).unwrap()).unwrap()
}

const OLD: &str = r#"{"type": "record", "name": "a.alert", "fields": [{"name": "id", "type": "int"}]}"#;

fn record(message: Outgoing) -> Record {
    let place = Place { topic: "alerts".into(), partition: 0, offset: 0 };
    let mut headers = message.headers;
    headers.remove("_format");
    Record { content: message.content, key: message.key, headers, place: Some(place), ..Record::default() }
}

fn decode(rule: TopicRule, record: &Record) -> Result<hop_core::Decoded, Error> {
    decode_within(rule, record, &Limits::DEFAULT)
}

fn decode_within(rule: TopicRule, record: &Record, limits: &Limits) -> Result<hop_core::Decoded, Error> {
    let rules = TopicRules::new([rule]).unwrap();
    let registry = Registry::linked().unwrap();
    registry.decode_record(record, &rules.with_framings(registry, Some(&schemas()))?, limits)
}

fn named(label: &str, framing: &str) -> TopicRule {
    TopicRule::new("alerts", label).unwrap().framed_as(framing)
}

fn plain(content: impl Into<Bytes>) -> Outgoing {
    Outgoing { content: content.into().into(), key: None, headers: Headers::new() }
}

#[test]
fn what_is_wrapped_is_unwrapped_by_its_name_and_read_by_any_model() {
    let registry = Registry::linked().unwrap();
    for name in [
        "container",
        "confluent",
        "rubin",
        "single-object",
        "schema-in-key",
        "gzip",
        "confluent+gzip",
        "schema-in-key+gzip",
        "container+gzip+gzip",
    ] {
        let framing = registry.framing(name, Some(&schemas())).unwrap();
        assert_eq!(framing.name(), name);
        let sent = framing.wrap("alerts", Encoder::new().encode(&old()).unwrap()).unwrap();
        let record = record(sent);
        let blob = decode(named("avro", name), &record).unwrap();
        assert_eq!(blob.route.as_str(), "topic");
        assert_eq!(blob.model.downcast_ref::<AvroBlob>().unwrap().record().unwrap()["id"].as_i64(), Some(5), "{name}");
        // By another schema than the sender's, which resolves it.
        let alert = decode(named("own-alert", name), &record).unwrap();
        assert_eq!(alert.model.downcast_ref(), Some(&Alert { identifier: 5, magnitude: -999.0 }), "{name}");
    }
    let error = registry.framing("confluent", None).unwrap_err();
    assert!(error.to_string().contains("a source of schemas"), "{error}");
    let error = registry.framing("confluent+gzip+gzip+gzip+gzip", Some(&schemas())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    let error = TopicRules::new([named("avro", "gzap")]).unwrap().require(registry).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownFormat);
    assert!(
        error.to_string().contains("unknown framing `gzap`") && error.to_string().contains("schema-in-key"),
        "{error}"
    );
}

#[test]
fn the_bytes_of_each_framing_are_those_of_the_brokers() {
    let wrap = |framing: &dyn Framing| framing.wrap("alerts", Encoder::new().encode(&old()).unwrap()).unwrap();
    let bytes = |message: &Outgoing| message.content.as_bytes().unwrap().clone();
    assert_eq!(bytes(&wrap(&Confluent::new(schemas()))), &b"\0\0\0\0\x07\x0a"[..]);
    let fink = wrap(&SchemaInKey::new());
    assert_eq!((bytes(&fink), fink.key.as_deref()), (Bytes::from_static(b"\x0a"), Some(OLD.as_bytes())));
    let fingerprint = Schema::parse(OLD).unwrap().fingerprint().to_le_bytes();
    assert_eq!(bytes(&wrap(&SingleObject::new(schemas()))), [&b"\xc3\x01"[..], &fingerprint, b"\x0a"].concat());
    // A framing that refuses says what it takes.
    let json = Encoder::new().encode(&JsonBlob::from(Value::object([("n", 1.into())]))).unwrap();
    for framing in [&Confluent::new(schemas()) as &dyn Framing, &SchemaInKey::new(), &Container] {
        assert_eq!(framing.wrap("alerts", json.clone()).unwrap_err().kind(), ErrorKind::Unsupported, "{framing:?}");
    }
    let keyed = Encoder::new().key("object").encode(&old()).unwrap();
    assert_eq!(SchemaInKey::new().wrap("alerts", keyed).unwrap_err().kind(), ErrorKind::Unencodable);
}

#[derive(Debug, Default)]
struct Numbers(std::sync::Mutex<Vec<String>>);

impl SchemaSource for Numbers {
    fn schema(&self, id: &SchemaId) -> Result<Option<SchemaText>, Error> {
        Ok(match id {
            SchemaId::Number(8) => Some(SchemaText { language: SchemaLanguage::Json, ..SchemaText::default() }),
            SchemaId::Number(9) => {
                Some(SchemaText { language: SchemaLanguage::Other("PROTOBUF".into()), ..SchemaText::default() })
            }
            // One that refers to another.
            SchemaId::Guid(_) => Some(SchemaText {
                language: SchemaLanguage::Avro,
                text: r#"{"type": "record", "name": "b.alert", "fields": [{"name": "of", "type": "a.alert"}]}"#.into(),
                references: vec![OLD.into()],
            }),
            _ => None,
        })
    }

    fn number(&self, subject: &str, _schema: &SchemaText) -> Result<Option<u32>, Error> {
        self.0.lock().unwrap().push(subject.to_owned());
        Ok(Some(3))
    }
}

#[test]
fn confluents_schemas_come_by_number_by_identifier_and_in_a_header_and_json_as_it_is() {
    let source: Arc<dyn SchemaSource> = Arc::new(SchemaChain::new([schemas(), Arc::new(Numbers::default())]));
    let confluent = Confluent::new(source);
    let unwrap = |headers: &Headers, content: &[u8]| {
        let content = Bytes::copy_from_slice(content);
        let frame = Frame { content: hop_core::Content::from(&content).with_headers(headers), key: None, topic: None };
        confluent.unwrap(&frame)
    };
    let none = Headers::new();
    let header = |value: Vec<u8>| -> Headers {
        [Header { name: "__value_schema_id".into(), value: Some(value.into()) }].into_iter().collect()
    };
    let guid = [&[1][..], &[0xAB; 16]].concat();
    let of = |file: Bytes, field: &str| {
        use hop_core::MessageModel as _;
        AvroBlob::decode((&file).into()).unwrap().content().unwrap()[field].clone()
    };
    assert_eq!(of(unwrap(&none, b"\0\0\0\0\x07\x0a").unwrap(), "id").as_i64(), Some(5));
    assert_eq!(of(unwrap(&header(vec![0, 0, 0, 0, 7]), b"\x0a").unwrap(), "id").as_i64(), Some(5));
    assert_eq!(of(unwrap(&header(guid.clone()), b"\x0a").unwrap(), "of")["id"].as_i64(), Some(5));
    assert_eq!(of(unwrap(&none, &[&guid[..], b"\x0a"].concat()).unwrap(), "of")["id"].as_i64(), Some(5));
    assert_eq!(unwrap(&none, b"\0\0\0\0\x08{\"n\": 1}").unwrap(), &b"{\"n\": 1}"[..]);
    for (content, kind, words) in [
        (&b""[..], ErrorKind::Malformed, "no content"),
        (b"\0\0\0\0", ErrorKind::Malformed, "a zero byte"),
        (b"\x01short", ErrorKind::Malformed, "a zero byte"),
        (b"{}", ErrorKind::Malformed, "found `{}`"),
        (b"\0\0\0\0\x09", ErrorKind::Unsupported, "PROTOBUF"),
        (b"\0\0\0\0\x0b", ErrorKind::UnknownSchema, "schema 11"),
        (b"\0\0\0\0\x07\x0a\x0a", ErrorKind::Malformed, "1 bytes more"),
        (b"\0\0\0\0\x07", ErrorKind::Malformed, ""),
    ] {
        let error = unwrap(&none, content).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
    for wrong in [&b""[..], b"\0\0\0\x07", b"\0\0\0\0\x07\x0a", b"7"] {
        assert_eq!(unwrap(&header(wrong.to_vec()), b"\x0a").unwrap_err().kind(), ErrorKind::Malformed, "{wrong:?}");
    }
}

#[test]
fn a_writers_schema_is_under_the_subject_of_its_strategy_and_asked_for_once() {
    let source = Arc::new(Numbers::default());
    for (subject, name) in [
        (SubjectName::Topic, "alerts-value"),
        (SubjectName::Record, "a.alert"),
        (SubjectName::TopicRecord, "alerts-a.alert"),
    ] {
        let framing = Confluent::new(source.clone()).subject(subject);
        for _ in 0..2 {
            let sent = framing.wrap("alerts", Encoder::new().encode(&old()).unwrap()).unwrap();
            assert_eq!(sent.content.as_bytes().unwrap(), &b"\0\0\0\0\x03\x0a"[..]);
        }
        assert_eq!(source.0.lock().unwrap().split_off(0), [name]);
    }
}

#[test]
fn finks_key_is_the_schema_or_its_name() {
    let read = |key: Option<&'static [u8]>, framing: &str| {
        let record = Record { key: key.map(Bytes::from_static), ..record(plain(&b"\x0a"[..])) };
        decode(named("avro", framing), &record).map(|decoded| decoded.model.format()).map_err(|error| error.kind())
    };
    assert_eq!(read(Some(OLD.as_bytes()), "schema-in-key"), Ok("avro"));
    assert_eq!(read(Some(b"a.alert"), "schema-in-key"), Ok("avro"));
    assert_eq!(read(Some(b"b.alert"), "schema-in-key"), Err(ErrorKind::UnknownSchema));
    assert_eq!(read(None, "schema-in-key"), Err(ErrorKind::Malformed));
    assert_eq!(read(Some(b""), "schema-in-key"), Err(ErrorKind::Malformed));
    assert_eq!(read(Some(b"\xff"), "schema-in-key"), Err(ErrorKind::Malformed));
    assert_eq!(read(Some(b"{\"type\": 1}"), "schema-in-key"), Err(ErrorKind::Invalid));
    // Of another schema.
    let key = br#"{"type": "record", "name": "a", "fields": [{"name": "x", "type": "string"}]}"#;
    assert_eq!(read(Some(key), "schema-in-key"), Err(ErrorKind::Malformed));
}

#[cfg(feature = "bson")]
mod antares {
    use hop_models::framing::ZlibBson;

    use super::*;

    fn deflated(content: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn json(document: &[u8]) -> Result<Value, Error> {
        let decoded = decode(named("json", "zlib-bson"), &record(plain(deflated(document))))?;
        Ok(decoded.model.downcast_ref::<JsonBlob>().unwrap().content.clone())
    }

    #[test]
    fn bson_comes_out_as_json() {
        let document = bson::doc! {
            "locus_id": "ANT2020j7wo4", "ra": 123.4567, "nan": f64::NAN, "properties": { "n": 5, "m": 1_i64 << 40 },
            "alerts": ["a", true, null], "seen": bson::DateTime::from_millis(1_772_600_767_008),
            "id": bson::oid::ObjectId::from_bytes([0xAB; 12]),
            "map": bson::Binary { subtype: bson::spec::BinarySubtype::Generic, bytes: vec![0, 255] },
        };
        let value = json(&document.to_vec().unwrap()).unwrap();
        assert_eq!(
            value.to_string(),
            r#"{"locus_id": "ANT2020j7wo4", "ra": 123.4567, "nan": {"$float": "NaN"}, "properties": {"n": 5, "m": 1099511627776}, "alerts": ["a", true, null], "seen": "2026-03-04T05:06:07.008Z", "id": "abababababababababababab", "map": "AP8="}"#
        );
    }

    #[test]
    fn json_that_would_be_over_the_limit_is_not_written() {
        let unwrap = |document: &bson::Document, limits: &Limits| {
            let content = Bytes::from(deflated(&document.to_vec().unwrap()));
            let content = hop_core::Content::from(&content).with_limits(limits);
            ZlibBson.unwrap(&Frame { content, key: None, topic: None })
        };
        let name = "\u{1}".repeat(100_000);
        let binary = bson::Binary { subtype: bson::spec::BinarySubtype::Generic, bytes: vec![0; 400_000] };
        let limits = Limits { content: 500_000, ..Limits::DEFAULT };
        for document in [
            bson::doc! { "a": "\u{1}".repeat(100_000) },
            bson::doc! { "a": "é".repeat(100_000) },
            bson::doc! { "a": "\"".repeat(300_000) },
            bson::doc! { "a": ["\u{1}".repeat(50_000), "\u{1}".repeat(50_000)] },
            bson::doc! { name: 1 },
            bson::doc! { "a": binary },
        ] {
            let error = unwrap(&document, &limits).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
            assert!(unwrap(&document, &Limits::DEFAULT).is_ok());
        }
        // What fits is not refused.
        let text = "\u{1}é\"\u{1F600}/ a".repeat(1_000);
        let json = unwrap(&bson::doc! { "a": &text }, &Limits::DEFAULT).unwrap();
        let limits = Limits { content: json.len(), ..Limits::DEFAULT };
        assert_eq!(unwrap(&bson::doc! { "a": &text }, &limits).unwrap(), json);
    }

    #[test]
    fn hostile_documents_are_errors() {
        // Documents within one another, made from the inside.
        let nested = |depth: usize| {
            let mut document = vec![5, 0, 0, 0, 0];
            for _ in 0..depth {
                let size = u32::try_from(document.len() + 8).unwrap().to_le_bytes();
                document = [&size[..], &[3, b'a', 0], &document, &[0]].concat();
            }
            document
        };
        assert!(json(&nested(900)).is_ok());
        assert_eq!(json(&nested(5_000)).unwrap_err().kind(), ErrorKind::Limit);
        // The same name, many times over.
        let repeated: Vec<u8> = (0..500_000).flat_map(|_| [10, b'a', 0]).collect();
        let size = u32::try_from(repeated.len() + 5).unwrap().to_le_bytes();
        assert_eq!(json(&[&size[..], &repeated, &[0]].concat()).unwrap().to_string(), r#"{"a": null}"#);
        let whole = bson::doc! { "a": [1, { "b": "c" }] }.to_vec().unwrap();
        for end in 0..whole.len() {
            assert!(json(&whole[..end]).is_err(), "{end}");
        }
        for at in 0..whole.len() {
            for byte in [0, 1, 0x7F, 0xFF] {
                let mut mutant = whole.clone();
                mutant[at] = byte;
                // Either is fine, and no panic.
                _ = json(&mutant);
            }
        }
        // Not compressed, and compressed beyond the limits.
        let plain_record = record(plain(whole));
        assert_eq!(decode(named("json", "zlib-bson"), &plain_record).unwrap_err().kind(), ErrorKind::Malformed);
        // Nor is one that is cut, or that has something behind it, be it another one.
        let whole = deflated(&bson::doc! { "a": 1 }.to_vec().unwrap());
        assert!(decode(named("json", "zlib-bson"), &record(plain(whole.clone()))).is_ok());
        let kind = |content: Vec<u8>| decode(named("json", "zlib-bson"), &record(plain(content))).unwrap_err().kind();
        for end in 0..whole.len() {
            assert_eq!(kind(whole[..end].to_vec()), ErrorKind::Malformed, "{end}");
        }
        for more in [&b"\0"[..], b"trailing", &whole] {
            assert_eq!(kind([&whole[..], more].concat()), ErrorKind::Malformed, "{more:?}");
        }
        let behind_document = [&bson::doc! { "a": 1 }.to_vec().unwrap()[..], b"\0"].concat();
        assert_eq!(kind(deflated(&behind_document)), ErrorKind::Malformed);
        let bomb = record(plain(deflated(&vec![0; 4 << 20])));
        let limits = Limits { decompressed: 1 << 20, ..Limits::DEFAULT };
        assert_eq!(decode_within(named("json", "zlib-bson"), &bomb, &limits).unwrap_err().kind(), ErrorKind::Limit);
    }
}

#[test]
fn gzip_goes_around_any_framing_and_stops_at_the_limit() {
    let json = Gzip.wrap("alerts", Encoder::new().encode(&JsonBlob::from(Value::from(1))).unwrap()).unwrap();
    let blank = Gzip.wrap("alerts", plain(" ")).unwrap();
    let twice = [&json, &blank].map(|message| message.content.as_bytes().unwrap().to_vec()).concat();
    let decoded = decode(named("json", "gzip"), &record(plain(twice))).unwrap();
    assert_eq!(decoded.model.downcast_ref(), Some(&JsonBlob::from(Value::from(1))));
    let bomb = Gzip.wrap("alerts", plain(vec![b' '; 8 << 20])).unwrap();
    let bomb = Gzip.wrap("alerts", bomb).unwrap();
    let limits = Limits { decompressed: 1 << 20, ..Limits::DEFAULT };
    let error = decode_within(named("json", "gzip+gzip"), &record(bomb), &limits).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    let whole = json.content.as_bytes().unwrap().clone();
    for end in 0..whole.len() {
        assert!(decode(named("json", "gzip"), &record(plain(whole.slice(..end)))).is_err(), "{end}");
    }
}

#[test]
fn a_folder_has_its_schemas_by_number_name_and_fingerprint_and_puts_them_together() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("1101.avsc", r#"{"type": "record", "name": "b.alert", "fields": [{"name": "of", "type": "a.alert"}]}"#);
    write("part.avsc", OLD);
    write("notes.txt", "not a schema");
    let schemas = SchemaFolder::open(folder.path()).unwrap();
    let found = schemas.schema(&SchemaId::Number(1101)).unwrap().unwrap();
    let whole = Schema::parse(&found.text).unwrap();
    for id in
        [SchemaId::Name("1101".into()), SchemaId::Name("b.alert".into()), SchemaId::Fingerprint(whole.fingerprint())]
    {
        assert_eq!(schemas.schema(&id).unwrap().as_ref(), Some(&found), "{id}");
    }
    assert!(schemas.schema(&SchemaId::Name("part".into())).unwrap().is_some());
    assert!(schemas.schema(&SchemaId::Name("notes".into())).unwrap().is_none());
    write("wrong.avsc", r#"{"type": "record", "name": "c", "fields": [{"name": "x", "type": "nobody"}]}"#);
    let error = SchemaFolder::open(folder.path()).unwrap_err();
    assert!(error.to_string().contains("wrong.avsc") && error.to_string().contains("nobody"), "{error}");
    let error = SchemaFolder::open(folder.path().join("missing")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[test]
fn a_number_or_a_name_that_two_files_have_is_refused_and_versions_are_not() {
    const OTHER: &str = r#"{"type": "record", "name": "a.alert", "fields": [{"name": "id", "type": "long"}]}"#;
    let open = |files: &[(&str, &str)]| {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        SchemaFolder::open(folder.path())
    };
    let named_b = OTHER.replace("a.alert", "b");
    for (files, names) in [
        ([("7.avsc", OLD), ("007.avsc", OTHER)], ["007.avsc", "7.avsc"]),
        ([("one.avsc", OLD), ("two.avsc", OTHER)], ["one.avsc", "two.avsc"]),
        ([("7.avsc", OLD), ("two.avsc", OTHER)], ["7.avsc", "two.avsc"]),
        // The name of a file is one too.
        ([("a.alert.avsc", &named_b), ("two.avsc", OLD)], ["a.alert.avsc", "two.avsc"]),
    ] {
        let error = open(&files).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Duplicate, "{files:?}");
        assert!(names.iter().all(|name| error.to_string().contains(name)), "{error}");
    }
    // The same schema twice is one.
    assert!(open(&[("7.avsc", OLD), ("alert.avsc", OLD)]).is_ok());
    // Versions are found by their numbers, and the name that they share is nobody's.
    let versions = open(&[("1.avsc", OLD), ("2.avsc", OTHER)]).unwrap();
    for (number, text) in [(1, OLD), (2, OTHER)] {
        assert_eq!(&*versions.schema(&SchemaId::Number(number)).unwrap().unwrap().text, text);
    }
    let error = versions.schema(&SchemaId::Name("a.alert".into())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Duplicate, "{error}");
    // A third that names it does not get either.
    let user = r#"{"type": "record", "name": "u", "fields": [{"name": "of", "type": "a.alert"}]}"#;
    let error = open(&[("1.avsc", OLD), ("2.avsc", OTHER), ("u.avsc", user)]).unwrap_err();
    assert!(error.to_string().contains("u.avsc") && error.to_string().contains("several declare"), "{error}");
    // Nor is one of two chosen in a program.
    let embedded = || EmbeddedSchemas::new().with::<Old>(7).unwrap();
    assert_eq!(embedded().with::<New>(7).unwrap_err().kind(), ErrorKind::Duplicate);
    let both = embedded().with::<New>(8).unwrap();
    assert!(both.schema(&SchemaId::Name("a.alert".into())).is_err());
    assert!(embedded().with::<Old>(7).unwrap().schema(&SchemaId::Name("a.alert".into())).is_ok());
}

#[test]
fn hidden_files_of_a_folder_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("1.avsc"), OLD).unwrap();
    // What macOS writes beside a file on a foreign disk, and an editor.
    std::fs::write(folder.path().join("._1.avsc"), b"\0\x05\x16\x07\0\x02\0\0Mac OS X        \0\x02").unwrap();
    std::fs::write(folder.path().join(".1.avsc"), "{").unwrap();
    let schemas = SchemaFolder::open(folder.path()).unwrap();
    assert!(schemas.schema(&SchemaId::Number(1)).unwrap().is_some());
    assert!(schemas.schema(&SchemaId::Name("._1".into())).unwrap().is_none());
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_of_a_folder_whose_name_is_not_text_is_named_in_an_error() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(std::ffi::OsStr::from_bytes(b"caf\xE9.avsc")), OLD).unwrap();
    let error = SchemaFolder::open(folder.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("caf\u{FFFD}.avsc"), "{error}");
    assert!(error.to_string().contains("rename the file"), "{error}");
}

#[test]
fn files_that_name_each_other_do_not_fill_the_memory() {
    let open = |count: usize| {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, fields: &str| {
            let doc = "x".repeat(2_000);
            let text = format!(r#"{{"type": "record", "name": "r{name}", "doc": "{doc}", "fields": [{fields}]}}"#);
            std::fs::write(folder.path().join(format!("{name}.avsc")), text).unwrap();
        };
        let field = |to: &str| format!(r#"{{"name": "f{to}", "type": ["null", "r{to}"]}}"#);
        let numbers: Vec<String> = (0..count).map(|number| number.to_string()).collect();
        numbers.iter().for_each(|number| write(number, &field("hub")));
        write("hub", &numbers.iter().map(|number| field(number)).collect::<Vec<_>>().join(", "));
        SchemaFolder::open(folder.path())
    };
    let few = open(20).unwrap();
    let whole = few.schema(&SchemaId::Number(7)).unwrap().unwrap();
    assert!(Schema::parse(&whole.text).is_ok() && whole.text.contains("r6"));
    let error = open(300).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    assert!(error.to_string().contains("written out"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_pipe_in_a_folder_of_schemas_is_an_error_and_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("7.avsc");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let (tell, told) = std::sync::mpsc::channel();
    let path = folder.path().to_owned();
    std::thread::spawn(move || tell.send(SchemaFolder::open(path).map(drop)));
    let opened = told.recv_timeout(std::time::Duration::from_secs(10)).expect("opening a folder hangs");
    let error = opened.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("7.avsc: it is not a regular file"), "{error}");
}

/// A schema of at least so many bytes.
fn long_schema(bytes: usize) -> String {
    let doc = "x".repeat(bytes);
    format!(r#"{{"type": "record", "name": "long", "doc": "{doc}", "fields": [{{"name": "id", "type": "int"}}]}}"#)
}

#[derive(Debug, Default)]
struct Texts(HashMap<u32, String>, AtomicUsize);

impl SchemaSource for Texts {
    fn schema(&self, id: &SchemaId) -> Result<Option<SchemaText>, Error> {
        self.1.fetch_add(1, Ordering::Relaxed);
        match id {
            SchemaId::Number(number) => Ok(self.0.get(number).map(|text| SchemaText::avro(text.as_str()))),
            _ => Ok(None),
        }
    }
}

#[test]
fn messages_of_a_long_schema_share_it_and_what_they_came_in_is_let_go() {
    use hop_core::MessageModel as _;
    for size in [5_000, 1_000_000] {
        let source = Arc::new(Texts([(1, long_schema(size))].into(), AtomicUsize::new(0)));
        let framing = Confluent::new(source.clone());
        let content = Bytes::from_static(b"\0\0\0\0\x01\x0a");
        let read: Vec<AvroBlob> = (0..20)
            .map(|_| {
                let inside = framing.unwrap(&Frame { content: (&content).into(), key: None, topic: None }).unwrap();
                let whole = inside.to_vec();
                let blob = AvroBlob::decode((&inside).into()).unwrap();
                assert!(inside.is_unique(), "the blob keeps the container of {} bytes", inside.len());
                assert_eq!(blob.encode().unwrap(), whole);
                let metadata = blob.metadata();
                assert_eq!((metadata[0], metadata[1].0), (("avro.codec", &b"null"[..]), "avro.schema"));
                assert_eq!(blob.record().unwrap()["id"].as_i64(), Some(5));
                blob
            })
            .collect();
        let text = |blob: &AvroBlob| blob.schema().unwrap().text().as_ptr();
        assert!(read.iter().all(|blob| text(blob) == text(&read[0])), "the schema is parsed for each message");
        assert!(read.iter().all(|blob| *blob == read[0]));
        assert_eq!(source.1.load(Ordering::Relaxed), 1);
    }
    // A file that somebody else wrote is given back as it came.
    let ours = AvroBlob::new(Value::object([("id", 5.into())]))
        .with_schema(Schema::parse(&long_schema(5_000)).unwrap())
        .unwrap()
        .encode()
        .unwrap();
    let mut others = ours.to_vec();
    let end = others.len();
    for at in 1..=16 {
        // Another sync marker.
        others[end - at] ^= 0x55;
        let (_, block) = others.split_at(end - 16);
        let header = end - 16 - 3 - 16;
        let marker = block.to_vec();
        others[header..header + 16].copy_from_slice(&marker);
        assert_eq!(AvroBlob::decode((&Bytes::from(others.clone())).into()).unwrap().encode().unwrap(), others);
    }
}

#[test]
fn a_schema_that_nobody_can_read_with_is_asked_for_and_parsed_once() {
    let text = r#"{"type": "record", "name": "a", "fields": [{"name": "x", "type": "nobody"}]}"#;
    let source = Arc::new(Texts([(1, text.to_owned())].into(), AtomicUsize::new(0)));
    let framing = Confluent::new(source.clone());
    for _ in 0..5 {
        let content = Bytes::from_static(b"\0\0\0\0\x01\x0a");
        let error = framing.unwrap(&Frame { content: (&content).into(), key: None, topic: None }).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(
            error.to_string().contains("schema 1 cannot be read with: ") && error.to_string().contains("nobody"),
            "{error}"
        );
    }
    assert_eq!(source.1.load(Ordering::Relaxed), 1);
}

#[test]
fn the_number_stands_in_the_header_where_it_is_asked_for() {
    let framing = Confluent::new(schemas()).in_header(true);
    let sent = framing.wrap("alerts", Encoder::new().encode(&old()).unwrap()).unwrap();
    assert_eq!(sent.content.as_bytes().unwrap(), &b"\x0a"[..]);
    assert_eq!(sent.headers.get("__value_schema_id"), Some(&b"\0\0\0\0\x07"[..]));
    let again =
        framing.wrap("alerts", Outgoing { headers: sent.headers.clone(), ..Encoder::new().encode(&old()).unwrap() });
    assert_eq!(again.unwrap_err().kind(), ErrorKind::Unencodable);
    let blob = decode(named("avro", "confluent"), &record(sent)).unwrap();
    assert_eq!(blob.model.downcast_ref::<AvroBlob>().unwrap().record().unwrap()["id"].as_i64(), Some(5));
}

#[test]
fn schemas_that_refer_to_one_another_without_end_are_refused() {
    // Each names the next; the last the first, which is declared by then.
    let texts: Vec<String> = (0..5_000)
        .map(|n| {
            let next = (n + 1) % 5_000;
            format!(r#"{{"type": "record", "name": "r{n}", "fields": [{{"name": "f", "type": "r{next}"}}]}}"#)
        })
        .collect();
    let error = Schema::parse_with(&texts[0], texts[1..].iter().map(String::as_str)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
    let few = &texts[..100];
    let error = Schema::parse_with(&few[0], few[1..].iter().map(String::as_str)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
}

#[test]
fn rubins_alerts_are_read_without_its_registry() {
    let found = hop_models::framing::rubin_schemas().unwrap().schema(&SchemaId::Number(1100)).unwrap().unwrap();
    let schema = Schema::parse(&found.text).unwrap();
    let example = example(schema.json());
    let blob = AvroBlob::new(example).with_schema(schema).unwrap();
    let sent = rubin(None).wrap("lsst-alerts-v11", Encoder::new().encode(&blob).unwrap()).unwrap();
    assert!(sent.content.as_bytes().unwrap().starts_with(&[0, 0, 0, 4, 0x4C]));
    let decoded = decode(named("avro", "rubin"), &record(sent)).unwrap();
    assert_eq!(decoded.model.downcast_ref::<AvroBlob>(), Some(&blob));
}

/// The smallest value of a schema, as JSON declares it.
fn example(schema: &Value) -> Value {
    match schema {
        Value::Array(branches) => branches
            .iter()
            .find(|branch| branch.as_str() == Some("null"))
            .map_or_else(|| example(&branches[0]), |_| Value::Null),
        Value::Object(object) => match object.get("type").and_then(Value::as_str) {
            Some("record") => {
                let fields = object.get("fields").and_then(Value::as_array).unwrap();
                Value::object(fields.iter().map(|field| (field["name"].as_str().unwrap(), example(&field["type"]))))
            }
            Some("array") => Value::Array(Vec::new()),
            _ => example(object.get("type").unwrap()),
        },
        other => match other.as_str().unwrap() {
            "null" => Value::Null,
            "boolean" => true.into(),
            "int" | "long" => 1.into(),
            "float" | "double" => 0.5.into(),
            "bytes" => Value::Bytes(Bytes::from_static(b"b")),
            _ => "text".into(),
        },
    }
}
