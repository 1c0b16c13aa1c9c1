//! Signals, and what is left when a command ends by one.

use std::time::{Duration, Instant};

use hop_tests::process::{Program, Running};

use crate::hop;

/// The signals that end a command as Ctrl-C does, and the exit code of a second one.
const SIGNALS: [(&str, i32); 3] = [("INT", 130), ("TERM", 143), ("HUP", 129)];

/// `hop broker`, and its URL without a topic.
fn broker(topics: &[&str]) -> (Running, String) {
    let running = hop(["broker"].into_iter().chain(topics.iter().flat_map(|topic| ["--topic", topic]))).start();
    let url = running.first_line();
    (running, url)
}

fn publish(url: &str, lines: &str) {
    hop(["publish", "--no-auth", "-f", "json", url]).input(lines).run().expect(0);
}

#[test]
fn each_signal_ends_a_broker_and_a_subscription_in_order() {
    for (signal, _) in SIGNALS {
        let (broker, url) = broker(&["t"]);
        let url = format!("{url}t");
        publish(&url, "1\n");
        let reading = hop(["subscribe", "--no-auth", "-s", "EARLIEST", &url]).start();
        reading.wait_for("message", |text| text == "1\n");
        reading.signal(signal);
        let finished = reading.finish();
        assert_eq!(finished.expect(0), "1\n", "{signal}");
        assert!(!finished.err.contains("hop: "), "{signal}: {}", finished.err);
        broker.signal(signal);
        broker.finish().expect(0);
    }
}

#[test]
fn a_group_goes_on_at_once_after_a_member_was_ended_by_a_signal() {
    let broker = hop_tests::Broker::new();
    let is_apache = std::env::var_os(hop_tests::BROKER_VARIABLE).is_some();
    // The embedded broker knows no leaving, so that each signal would take as long as a session.
    for (signal, _) in &SIGNALS[if is_apache { 0..3 } else { 1..2 }] {
        let url = broker.url(&format!("hop-cli-{}", uuid::Uuid::new_v4().simple()));
        let subscribe =
            |options: &[&str]| hop(["subscribe", "--no-auth", "-s", "earliest", "-g", "g", &url].iter().chain(options));
        publish(&url, "1\n");
        let reading = subscribe(&[]).start();
        reading.wait_for("message", |text| text == "1\n");
        reading.signal(signal);
        reading.finish().expect(0);
        publish(&url, "2\n");
        let started = Instant::now();
        assert_eq!(subscribe(&["-e"]).run().expect(0), "2\n", "{signal}: the printed message comes again");
        // The session of a member that did not leave lasts ten seconds.
        assert!(!is_apache || started.elapsed() < Duration::from_secs(8), "{signal}: {:?}", started.elapsed());
    }
}

#[test]
fn what_was_printed_before_the_output_was_closed_does_not_come_again() {
    let broker = hop_tests::Broker::new();
    let url = broker.url(&format!("hop-cli-{}", uuid::Uuid::new_v4().simple()));
    publish(&url, "1\n");
    let path = env!("CARGO_BIN_EXE_plain-hop");
    // `head` ends after the first line; the second one finds nobody.
    let pipe = format!("{path} subscribe --no-auth -s earliest -g g {url} | head -n 1");
    let reading = Program::new("sh").args(["-c", &pipe]).start();
    reading.wait_for("message", |text| text == "1\n");
    publish(&url, "2\n3\n");
    reading.finish().expect(0);
    let finished = hop(["subscribe", "--no-auth", "-e", "-s", "earliest", "-g", "g", &url]).run();
    let mut lines: Vec<&str> = finished.expect(0).lines().collect();
    lines.sort_unstable();
    assert!(!lines.contains(&"1"), "{lines:?}");
    assert!(lines.contains(&"3"), "{lines:?}");
}

#[test]
fn the_second_signal_ends_at_once() {
    for (signal, code) in SIGNALS {
        let (broker, url) = broker(&["t"]);
        let url = format!("{url}t");
        publish(&url, "1\n");
        let reading = hop(["subscribe", "--no-auth", "-s", "EARLIEST", "-g", "g", &url]).start();
        reading.wait_for("message", |text| text == "1\n");
        // Leaving the group waits for a broker that no longer answers.
        broker.signal("STOP");
        reading.signal(signal);
        std::thread::sleep(Duration::from_millis(500));
        let again = Instant::now();
        reading.signal(signal);
        let finished = reading.finish();
        broker.signal("CONT");
        finished.expect(code);
        assert!(again.elapsed() < Duration::from_secs(3), "{signal}: {:?}", again.elapsed());
    }
}

#[test]
fn a_hang_up_that_is_ignored_stays_ignored() {
    let (broker, url) = broker(&["t"]);
    let url = format!("{url}t");
    publish(&url, "1\n");
    let path = env!("CARGO_BIN_EXE_plain-hop");
    let reading = Program::new("sh")
        .args(["-c", &format!("trap '' HUP; exec {path} subscribe --no-auth -s EARLIEST {url}")])
        .start();
    reading.wait_for("message", |text| text == "1\n");
    reading.signal("HUP");
    publish(&url, "2\n");
    reading.wait_for("message after the hang-up", |text| text.ends_with("2\n"));
    reading.signal("TERM");
    reading.finish().expect(0);
    drop(broker);
}

#[test]
fn a_signal_while_sending_says_what_is_unsent() {
    for (signal, _) in SIGNALS {
        let sending = hop(["publish", "--no-auth", "-v", "kafka://127.0.0.1:1/alerts"]).input("1\n2\n").start();
        sending.wait_for_error("attempt", |text| text.contains("127.0.0.1:1"));
        sending.signal(signal);
        let finished = sending.finish();
        assert_eq!(finished.expect(1), "");
        assert!(finished.err.contains("stopped with 2 of 2 messages unsent"), "{signal}: {}", finished.err);
    }
}

#[test]
fn a_demo_says_nothing_of_its_own_closing() {
    let demos: Vec<Running> = (0..8).map(|_| hop(["demo"]).start()).collect();
    for demo in demos {
        let finished = demo.finish();
        finished.expect(0);
        assert!(!finished.err.contains("ended the connection"), "{}", finished.err);
    }
}

#[test]
fn a_file_of_certificates_that_cannot_be_used_is_named() {
    let home = tempfile::tempdir().unwrap();
    let (folder, empty) = (home.path().join("hop"), home.path().join("empty.pem"));
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(&empty, "no certificate").unwrap();
    for (ca, why) in [(home.path().join("nowhere.pem"), "cannot be read"), (empty, "holds nothing usable")] {
        let file = folder.join("auth.toml");
        let text =
            format!("[[auth]]\nusername = \"ada\"\npassword = \"x\"\nssl_ca_location = {:?}\n", ca.to_str().unwrap());
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        for arguments in [&["subscribe", "-e"][..], &["publish"]] {
            let finished = hop(arguments.iter().chain(&["kafka://127.0.0.1:1/t"]))
                .env("XDG_CONFIG_HOME", home.path())
                .input("1\n")
                .run();
            finished.expect(1);
            let names = finished.err.contains(ca.to_str().unwrap()) && finished.err.contains("`ssl.ca.location`");
            assert!(names && finished.err.contains(why), "{}", finished.err);
        }
    }
}
