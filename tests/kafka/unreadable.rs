//! Batches that librdkafka cannot unpack.

use std::time::Duration;

use hop_core::MessageModel as _;
use hop_kafka::{ErrorKind, Loss};
use hop_tests::{Broker, stream};
use rdkafka::config::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

use crate::{json, next, send};

/// What the readers here take: less than a batch unpacks to.
const LIMITS: [(&str, &str); 4] = [
    ("receive.message.max.bytes", "2000000"),
    ("fetch.max.bytes", "1000000"),
    ("fetch.message.max.bytes", "1000000"),
    ("message.max.bytes", "1000000"),
];

/// Sends a batch that is small, and unpacks to so many messages of 100 kB.
fn send_bomb(broker: &Broker, topic: &str, messages: usize) {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", broker.address()).set("compression.type", "zstd").set("linger.ms", "500");
    config.set("batch.size", "100000000").set("message.max.bytes", "100000000");
    let producer: BaseProducer = config.create().unwrap();
    let content = vec![b' '; 100_000];
    for _ in 0..messages {
        producer
            .send(BaseRecord::<(), [u8]>::to(topic).partition(0).payload(&content))
            .map_err(|(error, _)| error)
            .unwrap();
    }
    producer.flush(Duration::from_secs(30)).unwrap();
}

#[tokio::test]
async fn a_batch_that_cannot_be_unpacked_is_passed_where_the_reader_says_so() {
    let broker = Broker::new();
    let topic = broker.topic(1).await;
    let url = broker.url(&topic);
    send(&url, &[&json(0), &json(1), &json(2)]).await;
    send_bomb(&broker, &topic, 50);
    send(&url, &[&json(3)]).await;
    send_bomb(&broker, &topic, 30);
    send(&url, &[&json(4)]).await;

    let properties = |builder: hop_kafka::StreamBuilder| {
        LIMITS.iter().fold(builder, |builder, (name, value)| builder.property(*name, *value))
    };
    let hop = properties(stream()).build().unwrap();
    let reader = || hop.subscribe(&url).report_loss(true);
    for until_eos in [false, true] {
        let mut alerts = reader().pass_unreadable(true).until_eos(until_eos).await.unwrap();
        let (mut read, mut lost) = (Vec::new(), Vec::new());
        while read.len() < 5 {
            match next(&mut alerts).await.expect("the reader ended") {
                Ok(alert) => read.push(alert.model.dump().unwrap()),
                Err(error) => {
                    let what = error.lost().unwrap_or_else(|| panic!("{error}")).clone();
                    assert!(matches!(what.why, Loss::Unreadable { .. }), "{error}");
                    lost.push((what.from, what.to));
                }
            }
        }
        assert_eq!(read, (0..5).map(|number| json(number).dump().unwrap()).collect::<Vec<_>>());
        assert_eq!(lost, [(3, 53), (54, 84)]);
        assert_eq!(alerts.counters().lost, 80);
        if until_eos {
            assert!(next(&mut alerts).await.is_none());
        }
    }

    // Otherwise it is an error that says where, and what to do.
    let mut alerts = reader().await.unwrap();
    for _ in 0..3 {
        next(&mut alerts).await.unwrap().unwrap();
    }
    let error = next(&mut alerts).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Kafka, "{error}");
    assert!(error.to_string().contains(&format!("{topic}[0]@3")), "{error}");
    assert!(format!("{error:#}").contains("pass_unreadable"), "{error:#}");
}
