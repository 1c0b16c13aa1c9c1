//! `hop` beside hop-client's `hop`, command by command on one broker: the table of `docs/src/command.md`.

use hop_core::{Record, header};
use hop_tests::Broker;
use hop_tests::process::{Finished, Program};

use crate::python::Python;
use crate::{file, read};

/// Both commands, in homes of their own where nothing is kept.
struct Both {
    python: Python,
    broker: Broker,
    home: tempfile::TempDir,
}

impl Both {
    fn or_skip(test: &str) -> Option<Self> {
        let (python, broker) = Python::or_skip(test)?;
        Some(Self { python, broker, home: tempfile::tempdir().unwrap() })
    }

    fn theirs(&self, arguments: &[&str]) -> Program {
        const MAIN: &str = "import sys; from hop.__main__ import main; sys.argv[0] = 'hop'; sys.exit(main())";
        self.python.program(&[&["-c", MAIN][..], arguments].concat())
    }

    fn ours(&self, arguments: &[&str]) -> Program {
        Program::new(env!("CARGO_BIN_EXE_plain-hop"))
            .args(arguments)
            .env("HOME", self.home.path())
            .env("XDG_CONFIG_HOME", self.home.path())
    }

    /// Runs the same arguments with both, theirs first.
    fn both(&self, arguments: &[&str], input: &str) -> [Finished; 2] {
        [self.theirs(arguments).input(input).run(), self.ours(arguments).input(input).run()]
    }

    /// Runs both, which have to succeed and print the same.
    #[track_caller]
    fn same(&self, arguments: &[&str]) -> String {
        let [theirs, ours] = self.both(arguments, "");
        assert_eq!(theirs.expect(0), ours.expect(0), "{arguments:?}");
        ours.expect(0).to_owned()
    }
}

/// The record without what differs from message to message: its place, its time and its `_id`.
fn sent(record: &Record) -> Record {
    let headers = record.headers.iter().cloned().map(|mut header| {
        if header.name == header::ID {
            header.value = None;
        }
        header
    });
    let (content, key) = (record.content.clone(), record.key.clone());
    Record { content, key, headers: headers.collect(), ..Record::default() }
}

/// Publishes the same with both, which have to send the same.
async fn publish(both: &Both, options: &[&str], files: &[String], input: &str) {
    let topic = both.broker.topic(1).await;
    let url = both.broker.url(&topic);
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let arguments = [&["publish", "--no-auth"], options, &[&url], &files].concat();
    for finished in both.both(&arguments, input) {
        assert_eq!(finished.expect(0), "", "{arguments:?}");
    }
    let records: Vec<_> = read(&both.broker, &topic, true).await.into_iter().map(|alert| sent(&alert.record)).collect();
    let (theirs, ours) = records.split_at(records.len() / 2);
    assert!(!ours.is_empty());
    assert_eq!(theirs, ours, "{arguments:?}");
}

#[tokio::test]
async fn publish_sends_files_of_each_format_alike() {
    let Some(both) = Both::or_skip("publish_sends_files_of_each_format_alike") else { return };
    for (label, cases) in [
        ("VOEVENT", &["voevent/v2.0/prefixed", "voevent/v2.0/citations"][..]),
        ("CIRCULAR", &["circular/hop/plain"]),
        ("GCNTEXTNOTICE", &["gcntextnotice/fermi/alert"]),
        ("JSON", &["json/hop/object"]),
        ("BLOB", &["blob/hop/bytes"]),
    ] {
        let files: Vec<String> = cases.iter().map(|case| file(case).to_str().unwrap().to_owned()).collect();
        publish(&both, &["-f", label, "--timeout", "30"], &files, "").await;
    }
}

#[tokio::test]
async fn publish_sends_lines_and_test_messages_alike() {
    let Some(both) = Both::or_skip("publish_sends_lines_and_test_messages_alike") else { return };
    // Lines that are no JSON end hop-client 0.13.0 with an error of its own.
    let topic = both.broker.topic(1).await;
    let [theirs, ours] = both.both(&["publish", "--no-auth", "-q", &both.broker.url(&topic)], "one\ntwo\n");
    theirs.expect(1);
    ours.expect(0);
    publish(&both, &["-f", "JSON", "-q"], &[], "{\"a\": [1, 2.5, null]}\n\"text\"\n").await;
    publish(&both, &["-t", "-f", "JSON"], &[], "{}\n").await;
}

#[tokio::test]
async fn subscribe_prints_alike_with_each_option() {
    let Some(both) = Both::or_skip("subscribe_prints_alike_with_each_option") else { return };
    let topic = both.broker.topic(1).await;
    let url = both.broker.url(&topic);
    let circular = file("circular/hop/plain");
    let publish = |options: &[&str], input: &str| {
        both.ours(&[&["publish", "--no-auth", "-q"], options, &[&url]].concat()).input(input).run().expect(0);
    };
    let circular = circular.to_str().unwrap();
    both.ours(&["publish", "--no-auth", "-q", "-f", "circular", &url, circular]).run().expect(0);
    publish(&["-t"], "a drill\n");
    publish(&[], "for real\n");
    let subscribe = |options: &[&str]| both.same(&[&["subscribe", "--no-auth", "-q", "-e"], options, &[&url]].concat());
    let printed = subscribe(&["-s", "EARLIEST"]);
    assert!(printed.starts_with("TITLE: ") && printed.ends_with("for real\n"), "{printed}");
    assert!(subscribe(&["-s", "EARLIEST", "-t"]).contains("a drill\n"));
    assert!(subscribe(&["--start-at", "EARLIEST", "--test", "--delimiter", "##"]).contains("a drill##"));
    assert_eq!(subscribe(&["-s", "LATEST"]), "");
    assert_eq!(subscribe(&[]), "");
}

#[tokio::test]
async fn a_group_prints_once_here_and_each_time_there() {
    let Some(both) = Both::or_skip("a_group_prints_once_here_and_each_time_there") else { return };
    let topic = both.broker.topic(1).await;
    let url = both.broker.url(&topic);
    both.ours(&["publish", "--no-auth", "-q", &url]).input("one\n").run().expect(0);
    let group = format!("{topic}-group");
    let arguments = ["subscribe", "--no-auth", "-q", "-e", "-s", "EARLIEST", "-g", &group, &url];
    let runs: Vec<String> = (0..2).map(|_| both.ours(&arguments).run().expect(0).to_owned()).collect();
    assert_eq!(runs, ["one\n", ""]);
    let group = format!("{topic}-theirs");
    let arguments = ["subscribe", "--no-auth", "-q", "-e", "-s", "EARLIEST", "-g", &group, &url];
    assert_eq!(both.theirs(&arguments).run().expect(0), "one\n");
}

#[tokio::test]
async fn json_is_taken_there_and_printed_here() {
    let Some(both) = Both::or_skip("json_is_taken_there_and_printed_here") else { return };
    let topic = both.broker.topic(1).await;
    let url = both.broker.url(&topic);
    both.ours(&["publish", "--no-auth", "-q", "-f", "json", &url]).input("{\"n\": 1}\n").run().expect(0);
    let [theirs, ours] = both.both(&["subscribe", "--no-auth", "-q", "-e", "-s", "EARLIEST", "-j", &url], "");
    assert_eq!(theirs.expect(0), "{\"n\": 1}\n");
    let line: serde_json::Value = serde_json::from_str(ours.expect(0)).unwrap();
    assert_eq!((&line["format"], &line["model"]["content"]["n"]), (&"json".into(), &1.into()));
}

#[tokio::test]
async fn topics_credentials_and_settings_are_listed_alike() {
    let Some(both) = Both::or_skip("topics_credentials_and_settings_are_listed_alike") else { return };
    let topic = both.broker.topic(1).await;
    let listed = both.same(&["list-topics", "--no-auth", &both.broker.url(&topic)]);
    assert!(listed.contains(&topic), "{listed}");
    for arguments in [&["auth", "locate"][..], &["configure", "locate"], &["configure", "locate", "-t", "auth"]] {
        // Each in a home of its own.
        let [theirs, ours] = both.both(arguments, "");
        let end = |finished: &Finished| finished.expect(0).trim().rsplit_once("/hop/").unwrap().1.to_owned();
        assert_eq!(end(&theirs), end(&ours), "{arguments:?}");
    }
    let csv = both.home.path().join("new.csv");
    std::fs::write(&csv, "username,password,hostname\nada-1234,secret,kafka.example.org\n").unwrap();
    for finished in both.both(&["auth", "add", csv.to_str().unwrap()], "") {
        finished.expect(0);
    }
    assert_eq!(both.same(&["auth", "list"]), "ada-1234 for kafka.example.org\n");
    for finished in both.both(&["auth", "remove", "ada-1234"], "") {
        finished.expect(0);
    }
    for finished in both.both(&["configure", "set", "fetch_external", "no"], "") {
        finished.expect(0);
    }
    assert!(both.same(&["configure", "show"]).contains("fetch_external: False\n"));
    let [theirs, ours] = both.both(&["version"], "");
    assert!(
        theirs.expect(0).contains("hop-client==0.13.0") && ours.expect(0).starts_with("hop "),
        "{}",
        ours.expect(0)
    );
}
