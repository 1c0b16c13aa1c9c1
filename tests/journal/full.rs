//! A file system without room, in the middle of a record and for some time: each message is either refused or arrives.

#![cfg(target_os = "linux")]

use std::collections::BTreeSet;
use std::time::Duration;

use hop_kafka::{EmbeddedBroker, StartPosition, block_on};
use hop_tests::process::Program;
use rustix::process::{Pid, Resource, Rlimit, prlimit};

const WRITER: &str = env!("CARGO_BIN_EXE_journal-writer");

fn limit_files(process: u32, bytes: Option<u64>) {
    let process = Pid::from_raw(process.try_into().unwrap());
    prlimit(process, Resource::Fsize, Rlimit { current: bytes, maximum: None }).unwrap();
}

fn numbers<'a>(printed: &'a str, before: &str) -> BTreeSet<u64> {
    let lines = printed.lines().filter_map(|line: &'a str| line.strip_prefix(before));
    lines.filter_map(|rest| rest.split(':').next().unwrap().parse().ok()).collect()
}

#[test]
fn where_there_is_no_room_each_message_is_refused_or_arrives_and_the_journal_goes_on() {
    for (mode, is_up) in [("each", true), ("each", false), ("within", true)] {
        let home = tempfile::tempdir().unwrap();
        let journal = home.path().join("j");
        let broker = EmbeddedBroker::start().unwrap();
        broker.create_topic("alerts", 4).unwrap();
        // Nobody listens there.
        let url = if is_up { broker.url("alerts") } else { "kafka://127.0.0.1:9/alerts".to_owned() };
        // Without that the signal for a file that grows too large ends the process.
        let ignoring = "trap '' XFSZ; exec \"$@\"";
        let path = journal.to_str().unwrap();
        let running = Program::new("sh").args(["-c", ignoring, "sh", WRITER, &url, path, mode, "0"]).start();
        let enough = |count: usize| move |printed: &str| printed.lines().count() > count;
        running.wait_for("message", enough(200));
        // Records end in the middle, again and again, since each file has to be smaller.
        limit_files(running.id(), Some(12_345));
        running.wait_for("refused message", |printed| numbers(printed, "refused ").len() > 5);
        limit_files(running.id(), Some(0));
        std::thread::sleep(Duration::from_millis(300));
        limit_files(running.id(), None);
        let so_far = running.wait_for("message", |_| true).lines().count();
        let printed = running.wait_for("message after there is room again", |printed| {
            let after = printed.lines().skip(so_far + 5);
            after.filter(|line| line.parse::<u64>().is_ok()).count() > 200
        });
        let reason = printed.lines().find(|line| line.starts_with("refused ")).unwrap();
        assert!(reason.ends_with("File too large (os error 27); raise the limit on the size of files"), "{reason}");
        running.signal("KILL");
        let printed = String::from_utf8(running.finish().out).unwrap();
        let (accepted, refused) = (numbers(&printed, ""), numbers(&printed, "refused "));
        assert!(accepted.len() > 400 && refused.len() > 20, "{} {}", accepted.len(), refused.len());
        let drained = Program::new(WRITER).args([&broker.url("alerts"), path, "drain", "0"]).run();
        drained.expect(0);
        let hop = hop_tests::stream().start_at(StartPosition::Earliest).until_eos(true).build().unwrap();
        let received: BTreeSet<u64> = block_on(async {
            let mut alerts = hop.subscribe(broker.url("alerts")).await.unwrap();
            let mut found = BTreeSet::new();
            while let Some(alert) = alerts.next().await {
                found.insert(std::str::from_utf8(&alert.unwrap().record.content).unwrap().parse().unwrap());
            }
            Ok::<_, hop_kafka::Error>(found)
        })
        .unwrap();
        let lost: Vec<&u64> = accepted.difference(&received).collect();
        assert!(lost.is_empty(), "{mode}: {lost:?}");
        let sent_all_the_same: Vec<&u64> = refused.intersection(&received).collect();
        assert!(sent_all_the_same.is_empty(), "{mode}: {sent_all_the_same:?}");
        assert_eq!(std::fs::read_dir(&journal).unwrap().count(), 1, "the lock alone is left");
    }
}
