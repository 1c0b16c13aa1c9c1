//! `docs/src/message.schema.json` beside what `hop subscribe --json` prints, over every kind of message.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use hop_core::Headers;
use hop_tests::{root, send_raw};
use jsonschema::Validator;
use serde_json::{Value, json};

use crate::streams::Broker;
use crate::{fixture, json_lines};

const FORMATS: [&str; 7] = ["avro", "blob", "circular", "external", "gcntextnotice", "json", "voevent"];

/// The schema.
fn schema() -> Value {
    let text = fs::read_to_string(root().join("docs/src/message.schema.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The ways in which a value is not what the schema says.
fn violations(schema: &Validator, value: &Value) -> Vec<String> {
    schema.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// The places in `value` that are not null, by the names that [`fields`] gives them.
fn met(value: &Value, at: &str, into: &mut BTreeSet<String>) {
    if value.is_null() {
        return;
    }
    into.insert(at.to_owned());
    for (name, part) in value.as_object().into_iter().flatten() {
        met(part, &format!("{at}/{name}"), into);
    }
    for (index, part) in value.as_array().into_iter().flatten().enumerate() {
        met(part, &format!("{at}/*"), into);
        met(part, &format!("{at}/{index}"), into);
    }
}

/// Where the fields that a schema names stand; of what is described once for several places, each.
fn fields(root: &Value, schema: &Value, at: &str, into: &mut Vec<String>) {
    let schema = match schema["$ref"].as_str() {
        Some(pointer) => root.pointer(pointer.strip_prefix('#').unwrap()).unwrap(),
        None => schema,
    };
    into.push(at.to_owned());
    for (name, part) in schema["properties"].as_object().into_iter().flatten() {
        fields(root, part, &format!("{at}/{name}"), into);
    }
    if schema["items"].is_object() {
        fields(root, &schema["items"], &format!("{at}/*"), into);
    }
    for (index, part) in schema["prefixItems"].as_array().into_iter().flatten().enumerate() {
        fields(root, part, &format!("{at}/{index}"), into);
    }
    for part in schema["oneOf"].as_array().into_iter().flatten() {
        for (name, part) in part["properties"].as_object().into_iter().flatten() {
            fields(root, part, &format!("{at}/{name}"), into);
        }
    }
}

/// JSON in which half a pair of surrogates, which Rust's text cannot hold, is U+FFFD.
fn without_surrogates(json: &str) -> String {
    let mut parts = json.split("\\ud");
    let mut without = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_surrogate = part.starts_with(|first: char| matches!(first, '8'..='9' | 'a'..='f'));
        without.push_str(if is_surrogate { "\\ufffd" } else { "\\ud" });
        without.push_str(if is_surrogate { &part[3..] } else { part });
    }
    without
}

/// The contents on the wire below a folder.
fn contents(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            contents(&path, into);
        } else if path.file_stem().is_some_and(|stem| stem == "content") {
            into.push(path);
        }
    }
}

#[test]
fn what_is_printed_is_what_the_schema_says_and_each_field_that_it_names_is_printed() {
    let broker = Broker::start(&["all"]);
    let mut files = Vec::new();
    for format in FORMATS {
        let before = files.len();
        contents(&fixture(format), &mut files);
        assert!(files.len() > before, "{format} has no fixtures");
    }
    for file in &files {
        let headers = file.with_file_name("headers.json");
        let headers = match headers.is_file() {
            true => Headers::from_value(&hop_core::Value::from_json(&fs::read_to_string(&headers).unwrap()).unwrap())
                .unwrap(),
            false => Headers::new(),
        };
        let pairs: Vec<(&str, Option<&[u8]>)> =
            headers.iter().map(|header| (&*header.name, header.value.as_deref())).collect();
        let content = fs::read(file).unwrap();
        send_raw(broker.address(), "all", &content, &pairs);
    }
    // What no fixture has: keys and headers of every kind, a sender, an identifier, a test; long bytes, and numbers beyond JSON.
    let id = [7_u8; 16];
    send_raw(
        broker.address(),
        "all",
        &vec![0xFF; 5_000],
        &[
            ("_format", Some(b"blob")),
            ("_id", Some(&id)),
            ("_sender", Some(b"ada")),
            ("_test", Some(b"true")),
            ("null", None),
            ("bytes", Some(b"\xFF")),
        ],
    );
    let notice =
        br#"{"$schema": "https://gcn.nasa.gov/schema/main/gcn/notices/icecube/alert.schema.json", "mission": "IceCube",
        "alert_tense": "current", "ra": 345.82, "dec": 9.01, "ra_dec_error": 0.5, "containment_probability": 0.9,
        "healpix_url": "https://example.org/map.fits"}"#;
    send_raw(broker.address(), "all", notice, &[("_format", Some(b"json"))]);
    let lines = r#"{"content": [NaN, Infinity, -Infinity], "key": "k"}
{"content": null, "format": "blob", "key": {"$bytes": "/w=="}}
"#;
    broker.publish("all", &["--ndjson"], lines);
    let schema = schema();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut named = Vec::new();
    fields(&schema, &schema, "", &mut named);
    for full in [false, true] {
        let options: &[&str] = if full { &["--full"] } else { &[] };
        let printed = broker.subscribe("all", &[&["-j", "-t", "--no-fetch"], options].concat());
        let refused = printed.err.matches(" does not decode: ").count();
        let out = String::from_utf8(printed.out).unwrap();
        let printed = json_lines(&without_surrogates(&out));
        assert_eq!(printed.len() + refused, files.len() + 4);
        assert!(printed.len() > files.len() / 2, "{refused} of {} messages are refused", files.len());
        let (mut formats, mut seen) = (BTreeSet::new(), BTreeSet::new());
        for line in &printed {
            let wrong = violations(&validator, line);
            assert!(wrong.is_empty(), "{wrong:#?}\n{line}");
            formats.insert(line["format"].as_str().unwrap());
            met(line, "", &mut seen);
        }
        assert!(FORMATS.iter().all(|format| formats.contains(format)), "{formats:?}");
        let unseen: Vec<&String> = named.iter().filter(|field| !seen.contains(*field)).collect();
        assert!(unseen.is_empty(), "no message has {unseen:?}");
        assert_eq!(out.contains("$omitted"), !full);
    }
}

#[test]
fn the_schema_refuses_what_is_wrong() {
    let broker = Broker::start(&["one"]);
    broker.publish("one", &["-f", "json"], "1\n");
    let right = json_lines(broker.subscribe("one", &["-j"]).expect(0)).remove(0);
    let validator = jsonschema::validator_for(&schema()).unwrap();
    assert_eq!(violations(&validator, &right), [""; 0]);
    for (pointer, value) in [
        ("/format", json!(1)),
        ("/route", json!("guess")),
        ("/metadata", json!({})),
        ("/metadata/offset", json!(1.5)),
        ("/metadata/key", json!({"$bytes": 1})),
        ("/metadata/key", json!([])),
        ("/headers/0", json!(["a"])),
        ("/headers/0", json!(["a", "b", "c"])),
        ("/headers/0/0", json!(null)),
        ("/summary/position", json!({"ra": 360.0, "dec": 0.0, "radius": null, "confidence": null})),
        ("/summary/position", json!({"ra": 0.0, "dec": -91, "radius": null, "confidence": null})),
        ("/summary/importance", json!(2)),
        ("/summary/names", json!([null])),
    ] {
        let mut wrong = right.clone();
        *wrong.pointer_mut(pointer).unwrap() = value;
        assert_ne!(violations(&validator, &wrong), [""; 0], "{pointer}");
    }
    let mut more = right;
    more["more"] = json!(1);
    assert_ne!(violations(&validator, &more), [""; 0]);
}
