//! Large messages, reading: what a placeholder stands for is fetched from the archive.

use std::time::{Duration, Instant};

use hop_core::{Blob, JsonBlob, Record};
use hop_kafka::auth::Mechanism;
use hop_kafka::{Alert, Commit, Credential, EmbeddedBroker, Error, ErrorKind, StreamBuilder, Undecodable, restore};
use hop_models::{Circular, External};
use hop_tests::archive::{Archive, Fault, binary};
use hop_tests::stream;
use uuid::Uuid;

use crate::{all, blob, next, send};

const PASSWORD: &str = "hunter2-of-ada";

/// A broker with a topic of its own, and the archive that its `sys.metadata` names.
struct Site {
    broker: EmbeddedBroker,
    archive: Archive,
}

impl Site {
    async fn new() -> Self {
        let site = Self { broker: EmbeddedBroker::start().unwrap(), archive: Archive::start() };
        site.archive.user("ada", PASSWORD);
        // One partition keeps the order.
        for topic in ["t", "u", "dead", "again"] {
            site.broker.create_topic(topic, 1).unwrap();
        }
        site.name(&site.archive.metadata()).await;
        site
    }

    async fn name(&self, metadata: &str) {
        send(&self.broker.url("sys.metadata"), &[&blob(metadata)]).await;
    }

    fn hop(&self) -> StreamBuilder {
        speaking(Credential::new("ada", PASSWORD))
    }

    async fn read(&self, hop: StreamBuilder) -> Vec<Result<Alert, Error>> {
        let mut alerts = hop.build().unwrap().subscribe(self.broker.url("t")).await.unwrap();
        let mut out = Vec::new();
        while let Some(alert) = next(&mut alerts).await {
            out.push(alert);
        }
        out
    }

    /// Stores a text, and returns its URL.
    fn store(&self, text: &str) -> String {
        let id = Uuid::new_v4();
        let headers: [(&str, &[u8]); 3] = [("_id", id.as_bytes()), ("priority", b"1"), ("_format", b"blob")];
        self.archive.store(id, text.as_bytes(), &headers, b"GRB 1", "t+oversized", 1_700_000_000_123);
        self.archive.url(id)
    }
}

/// Speaks to the embedded broker, which knows no credentials, and as this credential to the archive.
fn speaking(credential: Credential) -> StreamBuilder {
    stream().credential(credential).property("security.protocol", "plaintext").fetch_external(true)
}

fn text(alert: &Result<Alert, Error>) -> &[u8] {
    alert.as_ref().unwrap().get::<Blob>().unwrap().content.as_bytes().unwrap()
}

#[tokio::test]
async fn a_placeholder_is_replaced_by_the_message_that_it_stands_for() {
    for mechanism in [Mechanism::ScramSha512, Mechanism::ScramSha256] {
        let site = Site::new().await;
        let url = site.store("a large message");
        send(&site.broker.url("t"), &[&blob("before"), &External::new(&url), &blob("after")]).await;
        let hop = speaking(Credential::new("ada", PASSWORD).mechanism(mechanism)).build().unwrap();
        let mut alerts = hop.subscribe(site.broker.url("t")).group("g").commit(Commit::Each).await.unwrap();
        let found = all(&mut alerts).await;
        let texts: Vec<&[u8]> =
            found.iter().map(|alert| alert.get::<Blob>().unwrap().content.as_bytes().unwrap().as_ref()).collect();
        assert_eq!(texts, [&b"before"[..], b"a large message", b"after"]);
        let Record { key, headers, timestamp, place, .. } = &found[1].record;
        assert_eq!(key.as_deref(), Some(&b"GRB 1"[..]));
        assert_eq!(headers.get("priority"), Some(&b"1"[..]));
        assert_eq!(*timestamp, Some(1_700_000_000_123));
        let place = place.as_ref().unwrap();
        assert_eq!((&*place.topic, place.partition, place.offset), ("t", 0, 1));
        // It is done as any other message is.
        for alert in &found {
            alerts.mark_done_now(&alert.record).await.unwrap();
        }
        assert_eq!((alerts.counters().fetched, alerts.counters().fetch_failed), (1, 0));
        alerts.close().await.unwrap();
        let asked = site.archive.asked();
        assert_eq!(asked.len(), 2, "{asked:?}");
        let none = hop.subscribe(site.broker.url("t")).group("g").await.unwrap();
        assert!(all(&mut { none }).await.is_empty());
    }
}

#[tokio::test]
async fn a_public_message_needs_no_login_and_a_reader_may_leave_placeholders_alone() {
    let site = Site::new().await;
    site.archive.public();
    let url = site.store("public");
    send(&site.broker.url("t"), &[&External::new(&url)]).await;
    let found = site.read(stream().fetch_external(true)).await;
    assert_eq!(text(&found[0]), b"public");
    assert!(site.archive.asked().iter().all(|asked| asked.authorization.is_none()));
    let left = site.read(stream().fetch_external(false)).await;
    assert_eq!(left[0].as_ref().unwrap().get::<External>().unwrap().url, url);
    // Raw records are as they were received.
    let mut records = site.hop().build().unwrap().subscribe(site.broker.url("t")).await.unwrap();
    let record = records.next_record().await.unwrap().unwrap();
    assert_eq!(record.headers.get("_format"), Some(&b"external"[..]));
}

#[tokio::test]
async fn several_are_fetched_at_once_and_the_order_stays() {
    let site = Site::new().await;
    site.archive.delay(Duration::from_millis(100));
    let out = stream().build().unwrap().publish(site.broker.url("t")).await.unwrap();
    for number in 0..12 {
        let url = site.store(&format!("large {number}"));
        let _sent = out.write(&External::new(&url)).queue().await.unwrap();
        let _sent = out.write(&blob(&format!("small {number}"))).queue().await.unwrap();
    }
    out.close().await.unwrap();
    let found = site.read(site.hop()).await;
    let texts: Vec<String> = found.iter().map(|alert| String::from_utf8_lossy(text(alert)).into_owned()).collect();
    let expected: Vec<String> =
        (0..12).flat_map(|number| [format!("large {number}"), format!("small {number}")]).collect();
    assert_eq!(texts, expected);
    assert!((2..=4).contains(&site.archive.most_concurrent()), "{}", site.archive.most_concurrent());
}

#[tokio::test]
async fn other_partitions_go_on_while_a_message_is_fetched() {
    let site = Site::new().await;
    site.broker.create_topic("many", 3).unwrap();
    site.archive.delay(Duration::from_secs(1));
    let url = site.broker.url("many");
    let out = stream().build().unwrap().publish(&url).await.unwrap();
    // A key stays in its partition; each partition of the three has one.
    let mut keys: Vec<Option<String>> = vec![None; 3];
    let mut number = 0;
    while keys.contains(&None) {
        let key = format!("key {number}");
        number += 1;
        let place = out.write(&blob(&format!("{key} probe"))).key(key.clone()).send().await.unwrap();
        keys[usize::try_from(place.partition).unwrap()].get_or_insert(key);
    }
    let keys: Vec<String> = keys.into_iter().flatten().collect();
    // The first one waits for the broker to say where the archive is.
    out.write(&External::new(site.store("first"))).key(keys[0].clone()).send().await.unwrap();
    let mut alerts = site.hop().build().unwrap().subscribe(&url).until_eos(false).await.unwrap();
    for _ in 0..=number {
        next(&mut alerts).await.unwrap().unwrap();
    }
    for round in 0..3 {
        for (partition, key) in keys.iter().enumerate() {
            let text = format!("{partition} large {round}");
            if partition < 2 {
                out.write(&External::new(site.store(&text))).key(key.clone()).send().await.unwrap();
            }
            out.write(&blob(&format!("{partition} small {round}"))).key(key.clone()).send().await.unwrap();
        }
    }
    let started = Instant::now();
    let mut found: Vec<Vec<String>> = vec![Vec::new(); 3];
    let mut is_first = true;
    for _ in 0..15 {
        let alert = next(&mut alerts).await.unwrap();
        let text = String::from_utf8_lossy(text(&alert)).into_owned();
        let partition: usize = text[..1].parse().unwrap();
        found[partition].push(text[2..].to_owned());
        if partition == 2 && found[2].len() == 3 && is_first {
            is_first = false;
            assert!(started.elapsed() < Duration::from_millis(900), "partition 2 waited {:?}", started.elapsed());
            assert!(found[0].is_empty() && found[1].is_empty());
        }
    }
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
    let large: Vec<String> = (0..3).flat_map(|round| [format!("large {round}"), format!("small {round}")]).collect();
    assert_eq!((&found[0], &found[1]), (&large, &large));
    assert_eq!(found[2], ["small 0", "small 1", "small 2"]);
    assert!((2..=8).contains(&site.archive.most_concurrent()), "{}", site.archive.most_concurrent());
    alerts.close().await.unwrap();
}

#[tokio::test]
async fn formats_and_typed_readers_see_the_stored_message_and_tests_are_skipped_on_both() {
    let site = Site::new().await;
    let id = Uuid::new_v4();
    let json: &[u8] = br#"{"header": {"title": "GCN CIRCULAR", "number": "1"}, "body": "large"}"#;
    site.archive.store(id, json, &[("_format", b"circular")], b"", "t+oversized", 1);
    let test = Uuid::new_v4();
    site.archive.store(test, b"a test", &[("_test", b"yes")], b"", "t+oversized", 1);
    let out = stream().build().unwrap().publish(site.broker.url("t")).await.unwrap();
    out.write(&External::new(site.archive.url(id))).send().await.unwrap();
    out.write(&External::new(site.archive.url(test))).send().await.unwrap();
    out.write(&External::new(site.archive.url(Uuid::new_v4()))).test(true).send().await.unwrap();
    let hop = site.hop().build().unwrap();
    let mut circulars = hop.subscribe(site.broker.url("t")).formats(["circular"]).await.unwrap();
    let found = all(&mut circulars).await;
    assert_eq!(found.len(), 1);
    // The archive has an empty key where none was sent.
    assert_eq!((found[0].get::<Circular>().unwrap().body(), &found[0].record.key), ("large", &None));
    let mut typed = hop.subscribe(site.broker.url("t")).await.unwrap().typed::<Circular>();
    assert_eq!(typed.next().await.unwrap().unwrap().model.body(), "large");
    assert!(typed.next().await.is_none());
    assert!(
        site.archive
            .asked()
            .iter()
            .all(|asked| asked.path.contains(&id.to_string()) || asked.path.contains(&test.to_string()))
    );
}

#[tokio::test]
async fn batches_and_decoding_threads_get_fetched_messages_too() {
    let site = Site::new().await;
    let urls: Vec<String> = (0..3).map(|number| site.store(&format!("large {number}"))).collect();
    for url in &urls {
        send(&site.broker.url("t"), &[&External::new(url), &blob("small")]).await;
    }
    let hop = site.hop().build().unwrap();
    for threads in [0, 2] {
        let mut alerts = hop.subscribe(site.broker.url("t")).decoding_threads(threads).await.unwrap();
        let mut found = Vec::new();
        // A batch does not wait for a message that is being fetched longer than it may take.
        for _ in 0..20 {
            let batch = alerts.next_batch(6, Duration::from_millis(500)).await;
            found.extend(batch.iter().map(|alert| String::from_utf8_lossy(text(alert)).into_owned()));
        }
        assert_eq!(found, ["large 0", "small", "large 1", "small", "large 2", "small"], "{threads} threads");
    }
}

/// What is wrong, the kind of the error, and a word of it.
async fn fails(site: &Site, fault: Fault, kind: ErrorKind, word: &str) {
    let named = format!("{fault:?}");
    site.archive.fault(fault);
    let started = Instant::now();
    let found = site.read(site.hop().external_timeout(Duration::from_secs(2))).await;
    assert!(started.elapsed() < Duration::from_secs(5), "{named} took {:?}", started.elapsed());
    // The stream goes on.
    assert_eq!(found.len(), 2, "{named}");
    assert_eq!(text(&found[1]), b"after", "{named}");
    let error = found[0].as_ref().unwrap_err();
    assert_eq!(error.kind(), kind, "{named}: {error}");
    assert!(error.to_string().contains(word), "{named}: {error}");
    assert_eq!(error.record().unwrap().place.as_ref().unwrap().offset, 0);
    assert!(!format!("{error} {error:?}").contains(PASSWORD));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_of_an_archive_is_an_error_of_one_message_within_its_time() {
    let site = Site::new().await;
    let url = site.store(&"large ".repeat(1000));
    send(&site.broker.url("t"), &[&External::new(&url), &blob("after")]).await;
    let other = Archive::start();
    for (fault, kind, word) in [
        (Fault::Closes, ErrorKind::Connection, "ended the connection before it had answered"),
        (Fault::HalfCloses, ErrorKind::Connection, "ended the connection before it had answered"),
        (Fault::Cuts, ErrorKind::Connection, "ended the connection before it had answered"),
        (Fault::Frozen, ErrorKind::TimedOut, "did not answer in time"),
        (Fault::Drips, ErrorKind::TimedOut, "did not answer in time"),
        (Fault::DripsHeader, ErrorKind::TimedOut, "did not answer in time"),
        (Fault::EndlessInterim, ErrorKind::TimedOut, "did not answer in time"),
        (Fault::EndlessHeader, ErrorKind::Protocol, "not HTTP"),
        (Fault::Garbled, ErrorKind::Protocol, "not HTTP"),
        (Fault::Truncated, ErrorKind::Protocol, "not a whole BSON document"),
        (Fault::WrongSignature, ErrorKind::Protocol, "a wrong signature"),
        (Fault::WrongSid, ErrorKind::Protocol, "another login"),
        (Fault::NoSignature, ErrorKind::Protocol, "does not prove"),
        (Fault::Iterations(2_000_000_000), ErrorKind::Protocol, "iterations"),
        (Fault::Iterations(1), ErrorKind::Protocol, "iterations"),
        (Fault::Says(400), ErrorKind::Refused, "answered 400"),
        (Fault::Says(401), ErrorKind::Authentication, "SCRAM-SHA-512"),
        (Fault::Says(403), ErrorKind::Authorization, "answered 403"),
        (Fault::Says(404), ErrorKind::NotFound, "answered 404"),
        (Fault::Says(413), ErrorKind::TooLarge, "answered 413"),
        (Fault::Says(500), ErrorKind::Unavailable, "answered 500"),
        (Fault::Says(502), ErrorKind::Unavailable, "answered 502"),
        (Fault::Redirects(format!("{}/msg/1", other.endpoint())), ErrorKind::Protocol, "redirections are not followed"),
    ] {
        fails(&site, fault, kind, word).await;
    }
    assert!(other.asked().is_empty(), "a redirection was followed");
    // What passes is tried again, and interim answers are passed over.
    for fault in [Fault::First(2, 502), Fault::First(2, 503), Fault::First(2, 504), Fault::Interim] {
        site.archive.fault(fault.clone());
        assert_eq!(site.read(site.hop()).await.iter().filter(|alert| alert.is_ok()).count(), 2, "{fault:?}");
    }
    site.archive.fault(Fault::Endless);
    let found = site.read(site.hop().external_limit(1 << 20)).await;
    let error = found[0].as_ref().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.to_string().contains("more than 1048576 bytes"), "{error}");
    // A wrong password.
    site.archive.fault(Fault::None);
    let found = site.read(speaking(Credential::new("ada", "wrong"))).await;
    assert_eq!(found[0].as_ref().unwrap_err().kind(), ErrorKind::Authorization);
    // The endpoint is one at which nobody listens any more.
    let gone = Archive::start();
    site.name(&gone.metadata()).await;
    let url = gone.url(Uuid::new_v4());
    drop(gone);
    send(&site.broker.url("u"), &[&External::new(&url)]).await;
    let hop = site.hop().external_timeout(Duration::from_secs(2)).build().unwrap();
    let mut alerts = hop.subscribe(site.broker.url("u")).await.unwrap();
    assert_eq!(next(&mut alerts).await.unwrap().unwrap_err().kind(), ErrorKind::Connection);
}

#[tokio::test]
async fn only_the_brokers_archive_is_asked() {
    let site = Site::new().await;
    let (foreign, port) = (Archive::start(), site.archive.port());
    let id = Uuid::new_v4();
    foreign.public();
    foreign.store(id, b"foreign", &[("_format", b"blob")], b"", "t", 1);
    let urls = [
        foreign.url(id),
        foreign.url(id).replace("127.0.0.1", "localhost"),
        format!("https://127.0.0.1:{port}/api/v1/msg/{id}"),
        format!("http://localhost:{port}/api/v1/msg/{id}"),
        format!("http://127.0.0.1:{port}@127.0.0.1:{}/", foreign.port()),
        format!("http://ada:hunter2@127.0.0.1:{port}/api/v1/msg/{id}"),
        format!("http://[::1]:{port}/x"),
        format!("http://0.0.0.0:{port}/x"),
        format!("http://2130706433:{port}/x"),
        "http://10.0.0.1/x".to_owned(),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "https://192.168.1.1/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "ftp://example.org/x".to_owned(),
        "gopher://127.0.0.1/x".to_owned(),
        "/msg/1".to_owned(),
        "http://".to_owned(),
        "http://\u{0}/".to_owned(),
        "x".repeat(5_000),
        String::new(),
    ];
    for url in &urls {
        send(&site.broker.url("t"), &[&External::new(url)]).await;
    }
    let started = Instant::now();
    let found = site.read(site.hop()).await;
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    assert_eq!(found.len(), urls.len());
    for (alert, url) in found.iter().zip(&urls) {
        let error = alert.as_ref().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Forbidden, "{url}: {error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
        assert!(error.record().is_some());
    }
    assert!(foreign.asked().is_empty() && site.archive.asked().is_empty());
    // By name it may be asked, without a credential; its address has to be allowed as well.
    let (host, url) = (format!("localhost:{}", foreign.port()), foreign.url(id).replace("127.0.0.1", "localhost"));
    send(&site.broker.url("u"), &[&External::new(&url)]).await;
    let read = async |hop: StreamBuilder| {
        let mut alerts = hop.build().unwrap().subscribe(site.broker.url("u")).await.unwrap();
        next(&mut alerts).await.unwrap()
    };
    let error = read(site.hop().external_host(&host)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden, "{error}");
    assert!(error.to_string().contains("private network"), "{error}");
    assert!(foreign.asked().is_empty());
    let found = read(site.hop().external_host(&host).external_host("127.0.0.1")).await;
    assert_eq!(text(&found), b"foreign");
    assert!(foreign.asked().iter().all(|asked| asked.authorization.is_none()));
}

#[tokio::test]
async fn what_cannot_be_fetched_may_go_to_the_dead_letters_and_come_back() {
    let site = Site::new().await;
    let url = site.store("large");
    send(&site.broker.url("t"), &[&External::new(&url), &blob("after")]).await;
    site.archive.fault(Fault::Says(404));
    let hop = site.hop().build().unwrap();
    let dead = Undecodable::DeadLetter("dead".to_owned());
    let mut alerts = hop.subscribe(site.broker.url("t")).on_undecodable(dead).await.unwrap();
    let found = all(&mut alerts).await;
    assert_eq!(found.len(), 1);
    assert_eq!((alerts.counters().dead_letters, alerts.counters().fetch_failed), (1, 1));
    site.archive.fault(Fault::None);
    let mut letters = hop.subscribe(site.broker.url("dead")).await.unwrap();
    let letter = letters.next_record().await.unwrap().unwrap();
    let (topic, message) = restore(&letter);
    assert_eq!(topic.as_deref(), Some("t"));
    let out = stream().build().unwrap().publish(site.broker.url("again")).await.unwrap();
    out.forward("again", message).await.unwrap().await.unwrap();
    let mut again = hop.subscribe(site.broker.url("again")).await.unwrap();
    assert_eq!(text(&next(&mut again).await.unwrap()), b"large");
}

#[tokio::test]
async fn placeholders_of_placeholders_and_documents_that_are_no_messages_are_not_followed() {
    let site = Site::new().await;
    let inner = site.store("inner");
    let id = Uuid::new_v4();
    let content = format!(r#"{{"url": "{inner}"}}"#);
    site.archive.store(id, content.as_bytes(), &[("_format", b"external")], b"", "t", 1);
    let bad = Uuid::new_v4();
    site.archive.put(bad, bson::doc! {"message": "text", "metadata": {"headers": [], "timestamp": 1}});
    let none = Uuid::new_v4();
    site.archive.put(none, bson::doc! {"message": binary(b"x")});
    let placeholders = [id, bad, none].map(|id| External::new(site.archive.url(id)));
    send(&site.broker.url("t"), &[&placeholders[0], &placeholders[1], &placeholders[2]]).await;
    let found = site.read(site.hop()).await;
    assert_eq!(found[0].as_ref().unwrap().get::<External>().unwrap().url, inner);
    for error in [&found[1], &found[2]] {
        assert_eq!(error.as_ref().unwrap_err().kind(), ErrorKind::Protocol);
    }
}

#[tokio::test]
async fn the_newest_good_message_of_the_broker_names_the_archive() {
    let site = Site::new().await;
    for bad in [
        "not JSON",
        "[]",
        r#"{"LargeMessageUploadEndpoint": "http://127.0.0"#,
        r#"{"LargeMessageUploadEndpoint": 1}"#,
        r#"{"LargeMessageUploadEndpoint": "file:///x"}"#,
    ] {
        site.name(bad).await;
    }
    let url = site.store("large");
    send(&site.broker.url("t"), &[&External::new(&url)]).await;
    assert_eq!(text(&site.read(site.hop()).await[0]), b"large");
    // An archive that moves while a reader is there is found again at the first message that names it.
    let mut alerts = site.hop().build().unwrap().subscribe(site.broker.url("u")).until_eos(false).await.unwrap();
    send(&site.broker.url("u"), &[&External::new(&url)]).await;
    assert_eq!(text(&next(&mut alerts).await.unwrap()), b"large");
    let moved = Archive::start();
    moved.user("ada", PASSWORD);
    site.name(&moved.metadata()).await;
    let id = Uuid::new_v4();
    moved.store(id, b"moved", &[("_format", b"blob")], b"", "t", 1);
    send(&site.broker.url("u"), &[&External::new(moved.url(id)), &blob("after")]).await;
    assert_eq!(text(&next(&mut alerts).await.unwrap()), b"moved");
    assert_eq!(text(&next(&mut alerts).await.unwrap()), b"after");
    // A broker that names none.
    let bare = EmbeddedBroker::start().unwrap();
    bare.create_topic("t", 1).unwrap();
    send(&bare.url("t"), &[&External::new(&url), &JsonBlob::default()]).await;
    let mut alerts = site.hop().build().unwrap().subscribe(bare.url("t")).await.unwrap();
    let error = next(&mut alerts).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden, "{error}");
    assert!(next(&mut alerts).await.unwrap().is_ok());
}

#[tokio::test]
async fn a_reader_that_is_stopped_does_not_wait_for_the_archive() {
    let site = Site::new().await;
    site.archive.fault(Fault::Frozen);
    let url = site.store("large");
    send(&site.broker.url("t"), &[&External::new(&url)]).await;
    let mut alerts = site.hop().build().unwrap().subscribe(site.broker.url("t")).await.unwrap();
    let control = alerts.control();
    let started = Instant::now();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(500));
        control.stop();
    });
    assert!(next(&mut alerts).await.is_none());
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}
