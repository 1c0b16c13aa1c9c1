//! Every way of reading, wherever the program waits.

use std::time::{Duration, Instant};

use hop_kafka::{Error, Subscription, block_on};
use hop_tests::{Broker, stream};

use crate::json;

const MESSAGES: usize = 10_000;
/// The longest that reading all of them may take.
const SOON: Duration = Duration::from_secs(10);

async fn filled(broker: &Broker) -> String {
    let url = broker.url(&broker.topic(1).await);
    let out = stream().build().unwrap().publish(&url).await.unwrap();
    for number in 0..MESSAGES {
        let _delivery = out.write(&json(number as i64)).queue().await.unwrap();
    }
    out.close().await.unwrap();
    url
}

async fn open(url: &str) -> Subscription {
    stream().build().unwrap().subscribe(url).await.unwrap()
}

/// Reads everything by `next_batch`, and awaits nothing else.
async fn by_batches(url: String) -> usize {
    let mut alerts = open(&url).await;
    let mut read = 0;
    while read < MESSAGES {
        let batch = alerts.next_batch(50, Duration::from_secs(5)).await;
        assert!(!batch.is_empty(), "nothing came after {read} messages");
        read += batch.into_iter().map(Result::unwrap).count();
    }
    read
}

async fn by_next(url: String) -> usize {
    let mut alerts = open(&url).await;
    let mut read = 0;
    while let Some(alert) = alerts.next().await {
        alert.unwrap();
        read += 1;
    }
    read
}

fn by_block_on(mut alerts: Subscription) -> usize {
    std::iter::from_fn(|| block_on(alerts.next())).map(Result::unwrap).count()
}

fn by_iterator(mut alerts: Subscription) -> usize {
    alerts.blocking().map(Result::unwrap).count()
}

fn current_thread() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn multi_thread() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Runs the test on a thread of its own, so that one that hangs fails.
fn soon(what: &str, read: impl FnOnce() -> usize + Send + 'static) {
    let (sender, receiver) = std::sync::mpsc::channel();
    let started = Instant::now();
    std::thread::spawn(move || sender.send(read()));
    match receiver.recv_timeout(SOON) {
        Ok(read) => assert_eq!(read, MESSAGES, "{what}"),
        Err(error) => panic!("{what}: {error} after {:?}", started.elapsed()),
    }
}

#[test]
fn ten_thousand_messages_come_wherever_the_program_waits() {
    let broker = Broker::new();
    let url = current_thread().block_on(filled(&broker));
    for (name, runtime) in [("current thread", current_thread as fn() -> _), ("multi thread", multi_thread)] {
        type Read = fn(Subscription) -> usize;
        for (how, read) in [("block_on", by_block_on as Read), ("iterator", by_iterator)] {
            let at = url.clone();
            soon(&format!("{how} in a task, {name}"), move || {
                let runtime = runtime();
                runtime.block_on(runtime.spawn(async move { read(open(&at).await) })).unwrap()
            });
            let at = url.clone();
            soon(&format!("{how} in spawn_blocking, {name}"), move || {
                let runtime = runtime();
                let alerts = runtime.block_on(open(&at));
                runtime.block_on(runtime.spawn_blocking(move || read(alerts))).unwrap()
            });
        }
        let at = url.clone();
        soon(&format!("next_batch in a task, {name}"), move || {
            let runtime = runtime();
            runtime.block_on(runtime.spawn(by_batches(at))).unwrap()
        });
        let at = url.clone();
        soon(&format!("next in a task, {name}"), move || {
            let runtime = runtime();
            runtime.block_on(runtime.spawn(by_next(at))).unwrap()
        });
    }
    let at = url.clone();
    soon("block_on without a runtime", move || {
        by_block_on(block_on(stream().build().unwrap().subscribe(&at)).unwrap())
    });
    let at = url.clone();
    soon("iterator without a runtime", move || {
        by_iterator(block_on(stream().build().unwrap().subscribe(&at)).unwrap())
    });
    soon("next_batch without a runtime", move || block_on(async { Ok::<_, Error>(by_batches(url).await) }).unwrap());
}

#[tokio::test]
async fn a_busy_reader_lets_other_work_of_its_task_have_its_turn() {
    let broker = Broker::new();
    let url = filled(&broker).await;
    let mut alerts = open(&url).await;
    let (mut read, mut turns) = (0, 0);
    while read < MESSAGES {
        tokio::select! {
            biased;
            alert = alerts.next() => { alert.unwrap().unwrap(); read += 1; }
            () = tokio::task::yield_now() => turns += 1,
        }
    }
    assert!(turns >= MESSAGES / 1_000, "{turns}");
}

#[test]
fn what_a_task_holds_can_be_sent_and_shared() {
    fn both<T: Send + Sync>() {}
    both::<Subscription>();
    both::<hop_kafka::TypedSubscription<hop_core::JsonBlob>>();
    both::<hop_kafka::Subscribe>();
    both::<hop_kafka::Control>();
    both::<hop_kafka::Alert>();
    both::<hop_kafka::Typed<hop_core::JsonBlob>>();
    both::<hop_kafka::Stream>();
    both::<hop_kafka::StreamBuilder>();
    both::<hop_kafka::Publisher>();
    both::<hop_kafka::Publish>();
    both::<hop_kafka::Delivery>();
    both::<hop_kafka::Delivered>();
    both::<hop_kafka::Undelivered>();
    both::<hop_kafka::Lost>();
    both::<hop_kafka::EmbeddedBroker>();
    both::<hop_kafka::Credential>();
    both::<hop_kafka::Auth>();
    both::<hop_kafka::Url>();
    both::<hop_kafka::Error>();
}
