//! What a publisher with a journal promises, on the embedded broker and without one.

use std::time::Duration;

use hop_core::{Blob, JsonBlob};
use hop_kafka::journal::{Contents, Folder, WhenFull};
use hop_kafka::{EmbeddedBroker, ErrorKind, JournaledPublisher, StartPosition, Stream};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::RDKafkaRespErr;

const SOON: Duration = Duration::from_secs(20);
/// Nobody listens there.
const NOBODY: &str = "kafka://127.0.0.1:9/alerts";

fn hop() -> Stream {
    hop_tests::stream().start_at(StartPosition::Earliest).until_eos(true).build().unwrap()
}

async fn received(url: &str) -> Vec<String> {
    let mut alerts = hop().subscribe(url).await.unwrap();
    let mut texts = Vec::new();
    while let Some(alert) = alerts.next().await {
        texts.push(String::from_utf8(alert.unwrap().record.content.to_vec()).unwrap());
    }
    texts
}

async fn queue(out: &JournaledPublisher, text: &str) -> Result<(), hop_kafka::Error> {
    out.write(&Blob::from(text.as_bytes())).key("k").queue().await.map(drop)
}

fn texts(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{number} {}", "x".repeat(500))).collect()
}

#[tokio::test]
async fn what_is_accepted_without_a_broker_is_sent_by_the_next_process_in_order() {
    let home = tempfile::tempdir().unwrap();
    let journal = home.path().join("journal");
    let texts = texts(300);
    let out = hop().publish(NOBODY).journal(&journal).await.unwrap();
    for text in &texts {
        queue(&out, text).await.unwrap();
    }
    assert_eq!(out.unsent(), 300);
    let awaited = out.write(&JsonBlob::default()).topic("other").queue().await.unwrap();
    let error = out.close_within(Duration::ZERO).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert_eq!(
        error.to_string(),
        "301 messages wait in the journal; nothing is lost: whoever opens the journal next sends what waits in it"
    );
    // Whoever waits for a result does not wait for ever.
    let error = tokio::time::timeout(SOON, awaited).await.unwrap().unwrap_err();
    assert!(error.to_string().contains("the message waits in the journal"), "{error}");
    // Another process looks into it meanwhile.
    let (contents, recovery) = Contents::read(Folder::inspect(&journal).unwrap()).unwrap();
    assert_eq!((contents.waiting().count(), recovery.is_clean()), (301, true));
    let broker = EmbeddedBroker::start().unwrap();
    let out = hop().publish(broker.url("alerts")).journal(&journal).await.unwrap();
    assert_eq!(out.recovery().waiting, 301);
    tokio::time::timeout(SOON, out.close()).await.unwrap().unwrap();
    assert_eq!(received(&broker.url("alerts")).await, texts);
    let left: Vec<_> = std::fs::read_dir(&journal).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(left, ["lock"]);
}

#[tokio::test]
async fn send_waits_for_the_broker_and_queue_for_the_disk() {
    let home = tempfile::tempdir().unwrap();
    let broker = EmbeddedBroker::start().unwrap();
    broker.create_topic("alerts", 1).unwrap();
    let out = hop().publish(broker.url("alerts")).journal(home.path().join("j")).await.unwrap();
    let delivered = out.write(&JsonBlob::default()).send().await.unwrap();
    assert_eq!((delivered.partition, delivered.offset), (0, 0));
    let delivery = out.write(&JsonBlob::default()).queue().await.unwrap();
    assert_eq!(delivery.await.unwrap().offset, 1);
    let (tell, told) = tokio::sync::oneshot::channel();
    let blob = JsonBlob::default();
    let write = out.write(&blob).on_delivery(|result| tell.send(result.unwrap().offset).unwrap());
    let _delivery = write.queue().await.unwrap();
    assert_eq!(told.await.unwrap(), 2);
    // A second one in the same folder, and the same one once this is closed.
    let again = || hop().publish(broker.url("alerts")).journal(home.path().join("j"));
    let error = again().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Journal);
    assert!(error.to_string().contains(&format!("is in use by process {}", std::process::id())), "{error}");
    out.close().await.unwrap();
    again().await.unwrap().close().await.unwrap();
}

#[tokio::test]
async fn what_is_too_large_is_put_aside_and_the_others_go_on() {
    let home = tempfile::tempdir().unwrap();
    let journal = home.path().join("journal");
    let broker = EmbeddedBroker::start().unwrap();
    let small = hop_tests::stream().property("message.max.bytes", "2000").build().unwrap();
    let out = small.publish(broker.url("alerts")).journal(&journal).await.unwrap();
    queue(&out, "first").await.unwrap();
    queue(&out, &"x".repeat(5000)).await.unwrap();
    queue(&out, "last").await.unwrap();
    let error = tokio::time::timeout(SOON, out.flush()).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Undelivered);
    let [lost] = error.undelivered() else { panic!("{error}") };
    assert_eq!((lost.kind, lost.message.content.len()), (ErrorKind::TooLarge, 5000));
    assert_eq!((out.unsent(), out.refused()), (0, 1));
    out.close().await.unwrap();
    let (mut contents, _) = Contents::read(Folder::inspect(&journal).unwrap()).unwrap();
    let number = contents.refused().next().unwrap();
    let refusal = contents.get(number).unwrap().refusal.unwrap();
    assert_eq!(refusal.kind, "too-large");
    assert!(refusal.reason.contains("bytes with its headers"), "{}", refusal.reason);
    // A writer that may send it does so when it is asked to.
    let out = hop().publish(broker.url("alerts")).journal(&journal).await.unwrap();
    assert_eq!((out.unsent(), out.refused()), (0, 1));
    assert_eq!(out.retry_refused().await.unwrap(), 1);
    tokio::time::timeout(SOON, out.close()).await.unwrap().unwrap();
    assert_eq!(received(&broker.url("alerts")).await.iter().map(String::len).sum::<usize>(), 5 + 4 + 5000);
}

#[tokio::test]
async fn what_is_not_allowed_is_tried_several_times_then_put_aside_and_other_topics_go_on() {
    let home = tempfile::tempdir().unwrap();
    let cluster: MockCluster<'static, DefaultProducerContext> = MockCluster::new(1).unwrap();
    for topic in ["secret", "open"] {
        cluster.create_topic(topic, 1, 1).unwrap();
    }
    cluster.topic_error("secret", RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED).unwrap();
    let url = format!("kafka://{}/", cluster.bootstrap_servers());
    let out = hop().publish(&url).journal(home.path().join("j")).await.unwrap();
    for (topic, text) in [("secret", "a"), ("open", "b"), ("secret", "c"), ("open", "d")] {
        let _delivery = out.write(&Blob::from(text.as_bytes())).topic(topic).queue().await.unwrap();
    }
    let error = tokio::time::timeout(Duration::from_secs(60), out.flush()).await.unwrap().unwrap_err();
    let kinds: Vec<ErrorKind> = error.undelivered().iter().map(|lost| lost.kind).collect();
    assert_eq!(kinds, [ErrorKind::Authorization; 2], "{error}");
    assert_eq!(received(&format!("{url}open")).await, ["b", "d"]);
    // The right is given.
    cluster.topic_error("secret", RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR).unwrap();
    out.retry_refused().await.unwrap();
    tokio::time::timeout(Duration::from_secs(60), out.close()).await.unwrap().unwrap();
    assert_eq!(received(&format!("{url}secret")).await, ["a", "c"]);
}

#[tokio::test]
async fn a_full_journal_refuses_waits_or_drops_the_oldest() {
    let home = tempfile::tempdir().unwrap();
    let open = |name: &str, when_full| {
        hop().publish(NOBODY).journal(home.path().join(name)).max_messages(10).when_full(when_full)
    };
    let out = open("refuse", WhenFull::Refuse).await.unwrap();
    for text in texts(10) {
        queue(&out, &text).await.unwrap();
    }
    let error = queue(&out, "eleventh").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Journal);
    assert!(error.to_string().starts_with("the journal is full: it has 10 messages"), "{error}");
    assert_eq!(&error.undelivered()[0].message.content[..], b"eleventh");
    drop(out);
    let out = open("wait", WhenFull::Wait).await.unwrap();
    for text in texts(10) {
        queue(&out, &text).await.unwrap();
    }
    assert!(tokio::time::timeout(Duration::from_millis(200), queue(&out, "eleventh")).await.is_err());
    assert_eq!(out.unsent(), 10);
    drop(out);
    let out = open("drop", WhenFull::DropOldest).await.unwrap();
    let oldest = out.write(&Blob::from(&b"oldest"[..])).queue().await.unwrap();
    for text in texts(14) {
        tokio::time::timeout(SOON, queue(&out, &text)).await.unwrap().unwrap();
    }
    let error = oldest.await.unwrap_err();
    assert!(error.to_string().contains("dropped from the journal, which is full"), "{error}");
    assert!(out.unsent() <= 10);
    assert_eq!(out.close_within(Duration::ZERO).await.unwrap_err().kind(), ErrorKind::Undelivered);
    // With a broker those that wait get their turn.
    let broker = EmbeddedBroker::start().unwrap();
    let out = hop().publish(broker.url("alerts")).journal(home.path().join("wait")).max_messages(3).await.unwrap();
    for text in texts(100) {
        tokio::time::timeout(SOON, queue(&out, &text)).await.unwrap().unwrap();
    }
    tokio::time::timeout(SOON, out.close()).await.unwrap().unwrap();
    assert_eq!(received(&broker.url("alerts")).await.len(), 110);
}

#[tokio::test]
async fn messages_of_any_number_pass_through_a_small_journal() {
    let home = tempfile::tempdir().unwrap();
    let broker = EmbeddedBroker::start().unwrap();
    broker.create_topic("alerts", 1).unwrap();
    let out = hop().publish(broker.url("alerts")).journal(home.path().join("j")).max_bytes(0).await.unwrap();
    let texts = texts(3000);
    for text in &texts {
        tokio::time::timeout(SOON, queue(&out, text)).await.unwrap().unwrap();
    }
    tokio::time::timeout(SOON, out.close()).await.unwrap().unwrap();
    assert_eq!(received(&broker.url("alerts")).await, texts);
}
