//! Publishes numbered messages by way of a journal until it is killed, and prints the number of each once it is accepted, or
//! why it is not: `journal-writer URL JOURNAL each|within|system FROM`. With `drain` it sends what waits in the journal and
//! ends.
//!
//! `HOP_TEST_ARCHIVE` names the archive; every third message is then too large for the broker.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

use std::io::Write;
use std::time::Duration;

use hop_core::Blob;
use hop_kafka::block_on;
use hop_kafka::journal::Durability;
use hop_tests::archive;

/// How many keys the messages have.
const KEYS: u64 = 16;
/// The embedded broker keeps 5 MB a partition: more would be lost there, and not by the journal.
const PACE: Duration = Duration::from_micros(300);
const LARGE: usize = 60_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, journal, mode, from] = arguments.as_slice() else {
        eprintln!("usage: journal-writer URL JOURNAL each|within|system|drain FROM");
        std::process::exit(2);
    };
    let archive = std::env::var("HOP_TEST_ARCHIVE").ok();
    let hop = match &archive {
        Some(endpoint) => archive::stream(endpoint).property("message.max.bytes", "20000"),
        None => hop_tests::stream(),
    };
    let durability = match mode.as_str() {
        "within" => Durability::Within(Duration::from_millis(20)),
        "system" => Durability::OperatingSystem,
        _ => Durability::Each,
    };
    let out = block_on(hop.build().unwrap().publish(url).journal(journal).durability(durability)).unwrap();
    assert!(out.recovery().damage.is_empty(), "{}", out.recovery());
    let mut lines = std::io::stdout().lock();
    writeln!(lines, "open {}", out.unsent()).unwrap();
    lines.flush().unwrap();
    if mode == "drain" {
        block_on(out.close()).unwrap();
        return;
    }
    for number in from.parse::<u64>().unwrap().. {
        let size = if archive.is_some() && number % 3 == 1 { LARGE } else { 0 };
        let message = Blob::from(format!("{number:<size$}").as_bytes());
        let write = out.write(&message).key((number % KEYS).to_string());
        // The result of the delivery is in the journal.
        match block_on(write.queue()) {
            Ok(_delivery) => writeln!(lines, "{number}").unwrap(),
            Err(error) => writeln!(lines, "refused {number}: {error}").unwrap(),
        }
        lines.flush().unwrap();
        std::thread::sleep(PACE);
    }
}
