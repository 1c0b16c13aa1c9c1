//! hop beside hop-client 0.13, the reference in Python: what one publishes, the other reads, and both read the same.
//!
//! It takes Apache Kafka (`HOP_TEST_BROKER`), which `tests/kafka/up` starts; README.md says what stands on Python's side.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

mod auth_file;
mod command;
mod external;
mod from_python;
mod journal;
mod new;
mod python;
mod registry;
mod resolution;
mod sky;
mod to_python;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hop_core::{AnyModel, Record, Registry, Value};
use hop_kafka::Alert;
use hop_tests::Broker;
use serde_json::{Value as Json, json};

use crate::python::Python;

/// Files that hop-client loads, by label: `file.*` of the fixture where there is one, else `content.*`.
const FILES: [(&str, &[&str]); 8] = [
    (
        "voevent",
        &[
            "voevent/v2.0/prefixed",
            "voevent/v2.0/citations",
            "voevent/v2.0/interleaved",
            "voevent/encodings/latin-1",
            "voevent/encodings/utf-16",
            "voevent/encodings/byte-order-mark",
        ],
    ),
    (
        "circular",
        &[
            "circular/hop/plain",
            "circular/hop/not-ascii",
            "circular/hop/no-titles",
            "circular/hop/unknown-titles",
            "circular/archive/two-digit-year",
        ],
    ),
    (
        "gcntextnotice",
        &[
            "gcntextnotice/fermi/alert",
            "gcntextnotice/swift/crlf",
            "gcntextnotice/lvc/preliminary",
            "gcntextnotice/odd/empty",
        ],
    ),
    ("blob", &["blob/hop/bytes", "blob/bare/text", "blob/bare/binary", "blob/bare/empty"]),
    (
        "json",
        &[
            "json/hop/object",
            "json/hop/array",
            "json/hop/scalar",
            "json/hop/big-integers",
            "json/hop/not-a-number",
            "json/hop/lone-surrogate",
            "json/bare/null",
        ],
    ),
    ("avro", &["avro/survey/alert", "avro/hop/inferred", "avro/hop/text", "avro/logical/all"]),
    ("external", &["external/hop/plain", "external/hop/not-ascii", "external/other/extra-names"]),
    ("donut", &["donut/plain/cake", "donut/plain/label-in-capitals"]),
];

/// What hop-client calls the model with this label.
fn python_name(label: &str) -> &'static str {
    match label {
        "voevent" => "VOEvent",
        "circular" => "GCNCircular",
        "gcntextnotice" => "GCNTextNotice",
        "blob" => "Blob",
        "json" => "JSONBlob",
        "avro" => "AvroBlob",
        "external" => "ExternalMessage",
        "donut" => "Donut",
        other => panic!("hop-client has no model labelled {other}"),
    }
}

/// The file of a fixture that starts so.
fn fixture(case: &str, name: &str) -> Option<PathBuf> {
    let entries = std::fs::read_dir(hop_tests::root().join("fixtures").join(case)).unwrap();
    entries.map(|entry| entry.unwrap().path()).find(|path| path.file_stem().is_some_and(|stem| stem == name))
}

fn content(case: &str) -> Vec<u8> {
    std::fs::read(fixture(case, "content").unwrap()).unwrap()
}

fn file(case: &str) -> PathBuf {
    fixture(case, "file").or_else(|| fixture(case, "content")).unwrap()
}

/// Every model that these tests know: hop's own, and the donut.
fn registry() -> Registry {
    use donut_model as _;
    Registry::builder().models(hop_models::MODELS).linked().build().unwrap()
}

fn bytes(content: impl AsRef<[u8]>) -> Json {
    json!({"$bytes": STANDARD.encode(content)})
}

/// A value as the scripts print it; README.md lists the keys with `$`.
fn as_printed(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => json!(value),
        Value::Int(value) => json!(value),
        Value::BigInt(digits) => digits.parse::<u64>().map_or_else(|_| json!({"$int": digits}), |value| json!(value)),
        Value::Float(value) if value.is_nan() => json!({"$float": "NaN"}),
        Value::Float(value) if value.is_infinite() && *value > 0.0 => json!({"$float": "Infinity"}),
        Value::Float(value) if value.is_infinite() => json!({"$float": "-Infinity"}),
        Value::Float(value) => json!(value),
        Value::String(text) => match text.as_str() {
            Some(text) => json!(text),
            None => json!({"$wtf8": STANDARD.encode(text.as_bytes())}),
        },
        Value::Bytes(content) => bytes(content),
        Value::Array(values) => values.iter().map(as_printed).collect(),
        Value::Object(object) => {
            let entries = object.iter().map(|(key, value)| (key.as_str().unwrap().to_owned(), as_printed(value)));
            Json::Object(entries.collect())
        }
    }
}

/// The same message, read by both clients.
struct Both {
    alert: Alert,
    python: Json,
}

impl Both {
    fn record(&self) -> &Record {
        &self.alert.record
    }

    /// That both found the model with this label, and the same fields in it.
    #[track_caller]
    fn agree(&self, label: &str) {
        let (model, mut theirs) = (&self.alert.model, self.python["fields"].clone());
        assert_eq!((model.format(), &self.python["model"]), (label, &json!(python_name(label))), "{}", self.python);
        if label == "voevent" {
            // What it keeps beside the fields: the document, or one that it makes of JSON of its former days.
            let raw = theirs.as_object_mut().unwrap().remove("_raw").unwrap();
            assert!(raw == self.python["raw"] || self.record().content.starts_with(b"{"), "{raw}");
        }
        assert_eq!(as_printed(&model.fields().unwrap()), theirs, "{}", self.python);
    }
}

/// All messages of a topic, test messages included, in the order of their offsets, as both clients read them.
///
/// What does not depend on the format is compared here: content, headers, key, place, time, and whether it is a test.
async fn read_by_both(python: &Python, broker: &Broker, topic: &str, count: usize) -> Vec<Both> {
    let theirs = python.receive(broker, topic, count, true);
    let ours = read(broker, topic, true).await;
    assert_eq!((ours.len(), theirs.len()), (count, count));
    ours.into_iter().zip(theirs).map(|(alert, python)| compare(alert, python)).collect()
}

fn compare(alert: Alert, python: Json) -> Both {
    let record = &alert.record;
    let place = record.place.as_ref().unwrap();
    let or_null = |value: Option<&bytes::Bytes>| value.map_or(Json::Null, bytes);
    let headers: Vec<Json> =
        record.headers.iter().map(|header| json!([header.name, or_null(header.value.as_ref())])).collect();
    let ours = json!({
        "raw": bytes(&record.content),
        "headers": headers,
        "key": or_null(record.key.as_ref()),
        "is_test": record.headers.is_test(),
        "id_bytes": record.headers.get("_id").map(<[u8]>::len),
        "topic": &*place.topic,
        "partition": place.partition,
        "offset": place.offset,
        "timestamp": record.timestamp,
    });
    for (name, value) in ours.as_object().unwrap() {
        assert_eq!(*value, python[name], "{name} of {python}");
    }
    Both { alert, python }
}

/// All messages of a topic with one partition, as hop reads them.
async fn read(broker: &Broker, topic: &str, test_messages: bool) -> Vec<Alert> {
    let hop = hop_tests::stream().registry(registry()).build().unwrap();
    let mut alerts = hop.subscribe(broker.url(topic)).test_messages(test_messages).await.unwrap();
    let mut out = Vec::new();
    while let Some(alert) = tokio::time::timeout(Duration::from_secs(60), alerts.next()).await.expect("nothing came") {
        out.push(alert.unwrap());
    }
    alerts.close().await.unwrap();
    out
}

/// That each has an `_id` of its own, a UUID of version 4.
#[track_caller]
fn fresh_ids<'a>(records: impl IntoIterator<Item = &'a Record>) {
    let mut seen = BTreeSet::new();
    for record in records {
        let id = record.headers.id().expect("16 bytes");
        assert_eq!(id.get_version_num(), 4);
        assert!(seen.insert(id), "{id} came twice");
    }
}

fn names(record: &Record) -> Vec<&str> {
    record.headers.iter().map(|header| &*header.name).collect()
}

/// The model that hop loads from the file of a fixture.
fn load(label: &str, case: &str) -> Box<dyn AnyModel> {
    let content = bytes::Bytes::from(std::fs::read(file(case)).unwrap());
    registry().require(label).unwrap().load((&content).into()).unwrap()
}
