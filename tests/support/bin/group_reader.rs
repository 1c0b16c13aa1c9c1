//! Reads a topic as a member of a group, and prints `partition offset` for each message once it is handed over.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

use std::io::Write;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, group, mode] = arguments.as_slice() else {
        eprintln!("usage: group-reader URL GROUP auto|mark");
        std::process::exit(2);
    };
    let by_hand = mode == "mark";
    // Commits are frequent, so that a kill falls among them; and the group soon sees that a member is gone.
    let hop = hop_tests::stream()
        .property("auto.commit.interval.ms", "20")
        .property("session.timeout.ms", "2000")
        .property("heartbeat.interval.ms", "500")
        .until_eos(false)
        .build()
        .unwrap();
    let mut alerts = hop.subscribe(url).group(group).auto_commit(!by_hand).await.unwrap();
    let mut out = std::io::stdout().lock();
    while let Some(alert) = alerts.next().await {
        let alert = alert.unwrap();
        let place = alert.record.place.as_ref().unwrap();
        writeln!(out, "{} {}", place.partition, place.offset).unwrap();
        out.flush().unwrap();
        if by_hand {
            alerts.mark_done(&alert.record).unwrap();
        }
    }
}
