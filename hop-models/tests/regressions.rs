//! What fuzzing once found, for good: each file of `fuzz/regressions/<target>/` goes through the checks of its target.

#![allow(clippy::unwrap_used)]

mod checks;

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;
use std::time::{Duration, Instant};

#[test]
fn what_was_found_stays_fixed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/regressions");
    let (mut replayed, mut failed) = (0, Vec::new());
    for folder in fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        let target = checks::TARGETS.iter().find(|(name, _)| folder.ends_with(name));
        let Some((_, check)) = target else {
            failed.push(format!("{}: no target of that name", folder.display()));
            continue;
        };
        for path in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            let content = fs::read(&path).unwrap();
            let started = Instant::now();
            if catch_unwind(|| check(&content)).is_err() {
                failed.push(path.display().to_string());
            }
            if started.elapsed() > Duration::from_secs(1) {
                failed.push(format!("{}: took {:?}", path.display(), started.elapsed()));
            }
            replayed += 1;
        }
    }
    assert!(failed.is_empty(), "of {replayed} files:\n{}", failed.join("\n"));
}
