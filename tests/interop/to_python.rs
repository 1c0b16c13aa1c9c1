use std::time::Duration;

use donut_model::{Coincidence, Detector, Direction, Donut, SnewsAlert, Status};
use hop_core::{AnyModel, Blob, JsonBlob, MessageModel as _, Route, Value};
use hop_kafka::Publisher;
use hop_models::voevent::{Cite, NewGroup, NewParam, Observation, Role};
use hop_models::{AvroBlob, Circular, External, TextNotice, VoEvent};
use hop_tests::{Broker, send_raw};
use serde_json::{Value as Json, json};

use crate::python::Python;
use crate::{Both, FILES, as_printed, content, fresh_ids, load, names, read, read_by_both, registry};

/// A new topic, and a publisher to it.
async fn publisher(broker: &Broker) -> (String, Publisher) {
    let topic = broker.topic(1).await;
    let hop = hop_tests::stream().registry(registry()).build().unwrap();
    let out = hop.publish(broker.url(&topic)).produce_timeout(Duration::from_secs(30)).await.unwrap();
    (topic, out)
}

async fn send(out: Publisher, models: &[Box<dyn AnyModel>]) {
    for model in models {
        out.write(&**model).send().await.unwrap();
    }
    out.close().await.unwrap();
}

/// That what came is the model that was sent, in both clients.
#[track_caller]
fn as_sent(both: &Both, model: &dyn AnyModel) {
    // A model of a topic travels under the label that hop-client reads.
    let label = model.sent_as();
    assert_eq!(both.alert.route, Route::Header);
    assert_eq!(both.record().content, model.encode().unwrap(), "{}", both.python);
    assert_eq!(both.record().headers.get("_format"), Some(label.as_bytes()));
    both.agree(label);
    if model.format() == label {
        assert_eq!(both.alert.model.fields().unwrap(), model.fields().unwrap());
    }
}

#[tokio::test]
async fn every_format_from_its_file_is_read_the_same() {
    let Some((python, broker)) = Python::or_skip("every_format_from_its_file_is_read_the_same (to Python)") else {
        return;
    };
    let (topic, out) = publisher(&broker).await;
    let mut names_of = Vec::new();
    let mut models = Vec::new();
    for (label, cases) in FILES {
        for case in cases {
            names_of.push(*case);
            models.push(load(label, case));
        }
    }
    send(out, &models).await;
    let both = read_by_both(&python, &broker, &topic, models.len()).await;
    for ((both, model), case) in both.iter().zip(&models).zip(names_of) {
        println!("to Python: {case}");
        as_sent(both, &**model);
        assert_eq!(names(both.record()), ["_id", "_format"]);
    }
    fresh_ids(both.iter().map(Both::record));
    println!("published by hop from files: {} agree", both.len());
}

fn event() -> VoEvent {
    VoEvent::builder("ivo://example.hop/survey#17", Role::Observation)
        .author_ivorn("ivo://example.hop/survey")
        .date("2026-01-31T04:06:00Z".parse().unwrap())
        .contact_name("R. Óbserver & Co <x>")
        .param(NewParam::new("magnitude", 17.42).unit("mag").ucd("phot.mag;em.opt.R"))
        .param(NewParam::new("note", "a < b && \"c\"").description("an \u{1F600}"))
        .group(NewGroup::new("image").param(NewParam::new("exposure", 60).unit("s")))
        .observation(Observation::new("2026-01-31T04:05:06.25Z".parse().unwrap(), 150.11625, -2.20583, 0.0003))
        .importance(0.6)
        .citation(Cite::Followup, "ivo://example.hop/survey#16")
        .build()
        .unwrap()
}

/// As users make them in their programs.
#[tokio::test]
async fn every_format_made_in_rust_is_read_the_same() {
    let Some((python, broker)) = Python::or_skip("every_format_made_in_rust_is_read_the_same") else { return };
    let (topic, out) = publisher(&broker).await;
    let alert = Value::object([
        ("name", "ZTF26aaaaaaa".into()),
        ("magnitude", 19.5.into()),
        ("count", i64::MIN.into()),
        ("cutout", Value::Bytes(bytes::Bytes::from_static(b"\x1f\x8b\x00"))),
        ("prior", vec![Value::Null, Value::object([("magnitude", Value::Null)])].into()),
        ("flags", vec![true.into(), "é".into()].into()),
        ("nothing", Value::Array(Vec::new())),
    ]);
    let donut = Donut { category: "cäke".into(), flavor: "a \"quoted\"\n\t\u{1F600}".into(), has_filling: false };
    let mut models: Vec<Box<dyn AnyModel>> = vec![
        Box::new(event()),
        Box::new(Circular::new([("TITLE", "GCN CIRCULAR"), ("NUMBER", "99003"), ("SUBJECT", "Nóva")], "Body\n")),
        Box::new(TextNotice::load("TITLE: GCN/TEST NOTICE\nCOMMENTS: one\nCOMMENTS: two\n".into()).unwrap()),
        Box::new(AvroBlob::new(alert.clone())),
        Box::new(External::new("https://example.org/msg/ü?a=b")),
        Box::new(JsonBlob::from(Value::object([("a", vec![1.into(), 2.5.into()].into())]))),
        Box::new(Blob::from(&b"\x00\xff"[..])),
        Box::new(Blob::default()),
        Box::new(donut),
    ];
    models
        .extend(registry().iter().filter(|model| model.format() != "snews-alert").filter_map(|model| model.example()));
    assert_eq!(models.len(), 20);
    send(out, &models).await;
    let both = read_by_both(&python, &broker, &topic, models.len()).await;
    for (both, model) in both.iter().zip(&models) {
        println!("to Python, made in Rust: {}", model.format());
        as_sent(both, &**model);
    }
    assert_eq!(both[3].python["fields"]["content"], as_printed(&alert));
    println!("made in Rust: {} agree", both.len());
}

/// What hop relays stays what it was, byte for byte; an event of before 0.12 goes on as the XML that it was made from.
#[tokio::test]
async fn what_is_passed_on_is_not_touched() {
    let Some((python, broker)) = Python::or_skip("what_is_passed_on_is_not_touched") else { return };
    let (topic, out) = publisher(&broker).await;
    let all = [
        ("voevent", "voevent/hop-0.11/json"),
        ("voevent", "voevent/hop-0.11/units"),
        ("voevent", "voevent/v2.0/interleaved"),
        ("avro", "avro/logical/all"),
        ("avro", "avro/survey/alert"),
        ("gcntextnotice", "gcntextnotice/swift/crlf"),
        ("circular", "circular/hop/not-ascii"),
    ];
    let decode = |(label, case)| {
        let content = bytes::Bytes::from(content(case));
        registry().require(label).unwrap().decode((&content).into()).unwrap()
    };
    let models: Vec<_> = all.map(decode).into();
    send(out, &models).await;
    let both = read_by_both(&python, &broker, &topic, all.len()).await;
    for (both, (label, case)) in both.iter().zip(all) {
        println!("passed on to Python: {case}");
        if case.contains("hop-0.11") {
            assert!(both.record().content.starts_with(b"<?xml "), "{}", both.python);
            let before = registry().require(label).unwrap().decode(content(case).as_slice().into()).unwrap();
            assert_eq!(both.alert.model.fields().unwrap(), before.fields().unwrap());
        } else {
            assert_eq!(both.record().content, content(case));
        }
        both.agree(label);
    }
}

#[tokio::test]
async fn headers_and_keys_come_as_they_were_set() {
    let Some((python, broker)) = Python::or_skip("headers_and_keys_come_as_they_were_set (to Python)") else { return };
    let (topic, out) = publisher(&broker).await;
    let keys: [Option<&[u8]>; 4] = [None, Some("kéy".as_bytes()), Some(b"\x00\xff\x80"), Some(b"")];
    for (at, key) in keys.iter().enumerate() {
        let message = JsonBlob::from(Value::from(at as i64));
        let list = [("instrument", "H1"), ("instrument", "V1")];
        let mut write = out
            .write(&message)
            .headers(list.map(|(name, value)| (name, Some(value))))
            .header("raw", b"\x00\xff")
            .null_header("note")
            .header("empty", "")
            .header("ключ", "é")
            .test(at % 2 == 1);
        if let Some(key) = key {
            write = write.key(key);
        }
        write.send().await.unwrap();
    }
    out.close().await.unwrap();
    let both = read_by_both(&python, &broker, &topic, keys.len()).await;
    for ((at, both), key) in both.iter().enumerate().zip(keys) {
        both.agree("json");
        assert_eq!(both.record().key.as_deref(), key);
        let mut expected = vec!["instrument", "instrument", "raw", "note", "empty", "ключ", "_id"];
        expected.extend((at % 2 == 1).then_some("_test"));
        expected.push("_format");
        // In Python's own words.
        let named: Vec<&str> =
            both.python["headers"].as_array().unwrap().iter().map(|header| header[0].as_str().unwrap()).collect();
        assert_eq!(named, expected);
        assert_eq!(both.python["headers"][3], json!(["note", null]));
        assert_eq!(both.python["id_bytes"], 16);
    }
    fresh_ids(both.iter().map(Both::record));
}

#[tokio::test]
async fn test_messages_are_skipped_unless_asked_for() {
    let Some((python, broker)) = Python::or_skip("test_messages_are_skipped_unless_asked_for (to Python)") else {
        return;
    };
    let (topic, out) = publisher(&broker).await;
    for number in 0..4_i64 {
        out.write(&JsonBlob::from(Value::from(number))).test(number % 2 == 1).send().await.unwrap();
    }
    out.close().await.unwrap();
    let both = read_by_both(&python, &broker, &topic, 4).await;
    let marked: Vec<_> = both.iter().map(|both| both.python["is_test"].as_bool().unwrap()).collect();
    assert_eq!(marked, [false, true, false, true]);
    assert_eq!(both[1].record().headers.get("_test"), Some(&b"true"[..]));
    let content = |message: &Json| message["fields"]["content"].as_i64();
    let theirs: Vec<_> = python.receive(&broker, &topic, 2, false).iter().map(content).collect();
    let ours: Vec<_> = read(&broker, &topic, false)
        .await
        .iter()
        .map(|alert| alert.get::<JsonBlob>().unwrap().content.as_i64())
        .collect();
    assert_eq!((&theirs, &ours), (&vec![Some(0), Some(2)], &theirs));
}

#[tokio::test]
async fn numbers_and_text_beyond_json_come_whole() {
    let Some((python, broker)) = Python::or_skip("numbers_and_text_beyond_json_come_whole (to Python)") else { return };
    let (topic, out) = publisher(&broker).await;
    let half = Value::from_json(r#"["\ud83d", "a\u201c\udc00b", "\ud83d\ude00"]"#).unwrap();
    let value = Value::object([
        (
            "numbers",
            vec![
                f64::NAN.into(),
                f64::INFINITY.into(),
                f64::NEG_INFINITY.into(),
                0.1.into(),
                1e300.into(),
                (-0.0).into(),
                5e-324.into(),
            ]
            .into(),
        ),
        ("integers", vec![i64::MIN.into(), u64::MAX.into(), i128::MIN.into(), u128::MAX.into()].into()),
        ("half", half),
        ("", Value::Null),
    ]);
    send(out, &[Box::new(JsonBlob::from(value.clone()))]).await;
    let both = read_by_both(&python, &broker, &topic, 1).await;
    both[0].agree("json");
    assert_eq!(
        both[0].python["fields"]["content"],
        json!({
            "numbers": [{"$float": "NaN"}, {"$float": "Infinity"}, {"$float": "-Infinity"}, 0.1, 1e300, -0.0, 5e-324],
            "integers": [i64::MIN, u64::MAX, {"$int": i128::MIN.to_string()}, {"$int": u128::MAX.to_string()}],
            "half": [{"$wtf8": "7aC9"}, {"$wtf8": "YeKAnO2wgGI="}, "\u{1F600}"],
            "": null,
        })
    );
}

fn supernova() -> SnewsAlert {
    SnewsAlert {
        id: "SNEWS_Coincidence_ALERT_1".into(),
        status: Status::Test,
        sent: "2026-03-04T05:06:07Z".into(),
        coincidence: Coincidence {
            first: "2026-03-04T05:05:58.123456789Z".into(),
            window: 10.0,
            p_value: Some(1e-9),
            false_alarms_per_year: Some(f64::INFINITY),
        },
        detectors: vec![
            Detector {
                name: "Super-K".into(),
                events: Some(u64::MAX),
                direction: Some(Direction { ra: 281.5, dec: -12.25, radius_90: 4.0 }),
            },
            Detector { name: "IceCube".into(), events: None, direction: None },
        ],
        comments: vec!["für alle".into()],
    }
}

/// hop-client has no model labelled `snews-alert`: it says so, and hands over the bytes.
#[tokio::test]
async fn a_label_that_python_does_not_know_is_a_blob_there() {
    let Some((python, broker)) = Python::or_skip("a_label_that_python_does_not_know_is_a_blob_there") else { return };
    let (topic, out) = publisher(&broker).await;
    let alert = supernova();
    out.write(&alert).send().await.unwrap();
    // The same value without a model, for whoever is to read it anywhere.
    let value = Value::of(&alert).unwrap();
    out.write(&JsonBlob::from(value.clone())).send().await.unwrap();
    out.close().await.unwrap();
    send_raw(broker.address(), &topic, b"\x00\x01", &[("_format", Some(b"nobody"))]);

    let both = read_by_both(&python, &broker, &topic, 3).await;
    assert_eq!(both[0].alert.get::<SnewsAlert>(), Some(&alert));
    assert_eq!((&both[0].python["model"], &both[0].python["format"]), (&json!("Blob"), &json!("snews-alert")));
    assert_eq!(both[0].python["fields"]["content"], both[0].python["raw"]);
    both[1].agree("json");
    assert_eq!(both[1].python["fields"]["content"], as_printed(&value));
    assert_eq!(both[1].record().content, both[0].record().content);
    both[2].agree("blob");
    assert_eq!(both[2].alert.route, Route::UnknownFormat { label: "nobody".into() });
}
