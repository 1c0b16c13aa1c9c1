//! Messages that are too large for their topic, by way of a journal: written down, stored in the archive, their placeholders
//! sent.

use std::time::{Duration, Instant};

use hop_core::Blob;
use hop_kafka::journal::{Contents, Folder};
use hop_kafka::{ErrorKind, JournaledPublisher, StartPosition, Stream};
use hop_tests::Broker;
use hop_tests::archive::{self, Archive, Fault};
use hop_tests::process::Program;
use uuid::Uuid;

const SOON: Duration = Duration::from_secs(30);
const LARGE: usize = 60_000;
const WRITER: &str = env!("CARGO_BIN_EXE_journal-writer");

/// A topic that takes 20 kB, on Apache Kafka; in the process it is the writer that takes no more.
async fn site() -> (Broker, String, Archive, Stream) {
    let (broker, archive) = (Broker::new(), Archive::start());
    archive.known_user();
    let topic = broker.topic_with(1, &[("max.message.bytes", "20000")]).await;
    let hop = archive::stream(&archive.endpoint()).start_at(StartPosition::Earliest).until_eos(true);
    let hop = if broker.is_embedded() { hop.property("message.max.bytes", "20000") } else { hop };
    let url = broker.url(&topic);
    (broker, url, archive, hop.build().unwrap())
}

/// The numbers of the messages, with their sizes.
async fn received(hop: &Stream, url: &str) -> Vec<(usize, usize)> {
    let mut alerts = hop.subscribe(url).await.unwrap();
    let mut found = Vec::new();
    while let Some(alert) = alerts.next().await {
        let content = alert.unwrap().record.content.to_vec();
        found.push((content[0].into(), content.len()));
    }
    found
}

/// Every third message is large.
const fn size(number: u8) -> usize {
    if number % 3 == 1 { LARGE } else { 100 }
}

async fn queue(out: &JournaledPublisher, numbers: std::ops::Range<u8>) {
    for number in numbers {
        let message = Blob::from(vec![number; size(number)]);
        let _delivery = out.write(&message).key("k").queue().await.unwrap();
    }
}

fn expected(count: u8) -> Vec<(usize, usize)> {
    (0..count).map(|number| (number.into(), size(number))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn large_messages_wait_in_the_journal_until_the_archive_is_back() {
    let (_broker, url, archive, hop) = site().await;
    let home = tempfile::tempdir().unwrap();
    let journal = home.path().join("j");
    let out = hop.publish(&url).journal(&journal).await.unwrap();
    queue(&out, 0..6).await;
    tokio::time::timeout(SOON, out.flush()).await.unwrap().unwrap();
    assert_eq!(received(&hop, &url).await, expected(6));
    assert_eq!(archive.stored().len(), 2);
    // The archive is down: nothing is lost, and the same publisher goes on when it is back.
    archive.fault(Fault::Says(503));
    queue(&out, 6..12).await;
    assert_eq!(out.flush_within(Duration::from_secs(1)).await.unwrap_err().kind(), ErrorKind::TimedOut);
    let (contents, _) = Contents::read(Folder::inspect(&journal).unwrap()).unwrap();
    assert!(contents.waiting().count() >= 5, "the large one and those behind it wait");
    archive.fault(Fault::None);
    tokio::time::timeout(SOON, out.flush()).await.unwrap().unwrap();
    assert_eq!((out.unsent(), out.refused()), (0, 0));
    // It is down when the publisher ends; the next one sends what waits.
    archive.fault(Fault::Frozen);
    queue(&out, 12..18).await;
    let error = out.close_within(Duration::from_millis(500)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    archive.fault(Fault::None);
    let out = hop.publish(&url).journal(&journal).await.unwrap();
    assert!(out.recovery().waiting >= 5, "{}", out.recovery());
    tokio::time::timeout(SOON, out.close()).await.unwrap().unwrap();
    assert_eq!(received(&hop, &url).await, expected(18));
    // One that the archive does not take for good is put aside with the reason, and the others go on.
    archive.fault(Fault::First(1, 413));
    let out = hop.publish(&url).journal(&journal).await.unwrap();
    queue(&out, 18..21).await;
    let error = tokio::time::timeout(SOON, out.flush()).await.unwrap().unwrap_err();
    assert!(error.undelivered()[0].reason.contains("answered 413"), "{error}");
    assert_eq!((out.unsent(), out.refused(), error.undelivered()[0].message.content.len()), (0, 1, LARGE));
    archive.fault(Fault::None);
    out.retry_refused().await.unwrap();
    tokio::time::timeout(SOON, out.close()).await.unwrap().unwrap();
    let found = received(&hop, &url).await;
    assert_eq!(found[18..], [(18, 100), (20, 100), (19, LARGE)]);
    assert_eq!(std::fs::read_dir(&journal).unwrap().count(), 1, "the lock alone is left");
}

/// What the reader is handed: number and size of each message, and its `_id`.
async fn numbered(hop: &Stream, url: &str) -> Vec<(u64, usize, Uuid)> {
    let mut alerts = hop.subscribe(url).await.unwrap();
    let mut found = Vec::new();
    while let Some(alert) = alerts.next().await {
        let record = alert.unwrap().record;
        let number = std::str::from_utf8(&record.content).unwrap().trim_end().parse().unwrap();
        found.push((number, record.content.len(), record.headers.id().unwrap()));
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_is_killed_in_the_middle_of_storing_a_message_loses_and_reorders_nothing() {
    // While the message goes there, before its answer comes, and when it is stored all the same.
    for (way, fault, delay) in [
        ("slowly", Fault::ReadsSlowly(20_000), Duration::ZERO),
        ("late", Fault::None, Duration::from_millis(700)),
        ("never", Fault::NeverReads, Duration::ZERO),
    ] {
        let (_broker, url, archive, hop) = site().await;
        let home = tempfile::tempdir().unwrap();
        let journal = home.path().join("j");
        archive.fault(fault);
        archive.delay(delay);
        let writer = |mode: &str, from: u64| {
            Program::new(WRITER)
                .args([&url, journal.to_str().unwrap(), mode, &from.to_string()])
                .env("HOP_TEST_ARCHIVE", archive.endpoint())
                .start()
        };
        let running = writer("each", 0);
        let deadline = Instant::now() + SOON;
        let has_body = || archive.asked().iter().any(|asked| asked.method == "POST" && !asked.body.is_empty());
        // The login comes before the message.
        let is_storing = || if way == "late" { has_body() } else { !archive.asked().is_empty() };
        while !is_storing() {
            assert!(Instant::now() < deadline, "{way}: nothing is stored");
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(300));
        running.signal("KILL");
        let printed = String::from_utf8(running.finish().out).unwrap();
        let accepted: Vec<u64> = printed.lines().filter_map(|line| line.parse().ok()).collect();
        assert!(accepted.len() > 5, "{way}: {printed}");
        let (mut contents, _) = Contents::read(Folder::inspect(&journal).unwrap()).unwrap();
        let waiting: Vec<u64> = contents.waiting().collect();
        let kept: Vec<(u64, Uuid)> = waiting
            .iter()
            .map(|number| {
                let entry = contents.get(*number).unwrap();
                let number = std::str::from_utf8(&entry.message.content).unwrap().trim_end().parse().unwrap();
                (number, entry.id().unwrap())
            })
            .collect();
        assert_eq!(kept.iter().find(|(number, _)| number % 3 == 1).map(|(number, _)| *number), Some(1), "{way}");
        archive.fault(Fault::None);
        archive.delay(Duration::ZERO);
        writer("drain", 0).finish().expect(0);
        let found = numbered(&hop, &url).await;
        let mut once: Vec<(u64, usize, Uuid)> = Vec::new();
        for message in found {
            if !once.iter().any(|(.., id)| *id == message.2) {
                once.push(message);
            }
        }
        let numbers: Vec<u64> = once.iter().map(|(number, ..)| *number).collect();
        assert!(numbers.is_sorted(), "{way}: {numbers:?}");
        assert!(accepted.iter().all(|number| numbers.contains(number)), "{way}: {accepted:?} {numbers:?}");
        for (number, size, id) in &once {
            assert_eq!(*size, if number % 3 == 1 { LARGE } else { number.to_string().len() }, "{way}");
            if let Some((_, before)) = kept.iter().find(|(kept, _)| kept == number) {
                assert_eq!(before, id, "{way}: {number}");
            }
        }
        eprintln!("{way}: {} accepted, {} stored", accepted.len(), archive.stored().len());
    }
}
