//! `hop record` and `hop replay`: a topic in a file, and back.

use std::fs;
use std::time::{Duration, Instant};

use hop_tests::send_raw;
use serde_json::{Value, json};

use crate::streams::Broker;
use crate::{hop, json_lines};

fn raw(broker: &Broker, topic: &str) -> Vec<Value> {
    let lines = broker.subscribe(topic, &["-t", "-j", "--undecodable", "skip"]);
    let lines = json_lines(std::str::from_utf8(&lines.out).unwrap());
    lines
        .into_iter()
        .map(|line| json!([line["metadata"]["key"], line["headers"], line["model"], line["metadata"]["test"]]))
        .collect()
}

#[test]
fn a_topic_is_recorded_and_replayed_with_its_keys_headers_and_nulls() {
    use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
    let broker = Broker::start(&["night"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("night.ndjson.zst").to_str().unwrap().to_owned();
    let producer: BaseProducer =
        rdkafka::ClientConfig::new().set("bootstrap.servers", broker.address()).create().unwrap();
    producer.send(BaseRecord::<str, [u8]>::to("night").key("k")).unwrap();
    producer.send(BaseRecord::<str, [u8]>::to("night").key("").payload(b"")).unwrap();
    producer.flush(Duration::from_secs(10)).unwrap();
    broker.publish(
        "night",
        &["-t", "-f", "json", "--header", "a=1", "--header", "a", "--key", "GRB"],
        "{\"n\": NaN}\n",
    );
    send_raw(broker.address(), "night", b"\xff\x00{", &[("raw", Some(b"\x00\xff")), ("raw", None)]);
    let finished = hop(["record", "--no-auth", "--all", "-e", &broker.url("night"), &file]).run();
    assert_eq!(finished.expect(0), "");
    assert!(finished.err.contains("4 messages recorded in "), "{}", finished.err);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

    let finished = hop(["replay", "--no-auth", &file, &broker.url("again")]).run();
    finished.expect(0);
    assert!(finished.err.contains("4 sent, 0 not"), "{}", finished.err);
    let before = raw(&broker, "night");
    assert_eq!(before.len(), 4);
    // The embedded broker makes four partitions of a topic that it does not know.
    let mut again = raw(&broker, "again");
    again.sort_by_key(|line| before.iter().position(|other| other == line));
    assert_eq!(before, again);
    // Its own topic, and as tests.
    hop(["replay", "--no-auth", "--test", &file, &broker.url("")]).run().expect(0);
    assert!(raw(&broker, "night")[4..].iter().all(|line| line[3] == true));
}

#[test]
fn a_recording_is_rehearsed_in_a_broker_of_its_own_as_fast_as_it_was() {
    let broker = Broker::start(&["night"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("night.zst").to_str().unwrap().to_owned();
    broker.publish("night", &[], "1\n");
    std::thread::sleep(Duration::from_millis(1_500));
    broker.publish("night", &[], "2\n");
    hop(["record", "--no-auth", "--all", "-c", "2", &broker.url("night"), &file]).run().expect(0);
    let started = Instant::now();
    let rehearsal = hop(["replay", &file, "--speed", "1"]).start();
    let url = rehearsal.first_line();
    assert!(url.starts_with("kafka://127.0.0.1:") && url.ends_with("/night"), "{url}");
    let reading = hop(["subscribe", "--no-auth", "-s", "EARLIEST", "-c", "2", &url]).run();
    assert_eq!(reading.expect(0), "1\n2\n");
    assert!(started.elapsed() > Duration::from_millis(1_400), "{:?}", started.elapsed());
    rehearsal.interrupt();
    rehearsal.finish().expect(0);
}

#[test]
fn a_recording_that_is_cut_off_sends_nothing_unless_it_is_wanted() {
    let broker = Broker::start(&["night", "again:1"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("night.zst").to_str().unwrap().to_owned();
    broker.publish("night", &[], "1\n");
    let reading = hop(["record", "--no-auth", "--all", &broker.url("night"), &file]).start();
    let part = folder.path().join("night.zst.part");
    let deadline = Instant::now() + hop_tests::process::PATIENCE;
    let mut grown = 0;
    // The head, and a frame once the message has waited for others.
    while grown < 2 && Instant::now() < deadline {
        let length = fs::metadata(&part).map_or(0, |file| file.len());
        grown = if length > 150 { 2 } else { usize::from(length > 0) };
        std::thread::sleep(Duration::from_millis(20));
    }
    // As when the machine goes down.
    reading.signal("KILL");
    assert!(reading.finish().status.code().is_none());
    assert!(!folder.path().join("night.zst").exists());
    let part = part.to_str().unwrap();
    let finished = hop(["replay", "--no-auth", part, &broker.url("again")]).run();
    finished.expect(1);
    assert!(
        finished.err.contains("cut off after 1 messages") && finished.err.contains("--partial"),
        "{}",
        finished.err
    );
    assert_eq!(broker.subscribe("again", &[]).expect(0), "");
    hop(["replay", "--no-auth", "--partial", part, &broker.url("again")]).run().expect(1);
    assert_eq!(broker.subscribe("again", &[]).expect(0), "1\n");
    // What is there is not overwritten unasked.
    let finished = hop(["record", "--no-auth", "-e", &broker.url("night"), &file]).run();
    finished.expect(1);
    assert!(finished.err.contains("--force"), "{}", finished.err);
}

#[test]
fn options_of_recordings_and_of_dead_letters_are_not_mixed_up() {
    for (arguments, words) in [
        (&["kafka://127.0.0.1:1/dead", "--speed", "2"][..], "--speed is for recordings"),
        (&["night.zst", "--all"], "--all is for dead letters"),
    ] {
        let finished = hop(["replay"].iter().chain(arguments)).run();
        finished.expect(2);
        assert!(finished.err.contains(words), "{}", finished.err);
    }
    let finished = hop(["replay", "no/such/file"]).run();
    finished.expect(1);
    assert!(finished.err.contains("no/such/file"), "{}", finished.err);
}
