//! Real messages, and what hop-client makes of them: `../shared/corpus`, where it is there.
//!
//! A file that hop-client loads and does not mangle must give the same fields through `hop decode`. Counts are printed by
//! format: `cargo test -p hop-tests --test cli corpus -- --nocapture`.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::time::Duration;

use hop_core::{Content, Limits, Value};
use hop_tests::corpus::{corpus, difference, files, read_json};
use hop_tests::process::Finished;

use crate::hop;

/// The folders of the corpus, and the label that their files are read under, if any.
const FOLDERS: [(&str, Option<&str>); 6] = [
    ("voevent", Some("voevent")),
    ("circular", Some("circular")),
    ("gcn-text", Some("gcntextnotice")),
    ("avro", Some("avro")),
    ("json", Some("json")),
    ("other", None),
];

/// No file may take longer.
const MOST: Duration = Duration::from_secs(1);

/// What hop-client loads but loses or distorts; these are judged on their own.
fn mangled(corpus: &Path) -> HashSet<String> {
    let table = fs::read_to_string(corpus.join("HOP_MANGLES.tsv")).unwrap();
    table.lines().skip(1).filter_map(|line| line.split('\t').next()).map(str::to_owned).collect()
}

fn decode(path: &Path, label: Option<&str>) -> Finished {
    let format: &[&OsStr] = match label {
        Some(label) => &["-f".as_ref(), label.as_ref()],
        None => &[],
    };
    let start: [&OsStr; 2] = ["decode".as_ref(), "--json".as_ref()];
    let run = || hop(start.iter().chain(format).chain(&[path.as_os_str()])).run();
    // A machine that has other work makes one run slow; a slow decoder is slow each time.
    (0..3).map(|_| run()).find(|finished| finished.took < MOST).unwrap_or_else(|| {
        panic!("{} takes longer than {MOST:?}", path.display());
    })
}

/// The line that was printed, read by hop's own reader of JSON, with all that Python writes, and by another one.
fn read(finished: &Finished, name: &str) -> (Value, serde_json::Value) {
    let code = finished.status.code().unwrap_or_else(|| panic!("{name}: killed, {}", finished.status));
    let line = finished.expect(code);
    assert!(line.ends_with('\n') && line.lines().count() == 1, "{name}: not one line: {line}");
    let strict: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut keys: Vec<&str> = strict.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    match (code, strict["ok"].as_bool()) {
        (0, Some(true)) => assert_eq!(keys, ["format", "model", "ok", "path", "route"], "{name}"),
        (1, Some(false)) => {
            assert_eq!(keys, ["error", "ok", "path"], "{name}");
            assert!(strict["error"]["kind"].is_string() && strict["error"]["message"].is_string(), "{name}");
        }
        other => panic!("{name}: {other:?}"),
    }
    let limits = Limits { depth: 1000, ..Limits::default() };
    (hop_core::json::parse(Content::from(line).with_limits(&limits)).unwrap(), strict)
}

#[test]
fn what_hop_client_loads_is_read_the_same() {
    let Some(corpus) = corpus() else { return };
    let mangled = mangled(&corpus);
    let mut wrong = Vec::new();
    let mut slowest = (Duration::ZERO, String::new());
    for (folder, label) in FOLDERS {
        let mut all = Vec::new();
        files(&corpus.join("files").join(folder), &mut all);
        let (mut agree, mut total) = (0, 0);
        let mut others: BTreeMap<&str, usize> = BTreeMap::new();
        for path in all {
            let name = path.strip_prefix(corpus.join("files")).unwrap().to_str().unwrap().to_owned();
            let finished = decode(&path, label);
            slowest = slowest.max((finished.took, name.clone()));
            let (found, strict) = read(&finished, &name);
            let read = found["ok"].as_bool() == Some(true);
            let expectation = corpus.join("expected").join(format!("{name}.json"));
            let expected = read_json(&expectation).unwrap_or_default();
            if label.is_none() || expected["ok"].as_bool() != Some(true) || mangled.contains(&name) {
                *others.entry(if read { "others read" } else { "others refused" }).or_default() += 1;
                continue;
            }
            total += 1;
            let mut outcome = match read {
                true => difference("", &found["model"], &expected["fields"]),
                false => Some(found["error"].to_string()),
            };
            // Both sides by another reader, as far as it reads what Python wrote.
            if let Ok(expected) = serde_json::from_slice::<serde_json::Value>(&fs::read(&expectation).unwrap())
                && outcome.is_none()
                && strict["model"] != expected["fields"]
            {
                outcome = Some("the same to hop's reader of JSON, and not to another one".to_owned());
            }
            match outcome {
                None => agree += 1,
                Some(why) => wrong.push(format!("{name}: {why}")),
            }
        }
        println!("{folder}: agree {agree}/{total}; {others:?}");
    }
    println!("slowest: {} in {:?}", slowest.1, slowest.0);
    assert!(wrong.is_empty(), "{} disagree:\n{}", wrong.len(), wrong.join("\n"));
}
