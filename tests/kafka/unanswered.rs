//! Brokers that do not answer: nothing waits longer than it was told to, and nothing is lost without a word.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use hop_core::Blob;
use hop_kafka::{ErrorKind, Publisher, Stream};
use hop_tests::process::{Program, Running};
use hop_tests::stream;

use crate::json;

/// Who must return within this time does so whatever the broker does.
const SOON: Duration = Duration::from_secs(2);

/// An address that takes connections, and never says a word.
struct BlackHole {
    listener: TcpListener,
}

impl BlackHole {
    fn new() -> Self {
        // Connections wait in the listener's queue, established and unanswered.
        Self { listener: TcpListener::bind("127.0.0.1:0").unwrap() }
    }

    fn url(&self) -> String {
        format!("kafka://{}/t", self.listener.local_addr().unwrap())
    }
}

/// A broker in a process of its own, which can be stopped like any process.
struct Frozen(Running);

impl Frozen {
    fn start() -> (Self, String) {
        let running = Program::new(env!("CARGO_BIN_EXE_plain-hop")).args(["broker", "--topic", "t"]).start();
        let url = format!("{}t", running.first_line());
        (Self(running), url)
    }

    fn freeze(&self) {
        self.0.signal("STOP");
    }
}

/// Runs this for each kind of silence: the URL, and a thing to keep until it is over.
async fn with_each<F: Future<Output = ()>>(run: impl Fn(&'static str, Stream, Publisher, String) -> F) {
    let hop = || stream().connect_timeout(Duration::from_secs(1)).build().unwrap();
    let open = async |url: &str| hop().publish(url).await.unwrap();

    let dead = "kafka://127.0.0.1:1/t";
    run("dead port", hop(), open(dead).await, dead.to_owned()).await;

    let nameless = "kafka://no-such-host.invalid/t";
    run("no such host", hop(), open(nameless).await, nameless.to_owned()).await;

    let hole = BlackHole::new();
    run("black hole", hop(), open(&hole.url()).await, hole.url()).await;

    let (broker, url) = Frozen::start();
    let out = open(&url).await;
    out.write(&json(0)).send().await.unwrap();
    broker.freeze();
    run("frozen broker", hop(), out, url).await;
}

fn soon(who: &str, started: Instant, patience: Duration) {
    let took = started.elapsed();
    assert!(took >= patience && took < patience + SOON, "{who}: {took:?}, where {patience:?} were allowed");
}

async fn queue(out: &Publisher, count: i64) {
    for number in 0..count {
        let _fate = out.write(&json(number)).queue().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_goes_out_of_scope_soon() {
    with_each(async |who, _, out, _| {
        queue(&out, 100).await;
        // In the middle of a question as well.
        let large = Blob::from(vec![b'x'; 300_000]);
        let asked = tokio::time::timeout(Duration::from_millis(200), out.write(&large).queue()).await;
        assert!(asked.is_err(), "{who}");
        let started = Instant::now();
        drop(out);
        soon(who, started, Duration::ZERO);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flush_ends_in_time_and_what_is_unsent_stays() {
    const PATIENCE: Duration = Duration::from_millis(300);
    with_each(async |who, _, out, _| {
        queue(&out, 3).await;
        let started = Instant::now();
        let error = out.flush_within(PATIENCE).await.unwrap_err();
        soon(who, started, PATIENCE);
        assert_eq!(error.kind(), ErrorKind::TimedOut, "{who}");
        assert!(error.to_string().contains("3 messages are still unsent"), "{who}: {error}");
        let started = Instant::now();
        let error = out.close_within(PATIENCE).await.unwrap_err();
        soon(who, started, PATIENCE);
        assert_eq!((error.kind(), error.undelivered().len()), (ErrorKind::Undelivered, 3), "{who}: {error}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_produce_timeout_is_kept() {
    const PATIENCE: Duration = Duration::from_millis(700);
    with_each(async |who, hop, _, url| {
        let out = hop.publish(&url).produce_timeout(PATIENCE).await.unwrap();
        let started = Instant::now();
        let error = out.write(&json(1)).send().await.unwrap_err();
        // librdkafka looks once a second.
        soon(who, started, PATIENCE);
        assert_eq!((error.kind(), error.undelivered().len()), (ErrorKind::Undelivered, 1), "{who}: {error}");
        // The question comes before the time of the message begins.
        let started = Instant::now();
        let large = Blob::from(vec![b'x'; 300_000]);
        assert_eq!(out.write(&large).send().await.unwrap_err().undelivered().len(), 1, "{who}");
        soon(who, started, 2 * PATIENCE);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_topics_ends_in_time() {
    with_each(async |who, hop, _, url| {
        let started = Instant::now();
        let error = hop.list_topics(&url).await.unwrap_err();
        soon(who, started, Duration::ZERO);
        assert!(matches!(error.kind(), ErrorKind::Connection | ErrorKind::TimedOut), "{who}: {error:?}");
    })
    .await;
}

#[test]
fn without_a_runtime_it_is_the_same() {
    const PATIENCE: Duration = Duration::from_millis(300);
    let hop = stream().connect_timeout(PATIENCE).build().unwrap();
    let hole = BlackHole::new();
    let out = hop.publish(hole.url()).start().unwrap();
    let _fate = out.write(&json(1)).queue_blocking().unwrap();
    let started = Instant::now();
    assert_eq!(out.flush_within_blocking(PATIENCE).unwrap_err().kind(), ErrorKind::TimedOut);
    soon("flush", started, PATIENCE);
    let started = Instant::now();
    assert_eq!(out.close_within_blocking(PATIENCE).unwrap_err().undelivered().len(), 1);
    soon("close", started, PATIENCE);
    let started = Instant::now();
    assert!(hop.list_topics_blocking(hole.url()).is_err());
    soon("list", started, Duration::ZERO);
}
