use std::time::{Duration, Instant};

use hop_core::Place;
use hop_kafka::{Commit, ErrorKind, Subscription};
use hop_tests::{Broker, stream};

use crate::{all, json, next, numbers, send};

/// Long enough for what should come, short enough to wait for what should not.
const SOON: Duration = Duration::from_millis(700);

async fn number(alerts: &mut Subscription) -> i64 {
    numbers(&[next(alerts).await.unwrap().unwrap()])[0]
}

#[tokio::test]
async fn a_reader_is_stopped_from_another_task() {
    let broker = Broker::new();
    let url = broker.url(&broker.topic(1).await);
    send(&url, &[&json(0)]).await;
    let hop = stream().until_eos(false).build().unwrap();
    let mut alerts = hop.subscribe(&url).group("stopped").await.unwrap();
    let control = alerts.control();
    assert_eq!(number(&mut alerts).await, 0);
    let stopping = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(200)).await;
        control.stop();
    });
    assert!(next(&mut alerts).await.is_none());
    stopping.await.unwrap();
    // The message before the end counts as done: the one after it was asked for.
    alerts.close().await.unwrap();
    send(&url, &[&json(1)]).await;
    let mut alerts = stream().build().unwrap().subscribe(&url).group("stopped").await.unwrap();
    assert_eq!(numbers(&all(&mut alerts).await), [1]);
}

#[tokio::test]
async fn a_paused_reader_hands_nothing_over_until_it_goes_on() {
    let broker = Broker::new();
    let url = broker.url(&broker.topic(2).await);
    send(&url, &[&json(0), &json(1)]).await;
    let hop = stream().until_eos(false).build().unwrap();
    let mut alerts = hop.subscribe(&url).group("paused").await.unwrap();
    let mut read = vec![number(&mut alerts).await];
    let control = alerts.control();
    control.pause();
    send(&url, &[&json(2)]).await;
    assert!(tokio::time::timeout(SOON, alerts.next()).await.is_err(), "a paused reader handed something over");
    control.resume();
    read.extend([number(&mut alerts).await, number(&mut alerts).await]);
    read.sort_unstable();
    assert_eq!(read, [0, 1, 2]);
}

#[tokio::test]
async fn a_reader_goes_back_and_forth_where_it_is_told() {
    let broker = Broker::new();
    let topic = broker.topic(1).await;
    let url = broker.url(&topic);
    for count in [0, 1, 2, 3, 4] {
        send(&url, &[&json(count)]).await;
    }
    let hop = stream().until_eos(false).build().unwrap();
    let mut alerts = hop.subscribe(&url).await.unwrap();
    let control = alerts.control();
    let go = async |offset| {
        let place = Place { topic: topic.as_str().into(), partition: 0, offset };
        control.seek(&place, Duration::from_secs(10)).await
    };
    assert_eq!([number(&mut alerts).await, number(&mut alerts).await], [0, 1]);
    go(4).await.unwrap();
    assert_eq!(number(&mut alerts).await, 4);
    go(1).await.unwrap();
    assert_eq!([number(&mut alerts).await, number(&mut alerts).await], [1, 2]);
    let elsewhere = Place { topic: topic.as_str().into(), partition: 9, offset: 0 };
    let error = control.seek(&elsewhere, Duration::from_secs(1)).await.unwrap_err();
    assert!(error.to_string().contains("[9]@0"), "{error}");
    alerts.close().await.unwrap();
    assert_eq!(go(0).await.unwrap_err().kind(), ErrorKind::Usage);
}

#[tokio::test]
async fn the_lag_says_how_far_it_is_to_the_end() {
    let broker = Broker::new();
    let url = broker.url(&broker.topic(1).await);
    send(&url, &[&json(0), &json(1), &json(2)]).await;
    let hop = stream().until_eos(false).build().unwrap();
    let mut alerts = hop.subscribe(&url).buffer(1, 1 << 20).await.unwrap();
    number(&mut alerts).await;
    let within = Duration::from_secs(10);
    let lag = alerts.lag(within).await.unwrap();
    assert_eq!((lag.len(), lag[0].end), (1, 3));
    assert!(lag[0].messages().unwrap() <= 2, "{lag:?}");
    send(&url, &[&json(3)]).await;
    for _ in 0..3 {
        number(&mut alerts).await;
    }
    let lag = alerts.lag(within).await.unwrap();
    assert_eq!((lag[0].position, lag[0].end, lag[0].messages()), (Some(4), 4, Some(0)));
    let counters = alerts.counters();
    assert_eq!((counters.messages, counters.bytes, counters.errors), (4, 4 * 8, 0));
}

#[tokio::test]
async fn marks_come_in_any_order_and_the_commit_waits_for_the_first() {
    let broker = Broker::new();
    let url = broker.url(&broker.topic(1).await);
    send(&url, &[&json(0), &json(1), &json(2), &json(3)]).await;
    let hop = stream().build().unwrap();
    let join = async || hop.subscribe(&url).group("any-order").commit(Commit::Each).await.unwrap();

    let mut alerts = join().await;
    let control = alerts.control();
    let read = all(&mut alerts).await;
    // Two are worked on elsewhere, and get done out of order; the first one never does.
    let marking = tokio::spawn({
        let records = [read[2].record.clone(), read[1].record.clone()];
        async move {
            for record in &records {
                control.mark_done(record).unwrap();
            }
        }
    });
    marking.await.unwrap();
    alerts.close().await.unwrap();

    let mut alerts = join().await;
    let read = all(&mut alerts).await;
    assert_eq!(numbers(&read), [0, 1, 2, 3], "the commit passed a message that was not done");
    for at in [3, 0, 1] {
        alerts.mark_done_now(&read[at].record).await.unwrap();
    }
    drop(alerts);
    let mut alerts = join().await;
    let read = all(&mut alerts).await;
    assert_eq!(numbers(&read), [2, 3]);
    alerts.mark_done(&read[1].record).unwrap();
    alerts.mark_done(&read[0].record).unwrap();
    alerts.close().await.unwrap();
    assert!(all(&mut join().await).await.is_empty());
}

#[tokio::test]
async fn a_reader_may_be_made_before_the_broker_is_there() {
    let hop = stream().connect_timeout(Duration::from_secs(2)).build().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let made = Instant::now();
    let mut alerts = hop.subscribe(format!("kafka://127.0.0.1:{port}/t")).start().unwrap();
    assert!(made.elapsed() < Duration::from_secs(1), "making a reader waited for the broker");
    let error = next(&mut alerts).await.unwrap().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Connection | ErrorKind::TimedOut), "{error}");
    assert!(next(&mut alerts).await.is_none());

    let broker = Broker::new();
    let url = broker.url(&broker.topic(1).await);
    send(&url, &[&json(5)]).await;
    let mut alerts = stream().build().unwrap().subscribe(&url).start().unwrap();
    assert_eq!(numbers(&all(&mut alerts).await), [5]);
}
