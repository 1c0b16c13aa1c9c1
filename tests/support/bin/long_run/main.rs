//! Writes and reads a million messages for ten minutes on three brokers that are killed, frozen and cut off meanwhile, and
//! says what became of each. Started by `tests/kafka/long`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

mod book;
mod faults;
mod figures;
mod readers;
mod writers;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hop_kafka::{Commit, StartPosition, Stream};
use hop_tests::proxy::Proxy;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use tokio::sync::watch;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use self::book::{Book, Reading};
use self::faults::Faults;
use self::figures::Verdict;

const PARTITIONS: u16 = 12;
const KEYS: u32 = 100;
/// How long the writers may take, after the last fault, until all is confirmed.
const PATIENCE: Duration = Duration::from_secs(120);
const ANSWER: Duration = Duration::from_secs(20);

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<u32> = std::env::args().skip(1).map_while(|argument| argument.parse().ok()).collect();
    let (Ok(cluster), [seconds, messages]) = (std::env::var("HOP_TEST_CLUSTER"), arguments.as_slice()) else {
        eprintln!("usage: tests/kafka/long [SECONDS [MESSAGES]]");
        return ExitCode::from(2);
    };
    log();
    let (lasting, messages) = (Duration::from_secs((*seconds).into()), *messages);
    let topic = make_topic(&cluster).await;
    let proxy = Proxy::before(cluster.split(','));
    let url = format!("kafka://{}/{topic}", proxy.address());
    let registry = hop_core::Registry::builder().models(hop_models::MODELS).build().unwrap();
    let hop = Stream::builder().registry(registry).no_auth().start_at(StartPosition::Earliest).build().unwrap();

    // The readers of groups come first.
    let kinds = [("auto commit", Some("long-auto")), ("each one marked", Some("long-mark")), ("no group", None)];
    let book = Arc::new(Book::new(messages));
    let (tell_ends, ends) = watch::channel(None);
    let mut readers = Vec::new();
    for (name, group) in kinds {
        let marks = group == Some("long-mark");
        let subscribe = hop.subscribe(&url);
        let alerts = match group {
            Some(group) => {
                let commit = if marks { Commit::Each } else { Commit::Auto };
                subscribe.group(group).commit(commit).await.unwrap()
            }
            None => subscribe.await.unwrap(),
        };
        let reading = Reading::new(name, messages, PARTITIONS, KEYS);
        readers.push(tokio::spawn(readers::read(alerts, marks, reading, Arc::clone(&book), ends.clone())));
    }
    let mut writers = Vec::new();
    for (first, idempotent) in [(writers::PLAIN, false), (writers::IDEMPOTENT, true)] {
        let out = hop.publish(&url).idempotent(idempotent).await.unwrap();
        writers.push(tokio::spawn(writers::write(out, first, KEYS, Arc::clone(&book), lasting)));
    }
    let (stop_measuring, measuring) = measure(Arc::clone(&book));
    let faults = Faults::new(proxy, &cluster, &topic, book.started());
    let until = book.started() + lasting;
    // A writer is told of one broker, and has to meet it before it hears of the others.
    while [writers::PLAIN, writers::IDEMPOTENT].iter().any(|first| book.confirmed(*first).is_none()) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let faults = std::thread::spawn(move || (faults.go_on_until(until), faults));

    let mut verdict = Verdict::default();
    tokio::time::sleep_until(until.into()).await;
    let faults = tokio::task::spawn_blocking(|| faults.join()).await.unwrap();
    verdict.expect(faults.is_ok(), "the faults ended early; why, stands above");
    for writer in writers {
        match tokio::time::timeout(PATIENCE, writer).await {
            Ok(closed) => {
                let closed = closed.unwrap();
                verdict.expect(closed.is_ok(), format!("closing a writer: {:?}", closed.err()));
            }
            Err(_) => verdict.expect(false, format!("a writer is not through after {PATIENCE:?}")),
        }
    }
    let ends = ask_for_ends(&cluster, &topic);
    tell_ends.send(Some(ends.clone())).unwrap();
    let mut readings = Vec::new();
    for reader in readers {
        readings.push(reader.await.unwrap());
    }
    drop(stop_measuring);
    let samples = measuring.join().unwrap();
    let committed: Vec<_> =
        kinds.iter().filter_map(|(_, group)| Some(ask_for_commits(&cluster, &topic, (*group)?))).collect();

    println!("{messages} messages in {seconds} s, to {PARTITIONS} partitions with three replicas");
    let cores = std::thread::available_parallelism().unwrap();
    let load = samples.iter().map(|sample| sample.load).sum::<f64>() / samples.len() as f64;
    println!("on {cores} cores with a mean load of {load:.1}, the three brokers and all else on the machine included");
    if let Ok((done, _)) = &faults {
        println!("{done}");
    }
    println!();
    figures::of_writers(&book, &readings[2], &mut verdict);
    figures::of_readers(&book, &readings, &ends, &committed, &mut verdict);
    let sizes: Vec<_> = samples.iter().map(|sample| (sample.seconds, sample.kilobytes)).collect();
    figures::of_memory(&sizes, lasting, &mut verdict);
    if verdict.tell() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn log() {
    let targets = Targets::new().with_target("hop", LevelFilter::INFO).with_target("librdkafka", LevelFilter::WARN);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    tracing_subscriber::registry().with(lines).with(targets).init();
}

async fn make_topic(cluster: &str) -> String {
    let name = "hop-test-long".to_owned() + &uuid::Uuid::new_v4().simple().to_string();
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", cluster).create().unwrap();
    let topic = NewTopic::new(&name, PARTITIONS.into(), TopicReplication::Fixed(3)).set("min.insync.replicas", "2");
    let options = AdminOptions::new().operation_timeout(Some(ANSWER));
    for made in admin.create_topics([&topic], &options).await.unwrap() {
        made.unwrap();
    }
    // One broker knows of it before the others do, and each of these consumers asks the one that it is told of.
    for broker in cluster.split(',') {
        let deadline = Instant::now() + ANSWER;
        while !faults::is_in_step(&asking(broker, "long-asking"), &name) {
            assert!(Instant::now() < deadline, "the topic did not come up within {ANSWER:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    name
}

/// A consumer beside hop, past the proxy.
fn asking(cluster: &str, group: &str) -> BaseConsumer {
    ClientConfig::new().set("bootstrap.servers", cluster).set("group.id", group).create().unwrap()
}

fn ask_for_ends(cluster: &str, topic: &str) -> Vec<u64> {
    let consumer = asking(cluster, "long-ends");
    let end = |partition| consumer.fetch_watermarks(topic, partition, ANSWER).unwrap().1 as u64;
    (0..PARTITIONS.into()).map(end).collect()
}

fn ask_for_commits(cluster: &str, topic: &str, group: &str) -> Vec<Option<u64>> {
    let mut list = TopicPartitionList::new();
    list.add_partition_range(topic, 0, i32::from(PARTITIONS) - 1);
    let committed = asking(cluster, group).committed_offsets(list, ANSWER).unwrap();
    let offset = |partition| match committed.find_partition(topic, partition).unwrap().offset() {
        Offset::Offset(offset) => Some(offset as u64),
        _ => None,
    };
    (0..PARTITIONS.into()).map(offset).collect()
}

struct Sample {
    seconds: f64,
    /// What of the process is in memory.
    kilobytes: u64,
    /// How many processes want to run, over a minute.
    load: f64,
}

/// Takes a sample each second until what is returned first is dropped.
fn measure(book: Arc<Book>) -> (Sender<()>, JoinHandle<Vec<Sample>>) {
    let (stop, stopped) = channel::<()>();
    let measure = move || {
        let mut samples = Vec::new();
        while stopped.recv_timeout(Duration::from_secs(1)) == Err(RecvTimeoutError::Timeout) {
            let status = std::fs::read_to_string("/proc/self/status").unwrap();
            let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
            let load = std::fs::read_to_string("/proc/loadavg").unwrap();
            samples.push(Sample {
                seconds: book.started().elapsed().as_secs_f64(),
                kilobytes: resident.trim().trim_end_matches(" kB").parse().unwrap(),
                load: load.split(' ').next().unwrap().parse().unwrap(),
            });
        }
        samples
    };
    (stop, std::thread::spawn(measure))
}
