//! Topics that are made anew each night.

use std::time::Duration;

use hop_kafka::{ErrorKind, StartPosition};
use hop_tests::{Broker, send_raw, stream};

use crate::next;

/// Today and the day before, in UTC, as topics have them.
fn dates() -> [String; 2] {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    [now - 86_400, now].map(|at| {
        let (year, month, day) = hop_core::time::Time::from_unix(i64::try_from(at).unwrap(), 0).unwrap().date();
        format!("{year:04}{month:02}{day:02}")
    })
}

#[tokio::test]
async fn the_nights_that_are_there_are_read_and_the_others_when_they_come() {
    let broker = Broker::new();
    let id = uuid::Uuid::new_v4().simple().to_string();
    let [yesterday, today] = dates().map(|date| format!("lc_{id}_{date}"));
    let old = format!("lc_{id}_20200101");
    for topic in [&yesterday, &old] {
        broker.named_topic(topic).await;
    }
    send_raw(broker.address(), &old, b"old", &[]);
    send_raw(broker.address(), &yesterday, b"1", &[]);
    let url = broker.url(&format!("lc_{id}_{{date}}"));
    for group in [None, Some(format!("night-{id}"))] {
        let hop = stream().property("topic.metadata.refresh.interval.ms", "300").until_eos(false).build().unwrap();
        let mut subscribe = hop.subscribe(&url).start_at(StartPosition::Earliest);
        if let Some(group) = &group {
            subscribe = subscribe.group(group.as_str());
        }
        let mut alerts = subscribe.await.unwrap();
        let topic = |alert: &hop_kafka::Alert| alert.record.place.as_ref().unwrap().topic.to_string();
        let mut read = vec![topic(&next(&mut alerts).await.unwrap().unwrap())];
        if group.is_none() {
            // Tonight's topic comes while the reader waits.
            assert_eq!(read, std::slice::from_ref(&yesterday));
            broker.named_topic(&today).await;
            send_raw(broker.address(), &today, b"2", &[]);
        }
        read.push(topic(&next(&mut alerts).await.unwrap().unwrap()));
        // Two topics come in any order.
        read.sort();
        assert_eq!(read, [yesterday.clone(), today.clone()]);
        // Nothing of any other night.
        assert!(tokio::time::timeout(Duration::from_millis(500), alerts.next()).await.is_err());
        alerts.close().await.unwrap();
    }
    // To the ends, a window of one night.
    let hop = stream().build().unwrap();
    let mut alerts = hop.subscribe(&url).nights(1).await.unwrap();
    assert_eq!(crate::all(&mut alerts).await.len(), 1);
    // None is there: nothing to wait for with an end, in a group or not.
    let url = broker.url(&format!("none_{id}_{{date}}"));
    assert!(next(&mut hop.subscribe(&url).await.unwrap()).await.is_none());
    assert!(next(&mut hop.subscribe(&url).group(format!("none-{id}")).await.unwrap()).await.is_none());
    // What is no place to write to, and what can be listed.
    let error = hop.publish(&url).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
    let listed = hop.list_topics(broker.url(&format!("lc_{id}_{{date}}"))).await.unwrap();
    let mut names: Vec<_> = listed.into_iter().map(|topic| topic.name).collect();
    names.sort();
    assert_eq!(names, [old, yesterday, today]);
}
