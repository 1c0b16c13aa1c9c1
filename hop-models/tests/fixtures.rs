//! Every fixture of the formats of this crate: decode by the ladder, compare, encode again, and the file form there and
//! back; see [`hop_core::testing`].

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use hop_core::{Registry, testing};

/// Folders of other models, which the crates of those and `tests/codecs.rs` try, and of schemas. Any folder not named here
/// is tried.
const ELSEWHERE: [&str; 4] = ["codec", "donut", "schemas", "snews"];

fn registry() -> Registry {
    Registry::builder().models(hop_models::MODELS).build().unwrap()
}

fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    let folders = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path());
    let ours = |path: &PathBuf| path.is_dir() && !ELSEWHERE.iter().any(|name| path.ends_with(name));
    let mut folders: Vec<PathBuf> = folders.filter(ours).collect();
    folders.sort();
    assert!(!folders.is_empty(), "no fixtures under {}", root.display());
    folders
}

/// All folders are tried, also after one that fails.
fn all(check: impl Fn(&Path) -> Result<usize, testing::Failures>) {
    let failed: Vec<String> = folders()
        .iter()
        .filter_map(|folder| Some(format!("{}: {}", folder.file_name()?.display(), check(folder).err()?)))
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn every_fixture_comes_round() {
    let registry = registry();
    all(|folder| testing::round_trips(folder, &registry));
}

#[test]
fn no_truncation_and_no_flipped_byte_panics() {
    let registry = registry();
    all(|folder| testing::survives(folder, &registry));
}
