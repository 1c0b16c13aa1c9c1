use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use hop_core::Blob;
use hop_kafka::{Compression, ErrorKind};
use hop_tests::{Broker, stream};

use crate::{all, blob, json, numbers};

#[tokio::test]
async fn the_topic_may_be_left_out_only_where_there_is_one() {
    let broker = Broker::new();
    let (first, second) = (broker.topic(1).await, broker.topic(1).await);
    let hop = stream().build().unwrap();
    for topics in [String::new(), format!("{first},{second}")] {
        let out = hop.publish(broker.url(&topics)).await.unwrap();
        let error = out.write(&json(1)).send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.to_string().contains("say which one with `topic`"), "{error}");
        out.write(&json(1)).topic(&second).send().await.unwrap();
    }
    assert_eq!(numbers(&all(&mut hop.subscribe(broker.url(&second)).await.unwrap()).await), [1, 1]);
}

#[tokio::test]
async fn reserved_headers_are_refused_and_said_to_be() {
    let broker = Broker::new();
    let out = stream().build().unwrap().publish(broker.url(&broker.topic(1).await)).await.unwrap();
    let map = BTreeMap::from([("_format", Some("json"))]);
    for write in [out.write(&json(1)).header("_mine", "x"), out.write(&json(1)).headers(map)] {
        let error = write.send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Encode);
        assert!(error.to_string().contains("names with `_` are reserved"), "{error}");
    }
    assert_eq!(out.unsent(), 0);
}

#[tokio::test]
async fn each_compression_comes_through() {
    let broker = Broker::new();
    let url = broker.url(&broker.topic(1).await);
    let content = blob(&"Nova in Cygnus. ".repeat(500));
    let all_of_them = [Compression::None, Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd];
    for compression in all_of_them {
        let out = stream().build().unwrap().publish(&url).compression(compression).idempotent(true).await.unwrap();
        out.write(&content).send().await.unwrap();
        out.close().await.unwrap();
    }
    let read = all(&mut stream().build().unwrap().subscribe(&url).await.unwrap()).await;
    assert_eq!(read.len(), all_of_them.len());
    assert!(read.iter().all(|alert| alert.get::<Blob>() == Some(&content)));
}

#[tokio::test]
async fn what_cannot_be_sent_is_handed_back_whole() {
    // Nobody listens there.
    let hop = stream().build().unwrap();
    let publish = || hop.publish("kafka://127.0.0.1:1/t").produce_timeout(Duration::from_millis(500));

    let out = publish().await.unwrap();
    let error = out.write(&blob("one")).header("a", "1").key("k").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Undelivered);
    let [lost] = error.undelivered() else { panic!("{error}") };
    assert_eq!((lost.topic.as_str(), &lost.message.content[..]), ("t", &b"one"[..]));
    assert_eq!(lost.message.key.as_deref(), Some(&b"k"[..]));
    assert_eq!(lost.message.headers.get("a"), Some(&b"1"[..]));
    assert_eq!(lost.message.headers.get("_format"), Some(&b"blob"[..]));

    // Whoever does not wait for the fate of a message gets it from `close`.
    for number in 0..3 {
        let _fate = out.write(&json(number)).queue().await.unwrap();
    }
    let error = out.close().await.unwrap_err();
    assert_eq!(error.undelivered().len(), 3, "{error}");

    // Also while the fate is still at hand: it was not looked at.
    let out = publish().await.unwrap();
    let fate = out.write(&json(1)).queue().await.unwrap();
    let error = out.close().await.unwrap_err();
    assert_eq!(error.undelivered().len(), 1, "{error}");
    drop(fate);

    // Awaited ones are told to those who await them, and not twice.
    let out = publish().await.unwrap();
    let fate = out.write(&json(1)).queue().await.unwrap();
    assert_eq!(fate.await.unwrap_err().kind(), ErrorKind::Undelivered);
    out.close().await.unwrap();
}

#[tokio::test]
async fn closing_within_a_time_gives_up_what_is_left() {
    // Without a time-out the messages would wait for ever.
    let out = stream().build().unwrap().publish("kafka://127.0.0.1:1/t").await.unwrap();
    for number in 0..5 {
        let _fate = out.write(&json(number)).queue().await.unwrap();
    }
    assert_eq!(out.unsent(), 5);
    let started = Instant::now();
    let error = out.close_within(Duration::from_millis(300)).await.unwrap_err();
    assert_eq!(error.undelivered().len(), 5, "{error}");
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
}

#[tokio::test]
async fn going_out_of_scope_sends_what_is_queued_or_returns_soon() {
    let broker = Broker::new();
    let url = broker.url(&broker.topic(1).await);
    let hop = stream().build().unwrap();
    {
        let out = hop.publish(&url).await.unwrap();
        for number in 0..100 {
            let _fate = out.write(&json(number)).queue().await.unwrap();
        }
    }
    assert_eq!(numbers(&all(&mut hop.subscribe(&url).await.unwrap()).await), (0..100).collect::<Vec<_>>());

    let started = Instant::now();
    {
        let out = hop.publish("kafka://127.0.0.1:1/t").await.unwrap();
        let _fate = out.write(&json(1)).queue().await.unwrap();
    }
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_full_queue_waits_instead_of_failing() {
    let broker = Broker::new();
    let url = broker.url(&broker.topic(1).await);
    let hop = stream().property("queue.buffering.max.messages", "10").build().unwrap();
    let out = hop.publish(&url).await.unwrap();
    for number in 0..500 {
        let _fate = out.write(&json(number)).queue().await.unwrap();
    }
    out.close().await.unwrap();
    assert_eq!(numbers(&all(&mut hop.subscribe(&url).await.unwrap()).await), (0..500).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_setting_that_is_refused_is_named_and_not_shown() {
    for (name, value) in [("sasl.pasword", "hunter2"), ("ssl.key.password", "hunter2"), ("acks", "hunter2")] {
        let hop = stream().property(name, value).build().unwrap();
        let Err(error) = hop.publish("kafka://127.0.0.1:1/t").await else { continue };
        assert_eq!(error.kind(), ErrorKind::Config);
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(name) && (name == "acks" || !shown.contains("hunter2")), "{shown}");
    }
    let hop = stream().build().unwrap();
    // Less than librdkafka can count is not nothing, which would be for ever.
    let out = hop.publish("kafka://127.0.0.1:1/t").produce_timeout(Duration::from_micros(10)).await.unwrap();
    assert_eq!(out.write(&json(1)).send().await.unwrap_err().kind(), ErrorKind::Undelivered);
}

#[tokio::test]
async fn the_fate_of_a_message_is_told_to_a_function() {
    let broker = Broker::new();
    let hop = stream().build().unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    let out = hop.publish(broker.url(&broker.topic(1).await)).await.unwrap();
    for number in 0..3 {
        let tell = tell.clone();
        let fate = out.write(&json(number)).on_delivery(move |fate| tell.send((number, fate)).unwrap()).queue().await;
        // It may be awaited as well.
        fate.unwrap().await.unwrap();
    }
    let _fate = out.write(&json(3)).on_delivery(|_| panic!("this panic is meant")).queue().await.unwrap();
    out.flush().await.unwrap();
    let offsets: Vec<_> = told.try_iter().map(|(number, fate)| (number, fate.unwrap().offset)).collect();
    assert_eq!(offsets, [(0, 0), (1, 1), (2, 2)]);
    // Whoever panics does not take the writer along.
    out.write(&json(4)).send().await.unwrap();
    out.close().await.unwrap();

    let timeout = Duration::from_millis(100);
    let out = hop.publish("kafka://127.0.0.1:1/t").produce_timeout(timeout).await.unwrap();
    let tell_of_failure = tell.clone();
    let (five, six) = (json(5), json(6));
    let write = out.write(&five).on_delivery(move |fate| tell_of_failure.send((5, fate)).unwrap());
    let _fate = write.queue().await.unwrap();
    // What was told is not told again.
    out.flush().await.unwrap();
    let (_, fate) = told.try_recv().unwrap();
    assert_eq!(fate.unwrap_err().message.content, r#"{"n": 5}"#);
    // What is not queued has no fate.
    let refused = out.write(&six).header("_mine", "").on_delivery(move |fate| tell.send((6, fate)).unwrap());
    assert_eq!(refused.queue().await.unwrap_err().kind(), ErrorKind::Encode);
    assert!(told.try_recv().is_err());
}

#[tokio::test]
async fn a_writer_counts_what_it_does() {
    let broker = Broker::new();
    let hop = stream().build().unwrap();
    let out = hop.publish(broker.url(&broker.topic(1).await)).await.unwrap();
    assert_eq!(out.counters(), hop_kafka::WriteCounters::default());
    for _ in 0..3 {
        out.write(&blob("12345")).send().await.unwrap();
    }
    let counters = out.counters();
    assert_eq!((counters.queued, counters.delivered, counters.bytes, counters.failed), (3, 3, 15, 0));

    let out = hop.publish("kafka://127.0.0.1:1/t").produce_timeout(Duration::from_millis(100)).await.unwrap();
    out.write(&blob("12345")).send().await.unwrap_err();
    let counters = out.counters();
    assert_eq!((counters.queued, counters.delivered, counters.bytes, counters.failed), (1, 0, 0, 1));
    assert!(counters.errors > 0);
}

#[test]
fn a_program_without_a_runtime_writes_too() {
    use hop_kafka::block_on;

    let broker = hop_kafka::EmbeddedBroker::start().unwrap();
    let url = broker.url("t");
    let hop = stream().build().unwrap();
    let out = hop.publish(&url).start().unwrap();
    assert_eq!(block_on(out.write(&json(0)).key("k").send()).unwrap().offset, 0);
    let fates: Vec<_> = (1..50).map(|number| block_on(out.write(&json(number)).key("k").queue()).unwrap()).collect();
    let offsets: Vec<_> = fates.into_iter().map(|fate| block_on(fate).unwrap().offset).collect();
    assert_eq!(offsets, (1..50).collect::<Vec<_>>());
    let _fate = block_on(out.write(&json(50)).key("k").queue()).unwrap();
    block_on(out.flush()).unwrap();
    block_on(out.close()).unwrap();
    let mut alerts = block_on(hop.subscribe(&url)).unwrap();
    let read: Vec<_> = alerts.blocking().map(Result::unwrap).collect();
    assert_eq!(numbers(&read), (0..=50).collect::<Vec<_>>());
}

#[tokio::test]
async fn failures_that_nobody_looks_at_stop_the_writing_before_they_fill_the_memory() {
    let hop = stream().build().unwrap();
    let publish = || hop.publish("kafka://127.0.0.1:1/t").produce_timeout(Duration::from_millis(100));
    for (count, content) in [(10_000, "few".to_owned()), (68, "much".repeat(250_000))] {
        let out = publish().await.unwrap();
        let content = blob(&content);
        for _ in 0..count {
            let _fate = out.write(&content).queue().await.unwrap();
        }
        while out.unsent() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let error = out.write(&blob("last")).queue().await.unwrap_err();
        assert_eq!((error.kind(), error.undelivered().len()), (ErrorKind::Undelivered, count + 1));
        assert!(error.to_string().contains("`flush` from time to time"), "{error}");
        assert_eq!(error.undelivered()[count].message.content, "last");
        // All is handed back, so there is room again, and nothing left to tell.
        let _fate = out.write(&blob("again")).queue().await.unwrap();
        assert_eq!(out.close().await.unwrap_err().undelivered().len(), 1);
    }
}

#[tokio::test]
async fn properties_go_before_settings_by_either_of_their_names() {
    for name in ["message.timeout.ms", "delivery.timeout.ms"] {
        let hop = stream().property(name, "100").build().unwrap();
        // Without the property it would wait for ever.
        let out = hop.publish("kafka://127.0.0.1:1/t").await.unwrap();
        assert_eq!(out.write(&json(1)).send().await.unwrap_err().kind(), ErrorKind::Undelivered, "{name}");
    }
    let hop = stream().property("compression.codec", "no-such-thing").build().unwrap();
    let error = hop.publish("kafka://127.0.0.1:1/t").compression(Compression::Gzip).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
}

/// Ten thousand messages, each waited for, in a task that awaits nothing else.
async fn ten_thousand(url: String, blocking: bool) {
    let hop = stream().build().unwrap();
    let out = hop.publish(&url).await.unwrap();
    let started = std::time::Instant::now();
    for number in 0..10_000 {
        let message = json(number);
        let sending = out.write(&message).send();
        let sent = if blocking { hop_kafka::block_on(sending) } else { sending.await };
        sent.unwrap();
    }
    let flushed = if blocking { hop_kafka::block_on(out.close()) } else { out.close().await };
    flushed.unwrap();
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

#[test]
fn a_task_of_either_runtime_writes_many_messages_one_by_one() {
    let broker = Broker::new();
    for blocking in [false, true] {
        let current = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let multi = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        for runtime in [current, multi] {
            runtime.block_on(async {
                let url = broker.url(&broker.topic(1).await);
                tokio::spawn(ten_thousand(url, blocking)).await.unwrap();
            });
        }
    }
}

#[test]
fn time_outs_of_any_length_need_no_runtime() {
    let broker = hop_kafka::EmbeddedBroker::start().unwrap();
    let hop = stream().connect_timeout(Duration::MAX).build().unwrap();
    for within in [Duration::from_secs(3_000_000), Duration::MAX] {
        let out = pollster::block_on(hop.publish(broker.url("t")).produce_timeout(within)).unwrap();
        pollster::block_on(out.write(&json(1)).send()).unwrap();
        pollster::block_on(out.flush_within(within)).unwrap();
        pollster::block_on(out.close_within(within)).unwrap();
    }
    let topics = pollster::block_on(hop.list_topics(broker.url(""))).unwrap();
    assert_eq!(topics.len(), 1);
    // What is not delivered is told by `close_within` in time, too.
    let out = pollster::block_on(hop.publish("kafka://127.0.0.1:1/t")).unwrap();
    let _delivery = pollster::block_on(out.write(&json(1)).queue()).unwrap();
    let error = pollster::block_on(out.close_within(Duration::from_millis(50))).unwrap_err();
    assert_eq!(error.undelivered().len(), 1);
}

#[tokio::test]
async fn a_header_name_that_would_be_cut_is_refused() {
    let broker = hop_kafka::EmbeddedBroker::start().unwrap();
    let out = stream().build().unwrap().publish(broker.url("t")).await.unwrap();
    let headers = [("na\0me", Some("value"))].into_iter().collect();
    let message = hop_core::Outgoing { content: "x".into(), key: None, headers };
    let error = out.forward("t", message.clone()).await.unwrap_err();
    assert_eq!((error.kind(), &error.undelivered()[0].message), (ErrorKind::Usage, &message));
}

#[tokio::test]
async fn a_callback_that_panics_harms_no_other_message() {
    let broker = hop_kafka::EmbeddedBroker::start().unwrap();
    let out = stream().build().unwrap().publish(broker.url("t")).await.unwrap();
    let message = json(1);
    let _delivery = out.write(&message).on_delivery(|_| panic!("a bug of the author's")).queue().await.unwrap();
    out.write(&message).send().await.unwrap();
    out.close().await.unwrap();
}

#[test]
fn what_a_writer_is_made_of_goes_to_any_thread() {
    fn check<T: Send + Sync>() {}
    check::<hop_kafka::Publisher>();
    check::<hop_kafka::Publish>();
    check::<hop_kafka::Delivery>();
    check::<hop_kafka::Delivered>();
    check::<hop_kafka::Stream>();
    check::<hop_kafka::Error>();
}
