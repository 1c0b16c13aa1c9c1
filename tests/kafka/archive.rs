//! The archive: messages by identifier, time and text, and reading from it what Kafka no longer has.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hop_core::{Blob, JsonBlob};
use hop_kafka::archive::Entry;
use hop_kafka::{Archive as Client, Credential, EmbeddedBroker, ErrorKind, Stream};
use hop_models::{Circular, External};
use hop_tests::archive::{Archive, Fault, binary};
use hop_tests::stream;
use uuid::Uuid;

use crate::{PATIENCE, blob, json};

const PASSWORD: &str = "hunter2-of-ada";

fn hop(archive: &Archive) -> Stream {
    let credential = Credential::new("ada", PASSWORD);
    let hop = stream().credential(credential).property("security.protocol", "plaintext").fetch_external(true);
    hop.archive_url(archive.endpoint()).external_timeout(Duration::from_secs(10)).build().unwrap()
}

fn site() -> (Archive, Client) {
    let archive = Archive::start();
    archive.user("ada", PASSWORD);
    let client = hop(&archive).archive("kafka://127.0.0.1:1/").unwrap();
    (archive, client)
}

fn at(ms: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(ms)
}

/// Stores so many numbered messages, a second apart.
fn fill(archive: &Archive, topic: &str, count: u64) -> Vec<Uuid> {
    let store = |number: u64| {
        let id = Uuid::new_v4();
        let content = format!(r#"{{"n": {number}}}"#);
        let headers: [(&str, &[u8]); 2] = [("_id", id.as_bytes()), ("_format", b"json")];
        archive.store(id, content.as_bytes(), &headers, b"", topic, i64::try_from(number * 1000).unwrap());
        id
    };
    (0..count).map(store).collect()
}

async fn numbers(mut messages: hop_kafka::archive::Messages) -> Vec<i64> {
    let mut out = Vec::new();
    while let Some(message) = messages.next().await {
        let message = message.unwrap();
        out.push(message.model.downcast_ref::<JsonBlob>().unwrap().content["n"].as_i64().unwrap());
        assert_eq!(message.record.place, None);
    }
    out
}

#[tokio::test]
async fn a_message_is_found_by_its_identifier_and_decoded_as_a_reader_would() {
    let (archive, client) = site();
    let id = Uuid::new_v4();
    let text = br#"{"header": {"title": "GCN CIRCULAR"}, "body": "large"}"#;
    archive.store(id, text, &[("_format", b"circular"), ("title", b"x")], b"GRB 1", "gcn.circular+oversized", 7);
    let found = client.get(id).await.unwrap();
    assert_eq!(found.model.downcast_ref::<Circular>().unwrap().body(), "large");
    assert_eq!((found.entry.id, found.entry.topic.as_deref()), (Some(id), Some("gcn.circular+oversized")));
    assert_eq!((found.record.timestamp, found.record.key.as_deref()), (Some(7), Some(&b"GRB 1"[..])));
    assert!(!found.entry.is_retracted);
    for (fault, kind) in [
        (Fault::None, ErrorKind::NotFound),
        (Fault::Says(403), ErrorKind::Authorization),
        (Fault::Says(500), ErrorKind::Unavailable),
        (Fault::Truncated, ErrorKind::NotFound),
    ] {
        archive.fault(fault);
        assert_eq!(client.get(Uuid::new_v4()).await.unwrap_err().kind(), kind);
    }
    archive.fault(Fault::None);
    // One that does not decode comes with its record.
    let bad = Uuid::new_v4();
    archive.store(bad, b"{", &[("_format", b"circular")], b"", "t", 1);
    let error = client.get(bad).await.unwrap_err();
    assert_eq!((error.kind(), error.record().unwrap().content.len()), (ErrorKind::Decode, 1));
    assert_eq!(client.topics().await.unwrap(), ["gcn.circular+oversized", "t"]);
}

#[tokio::test]
async fn queries_go_from_page_to_page_within_their_times() {
    let (archive, client) = site();
    fill(&archive, "t", 150);
    fill(&archive, "u", 3);
    let all: Vec<i64> = (0..150).collect();
    archive.forget();
    assert_eq!(numbers(client.query().topic("t").messages()).await, all);
    let asked = archive.asked();
    let pages = asked.iter().filter(|asked| asked.authorization.as_deref().is_some_and(|text| text.contains("sid=")));
    assert_eq!(pages.count(), 3, "150 messages are three pages");
    assert!(asked.iter().any(|asked| asked.path.contains("page=%3Ets%3A~64")), "bookmarks are encoded");
    // Half-open, and backwards.
    let range = client.query().topic("t").since(at(10_000)).until(at(13_000));
    assert_eq!(numbers(range.clone().messages()).await, [10, 11, 12]);
    assert_eq!(numbers(range.clone().newest_first(true).messages()).await, [12, 11, 10]);
    assert_eq!(range.count().await.unwrap(), 3);
    assert_eq!(client.query().topic("t").topic("u").count().await.unwrap(), 153);
    assert_eq!(numbers(client.query().topic("u").text(r#""n": 2"#).messages()).await, [2]);
    assert!(numbers(client.query().topic("a&b=c #").messages()).await.is_empty());
    // Without contents, a thousand and more at once.
    let mut entries = client.query().topic("t").entries();
    let mut found: Vec<Entry> = Vec::new();
    while let Some(entry) = entries.next().await {
        found.push(entry.unwrap());
    }
    assert_eq!(found.len(), 150);
    assert_eq!((found[149].timestamp, found[149].topic.as_deref()), (Some(149_000), Some("t")));
}

#[tokio::test]
async fn a_page_that_fails_is_an_error_and_a_message_that_is_damaged_is_one_of_them() {
    let (archive, client) = site();
    fill(&archive, "t", 2);
    let metadata = bson::doc! {"topic": "t", "timestamp": 500_i64, "headers": [["no value"]]};
    archive.put(Uuid::new_v4(), bson::doc! {"message": binary(b"x"), "metadata": metadata, "annotations": {}});
    let mut messages = client.query().topic("t").messages();
    assert!(messages.next().await.unwrap().is_ok());
    assert_eq!(messages.next().await.unwrap().unwrap_err().kind(), ErrorKind::Protocol);
    assert!(messages.next().await.unwrap().is_ok());
    assert!(messages.next().await.is_none());
    for (fault, kind) in [
        (Fault::Truncated, ErrorKind::Protocol),
        (Fault::Says(500), ErrorKind::Unavailable),
        (Fault::WrongSignature, ErrorKind::Protocol),
        (Fault::Endless, ErrorKind::TooLarge),
    ] {
        archive.fault(fault);
        let hop = stream().credential(Credential::new("ada", PASSWORD)).property("security.protocol", "plaintext");
        let hop = hop.archive_url(archive.endpoint()).external_limit(1 << 16).build().unwrap();
        let mut messages = hop.archive("kafka://127.0.0.1:1/").unwrap().query().messages();
        assert_eq!(messages.next().await.unwrap().unwrap_err().kind(), kind);
        assert!(messages.next().await.is_none());
    }
    // What is too large together comes in smaller pages.
    archive.fault(Fault::None);
    for number in 0..40_u8 {
        let content = vec![number; 10_000];
        archive.store(Uuid::new_v4(), &content, &[("_format", b"blob")], b"", "large", i64::from(number));
    }
    let hop = stream().credential(Credential::new("ada", PASSWORD)).property("security.protocol", "plaintext");
    let hop = hop.archive_url(archive.endpoint()).external_limit(70_000).build().unwrap();
    let mut messages = hop.archive("kafka://127.0.0.1:1/").unwrap().query().topic("large").messages();
    let mut count = 0_u8;
    while let Some(message) = messages.next().await {
        assert_eq!(message.unwrap().record.content.as_bytes().unwrap()[0], count);
        count += 1;
    }
    assert_eq!(count, 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_kafka_no_longer_has_comes_from_the_archive_and_nothing_is_missed_or_given_twice() {
    const OLD: i64 = 200;
    const LIVE: i64 = 300;
    let (archive, broker) = (Archive::start(), EmbeddedBroker::start().unwrap());
    archive.user("ada", PASSWORD);
    let hop = hop(&archive);
    broker.create_topic("t", 2).unwrap();
    // Kafka has lost the first; the archive has all but the newest, and one that was retracted.
    let now = SystemTime::now();
    let out = stream().build().unwrap().publish(broker.url("t")).await.unwrap();
    let ms =
        |number: i64| i64::try_from(now.duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap() - 1_000_000 + number;
    for number in 0..OLD {
        let id = Uuid::new_v4();
        let headers: [(&str, &[u8]); 2] = [("_id", id.as_bytes()), ("_format", b"json")];
        let content = format!(r#"{{"n": {number}}}"#);
        archive.store(id, content.as_bytes(), &headers, b"", "t", ms(number));
        if number >= OLD / 2 {
            let headers = headers.iter().map(|(name, value)| (*name, Some(bytes::Bytes::copy_from_slice(value))));
            let mut copied = hop_core::Headers::new();
            headers.for_each(|(name, value)| copied.push(name, value));
            let message = hop_core::Outgoing { content: content.into_bytes().into(), key: None, headers: copied };
            out.forward("t", message).await.unwrap().await.unwrap();
        }
    }
    let retracted = bson::doc! {"retracted": true};
    let metadata = bson::doc! {"topic": "t", "timestamp": ms(0), "headers": []};
    archive.put(Uuid::new_v4(), bson::doc! {"message": binary(b"{}"), "metadata": metadata, "annotations": retracted});
    archive.delay(Duration::from_millis(100));
    let since = now - Duration::from_secs(2_000);
    let mut alerts = hop.subscribe(broker.url("t")).until_eos(false).from_archive(since).await.unwrap();
    let publishing = tokio::spawn(async move {
        for number in OLD..LIVE {
            out.write(&json(number)).send().await.unwrap();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    let mut found = Vec::new();
    while found.len() < usize::try_from(LIVE).unwrap() {
        let alert =
            tokio::time::timeout(PATIENCE, alerts.next()).await.expect("a message is missing").unwrap().unwrap();
        found.push(alert.get::<JsonBlob>().unwrap().content["n"].as_i64().unwrap());
    }
    publishing.await.unwrap();
    assert_eq!(found.iter().copied().collect::<BTreeSet<_>>(), (0..LIVE).collect());
    assert_eq!(
        found[..usize::try_from(OLD).unwrap()],
        (0..OLD).collect::<Vec<_>>(),
        "the archive comes first, in order"
    );
    let counters = alerts.backfill_counters();
    assert_eq!((counters.archived, counters.repeated, counters.retracted), (200, 100, 1));
    alerts.into_subscription().close().await.unwrap();
}

#[tokio::test]
async fn the_archives_placeholders_are_fetched_and_a_group_is_refused() {
    let (archive, broker) = (Archive::start(), EmbeddedBroker::start().unwrap());
    archive.user("ada", PASSWORD);
    let hop = hop(&archive);
    broker.create_topic("t", 1).unwrap();
    let large = Uuid::new_v4();
    archive.store(large, b"large", &[("_format", b"blob")], b"", "t+oversized", 1);
    let placeholder = format!(r#"{{"url": "{}"}}"#, archive.url(large));
    archive.store(Uuid::new_v4(), placeholder.as_bytes(), &[("_format", b"external")], b"", "t", 1);
    archive.store(Uuid::new_v4(), b"a test", &[("_format", b"blob"), ("_test", b"true")], b"", "t", 2);
    let out = stream().build().unwrap().publish(broker.url("t")).await.unwrap();
    out.write(&External::new(archive.url(large))).send().await.unwrap();
    out.write(&blob("new")).send().await.unwrap();
    let mut alerts = hop.subscribe(broker.url("t")).from_archive(UNIX_EPOCH).await.unwrap();
    let mut found = Vec::new();
    while let Some(alert) = alerts.next().await {
        let content = alert.unwrap().get::<Blob>().unwrap().content.as_bytes().unwrap().clone();
        found.push(String::from_utf8_lossy(&content).into_owned());
    }
    assert_eq!(found, ["large", "new"]);
    assert_eq!(alerts.backfill_counters().repeated, 1);
    let error = hop.subscribe(broker.url("t")).group("g").from_archive(UNIX_EPOCH).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    // An archive that fails says so, and Kafka is read all the same.
    archive.fault(Fault::Says(500));
    let mut alerts = hop.subscribe(broker.url("t")).fetch_external(false).from_archive(UNIX_EPOCH).await.unwrap();
    assert_eq!(alerts.next().await.unwrap().unwrap_err().kind(), ErrorKind::Unavailable);
    assert!(alerts.next().await.unwrap().is_ok());
}
