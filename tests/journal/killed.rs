//! Killed with SIGKILL at random moments, while the broker goes away and comes back.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hop_kafka::{StartPosition, block_on};
use hop_tests::BROKER_VARIABLE;
use hop_tests::proxy::{Behaviour, Proxy};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

const WRITER: &str = env!("CARGO_BIN_EXE_journal-writer");

/// A broker that can go away.
enum Broker {
    /// One inside the process.
    Inside(Box<MockCluster<'static, DefaultProducerContext>>),
    /// Apache Kafka, behind a proxy for the writers.
    Behind(Proxy),
}

impl Broker {
    /// The broker, where the messages are received, and where they are written to.
    fn start() -> (Self, String, String) {
        if let Ok(address) = std::env::var(BROKER_VARIABLE) {
            let topic =
                block_on(async { Ok::<_, hop_kafka::Error>(hop_tests::Broker::new().topic(12).await) }).unwrap();
            let proxy = Proxy::before([address.as_str()]);
            let writing = format!("kafka://{}/{topic}", proxy.address());
            return (Self::Behind(proxy), format!("kafka://{address}/{topic}"), writing);
        }
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic("alerts", 12, 1).unwrap();
        let url = format!("kafka://{}/alerts", cluster.bootstrap_servers());
        (Self::Inside(Box::new(cluster)), url.clone(), url)
    }

    fn set_up(&self, up: bool) {
        match (self, up) {
            (Self::Inside(cluster), true) => cluster.broker_up(1).unwrap(),
            (Self::Inside(cluster), false) => cluster.broker_down(1).unwrap(),
            (Self::Behind(proxy), true) => proxy.behave(Behaviour::Forward),
            (Self::Behind(proxy), false) => proxy.behave(Behaviour::Refuse),
        }
    }
}

/// What was received: key, number and `_id` of each message, in order.
type Received = Arc<Mutex<Vec<(u64, u64, Vec<u8>)>>>;

fn receive(url: &str) -> Received {
    let received = Received::default();
    let hop = hop_tests::stream().start_at(StartPosition::Earliest).until_eos(false).build().unwrap();
    let mut alerts = block_on(hop.subscribe(url).report_loss(true)).unwrap();
    let list = Arc::clone(&received);
    std::thread::spawn(move || {
        while let Some(alert) = block_on(alerts.next()) {
            let record = alert.unwrap().record;
            let number = |bytes: &[u8]| std::str::from_utf8(bytes).unwrap().parse::<u64>().unwrap();
            let id = record.headers.get("_id").unwrap().to_vec();
            list.lock().unwrap().push((number(&record.key.unwrap()), number(&record.content), id));
        }
    });
    received
}

/// Starts a writer and kills it after so long; returns the numbers that it had accepted.
fn write_and_kill(url: &str, journal: &std::path::Path, mode: &str, from: u64, after: Duration) -> Vec<u64> {
    let mut child = Command::new(WRITER)
        .args([url, journal.to_str().unwrap(), mode, &from.to_string()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || {
        let lines = BufReader::new(lines).lines().map_while(Result::ok);
        lines.filter_map(|line| line.parse().ok()).collect::<Vec<u64>>()
    });
    std::thread::sleep(after);
    let ended = child.try_wait().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert!(ended.is_none(), "the writer ended by itself: {errors}");
    // The last line may be cut in the middle of a number; what is printed to its end only counts.
    reader.join().unwrap()
}

#[test]
fn nothing_accepted_is_lost_and_the_order_by_key_holds() {
    let kills: u64 = std::env::var("HOP_JOURNAL_KILLS").map_or(20, |kills| kills.parse().unwrap());
    let home = tempfile::tempdir().unwrap();
    let journal = home.path().join("journal");
    let (broker, url, writing) = Broker::start();
    let received = receive(&url);
    let mut random = 0x2545_F491_4F6C_DD1D_u64 ^ u64::from(std::process::id());
    let mut below = |bound: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random >> 16) % bound
    };
    let mut accepted: BTreeSet<u64> = BTreeSet::new();
    let mut next = 0;
    let started = Instant::now();
    for kill in 0..kills {
        let is_up = below(4) != 0;
        broker.set_up(is_up);
        let mode = ["each", "within", "system"][below(3) as usize];
        let numbers = write_and_kill(&writing, &journal, mode, next, Duration::from_millis(30 + below(370)));
        accepted.extend(&numbers);
        // Some after the last one may have been accepted and not printed.
        next = numbers.last().map_or(next, |last| last + 1) + 10;
        if kill % 4 == 1 {
            broker.set_up(!is_up);
        }
    }
    broker.set_up(true);
    let drained = Command::new(WRITER).args([&writing, journal.to_str().unwrap(), "drain", "0"]).output().unwrap();
    assert!(drained.status.success(), "{}", String::from_utf8_lossy(&drained.stderr));
    let deadline = Instant::now() + Duration::from_secs(120);
    let missing = || {
        let received = received.lock().unwrap();
        let there: BTreeSet<u64> = received.iter().map(|(_, number, _)| *number).collect();
        accepted.difference(&there).copied().collect::<Vec<u64>>()
    };
    while !missing().is_empty() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(50));
    }
    let missing = missing();
    assert!(missing.is_empty(), "{} of {} accepted messages are lost: {missing:?}", missing.len(), accepted.len());
    let received = received.lock().unwrap();
    let mut ids: HashMap<&[u8], u64> = HashMap::new();
    let mut by_key: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for (key, number, id) in received.iter() {
        match ids.insert(id, *number) {
            // A repeat has the same `_id`.
            Some(before) => assert_eq!(before, *number),
            None => by_key.entry(*key).or_default().push(*number),
        }
    }
    for (key, numbers) in &by_key {
        assert!(numbers.is_sorted_by(|one, other| one < other), "key {key} is out of order");
    }
    assert_eq!(by_key.len(), 16);
    let repeats = received.len() - ids.len();
    eprintln!(
        "{kills} kills in {:?}: {} accepted, {} received, {repeats} repeats",
        started.elapsed(),
        accepted.len(),
        ids.len()
    );
    assert!(accepted.len() as u64 > kills, "too few messages for a test");
    // All of it is done: nothing is left.
    let left = std::fs::read_dir(&journal).unwrap().map(|file| file.unwrap().file_name()).collect::<Vec<_>>();
    assert_eq!(left, ["lock"]);
}
