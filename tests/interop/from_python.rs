use hop_core::{JsonBlob, Route};
use serde_json::{Value as Json, json};

use crate::python::Python;
use crate::{Both, FILES, bytes, content, file, fixture, fresh_ids, load, names, read, read_by_both};

/// That what was read is what hop-client handed to Kafka.
#[track_caller]
fn as_sent(both: &Both, sent: &Json) {
    for (name, of_sent) in [("raw", "content"), ("headers", "headers"), ("key", "key"), ("offset", "offset")] {
        assert_eq!(both.python[name], sent[of_sent], "{name} of {sent}");
    }
}

#[tokio::test]
async fn every_format_from_its_file_is_read_the_same() {
    let Some((python, broker)) = Python::or_skip("every_format_from_its_file_is_read_the_same") else { return };
    let topic = broker.topic(1).await;
    let all: Vec<(&str, &str)> =
        FILES.iter().flat_map(|(label, cases)| cases.iter().map(move |case| (*label, *case))).collect();
    let cases: Vec<Json> = all.iter().map(|(label, case)| json!({"format": label, "file": file(case)})).collect();
    let sent = python.publish(&broker, &topic, &cases);
    let both = read_by_both(&python, &broker, &topic, all.len()).await;
    for ((both, sent), (label, case)) in both.iter().zip(&sent).zip(&all) {
        println!("from Python: {case}");
        as_sent(both, sent);
        both.agree(label);
        assert_eq!(both.alert.route, Route::Header);
        assert_eq!(names(both.record()), ["_id", "_format"]);
        assert_eq!(both.record().headers.get("_format"), Some(label.as_bytes()));
        // From the same file both write the same bytes. An Avro file has a marker that hop-client draws.
        let ours = load(label, case);
        if *label == "avro" {
            assert_eq!(ours.fields().unwrap()["content"], both.alert.model.fields().unwrap()["content"]);
        } else {
            assert_eq!(
                ours.encode().unwrap().escape_ascii().to_string(),
                both.record().content.escape_ascii().to_string()
            );
        }
    }
    fresh_ids(both.iter().map(Both::record));
    println!("published by Python from files: {} agree", both.len());
}

#[tokio::test]
async fn every_format_made_from_fields_is_read_the_same() {
    let Some((python, broker)) = Python::or_skip("every_format_made_from_fields_is_read_the_same") else { return };
    let topic = broker.topic(1).await;
    let values = json!({
        "null": null, "truth": [true, false], "long": i64::MIN, "half": 0.5, "tiny": 5e-324, "text": "é\u{1F600}\u{0}",
        "nested": [{"a": [[]], "b": {}}], "integral": 1.0,
    });
    let in_avro =
        json!({"name": "ZTF26aaaaaaa", "magnitude": 19.5, "cutout": bytes(b"\x1f\x8b\x00"), "prior": [1, null]});
    // Not an event: one made from fields has no XML, and hop-client sends what it has, nothing. Nor a notice, made of text.
    let models = [
        (
            "circular",
            json!({"header": {"title": "GCN CIRCULAR", "number": "99002", "subject": "Ünïcode"}, "body": "Line\nline\n"}),
        ),
        ("blob", json!({"content": bytes(b"\x00\xff")})),
        ("json", json!({"content": values})),
        ("avro", json!({"content": in_avro})),
        ("external", json!({"url": "https://example.org/msg/1?a=b&c=%20"})),
        ("donut", json!({"category": "yeast", "flavor": "pl\"ain", "has_filling": true})),
    ];
    let mut cases: Vec<Json> =
        models.iter().map(|(label, fields)| json!({"format": label, "fields": fields})).collect();
    cases.push(json!({"json": values}));
    cases.push(json!({"bytes": bytes(b"{not JSON")}));
    let sent = python.publish(&broker, &topic, &cases);
    let both = read_by_both(&python, &broker, &topic, cases.len()).await;
    let labels: Vec<&str> = models.iter().map(|(label, _)| *label).chain(["json", "blob"]).collect();
    for ((both, sent), label) in both.iter().zip(&sent).zip(labels) {
        println!("from Python, made from fields: {label}");
        as_sent(both, sent);
        both.agree(label);
        assert_eq!(both.alert.route, Route::Header);
    }
    // What was put in comes out.
    for (both, (_, fields)) in both.iter().zip(models) {
        for (name, value) in fields.as_object().unwrap() {
            assert_eq!(both.python["fields"][name], *value);
        }
    }
    println!("published by Python from fields: {} agree", both.len());
}

#[tokio::test]
async fn headers_and_keys_come_as_they_were_set() {
    let Some((python, broker)) = Python::or_skip("headers_and_keys_come_as_they_were_set") else { return };
    let topic = broker.topic(1).await;
    let list = json!([
        ["instrument", "H1"],
        ["instrument", "V1"],
        ["raw", bytes(b"\x00\xff")],
        ["note", null],
        ["empty", ""],
        ["ключ", "é"]
    ]);
    let headers = [Json::Null, list, json!({"a": bytes(b"\x80"), "b": "1"})];
    let keys = [Json::Null, json!("kéy"), bytes(b"\x00\xff\x80"), json!("")];
    let mut cases = Vec::new();
    for headers in &headers {
        for (at, key) in keys.iter().enumerate() {
            let mut case = json!({"json": at, "headers": headers, "key": key, "test": at % 2 == 1});
            case.as_object_mut().unwrap().retain(|_, value| !value.is_null());
            cases.push(case);
        }
    }
    let sent = python.publish(&broker, &topic, &cases);
    let both = read_by_both(&python, &broker, &topic, cases.len()).await;
    for (at, (both, sent)) in both.iter().zip(&sent).enumerate() {
        as_sent(both, sent);
        both.agree("json");
        let key = [None, Some("kéy".as_bytes()), Some(b"\x00\xff\x80"), Some(b"")][at % 4];
        assert_eq!(both.record().key.as_deref(), key, "{}", both.python);
        let mut expected: Vec<&str> = match at / 4 {
            0 => vec![],
            1 => vec!["instrument", "instrument", "raw", "note", "empty", "ключ"],
            _ => vec!["a", "b"],
        };
        expected.push("_id");
        expected.extend((at % 2 == 1).then_some("_test"));
        expected.push("_format");
        assert_eq!(names(both.record()), expected);
    }
    let listed = &both[4].record().headers;
    assert_eq!(listed.get_all("instrument").collect::<Vec<_>>(), [Some(&b"H1"[..]), Some(b"V1")]);
    assert_eq!(
        (listed.get("raw"), listed.get("note"), listed.get("empty")),
        (Some(&b"\x00\xff"[..]), None, Some(&b""[..]))
    );
    assert!(listed.contains("note"));
    fresh_ids(both.iter().map(Both::record));
    println!("headers and keys set in Python: {} agree", both.len());
}

#[tokio::test]
async fn test_messages_are_skipped_unless_asked_for() {
    let Some((python, broker)) = Python::or_skip("test_messages_are_skipped_unless_asked_for (from Python)") else {
        return;
    };
    let topic = broker.topic(1).await;
    let raw =
        |n: i32, value: Json| json!({"raw": bytes(n.to_string()), "headers": [["_format", "json"], ["_test", value]]});
    let cases = [
        json!({"json": 0}),
        json!({"json": 1, "test": true}),
        json!({"json": 2, "test": false}),
        // Whatever the value.
        raw(3, json!("false")),
        raw(4, json!("")),
        raw(5, Json::Null),
        json!({"json": 6}),
    ];
    python.publish(&broker, &topic, &cases);
    let both = read_by_both(&python, &broker, &topic, cases.len()).await;
    let marked: Vec<bool> = both.iter().map(|both| both.record().headers.is_test()).collect();
    assert_eq!(marked, [false, true, false, true, true, true, false]);

    let theirs = python.receive(&broker, &topic, 3, false);
    let ours = read(&broker, &topic, false).await;
    let offsets = |messages: &[Json]| messages.iter().map(|message| message["offset"].as_i64()).collect::<Vec<_>>();
    assert_eq!(offsets(&theirs), [Some(0), Some(2), Some(6)]);
    let numbers: Vec<_> = ours.iter().map(|alert| alert.get::<JsonBlob>().unwrap().content.as_i64()).collect();
    assert_eq!(numbers, offsets(&theirs));
}

/// Content under the headers of its fixture, as other programs and older versions of hop-client sent it.
#[tokio::test]
async fn what_others_sent_is_read_the_same() {
    let Some((python, broker)) = Python::or_skip("what_others_sent_is_read_the_same") else { return };
    let topic = broker.topic(1).await;
    let all = [
        // Before 0.6: an envelope, no headers.
        ("circular/envelope/plain", "circular", "envelope"),
        ("donut/envelope/old", "donut", "envelope"),
        ("json/envelope/blob", "json", "envelope"),
        ("voevent/hop-0.5/envelope", "voevent", "envelope"),
        // 0.6 to 0.11: an event as JSON.
        ("voevent/hop-0.11/json", "voevent", "header"),
        ("voevent/hop-0.11/units", "voevent", "header"),
        // No `_format`.
        ("json/bare/object", "json", "json"),
        ("json/bare/null", "json", "json"),
        ("json/bare/other-layout", "json", "json"),
        ("json/bare/format-without-content", "json", "json"),
        ("blob/bare/text", "blob", "blob"),
        ("blob/bare/binary", "blob", "blob"),
        ("blob/bare/empty", "blob", "blob"),
        // A label in capitals.
        ("donut/plain/label-in-capitals", "donut", "header"),
    ];
    let cases: Vec<Json> = all
        .iter()
        .map(|(case, ..)| {
            let headers =
                fixture(case, "headers").map_or_else(|| "[]".into(), |path| std::fs::read_to_string(path).unwrap());
            json!({"raw": bytes(content(case)), "headers": serde_json::from_str::<Json>(&headers).unwrap()})
        })
        .collect();
    let sent = python.publish(&broker, &topic, &cases);
    let both = read_by_both(&python, &broker, &topic, all.len()).await;
    for ((both, sent), (case, label, route)) in both.iter().zip(&sent).zip(all) {
        println!("from others: {case}");
        as_sent(both, sent);
        assert_eq!(both.record().content, content(case));
        assert_eq!(both.alert.route.as_str(), route);
        both.agree(label);
    }
    println!("sent by others and before: {} agree", both.len());
}

/// An envelope around a format that nobody knows: hop-client hands over what it parsed, and calls that a blob. Here the
/// bytes stay whole.
#[tokio::test]
async fn an_envelope_of_an_unknown_format_is_a_blob() {
    let Some((python, broker)) = Python::or_skip("an_envelope_of_an_unknown_format_is_a_blob") else { return };
    let topic = broker.topic(1).await;
    let content = r#"{"format": "nobody", "content": {"n": 1}}"#;
    python.publish(&broker, &topic, &[json!({"raw": bytes(content)})]);
    let [both] = &read_by_both(&python, &broker, &topic, 1).await[..] else { unreachable!() };
    assert_eq!((&both.python["model"], &both.python["fields"]), (&json!("Blob"), &json!({"content": {"n": 1}})));
    assert_eq!(both.alert.get::<hop_core::Blob>().unwrap().content, content);
    assert_eq!(both.alert.route, Route::Envelope { label: "nobody".into() });
}

/// Of two labels the first counts.
#[tokio::test]
async fn a_label_that_nobody_knows_is_a_blob() {
    let Some((python, broker)) = Python::or_skip("a_label_that_nobody_knows_is_a_blob") else { return };
    let topic = broker.topic(1).await;
    let cases = [
        json!({"raw": bytes("[1]"), "headers": [["_format", "nobody"]]}),
        json!({"raw": bytes("[1]"), "headers": [["_format", "nobody"], ["_format", "json"]]}),
        json!({"raw": bytes("[1]"), "headers": [["_format", "JSON"], ["_format", "nobody"]]}),
    ];
    python.publish(&broker, &topic, &cases);
    let both = read_by_both(&python, &broker, &topic, cases.len()).await;
    for (both, label) in both.iter().zip(["blob", "blob", "json"]) {
        both.agree(label);
    }
    assert_eq!(both[0].alert.route, Route::UnknownFormat { label: "nobody".into() });
}

#[tokio::test]
async fn numbers_and_text_beyond_json_come_whole() {
    let Some((python, broker)) = Python::or_skip("numbers_and_text_beyond_json_come_whole (from Python)") else {
        return;
    };
    let topic = broker.topic(1).await;
    let half = json!({"$wtf8": "7aC9"});
    let value = json!({
        "numbers": [{"$float": "NaN"}, {"$float": "Infinity"}, {"$float": "-Infinity"}, 0.1, 1e300, -0.0, 5e-324],
        "integers": [i64::MIN, i64::MAX, u64::MAX, {"$int": "-9223372036854775809"}, {"$int": "340282366920938463463374607431768211456"}],
        "half": [half.clone(), {"$wtf8": "YeKAnO2wgGI="}],
    });
    python.publish(
        &broker,
        &topic,
        &[
            json!({"json": value}),
            json!({"format": "donut", "fields": {
                "category": half, "flavor": "", "has_filling": false
            }}),
        ],
    );
    // A donut's category is Rust's String, which holds no half characters.
    let hop = hop_tests::stream().registry(crate::registry()).build().unwrap();
    let mut alerts = hop.subscribe(broker.url(&topic)).await.unwrap();
    let first = alerts.next().await.unwrap().unwrap();
    let second = alerts.next().await.unwrap().unwrap_err();
    assert_eq!(second.kind(), hop_kafka::ErrorKind::Decode);
    assert_eq!(second.record().unwrap().place.as_ref().unwrap().offset, 1);
    assert!(alerts.next().await.is_none());
    let [theirs, _] = &python.receive(&broker, &topic, 2, false)[..] else { unreachable!() };
    let both = crate::compare(first, theirs.clone());
    both.agree("json");
    assert_eq!(theirs["fields"]["content"], value);
}

#[tokio::test]
async fn several_avro_records_are_read_where_hop_client_gives_up() {
    let Some((python, broker)) = Python::or_skip("several_avro_records_are_read_where_hop_client_gives_up") else {
        return;
    };
    let topic = broker.topic(1).await;
    let cases = [
        json!({"format": "avro", "file": file("avro/survey/several"), "load": {"single_record": false}}),
        json!({"json": "after"}),
    ];
    let sent = python.publish(&broker, &topic, &cases);
    let alerts = read(&broker, &topic, false).await;
    assert_eq!(alerts.len(), 2);
    assert_eq!(bytes(&alerts[0].record.content), sent[0]["content"]);
    let expected = load("avro", "avro/survey/several").fields().unwrap();
    assert!(expected["content"].as_array().unwrap().len() > 1);
    assert_eq!(alerts[0].model.fields().unwrap()["content"], expected["content"]);
    // Its stream is over, and what comes after is not read.
    let theirs = python.try_to_receive(&broker, &topic, 2, false);
    assert_eq!(theirs.expect(1), "");
}
