use std::time::{Duration, Instant};

use hop_core::{Blob, Encoder, JsonBlob, Route};
use hop_kafka::{ErrorKind, StartPosition};
use hop_tests::{Broker, send_raw, stream};
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::{all, blob, json, next, numbers, send};

#[tokio::test]
async fn a_broken_message_is_an_error_with_its_record_and_the_next_one_follows() {
    let broker = Broker::new();
    let topic = broker.topic(1).await;
    let url = broker.url(&topic);
    send(&url, &[&json(1)]).await;
    send_raw(broker.address(), &topic, b"{\"n\": ", &[("seen", Some(b"yes")), ("_format", Some(b"JSON"))]);
    send(&url, &[&json(3)]).await;

    let mut alerts = stream().build().unwrap().subscribe(&url).await.unwrap();
    assert_eq!(numbers(&[next(&mut alerts).await.unwrap().unwrap()]), [1]);
    let error = next(&mut alerts).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    let record = error.record().expect("the record is attached");
    assert_eq!(record.content, &b"{\"n\": "[..]);
    assert_eq!(record.headers.get("seen"), Some(&b"yes"[..]));
    let place = record.place.as_ref().unwrap();
    assert_eq!((&*place.topic, place.partition, place.offset), (topic.as_str(), 0, 1));
    assert!(error.to_string().contains(&format!("{topic}[0]@1")), "{error}");
    assert_eq!(numbers(&all(&mut alerts).await), [3]);
}

#[tokio::test]
async fn every_rung_of_the_ladder_is_reached() {
    let broker = Broker::new();
    let topic = broker.topic(1).await;
    type Headers<'a> = &'a [(&'a str, Option<&'a [u8]>)];
    let cases: [(&[u8], Headers<'_>, Route); 7] = [
        (b"[1]", &[("_format", Some(b"Json"))], Route::Header),
        (
            b"[1]",
            &[("_format", Some(b"nobody")), ("_format", Some(b"json"))],
            Route::UnknownFormat { label: "nobody".into() },
        ),
        (b"[1]", &[("_format", None)], Route::UnknownFormat { label: String::new() }),
        (b"{\"format\": \"blob\", \"content\": [1]}", &[], Route::Envelope { label: "blob".into() }),
        (b"[1]", &[], Route::Json),
        (b"\x00\xff", &[("_id", Some(b"short"))], Route::Blob),
        (b"", &[], Route::Blob),
    ];
    for (content, headers, _) in &cases {
        send_raw(broker.address(), &topic, content, headers);
    }
    let mut alerts = stream().build().unwrap().subscribe(broker.url(&topic)).await.unwrap();
    let alerts = all(&mut alerts).await;
    assert_eq!(alerts.len(), cases.len());
    for (alert, (content, _, route)) in alerts.iter().zip(&cases) {
        assert_eq!(alert.route, *route);
        assert_eq!(alert.record.content, *content);
    }
}

#[tokio::test]
async fn several_topics_are_read_to_the_end_of_each() {
    let broker = Broker::new();
    let (first, second, empty) = (broker.topic(3).await, broker.topic(2).await, broker.topic(4).await);
    for number in 0..20 {
        let topic = if number % 2 == 0 { &first } else { &second };
        let out = stream().build().unwrap().publish(broker.url("")).await.unwrap();
        out.write(&json(number)).topic(topic).key(number.to_string()).send().await.unwrap();
    }
    let url = broker.url(&format!("{first},{empty},{second}"));
    let mut alerts = stream().build().unwrap().subscribe(&url).await.unwrap();
    let mut read = numbers(&all(&mut alerts).await);
    read.sort_unstable();
    assert_eq!(read, (0..20).collect::<Vec<_>>());
    assert_eq!(alerts.close().await.unwrap(), 0);

    let mut nothing = stream().build().unwrap().subscribe(broker.url(&empty)).await.unwrap();
    assert!(all(&mut nothing).await.is_empty());
}

#[tokio::test]
async fn the_latest_is_whatever_is_published_after_subscribing() {
    let broker = Broker::new();
    let url = broker.url(&broker.topic(2).await);
    send(&url, &[&json(1), &json(2)]).await;
    for group in [None, Some("late-comers")] {
        let hop = stream().start_at(StartPosition::Latest).until_eos(false).build().unwrap();
        let mut request = hop.subscribe(&url);
        if let Some(group) = group {
            request = request.group(group);
        }
        let mut alerts = request.await.unwrap();
        send(&url, &[&json(3)]).await;
        assert_eq!(numbers(&[next(&mut alerts).await.unwrap().unwrap()]), [3]);
    }
}

#[tokio::test]
async fn test_messages_come_only_when_asked_for() {
    let broker = Broker::new();
    let topic = broker.topic(1).await;
    let url = broker.url(&topic);
    let out = stream().build().unwrap().publish(&url).await.unwrap();
    out.write(&json(1)).test(true).send().await.unwrap();
    out.write(&json(2)).send().await.unwrap();
    send_raw(broker.address(), &topic, b"{\"n\": 3}", &[("_test", None)]);
    let hop = stream().build().unwrap();
    assert_eq!(numbers(&all(&mut hop.subscribe(&url).await.unwrap()).await), [2]);
    assert_eq!(numbers(&all(&mut hop.subscribe(&url).test_messages(true).await.unwrap()).await), [1, 2, 3]);
}

#[tokio::test]
async fn a_record_has_all_that_kafka_knows_of_it() {
    let broker = Broker::new();
    let topic = broker.topic(1).await;
    let url = broker.url(&topic);
    let out = stream().build().unwrap().publish(&url).await.unwrap();
    let before = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let sent = out
        .write(&blob("x"))
        .header("a", "1")
        .header("b", [0_u8, 255])
        .null_header("c")
        .headers([("a", Some("2"))])
        .key(b"\x01")
        .test(true)
        .send()
        .await
        .unwrap();
    assert_eq!((sent.partition, sent.offset), (0, 0));
    let mut alerts = stream().build().unwrap().subscribe(&url).test_messages(true).await.unwrap();
    let alert = next(&mut alerts).await.unwrap().unwrap();
    let record = &alert.record;
    let names: Vec<_> = record.headers.iter().map(|header| &*header.name).collect();
    assert_eq!(names, ["a", "b", "c", "a", "_id", "_test", "_format"]);
    assert_eq!(record.headers.get_all("a").collect::<Vec<_>>(), [Some(&b"1"[..]), Some(b"2")]);
    assert_eq!(record.headers.get("b"), Some(&[0, 255][..]));
    assert_eq!(record.headers.first("c").unwrap().value, None);
    assert_eq!(record.headers.get("_id").unwrap().len(), 16);
    assert_eq!(record.headers.get("_test"), Some(&b"true"[..]));
    assert_eq!(record.headers.get("_format"), Some(&b"blob"[..]));
    assert_eq!(record.key.as_deref(), Some(&b"\x01"[..]));
    assert!(u128::try_from(record.timestamp.unwrap()).unwrap() + 1000 > before);
    assert_eq!(alert.into_model::<JsonBlob>().unwrap_err().into_model::<Blob>().unwrap(), blob("x"));
}

#[tokio::test]
async fn a_topic_that_is_not_there_and_a_broker_that_is_not_there_are_told_apart() {
    let broker = Broker::new();
    let hop = stream().connect_timeout(Duration::from_secs(3)).build().unwrap();
    if std::env::var_os(hop_tests::BROKER_VARIABLE).is_some() {
        let error = hop.subscribe(broker.url("hop-test-nowhere")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownTopic, "{error}");
    }
    // Bound and never accepted from: the connection is made, and nobody answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    for address in [closed, silent.local_addr().unwrap()] {
        let started = Instant::now();
        let error = hop.subscribe(format!("kafka://{address}/t")).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Connection | ErrorKind::TimedOut), "{error:?}");
        assert!(started.elapsed() < Duration::from_secs(6), "{:?}", started.elapsed());
    }
    let error = hop.subscribe(broker.url("")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
}

#[test]
fn a_program_without_a_runtime_reads_too() {
    let broker = Broker::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let url = runtime.block_on(async {
        let url = broker.url(&broker.topic(1).await);
        send(&url, &[&json(1), &json(2), &json(3)]).await;
        url
    });
    let mut alerts = hop_kafka::block_on(stream().build().unwrap().subscribe(&url)).unwrap();
    let read: Vec<_> = alerts.blocking().map(Result::unwrap).collect();
    assert_eq!(numbers(&read), [1, 2, 3]);
    assert_eq!(hop_kafka::block_on(alerts.close()).unwrap(), 0);
}

#[tokio::test]
async fn a_cancelled_wait_loses_nothing() {
    let broker = Broker::new();
    let url = broker.url(&broker.topic(1).await);
    let mut alerts = stream().until_eos(false).build().unwrap().subscribe(&url).await.unwrap();
    for number in 0..50 {
        assert!(tokio::time::timeout(Duration::from_millis(1), alerts.next()).await.is_err());
        send(&url, &[&json(number)]).await;
        assert_eq!(numbers(&[next(&mut alerts).await.unwrap().unwrap()]), [number]);
    }
}

#[tokio::test]
async fn the_end_is_found_behind_what_a_transaction_leaves() {
    let Some(broker) = Broker::apache_or_skip("the_end_is_found_behind_what_a_transaction_leaves") else { return };
    let (first, second) = (broker.topic(2).await, broker.topic(2).await);
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", broker.address())
        .set("transactional.id", &first)
        .create()
        .unwrap();
    let patience = Duration::from_secs(20);
    producer.init_transactions(patience).unwrap();
    // The last record of each partition is a marker, which no reader gets.
    for (abort, number) in [(false, 1), (true, 2)] {
        producer.begin_transaction().unwrap();
        for topic in [&first, &second] {
            for partition in [0, 1] {
                let message = Encoder::new().encode(&json(number)).unwrap();
                let record = BaseRecord::<(), [u8]>::to(topic).payload(&message.content[..]).partition(partition);
                producer.send(record).unwrap();
            }
        }
        producer.flush(patience).unwrap();
        if abort {
            producer.abort_transaction(patience).unwrap()
        } else {
            producer.commit_transaction(patience).unwrap()
        }
    }
    let mut alerts = stream().build().unwrap().subscribe(broker.url(&format!("{first},{second}"))).await.unwrap();
    assert_eq!(numbers(&all(&mut alerts).await), [1, 1, 1, 1]);
}

#[tokio::test]
async fn the_end_of_a_topic_whose_messages_are_all_deleted_is_found_at_once() {
    let name = "the_end_of_a_topic_whose_messages_are_all_deleted_is_found_at_once";
    let Some(broker) = Broker::apache_or_skip(name) else { return };
    let topic = broker.topic(2).await;
    let url = broker.url(&topic);
    for number in 0..5 {
        hop_tests::send_to(broker.address(), &topic, 0, format!("{{\"n\": {number}}}").as_bytes());
    }
    broker.delete_before(&hop_core::Place { topic: topic.as_str().into(), partition: 0, offset: 5 }).await;
    for group in [None, Some("too-late")] {
        let mut request = stream().build().unwrap().subscribe(&url);
        if let Some(group) = group {
            request = request.group(group);
        }
        assert!(all(&mut request.await.unwrap()).await.is_empty());
    }
}
