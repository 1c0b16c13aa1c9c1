//! Large messages, writing: what a topic does not take is stored in the archive, and a placeholder sent.

use std::time::{Duration, Instant};

use hop_core::{Blob, header};
use hop_kafka::auth::Mechanism;
use hop_kafka::{Compression, Credential, EmbeddedBroker, ErrorKind, Offload, StartPosition, StreamBuilder};
use hop_models::External;
use hop_tests::archive::{Archive, Fault};
use hop_tests::secured::Secured;
use hop_tests::token::SigningKey;
use hop_tests::{Broker, stream};

use crate::{all, blob, send};

const PASSWORD: &str = "hunter2-of-ada";

async fn site() -> (EmbeddedBroker, Archive) {
    let (broker, archive) = (EmbeddedBroker::start().unwrap(), Archive::start());
    archive.user("ada", PASSWORD);
    // One partition keeps the order.
    broker.create_topic("t", 1).unwrap();
    send(&broker.url("sys.metadata"), &[&blob(&archive.metadata())]).await;
    (broker, archive)
}

fn hop() -> StreamBuilder {
    hop_of(Credential::new("ada", PASSWORD))
}

fn hop_of(credential: Credential) -> StreamBuilder {
    stream()
        .credential(credential)
        .property("security.protocol", "plaintext")
        .offload(Offload::Always)
        .fetch_external(true)
}

#[tokio::test]
async fn a_message_comes_back_from_the_archive_as_it_was_written() {
    for mechanism in [Mechanism::ScramSha512, Mechanism::ScramSha256] {
        let (broker, archive) = site().await;
        let hop = hop_of(Credential::new("ada", PASSWORD).mechanism(mechanism)).build().unwrap();
        let out = hop.publish(broker.url("t")).await.unwrap();
        let delivered = out
            .write(&blob("large"))
            .header("priority", "1")
            .header("bin", [0, 255])
            .key("GRB 1")
            .send()
            .await
            .unwrap();
        assert_eq!((delivered.offset, out.counters().offloaded, out.counters().delivered), (0, 1, 1));
        let asked = archive.asked();
        let bodies: Vec<usize> = asked.iter().map(|asked| asked.body.len()).collect();
        assert!(bodies[0] == 0 && bodies[1] > 0 && bodies.len() == 2, "the body goes once: {bodies:?}");
        assert_eq!(asked[1].path, "/api/v1/topic/t+oversized");
        let mut raw = hop.subscribe(broker.url("t")).fetch_external(false).await.unwrap();
        let placeholder = &all(&mut raw).await[0];
        let (id, _) = &archive.stored()[0];
        assert_eq!(placeholder.get::<External>().unwrap().url, archive.url(*id));
        let content = placeholder.record.content.as_bytes().unwrap();
        assert_eq!(*content, format!(r#"{{"url": "{}"}}"#, archive.url(*id)));
        assert_eq!(placeholder.record.key.as_deref(), Some(&b"GRB 1"[..]));
        let names: Vec<&str> = placeholder.record.headers.iter().map(|header| &*header.name).collect();
        assert_eq!(names, [header::ID, header::SENDER, header::FORMAT]);
        assert_ne!(placeholder.record.headers.id(), Some(*id));
        let mut fetched = hop.subscribe(broker.url("t")).await.unwrap();
        let found = &all(&mut fetched).await[0];
        assert_eq!(found.get::<Blob>().unwrap().content.as_bytes().unwrap().as_ref(), b"large");
        assert_eq!(found.record.headers.get("bin"), Some(&[0, 255][..]));
        assert_eq!(found.record.headers.id(), Some(*id));
        assert_eq!(found.record.key.as_deref(), Some(&b"GRB 1"[..]));
    }
}

#[tokio::test]
async fn tests_stay_tests_and_an_identifier_that_is_taken_is_replaced() {
    let (broker, archive) = site().await;
    let hop = hop().build().unwrap();
    let out = hop.publish(broker.url("t")).await.unwrap();
    out.write(&blob("first")).test(true).send().await.unwrap();
    let mut records = hop.subscribe(broker.url("t")).test_messages(true).fetch_external(false).await.unwrap();
    let first = all(&mut records).await.remove(0);
    assert_eq!(first.record.headers.get(header::TEST), Some(&b"true"[..]));
    // The same message again: the archive stores it under another identifier.
    let mut fetched = hop.subscribe(broker.url("t")).test_messages(true).await.unwrap();
    let record = all(&mut fetched).await.remove(0).record;
    let again = hop_core::Outgoing { content: record.content, key: None, headers: record.headers };
    out.forward("t", again).await.unwrap().await.unwrap();
    let stored = archive.stored();
    assert_eq!(stored.len(), 2);
    let mut records = hop.subscribe(broker.url("t")).test_messages(true).fetch_external(false).await.unwrap();
    let second = all(&mut records).await.remove(1);
    assert_eq!(second.get::<External>().unwrap().url, archive.url(stored[1].0));
}

/// Writes a message of `size` bytes to an archive with a fault, then one to an archive without.
async fn fails(
    site: &(EmbeddedBroker, Archive),
    hop: StreamBuilder,
    size: usize,
    fault: Fault,
    kind: ErrorKind,
    word: &str,
) {
    let (broker, archive) = site;
    let named = format!("{fault:?}, {size} bytes");
    archive.fault(fault);
    let content = vec![b'x'; size];
    let publish = hop.build().unwrap().publish(broker.url("t")).produce_timeout(Duration::from_secs(3));
    let out = publish.await.unwrap();
    let started = Instant::now();
    let error = out.write(&Blob::from(&content[..])).header("a", "b").send().await.unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(6), "{named}: {:?}", started.elapsed());
    assert_eq!(error.kind(), kind, "{named}: {error}");
    assert!(error.to_string().contains(word), "{named}: {error}");
    // What to do stands behind what happened.
    assert!(error.to_string().contains("; "), "{named}: {error}");
    assert!(!format!("{error} {error:?}").contains(PASSWORD));
    let back = &error.undelivered()[0].message;
    let found = (back.content.as_bytes().unwrap().as_ref(), back.headers.get("a"));
    assert!(found == (&content[..], Some(&b"b"[..])), "{named}: another message was handed back");
    // The same publisher goes on with the next message.
    archive.fault(Fault::None);
    let before = archive.stored().len();
    // On a machine that has much to do, finding the archive again may take longer than one message waits.
    let started = Instant::now();
    while let Err(error) = out.write(&blob("next")).send().await {
        assert!(started.elapsed() < Duration::from_secs(15), "{named}: {error}");
    }
    assert!(archive.stored().len() > before, "{named}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_of_an_archive_is_an_error_that_hands_the_message_back() {
    let site = site().await;
    let (ended, late) = ("ended the connection before it had answered", "did not answer in time");
    for (fault, kind, word) in [
        (Fault::Closes, ErrorKind::Connection, ended),
        (Fault::HalfCloses, ErrorKind::Connection, ended),
        (Fault::Cuts, ErrorKind::Connection, ended),
        (Fault::Frozen, ErrorKind::TimedOut, late),
        (Fault::Drips, ErrorKind::TimedOut, late),
        (Fault::DripsHeader, ErrorKind::TimedOut, late),
        (Fault::EndlessInterim, ErrorKind::TimedOut, late),
        (Fault::Garbled, ErrorKind::Protocol, "not HTTP"),
        (Fault::EndlessHeader, ErrorKind::Protocol, "not HTTP"),
        (Fault::Endless, ErrorKind::TooLarge, "an answer of more than"),
        (Fault::Truncated, ErrorKind::Protocol, "not a whole BSON document"),
        (Fault::WrongSignature, ErrorKind::Protocol, "a wrong signature"),
        (Fault::WrongSid, ErrorKind::Protocol, "another login"),
        (Fault::NoSignature, ErrorKind::Protocol, "does not prove"),
        (Fault::Iterations(2_000_000_000), ErrorKind::Protocol, "iterations"),
        (Fault::ConfirmsNothing, ErrorKind::Protocol, "had not got yet"),
        (Fault::Says(101), ErrorKind::Refused, "answered 101"),
        (Fault::Says(401), ErrorKind::Authentication, "SCRAM-SHA-512"),
        (Fault::Says(403), ErrorKind::Authorization, "answered 403"),
        (Fault::Says(404), ErrorKind::NotFound, "answered 404"),
        (Fault::Says(500), ErrorKind::Unavailable, "answered 500"),
        (Fault::Says(501), ErrorKind::Refused, "answered 501"),
        // Once, after the login: it is the next message that is stored.
        (Fault::First(1, 401), ErrorKind::Authentication, "answered 401"),
        (Fault::First(1, 403), ErrorKind::Authorization, "answered 403"),
        (Fault::First(1, 404), ErrorKind::NotFound, "answered 404"),
        (Fault::First(1, 413), ErrorKind::TooLarge, "answered 413"),
        (Fault::First(1, 422), ErrorKind::Refused, "answered 422"),
        (Fault::First(1, 500), ErrorKind::Unavailable, "answered 500"),
    ] {
        fails(&site, hop(), 1000, fault, kind, word).await;
    }
    // What passes is tried again, and the message is stored once.
    let (broker, archive) = &site;
    for fault in [Fault::First(2, 502), Fault::First(2, 503), Fault::First(2, 504), Fault::Interim] {
        archive.fault(fault);
        let before = archive.stored().len();
        let out = hop().build().unwrap().publish(broker.url("t")).await.unwrap();
        out.write(&blob("large")).send().await.unwrap();
        assert_eq!(archive.stored().len(), before + 1);
    }
    // A header that the archive cannot store.
    let out = hop().build().unwrap().publish(broker.url("t")).await.unwrap();
    let error = out.write(&blob("large")).null_header("none").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().contains("a header that is null"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_not_read_whole_ends_within_its_time_with_what_the_archive_said() {
    const LARGE: usize = 24 << 20;
    let site = site().await;
    let token = SigningKey::generate().token("ada", 600);
    site.1.token(&token);
    let with_token = || hop_of(Credential::new("ada", "").token_command(format!("echo {token}")));
    for (fault, kind, word) in [
        (Fault::Early(413), ErrorKind::TooLarge, "answered 413"),
        (Fault::EarlyAndOpen(413), ErrorKind::TooLarge, "answered 413"),
        (Fault::Early(401), ErrorKind::Authentication, "answered 401"),
        (Fault::Early(503), ErrorKind::Unavailable, "answered 503"),
        (Fault::NeverReads, ErrorKind::TimedOut, "did not answer in time"),
        (Fault::ReadsSlowly(100_000), ErrorKind::TimedOut, "did not answer in time"),
    ] {
        for hop in [hop(), with_token()] {
            fails(&site, hop, LARGE, fault.clone(), kind, word).await;
        }
    }
    // A slow archive that is fast enough.
    site.1.fault(Fault::ReadsSlowly(200_000_000));
    let out = hop().build().unwrap().publish(site.0.url("t")).produce_timeout(Duration::from_secs(30)).await.unwrap();
    out.write(&Blob::from(vec![b'x'; LARGE])).send().await.unwrap();
}

#[tokio::test]
async fn no_credential_goes_where_an_archive_redirects_to() {
    let site = site().await;
    let token = SigningKey::generate().token("ada", 600);
    let other = Archive::start();
    for archive in [&site.1, &other] {
        archive.user("ada", PASSWORD);
        archive.token(&token);
    }
    for hop in [hop(), hop_of(Credential::new("ada", "").token_command(format!("echo {token}")))] {
        let fault = Fault::Redirects(format!("{}/topic/t+oversized", other.endpoint()));
        fails(&site, hop, 1000, fault, ErrorKind::Protocol, "redirections are not followed").await;
    }
    assert!(other.asked().is_empty(), "a redirection was followed");
}

#[tokio::test]
async fn nothing_is_stored_where_there_is_no_archive() {
    let broker = EmbeddedBroker::start().unwrap();
    let out = hop().build().unwrap().publish(broker.url("t")).await.unwrap();
    let error = out.write(&blob("large")).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("names no archive"), "{error}");
    // Off, and automatic for a small message, ask nobody.
    for offload in [Offload::Off, Offload::Automatic] {
        let out = hop().offload(offload).build().unwrap().publish(broker.url("t")).await.unwrap();
        out.write(&blob("small")).send().await.unwrap();
    }
}

#[tokio::test]
async fn an_archive_that_moves_is_found_again() {
    let (broker, archive) = site().await;
    let out = hop().build().unwrap().publish(broker.url("t")).await.unwrap();
    out.write(&blob("first")).send().await.unwrap();
    drop(archive);
    let moved = Archive::start();
    moved.user("ada", PASSWORD);
    send(&broker.url("sys.metadata"), &[&blob(&moved.metadata())]).await;
    out.write(&blob("second")).send().await.unwrap();
    assert_eq!(moved.stored().len(), 1);
    // It moves while a message is stored.
    moved.fault(Fault::Says(503));
    let again = Archive::start();
    again.user("ada", PASSWORD);
    let content = blob("third");
    let third = out.write(&content).queue();
    let moves = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        send(&broker.url("sys.metadata"), &[&blob(&again.metadata())]).await;
    };
    let (third, ()) = tokio::join!(third, moves);
    third.unwrap().await.unwrap();
    let (id, _) = again.stored()[0];
    let mut raw = hop().build().unwrap().subscribe(broker.url("t")).fetch_external(false).await.unwrap();
    assert_eq!(all(&mut raw).await[2].get::<External>().unwrap().url, again.url(id));
}

#[tokio::test]
async fn what_is_above_the_topics_limit_is_stored_whoever_finds_it() {
    let name = "what_is_above_the_topics_limit_is_stored_whoever_finds_it";
    let Some(broker) = Broker::apache_or_skip(name) else { return };
    let archive = Archive::start();
    archive.user("ada", PASSWORD);
    let topic = broker.topic_with(1, &[("max.message.bytes", "50000")]).await;
    let hop = hop().offload(Offload::Automatic).archive_url(archive.endpoint()).build().unwrap();
    let url = broker.url(&topic);
    let large =
        |byte: u8, size: usize| Blob::from((0..size).map(|at| byte ^ ((at * 7919) >> 3) as u8).collect::<Vec<u8>>());
    let out = hop.publish(&url).await.unwrap();
    // Known before; found by the broker alone, for being too small to ask for; and after compression.
    out.write(&large(1, 300_000)).send().await.unwrap();
    out.write(&blob("small")).send().await.unwrap();
    let fresh = hop.publish(&url).await.unwrap();
    fresh.write(&large(2, 60_000)).key("k").send().await.unwrap();
    let compressing = hop.publish(&url).compression(Compression::Zstd).await.unwrap();
    compressing.write(&blob(&"Nova. ".repeat(100_000))).send().await.unwrap();
    assert_eq!(archive.stored().len(), 2);
    for publisher in [out, fresh, compressing] {
        // A message is counted as gone just after its result is known.
        publisher.flush().await.unwrap();
        assert_eq!((publisher.unsent(), publisher.counters().failed), (0, 0));
        publisher.close().await.unwrap();
    }
    let found = all(&mut hop.subscribe(&url).await.unwrap()).await;
    let sizes: Vec<usize> = found.iter().map(|alert| alert.record.content.len()).collect();
    assert_eq!(sizes, [300_000, 5, 60_000, 600_000]);
    assert_eq!(found[2].record.key.as_deref(), Some(&b"k"[..]));
    // One that the archive does not take either comes back.
    archive.fault(Fault::Says(403));
    let out = hop.publish(&url).await.unwrap();
    let error = out.write(&large(3, 60_000)).send().await.unwrap_err();
    assert_eq!(error.undelivered()[0].kind, ErrorKind::Authorization, "{error}");
    assert_eq!(error.undelivered()[0].message.content.len(), 60_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_messages_the_large_ones_alone_are_stored_where_the_broker_finds_them() {
    const COUNT: usize = 1_000;
    const LARGE: usize = 60_000;
    let name = "of_many_messages_the_large_ones_alone_are_stored_where_the_broker_finds_them";
    let Some(broker) = Broker::apache_or_skip(name) else { return };
    let archive = Archive::start();
    archive.user("ada", PASSWORD);
    let topic = broker.topic_with(1, &[("max.message.bytes", "50000")]).await;
    let hop = hop().offload(Offload::Automatic).archive_url(archive.endpoint()).build().unwrap();
    let url = broker.url(&topic);
    let out = hop.publish(&url).await.unwrap();
    // Batches of small messages are too large as well; so is one with a placeholder in it.
    let size = |number: usize| if number % 200 == 50 { LARGE } else { 1_000 };
    for number in 0..COUNT {
        let content = format!("{number:<size$}", size = size(number));
        let _delivery = out.write(&blob(&content)).queue().await.unwrap();
    }
    tokio::time::timeout(Duration::from_secs(60), out.flush()).await.unwrap().unwrap();
    assert_eq!((out.counters().delivered, out.counters().failed), (COUNT as u64, 0));
    out.close().await.unwrap();
    let found = all(&mut hop.subscribe(&url).await.unwrap()).await;
    let mut numbers = Vec::new();
    for alert in &found {
        let content = std::str::from_utf8(&alert.record.content).unwrap();
        let number: usize = content.trim_end().parse().unwrap_or_else(|_| panic!("{content:.100}"));
        assert_eq!(content.len(), size(number));
        numbers.push(number);
    }
    numbers.sort_unstable();
    assert!(numbers == (0..COUNT).collect::<Vec<_>>(), "{} messages", numbers.len());
    let stored: Vec<usize> =
        archive.stored().iter().map(|(_, document)| document.get_binary_generic("message").unwrap().len()).collect();
    assert_eq!(stored, [LARGE; COUNT / 200], "{} were stored", stored.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_may_ask_for_the_limit_a_journal_keeps_the_order_once_it_has_met_it() {
    const LARGE: usize = 60_000;
    let name = "where_nobody_may_ask_for_the_limit_a_journal_keeps_the_order_once_it_has_met_it";
    let Some(secured) = Secured::or_skip(name) else { return };
    let archive = Archive::start();
    archive.user("writer", secured.password("writer"));
    archive.user("owner", secured.password("owner"));
    let topic = secured.broker.topic_with(1, &[("max.message.bytes", "50000")]).await;
    let url = format!("kafka://{}/{topic}", secured.sasl_ssl());
    let hop = |user| {
        let builder = hop_kafka::Stream::builder().credential(secured.credential(user, Mechanism::ScramSha512));
        let builder = builder.archive_url(archive.endpoint()).offload(Offload::Automatic).fetch_external(true);
        builder.start_at(StartPosition::Earliest).until_eos(true).build().unwrap()
    };
    let home = tempfile::tempdir().unwrap();
    let out = hop("writer").publish(&url).journal(home.path().join("j")).await.unwrap();
    let size = |number: usize| if number % 50 == 25 { LARGE } else { 1_000 };
    for numbers in [0..200, 200..400] {
        let contents: Vec<Blob> =
            numbers.map(|number| blob(&format!("{number:<size$}", size = size(number)))).collect();
        for content in &contents {
            let _delivery = out.write(content).key("k").queue().await.unwrap();
        }
        tokio::time::timeout(Duration::from_secs(60), out.flush()).await.unwrap().unwrap();
    }
    assert_eq!((out.unsent(), out.refused()), (0, 0));
    out.close().await.unwrap();
    let found = all(&mut hop("owner").subscribe(&url).await.unwrap()).await;
    let mut numbers: Vec<usize> = found
        .iter()
        .map(|alert| {
            let content = std::str::from_utf8(&alert.record.content).unwrap();
            let number = content.trim_end().parse().unwrap();
            assert_eq!(content.len(), size(number));
            number
        })
        .collect();
    let later: Vec<usize> = numbers.iter().copied().filter(|number| *number >= 200).collect();
    assert!(later == (200..400).collect::<Vec<_>>(), "{later:?}");
    numbers.sort_unstable();
    numbers.dedup();
    assert!(numbers == (0..400).collect::<Vec<_>>(), "{} messages", numbers.len());
    assert_eq!(archive.stored().len(), 8);
}
