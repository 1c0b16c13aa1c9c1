//! A command that names a crate of models knows them; one that does not, does not.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// What the command printed, which is little enough for a pipe; killed where it does not end.
fn donut_hop(arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_donut-hop"));
    let mut child = command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

fn decode(arguments: &[&str]) -> (Option<i32>, Value) {
    let (code, out) = donut_hop(&[&["decode", "--json"], arguments].concat());
    (code, serde_json::from_str(&out).unwrap())
}

fn fixture(path: &str) -> String {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures")).join(path);
    path.to_str().unwrap().to_owned()
}

#[test]
fn its_models_are_listed_with_their_crate() {
    let (code, out) = donut_hop(&["models", "--json"]);
    assert_eq!(code, Some(0));
    let models: Vec<Value> = serde_json::from_str(&out).unwrap();
    for (format, name) in [("donut", "Donut"), ("snews-alert", "SnewsAlert")] {
        let expected = json!({"format": format, "type": name, "crate": "donut-model", "version": "0.3.1"});
        assert!(models.contains(&expected), "{expected} is not in {models:?}");
    }
    // Beside those of hop itself, in the order of their labels.
    let labels: Vec<&str> = models.iter().map(|model| model["format"].as_str().unwrap()).collect();
    let all = [
        "avro",
        "blob",
        "circular",
        "donut",
        "external",
        "gcnnotice",
        "gcnpacket",
        "gcntextnotice",
        "gwalert",
        "json",
        "snews-alert",
        "voevent",
    ];
    assert_eq!(labels, all);
}

#[test]
fn its_models_decode_by_label_by_headers_and_from_envelopes() {
    let cake = fixture("donut/plain/cake/content.json");
    let model = json!({"category": "cake", "flavor": "maple", "has_filling": false});
    let (code, line) = decode(&["-f", "DONUT", &cake]);
    let expected = json!({"path": cake, "ok": true, "format": "donut", "route": "file", "model": model});
    assert_eq!((code, line), (Some(0), expected));

    let headers = fixture("donut/plain/label-in-capitals/headers.json");
    let (code, line) = decode(&["--headers", &headers, &cake]);
    assert_eq!((code, &line["route"], &line["model"]), (Some(0), &json!("header"), &model));

    let (code, line) = decode(&[&fixture("donut/envelope/old/content.json")]);
    assert_eq!((code, &line["route"], &line["format"]), (Some(0), &json!("envelope"), &json!("donut")));

    let (code, line) = decode(&["-f", "donut", &fixture("donut/broken/cut-short/content.json")]);
    assert_eq!((code, &line["ok"]), (Some(1), &json!(false)));

    let alert = fixture("snews/alert/unbounded-rate/content.json");
    let (code, line) = decode(&["-f", "snews-alert", &alert]);
    assert_eq!(code, Some(0));
    let rate = &line["model"]["coincidence"]["false_alarms_per_year"];
    assert_eq!(*rate, json!({"$float": "Infinity"}));
}

#[test]
fn the_demonstration_shows_them_too() {
    let (code, text) = donut_hop(&["demo"]);
    assert_eq!(code, Some(0));
    for label in ["donut", "snews-alert"] {
        assert!(text.contains(&format!("\n{label} (by header)\n")), "{text}");
    }
}

#[test]
fn its_models_show_their_schemas() {
    let (code, out) = donut_hop(&["models", "--schema", "donut"]);
    assert_eq!(code, Some(0));
    let schema: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(schema["title"], "Donut");
    assert_eq!(schema["properties"]["has_filling"], json!({"type": "boolean"}));
    assert_eq!(schema["required"], json!(["category", "flavor", "has_filling"]));

    let (code, out) = donut_hop(&["models", "--schema", "snews-alert", "--avro"]);
    assert_eq!(code, Some(0));
    let schema: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&schema["type"], &schema["name"]), (&json!("record"), &json!("SnewsAlert")));
    let status = json!({"type": "enum", "name": "Status", "symbols": ["alert", "update", "retraction", "test"]});
    assert_eq!(schema["fields"][1], json!({"name": "status", "type": status}));
    let comments = json!({"name": "comments", "type": {"type": "array", "items": "string"}, "default": []});
    assert_eq!(schema["fields"][5], comments);
}
