//! What the tests of several crates need of the corpus: real messages, and what hop-client makes of them.

// This is a module of `hop-models`' own tests and of `hop-tests`, which cannot depend on one another.
#![allow(dead_code, unreachable_pub, missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

use std::fs;
use std::path::{Path, PathBuf};

use hop_core::{Content, Limits, Value, json};

/// The corpus is not part of the project. Where it is missing the test says so, and fails if CI asks for it.
pub fn corpus() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("SKIPPED: no corpus at {}", path.display());
    assert!(std::env::var_os("HOP_REQUIRE_CORPUS").is_none(), "HOP_REQUIRE_CORPUS is set and there is no corpus");
    None
}

pub fn files(folder: &Path, out: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() { files(&path, out) } else { out.push(path) }
    }
}

pub fn read_json(path: &Path) -> Option<Value> {
    let bytes = fs::read(path).ok()?;
    let limits = Limits { depth: 1000, ..Limits::default() };
    Some(json::parse(Content::from(bytes.as_slice()).with_limits(&limits)).unwrap())
}

/// The first difference, as a path and both sides.
pub fn difference(path: &str, ours: &Value, theirs: &Value) -> Option<String> {
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
