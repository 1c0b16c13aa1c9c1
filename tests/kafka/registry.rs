//! Schemas from a registry: asked for once, and never waited for without end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hop_core::{ErrorKind as CoreKind, SchemaChain, SchemaId, SchemaSource, SchemaText, TopicRule, Value};
use hop_kafka::{ErrorKind, SchemaRegistry};
use hop_models::AvroBlob;
use hop_models::avro::Schema;
use hop_models::framing::{Confluent, EmbeddedSchemas, SubjectName};
use hop_tests::registry::{Answer, FakeRegistry, Request};
use hop_tests::{Broker, send_raw, stream};

use crate::next;

const ALERT: &str = r#"{"type": "record", "name": "a.alert", "fields": [{"name": "id", "type": "int"}]}"#;

hop_models::avsc!(Known = text r#"{"type": "record", "name": "a.alert", "fields": [{"name": "id", "type": "int"}]}"#);

fn seven(request: &Request) -> Answer {
    if request.line == "GET /api/schemas/ids/7" { Answer::schema(ALERT) } else { Answer::lacking() }
}

fn client(registry: &FakeRegistry) -> SchemaRegistry {
    SchemaRegistry::new(&registry.url()).unwrap().timeout(Duration::from_millis(700))
}

#[test]
fn a_schema_is_asked_for_once_and_one_that_is_not_there_not_again_at_once() {
    let registry = FakeRegistry::start(seven);
    let client = Arc::new(client(&registry).basic("ada", "secret-pw"));
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let client = Arc::clone(&client);
            std::thread::spawn(move || {
                for _ in 0..3 {
                    let found = client.schema(&SchemaId::Number(7)).unwrap().unwrap();
                    assert_eq!(found, SchemaText::avro(ALERT));
                    assert_eq!(client.schema(&SchemaId::Number(8)).unwrap(), None);
                    // Nothing that a registry knows.
                    assert_eq!(client.schema(&SchemaId::Fingerprint(8)).unwrap(), None);
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let requests = registry.requests();
    assert_eq!(requests.len(), 2, "{requests:?}");
    // `ada:secret-pw`.
    assert!(requests.iter().all(|request| request.authorization.as_deref() == Some("Basic YWRhOnNlY3JldC1wdw==")));
    assert!(!format!("{client:?}").contains("secret") && !format!("{client:?}").contains("YWRh"), "{client:?}");
}

#[test]
fn what_a_schema_refers_to_comes_along() {
    let registry = FakeRegistry::start(|request| match request.line.as_str() {
        "GET /api/schemas/ids/1" => Answer::Says(
            200,
            serde_json::json!({
                "schema": r#"{"type": "record", "name": "b.b", "fields": [{"name": "of", "type": "a.mid"}]}"#,
                "references": [{"name": "a.mid", "subject": "a/mid", "version": 2}],
            })
            .to_string(),
        ),
        "GET /api/subjects/a%2Fmid/versions/2?deleted=true" => Answer::Says(
            200,
            serde_json::json!({
                "schema": r#"{"type": "record", "name": "a.mid", "fields": [{"name": "of", "type": "a.alert"}]}"#,
                "references": [{"name": "a.alert", "subject": "alert", "version": 1}],
            })
            .to_string(),
        ),
        "GET /api/subjects/alert/versions/1?deleted=true" => Answer::Says(
            200,
            // It refers back, without end.
            serde_json::json!({"schema": ALERT, "references": [{"name": "a.mid", "subject": "a/mid", "version": 2}]})
                .to_string(),
        ),
        "GET /api/schemas/ids/2" => {
            Answer::Says(200, r#"{"schema": "\"int\"", "references": [{"subject": "gone", "version": 1}]}"#.to_owned())
        }
        "GET /api/schemas/ids/3" => Answer::Says(200, r#"{"schema": "{}", "schemaType": "JSON"}"#.to_owned()),
        _ => Answer::lacking(),
    });
    let client = client(&registry);
    let found = client.schema(&SchemaId::Number(1)).unwrap().unwrap();
    assert_eq!(registry.requests().len(), 3);
    let schema = Schema::parse_with(&found.text, found.references.iter().map(|text| &**text)).unwrap();
    assert_eq!(schema.json()["fields"][0]["type"]["fields"][0]["type"]["name"].as_str(), Some("a.alert"));
    let error = client.schema(&SchemaId::Number(2)).unwrap_err();
    assert!(error.to_string().contains("version 1 of `gone`"), "{error}");
    // One schema that is wrong is not the registry.
    assert_eq!(client.schema(&SchemaId::Number(3)).unwrap().unwrap().language.as_str(), "JSON");
}

#[test]
fn whatever_a_registry_does_ends_in_time_and_leaves_it_to_the_next_source() {
    let elsewhere = FakeRegistry::start(seven);
    let says = |status: u16, text: &str| Answer::Says(status, text.to_owned());
    let cases: Vec<(Answer, Option<CoreKind>, &str)> = vec![
        (Answer::lacking(), None, ""),
        (says(404, "<html>nothing here</html>"), Some(CoreKind::Unavailable), "answers 404: there is no registry"),
        (
            says(500, r#"{"error_code": 50001, "message": "secret-pw"}"#),
            Some(CoreKind::Unavailable),
            "answers 500 (50001)",
        ),
        (says(503, ""), Some(CoreKind::Unavailable), "answers 503"),
        (says(401, ""), Some(CoreKind::Unavailable), "username and password"),
        (says(403, "{}"), Some(CoreKind::Unavailable), "answers 403"),
        (says(200, "<html></html>"), Some(CoreKind::Unavailable), "not JSON"),
        (says(200, "[]"), Some(CoreKind::Unavailable), "not a JSON object"),
        (says(200, "{}"), Some(CoreKind::Unavailable), "without `schema`"),
        (says(200, r#"{"schema": 7}"#), Some(CoreKind::Unavailable), "without `schema`"),
        (says(200, r#"{"schema": "\"int\"", "references": 7}"#), Some(CoreKind::Unavailable), "not a list"),
        (says(200, &"[".repeat(100_000)), Some(CoreKind::Unavailable), "not JSON"),
        (Answer::Moved(format!("{}/schemas/ids/7", elsewhere.url())), Some(CoreKind::Unavailable), "redirections"),
        (Answer::Hangs, Some(CoreKind::Unavailable), "did not answer in time"),
        (Answer::Drips, Some(CoreKind::Unavailable), "did not answer in time"),
        (Answer::Endless, Some(CoreKind::Unavailable), "longer than 4194304 bytes"),
        (Answer::Closes, Some(CoreKind::Unavailable), "schema registry"),
        (Answer::Garbage, Some(CoreKind::Unavailable), "schema registry"),
        (
            Answer::Slowly(Duration::from_secs(3), 200, "{}".to_owned()),
            Some(CoreKind::Unavailable),
            "did not answer in time",
        ),
    ];
    for (answer, kind, words) in cases {
        let registry = FakeRegistry::start({
            let answer = answer.clone();
            move |_| answer.clone()
        });
        let client = Arc::new(client(&registry).basic("ada", "secret-pw"));
        let started = Instant::now();
        let found = client.schema(&SchemaId::Number(7));
        assert!(started.elapsed() < Duration::from_secs(2), "{answer:?}: {:?}", started.elapsed());
        match kind {
            None => assert_eq!(found.unwrap(), None),
            Some(kind) => {
                let error = found.unwrap_err();
                assert_eq!(error.kind(), kind, "{answer:?}");
                assert!(error.to_string().contains(words), "{answer:?}: {error}");
                assert!(!format!("{error} {error:?}").contains("secret-pw"), "{error:?}");
            }
        }
        // Asked again at once, it is not waited for; and the next source answers.
        let started = Instant::now();
        let next: Arc<dyn SchemaSource> = Arc::new(EmbeddedSchemas::new().with::<Known>(7).unwrap());
        let chain = SchemaChain::new([client as Arc<dyn SchemaSource>, next]);
        assert_eq!(chain.schema(&SchemaId::Number(7)).unwrap(), Some(SchemaText::avro(ALERT)), "{answer:?}");
        assert!(started.elapsed() < Duration::from_millis(300), "{answer:?}: {:?}", started.elapsed());
        assert_eq!(registry.requests().len(), 1, "{answer:?}");
    }
    // Nothing was followed, and so no login went elsewhere.
    assert!(elsewhere.requests().is_empty());
    // Nothing listens.
    let dead = SchemaRegistry::new("http://127.0.0.1:1").unwrap();
    let error = dead.schema(&SchemaId::Number(7)).unwrap_err();
    assert!(error.to_string().contains("cannot be reached"), "{error}");
    // A login does not go over the network in the clear, in whatever header.
    let plain = || SchemaRegistry::new("http://registry.example.org").unwrap();
    for plain in [plain().bearer("secret-token"), plain().header("X-Registry-Key", "secret-token")] {
        let error = plain.schema(&SchemaId::Number(7)).unwrap_err();
        assert!(error.to_string().contains("in the clear") && !error.to_string().contains("secret-token"), "{error}");
    }
    for wrong in ["registry", "ftp://registry", "https://ada:secret-pw@registry", "https://registry?x=1", "https://"] {
        let error = SchemaRegistry::new(wrong).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{wrong}");
        assert!(!error.to_string().contains("secret-pw"), "{error}");
    }
}

#[test]
fn one_schema_that_the_registry_does_not_give_keeps_no_other_from_being_read() {
    let says = |status: u16, text: &str| Answer::Says(status, text.to_owned());
    for wrong in [
        says(500, r#"{"error_code": 50001, "message": "broken"}"#),
        says(503, ""),
        says(404, "<html>nothing here</html>"),
        says(403, r#"{"error_code": 40301, "message": "not yours"}"#),
        says(200, "<html></html>"),
        says(200, r#"{"schema": "\"int\"", "references": 7}"#),
        Answer::Moved("http://127.0.0.1:1/".to_owned()),
        Answer::Endless,
        Answer::Closes,
        Answer::Garbage,
        Answer::Hangs,
        Answer::Drips,
    ] {
        let registry = FakeRegistry::start({
            let wrong = wrong.clone();
            move |request| match request.line.as_str() {
                "GET /api/schemas/ids/9" => wrong.clone(),
                _ => seven(request),
            }
        });
        let client = client(&registry);
        for _ in 0..3 {
            let error = client.schema(&SchemaId::Number(9)).unwrap_err();
            assert_eq!(error.kind(), CoreKind::Unavailable, "{wrong:?}");
        }
        assert!(client.schema(&SchemaId::Number(7)).unwrap().is_some(), "{wrong:?}");
        // What failed is left alone meanwhile.
        assert_eq!(registry.requests().len(), 2, "{wrong:?}");
    }
}

#[test]
fn a_schema_that_is_waited_for_holds_up_no_other() {
    let registry = FakeRegistry::start(|request| match request.line.as_str() {
        "GET /api/schemas/ids/9" => Answer::Hangs,
        _ => seven(request),
    });
    let client = Arc::new(client(&registry).timeout(Duration::from_secs(3)));
    let waiting: Vec<_> = (0..2)
        .map(|_| {
            let client = Arc::clone(&client);
            std::thread::spawn(move || client.schema(&SchemaId::Number(9)).unwrap_err())
        })
        .collect();
    std::thread::sleep(Duration::from_millis(200));
    let started = Instant::now();
    assert!(client.schema(&SchemaId::Number(7)).unwrap().is_some());
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    for waiting in waiting {
        assert!(waiting.join().unwrap().to_string().contains("did not answer in time"));
    }
    assert_eq!(registry.requests().len(), 2);
}

#[test]
fn a_registry_that_answers_nothing_is_not_waited_for_by_each_schema() {
    let registry = FakeRegistry::start(|_| Answer::Hangs);
    let client = client(&registry).timeout(Duration::from_millis(300));
    let started = Instant::now();
    for number in 0..200 {
        let error = client.schema(&SchemaId::Number(number)).unwrap_err();
        assert!(error.to_string().contains("did not answer in time"), "{error}");
    }
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    assert_eq!(registry.requests().len(), 3);
}

#[test]
fn what_a_registry_lacks_is_no_sign_that_it_answers() {
    let registry = FakeRegistry::start(|request| match request.line.as_str() {
        "GET /api/schemas/ids/7" => Answer::schema(ALERT),
        line if line.ends_with("00") => Answer::lacking(),
        _ => Answer::Hangs,
    });
    let client = client(&registry).timeout(Duration::from_millis(300));
    let started = Instant::now();
    for number in 1..60 {
        assert_eq!(client.schema(&SchemaId::Number(number * 100)).is_err(), number > 3, "{number}");
        client.schema(&SchemaId::Number(number)).unwrap_err();
    }
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    assert_eq!(registry.requests().len(), 6);
    // What it finds is one.
    let client = self::client(&registry).timeout(Duration::from_millis(300));
    for number in [1, 2] {
        client.schema(&SchemaId::Number(number)).unwrap_err();
    }
    client.schema(&SchemaId::Number(7)).unwrap().unwrap();
    client.schema(&SchemaId::Number(3)).unwrap_err();
    assert_eq!(client.schema(&SchemaId::Number(100)).unwrap(), None);
}

#[test]
fn what_a_schema_refers_to_is_bounded_in_bytes_and_named_by_one_segment_of_the_path() {
    let registry = FakeRegistry::start(|request| {
        let refers = |references: serde_json::Value, text: &str| {
            Answer::Says(200, serde_json::json!({ "schema": text, "references": references }).to_string())
        };
        let reference = |subject: &str| serde_json::json!({ "name": "n", "subject": subject, "version": 1 });
        match request.line.as_str() {
            "GET /api/schemas/ids/1" => refers((0..20).map(|n| reference(&format!("s{n}"))).collect(), "1"),
            line if line.starts_with("GET /api/subjects/s") => Answer::schema(&"x".repeat(1 << 20)),
            "GET /api/schemas/ids/2" => refers(["..", ".", "../../admin", "a b?c#d"].map(reference).into(), "2"),
            "GET /api/schemas/ids/3" => {
                Answer::Says(200, r#"{"schema": "3", "references": [{"subject": "s", "version": -1}]}"#.to_owned())
            }
            _ => Answer::schema("\"int\""),
        }
    });
    let client = client(&registry).timeout(Duration::from_secs(10));
    let error = client.schema(&SchemaId::Number(1)).unwrap_err();
    assert!(error.to_string().contains("takes more than 8388608 bytes"), "{error}");
    assert!(registry.requests().len() < 12, "{}", registry.requests().len());
    let before = registry.requests().len();
    client.schema(&SchemaId::Number(2)).unwrap().unwrap();
    let lines: Vec<String> = registry.requests().into_iter().skip(before + 1).map(|request| request.line).collect();
    assert_eq!(
        lines,
        ["a%20b%3Fc%23d", "..%2F..%2Fadmin", "%2E", "%2E%2E"]
            .map(|subject| format!("GET /api/subjects/{subject}/versions/1?deleted=true"))
    );
    let error = client.schema(&SchemaId::Number(3)).unwrap_err();
    assert!(error.to_string().contains("without subject and version"), "{error}");
}

#[test]
fn a_registry_at_an_ipv6_address_finds_its_credential() {
    let registry = FakeRegistry::on(std::net::Ipv6Addr::LOCALHOST.into(), seven);
    let port = registry.address().port();
    let hostname = format!("[0:0:0:0:0:0:0:1]:{port}");
    let credential = hop_kafka::Credential::new("ada", "secret-pw").hostname(hostname);
    for url in [registry.url(), format!("http://[0::1]:{port}/api")] {
        let client = SchemaRegistry::with_auth(&url, &hop_kafka::Auth::Credentials(vec![credential.clone()])).unwrap();
        assert!(client.schema(&SchemaId::Number(7)).unwrap().is_some());
    }
    let requests = registry.requests();
    assert!(
        requests.iter().all(|request| request.authorization.as_deref() == Some("Basic YWRhOnNlY3JldC1wdw==")),
        "{requests:?}"
    );
}

fn framed(id: u8, datum: u8) -> Vec<u8> {
    vec![0, 0, 0, 0, id, datum]
}

#[tokio::test]
async fn a_stream_keeps_its_order_and_goes_on_whatever_the_registry_does() {
    // Schema 7 comes late, 8 is not there, and for 9 the registry hangs.
    let registry = FakeRegistry::start(|request| match request.line.as_str() {
        "GET /api/schemas/ids/7" => {
            let body = serde_json::json!({ "schema": ALERT }).to_string();
            Answer::Slowly(Duration::from_millis(300), 200, body)
        }
        "GET /api/schemas/ids/9" => Answer::Hangs,
        _ => Answer::lacking(),
    });
    let broker = Broker::new();
    let topic = broker.topic(1).await;
    let ids = [7, 8, 7, 9, 7, 9, 7];
    for (at, id) in ids.into_iter().enumerate() {
        send_raw(broker.address(), &topic, &framed(id, u8::try_from(at * 2).unwrap()), &[]);
    }
    for threads in [0, 3] {
        let source = client(&registry);
        let hop = stream().schema_source(Arc::new(source)).build().unwrap();
        let rule = TopicRule::new(&topic, "avro").unwrap().framed_as("confluent");
        let mut alerts = hop.subscribe(broker.url(&topic)).topic_rule(rule).decoding_threads(threads).await.unwrap();
        let started = Instant::now();
        let mut outcomes = Vec::new();
        while let Some(alert) = next(&mut alerts).await {
            outcomes.push(match alert {
                Ok(alert) => {
                    let id = alert.get::<AvroBlob>().unwrap().record().unwrap()["id"].as_i64();
                    (alert.record.place.unwrap().offset, id, None)
                }
                Err(error) => {
                    let why = if error.to_string().contains("schema 8") { "unknown" } else { "late" };
                    assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
                    (error.record().unwrap().place.clone().unwrap().offset, None, Some(why))
                }
            });
        }
        let expected: Vec<_> = ids
            .into_iter()
            .zip(0..)
            .map(|(id, at)| match id {
                7 => (at, Some(at), None),
                8 => (at, None, Some("unknown")),
                _ => (at, None, Some("late")),
            })
            .collect();
        assert_eq!(outcomes, expected, "{threads} threads");
        // One time-out, not one for each message.
        assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    }
}

#[tokio::test]
async fn what_a_writer_sends_by_a_registry_is_read_by_it() {
    let registry = FakeRegistry::start(|request| match request.line.as_str() {
        line if line.starts_with("POST /api/subjects/") && line.contains("/versions") => {
            assert!(request.body.contains("a.alert"), "{request:?}");
            Answer::Slowly(Duration::from_millis(200), 200, r#"{"id": 7}"#.to_owned())
        }
        // Looked up alone, it is not there.
        line if line.starts_with("POST /api/subjects/") => {
            Answer::Says(404, r#"{"error_code": 40403, "message": "Schema not found"}"#.to_owned())
        }
        _ => seven(request),
    });
    let broker = Broker::new();
    let topic = broker.topic(1).await;
    let schemas: Arc<dyn SchemaSource> = Arc::new(client(&registry).registering(true));
    let hop = stream().schema_source(Arc::clone(&schemas)).build().unwrap();
    let framing = Arc::new(Confluent::new(schemas).subject(SubjectName::TopicRecord));
    let out = hop.publish(broker.url(&topic)).framing(framing).await.unwrap();
    let alert = |id: i64| {
        let alert = AvroBlob::new(Value::object([("id", Value::Int(id))]));
        alert.with_schema(Schema::parse(ALERT).unwrap()).unwrap()
    };
    for id in 1..=3 {
        out.write(&alert(id)).header("n", "1").send().await.unwrap();
    }
    // What the framing does not take is that message's error.
    let error = out.write(&crate::json(1)).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Encode, "{error}");
    out.close().await.unwrap();
    let posts: Vec<_> = registry.requests().into_iter().filter(|request| request.line.starts_with("POST")).collect();
    let [post] = posts.as_slice() else { panic!("{posts:?}") };
    assert_eq!(post.line, format!("POST /api/subjects/{topic}-a.alert/versions?normalize=false"));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&post.body).unwrap(), serde_json::json!({ "schema": ALERT }));

    let rule = TopicRule::new(&topic, "avro").unwrap().framed_as("confluent");
    let mut alerts = hop.subscribe(broker.url(&topic)).topic_rule(rule).await.unwrap();
    for id in 1..=3 {
        let read = next(&mut alerts).await.unwrap().unwrap();
        assert_eq!(read.get::<AvroBlob>().unwrap().record().unwrap()["id"].as_i64(), Some(id));
        let names: Vec<_> = read.record.headers.iter().map(|header| &*header.name).collect();
        assert_eq!(names, ["n", "_id"]);
        assert_eq!(read.record.content.as_bytes().unwrap()[..5], [0, 0, 0, 0, 7]);
    }
    assert!(next(&mut alerts).await.is_none());

    // A registry that is only looked up, and does not have it.
    let out = hop.publish(broker.url(&topic)).framing(Arc::new(Confluent::new(Arc::new(client(&registry)))));
    let error = out.await.unwrap().write(&alert(4)).send().await.unwrap_err();
    assert!(error.to_string().contains("does not have the schema under subject"), "{error}");
}

#[derive(Debug)]
struct Panics;

impl hop_core::Framing for Panics {
    fn name(&self) -> &str {
        "panics"
    }

    fn unwrap(&self, _frame: &hop_core::Frame<'_>) -> Result<bytes::Bytes, hop_core::Error> {
        panic!("in unwrap")
    }

    fn wrap(&self, _topic: &str, _message: hop_core::Outgoing) -> Result<hop_core::Outgoing, hop_core::Error> {
        panic!("in wrap")
    }

    fn may_wait(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn a_panic_in_a_framing_is_that_messages_error() {
    let broker = Broker::new();
    let topic = broker.topic(1).await;
    send_raw(broker.address(), &topic, b"one", &[]);
    send_raw(broker.address(), &topic, b"2", &[("_format", Some(b"json"))]);
    let hop = stream().build().unwrap();
    let rule = TopicRule::new(&topic, "json").unwrap().framed(Arc::new(Panics));
    let mut alerts = hop.subscribe(broker.url(&topic)).topic_rule(rule).await.unwrap();
    let error = next(&mut alerts).await.unwrap().unwrap_err();
    assert!(error.to_string().contains("in unwrap"), "{error}");
    assert!(next(&mut alerts).await.unwrap().is_ok());
    let out = hop.publish(broker.url(&topic)).framing(Arc::new(Panics)).await.unwrap();
    let error = out.write(&crate::json(1)).send().await.unwrap_err();
    assert!(error.to_string().contains("in wrap"), "{error}");
}
