//! What goes wrong meanwhile: brokers are killed and frozen in turn, connections cut, swallowed, refused and delayed.

use std::fmt;
use std::process::Command;
use std::time::{Duration, Instant};

use hop_tests::proxy::{Behaviour, Proxy};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};

/// How long it is quiet between two faults, once the brokers are in step again.
const QUIET: Duration = Duration::from_secs(2);
/// How long the brokers may take to get in step again.
const RECOVERY: Duration = Duration::from_secs(120);

const DOWN: Duration = Duration::from_secs(4);
const FROZEN: Duration = Duration::from_secs(12);
/// Longer and shorter than a member of a group may be silent, in turn; the longest, which fills the writers' queues most, first.
const SWALLOWED: [Duration; 3] = [Duration::from_secs(20), Duration::from_secs(6), Duration::from_secs(12)];
const REFUSED: Duration = Duration::from_secs(4);
const DELAYED: Duration = Duration::from_secs(4);
const DELAY: Duration = Duration::from_millis(200);

/// How often each was done.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) killed: [u32; 3],
    pub(crate) frozen: [u32; 3],
    pub(crate) cut: u32,
    pub(crate) swallowed: u32,
    pub(crate) refused: u32,
    pub(crate) delayed: u32,
}

pub(crate) struct Faults {
    pub(crate) proxy: Proxy,
    /// Asks the brokers themselves, past the proxy.
    asking: BaseConsumer,
    topic: String,
    started: Instant,
}

impl Faults {
    pub(crate) fn new(proxy: Proxy, cluster: &str, topic: &str, started: Instant) -> Self {
        let asking = ClientConfig::new().set("bootstrap.servers", cluster).create().unwrap();
        Self { proxy, asking, topic: topic.to_owned(), started }
    }

    /// One fault after another until this time; at the end all is as it was.
    pub(crate) fn go_on_until(&self, until: Instant) -> Done {
        let faults = [Self::kill, Self::cut, Self::freeze, Self::swallow, Self::refuse, Self::delay];
        let mut done = Done::default();
        for (broker, fault) in (0..3).flat_map(|broker| faults.map(|fault| (broker, fault))).cycle() {
            if Instant::now() >= until {
                break;
            }
            fault(self, broker, &mut done);
            std::thread::sleep(QUIET);
        }
        done
    }

    fn say(&self, what: &str) {
        eprintln!("long: {:6.1} s: {what}", self.started.elapsed().as_secs_f64());
    }

    fn kill(&self, broker: usize, done: &mut Done) {
        self.node("kill", broker);
        std::thread::sleep(DOWN);
        self.node("restart", broker);
        self.await_replicas();
        done.killed[broker] += 1;
    }

    fn cut(&self, _: usize, done: &mut Done) {
        self.say("cut");
        self.proxy.cut();
        done.cut += 1;
    }

    fn freeze(&self, broker: usize, done: &mut Done) {
        self.node("freeze", broker);
        std::thread::sleep(FROZEN);
        self.node("thaw", broker);
        self.await_replicas();
        done.frozen[broker] += 1;
    }

    fn swallow(&self, broker: usize, done: &mut Done) {
        self.behave(Behaviour::BlackHole, SWALLOWED[broker]);
        done.swallowed += 1;
    }

    fn refuse(&self, _: usize, done: &mut Done) {
        self.behave(Behaviour::Refuse, REFUSED);
        done.refused += 1;
    }

    fn delay(&self, _: usize, done: &mut Done) {
        self.behave(Behaviour::Delay(DELAY), DELAYED);
        done.delayed += 1;
    }

    fn behave(&self, behaviour: Behaviour, lasting: Duration) {
        self.say(&format!("{behaviour:?} for {lasting:?}"));
        self.proxy.behave(behaviour);
        std::thread::sleep(lasting);
        self.proxy.behave(Behaviour::Forward);
    }

    fn node(&self, what: &str, broker: usize) {
        let number = (broker + 1).to_string();
        self.say(&format!("{what} {number}"));
        let status = Command::new(hop_tests::root().join("tests/kafka/node")).args([what, &number]).status().unwrap();
        assert!(status.success(), "tests/kafka/node {what} {number}: {status}");
    }

    /// Waits until every partition has three replicas in sync: with two of them gone nothing would be confirmed.
    fn await_replicas(&self) {
        let deadline = Instant::now() + RECOVERY;
        while !is_in_step(&self.asking, &self.topic) {
            assert!(Instant::now() < deadline, "the brokers are not in step within {RECOVERY:?}");
            std::thread::sleep(Duration::from_millis(200));
        }
        self.say("in step");
    }
}

/// Whether every partition of the topic has three replicas in sync.
pub(crate) fn is_in_step(asking: &BaseConsumer, topic: &str) -> bool {
    asking.fetch_metadata(Some(topic), Duration::from_secs(5)).is_ok_and(|metadata| {
        let partitions: Vec<_> = metadata.topics().iter().flat_map(|topic| topic.partitions()).collect();
        !partitions.is_empty() && partitions.iter().all(|partition| partition.isr().len() == 3)
    })
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { killed: [a, b, c], frozen: [d, e, g], cut, swallowed, refused, delayed } = self;
        writeln!(f, "each broker killed {a}, {b}, {c} times and frozen {d}, {e}, {g} times;")?;
        write!(f, "connections cut {cut} times, swallowed {swallowed}, refused {refused}, delayed {delayed}")
    }
}
