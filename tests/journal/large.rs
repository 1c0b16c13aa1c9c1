//! Messages that are too large for their topic, by way of a journal: written down, stored in the archive, their placeholders
//! sent.

use std::time::Duration;

use hop_core::Blob;
use hop_kafka::journal::{Contents, Folder};
use hop_kafka::{Credential, ErrorKind, JournaledPublisher, Offload, StartPosition, Stream};
use hop_tests::archive::{Archive, Fault};
use hop_tests::{Broker, stream};

const SOON: Duration = Duration::from_secs(30);
const LARGE: usize = 60_000;

/// A topic that takes 20 kB, on Apache Kafka; in the process it is the writer that takes no more.
async fn site() -> (Broker, String, Archive, Stream) {
    let (broker, archive) = (Broker::new(), Archive::start());
    archive.user("ada", "hunter2-of-ada");
    let topic = broker.topic_with(1, &[("max.message.bytes", "20000")]).await;
    let hop = stream()
        .credential(Credential::new("ada", "hunter2-of-ada"))
        .property("security.protocol", "plaintext")
        .archive_url(archive.endpoint())
        .start_at(StartPosition::Earliest)
        .until_eos(true)
        .offload(Offload::Automatic)
        .fetch_external(true);
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
