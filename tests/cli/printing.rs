//! How messages are printed, selected and saved.

use std::fs;
use std::time::{Duration, Instant};

use hop_tests::process::Program;
use serde_json::json;

use crate::streams::{Broker, path};
use crate::{hop, json_lines};

/// A broker with a circular, a notice with a position, a retraction, and JSON, of which one is old.
fn alerts() -> Broker {
    let broker = Broker::start(&["alerts"]);
    let url = broker.url("alerts");
    for (format, file) in [
        ("circular", "circular/hop/plain/file.txt"),
        ("gcntextnotice", "gcntextnotice/fermi/alert/content.txt"),
        ("voevent", "voevent/v2.0/citations/content.xml"),
    ] {
        hop(["publish", "--no-auth", "-f", format, "--header", &format!("kind={format}"), &url, &path(file)])
            .run()
            .expect(0);
    }
    broker.publish("alerts", &["-f", "json"], "{\"n\": 1}\n");
    broker
}

#[test]
fn alerts_are_selected_by_event_place_and_header() {
    let broker = alerts();
    let formats = |options: &[&str]| {
        let finished = broker.subscribe("alerts", &[&["--template", "%f "], options].concat());
        (finished.expect(0).trim().to_owned(), finished.err)
    };
    assert_eq!(formats(&[]).0, "circular gcntextnotice voevent json");
    assert_eq!(formats(&["--event", "grb300102a"]).0, "circular");
    assert_eq!(formats(&["--event", "S260131a", "--event", "GRB 300102A"]).0, "circular voevent");
    let (near, err) = formats(&["--near", "123.45,-12.5,0.1"]);
    assert_eq!(near, "gcntextnotice");
    assert!(err.contains("3 alerts state no position"), "{err}");
    // The circle of its error is 3.5 degrees.
    assert_eq!(formats(&["--near", "08:13:48,-17:30:00,90arcmin"]).0, "");
    assert_eq!(formats(&["--near", "08:13:48,-17:30:00,91arcmin"]).0, "gcntextnotice");
    assert_eq!(formats(&["--header", "kind=voevent"]).0, "voevent");
    assert_eq!(formats(&["--header", "kind"]).0, "circular gcntextnotice voevent");
    assert_eq!(formats(&["-f", "json", "-c", "1"]).0, "json");
    let url = broker.url("alerts");
    for (offset, expected) in [("alerts[0]@2", "voevent json "), ("3", "json ")] {
        let finished = hop(["subscribe", "--no-auth", "-e", "--offset", offset, "--template", "%f ", &url]).run();
        assert_eq!(finished.expect(0), expected);
    }
    for (wrong, words) in [
        (&["--near", "1,2"][..], "RA,DEC,RADIUS"),
        (&["--header", "=1"], "NAME=VALUE"),
        (&["--template", "%q"], "%q"),
        (&["--since", "yesterday"], "2026-11-22"),
        (&["--offset", "other[0]@1"], "not a topic"),
        (&["--offset", "x"], "gcn.circular[0]@42"),
        (&["-c", "0"], "--count"),
        (&["--json", "--raw"], "cannot be used with"),
    ] {
        let arguments = ["subscribe", "--no-auth", "-e"].iter().chain(wrong);
        let finished = hop(arguments.copied().chain([broker.url("alerts").as_str()])).run();
        assert_eq!(finished.expect(2), "", "{wrong:?}");
        assert!(finished.err.contains(words), "{wrong:?}: {}", finished.err);
    }
}

#[test]
fn a_format_that_a_rule_leaves_out_is_said() {
    let broker = Broker::start(&["ruled"]);
    let broker_at = broker.address().to_owned();
    hop_tests::send_raw(&broker_at, "ruled", b"{\"n\": 1}", &[]);
    let finished = broker.subscribe("ruled", &["-f", "json", "--as", "rul*=circular"]);
    assert_eq!(finished.expect(0), "");
    let said = finished.err.lines().filter(|line| line.contains("WARN")).collect::<Vec<_>>();
    assert_eq!(said.len(), 1, "{}", finished.err);
    assert!(said[0].contains("the rule for `rul*` reads it as `circular`, not as `json`"), "{}", finished.err);
    assert!(said[0].contains("--as ruled=json"), "{}", finished.err);
    // What is advised reads it, and a header that states another format is no surprise.
    let finished = broker.subscribe("ruled", &["-q", "-f", "json", "--as", "ruled=json", "--as", "rul*=circular"]);
    assert_eq!((finished.expect(0), finished.err.as_str()), ("{\"n\": 1}\n", ""));
    broker.publish("ruled", &["-f", "blob"], "opaque\n");
    let url = broker.url("ruled");
    let last = ["-q", "subscribe", "--no-auth", "-e", "-s", "-1", "-f", "json", "--as", "rul*=json", &url];
    let finished = hop(last).run();
    assert_eq!((finished.expect(0), finished.err.as_str()), ("", ""));
}

#[test]
fn times_bound_what_is_read() {
    let broker = Broker::start(&["times"]);
    broker.publish("times", &[], "1\n");
    let url = broker.url("times");
    let read =
        |options: &[&str]| hop(["subscribe", "--no-auth", &url].iter().chain(options)).run().expect(0).to_owned();
    for since in [["--since", "2h"], ["-s", "2h"], ["--since", "2026-01-01"], ["-s", "-1"], ["--offset", "0"]] {
        assert_eq!(read(&[&since[..], &["-e"]].concat()), "1\n", "{since:?}");
    }
    assert_eq!(read(&["--until", "1h"]), "");
    // Until a time to come: what is published meanwhile is printed, and then it ends.
    let soon = jiff(Duration::from_secs(3));
    let reading = hop(["subscribe", "--no-auth", "-s", "EARLIEST", "--until", &soon, &url]).start();
    reading.wait_for("message", |text| text == "1\n");
    broker.publish("times", &[], "2\n");
    assert_eq!(reading.finish_within(Duration::from_secs(15)).expect(0), "1\n2\n");
    // A group meets what was published later again.
    let group = ["-g", "g", "-s", "EARLIEST"];
    let past = jiff(Duration::ZERO);
    std::thread::sleep(Duration::from_millis(20));
    broker.publish("times", &[], "3\n");
    assert_eq!(read(&[&group[..], &["--until", &past]].concat()), "1\n2\n");
    assert_eq!(read(&[&group[..], &["-e"]].concat()), "3\n");
}

/// The time that is so far ahead.
fn jiff(ahead: Duration) -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap() + ahead;
    let date = Program::new("date").args(["-u", "-d", &format!("@{}.{:03}", since.as_secs(), since.subsec_millis())]);
    date.args(["+%Y-%m-%dT%H:%M:%S.%3NZ"]).run().expect(0).trim().to_owned()
}

#[test]
fn what_is_long_is_left_out_of_json_unless_all_is_wanted() {
    let broker = Broker::start(&["long"]);
    let map = "QUJD".repeat(2_000);
    broker.publish("long", &["-f", "json"], &format!("{{\"skymap\": \"{map}\", \"n\": null}}\n"));
    let content = |options: &[&str]| {
        let lines = broker.subscribe("long", &[&["-j"], options].concat());
        json_lines(lines.expect(0))[0]["model"]["content"].clone()
    };
    assert_eq!(content(&[]), json!({"skymap": {"$omitted": "base64", "length": 8000}, "n": null}));
    assert_eq!(content(&["--full"]), json!({"skymap": map, "n": null}));
}

#[test]
fn raw_content_is_printed_whether_or_not_it_decodes() {
    let broker = Broker::start(&["raw"]);
    hop_tests::send_raw(broker.address(), "raw", b"{\"cut", &[("_format", Some(b"json"))]);
    let circular = path("circular/hop/plain/file.txt");
    hop(["publish", "--no-auth", "-f", "circular", &broker.url("raw"), &circular]).run().expect(0);
    let finished = broker.subscribe("raw", &["--raw"]);
    let (cut, wire) = finished.expect(0).split_once('\n').unwrap();
    assert_eq!(cut, "{\"cut");
    assert!(wire.starts_with("{\"header\": "), "{wire}");
    // At the first message that does not decode, where that is wanted.
    let finished = broker.subscribe("raw", &["--fail-fast"]);
    assert_eq!(finished.expect(1), "");
    assert!(finished.err.contains("raw[0]@0"), "{}", finished.err);
}

#[test]
fn messages_are_saved_as_files_that_can_be_published_again() {
    let broker = alerts();
    hop_tests::send_raw(broker.address(), "alerts", b"{\"cut", &[("_format", Some(b"json"))]);
    let folder = tempfile::tempdir().unwrap();
    let saved = folder.path().join("night");
    for _ in 0..2 {
        // The second time finds them there already.
        let finished = broker.subscribe("alerts", &["--save", saved.to_str().unwrap()]);
        assert_eq!(finished.expect(1).lines().count(), 4);
        let mut names: Vec<String> =
            fs::read_dir(&saved).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        let rest: Vec<&str> =
            names.iter().map(|name| name.split_once("Z_").map_or(name.as_str(), |(_, rest)| rest)).collect();
        assert_eq!(
            rest,
            [
                "alerts_0_0_GRB-300102A.txt",
                "alerts_0_1.txt",
                "alerts_0_2_S260131a.xml",
                "alerts_0_3.json",
                "alerts_0_4.json",
                "manifest.ndjson"
            ]
        );
        assert_eq!(fs::read(saved.join(&names[0])).unwrap(), fs::read(path("circular/hop/plain/file.txt")).unwrap());
    }
    let manifest = json_lines(&fs::read_to_string(saved.join("manifest.ndjson")).unwrap());
    assert_eq!((manifest.len(), &manifest[2]["format"]), (10, &json!("voevent")));
    assert!(manifest[4]["error"].as_str().unwrap().contains("json"), "{}", manifest[4]);
    let pattern = saved.join("*.xml").to_str().unwrap().to_owned();
    let finished = hop(["publish", "--no-auth", "-f", "voevent", &broker.url("alerts"), &pattern]).run();
    finished.expect(0);
    assert!(finished.err.contains("1 sent, 0 not"), "{}", finished.err);
}

#[test]
fn lines_of_objects_have_headers_keys_and_topics() {
    let broker = Broker::start(&["objects", "other"]);
    let lines = r#"{"content": {"n": 1}, "headers": {"a": "1"}, "key": "k"}
{"content": "TITLE: GCN CIRCULAR\n\nbody\n", "format": "circular", "topic": "other", "headers": [["a", null]]}
{"content": null, "format": "blob", "key": {"$bytes": "/w=="}}
"#;
    broker.publish("objects", &["--ndjson", "--key", "unless set"], lines);
    let read = |topic: &str| json_lines(broker.subscribe(topic, &["-j"]).expect(0));
    let objects = read("objects");
    assert_eq!(objects[0]["model"], json!({"content": {"n": 1}}));
    assert_eq!((&objects[0]["metadata"]["key"], &objects[0]["headers"][0]), (&json!("k"), &json!(["a", "1"])));
    assert_eq!(
        (&objects[1]["model"]["content"], &objects[1]["metadata"]["key"]),
        (&json!(null), &json!({"$bytes": "/w=="}))
    );
    let other = read("other");
    assert_eq!((&other[0]["format"], &other[0]["metadata"]["key"]), (&json!("circular"), &json!("unless set")));
    for (line, words) in [
        ("[]", "an object with `content`"),
        ("{}", "an entry `content`"),
        (r#"{"content": 1, "header": {}}"#, "found `header`"),
        (r#"{"content": 1, "key": 1}"#, "as `key`"),
        (r#"{"content": 1, "format": "nothing"}"#, "`nothing`"),
        (r#"{"content": 1, "format": "circular"}"#, "as `content`"),
    ] {
        let input = format!("{{\"content\": 1}}\n{line}\n");
        let finished = hop(["publish", "--no-auth", "--ndjson", &broker.url("objects")]).input(input).run();
        finished.expect(1);
        assert!(finished.err.contains("line 2: ") && finished.err.contains(words), "{line}: {}", finished.err);
    }
    assert_eq!(read("objects").len(), 2, "nothing was sent");
}

#[test]
fn whoever_closes_the_pipe_ends_it_at_once() {
    let broker = Broker::start(&["head"]);
    broker.publish("head", &[], "1\n2\n");
    let (path, url) = (env!("CARGO_BIN_EXE_plain-hop"), broker.url("head"));
    // Nothing else is published, so that nothing is written to the closed pipe.
    let script = format!("set -o pipefail; {path} -q subscribe --no-auth -s earliest {url} | head -1");
    let started = Instant::now();
    let finished = Program::new("bash").args(["-c", &script]).run();
    assert_eq!(finished.expect(0), "1\n");
    assert_eq!(finished.err, "");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[test]
fn a_signal_ends_a_command_whose_reader_is_stuck() {
    let broker = Broker::start(&["stuck"]);
    broker.publish("stuck", &[], &format!("{}\n", "x".repeat(500_000)));
    let (path, url) = (env!("CARGO_BIN_EXE_plain-hop"), broker.url("stuck"));
    let script =
        format!("{path} subscribe --no-auth -s earliest {url} > >(sleep 30) & echo $!; wait $!; echo ended $?");
    let running = Program::new("bash").args(["-c", &script]).start();
    let id = running.first_line();
    std::thread::sleep(Duration::from_secs(2));
    assert!(Program::new("kill").args(["-INT", &id]).run().status.success());
    let out = running.wait_for("end", |text| text.contains("ended "));
    assert!(out.ends_with("ended 0\n"), "{out}");
}

/// Runs a command in a terminal of its own, and returns what it shows.
fn in_terminal(arguments: &[&str]) -> String {
    let quoted: Vec<String> = arguments.iter().map(|argument| format!("'{argument}'")).collect();
    let command = format!("'{}' {}", env!("CARGO_BIN_EXE_plain-hop"), quoted.join(" "));
    let finished = Program::new("script")
        .args(["-q", "-e", "-c", &command, "/dev/null"])
        .env("TERM", "xterm")
        .env("XDG_CONFIG_HOME", "/nonexistent")
        .run();
    finished.expect(0).replace("\r\n", "\n")
}

#[test]
fn a_terminal_shows_summaries_and_no_escape_of_a_message() {
    let broker = alerts();
    broker.publish("alerts", &[], "\u{1b}[2J\u{1b}]0;owned\u{7} \u{9b}31m\n");
    let url = broker.url("alerts");
    let shown = in_terminal(&["-q", "subscribe", "--no-auth", "-e", "-s", "EARLIEST", &url]);
    assert!(shown.starts_with("\u{1b}[1mGRB 300102A: Example-Sat detection\u{1b}[0m\n"), "{shown}");
    assert!(shown.contains("RA 123.4500, Dec -12.5000 (08:13:48.0 -12:30:00), within 3.5 deg\n"), "{shown}");
    assert!(shown.contains("\u{1b}[1;31mRETRACTION\u{1b}[0m"), "{shown}");
    for options in [&[][..], &["--text"], &["--raw"], &["-j"], &["--template", "%s|%S\\n"]] {
        let shown = in_terminal(&[&["-q", "subscribe", "--no-auth", "-e", "-s", "-1"], options, &[&url]].concat());
        let colours =
            ["\u{1b}[1m", "\u{1b}[2m", "\u{1b}[0m"].iter().fold(shown.clone(), |text, own| text.replace(own, ""));
        assert!(!shown.is_empty() && colours.chars().all(|c| c == '\n' || !c.is_control()), "{options:?}: {shown:?}");
    }
}

#[test]
fn a_full_disk_leaves_nothing_half_written() {
    let broker = Broker::start(&["disk"]);
    let long = "x".repeat(400_000);
    broker.publish("disk", &[], &format!("first\n{long}\n"));
    let folder = tempfile::tempdir().unwrap();
    let (saved, file) = (folder.path().join("saved"), folder.path().join("night.zst"));
    let (path, url) = (env!("CARGO_BIN_EXE_plain-hop"), broker.url("disk"));
    // A limit of the process stands in for the disk: 50 KiB a file.
    let limited = |command: &str| {
        let script = format!("ulimit -f 50; trap '' XFSZ; exec {path} -q {command}");
        Program::new("bash").args(["-c", &script]).run()
    };
    let finished = limited(&format!("subscribe --no-auth -e -s earliest --save {} {url}", saved.display()));
    finished.expect(1);
    assert!(finished.err.starts_with("hop: saving ") && finished.err.contains("File too large"), "{}", finished.err);
    let mut names: Vec<_> = fs::read_dir(&saved).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names.len(), 2, "{names:?}");
    assert_eq!(fs::read_to_string(saved.join("manifest.ndjson")).unwrap().lines().count(), 1);

    // What does not compress.
    let mut random = 1_u64;
    let noise: String = (0..200_000)
        .map(|_| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(b'!' + u8::try_from(random >> 58).unwrap())
        })
        .collect();
    broker.publish("disk", &[], &format!("{noise}\n"));
    let finished = limited(&format!("record --no-auth --all -e {url} {}", file.display()));
    finished.expect(1);
    assert!(finished.err.contains("recording ") && finished.err.contains("File too large"), "{}", finished.err);
    assert!(!file.exists());
}
