//! A night on a broker inside the process, whose topics are filled as GCN fills them.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use hop_core::{Blob, Outgoing};
use hop_kafka::{EmbeddedBroker, Stream, block_on};

const BURST: &str = r#"{"instrument": "WXT", "trigger_time": "2024-03-01T21:46:05.13Z", "id": ["01708973486"],
    "event_name": "EP240301a", "ra": 120, "dec": 40, "ra_dec_error": 0.02}"#;
const VAGUE: &str = r#"{"instrument": "WXT", "trigger_time": "2024-03-01T22:46:05Z", "id": ["2"],
    "event_name": "EP240301b", "ra": 20, "dec": 4, "ra_dec_error": 5.5}"#;
const WAVE: &str = r#"{"alert_type": "PRELIMINARY", "time_created": "2025-01-22T08:38:01Z", "superevent_id": "S250122h",
    "urls": {"gracedb": "https://gracedb.ligo.org/superevents/S250122h/view/"}, "event": {"significant": true,
    "time": "2025-01-22T08:27:57.466Z", "far": 9.11e-14, "instruments": ["H1", "L1"], "group": "CBC",
    "pipeline": "gstlal", "search": "AllSky", "properties": {"HasNS": 1.0}, "classification": {"BNS": 1.0},
    "duration": null, "central_frequency": null, "skymap": "U0lNUExF"}, "external_coinc": null}"#;

const BURSTS: &str = "gcn.notices.einstein_probe.wxt.alert";
const WAVES: &str = "igwn.gwalert";

/// The program, on the broker, with a folder of its own for settings and what it writes.
fn watch(broker: &EmbeddedBroker, folder: &Path) -> Child {
    // The broker of the test is read as GCN's is.
    let settings = folder.join("hop");
    std::fs::create_dir_all(&settings).unwrap();
    std::fs::write(settings.join("brokers.toml"), "[night]\nhosts = ['127.0.0.1']\nlike = 'gcn'\n").unwrap();
    Command::new(env!("CARGO_BIN_EXE_duty-scientist"))
        .args(["--no-auth", &broker.url(&format!("{BURSTS},{WAVES}")), folder.join("alerts.txt").to_str().unwrap()])
        .env("XDG_CONFIG_HOME", folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Sends content as it is; alerts of gravitational waves come with a label that says less than the topic.
fn send(broker: &EmbeddedBroker, topic: &str, content: &'static str) {
    let hop = Stream::builder().no_auth().build().unwrap();
    let out = block_on(hop.publish(broker.url(topic))).unwrap();
    let mut message: Outgoing = hop_core::Encoder::new().encode(&Blob::from(content.as_bytes())).unwrap();
    message.headers.remove("_format");
    if topic == WAVES {
        message.headers.push("_format", Some("json".into()));
    }
    block_on(async { out.forward(topic, message).await?.await }).unwrap();
    block_on(out.close()).unwrap();
}

fn end(mut watch: Child) {
    watch.kill().unwrap();
    watch.wait().unwrap();
}

#[test]
fn bursts_that_are_placed_well_and_waves_are_written_down_once_and_the_watch_goes_on_after_its_death() {
    let broker = EmbeddedBroker::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    for topic in [BURSTS, WAVES] {
        broker.create_topic(topic, 1).unwrap();
    }
    send(&broker, BURSTS, VAGUE);
    send(&broker, BURSTS, "{ not JSON");
    send(&broker, BURSTS, BURST);
    send(&broker, WAVES, WAVE);
    let mut watching = watch(&broker, folder.path());
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    let mut written: Vec<String> = (0..2).map(|_| lines.next().unwrap().unwrap()).collect();
    written.sort();
    assert!(
        written[0].starts_with("EP240301a  2024-03-01T21:46:05.13Z   120.0000  +40.0000 +- 0.0200 deg  "),
        "{written:?}"
    );
    assert!(
        written[1].starts_with("S250122h  2025-01-22T08:27:57.466Z  sky map: 8 characters of base64  "),
        "{written:?}"
    );
    let file = || std::fs::read_to_string(folder.path().join("alerts.txt")).unwrap();
    assert_eq!(file().lines().count(), 2);
    // It dies without a word; what comes meanwhile waits for the next one.
    end(watching);
    send(&broker, WAVES, WAVE);
    let mut watching = watch(&broker, folder.path());
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    loop {
        // A line that was not committed comes again.
        let line = lines.next().unwrap().unwrap();
        assert!(written.contains(&line), "{line}");
        if file().lines().filter(|line| line.starts_with("S250122h")).count() >= 2 {
            break;
        }
    }
    end(watching);
}

#[cfg(unix)]
#[test]
fn a_watch_that_is_terminated_ends_cleanly_and_the_next_one_starts_behind_it() {
    let broker = EmbeddedBroker::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    for topic in [BURSTS, WAVES] {
        broker.create_topic(topic, 1).unwrap();
    }
    send(&broker, WAVES, WAVE);
    let terminate = |watching: &mut Child| {
        let killed = Command::new("kill").args(["-TERM", &watching.id().to_string()]).status().unwrap();
        assert!(killed.success());
        assert_eq!(watching.wait().unwrap().code(), Some(0));
    };
    let mut watching = watch(&broker, folder.path());
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().starts_with("S250122h"));
    // Its line is out before it is marked.
    std::thread::sleep(std::time::Duration::from_millis(500));
    terminate(&mut watching);
    // What is written down does not come again.
    send(&broker, BURSTS, BURST);
    let mut watching = watch(&broker, folder.path());
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    let line = lines.next().unwrap().unwrap();
    assert!(line.starts_with("EP240301a"), "{line}");
    terminate(&mut watching);
    assert_eq!(std::fs::read_to_string(folder.path().join("alerts.txt")).unwrap().lines().count(), 2);
}
