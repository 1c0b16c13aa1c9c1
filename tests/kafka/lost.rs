//! Messages that are deleted before they are read.

use std::time::Duration;

use hop_core::Place;
use hop_kafka::ErrorKind;
use hop_tests::{Broker, stream};

use crate::{json, next, numbers, send};

#[tokio::test]
async fn messages_that_are_deleted_under_a_reader_are_reported() {
    let Some(broker) = Broker::apache_or_skip("messages_that_are_deleted_under_a_reader_are_reported") else { return };
    let topic = broker.topic(1).await;
    let url = broker.url(&topic);
    send(&url, &[&json(0)]).await;
    let hop = stream().until_eos(false).build().unwrap();
    let mut alerts = hop.subscribe(&url).report_loss(true).await.unwrap();
    assert_eq!(numbers(&[next(&mut alerts).await.unwrap().unwrap()]), [0]);
    // Nothing is fetched meanwhile; the reading thread sees it within a tenth of a second.
    alerts.control().pause();
    tokio::time::sleep(Duration::from_millis(500)).await;
    for number in 1..6 {
        send(&url, &[&json(number)]).await;
    }
    broker.delete_before(&Place { topic: topic.as_str().into(), partition: 0, offset: 4 }).await;
    alerts.control().resume();
    let error = next(&mut alerts).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Lost, "{error}");
    let lost = error.lost().unwrap();
    assert_eq!((lost.topic.as_str(), lost.partition, lost.from, lost.to), (topic.as_str(), 0, 1, 4));
    let rest = [next(&mut alerts).await.unwrap().unwrap(), next(&mut alerts).await.unwrap().unwrap()];
    assert_eq!(numbers(&rest), [4, 5]);
    assert_eq!(alerts.counters().lost, 3);
}

#[tokio::test]
async fn a_topic_that_is_made_anew_is_read_from_its_beginning() {
    let Some(broker) = Broker::apache_or_skip("a_topic_that_is_made_anew_is_read_from_its_beginning") else { return };
    let topic = broker.topic(1).await;
    let url = broker.url(&topic);
    for number in 0..6 {
        send(&url, &[&json(number)]).await;
    }
    let hop = stream().until_eos(false).property("topic.metadata.refresh.interval.ms", "1000").build().unwrap();
    let mut alerts = hop.subscribe(&url).report_loss(true).await.unwrap();
    for number in 0..6 {
        assert_eq!(numbers(&[next(&mut alerts).await.unwrap().unwrap()]), [number]);
    }
    broker.make_anew(&topic, 1).await;
    for number in 10..13 {
        send(&url, &[&json(number)]).await;
    }
    let (mut read, mut lost) = (Vec::new(), None);
    while read.len() < 3 {
        match next(&mut alerts).await.unwrap() {
            Ok(alert) => read.extend(numbers(&[alert])),
            Err(error) if error.kind() == ErrorKind::Lost => lost = error.lost().map(|lost| (lost.from, lost.to)),
            // While it is not there.
            Err(error) => assert_eq!(error.kind(), ErrorKind::UnknownTopic, "{error}"),
        }
    }
    assert_eq!((read, lost), (vec![10, 11, 12], Some((6, 0))));
}
