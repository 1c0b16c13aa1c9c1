//! Reads a topic as a member of a group, and prints `partition offset microseconds` for each message once it is handed over;
//! the time is that of the clock. Leaves the group on Ctrl-C.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

use std::io::Write;

use hop_kafka::Commit;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, group, mode] = arguments.as_slice() else {
        eprintln!("usage: group-reader URL GROUP auto|mark|each");
        std::process::exit(2);
    };
    let by_hand = mode != "auto";
    // Commits are frequent, so that a kill falls among them; and the group soon sees that a member is gone.
    let hop = hop_tests::stream()
        .property("auto.commit.interval.ms", "20")
        .property("session.timeout.ms", "1000")
        .property("heartbeat.interval.ms", "300")
        .property("topic.metadata.refresh.interval.ms", "1000")
        .until_eos(false)
        .build()
        .unwrap();
    let commit = match mode.as_str() {
        "auto" => Commit::Auto,
        "mark" => Commit::Marked,
        _ => Commit::Each,
    };
    let mut alerts = hop.subscribe(url).group(group).commit(commit).await.unwrap();
    let control = alerts.control();
    tokio::spawn(async move {
        tokio::signal::ctrl_c().await.unwrap();
        control.stop();
    });
    let mut out = std::io::stdout().lock();
    while let Some(alert) = alerts.next().await {
        let alert = alert.unwrap();
        let place = alert.record.place.as_ref().unwrap();
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros();
        writeln!(out, "{} {} {now}", place.partition, place.offset).unwrap();
        out.flush().unwrap();
        if by_hand {
            // The partition may just have gone to another member.
            if let Err(error) = alerts.mark_done(&alert.record) {
                eprintln!("{error}");
            }
        }
    }
    alerts.close().await.unwrap();
}
