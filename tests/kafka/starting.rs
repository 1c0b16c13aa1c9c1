use std::time::{Duration, Instant, SystemTime};

use hop_core::Place;
use hop_kafka::{ErrorKind, StartPosition, StartReason, Subscription};
use hop_tests::{Broker, stream};

use crate::{all, json, numbers, send};

fn place(topic: &str, partition: i32, offset: i64) -> Place {
    Place { topic: topic.into(), partition, offset }
}

fn starts(alerts: &Subscription) -> Vec<(i32, Option<i64>, StartReason)> {
    alerts.starts().into_iter().map(|start| (start.partition, start.offset, start.why)).collect()
}

#[tokio::test]
async fn given_offsets_come_first_and_the_other_partitions_start_at_the_oldest() {
    let broker = Broker::new();
    let topic = broker.topic(2).await;
    let url = broker.url(&topic);
    for (partition, number) in [(0, 0), (0, 1), (0, 2), (1, 10), (1, 11)] {
        hop_tests::send_to(broker.address(), &topic, partition, format!("{{\"n\": {number}}}").as_bytes());
    }
    let from = |places: Vec<Place>| stream().start_at(StartPosition::Offsets(places)).build().unwrap().subscribe(&url);
    let mut alerts = from(vec![place(&topic, 0, 2)]).await.unwrap();
    assert_eq!(starts(&alerts), [(0, Some(2), StartReason::Offset), (1, Some(0), StartReason::Earliest)]);
    let mut read = numbers(&all(&mut alerts).await);
    read.sort_unstable();
    assert_eq!(read, [2, 10, 11]);

    for (wrong, why) in [
        (place(&topic, 0, 4), "the partition ends at 3"),
        (place(&topic, 2, 0), "no such partition"),
        (place("elsewhere", 0, 0), "no such partition"),
        (place(&topic, 0, -1), "offsets count from zero"),
    ] {
        let error = from(vec![wrong]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[tokio::test]
async fn the_last_so_many_messages_of_each_partition_are_read() {
    let broker = Broker::new();
    let topic = broker.topic(3).await;
    let url = broker.url(&topic);
    // Partition 0 has five messages, partition 1 has one, partition 2 none.
    for (partition, number) in [(0, 0), (0, 1), (0, 2), (0, 3), (0, 4), (1, 10)] {
        hop_tests::send_to(broker.address(), &topic, partition, format!("{{\"n\": {number}}}").as_bytes());
    }
    let last = |count| stream().start_at(StartPosition::Last(count)).build().unwrap().subscribe(&url);
    for (count, expected, offset) in
        [(0, &[][..], 5), (2, &[3, 4, 10], 3), (5, &[0, 1, 2, 3, 4, 10], 0), (u64::MAX, &[0, 1, 2, 3, 4, 10], 0)]
    {
        let mut alerts = last(count).await.unwrap();
        assert_eq!(starts(&alerts)[0], (0, Some(offset), StartReason::Last));
        let mut read = numbers(&all(&mut alerts).await);
        read.sort_unstable();
        assert_eq!(read, expected, "the last {count}");
    }
    // It is asked for on purpose, so it comes before what the group has committed.
    let hop = stream().build().unwrap();
    let mut alerts = hop.subscribe(&url).group("the-last").await.unwrap();
    assert_eq!(all(&mut alerts).await.len(), 6);
    alerts.close().await.unwrap();
    let mut alerts = last(1).group("the-last").await.unwrap();
    let mut read = numbers(&all(&mut alerts).await);
    read.sort_unstable();
    assert_eq!(read, [4, 10]);
    alerts.close().await.unwrap();
    // And what was done counts: nothing is left.
    let mut alerts = hop.subscribe(&url).group("the-last").await.unwrap();
    assert!(all(&mut alerts).await.is_empty());
}

#[tokio::test]
async fn a_topic_named_twice_is_read_once() {
    let broker = Broker::new();
    let topic = broker.topic(2).await;
    send(&broker.url(&topic), &[&json(0), &json(1), &json(2)]).await;
    let url = broker.url(&format!("{topic},{topic},,{topic}"));
    for (group, until_eos) in [(None, true), (Some("twice"), true), (None, false), (Some("twice-for-ever"), false)] {
        let mut request = stream().until_eos(until_eos).build().unwrap().subscribe(&url);
        if let Some(group) = group {
            request = request.group(group);
        }
        let mut alerts = request.await.unwrap();
        let mut read = Vec::new();
        while read.len() < 3 {
            read.extend(numbers(&[crate::next(&mut alerts).await.expect("three messages").unwrap()]));
        }
        read.sort_unstable();
        assert_eq!(read, [0, 1, 2], "group {group:?}, until_eos {until_eos}");
        let patience = Duration::from_secs(if until_eos { 30 } else { 1 });
        let more = tokio::time::timeout(patience, alerts.next()).await;
        match more {
            Ok(end) => assert!(until_eos && end.is_none(), "{end:?}"),
            Err(_) => assert!(!until_eos, "the end was not seen"),
        }
    }
}

#[tokio::test]
async fn reading_ends_before_the_first_message_of_a_time() {
    let broker = Broker::new();
    let topic = broker.topic(2).await;
    let url = broker.url(&topic);
    let ago = SystemTime::now() - Duration::from_secs(3600);
    let base = i64::try_from(ago.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis()).unwrap();
    // The times are not in order: 3 and 11 stand behind later ones.
    for (partition, number, ms) in
        [(0, 0, 1_000), (0, 1, 2_000), (0, 2, 3_000), (0, 3, 1_500), (1, 10, 2_500), (1, 11, 500)]
    {
        hop_tests::send_at(broker.address(), &topic, partition, format!("{{\"n\": {number}}}").as_bytes(), base + ms);
    }
    let at = |ms: i64| SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(base + ms).unwrap());
    let read = async |request: hop_kafka::Subscribe| {
        let mut alerts = request.await.unwrap();
        let mut read = numbers(&all(&mut alerts).await);
        read.sort_unstable();
        // Nothing behind the end was received only to be left out.
        assert_eq!(alerts.counters().messages, read.len() as u64);
        alerts.close().await.unwrap();
        read
    };
    let hop = stream().until_eos(false).build().unwrap();
    let until = |ms| hop.subscribe(&url).until(at(ms));
    for (ms, expected) in [
        (0, &[][..]),
        (1_000, &[]),
        (2_000, &[0]),
        (2_001, &[0, 1]),
        (2_501, &[0, 1, 10, 11]),
        (9_000, &[0, 1, 2, 3, 10, 11]),
    ] {
        assert_eq!(read(until(ms)).await, expected, "until {ms}");
    }
    let from = |start| hop.subscribe(&url).start_at(start);
    assert_eq!(read(from(StartPosition::Time(at(1_001))).until(at(3_000))).await, [1, 10, 11]);
    assert_eq!(read(from(StartPosition::Time(at(3_000))).until(at(2_000))).await, [0_i64; 0]);
    assert_eq!(read(from(StartPosition::Last(1)).until(at(2_001))).await, [1]);
    assert_eq!(read(from(StartPosition::Latest).until(at(2_001))).await, [0_i64; 0]);
    // A group goes on from there.
    for (ms, expected) in [(2_000, &[0][..]), (2_000, &[]), (3_000, &[1, 10, 11]), (9_000, &[2, 3])] {
        assert_eq!(read(until(ms).group(format!("until-{topic}"))).await, expected, "a group until {ms}");
    }
}

#[tokio::test]
async fn a_time_starts_at_the_first_message_of_it_or_later() {
    let broker = Broker::new();
    let url = broker.url(&broker.topic(1).await);
    let mut times = Vec::new();
    for number in 0..3 {
        times.push(SystemTime::now());
        send(&url, &[&json(number)]).await;
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    let from = |time| stream().start_at(StartPosition::Time(time)).build().unwrap().subscribe(&url);
    for (time, expected) in [
        (times[1], &[1, 2][..]),
        (SystemTime::now() + Duration::from_secs(3600), &[]),
        (SystemTime::UNIX_EPOCH - Duration::from_secs(1), &[0, 1, 2]),
    ] {
        let mut alerts = from(time).await.unwrap();
        assert_eq!(numbers(&all(&mut alerts).await), expected);
        assert_eq!(starts(&alerts)[0].2, StartReason::Time);
    }
    // It is asked for on purpose, so it comes before what the group has committed.
    let mut alerts = stream().build().unwrap().subscribe(&url).group("by-time").await.unwrap();
    assert_eq!(all(&mut alerts).await.len(), 3);
    alerts.close().await.unwrap();
    let mut alerts = from(times[2]).group("by-time").await.unwrap();
    assert_eq!(numbers(&all(&mut alerts).await), [2]);
}

#[tokio::test]
async fn a_time_is_looked_up_in_every_partition_and_what_comes_later_is_read() {
    let broker = Broker::new();
    let topic = broker.topic(8).await;
    let url = broker.url(&topic);
    let send = async |numbers: std::ops::Range<i64>| {
        let out = stream().build().unwrap().publish(&url).await.unwrap();
        for number in numbers {
            let _delivery = out.write(&json(number)).key(number.to_string()).queue().await.unwrap();
        }
        out.close().await.unwrap();
    };
    send(0..3000).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    let time = SystemTime::now();
    tokio::time::sleep(Duration::from_millis(20)).await;
    send(3000..3010).await;
    let hop = stream().start_at(StartPosition::Time(time)).until_eos(false).build().unwrap();
    let mut alerts = hop.subscribe(&url).await.unwrap();
    send(3010..3020).await;
    let mut read = Vec::new();
    while read.len() < 20 {
        read.extend(numbers(&[crate::next(&mut alerts).await.unwrap().unwrap()]));
    }
    read.sort_unstable();
    assert_eq!(read, (3000..3020).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_reader_says_where_it_started_and_why() {
    let broker = Broker::new();
    let url = broker.url(&broker.topic(1).await);
    send(&url, &[&json(0), &json(1), &json(2)]).await;
    let hop = stream().build().unwrap();
    let mut alerts = hop.subscribe(&url).group("started").await.unwrap();
    assert_eq!(all(&mut alerts).await.len(), 3);
    assert_eq!(starts(&alerts), [(0, Some(0), StartReason::Earliest)]);
    alerts.close().await.unwrap();
    let mut alerts = hop.subscribe(&url).group("started").await.unwrap();
    assert!(all(&mut alerts).await.is_empty());
    assert_eq!(starts(&alerts), [(0, Some(3), StartReason::Committed)]);
    let alerts = hop.subscribe(&url).start_at(StartPosition::Latest).await.unwrap();
    assert_eq!(starts(&alerts), [(0, Some(3), StartReason::Latest)]);
}

#[tokio::test]
async fn what_was_committed_and_is_gone_is_said_to_be() {
    let Some(broker) = Broker::apache_or_skip("what_was_committed_and_is_gone_is_said_to_be") else { return };
    let topic = broker.topic(1).await;
    let url = broker.url(&topic);
    send(&url, &[&json(0), &json(1), &json(2), &json(3)]).await;
    let hop = stream().build().unwrap();
    let mut alerts = hop.subscribe(&url).group("too-late").await.unwrap();
    let read = crate::next(&mut alerts).await.unwrap().unwrap();
    alerts.mark_done_now(&read.record).await.unwrap();
    drop(alerts);
    broker.delete_before(&place(&topic, 0, 3)).await;
    let mut alerts = hop.subscribe(&url).group("too-late").await.unwrap();
    assert_eq!(numbers(&all(&mut alerts).await), [3]);
    assert_eq!(starts(&alerts), [(0, Some(3), StartReason::Reset)]);
}

#[tokio::test]
async fn partitions_that_come_later_are_read_from_their_beginning() {
    let Some(broker) = Broker::apache_or_skip("partitions_that_come_later_are_read_from_their_beginning") else {
        return;
    };
    for group in [None, Some("growing")] {
        let topic = broker.topic(1).await;
        let url = broker.url(&topic);
        let hop = stream()
            .until_eos(false)
            .start_at(StartPosition::Latest)
            .property("topic.metadata.refresh.interval.ms", "1000")
            .build()
            .unwrap();
        let mut request = hop.subscribe(&url);
        if let Some(group) = group {
            request = request.group(group);
        }
        let mut alerts = request.await.unwrap();
        broker.add_partitions(&topic, 3).await;
        let added = Instant::now();
        hop_tests::send_to(broker.address(), &topic, 2, b"{\"n\": 7}");
        assert_eq!(numbers(&[crate::next(&mut alerts).await.unwrap().unwrap()]), [7]);
        // The next refresh comes within a second.
        assert!(added.elapsed() < Duration::from_secs(11), "read after {:?}", added.elapsed());
        let start = starts(&alerts).into_iter().find(|start| start.0 == 2).unwrap();
        assert_eq!(start.2, StartReason::New);
    }
}

#[tokio::test]
async fn looking_for_new_partitions_takes_no_message_away() {
    const MESSAGES: i64 = 2000;
    let broker = Broker::new();
    let url = broker.url(&broker.topic(1).await);
    let hop = stream().until_eos(false).property("topic.metadata.refresh.interval.ms", "10").build().unwrap();
    let mut alerts = hop.subscribe(&url).await.unwrap();
    let out = hop.publish(&url).await.unwrap();
    for number in 0..MESSAGES {
        // Some come while it looks, and some while it waits.
        if number % 10 == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let _fate = out.write(&json(number)).queue().await.unwrap();
    }
    out.close().await.unwrap();
    for number in 0..MESSAGES {
        assert_eq!(numbers(&[crate::next(&mut alerts).await.unwrap().unwrap()]), [number]);
    }
}
