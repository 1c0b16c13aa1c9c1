//! Brokers that do not answer: a port where nobody listens, one that accepts and stays silent, and one that is stopped.

use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use hop_core::{Place, Record};
use hop_kafka::{Error, ErrorKind, Stream, Subscription};
use hop_tests::process::{Program, Running};
use hop_tests::stream;

use crate::{json, next, send};

/// What the calls are told to take at most.
pub(super) const TIME_OUT: Duration = Duration::from_secs(2);
/// What they may take beyond, on a machine that does other things as well.
const SLACK: Duration = Duration::from_millis(1500);

pub(super) fn hop() -> Stream {
    stream().connect_timeout(TIME_OUT).until_eos(false).build().unwrap()
}

/// A broker in a process of its own, which can be frozen.
struct Frozen {
    running: Running,
    address: String,
}

impl Frozen {
    fn start() -> Self {
        let program = Program::new(env!("CARGO_BIN_EXE_plain-hop"));
        let running = program.args(["broker", "--topic", "t:2"]).start();
        let line = running.first_line();
        let address = line.strip_prefix("kafka://").unwrap().trim_end_matches('/').to_owned();
        Self { running, address }
    }

    fn freeze(&self) {
        let stopped = Command::new("kill").args(["-STOP", &self.running.id().to_string()]).status().unwrap();
        assert!(stopped.success());
    }

    fn url(&self) -> String {
        format!("kafka://{}/t", self.address)
    }
}

/// Each kind of silence, with what keeps it up.
pub(super) fn silences() -> Vec<(&'static str, String, Box<dyn std::any::Any>)> {
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let hole = TcpListener::bind("127.0.0.1:0").unwrap();
    let frozen = Frozen::start();
    frozen.freeze();
    vec![
        ("a dead port", dead, Box::new(())),
        ("a black hole", hole.local_addr().unwrap().to_string(), Box::new(hole)),
        ("a frozen broker", frozen.address.clone(), Box::new(frozen)),
    ]
}

/// Runs a call that may take so long; gives what it gave.
pub(super) async fn within<T>(what: &str, most: Duration, call: impl Future<Output = T>) -> T {
    let started = Instant::now();
    let out = tokio::time::timeout(Duration::from_secs(60), call).await.unwrap_or_else(|_| panic!("{what} hangs"));
    let took = started.elapsed();
    assert!(took <= most + SLACK, "{what} took {took:?}, and may take {most:?}");
    out
}

/// Drops it, and sees that this takes no longer than two seconds.
pub(super) fn drop_soon<T>(what: &str, it: T) {
    let started = Instant::now();
    drop(it);
    assert!(started.elapsed() < Duration::from_secs(2), "dropping {what} took {:?}", started.elapsed());
}

fn is_silence(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Connection | ErrorKind::TimedOut)
}

#[tokio::test]
async fn no_reader_waits_longer_than_it_may_for_a_broker_that_never_answers() {
    for (what, address, _kept) in silences() {
        let url = format!("kafka://{address}/t");
        for group in [None, Some("g")] {
            let request = || match group {
                Some(group) => hop().subscribe(&url).group(group),
                None => hop().subscribe(&url),
            };
            let error = within(what, TIME_OUT, async { request().await.unwrap_err() }).await;
            assert!(is_silence(&error), "{what}: {error}");
            let mut waiting = request().start().unwrap();
            let error = within(what, TIME_OUT, next(&mut waiting)).await.unwrap().unwrap_err();
            assert!(is_silence(&error), "{what}: {error}");
            // While it connects.
            drop_soon(what, request().start().unwrap());
            let connecting = request().start().unwrap();
            // Whether it ended in time makes no difference; that the call did does.
            let _closed = within(what, TIME_OUT, connecting.close_within(TIME_OUT)).await;
        }
    }
}

#[tokio::test]
async fn no_writer_waits_longer_than_it_may_for_a_broker_that_never_answers() {
    for (what, address, _kept) in silences() {
        let url = format!("kafka://{address}/t");
        let writer = || async { hop().publish(&url).produce_timeout(TIME_OUT).await.unwrap() };
        let out = within(what, Duration::ZERO, writer()).await;
        // librdkafka looks for messages whose time is over once a second.
        let most = TIME_OUT + Duration::from_secs(1);
        let error = within(what, most, async { out.write(&json(1)).send().await.unwrap_err() }).await;
        assert_eq!(error.kind(), ErrorKind::Undelivered, "{what}: {error}");
        assert_eq!(error.undelivered()[0].message.content, "{\"n\": 1}");
        let _fate = out.write(&json(2)).queue().await.unwrap();
        let error = within(what, most, async { out.flush().await.unwrap_err() }).await;
        assert_eq!(error.undelivered().len(), 1, "{what}");
        drop_soon(what, out);

        let patient = || async {
            let out = hop().publish(&url).await.unwrap();
            let _fate = out.write(&json(3)).queue().await.unwrap();
            out
        };
        drop_soon(what, patient().await);
        let out = patient().await;
        let error = within(what, TIME_OUT, async { out.close_within(TIME_OUT).await.unwrap_err() }).await;
        assert_eq!(error.undelivered().len(), 1, "{what}: {error}");
    }
}

/// A member of a group that has had a message, of a broker that is frozen then.
async fn frozen_while_reading() -> (Frozen, Subscription, Record) {
    let broker = Frozen::start();
    send(&broker.url(), &[&json(0)]).await;
    let mut alerts = hop().subscribe(broker.url()).group("frozen").await.unwrap();
    let record = next(&mut alerts).await.unwrap().unwrap().record;
    broker.freeze();
    (broker, alerts, record)
}

#[tokio::test]
async fn no_reader_waits_longer_than_it_may_when_its_broker_freezes() {
    let (_broker, mut alerts, record) = frozen_while_reading().await;
    let control = alerts.control();
    assert!(tokio::time::timeout(TIME_OUT, alerts.next()).await.is_err(), "it goes on waiting");
    control.mark_done(&record).unwrap();
    let error = within("a commit", TIME_OUT, async { control.mark_done_now(&record).await.unwrap_err() }).await;
    assert!(is_silence(&error), "{error}");
    let error = within("the lag", TIME_OUT, async { control.lag(TIME_OUT).await.unwrap_err() }).await;
    assert!(is_silence(&error), "{error}");
    let place = Place { offset: 0, ..record.place.clone().unwrap() };
    // It needs no answer, so it may succeed.
    let _sought = within("a seek", TIME_OUT, control.seek(&place, TIME_OUT)).await;
    let error = within("closing", TIME_OUT, async { alerts.close_within(TIME_OUT).await.unwrap_err() }).await;
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");

    let (_broker, alerts, _) = frozen_while_reading().await;
    drop_soon("a reader of a frozen broker", alerts);
}

#[tokio::test]
async fn no_writer_waits_longer_than_it_may_when_its_broker_freezes() {
    let broker = Frozen::start();
    let writer = || async {
        let out = hop().publish(broker.url()).produce_timeout(TIME_OUT).await.unwrap();
        out.write(&json(0)).send().await.unwrap();
        out
    };
    let (sending, dropped, closed) = (writer().await, writer().await, writer().await);
    broker.freeze();
    let most = TIME_OUT + Duration::from_secs(1);
    let error = within("sending", most, async { sending.write(&json(1)).send().await.unwrap_err() }).await;
    assert_eq!(error.kind(), ErrorKind::Undelivered, "{error}");
    let _fate = dropped.write(&json(2)).queue().await.unwrap();
    drop_soon("a writer to a frozen broker", dropped);
    let _fate = closed.write(&json(3)).queue().await.unwrap();
    let error = within("closing", TIME_OUT, async { closed.close_within(TIME_OUT).await.unwrap_err() }).await;
    assert_eq!(error.undelivered().len(), 1, "{error}");
}

#[test]
fn ctrl_c_ends_the_command_whatever_the_broker_does() {
    let program = |arguments: &[&str]| Program::new(env!("CARGO_BIN_EXE_plain-hop")).args(arguments);
    for (what, address, _kept) in silences() {
        let url = format!("kafka://{address}/t");
        for program in [
            program(&["subscribe", "--no-auth", &url]),
            program(&["subscribe", "--no-auth", "-g", "g", &url]),
            program(&["publish", "--no-auth", &url]).input("a\nb\n"),
        ] {
            let running = program.start();
            std::thread::sleep(Duration::from_millis(700));
            let interrupted = Instant::now();
            running.interrupt();
            running.finish();
            let took = interrupted.elapsed();
            assert!(took < TIME_OUT + SLACK, "{what}: it took {took:?} after Ctrl-C");
        }
    }
    // A reader that has read: it tries to commit, for five seconds at most.
    let broker = Frozen::start();
    let running = program(&["subscribe", "--no-auth", "-g", "g", "-s", "EARLIEST", &broker.url()]).start();
    program(&["publish", "--no-auth", &broker.url()]).input("seen\n").run().expect(0);
    running.first_line();
    broker.freeze();
    let interrupted = Instant::now();
    running.interrupt();
    let finished = running.finish();
    assert!(interrupted.elapsed() < Duration::from_secs(5) + SLACK, "it took {:?}", interrupted.elapsed());
    assert!(finished.err.contains("may come again"), "{}", finished.err);
}
