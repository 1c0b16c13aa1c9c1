//! Real messages, and what hop-client makes of them: `../shared/corpus`, where it is there.
//!
//! A file that hop-client loads and does not mangle must give the same fields here. Counts are printed by format:
//! `cargo test -p hop-models --test corpus -- --nocapture`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::print_stderr)]

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hop_core::{Content, Limits, Registry, Value, json};

/// The folders of the corpus, and the label that their files are read under.
const FOLDERS: [(&str, &str); 5] = [
    ("voevent", "voevent"),
    ("circular", "circular"),
    ("gcn-text", "gcntextnotice"),
    ("avro", "avro"),
    ("json", "json"),
];

/// The corpus is not part of the project. Where it is missing the test says so, and fails if CI asks for it.
fn corpus() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("SKIPPED: no corpus at {}", path.display());
    assert!(std::env::var_os("HOP_REQUIRE_CORPUS").is_none(), "HOP_REQUIRE_CORPUS is set and there is no corpus");
    None
}

fn files(folder: &Path, out: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() { files(&path, out) } else { out.push(path) }
    }
}

/// What hop-client loads but loses or distorts; these are judged on their own.
fn mangled(corpus: &Path) -> HashSet<String> {
    let table = fs::read_to_string(corpus.join("HOP_MANGLES.tsv")).unwrap();
    table.lines().skip(1).filter_map(|line| line.split('\t').next()).map(str::to_owned).collect()
}

fn read_json(path: &Path) -> Option<Value> {
    let bytes = fs::read(path).ok()?;
    let limits = Limits { depth: 1000, ..Limits::default() };
    Some(json::parse(Content::from(bytes.as_slice()).with_limits(&limits)).unwrap())
}

/// The first difference, as a path and both sides.
fn difference(path: &str, ours: &Value, theirs: &Value) -> Option<String> {
    match (ours, theirs) {
        (Value::Object(a), Value::Object(b)) => {
            for (key, value) in b.iter() {
                let path = format!("{path}.{key}");
                match key.as_str().and_then(|key| a.get(key)) {
                    Some(mine) => {
                        if let Some(found) = difference(&path, mine, value) {
                            return Some(found);
                        }
                    }
                    None => return Some(format!("{path}: missing here, {} there", value.describe())),
                }
            }
            let extra = a.iter().find(|(key, _)| key.as_str().is_none_or(|key| b.get(key).is_none()));
            extra.map(|(key, value)| format!("{path}.{key}: {} here, missing there", value.describe()))
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).enumerate().find_map(|(at, (a, b))| difference(&format!("{path}[{at}]"), a, b))
        }
        _ if ours == theirs => None,
        _ => {
            let cut = |value: &Value| value.to_string().chars().take(120).collect::<String>();
            Some(format!("{path}: {} here, {} there", cut(ours), cut(theirs)))
        }
    }
}

#[test]
fn what_hop_client_loads_is_read_the_same() {
    let Some(corpus) = corpus() else { return };
    let registry = Registry::builder().models(hop_models::MODELS).build().unwrap();
    let mangled = mangled(&corpus);
    let mut wrong = Vec::new();
    for (folder, label) in FOLDERS {
        let mut all = Vec::new();
        files(&corpus.join("files").join(folder), &mut all);
        let (mut agree, mut total) = (0, 0);
        let mut verdicts: BTreeMap<&str, usize> = BTreeMap::new();
        for path in all {
            let name = path.strip_prefix(corpus.join("files")).unwrap().to_str().unwrap().to_owned();
            let content = fs::read(&path).unwrap();
            let started = Instant::now();
            let loaded = registry.require(label).unwrap().load(content.as_slice().into());
            let fields = loaded.and_then(|model| model.fields());
            assert!(started.elapsed() < Duration::from_secs(1), "{name} took {:?}", started.elapsed());
            let Some(expected) = read_json(&corpus.join("expected").join(format!("{name}.json"))) else { continue };
            if expected["ok"].as_bool() != Some(true) || mangled.contains(&name) {
                *verdicts.entry(if fields.is_ok() { "others read" } else { "others refused" }).or_default() += 1;
                continue;
            }
            total += 1;
            // Shown and read again, so that bytes and NaN compare as the corpus writes them.
            let outcome = match fields {
                Err(error) => Some(error.to_string()),
                Ok(fields) => {
                    let shown = fields.to_string();
                    let limits = Limits { depth: 1000, ..Limits::default() };
                    let ours = json::parse(Content::from(shown.as_str()).with_limits(&limits)).unwrap();
                    difference("", &ours, &expected["fields"])
                }
            };
            match outcome {
                None => agree += 1,
                Some(why) => wrong.push(format!("{name}: {why}")),
            }
        }
        println!("{folder}: agree {agree}/{total}; {verdicts:?}");
    }
    assert!(wrong.is_empty(), "{} disagree:\n{}", wrong.len(), wrong.join("\n"));
}

/// Avro that hop-client refuses as it is called, and reads when told that there are several records or given the codec's
/// library; and Avro that is broken.
#[test]
fn avro_that_hop_client_reads_otherwise_is_read_the_same() {
    let Some(corpus) = corpus() else { return };
    let registry = Registry::builder().models(hop_models::MODELS).build().unwrap();
    let mut all = Vec::new();
    files(&corpus.join("files/avro"), &mut all);
    let (mut wrong, mut agree, mut refused) = (Vec::new(), 0, 0);
    for path in all {
        let name = path.strip_prefix(corpus.join("files")).unwrap().to_str().unwrap().to_owned();
        let Some(expected) = read_json(&corpus.join("expected").join(format!("{name}.json"))) else { continue };
        if expected["ok"].as_bool() == Some(true) {
            continue;
        }
        let content = fs::read(&path).unwrap();
        let fields = registry.require("avro").unwrap().load(content.as_slice().into()).and_then(|model| model.fields());
        let other = expected["alt"].as_array().unwrap_or_default().iter().find(|alt| alt["ok"].as_bool() == Some(true));
        let outcome = match (fields, other) {
            (Err(error), None) if error.location().is_some() => {
                println!("{name}: {error}");
                refused += 1;
                continue;
            }
            (Err(error), None) => Some(format!("an error without a place: {error}")),
            (Err(error), Some(_)) => Some(error.to_string()),
            (Ok(_), None) => Some("read, though it is broken".to_owned()),
            (Ok(fields), Some(other)) => {
                let shown = json::parse(fields.to_string().as_str().into()).unwrap();
                difference("", &shown, &other["fields"])
            }
        };
        match outcome {
            None => agree += 1,
            Some(why) => wrong.push(format!("{name}: {why}")),
        }
    }
    println!("avro, read otherwise: agree {agree}; broken, refused: {refused}");
    assert!(wrong.is_empty(), "{} disagree:\n{}", wrong.len(), wrong.join("\n"));
}
