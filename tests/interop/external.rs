//! Large messages: what hop-client stores we fetch, and what we store hop-client fetches; and the BSON of both.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hop_core::{Blob, Headers, Outgoing};
use hop_kafka::auth::Mechanism;
use hop_kafka::{Credential, Offload, StreamBuilder};
use hop_tests::Broker;
use hop_tests::archive::Archive;
use hop_tests::secured::Secured;
use hop_tests::token::SigningKey;
use serde_json::Value as Json;

use crate::python::{Python, lines};

/// The library's own reader and writer, which it does not show.
#[allow(dead_code, unreachable_pub)]
#[path = "../../hop-kafka/src/archive/document.rs"]
mod document;

const SECRET: &str = "hunter2-of-ada";
/// A topic that takes less than the messages have.
const LIMIT: (&str, &str) = ("max.message.bytes", "50000");

/// One archive for all, since the broker has one `sys.metadata`.
async fn archive(broker: &Broker) -> Archive {
    let archive = Archive::start();
    archive.user("ada", SECRET);
    archive.token(SECRET);
    broker.named_topic("sys.metadata").await;
    let out = hop_tests::stream().build().unwrap().publish(broker.url("sys.metadata")).await.unwrap();
    out.write(&Blob::from(archive.metadata().into_bytes())).send().await.unwrap();
    out.close().await.unwrap();
    archive
}

fn hop(credential: Credential, archive: &Archive) -> StreamBuilder {
    let hop = hop_tests::stream().credential(credential).archive_url(archive.endpoint());
    hop.fetch_external(true).offload(Offload::Automatic)
}

fn unpacked(value: &Json) -> Vec<u8> {
    STANDARD.decode(value.as_str().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn large_messages_go_both_ways() {
    let Some((python, broker)) = Python::or_skip("large_messages_go_both_ways") else { return };
    let archive = archive(&broker).await;
    let Some(secured) = Secured::or_skip("large_messages_go_both_ways") else { return };
    let script = hop_tests::root().join("tests/interop/external.py");
    let script = |action: &str, topic: &str, mechanism: &str, secret: &str| {
        python
            .program(&[script.to_str().unwrap(), action, "--broker", broker.address(), "--topic", topic])
            .args(["--mechanism", mechanism, "--count", "3"])
            .env("HOP_TEST_ARCHIVE_SECRET", secret)
            .run()
    };
    for mechanism in ["SCRAM-SHA-512", "SCRAM-SHA-256", "TOKEN"] {
        // Speaking to the broker with a token takes the listener that asks for one.
        let (hop, secret, address) = match mechanism {
            "TOKEN" => {
                let token = SigningKey::read(&secured.file("token-key.pem")).token("owner", 300);
                archive.token(&token);
                let credential = Credential::new("owner", "").token_command(format!("echo {token}"));
                let credential = credential.ssl_ca_location(secured.file("ca.pem"));
                (hop(credential, &archive), token, secured.sasl_ssl())
            }
            _ => {
                let by_256 = mechanism == "SCRAM-SHA-256";
                let mechanism = if by_256 { Mechanism::ScramSha256 } else { Mechanism::ScramSha512 };
                let hop = hop(Credential::new("ada", SECRET).mechanism(mechanism), &archive);
                (hop.property("security.protocol", "plaintext"), SECRET.to_owned(), broker.address().to_owned())
            }
        };
        let (hop, url) = (hop.build().unwrap(), |topic: &str| format!("kafka://{address}/{topic}"));
        // hop-client stores, we fetch.
        let topic = broker.topic_with(1, &[LIMIT]).await;
        let before = archive.stored().len();
        script("send", &topic, mechanism, &secret).expect(0);
        assert_eq!(archive.stored().len(), before + 3, "{mechanism}");
        let mut alerts = hop.subscribe(url(&topic)).await.unwrap();
        let mut number = 0_u8;
        while let Some(alert) = alerts.next().await {
            let alert = alert.unwrap();
            let content = alert.get::<Blob>().unwrap().content.as_bytes().unwrap().clone();
            assert_eq!(content, vec![number; 200_000], "{mechanism}");
            let record = &alert.record;
            assert_eq!(record.key.as_deref(), Some(format!("GRB {number}").as_bytes()));
            assert_eq!(record.headers.get("bin"), Some(&[0, 255][..]));
            assert_eq!(record.place.as_ref().unwrap().offset, i64::from(number));
            number += 1;
        }
        assert_eq!(number, 3, "{mechanism}");
        // We store, hop-client fetches.
        let topic = broker.topic_with(1, &[LIMIT]).await;
        let out = hop.publish(url(&topic)).await.unwrap();
        for number in 0..3_u8 {
            let blob = Blob::from(vec![number; 200_000]);
            out.write(&blob).header("bin", [0, 255]).key(format!("GRB {number}")).send().await.unwrap();
        }
        assert_eq!(out.counters().offloaded, 3, "{mechanism}");
        out.close().await.unwrap();
        let finished = script("read", &topic, mechanism, &secret);
        let found = lines(finished.expect(0));
        assert_eq!(found.len(), 3, "{mechanism}: {}", finished.err);
        for (number, found) in (0_u8..).zip(&found) {
            assert_eq!(found["model"], "Blob");
            assert_eq!(unpacked(&found["content"]), vec![number; 200_000]);
            assert_eq!(unpacked(&found["key"]), format!("GRB {number}").into_bytes());
            assert_eq!(found["offset"], number);
            assert_eq!(found["headers"][0][0], "bin");
        }
        println!("{mechanism}: 3 stored by hop-client and fetched, 3 fetched by hop-client and stored");
    }
}

#[test]
fn bson_is_that_of_pymongo_and_of_hop_client() {
    const COUNT: usize = 10_000;
    let Some(python) = Python::alone_or_skip("bson_is_that_of_pymongo_and_of_hop_client") else { return };
    let script = hop_tests::root().join("tests/interop/bson_documents.py");
    let script = script.to_str().unwrap();
    let finished = python.program(&[script, "write", "--count", &COUNT.to_string()]).run();
    let cases = lines(finished.expect(0));
    assert_eq!(cases.len(), COUNT);
    let mut uploads = String::new();
    for case in &cases {
        let bson = Bytes::from(unpacked(&case["bson"]));
        let stored = document::message(&bson).unwrap_or_else(|why| panic!("{why}: {case}"));
        let optional = |value: &Json| (!value.is_null()).then(|| Bytes::from(unpacked(value)));
        assert_eq!(stored.content, optional(&case["content"]));
        assert_eq!(stored.key, optional(&case["key"]), "{case}");
        assert_eq!(stored.timestamp, case["timestamp"].as_i64());
        assert_eq!(stored.topic.as_deref(), case["topic"].as_str());
        let mut headers = Headers::new();
        for pair in case["headers"].as_array().unwrap() {
            headers.push(pair[0].as_str().unwrap(), optional(&pair[1]));
        }
        assert_eq!(stored.headers, headers);
        // What is cut off anywhere is refused, and never a message.
        for cut in [0, 3, 4, 5, bson.len() / 2, bson.len() - 1] {
            assert!(document::message(&bson.slice(..cut)).is_err(), "{cut} bytes of {case}");
        }
        let message = Outgoing { content: stored.content.unwrap().into(), key: stored.key, headers };
        uploads.push_str(&STANDARD.encode(document::upload(&message).unwrap().concat()));
        uploads.push('\n');
    }
    let finished = python.program(&[script, "read"]).input(uploads.as_bytes()).run();
    let read = lines(finished.expect(0));
    assert_eq!(read.len(), COUNT);
    for (read, case) in read.iter().zip(&cases) {
        for name in ["content", "headers", "key"] {
            assert_eq!(read[name], case[name]);
        }
    }
    println!("{COUNT} documents read and written as pymongo and hop-client read and write them");
}

/// The bytes that hop-client 0.13.0 was recorded to send.
#[test]
fn an_upload_is_what_hop_client_sends_to_the_byte() {
    let recorded = std::fs::read(hop_tests::root().join("tests/interop/upload.bson")).unwrap();
    let read: bson::Document = bson::Document::from_reader(&recorded[..]).unwrap();
    let mut headers = Headers::new();
    for pair in read.get_array("headers").unwrap() {
        let [bson::Bson::String(name), bson::Bson::Binary(value)] = pair.as_array().unwrap().as_slice() else {
            panic!("{pair}")
        };
        headers.push(name.as_str(), Some(Bytes::from(value.bytes.clone())));
    }
    let content = Bytes::from("0123456789".repeat(3));
    let message = Outgoing { content: content.into(), key: Some(Bytes::from_static(b"GRB 1")), headers };
    let mut written = document::upload(&message).unwrap().concat();
    // Python sent its key as text; the archive takes either.
    let key = recorded.windows(5).rposition(|part| part == b"\x02key\0").unwrap();
    assert_eq!(written.len(), recorded.len());
    assert_eq!(written[4..key], recorded[4..key]);
    assert_eq!(&written[key..], b"\x05key\0\x05\0\0\0\0GRB 1\0");
    written.truncate(4);
    assert_eq!(written, recorded[..4]);
}
