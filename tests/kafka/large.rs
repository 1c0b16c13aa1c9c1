//! How large a message may be.

use std::time::{Duration, Instant};

use hop_core::Blob;
use hop_kafka::auth::Mechanism;
use hop_kafka::{Compression, ErrorKind, Publisher};
use hop_tests::secured::Secured;
use hop_tests::{Broker, stream};

use crate::{all, blob};

/// A blob of so many bytes that no compression makes smaller.
fn noise(bytes: usize) -> Blob {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    Blob::from((0..bytes).map(|_| next()).collect::<Vec<u8>>())
}

/// How much longer a message is on its way than its content, where the content has about so many bytes.
async fn overhead(out: &Publisher, limit: usize) -> usize {
    let content = 2 * limit;
    let error = out.write(&noise(content)).send().await.unwrap_err();
    let error = error.undelivered()[0].reason.clone();
    let (_, after) = error.split_once(" has ").unwrap();
    let size: usize = after.split_once(" bytes").unwrap().0.parse().unwrap();
    size - content
}

#[tokio::test]
async fn a_message_above_the_topics_limit_is_refused_before_it_is_sent() {
    const LIMIT: usize = 200_000;
    let Some(broker) = Broker::apache_or_skip("a_message_above_the_topics_limit_is_refused_before_it_is_sent") else {
        return;
    };
    let topic = broker.topic_with(1, &[("max.message.bytes", "200000")]).await;
    let url = broker.url(&topic);
    let out = stream().build().unwrap().publish(&url).await.unwrap();
    let overhead = overhead(&out, LIMIT).await;
    let error = out.write(&noise(LIMIT - overhead + 1)).header("a", "").queue().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    let text = error.to_string();
    for part in [topic.as_str(), "the topic takes 200000", "max.message.bytes", "send a reference"] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    // It comes back, and nothing of it was sent.
    assert_eq!(error.undelivered()[0].message.content.len(), LIMIT - overhead + 1);
    assert_eq!((out.unsent(), out.counters().queued), (0, 0));
    assert_eq!(out.max_message_bytes(&topic).await.unwrap(), LIMIT);
    // To the byte: what fits is taken.
    out.write(&noise(LIMIT - overhead)).send().await.unwrap();
    // How much smaller it becomes is seen by the broker alone.
    let smaller = stream().build().unwrap().publish(&url).compression(Compression::Zstd).await.unwrap();
    smaller.write(&blob(&"Nova. ".repeat(LIMIT))).send().await.unwrap();
    smaller.close().await.unwrap();
    out.close().await.unwrap();
    assert_eq!(all(&mut stream().build().unwrap().subscribe(&url).await.unwrap()).await.len(), 2);
}

#[tokio::test]
async fn what_the_broker_refuses_as_too_large_has_the_size_that_it_counts() {
    const LIMIT: usize = 50_000;
    let Some(broker) = Broker::apache_or_skip("what_the_broker_refuses_as_too_large_has_the_size_that_it_counts")
    else {
        return;
    };
    let topic = broker.topic_with(1, &[("max.message.bytes", "50000")]).await;
    for idempotent in [false, true] {
        let out = stream().build().unwrap().publish(broker.url(&topic)).idempotent(idempotent).await.unwrap();
        // So small a message is not worth a question; the broker sees to it.
        let overhead = overhead(&out, LIMIT).await;
        let error = out.write(&noise(LIMIT - overhead + 1)).send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Undelivered);
        assert!(error.to_string().contains("it has 50001 bytes"), "{error}");
        out.write(&noise(LIMIT - overhead)).send().await.unwrap();
        assert_eq!((out.counters().delivered, out.counters().failed), (1, 2));
    }
}

#[tokio::test]
async fn small_messages_are_not_refused_for_being_many() {
    let Some(broker) = Broker::apache_or_skip("small_messages_are_not_refused_for_being_many") else { return };
    // The limit is for all messages that go to the broker together.
    let topic = broker.topic_with(1, &[("max.message.bytes", "140000")]).await;
    let out = stream().build().unwrap().publish(broker.url(&topic)).await.unwrap();
    let content = noise(1000);
    for _ in 0..5000 {
        let _fate = out.write(&content).queue().await.unwrap();
    }
    out.flush().await.unwrap();
    // Nor for being beside a large one.
    let large = noise(139_000);
    for _ in 0..20 {
        let _fate = out.write(&large).queue().await.unwrap();
        let _fate = out.write(&content).queue().await.unwrap();
    }
    out.close().await.unwrap();
}

#[tokio::test]
async fn where_the_limit_is_not_told_the_broker_decides() {
    // The embedded broker has no settings of topics; nobody answers at the other address.
    let broker = hop_kafka::EmbeddedBroker::start().unwrap();
    let out = stream().build().unwrap().publish(broker.url("t")).await.unwrap();
    let started = Instant::now();
    out.write(&noise(300_000)).send().await.unwrap();
    assert!(out.max_message_bytes("t").await.is_err());
    out.close().await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());

    let patience = Duration::from_millis(500);
    let hop = stream().connect_timeout(patience).build().unwrap();
    let out = hop.publish("kafka://127.0.0.1:1/t").await.unwrap();
    let started = Instant::now();
    let _fate = out.write(&noise(300_000)).queue().await.unwrap();
    assert!((500..2500).contains(&started.elapsed().as_millis()), "{:?}", started.elapsed());
    assert_eq!(out.unsent(), 1);
    // It is not asked for again so soon.
    let started = Instant::now();
    let _fate = out.write(&noise(300_000)).queue().await.unwrap();
    assert!(started.elapsed() < patience / 2, "{:?}", started.elapsed());
    let error = out.max_message_bytes("t").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
    assert_eq!(out.close_within(Duration::ZERO).await.unwrap_err().undelivered().len(), 2);
}

#[tokio::test]
async fn who_may_write_and_not_ask_writes_what_the_broker_takes() {
    let Some(secured) = Secured::or_skip("who_may_write_and_not_ask_writes_what_the_broker_takes") else { return };
    let topic = secured.broker.topic_with(1, &[("max.message.bytes", "200000")]).await;
    let url = format!("kafka://{}/{topic}", secured.sasl_ssl());
    let hop = |user| {
        let credential = secured.credential(user, Mechanism::ScramSha512);
        hop_kafka::Stream::builder().credential(credential).offload(hop_kafka::Offload::Off).build().unwrap()
    };
    let out = hop("writer").publish(&url).await.unwrap();
    assert_eq!(out.max_message_bytes(&topic).await.unwrap_err().kind(), ErrorKind::Authorization);
    out.write(&noise(150_000)).send().await.unwrap();
    let error = out.write(&noise(300_000)).send().await.unwrap_err();
    assert_eq!((error.kind(), error.undelivered()[0].kind), (ErrorKind::Undelivered, ErrorKind::TooLarge));
    // The refusal of one does no harm to the next.
    out.write(&noise(150_000)).send().await.unwrap();
    out.close().await.unwrap();

    let out = hop("owner").publish(&url).idempotent(true).await.unwrap();
    assert_eq!(out.max_message_bytes(&topic).await.unwrap(), 200_000);
    assert_eq!(out.write(&noise(300_000)).send().await.unwrap_err().kind(), ErrorKind::TooLarge);
}
