//! `hop publish --journal` and `hop journal`, as a user meets them; and `hop subscribe --dedupe`.

use std::path::Path;

use hop_kafka::EmbeddedBroker;

use crate::{hop, json_lines};

/// Nobody listens there.
const NOBODY: &str = "kafka://127.0.0.1:9/alerts";

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn what_could_not_be_sent_waits_and_is_listed_shown_dropped_and_sent() {
    let home = tempfile::tempdir().unwrap();
    let journal = home.path().join("journal");
    let publish = ["publish", NOBODY, "--no-auth", "--journal", text(&journal), "--timeout", "0.2", "-f", "json"];
    let finished = hop(publish).input("{\"n\": 1}\n{\"n\": 2}\n{\"n\": 3}\n").run();
    finished.expect(1);
    let path = journal.display();
    let expected = format!("hop: 3 of 3 messages wait in {path}; `hop journal send {path} URL` sends them\n");
    assert!(finished.err.ends_with(&expected), "{}", finished.err);

    let list = hop(["journal", "list", "--json", text(&journal)]).run();
    let listed = json_lines(list.expect(0));
    let numbers: Vec<u64> = listed.iter().map(|message| message["number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [1, 2, 3]);
    assert_eq!(
        (&listed[0]["topic"], &listed[0]["format"], &listed[0]["bytes"]),
        (&"alerts".into(), &"json".into(), &8.into())
    );
    assert_eq!(listed[0]["refused"], serde_json::Value::Null);
    let for_people = hop(["journal", "list", text(&journal)]).run();
    assert!(
        for_people.expect(0).lines().all(|line| line.ends_with("alerts 8 bytes, waits")),
        "{}",
        for_people.expect(0)
    );

    let shown = hop(["journal", "show", text(&journal), "2"]).run();
    let shown: serde_json::Value = serde_json::from_str(shown.expect(0)).unwrap();
    assert_eq!(shown["content"], r#"{"n": 2}"#);
    assert_eq!(hop(["journal", "show", "--raw", text(&journal), "2"]).run().expect(0), r#"{"n": 2}"#);
    let missing = hop(["journal", "show", text(&journal), "9"]).run();
    missing.expect(1);
    assert_eq!(missing.err, "hop: the journal has no message 9\n");

    let unknown = hop(["journal", "drop", text(&journal), "1", "9"]).run();
    unknown.expect(2);
    assert_eq!(unknown.err, "hop: the journal has no message 9; nothing was dropped\n");
    assert_eq!(hop(["journal", "drop", text(&journal), "1", "1"]).run().expect(0), "1 messages dropped\n");
    assert_eq!(hop(["journal", "verify", text(&journal)]).run().expect(0), "2 messages to send, 0 put aside\n");

    let broker = EmbeddedBroker::start().unwrap();
    hop(["journal", "send", text(&journal), &broker.url(""), "--no-auth"]).run().expect(0);
    let received = hop(["subscribe", "-e", "-s", "EARLIEST", "--no-auth", "--json", &broker.url("alerts")]).run();
    let mut contents: Vec<u64> = json_lines(received.expect(0))
        .iter()
        .map(|message| message["model"]["content"]["n"].as_u64().or_else(|| message["model"]["n"].as_u64()).unwrap())
        .collect();
    contents.sort_unstable();
    assert_eq!(contents, [2, 3]);
    assert_eq!(hop(["journal", "list", text(&journal)]).run().expect(0), "");
}

#[test]
fn what_was_put_aside_is_listed_with_its_reason_and_sent_when_asked_for() {
    use hop_kafka::journal::{Entry, Folder, Journal, Options, Refusal};
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("journal");
    let (mut journal, _) = Journal::open(Folder::open(&path).unwrap(), Options::default()).unwrap();
    for text in ["a", "b"] {
        let message = hop_core::Encoder::new().encode(&hop_core::Blob::from(text.as_bytes())).unwrap();
        let number = journal.append(&Entry::new("alerts", message)).unwrap();
        journal.refuse(number, Refusal::new("authorization", "not \u{1b}[31mallowed")).unwrap();
    }
    drop(journal);
    let listed = json_lines(hop(["journal", "list", "--json", text(&path)]).run().expect(0));
    assert_eq!(listed[1]["refused"]["kind"], "authorization");
    let for_people = hop(["journal", "list", text(&path)]).run();
    // What the broker said does not reach the terminal as it is.
    assert!(for_people.expect(0).contains("not \\u{1b}[31mallowed"), "{}", for_people.expect(0));
    assert_eq!(hop(["journal", "drop", text(&path), "1"]).run().expect(0), "1 messages dropped\n");
    let broker = EmbeddedBroker::start().unwrap();
    let send = ["journal", "send", text(&path), &broker.url(""), "--no-auth"];
    let left = hop(send).run();
    left.expect(1);
    assert!(left.err.ends_with(&format!("1 messages are put aside; `hop journal list {}` says why\n", path.display())));
    hop(send.into_iter().chain(["--refused"])).run().expect(0);
    let url = broker.url("alerts");
    assert_eq!(hop(["subscribe", "-e", "-s", "EARLIEST", "--no-auth", &url]).run().expect(0), "b\n");
    assert_eq!(hop(["journal", "drop", text(&path), "--refused"]).run().expect(0), "0 messages dropped\n");
}

#[test]
fn damage_is_found_and_a_second_command_is_told_who_has_the_journal() {
    let home = tempfile::tempdir().unwrap();
    let journal = home.path().join("journal");
    let publish = ["publish", NOBODY, "--no-auth", "--journal", text(&journal), "--timeout", "0.2"];
    hop(publish).input("one\ntwo\n").run().expect(1);
    let file = journal.join("waiting-000000000001.journal");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[4160 + 30] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let verified = hop(["journal", "verify", text(&journal)]).run();
    let found = verified.expect(1);
    assert!(found.starts_with("1 message to send, 0 put aside; "), "{found}");
    assert!(found.ends_with("are damaged; 1 message in the damage was lost\n"), "{found}");

    let running = hop(["publish", NOBODY, "--no-auth", "--journal", text(&journal)]).input("three\n").start();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    let holder = || std::fs::read_to_string(journal.join("lock")).unwrap_or_default();
    while holder().trim() != running.id().to_string() {
        assert!(std::time::Instant::now() < deadline, "the journal is not opened");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let second = hop(["journal", "send", text(&journal), NOBODY, "--no-auth", "--timeout", "0.1"]).run();
    second.expect(1);
    let expected = format!("in use by process {}; end that process", running.id());
    assert!(second.err.contains(&expected), "{}", second.err);
    running.interrupt();
    let stopped = running.finish();
    assert_eq!(stopped.status.code(), Some(1));
    assert!(stopped.err.contains("messages wait in"), "{}", stopped.err);

    let nothing = home.path().join("nothing");
    for arguments in [&["send", text(&nothing), NOBODY][..], &["drop", text(&nothing), "1"], &["list", text(&nothing)]]
    {
        let finished = hop(["journal"].iter().chain(arguments)).run();
        finished.expect(1);
        let expected =
            format!("hop: reading the journal {}: No such file or directory (os error 2)\n", nothing.display());
        assert_eq!(finished.err, expected);
    }
    assert!(!nothing.exists());
    let foreign = hop(["journal", "list", text(home.path())]).run();
    foreign.expect(1);
    assert!(foreign.err.contains("is not a journal: it holds `journal`"), "{}", foreign.err);
}

#[test]
fn repeats_are_printed_once() {
    use hop_core::Outgoing;
    let broker = EmbeddedBroker::start().unwrap();
    let hop_stream = hop_tests::stream().build().unwrap();
    let out = hop_kafka::block_on(hop_stream.publish(broker.url("alerts"))).unwrap();
    let message = |id: u8, text: &str| Outgoing {
        content: text.as_bytes().to_vec().into(),
        key: Some("k".into()),
        headers: [("_id", Some([id; 16]))].into_iter().collect(),
    };
    for (id, text) in [(1, "a"), (2, "b"), (1, "a"), (3, "c"), (2, "b")] {
        let delivery = hop_kafka::block_on(out.forward("alerts", message(id, text))).unwrap();
        hop_kafka::block_on(delivery).unwrap();
    }
    let url = broker.url("alerts");
    let subscribe = ["subscribe", "-e", "-s", "EARLIEST", "--no-auth", &url];
    assert_eq!(hop(subscribe).run().expect(0), "a\nb\na\nc\nb\n");
    assert_eq!(hop(subscribe.into_iter().chain(["--dedupe"])).run().expect(0), "a\nb\nc\n");
}
