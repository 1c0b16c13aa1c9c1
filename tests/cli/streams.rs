use std::fs;
use std::path::Path;

use hop_tests::process::{Finished, Program, Running};
use hop_tests::send_raw;
use serde_json::{Value, json};

use crate::{fixture, hop, json_lines};

/// `hop broker`, and where it listens.
pub(crate) struct Broker {
    running: Running,
    url: String,
}

impl Broker {
    pub(crate) fn start(topics: &[&str]) -> Self {
        let options = topics.iter().flat_map(|topic| ["--topic", topic]);
        let running = hop(["broker"].into_iter().chain(options)).start();
        let url = running.first_line();
        Self { running, url }
    }

    pub(crate) fn url(&self, topic: &str) -> String {
        format!("{}{topic}", self.url)
    }

    pub(crate) fn address(&self) -> &str {
        self.url.strip_prefix("kafka://").unwrap().strip_suffix('/').unwrap()
    }

    /// Lines from the standard input.
    #[track_caller]
    pub(crate) fn publish(&self, topic: &str, options: &[&str], input: &str) {
        let url = self.url(topic);
        let finished = hop(["publish", "--no-auth", &url].iter().chain(options)).input(input).run();
        assert_eq!(finished.expect(0), "");
        assert!(finished.err.ends_with(" sent, 0 not\n"), "{}", finished.err);
    }

    /// From the oldest message to the end.
    pub(crate) fn subscribe(&self, topic: &str, options: &[&str]) -> Finished {
        self.subscribing(topic, options).run()
    }

    fn subscribing(&self, topic: &str, options: &[&str]) -> Program {
        let url = self.url(topic);
        hop(["subscribe", "--no-auth", "-e", "-s", "EARLIEST", &url].iter().chain(options))
    }
}

pub(crate) fn path(name: &str) -> String {
    fixture(name).to_str().unwrap().to_owned()
}

fn models(finished: &Finished) -> Vec<Value> {
    json_lines(finished.expect(0)).iter().map(|line| line["model"].clone()).collect()
}

#[test]
fn a_broker_prints_where_it_is_and_runs_until_ctrl_c() {
    let broker = Broker::start(&["ready:3"]);
    let port = broker.address().strip_prefix("127.0.0.1:").expect("an address of this machine");
    assert!(port.parse::<u16>().is_ok(), "{}", broker.url);
    broker.running.interrupt();
    let finished = broker.running.finish();
    assert_eq!(finished.expect(0).lines().count(), 1);
}

#[test]
fn lines_are_published_as_blobs_unless_a_format_is_said() {
    let broker = Broker::start(&["lines"]);
    broker.publish("lines", &[], "Nova in Cygnus\r\n\nno end");
    assert_eq!(broker.subscribe("lines", &[]).expect(0), "Nova in Cygnus\n\nno end\n");
    let shown = broker.subscribe("lines", &["--json"]);
    let lines = json_lines(shown.expect(0));
    assert!(lines.iter().all(|line| line["format"] == "blob" && line["route"] == "header"), "{lines:?}");
    assert_eq!(lines[1]["model"], json!({"content": {"$bytes": ""}}));
}

#[test]
fn what_is_sent_as_a_blob_and_looks_like_more_is_named() {
    let broker = Broker::start(&["named"]);
    let folder = tempfile::tempdir().unwrap();
    let url = broker.url("named");
    let event = fixture("voevent/v2.0/prefixed/content.xml").to_str().unwrap().to_owned();
    let plain = folder.path().join("plain.txt").to_str().unwrap().to_owned();
    fs::write(&plain, "Nova in Cygnus").unwrap();
    let finished = hop(["publish", "--no-auth", &url, &event, &plain]).run();
    finished.expect(0);
    assert_eq!(
        finished.err,
        format!(
            "hop: {event} is sent as `blob`, opaque bytes, and looks like `voevent`: send it as that with `--format voevent`\n\
             hop: 2 sent, 0 not\n"
        )
    );
    let finished = hop(["publish", "--no-auth", &url]).input("{\"n\": 1}\n{}\n").run();
    finished.expect(0);
    assert!(finished.err.starts_with("hop: the standard input is sent as `blob`"), "{}", finished.err);
    assert_eq!(finished.err.lines().count(), 2);
    // Whoever says what it is wants it so.
    let finished = hop(["publish", "--quiet", "--no-auth", "-f", "blob", &url, &event]).run();
    finished.expect(0);
    assert_eq!(finished.err, "");
}

#[test]
fn a_rule_takes_framings_off_with_schemas_from_a_folder_or_a_registry() {
    const ALERT: &str = r#"{"type": "record", "name": "alert", "fields": [{"name": "id", "type": "int"}]}"#;
    let registry = hop_tests::registry::FakeRegistry::start(|_| hop_tests::registry::Answer::schema(ALERT));
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("7.avsc"), ALERT).unwrap();
    let broker = Broker::start(&["framed"]);
    send_raw(broker.address(), "framed", b"\0\0\0\0\x07\x0a", &[]);
    let rule = ["--json", "--as", "fram*=avro+confluent"];
    for source in [["--schemas", folder.path().to_str().unwrap()], ["--registry", &registry.url()]] {
        let options: Vec<_> = rule.into_iter().chain(source).collect();
        let read = models(&broker.subscribe("framed", &options));
        assert_eq!(read[0]["content"], json!({"id": 5}), "{source:?}");
    }
    assert_eq!(registry.requests().len(), 1);
    // A rule that cannot be followed is a wrong call, or says what it lacks.
    let finished = broker.subscribe("framed", &rule);
    assert_eq!(finished.expect(1), "");
    assert!(finished.err.contains("a source of schemas"), "{}", finished.err);
    for (wrong, words) in
        [("avro+nothing", "unknown framing `nothing`"), ("nothing+gzip", "`nothing`"), ("a b=avro", "a b")]
    {
        let finished = broker.subscribe("framed", &["--as", wrong]);
        assert_eq!(finished.expect(2), "");
        assert!(finished.err.contains(words), "{}", finished.err);
    }
    let finished = broker.subscribe("framed", &["--registry", "ftp://nowhere"]);
    assert!(finished.err.contains("neither `http` nor `https`"), "{}", finished.err);
}

#[test]
fn lines_of_json_are_published_as_json() {
    let broker = Broker::start(&["json"]);
    let url = broker.url("json");
    broker.publish("json", &["-f", "JSON"], "{\"a\": [1, NaN]}\n2\n\"é\"\n");
    let content = |value: Value| json!({"content": value});
    let expected = [content(json!({"a": [1, {"$float": "NaN"}]})), content(json!(2)), content(json!("é"))];
    assert_eq!(models(&broker.subscribe("json", &["-j"])), expected);

    // One line that is none stops all: nothing is sent.
    let finished = hop(["publish", "--no-auth", "-f", "json", &url]).input("3\n{\n4\n").run();
    assert_eq!(finished.expect(1), "");
    assert!(finished.err.contains("line 2: json: ") && finished.err.contains("nothing was sent"), "{}", finished.err);
    assert_eq!(models(&broker.subscribe("json", &["-j"])).len(), 3);
}

#[test]
fn files_are_published_in_their_order_and_printed_in_their_file_form() {
    let formats = [
        ("VOEVENT", ["voevent/v2.0/prefixed/content.xml", "voevent/v1.1/stc-namespace/content.xml"]),
        ("circular", ["circular/hop/plain/file.txt", "circular/hop/unknown-titles/file.txt"]),
        ("gcntextnotice", ["gcntextnotice/fermi/alert/content.txt", "gcntextnotice/odd/latin-1/content.txt"]),
        ("avro", ["avro/survey/alert/content.avro", "avro/hop/inferred/content.avro"]),
        ("external", ["external/hop/plain/content.json", "external/hop/not-ascii/content.json"]),
        ("json", ["json/hop/object/content.json", "json/hop/not-a-number/content.json"]),
        ("blob", ["blob/hop/bytes/content.bin", "blob/bare/binary/content.bin"]),
    ];
    let topic = |label: &str| format!("files-{}", label.to_lowercase());
    let topics = formats.map(|(label, _)| topic(label));
    let broker = Broker::start(&topics.each_ref().map(String::as_str));
    for (label, files) in formats {
        let topic = topic(label);
        let (url, files) = (broker.url(&topic), files.map(path));
        let finished = hop(["publish", "--no-auth", "-f", label, &url, &files[0], &files[1]]).run();
        assert_eq!(finished.expect(0), "");
        let printed = broker.subscribe(&topic, &["-D", "", "--no-fetch"]);
        assert_eq!(printed.status.code(), Some(0), "{}", printed.err);
        let expected: Vec<u8> = files.iter().flat_map(|file| fs::read(file).unwrap()).collect();
        assert!(printed.out == expected, "{label}: {}", printed.out.escape_ascii());
        let lines = broker.subscribe(&topic, &["--json", "--no-fetch"]);
        for line in json_lines(lines.expect(0)) {
            assert_eq!((&line["format"], &line["route"]), (&json!(label.to_lowercase()), &json!("header")));
        }
    }
}

#[test]
fn a_file_that_is_missing_or_does_not_load_stops_all() {
    let broker = Broker::start(&["few"]);
    let (url, good) = (broker.url("few"), path("json/hop/object/content.json"));
    for bad in [path("json/refused/cut/content.json"), path("no/such/file")] {
        let finished = hop(["publish", "--no-auth", "-f", "json", &url, &good, &bad]).run();
        assert_eq!(finished.expect(1), "");
        assert!(finished.err.contains(&bad) && finished.err.contains("nothing was sent"), "{}", finished.err);
    }
    assert_eq!(broker.subscribe("few", &[]).expect(0), "");
}

#[test]
fn test_messages_are_shown_only_when_asked_for() {
    let broker = Broker::start(&["tests"]);
    broker.publish("tests", &["-t"], "a drill\n");
    broker.publish("tests", &[], "for real\n");
    assert_eq!(broker.subscribe("tests", &[]).expect(0), "for real\n");
    assert_eq!(broker.subscribe("tests", &["-t"]).expect(0), "a drill\nfor real\n");
    let lines = json_lines(broker.subscribe("tests", &["-t", "-j"]).expect(0));
    let marked: Vec<_> = lines.iter().map(|line| line["metadata"]["test"].as_bool().unwrap()).collect();
    assert_eq!(marked, [true, false]);
    assert_eq!(lines[0]["headers"][1], json!(["_test", "true"]));
}

#[test]
fn json_output_has_format_metadata_headers_and_model() {
    let broker = Broker::start(&["two:2"]);
    send_raw(
        broker.address(),
        "two",
        b"{\"n\": 1}",
        &[("instrument", Some(b"H1")), ("instrument", Some(b"V1")), ("raw", Some(b"\x00\xff")), ("note", None)],
    );
    let finished = broker.subscribe("two", &["--json"]);
    let [line] = &json_lines(finished.expect(0))[..] else { panic!("{finished:?}") };
    let timestamp = line["metadata"]["timestamp"].as_i64().unwrap();
    assert!(timestamp > 1_600_000_000_000, "{timestamp} is no time in milliseconds");
    let expected = json!({
        "format": "json",
        "route": "json",
        "metadata": {
            "topic": "two", "partition": 0, "offset": 0, "timestamp": timestamp,
            "key": null, "id": null, "sender": null, "test": false,
        },
        "headers": [["instrument", "H1"], ["instrument", "V1"], ["raw", {"$bytes": "AP8="}], ["note", null]],
        "summary": {
            "title": "json", "kind": "json", "names": [], "instrument": null, "time": null, "position": null,
            "on_sky": true, "importance": null, "false_alarm_rate": null, "test": false, "retraction": false,
            "cites": [], "sky_map": null, "problems": [],
        },
        "model": {"content": {"n": 1}},
    });
    assert_eq!(*line, expected);
}

#[test]
fn null_is_printed_as_null_and_goes_through_dead_letters_and_replay_as_null() {
    use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
    let broker = Broker::start(&["nulls", "dead"]);
    let producer: BaseProducer =
        rdkafka::ClientConfig::new().set("bootstrap.servers", broker.address()).create().unwrap();
    let json = || {
        rdkafka::message::OwnedHeaders::new().insert(rdkafka::message::Header { key: "_format", value: Some("json") })
    };
    producer.send(BaseRecord::<str, [u8]>::to("nulls").key("k")).unwrap();
    producer.send(BaseRecord::<str, [u8]>::to("nulls").key("").payload(b"")).unwrap();
    producer.send(BaseRecord::<str, [u8]>::to("nulls").key("k").headers(json())).unwrap();
    producer.flush(std::time::Duration::from_secs(10)).unwrap();
    let content = |value: Value| json!({"content": value});
    let printed = broker.subscribe("nulls", &["-j", "--dead-letter", "dead"]);
    let lines = json_lines(printed.expect(0));
    assert_eq!(lines[0]["model"], content(Value::Null));
    assert_eq!(lines[1]["model"], content(json!({"$bytes": ""})));
    assert_eq!((&lines[0]["metadata"]["key"], &lines[1]["metadata"]["key"]), (&json!("k"), &json!("")));
    // Under the label of JSON it was put aside; sent back it is what it was.
    hop(["replay", "--no-auth", "--all", "--to", "mended", &broker.url("dead")]).run().expect(0);
    let finished = broker.subscribe("mended", &["-j"]);
    finished.expect(1);
    assert!(finished.err.contains("null"), "{}", finished.err);
    assert_eq!(models(&broker.subscribe("nulls", &["-j", "-f", "blob"])).len(), 2);
}

#[test]
fn the_last_messages_are_printed_where_they_are_asked_for() {
    let broker = Broker::start(&["last"]);
    broker.publish("last", &[], "1\n2\n3\n");
    let url = broker.url("last");
    for (start, expected) in [("-2", "2\n3\n"), ("-0", ""), ("-9", "1\n2\n3\n")] {
        let finished = hop(["subscribe", "--no-auth", "-e", "-s", start, &url]).run();
        assert_eq!(finished.expect(0), expected, "{start}");
    }
    let time = "2026-01-01T00:00:00Z";
    assert_eq!(hop(["subscribe", "--no-auth", "-e", "-s", time, &url]).run().expect(0), "1\n2\n3\n");
    let finished = hop(["subscribe", "--no-auth", "-e", "-s", "EARLIEST", &format!("{url},last,")]).run();
    assert_eq!(finished.expect(0), "1\n2\n3\n");
    let finished = hop(["subscribe", "--no-auth", "-e", "-g", "", &url]).run();
    finished.expect(1);
    assert!(finished.err.contains("the name of the group is empty"), "{}", finished.err);
}

#[test]
fn a_letter_that_cannot_be_sent_is_kept_and_the_others_are_sent() {
    let broker = Broker::start(&["dead", "back"]);
    let letter = |content: &[u8], topic: &[u8]| {
        let headers =
            [("_format", Some(&b"json"[..])), (DEAD_LETTER[0], Some(b"it was cut off")), (DEAD_LETTER[1], Some(topic))];
        send_raw(broker.address(), "dead", content, &headers);
    };
    letter(b"1", b"back");
    letter(b"2", b"no topic");
    letter(b"3", b"back");
    let url = broker.url("dead");
    let replay = |options: &[&str]| hop(["replay", "--no-auth", &url].iter().chain(options)).run();
    let finished = replay(&[]);
    assert_eq!(finished.expect(1), "2 messages replayed, 0 still do not decode\n");
    assert!(finished.err.contains("kept: dead[0]@1: `no topic`"), "{}", finished.err);
    assert!(finished.err.contains("1 messages could not be sent; `dead` keeps them"), "{}", finished.err);
    assert_eq!(broker.subscribe("back", &[]).expect(0), "1\n3\n");
    // It is met again, and those before it are not.
    assert_eq!(replay(&["--to", "back"]).expect(0), "1 messages replayed, 0 still do not decode\n");
    assert_eq!(broker.subscribe("back", &[]).expect(0), "1\n3\n2\n");
}

#[test]
fn a_letter_that_is_too_large_for_its_topic_is_kept() {
    let test = "a_letter_that_is_too_large_for_its_topic_is_kept";
    let Some(broker) = hop_tests::Broker::apache_or_skip(test) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let small = runtime.block_on(broker.topic_with(1, &[("max.message.bytes", "1000")]));
    let (dead, back) = runtime.block_on(async { (broker.topic(1).await, broker.topic(1).await) });
    let letter = |content: &[u8], topic: &str| {
        let headers = [(DEAD_LETTER[0], Some(&b"it was cut off"[..])), (DEAD_LETTER[1], Some(topic.as_bytes()))];
        send_raw(broker.address(), &dead, content, &headers);
    };
    letter(&[b'1'; 5000], &small);
    letter(b"2", &back);
    letter(b"3", &small);
    let finished = hop(["replay", "--no-auth", &broker.url(&dead)]).run();
    assert_eq!(finished.expect(1), "2 messages replayed, 0 still do not decode\n");
    assert!(finished.err.contains("1 messages could not be sent"), "{}", finished.err);
    for (topic, content) in [(&small, "3\n"), (&back, "2\n")] {
        let finished = hop(["subscribe", "--no-auth", "-e", "-s", "EARLIEST", &broker.url(topic)]).run();
        assert_eq!(finished.expect(0), content);
    }
}

/// Why a message was put aside, and where it came from.
const DEAD_LETTER: [&str; 2] = ["hop-dead-letter-reason", "hop-dead-letter-topic"];

#[test]
fn what_stands_between_messages_is_ones_own_choice() {
    let broker = Broker::start(&["between"]);
    broker.publish("between", &[], "a\nb\n");
    for (delimiter, expected) in
        [(r"\n---\n", "a\n---\nb\n---\n"), (r"\0", "a\0b\0"), ("", "ab"), (r"-\t\u00e9", "a-\té\u{62}-\té")]
    {
        assert_eq!(broker.subscribe("between", &["-D", delimiter]).expect(0), expected);
    }
}

/// On Apache Kafka where there is one: the embedded broker takes 45 seconds to believe that a member has left.
#[test]
fn a_group_goes_on_where_it_was_also_after_ctrl_c() {
    let broker = hop_tests::Broker::new();
    let topic = format!("hop-cli-{}", uuid::Uuid::new_v4().simple());
    let url = broker.url(&topic);
    let publish = |lines: &str| {
        hop(["publish", "--no-auth", "-f", "json", &url]).input(lines).run().expect(0);
    };
    let subscribe = |options: &[&str]| hop(["subscribe", "--no-auth", "-s", "earliest", &url].iter().chain(options));
    publish("1\n");

    let waiting = subscribe(&["-g", "readers"]).start();
    waiting.wait_for("message", |text| text == "1\n");
    waiting.interrupt();
    assert_eq!(waiting.finish().expect(0), "1\n");
    publish("2\n");
    assert_eq!(subscribe(&["-g", "readers", "-e"]).run().expect(0), "2\n");
    // Whoever has no group begins anew each time.
    let finished = subscribe(&["-e"]).run();
    let mut all: Vec<&str> = finished.expect(0).lines().collect();
    all.sort_unstable();
    assert_eq!(all, ["1", "2"]);
}

#[test]
fn a_message_that_does_not_decode_is_told_and_the_rest_goes_on() {
    let broker = Broker::start(&["mixed"]);
    broker.publish("mixed", &["-f", "json"], "1\n");
    send_raw(broker.address(), "mixed", b"{\"n\": ", &[("_format", Some(b"JSON"))]);
    broker.publish("mixed", &["-f", "json"], "3\n");
    for options in [&[][..], &["-j"], &["-q"]] {
        let finished = broker.subscribe("mixed", options);
        assert_eq!(finished.expect(1).lines().count(), 2, "{finished:?}");
        assert!(finished.err.contains("mixed[0]@1"), "the place is not told: {}", finished.err);
    }
}

#[test]
fn a_format_that_is_not_linked_is_shown_as_bytes_and_warned_of() {
    let broker = Broker::start(&["strange"]);
    send_raw(broker.address(), "strange", b"{\"category\": \"cake\"}", &[("_format", Some(b"donut"))]);
    let finished = broker.subscribe("strange", &[]);
    assert_eq!(finished.expect(0), "{\"category\": \"cake\"}\n");
    assert!(finished.err.contains("donut"), "no warning: {}", finished.err);
    let finished = broker.subscribe("strange", &["--json"]);
    let line = &json_lines(finished.expect(0))[0];
    assert_eq!((&line["format"], &line["route"]), (&json!("blob"), &json!("unknown-format")));
}

#[test]
fn ctrl_c_ends_a_subscription_without_complaint() {
    let broker = Broker::start(&["endless"]);
    broker.publish("endless", &[], "1\n2\n");
    let waiting = hop(["subscribe", "--no-auth", "-s", "EARLIEST", &broker.url("endless")]).start();
    waiting.wait_for("messages", |text| text == "1\n2\n");
    waiting.interrupt();
    let finished = waiting.finish();
    assert_eq!(finished.expect(0), "1\n2\n");
    assert!(!finished.err.contains("hop: "), "{}", finished.err);
}

#[test]
fn the_latest_are_those_published_from_now_on() {
    let broker = Broker::start(&["now"]);
    broker.publish("now", &[], "before\n");
    let waiting = hop(["subscribe", "--no-auth", &broker.url("now")]).start();
    // It does not say when it listens; so there is news until some is heard.
    let heard = std::thread::scope(|scope| {
        let listener = scope.spawn(|| waiting.wait_for("news", |text| text.contains('\n')));
        while !listener.is_finished() {
            broker.publish("now", &[], "after\n");
        }
        listener.join().unwrap()
    });
    assert!(heard.lines().all(|line| line == "after"), "{heard}");
    waiting.interrupt();
    waiting.finish().expect(0);
}

#[test]
fn several_topics_are_read_at_once() {
    let broker = Broker::start(&["first", "second"]);
    broker.publish("first", &[], "1\n");
    broker.publish("second", &[], "2\n");
    let finished = broker.subscribe("first,second", &[]);
    let mut lines: Vec<&str> = finished.expect(0).lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["1", "2"]);
    // Where to, of two, cannot be guessed.
    let finished = hop(["publish", "--no-auth", &broker.url("first,second")]).input("3\n").run();
    assert_eq!(finished.expect(1), "");
}

#[test]
fn what_cannot_be_sent_in_time_is_given_back() {
    // Nobody listens there.
    let finished = hop(["publish", "--no-auth", "--timeout", "1", "kafka://127.0.0.1:1/alerts"]).input("1\n2\n").run();
    assert_eq!(finished.expect(1), "");
    assert!(finished.took.as_secs() < 30, "{:?}", finished.took);
    let lost: Vec<&str> = finished.err.lines().filter(|line| line.contains("not delivered to `alerts`")).collect();
    assert_eq!(lost.len(), 2, "{}", finished.err);
}

#[test]
fn ctrl_c_while_sending_says_what_is_unsent() {
    let waiting = hop(["publish", "--no-auth", "-v", "kafka://127.0.0.1:1/alerts"]).input("1\n2\n").start();
    // librdkafka has tried, so that all is under way.
    waiting.wait_for_error("attempt", |text| text.contains("127.0.0.1:1"));
    waiting.interrupt();
    let finished = waiting.finish();
    assert_eq!(finished.expect(1), "");
    assert!(finished.err.contains("stopped with 2 of 2 messages unsent"), "{}", finished.err);
}

#[test]
fn a_broker_that_is_not_there_ends_a_subscription_with_a_reason() {
    let finished = hop(["subscribe", "--no-auth", "-e", "kafka://127.0.0.1:1/alerts"]).run();
    assert_eq!(finished.expect(1), "");
    assert!(finished.err.contains("127.0.0.1:1"), "{}", finished.err);
}

/// Says what is missing, where it belongs, and how to do without.
#[track_caller]
fn asks_for_credentials(finished: &Finished, home: &Path) {
    assert_eq!(finished.expect(1), "");
    let [line] = finished.err.lines().collect::<Vec<_>>()[..] else { panic!("{}", finished.err) };
    let file = home.join("auth.toml");
    for part in ["there are no credentials", file.to_str().unwrap(), "`hop auth add`", "`--no-auth`"] {
        assert!(line.contains(part), "{part} is not in {line}");
    }
    assert!(!file.exists());
}

#[test]
fn without_credentials_it_says_what_to_do() {
    for arguments in [&["publish"][..], &["subscribe", "-e"]] {
        let home = tempfile::tempdir().unwrap();
        let run = |configuration: &str| {
            hop(arguments.iter().chain(&["kafka://127.0.0.1:1/alerts"]))
                .env("HOME", home.path())
                .env("XDG_CONFIG_HOME", configuration)
                .input("1\n")
                .run()
        };
        let configuration = home.path().join("elsewhere");
        asks_for_credentials(&run(configuration.to_str().unwrap()), &configuration.join("hop"));
        // Empty is as good as unset.
        asks_for_credentials(&run(""), &home.path().join(".config/hop"));
    }
}

#[test]
fn messages_of_one_format_are_printed_and_what_does_not_decode_is_dealt_with_as_asked() {
    let broker = Broker::start(&["mixed", "dead"]);
    broker.publish("mixed", &["-f", "json"], "1\n");
    send_raw(broker.address(), "mixed", b"{", &[("_format", Some(b"json")), ("seen", None)]);
    broker.publish("mixed", &[], "blob\n");
    broker.publish("mixed", &["-f", "json"], "2\n");

    assert_eq!(broker.subscribe("mixed", &["-f", "BLOB"]).expect(0), "blob\n");
    let reported = broker.subscribe("mixed", &["-f", "json"]);
    assert_eq!(reported.expect(1), "1\n2\n");
    assert!(reported.err.contains("mixed[0]@1 does not decode"), "{}", reported.err);
    assert_eq!(broker.subscribe("mixed", &["--undecodable", "skip"]).expect(0), "1\nblob\n2\n");
    assert_eq!(broker.subscribe("mixed", &["--undecodable", "stop"]).expect(1), "1\n");

    assert_eq!(broker.subscribe("mixed", &["--dead-letter", "dead"]).expect(0), "1\nblob\n2\n");
    let lines = json_lines(broker.subscribe("dead", &["--undecodable", "report", "-j"]).expect(1));
    assert!(lines.is_empty(), "what did not decode still does not: {lines:?}");
    // It is put back where it came from although nothing was mended, and dealt with there again.
    let replayed = hop(["replay", "--no-auth", "--all", &broker.url("dead")]).run();
    assert_eq!(replayed.expect(0), "1 messages replayed, 0 still do not decode\n");
    assert!(broker.subscribe("mixed", &[]).err.contains("mixed[0]@4 does not decode"));
}

#[test]
fn a_start_that_is_no_time_is_refused_with_one_that_is() {
    let finished = hop(["subscribe", "-s", "yesterday", "kafka://localhost/t"]).run();
    assert_eq!(finished.expect(2), "");
    assert!(finished.err.contains("2026-11-22T03:00:00Z"), "{}", finished.err);
}

#[test]
fn topics_are_listed_as_hop_client_lists_them() {
    let broker = Broker::start(&["second", "first:3"]);
    let list = |topics: &str, options: &[&str]| {
        let finished = hop(["list-topics", "--no-auth", &broker.url(topics)].iter().chain(options)).run();
        finished.expect(0).to_owned()
    };
    assert_eq!(list("", &[]), "Accessible topics:\n first\n second\n");
    assert_eq!(list("second,third", &[]), "Accessible topics:\n second\n");
    assert_eq!(list("third", &[]), "No accessible topics\n");
    let [topics] = &json_lines(&list("", &["--json"]))[..] else { panic!("one line") };
    assert_eq!(*topics, json!([{"topic": "first", "partitions": 3}, {"topic": "second", "partitions": 1}]));
    assert_eq!(json_lines(&list("third", &["-j"])), [json!([])]);
}

#[test]
fn a_list_of_topics_that_cannot_be_had_says_why() {
    let finished = hop(["list-topics", "--no-auth", "kafka://127.0.0.1:1/"]).run();
    assert_eq!(finished.expect(1), "");
    assert!(finished.err.contains("listing the topics") && finished.err.contains("127.0.0.1:1"), "{}", finished.err);
    let finished = hop(["list-topics", "--no-auth", "http://127.0.0.1/"]).run();
    assert_eq!(finished.expect(1), "");
    assert!(finished.err.contains("kafka://"), "{}", finished.err);
}

#[test]
fn a_message_that_is_too_large_does_not_keep_the_others_back() {
    let test = "a_message_that_is_too_large_does_not_keep_the_others_back";
    let Some(broker) = hop_tests::Broker::apache_or_skip(test) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let topic = runtime.block_on(broker.topic_with(1, &[("max.message.bytes", "200000")]));
    let url = broker.url(&topic);
    let finished = hop(["publish", "--no-auth", &url]).input(format!("1\n{}\n3\n", "2".repeat(300_000))).run();
    assert_eq!(finished.expect(1), "");
    assert!(finished.err.contains("the topic takes 200000"), "{:.1000}", finished.err);
    assert!(finished.err.contains("2 sent, 1 not"), "{:.1000}", finished.err);
    let finished = hop(["subscribe", "--no-auth", "-e", "-s", "EARLIEST", &url]).run();
    assert_eq!(finished.expect(0), "1\n3\n");
}
