//! Framings on the way out: a registry that is slow costs a writer few threads, and no message its place.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::{Duration, Instant};

use hop_core::{TopicRule, Value};
use hop_kafka::{EmbeddedBroker, SchemaRegistry, Stream, block_on};
use hop_models::AvroBlob;
use hop_models::avro::Schema;
use hop_models::framing::Confluent;
use hop_tests::registry::{Answer, FakeRegistry};
use hop_tests::stream;

use crate::next;

const ALERT: &str = r#"{"type": "record", "name": "a.alert", "fields": [{"name": "id", "type": "int"}]}"#;

/// A registry that takes a while to register the schemas of topics called `slow*`.
fn registry(pause: Duration) -> FakeRegistry {
    FakeRegistry::start(move |request| match request.line.as_str() {
        line if line.starts_with("POST /api/subjects/slow") => Answer::Slowly(pause, 200, r#"{"id": 7}"#.to_owned()),
        line if line.starts_with("POST ") => Answer::Says(200, r#"{"id": 7}"#.to_owned()),
        _ => Answer::schema(ALERT),
    })
}

fn framing(registry: &FakeRegistry) -> Arc<Confluent> {
    Arc::new(Confluent::new(Arc::new(SchemaRegistry::new(&registry.url()).unwrap().registering(true))))
}

fn alert(id: i64) -> AvroBlob {
    let alert = AvroBlob::new(Value::object([("id", Value::Int(id))]));
    alert.with_schema(Schema::parse(ALERT).unwrap()).unwrap()
}

/// How many threads of this process have the name; those of other tests count.
fn threads(name: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|found| found.trim_end() == name).count()
}

/// The rule that the topics are read by.
fn rule(registry: &FakeRegistry) -> TopicRule {
    TopicRule::new("**", "avro").unwrap().framed(framing(registry))
}

/// Asks a future once whether it is ready.
async fn is_pending<F: Future>(mut future: Pin<&mut F>) -> bool {
    std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_pending())).await
}

async fn ids(hop: &Stream, broker: &EmbeddedBroker, topic: &str, registry: &FakeRegistry) -> Vec<i64> {
    let mut alerts = hop.subscribe(broker.url(topic)).topic_rule(rule(registry)).await.unwrap();
    let mut ids = Vec::new();
    while let Some(alert) = next(&mut alerts).await {
        let alert = alert.unwrap();
        ids.push(alert.get::<AvroBlob>().unwrap().record().unwrap()["id"].as_i64().unwrap());
    }
    ids
}

#[tokio::test]
async fn thousands_that_wait_for_a_registry_take_few_threads_and_keep_their_order() {
    const COUNT: i64 = 3_000;
    let (broker, registry) = (EmbeddedBroker::start().unwrap(), registry(Duration::from_millis(1500)));
    for topic in ["slow", "quick"] {
        broker.create_topic(topic, 1).unwrap();
    }
    let hop = stream().build().unwrap();
    let out = Arc::new(hop.publish(broker.url("slow,quick")).framing(framing(&registry)).await.unwrap());
    let called = Arc::new(Mutex::new(Vec::new()));
    let sends: Vec<_> = (0..COUNT)
        .map(|id| {
            let (out, called) = (Arc::clone(&out), Arc::clone(&called));
            tokio::spawn(async move {
                // The last ones come when the schema is about to be known.
                tokio::time::sleep(Duration::from_micros(u64::try_from(id).unwrap() * 600)).await;
                let alert = alert(id);
                called.lock().unwrap().push(id);
                out.write(&alert).topic("slow").send().await.map(drop)
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(700)).await;
    // Tests beside this one have their own.
    assert!(threads("hop-framing") <= 12, "{}", threads("hop-framing"));
    let started = Instant::now();
    out.write(&alert(1)).topic("quick").send().await.unwrap();
    assert!(started.elapsed() < Duration::from_millis(600), "{:?}", started.elapsed());
    for send in sends {
        send.await.unwrap().unwrap();
    }
    assert_eq!(ids(&hop, &broker, "slow", &registry).await, *called.lock().unwrap());
    let posts = registry.requests().iter().filter(|request| request.line.starts_with("POST")).count();
    assert_eq!(posts, 2);
}

#[tokio::test]
async fn a_send_that_is_given_up_or_left_alone_keeps_no_other_from_its_turn() {
    let (broker, registry) = (EmbeddedBroker::start().unwrap(), registry(Duration::from_millis(300)));
    broker.create_topic("slow", 1).unwrap();
    let hop = stream().build().unwrap();
    let out = hop.publish(broker.url("slow")).framing(framing(&registry)).await.unwrap();
    let (first, second) = (alert(1), alert(2));
    // Asked once each, then forgotten by whoever has it.
    let mut left_alone = Box::pin(out.write(&first).send());
    assert!(is_pending(left_alone.as_mut()).await);
    let mut given_up = Box::pin(out.write(&second).send());
    assert!(is_pending(given_up.as_mut()).await);
    drop(given_up);
    for id in 3..6 {
        tokio::time::timeout(Duration::from_secs(20), out.write(&alert(id)).send()).await.unwrap().unwrap();
    }
    // The one that nobody asks again was sent first all the same.
    assert_eq!(ids(&hop, &broker, "slow", &registry).await, [1, 3, 4, 5]);
    left_alone.await.unwrap();
}

#[test]
fn without_a_runtime_it_is_the_same() {
    let (broker, registry) = (EmbeddedBroker::start().unwrap(), registry(Duration::from_millis(300)));
    broker.create_topic("slow", 1).unwrap();
    let hop = stream().build().unwrap();
    let written = block_on(async {
        let out = hop.publish(broker.url("slow")).framing(framing(&registry)).await?;
        for id in 0..500 {
            drop(out.write(&alert(id)).queue().await?);
        }
        out.close().await
    });
    written.unwrap();
    let mut alerts = block_on(hop.subscribe(broker.url("slow")).topic_rule(rule(&registry))).unwrap();
    assert_eq!(alerts.blocking().filter(Result::is_ok).count(), 500);
}

#[tokio::test]
async fn a_journal_has_messages_in_the_order_in_which_they_were_written() {
    let (broker, registry) = (EmbeddedBroker::start().unwrap(), registry(Duration::from_millis(300)));
    broker.create_topic("slow", 1).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let hop = stream().build().unwrap();
    let out = hop.publish(broker.url("slow")).framing(framing(&registry)).journal(folder.path().join("journal"));
    let out = out.await.unwrap();
    let alerts: Vec<_> = (0..50).map(alert).collect();
    let mut writes: Vec<_> = alerts.iter().map(|alert| Box::pin(out.write(alert).queue())).collect();
    for write in &mut writes {
        assert!(is_pending(write.as_mut()).await);
    }
    // The last are asked first.
    for write in writes.into_iter().rev() {
        drop(write.await.unwrap());
    }
    out.flush().await.unwrap();
    assert_eq!(ids(&hop, &broker, "slow", &registry).await, (0..50).collect::<Vec<_>>());
}

#[tokio::test]
async fn messages_are_queued_as_they_were_written_whoever_is_polled_first() {
    let (broker, registry) = (EmbeddedBroker::start().unwrap(), registry(Duration::from_millis(300)));
    broker.create_topic("slow", 1).unwrap();
    let hop = stream().build().unwrap();
    let out = hop.publish(broker.url("slow")).framing(framing(&registry)).await.unwrap();
    let alerts: Vec<_> = (0..51).map(alert).collect();
    let mut writes: Vec<_> = alerts[..50].iter().map(|alert| Box::pin(out.write(alert).queue())).collect();
    for write in &mut writes {
        assert!(is_pending(write.as_mut()).await);
    }
    // By now the schema is known, and all could be framed.
    tokio::time::sleep(Duration::from_secs(1)).await;
    drop(out.write(&alerts[50]).queue().await.unwrap());
    for write in writes.into_iter().rev() {
        drop(write.await.unwrap());
    }
    out.flush().await.unwrap();
    assert_eq!(ids(&hop, &broker, "slow", &registry).await, (0..51).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_is_decoded_does_not_wait_for_a_look_up_behind_it() {
    let broker = EmbeddedBroker::start().unwrap();
    broker.create_topic("alerts", 1).unwrap();
    let registry = FakeRegistry::start(|request| match request.line.as_str() {
        "GET /api/schemas/ids/7" => Answer::schema(ALERT),
        _ => Answer::Hangs,
    });
    let datum = |schema: u8, id: u8| vec![0, 0, 0, 0, schema, id << 1];
    for (schema, id) in [(7, 0), (7, 1), (7, 2), (9, 3), (7, 4), (9, 5), (7, 6)] {
        hop_tests::send_raw(&broker.address(), "alerts", &datum(schema, id), &[]);
    }
    let source = SchemaRegistry::new(&registry.url()).unwrap().timeout(Duration::from_secs(3));
    let hop = stream().schema_source(Arc::new(source)).build().unwrap();
    let rule = TopicRule::new("alerts", "avro").unwrap().framed_as("confluent");
    let mut alerts = hop.subscribe(broker.url("alerts")).topic_rule(rule).await.unwrap();
    let (mut came, started) = (Vec::new(), Instant::now());
    while let Some(alert) = next(&mut alerts).await {
        came.push((alert.is_ok(), started.elapsed()));
    }
    let read: Vec<_> = came.iter().map(|(is_ok, _)| *is_ok).collect();
    assert_eq!(read, [true, true, true, false, true, false, true]);
    // One time-out, behind which the third does not wait.
    assert!(came[3].1 - came[2].1 > Duration::from_secs(2), "{came:?}");
    assert!(came[6].1 - came[3].1 < Duration::from_secs(2), "{came:?}");
}
