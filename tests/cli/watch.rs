//! `hop watch` in a terminal, and `hop show`.

use std::path::Path;
use std::time::Duration;

use hop_tests::process::Running;
use hop_tests::pty::Terminal;

use crate::{empty_home, fixture, hop};

const CIRCULAR: &str = "TITLE:   GCN CIRCULAR\nNUMBER:  40001\nSUBJECT: GRB 261127A: Swift-BAT detection\nDATE:    26/11/27 \
                        03:00:00 GMT\nFROM:    A. Observer at Somewhere <a@example.org>\n\nAt RA = 83.6, Dec = 22.0.\n";

/// A broker with an alert, and the URL of its topic.
fn broker() -> (Running, String) {
    let broker = hop(["broker", "--topic", "alerts"]).start();
    let url = format!("{}alerts", broker.first_line());
    let event = fixture("voevent/v2.0/prefixed/content.xml");
    hop(["publish", "--no-auth", "-f", "voevent", &url, event.to_str().unwrap()]).run().expect(0);
    publish(&url, CIRCULAR);
    (broker, url)
}

fn publish(url: &str, circular: &str) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), circular).unwrap();
    hop(["publish", "--no-auth", "-f", "circular", url, file.path().to_str().unwrap()]).run().expect(0);
}

fn watch(url: &str) -> Terminal {
    let path = Path::new(env!("CARGO_BIN_EXE_plain-hop"));
    Terminal::start(path, &["watch", "--no-auth", url], empty_home(), (120, 40))
}

#[test]
fn alerts_come_up_on_the_screen_and_each_way_to_leave_gives_the_terminal_back() {
    let (_broker, url) = broker();
    for leave in ["q", "\u{3}", "\u{1b}", "TERM", "HUP", "INT"] {
        let watch = watch(&url);
        let screen = watch.wait_for("alert", |text| text.contains("2 messages") && text.contains("q leave"));
        for part in ["GRB 261127A", " details ", " sky "] {
            assert!(screen.contains(part), "{part}\n{screen}");
        }
        match leave.len() {
            1 => watch.say(leave),
            _ => watch.signal(leave),
        }
        assert!(watch.finish().success(), "{leave:?}");
    }
}

/// The screen in the book, and what is shown now: without the first line, which has the port, and with every age the same.
#[test]
fn the_book_shows_the_screen_as_it_is() {
    let (_broker, url) = broker();
    let path = Path::new(env!("CARGO_BIN_EXE_plain-hop"));
    let watch = Terminal::start(path, &["watch", "--no-auth", &url], empty_home(), (120, 36));
    let screen = watch.wait_for("both alerts", |text| text.contains("2 messages") && text.contains("q leave"));
    watch.say("q");
    assert!(watch.finish().success());
    let lines = |text: &str| -> Vec<String> {
        let line = |line: &str| match line.find(" s ").filter(|at| line[..*at].starts_with('│')) {
            Some(at) => format!("│{}", &line[at..]),
            None => line.to_owned(),
        };
        text.lines().skip(1).map(|text| line(text).trim_end().to_owned()).collect()
    };
    let book = std::fs::read_to_string(hop_tests::root().join("docs/src/watch.md")).unwrap();
    let shown = book.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap_or_default();
    assert_eq!(lines(shown), lines(&screen), "docs/src/watch.md is to show:\n{screen}");
}

#[test]
fn the_screen_follows_the_size_of_its_terminal() {
    let (_broker, url) = broker();
    let watch = watch(&url);
    watch.wait_for("map", |text| text.contains(" sky "));
    for size in [(60, 15), (20, 5), (1, 1), (200, 60)] {
        watch.resize(size.0, size.1);
        std::thread::sleep(Duration::from_millis(200));
    }
    watch.wait_for("map", |text| text.contains(" sky ") && text.contains("GRB 261127A"));
    watch.say("j");
    watch.say("q");
    assert!(watch.finish().success());
}

#[test]
fn a_broker_that_dies_is_said_on_the_screen_and_leaves_the_terminal_sane() {
    let (broker, url) = broker();
    let watch = watch(&url);
    watch.wait_for("alert", |text| text.contains("GRB 261127A"));
    broker.signal("TERM");
    broker.finish().expect(0);
    // It goes on waiting for the broker; the alerts stay on the screen.
    std::thread::sleep(Duration::from_secs(3));
    let screen = watch.text();
    assert!(screen.contains("GRB 261127A") && screen.contains("q leave"), "{screen}");
    watch.say("q");
    assert!(watch.finish().success());
}

#[test]
fn what_an_alert_says_never_steers_the_terminal() {
    let broker = hop(["broker", "--topic", "alerts"]).start();
    let url = format!("{}alerts", broker.first_line());
    publish(&url, &CIRCULAR.replace("Swift-BAT", "\u{1b}]0;owned\u{7}\u{9b}2J"));
    let watch = watch(&url);
    watch.wait_for("alert", |text| text.contains("GRB 261127A"));
    watch.say("q");
    let written = {
        watch.wait_for("end", |text| !text.contains("q leave"));
        watch.written()
    };
    assert!(watch.finish().success());
    assert!(!written.contains("\u{1b}]0;owned") && !written.contains('\u{7}') && !written.contains('\u{9b}'));
}

#[test]
fn without_a_terminal_it_says_what_to_use_instead() {
    let finished = hop(["watch", "--no-auth", "kafka://localhost/t"]).run();
    finished.expect(2);
    assert!(finished.err.contains("needs a terminal; `hop subscribe`"), "{}", finished.err);
}

#[test]
fn show_prints_what_an_alert_says_and_draws_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(at("a.txt"), CIRCULAR.replace("At RA", "GRB 261127A at RA")).unwrap();
    let event = fixture("voevent/v2.0/prefixed/content.xml");
    let event = event.to_str().unwrap();
    let (png, svg) = (at("sky.png"), at("sky.svg"));
    let shown = hop(["show", "--map", "always", "--png", &png, "--svg", &svg, event, &at("a.txt")]).run();
    let out = shown.expect(0);
    assert!(out.contains("GRB 261127A") && out.contains("header.subject") && out.contains('●'), "{out}");
    let picture = std::fs::read(png).unwrap();
    assert!(picture.starts_with(b"\x89PNG"));
    // Width and height stand in the first block.
    assert_eq!(picture[16..24], [0, 0, 0x04, 0xb0, 0, 0, 0x02, 0xa8]);
    let svg = std::fs::read_to_string(svg).unwrap();
    assert!(svg.contains("<circle") && svg.ends_with("</svg>\n"));

    // No position, no picture, and none half-written.
    std::fs::write(at("none.json"), "{\"a\": 1}").unwrap();
    let shown = hop(["show", "--png", &at("none.png"), &at("none.json")]).run();
    shown.expect(1);
    assert!(shown.err.contains("states a position"), "{}", shown.err);
    assert!(!Path::new(&at("none.png")).exists());
    let shown = hop(["show", "--png", &at("gone/none.png"), event]).run();
    shown.expect(1);
    assert!(shown.err.contains("none.png"), "{}", shown.err);
}
