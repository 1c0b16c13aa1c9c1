//! Offsets without messages: what was compacted, and what transactions leave behind.

use std::time::{Duration, Instant};

use hop_kafka::{StartPosition, Subscription};
use hop_tests::{Broker, stream};
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

use crate::{all, json, next, numbers};

const TIME_OUT: Duration = Duration::from_secs(10);

async fn left(alerts: &Subscription) -> Option<u64> {
    alerts.lag(TIME_OUT).await.unwrap()[0].messages()
}

#[tokio::test]
async fn transactions_leave_gaps_that_a_reader_passes() {
    let Some(broker) = Broker::apache_or_skip("transactions_leave_gaps_that_a_reader_passes") else { return };
    let topic = broker.topic(1).await;
    let url = broker.url(&topic);
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", broker.address())
        .set("transactional.id", &topic)
        .create()
        .unwrap();
    producer.init_transactions(TIME_OUT).unwrap();
    let transaction = |numbers: std::ops::Range<i64>, commit: bool| {
        producer.begin_transaction().unwrap();
        for number in numbers {
            let content = format!("{{\"n\": {number}}}");
            producer.send(BaseRecord::<(), _>::to(&topic).payload(&content)).unwrap();
        }
        producer.flush(TIME_OUT).unwrap();
        let ended = if commit { producer.commit_transaction(TIME_OUT) } else { producer.abort_transaction(TIME_OUT) };
        ended.unwrap();
    };
    // Offsets 0 and 1, and a marker at 2; 3 and 4 that nobody is to read, and a marker at 5; 6, and a marker at 7.
    transaction(0..2, true);
    transaction(3..5, false);
    transaction(6..7, true);
    for group in [None, Some("gaps")] {
        let start = |start| {
            let request = stream().build().unwrap().subscribe(&url).start_at(start);
            if let Some(group) = group { request.group(group) } else { request }
        };
        let mut alerts = start(StartPosition::Earliest).await.unwrap();
        assert_eq!(numbers(&all(&mut alerts).await), [0, 1, 6], "{group:?}");
        assert_eq!(left(&alerts).await, Some(0), "{group:?}");
        alerts.close().await.unwrap();
        // The last two offsets are a message and a marker.
        let mut alerts = start(StartPosition::Last(2)).await.unwrap();
        assert_eq!(numbers(&all(&mut alerts).await), [6], "{group:?}");
        alerts.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_compacted_topic_is_read_over_its_gaps() {
    let Some(broker) = Broker::apache_or_skip("a_compacted_topic_is_read_over_its_gaps") else { return };
    let settings = [
        ("cleanup.policy", "compact"),
        ("segment.ms", "100"),
        ("min.cleanable.dirty.ratio", "0.001"),
        ("min.compaction.lag.ms", "0"),
    ];
    let topic = broker.topic_with(1, &settings).await;
    let url = broker.url(&topic);
    let out = stream().build().unwrap().publish(&url).await.unwrap();
    // Each key comes again, so that of the first nine only the last of each key is kept.
    for number in 0..9 {
        out.write(&json(number)).key(if number % 2 == 0 { "even" } else { "odd" }).send().await.unwrap();
        tokio::time::sleep(Duration::from_millis(120)).await;
    }
    let hop = stream().build().unwrap();
    let deadline = Instant::now() + Duration::from_secs(40);
    let mut number = 9;
    let kept = loop {
        // Only what stands before the newest segment is compacted.
        out.write(&json(number)).key(format!("other {number}")).send().await.unwrap();
        number += 1;
        let mut alerts = hop.subscribe(&url).await.unwrap();
        let read = all(&mut alerts).await;
        assert_eq!(left(&alerts).await, Some(0));
        if read.len() < number as usize {
            break read;
        }
        assert!(Instant::now() < deadline, "nothing was compacted");
        tokio::time::sleep(Duration::from_millis(300)).await;
    };
    let offsets: Vec<i64> = kept.iter().map(|alert| alert.record.place.as_ref().unwrap().offset).collect();
    assert_eq!(numbers(&kept), offsets, "a message has another offset than it was written to");
    assert!(offsets.windows(2).any(|pair| pair[0] + 1 < pair[1]) || offsets[0] > 0, "no gap in {offsets:?}");
    // A group commits over the gaps, and nothing comes twice.
    let mut alerts = hop.subscribe(&url).group("compacted").await.unwrap();
    let mut read = numbers(&[next(&mut alerts).await.unwrap().unwrap()]);
    read.extend(numbers(&all(&mut alerts).await));
    // By now more may be compacted.
    assert!(read.iter().all(|number| offsets.contains(number)), "{read:?} of {offsets:?}");
    assert!(read.is_sorted_by(|one, other| one < other) && read.last() == offsets.last(), "{read:?} of {offsets:?}");
    alerts.close().await.unwrap();
    let mut alerts = hop.subscribe(&url).group("compacted").await.unwrap();
    assert!(all(&mut alerts).await.is_empty());
    out.close().await.unwrap();
}
