use std::time::Duration;

use hop_core::{Blob, JsonBlob, MessageModel};
use hop_kafka::{ErrorKind, Stream, Undecodable};
use hop_models::VoEvent;
use hop_tests::{Broker, send_raw, stream};

use crate::{all, blob, json, next, numbers, send};

fn hop() -> Stream {
    stream().build().unwrap()
}

#[tokio::test]
async fn what_is_not_asked_for_is_left_out_before_it_is_decoded() {
    let broker = Broker::new();
    let topic = broker.topic(1).await;
    let url = broker.url(&topic);
    send(&url, &[&json(0), &blob("no")]).await;
    // It would not decode; but nobody asks.
    send_raw(broker.address(), &topic, b"<", &[("_format", Some(b"voevent"))]);
    // No label: what it is shows in its content.
    send_raw(broker.address(), &topic, b"{\"n\": 1}", &[]);
    send_raw(broker.address(), &topic, b"\xff", &[]);
    send_raw(broker.address(), &topic, b"{\"n\": 2}", &[("_format", Some(b"JSON")), ("priority", Some(b"1"))]);
    let mut alerts = hop().subscribe(&url).formats(["Json"]).await.unwrap();
    assert_eq!(numbers(&all(&mut alerts).await), [0, 1, 2]);
    assert_eq!(alerts.counters().skipped, 3);

    let urgent = hop().subscribe(&url).filter(|record| record.headers.get("priority") == Some(b"1"));
    assert_eq!(numbers(&all(&mut urgent.await.unwrap()).await), [2]);
}

#[tokio::test]
async fn one_format_is_read_without_a_box_around_it() {
    let broker = Broker::new();
    let topic = broker.topic(1).await;
    let url = broker.url(&topic);
    let event = VoEvent::example().unwrap();
    send(&url, &[&json(0), &event, &blob("no")]).await;
    send_raw(broker.address(), &topic, b"<", &[("_format", Some(b"VOEvent"))]);
    send(&url, &[&event]).await;
    let mut events = hop().subscribe(&url).await.unwrap().typed::<VoEvent>();
    let first = events.next().await.unwrap().unwrap();
    assert_eq!((first.model.dump().unwrap(), first.record.place.unwrap().offset), (event.dump().unwrap(), 1));
    let broken = events.next().await.unwrap().unwrap_err();
    assert_eq!((broken.kind(), broken.record().unwrap().place.as_ref().unwrap().offset), (ErrorKind::Decode, 3));
    assert!(events.next().await.unwrap().is_ok());
    assert!(events.next().await.is_none());

    let mut numbers = hop().subscribe(&url).await.unwrap().typed::<JsonBlob>();
    assert_eq!(numbers.next().await.unwrap().unwrap().model, json(0));
}

#[tokio::test]
async fn records_come_undecoded_when_they_are_asked_for() {
    let broker = Broker::new();
    let topic = broker.topic(1).await;
    let url = broker.url(&topic);
    send_raw(broker.address(), &topic, b"<", &[("_format", Some(b"voevent"))]);
    send_raw(broker.address(), &topic, b"2", &[("_test", None)]);
    send(&url, &[&json(3)]).await;
    for threads in [0, 2] {
        let mut alerts = hop().subscribe(&url).decoding_threads(threads).await.unwrap();
        assert_eq!(alerts.next_record().await.unwrap().unwrap().content, "<");
        assert_eq!(alerts.next_record().await.unwrap().unwrap().content, "{\"n\": 3}");
        assert!(alerts.next_record().await.is_none());
    }
}

#[tokio::test]
async fn batches_hold_what_came_and_are_done_together() {
    let broker = Broker::new();
    let url = broker.url(&broker.topic(1).await);
    send(&url, &[&json(0), &json(1), &json(2), &json(3), &json(4)]).await;
    let mut alerts = hop().subscribe(&url).group("batches").await.unwrap();
    let patience = Duration::from_secs(20);
    let batch: Vec<_> = alerts.next_batch(3, patience).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(numbers(&batch), [0, 1, 2]);
    // Nothing of it is done while it is worked on.
    alerts.close().await.unwrap();
    let mut alerts = hop().subscribe(&url).group("batches").await.unwrap();
    assert_eq!(alerts.next_batch(3, patience).await.len(), 3);
    let batch: Vec<_> = alerts.next_batch(100, patience).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(numbers(&batch), [3, 4]);
    assert!(alerts.next_batch(3, patience).await.is_empty());
    alerts.close().await.unwrap();
    assert!(all(&mut hop().subscribe(&url).group("batches").await.unwrap()).await.is_empty());

    let live = stream().until_eos(false).build().unwrap();
    let mut alerts = live.subscribe(&url).await.unwrap();
    assert_eq!(alerts.next_batch(100, Duration::from_secs(2)).await.len(), 5);
    assert!(alerts.next_batch(1, Duration::from_millis(50)).await.is_empty());
}

#[tokio::test]
async fn threads_decode_and_the_order_stays() {
    let broker = Broker::new();
    let url = broker.url(&broker.topic(1).await);
    let out = hop().publish(&url).await.unwrap();
    for number in 0..5_000 {
        let _fate = match number % 3 {
            // Long ones and short ones, so that a thread overtakes another.
            0 => out.write(&VoEvent::example().unwrap()).key(number.to_string()).queue().await.unwrap(),
            _ => out.write(&json(number)).key(number.to_string()).queue().await.unwrap(),
        };
    }
    out.close().await.unwrap();
    let mut alerts = hop().subscribe(&url).decoding_threads(3).await.unwrap();
    for (at, alert) in all(&mut alerts).await.iter().enumerate() {
        assert_eq!(alert.record.key.as_deref(), Some(at.to_string().as_bytes()));
        assert_eq!(alert.get::<VoEvent>().is_some(), at % 3 == 0);
    }
    assert_eq!(alerts.counters().messages, 5_000);
}

#[tokio::test]
async fn a_small_buffer_is_enough_for_large_messages() {
    let broker = Broker::new();
    let url = broker.url(&broker.topic(2).await);
    let out = hop().publish(&url).await.unwrap();
    for number in 0..20 {
        let large = Blob::from(&vec![b'a' + number; 100_000][..]);
        out.write(&large).key([number]).send().await.unwrap();
    }
    let mut alerts = hop().subscribe(&url).buffer(1_000, 10_000).await.unwrap();
    let control = alerts.control();
    let mut seen = Vec::new();
    while let Some(alert) = next(&mut alerts).await {
        assert!(control.waiting() <= 1, "{} large messages wait in a small buffer", control.waiting());
        seen.push(alert.unwrap().record.key.unwrap()[0]);
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_does_not_decode_is_skipped_or_ends_the_reading_when_asked() {
    let broker = Broker::new();
    let topic = broker.topic(1).await;
    let url = broker.url(&topic);
    send(&url, &[&json(0)]).await;
    send_raw(broker.address(), &topic, b"{", &[("_format", Some(b"json"))]);
    send(&url, &[&json(2)]).await;
    let mut alerts = hop().subscribe(&url).on_undecodable(Undecodable::Skip).await.unwrap();
    assert_eq!(numbers(&all(&mut alerts).await), [0, 2]);
    assert_eq!(alerts.counters().undecodable, 1);

    for _ in 0..2 {
        let stop = hop().subscribe(&url).group("stops").on_undecodable(Undecodable::Stop);
        let mut alerts = stop.await.unwrap();
        let mut first = next(&mut alerts).await.unwrap();
        if let Ok(alert) = &first {
            assert_eq!(numbers(std::slice::from_ref(alert)), [0]);
            first = next(&mut alerts).await.unwrap();
        }
        assert_eq!(first.unwrap_err().record().unwrap().place.as_ref().unwrap().offset, 1);
        assert!(next(&mut alerts).await.is_none());
        // It is not counted as done: the next run meets it again.
        alerts.close().await.unwrap();
    }
}
