use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use hop_core::Record;
use hop_kafka::{Commit, ErrorKind, StartPosition, Subscription};
use hop_tests::{Broker, stream};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Offset, TopicPartitionList};

use crate::{all, json, next, numbers, send};

async fn join(url: &str, group: &str, commit: Commit) -> Subscription {
    stream().build().unwrap().subscribe(url).group(group).commit(commit).await.unwrap()
}

async fn records(alerts: &mut Subscription, count: usize) -> Vec<Record> {
    let mut out = Vec::new();
    for _ in 0..count {
        out.push(next(alerts).await.unwrap().unwrap().record);
    }
    out
}

#[tokio::test]
async fn a_message_counts_as_done_once_the_next_one_is_asked_for() {
    let broker = Broker::new();
    let url = broker.url(&broker.topic(1).await);
    send(&url, &[&json(0), &json(1), &json(2), &json(3)]).await;
    let mut alerts = join(&url, "readers", Commit::Auto).await;
    // Two are handed over; the second one is still worked on.
    records(&mut alerts, 2).await;
    alerts.close().await.unwrap();
    let mut alerts = join(&url, "readers", Commit::Auto).await;
    assert_eq!(numbers(&all(&mut alerts).await), [1, 2, 3]);
    alerts.close().await.unwrap();
    // At the end the next one was asked for: all is done.
    let mut alerts = join(&url, "readers", Commit::Auto).await;
    assert!(all(&mut alerts).await.is_empty());
}

#[tokio::test]
async fn without_auto_commit_only_what_is_marked_is_done() {
    let broker = Broker::new();
    let url = broker.url(&broker.topic(1).await);
    send(&url, &[&json(0), &json(1), &json(2), &json(3)]).await;
    let mut alerts = join(&url, "markers", Commit::Marked).await;
    records(&mut alerts, 3).await;
    alerts.close().await.unwrap();

    let mut alerts = join(&url, "markers", Commit::Marked).await;
    let read = records(&mut alerts, 3).await;
    alerts.mark_done(&read[0]).unwrap();
    alerts.close().await.unwrap();

    let mut alerts = join(&url, "markers", Commit::Marked).await;
    let read = records(&mut alerts, 1).await;
    assert_eq!(read[0].place.as_ref().unwrap().offset, 1);
    alerts.mark_done_now(&read[0]).await.unwrap();
    // Not even closed: what was confirmed is committed.
    drop(alerts);

    let mut alerts = join(&url, "markers", Commit::Marked).await;
    assert_eq!(numbers(&all(&mut alerts).await), [2, 3]);
}

#[tokio::test]
async fn nothing_can_be_marked_without_a_group() {
    let broker = Broker::new();
    let url = broker.url(&broker.topic(1).await);
    send(&url, &[&json(0)]).await;
    let mut alerts = stream().build().unwrap().subscribe(&url).await.unwrap();
    let read = records(&mut alerts, 1).await;
    assert_eq!(alerts.mark_done(&read[0]).unwrap_err().kind(), ErrorKind::Usage);
    // Two readers without a group both read everything.
    let mut other = stream().build().unwrap().subscribe(&url).await.unwrap();
    assert_eq!(records(&mut other, 1).await, read);
}

#[tokio::test]
async fn the_members_of_a_group_share_the_partitions() {
    let broker = Broker::new();
    let url = broker.url(&broker.topic(4).await);
    let hop = stream().until_eos(false).build().unwrap();
    let mut first = hop.subscribe(&url).group("shared").await.unwrap();
    let mut second = hop.subscribe(&url).group("shared").await.unwrap();
    let out = stream().build().unwrap().publish(&url).await.unwrap();
    let mut seen: BTreeMap<i64, BTreeSet<u8>> = BTreeMap::new();
    let mut sent = 0;
    // Until both have had some; which takes a rebalance or two.
    let deadline = std::time::Instant::now() + crate::PATIENCE;
    while !(seen.values().any(|by| by.contains(&1)) && seen.values().any(|by| by.contains(&2))) {
        assert!(std::time::Instant::now() < deadline, "one reader never had a partition: {seen:?}");
        for _ in 0..20 {
            out.write(&json(sent)).key(sent.to_string()).send().await.unwrap();
            sent += 1;
        }
        let until = tokio::time::sleep(Duration::from_millis(500));
        tokio::pin!(until);
        loop {
            let (alert, by) = tokio::select! {
                alert = first.next() => (alert, 1),
                alert = second.next() => (alert, 2),
                () = &mut until => break,
            };
            let number = numbers(&[alert.unwrap().unwrap()])[0];
            seen.entry(number).or_default().insert(by);
        }
    }
    first.close().await.unwrap();
    second.close().await.unwrap();
    let mut rest = join(&url, "shared", Commit::Auto).await;
    for number in numbers(&all(&mut rest).await) {
        seen.entry(number).or_default().insert(3);
    }
    assert_eq!(seen.keys().copied().collect::<Vec<_>>(), (0..sent).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_group_that_started_at_the_latest_goes_on_from_there() {
    let broker = Broker::new();
    let url = broker.url(&broker.topic(1).await);
    send(&url, &[&json(0)]).await;
    let latest = || async {
        let hop = stream().start_at(StartPosition::Latest).until_eos(false).build().unwrap();
        hop.subscribe(&url).group("night-watch").await.unwrap()
    };
    let mut alerts = latest().await;
    send(&url, &[&json(1)]).await;
    // It is handed over, and the reader goes away while it works on it; nothing was committed by hand.
    assert_eq!(records(&mut alerts, 1).await[0].place.as_ref().unwrap().offset, 1);
    drop(alerts);
    send(&url, &[&json(2)]).await;
    let mut alerts = latest().await;
    let offsets: Vec<_> =
        records(&mut alerts, 2).await.iter().map(|read| read.place.as_ref().unwrap().offset).collect();
    assert_eq!(offsets, [1, 2]);
}

#[tokio::test]
async fn two_members_read_to_the_end_and_nothing_is_left() {
    let broker = Broker::new();
    let url = broker.url(&broker.topic(4).await);
    fill(&url, 2000).await;
    let read = |delay: u64| {
        let url = url.clone();
        async move {
            tokio::time::sleep(Duration::from_millis(delay)).await;
            let mut alerts = join(&url, "until-the-end", Commit::Auto).await;
            let mut read = Vec::new();
            while let Some(alert) = next(&mut alerts).await {
                read.push(alert.unwrap());
                // Slow enough that the other one comes while this one is at it.
                tokio::time::sleep(Duration::from_millis(3)).await;
            }
            alerts.close().await.unwrap();
            numbers(&read)
        }
    };
    let (first, second) = tokio::join!(tokio::spawn(read(0)), tokio::spawn(read(1000)));
    let seen: BTreeSet<i64> = first.unwrap().into_iter().chain(second.unwrap()).collect();
    assert_eq!(seen.len(), 2000);
}

#[tokio::test]
async fn a_slow_reader_reads_on_after_the_group_has_changed() {
    let Some(broker) = Broker::apache_or_skip("a_slow_reader_reads_on_after_the_group_has_changed") else { return };
    let url = broker.url(&broker.topic(2).await);
    const MESSAGES: i64 = 6000;
    fill(&url, MESSAGES).await;
    let hop = stream().until_eos(false).build().unwrap();
    let mut slow = hop.subscribe(&url).group("slow").await.unwrap();
    let mut seen: BTreeSet<i64> = BTreeSet::new();
    seen.extend(numbers(&[next(&mut slow).await.unwrap().unwrap()]));
    // Longer than the reading thread waits before it pauses; meanwhile another member comes and goes.
    tokio::time::sleep(Duration::from_secs(12)).await;
    let mut other = hop.subscribe(&url).group("slow").await.unwrap();
    for _ in 0..10 {
        seen.extend(numbers(&[next(&mut other).await.unwrap().unwrap()]));
    }
    let mut from_slow = 0;
    while seen.len() < MESSAGES as usize {
        let (alert, slow) = tokio::time::timeout(crate::PATIENCE, async {
            tokio::select! {
                alert = slow.next() => (alert, true),
                alert = other.next() => (alert, false),
            }
        })
        .await
        .expect("nobody reads any more");
        from_slow += usize::from(slow);
        seen.extend(numbers(&[alert.unwrap().unwrap()]));
    }
    assert!(from_slow > 0, "the slow reader reads nothing any more");
}

/// A line of `group-reader`: a message, and when it was handed over, in microseconds.
#[derive(Debug, Clone, Copy)]
struct Seen {
    partition: i32,
    offset: i64,
    at: u128,
}

impl Seen {
    /// `None` for a line that was cut off in the middle.
    fn read(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let mut word = || words.next()?.parse::<u128>().ok();
        let seen = Self { partition: word()? as i32, offset: word()? as i64, at: word()? };
        Some(seen)
    }

    fn place(&self) -> (i32, i64) {
        (self.partition, self.offset)
    }
}

fn group_reader(url: &str, group: &str, mode: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_group-reader"));
    command.args([url, group, mode]).stdout(Stdio::piped());
    command
}

/// What a reader printed before it was killed, or all.
fn read_and_kill(url: &str, group: &str, mode: &str, after: usize) -> Vec<(i32, i64)> {
    let mut reader = group_reader(url, group, mode).spawn().unwrap();
    let mut lines = BufReader::new(reader.stdout.take().unwrap()).lines().map_while(Result::ok);
    let read = |line: String| Seen::read(&line).map(|seen| seen.place());
    let mut out: Vec<_> = lines.by_ref().take(after).filter_map(read).collect();
    // SIGKILL: nothing is flushed, nothing is committed on the way out.
    reader.kill().unwrap();
    reader.wait().unwrap();
    // What it handed over before it died, and we had not read yet.
    out.extend(lines.filter_map(read));
    out
}

#[tokio::test]
async fn a_reader_that_is_killed_fifty_times_skips_nothing() {
    let Some(broker) = Broker::apache_or_skip("a_reader_that_is_killed_fifty_times_skips_nothing") else { return };
    let mode = |mode: &'static str, seed: u64| {
        let broker = &broker;
        async move {
            let url = broker.url(&broker.topic(3).await);
            fill(&url, 20_000).await;
            let mut seen: BTreeSet<(i32, i64)> = BTreeSet::new();
            // A fixed sequence of moments, anywhere between the first message and the last.
            let mut state = seed;
            for _ in 0..50 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let after = 1 + (state >> 33) as usize % 400;
                let url = url.clone();
                let read =
                    tokio::task::spawn_blocking(move || read_and_kill(&url, &format!("killed-{mode}"), mode, after));
                let read = tokio::time::timeout(Duration::from_secs(120), read).await.unwrap().unwrap();
                assert!(read.len() >= after);
                let mut first: BTreeMap<i32, i64> = BTreeMap::new();
                for (partition, offset) in &read {
                    first.entry(*partition).or_insert(*offset);
                }
                for (partition, offset) in first {
                    let next = (0..).find(|offset| !seen.contains(&(partition, *offset))).unwrap();
                    assert!(
                        offset <= next,
                        "{mode}: partition {partition} goes on at {offset}, {next} was never handed over"
                    );
                }
                seen.extend(read);
            }
            // The rest, in peace.
            let mut rest = join(&url, &format!("killed-{mode}"), Commit::Auto).await;
            for alert in all(&mut rest).await {
                let place = alert.record.place.unwrap();
                seen.insert((place.partition, place.offset));
            }
            assert_eq!(seen.len(), 20_000, "{mode}: messages were skipped");
        }
    };
    tokio::join!(mode("auto", 20_261_122), mode("mark", 3), mode("each", 42));
}

/// So many numbered messages, over all partitions.
async fn fill(url: &str, messages: i64) {
    let out = stream().build().unwrap().publish(url).await.unwrap();
    for number in 0..messages {
        let _fate = out.write(&json(number)).key(number.to_string()).queue().await.unwrap();
    }
    out.close().await.unwrap();
}

/// A member of a group in a process of its own, whose lines are read as they come.
struct Member {
    process: std::process::Child,
    lines: std::thread::JoinHandle<()>,
}

impl Member {
    fn start(url: &str, group: &str, seen: &Arc<Mutex<Vec<Seen>>>) -> Self {
        let mut process = group_reader(url, group, "auto").spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        let seen = Arc::clone(seen);
        let lines = std::thread::spawn(move || {
            for line in lines {
                seen.lock().unwrap().extend(Seen::read(&line));
            }
        });
        Self { process, lines }
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.process.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Ends by this signal, `-INT` to leave or `-KILL`.
    fn end(mut self, signal: &str) {
        self.signal(signal);
        let status = self.process.wait().unwrap();
        assert_eq!(status.success(), signal == "-INT", "{status}");
        self.lines.join().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn members_come_and_go_and_every_message_is_seen_and_none_after_its_commit() {
    let name = "members_come_and_go_and_every_message_is_seen_and_none_after_its_commit";
    let Some(broker) = Broker::apache_or_skip(name) else { return };
    const PARTITIONS: u16 = 12;
    const MESSAGES: i64 = 12_000;
    let topic = broker.topic(PARTITIONS).await;
    let url = broker.url(&topic);
    let group = "coming-and-going";
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut members: Vec<_> = (0..3).map(|_| Member::start(&url, group, &seen)).collect();

    // Messages keep coming while the members change.
    let writing = tokio::spawn({
        let url = url.clone();
        async move {
            let out = stream().build().unwrap().publish(&url).await.unwrap();
            for number in 0..MESSAGES {
                let _fate = out.write(&json(number)).key(number.to_string()).queue().await.unwrap();
                if number % 100 == 0 {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
            out.close().await.unwrap();
        }
    });
    // What is committed, and when that was known: nothing before it may be handed over later than that.
    let watching = std::thread::spawn({
        let commits = Committed::new(broker.address(), &topic, group, PARTITIONS);
        let (seen, started) = (Arc::clone(&seen), Instant::now());
        move || {
            let mut known = Vec::new();
            while started.elapsed() < crate::PATIENCE {
                let committed = commits.now();
                // Taken after the answer: what it says was committed before.
                let at = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros();
                let done = seen.lock().unwrap().iter().map(Seen::place).collect::<BTreeSet<_>>().len();
                let all = committed.values().sum::<i64>() == MESSAGES && done as i64 == MESSAGES;
                known.push((at, committed));
                if all {
                    return known;
                }
                std::thread::sleep(Duration::from_millis(50));
            }
            panic!("not everything was read and committed: {:?}", known.last());
        }
    });
    let pause = || tokio::time::sleep(Duration::from_secs(3));
    pause().await;
    members.remove(0).end("-KILL");
    pause().await;
    members.push(Member::start(&url, group, &seen));
    pause().await;
    members.remove(0).end("-INT");
    writing.await.unwrap();
    let known = tokio::task::spawn_blocking(|| watching.join().unwrap()).await.unwrap();
    for member in members {
        member.end("-INT");
    }

    let seen = seen.lock().unwrap();
    let places: BTreeSet<_> = seen.iter().map(Seen::place).collect();
    assert_eq!(places.len() as i64, MESSAGES, "messages were skipped");
    for message in &*seen {
        for (at, committed) in &known {
            let over = message.at > *at && committed.get(&message.partition).is_some_and(|next| message.offset < *next);
            assert!(!over, "{message:?} came after its commit, known at {at}");
        }
    }
    println!("{} messages, {} of them twice", MESSAGES, seen.len() as i64 - MESSAGES);
}

/// Asks for what a group has committed, beside it.
struct Committed {
    consumer: BaseConsumer,
    partitions: TopicPartitionList,
}

impl Committed {
    fn new(address: &str, topic: &str, group: &str, count: u16) -> Self {
        let consumer =
            rdkafka::ClientConfig::new().set("bootstrap.servers", address).set("group.id", group).create().unwrap();
        let mut partitions = TopicPartitionList::new();
        partitions.add_partition_range(topic, 0, i32::from(count) - 1);
        Self { consumer, partitions }
    }

    /// The offset that comes next in each partition, where one is committed.
    fn now(&self) -> BTreeMap<i32, i64> {
        let committed = self.consumer.committed_offsets(self.partitions.clone(), Duration::from_secs(20)).unwrap();
        let next = |element: rdkafka::topic_partition_list::TopicPartitionListElem<'_>| match element.offset() {
            Offset::Offset(offset) => Some((element.partition(), offset)),
            _ => None,
        };
        committed.elements().into_iter().filter_map(next).collect()
    }
}
