//! What once went wrong, for good: each file of `fuzz/regressions/<target>/` goes through the checks of its target, and so
//! does content made at random.

#![allow(clippy::unwrap_used)]

mod checks;

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;
use std::time::{Duration, Instant};

use proptest::prelude::*;

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

proptest! {
    #[test]
    fn any_bytes_keep_the_promises(content in prop::collection::vec(any::<u8>(), 0..200)) {
        checks::TARGETS.iter().for_each(|(_, check)| check(&content));
    }

    #[test]
    fn any_json_keeps_the_promises(text in r#"([\[\]{},:" ]|"[a-c]":|"(body|header|url|ivorn|format|content|raw)":|-?[0-9]{1,3}(\.[0-9])?(e-?[0-9]{1,3})?|NaN|null|\\u[0-9a-f]{4}){0,40}"#) {
        checks::TARGETS.iter().for_each(|(_, check)| check(text.as_bytes()));
    }
}
