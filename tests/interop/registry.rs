//! Avro by a real schema registry: what confluent-kafka's serializer writes is read, and its deserializer reads what is
//! written here.

use std::sync::Arc;

use hop_core::{SchemaSource, TopicRule, Value};
use hop_kafka::SchemaRegistry;
use hop_models::AvroBlob;
use hop_models::avro::Schema;
use hop_models::framing::{Confluent, SubjectName};
use hop_tests::Broker;
use serde_json::json;

use crate::python::{Python, lines};

/// The registry that the tests are to use; see `tests/registry/up`.
const REGISTRY_VARIABLE: &str = "HOP_TEST_REGISTRY";

const ALERT: &str = r#"{"type": "record", "name": "alert", "namespace": "org.example", "fields": [
    {"name": "id", "type": "long"}, {"name": "magnitude", "type": ["null", "double"], "default": null},
    {"name": "site", "type": "org.example.site"}]}"#;
const SITE: &str = r#"{"type": "record", "name": "org.example.site", "fields": [{"name": "name", "type": "string"}]}"#;

fn set_up(test: &str) -> Option<(Python, Broker, String)> {
    let Ok(registry) = std::env::var(REGISTRY_VARIABLE) else {
        hop_tests::skip(test, "it needs a schema registry: eval \"$(tests/registry/up)\"");
        return None;
    };
    let (python, broker) = Python::or_skip(test)?;
    Some((python, broker, registry))
}

fn script(python: &Python, broker: &Broker, registry: &str, topic: &str, what: &str, options: &[&str]) -> String {
    let path = hop_tests::root().join("tests/interop/registry.py");
    let finished = python
        .program(&[path.to_str().unwrap(), what])
        .args(["--broker", broker.address(), "--registry", registry, "--topic", topic, "--timeout", "60"])
        .args(options)
        .run();
    finished.expect(0).to_owned()
}

#[tokio::test]
async fn what_confluents_serializer_writes_is_read() {
    let Some((python, broker, registry)) = set_up("what_confluents_serializer_writes_is_read") else { return };
    let topic = broker.topic(1).await;
    let simple = r#"{"type": "record", "name": "plain", "fields": [{"name": "n", "type": "int"}]}"#;
    // The registry outlives a run of the tests.
    let site = format!("{topic}-site");
    let cases = json!([
        {"schema": simple, "value": {"n": 1}},
        {"schema": simple, "value": {"n": 2}, "strategy": "record"},
        {"schema": simple, "value": {"n": 3}, "strategy": "topic-record"},
        {"schema": ALERT, "references": {site.as_str(): SITE}, "strategy": "topic-record",
         "value": {"id": 4, "magnitude": 19.5, "site": {"name": "La Silla"}}},
    ]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cases.json");
    std::fs::write(&path, cases.to_string()).unwrap();
    script(&python, &broker, &registry, &topic, "write", &["--cases", path.to_str().unwrap()]);

    let source = Arc::new(SchemaRegistry::new(&registry).unwrap());
    let hop = hop_tests::stream().schema_source(source).build().unwrap();
    let rule = TopicRule::new(&topic, "avro").unwrap().framed_as("confluent");
    let mut alerts = hop.subscribe(broker.url(&topic)).topic_rule(rule).await.unwrap();
    for case in cases.as_array().unwrap() {
        let alert = alerts.next().await.unwrap().unwrap();
        let content = alert.get::<AvroBlob>().unwrap().content().unwrap();
        let read: serde_json::Value = serde_json::from_str(&content.to_string()).unwrap();
        assert_eq!(read, case["value"]);
    }
    assert!(alerts.next().await.is_none());
}

#[tokio::test]
async fn confluents_deserializer_reads_what_is_written_here() {
    let Some((python, broker, registry)) = set_up("confluents_deserializer_reads_what_is_written_here") else { return };
    let topic = broker.topic(1).await;
    let schema = Schema::parse_with(ALERT, [SITE]).unwrap();
    let values: Vec<Value> = (0..3)
        .map(|id| {
            let site = Value::object([("name", "Paranal".into())]);
            Value::object([("id", Value::Int(id)), ("magnitude", Value::Null), ("site", site)])
        })
        .collect();
    for subject in [SubjectName::Topic, SubjectName::Record, SubjectName::TopicRecord] {
        let source: Arc<dyn SchemaSource> = Arc::new(SchemaRegistry::new(&registry).unwrap().registering(true));
        let framing = Arc::new(Confluent::new(source).subject(subject));
        let hop = hop_tests::stream().build().unwrap();
        let out = hop.publish(broker.url(&topic)).framing(framing).await.unwrap();
        for value in &values {
            let alert = AvroBlob::new(value.clone()).with_schema(schema.clone()).unwrap();
            out.write(&alert).send().await.unwrap();
        }
        out.close().await.unwrap();
        // What is registered now is found by a writer that only looks up.
        let source: Arc<dyn SchemaSource> = Arc::new(SchemaRegistry::new(&registry).unwrap());
        let framing = Arc::new(Confluent::new(source).subject(subject));
        let out = hop.publish(broker.url(&topic)).framing(framing).await.unwrap();
        let alert = AvroBlob::new(values[0].clone()).with_schema(schema.clone()).unwrap();
        out.write(&alert).send().await.unwrap();
        out.close().await.unwrap();
    }
    let read = lines(&script(&python, &broker, &registry, &topic, "read", &["--count", "12"]));
    let expected: Vec<serde_json::Value> =
        values.iter().chain([&values[0]]).map(|value| serde_json::from_str(&value.to_string()).unwrap()).collect();
    for read in read.chunks(4) {
        assert_eq!(read, expected);
    }
}
