//! What other programs do to the journal of a publisher that is at work: it says so, and neither loses messages silently nor
//! waits for ever.

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use futures_util::future::join_all;
use hop_core::Blob;
use hop_kafka::journal::{Contents, Durability, Folder};
use hop_kafka::{EmbeddedBroker, ErrorKind, JournaledPublisher, StartPosition, Stream};
use hop_tests::proxy::{Behaviour, Proxy};

const SOON: Duration = Duration::from_secs(20);
/// Nobody listens there.
const NOBODY: &str = "kafka://127.0.0.1:9/alerts";

fn hop() -> Stream {
    hop_tests::stream().start_at(StartPosition::Earliest).until_eos(true).build().unwrap()
}

async fn queue(out: &JournaledPublisher, numbers: std::ops::Range<usize>) -> Result<(), hop_kafka::Error> {
    for number in numbers {
        let _delivery = out.write(&Blob::from(number.to_string().as_bytes())).key("k").queue().await?;
    }
    Ok(())
}

async fn received(url: &str) -> Vec<usize> {
    let mut alerts = hop().subscribe(url).await.unwrap();
    let mut found = Vec::new();
    while let Some(alert) = alerts.next().await {
        found.push(std::str::from_utf8(&alert.unwrap().record.content).unwrap().parse().unwrap());
    }
    found
}

fn remove_files(journal: &Path) {
    for file in std::fs::read_dir(journal).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some() {
            std::fs::remove_file(path).unwrap();
        }
    }
}

#[cfg(unix)]
#[tokio::test]
async fn nothing_is_accepted_while_the_folder_is_elsewhere_and_all_arrives_once_it_is_back() {
    let home = tempfile::tempdir().unwrap();
    let (journal, aside) = (home.path().join("j"), home.path().join("aside"));
    let broker = EmbeddedBroker::start().unwrap();
    broker.create_topic("alerts", 1).unwrap();
    let proxy = Proxy::before([broker.address().as_str()]);
    proxy.behave(Behaviour::Refuse);
    let url = format!("kafka://{}/alerts", proxy.address());
    let out = hop().publish(&url).journal(&journal).await.unwrap();
    queue(&out, 0..5).await.unwrap();
    std::fs::rename(&journal, &aside).unwrap();
    let error = queue(&out, 5..6).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Journal);
    let expected = format!(
        "the journal {} was moved or removed while it is in use; put the folder back where it was, or open the journal anew",
        journal.display()
    );
    assert_eq!(error.to_string(), expected);
    assert_eq!(&error.undelivered()[0].message.content[..], b"5", "the message is handed back");
    let error = out.flush_within(Duration::from_millis(10)).await.unwrap_err();
    assert!(
        error.to_string().starts_with("5 messages wait in the journal; its folder was moved or removed"),
        "{error}"
    );
    // What was accepted is sent from where it is.
    proxy.behave(Behaviour::Forward);
    tokio::time::timeout(SOON, out.flush()).await.unwrap().unwrap();
    assert_eq!(queue(&out, 5..6).await.unwrap_err().kind(), ErrorKind::Journal);
    std::fs::rename(&aside, &journal).unwrap();
    queue(&out, 6..7).await.unwrap();
    tokio::time::timeout(SOON, out.close()).await.unwrap().unwrap();
    assert_eq!(received(&broker.url("alerts")).await, [0, 1, 2, 3, 4, 6]);
    assert_eq!(std::fs::read_dir(&journal).unwrap().count(), 1, "the lock alone is left");
}

#[tokio::test]
async fn a_file_that_is_removed_under_the_writer_costs_nothing_while_it_is_open() {
    let home = tempfile::tempdir().unwrap();
    let journal = home.path().join("j");
    let out = hop().publish(NOBODY).journal(&journal).await.unwrap();
    queue(&out, 0..50).await.unwrap();
    remove_files(&journal);
    queue(&out, 50..60).await.unwrap();
    assert_eq!(out.close_within(Duration::ZERO).await.unwrap_err().kind(), ErrorKind::TimedOut);
    let broker = EmbeddedBroker::start().unwrap();
    broker.create_topic("alerts", 1).unwrap();
    let out = hop().publish(broker.url("alerts")).journal(&journal).await.unwrap();
    tokio::time::timeout(SOON, out.close()).await.unwrap().unwrap();
    assert_eq!(received(&broker.url("alerts")).await, (0..60).collect::<Vec<_>>());
}

#[tokio::test]
async fn messages_whose_file_is_gone_are_returned_as_undelivered_and_the_others_go_on() {
    const COUNT: usize = 20_000;
    let home = tempfile::tempdir().unwrap();
    let journal = home.path().join("j");
    // Files of 512 KiB.
    let open =
        |url: &str| hop().publish(url).journal(&journal).max_bytes(4 << 20).durability(Durability::OperatingSystem);
    let out = open(NOBODY).await.unwrap();
    queue(&out, 0..COUNT).await.unwrap();
    assert_eq!(out.close_within(Duration::ZERO).await.unwrap_err().kind(), ErrorKind::TimedOut);
    let broker = EmbeddedBroker::start().unwrap();
    broker.create_topic("alerts", 1).unwrap();
    let proxy = Proxy::before([broker.address().as_str()]);
    proxy.behave(Behaviour::Refuse);
    let out = open(&format!("kafka://{}/alerts", proxy.address())).await.unwrap();
    // Once this is accepted, as many as may be on their way, about half of them, are read from the files.
    queue(&out, COUNT..COUNT + 3).await.unwrap();
    let waiting = || {
        let (contents, _) = Contents::read(Folder::inspect(&journal).unwrap()).unwrap();
        contents.waiting().collect::<Vec<u64>>()
    };
    let before = waiting();
    assert_eq!(before.len(), COUNT + 3);
    std::fs::remove_file(journal.join("waiting-000000000004.journal")).unwrap();
    let after: HashSet<u64> = waiting().into_iter().collect();
    let gone: HashSet<u64> = before.into_iter().filter(|number| !after.contains(number)).collect();
    assert!(gone.len() > 1000 && gone.iter().all(|number| *number > 10_000), "{}", gone.len());
    proxy.behave(Behaviour::Forward);
    let error = tokio::time::timeout(SOON, out.flush()).await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.undelivered().len()), (ErrorKind::Undelivered, gone.len()));
    let reason = &error.undelivered()[0].reason;
    assert!(reason.ends_with("is gone: another program removed or cut off waiting-000000000004.journal"), "{reason}");
    assert_eq!(out.unsent(), 0);
    tokio::time::timeout(SOON, out.close()).await.unwrap().unwrap();
    // The journal's numbers begin with 1.
    let expected: Vec<usize> = (0..COUNT + 3).filter(|number| !gone.contains(&(*number as u64 + 1))).collect();
    assert!(received(&broker.url("alerts")).await == expected);
    assert_eq!(std::fs::read_dir(&journal).unwrap().count(), 1, "the lock alone is left");
}

#[tokio::test]
async fn whoever_waits_for_a_message_whose_file_is_gone_does_not_wait_for_ever() {
    let home = tempfile::tempdir().unwrap();
    let journal = home.path().join("j");
    // Files of 32 KiB.
    let out = hop().publish(NOBODY).journal(&journal).max_bytes(0).await.unwrap();
    let text = "x".repeat(1000);
    let mut deliveries = Vec::new();
    for _ in 0..100 {
        deliveries.push(out.write(&Blob::from(text.as_bytes())).queue().await.unwrap());
    }
    assert!(std::fs::read_dir(&journal).unwrap().count() > 2);
    remove_files(&journal);
    assert_eq!(out.close_within(Duration::ZERO).await.unwrap_err().kind(), ErrorKind::TimedOut);
    let reasons: Vec<String> = tokio::time::timeout(SOON, join_all(deliveries))
        .await
        .unwrap()
        .into_iter()
        .map(|result| result.unwrap_err().undelivered()[0].reason.clone())
        .collect();
    assert!(reasons[0].contains("is gone"), "{}", reasons[0]);
    assert!(reasons[99].contains("waits in the journal") || reasons[99].contains("is gone"), "{}", reasons[99]);
}
