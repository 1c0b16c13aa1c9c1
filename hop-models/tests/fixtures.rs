//! Every fixture: decode by the ladder, compare, encode again, and the file form there and back.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::print_stderr)]

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use hop_core::{Headers, Registry, Value};

fn registry() -> Registry {
    Registry::builder().models(hop_models::MODELS).build().unwrap()
}

fn cases(folder: &Path, out: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    if entries.iter().any(|path| path.file_name().is_some_and(|name| name == "model.json")) {
        out.push(folder.to_owned());
    }
    for path in entries.iter().filter(|path| path.is_dir()) {
        cases(path, out);
    }
}

/// The file of this stem, whatever its extension.
fn part(case: &Path, stem: &str) -> Option<Bytes> {
    let path = fs::read_dir(case)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.is_file() && path.file_stem().is_some_and(|name| name == stem))?;
    Some(fs::read(path).unwrap().into())
}

fn headers(case: &Path) -> Headers {
    let Some(text) = part(case, "headers") else { return Headers::new() };
    let list = Value::from_json(std::str::from_utf8(&text).unwrap()).unwrap();
    let mut headers = Headers::new();
    for pair in list.as_array().expect("headers.json is a list") {
        let value = match &pair[1] {
            Value::Null => None,
            Value::String(text) => Some(Bytes::copy_from_slice(text.as_bytes())),
            tagged => {
                use base64::Engine;
                let text = tagged["$bytes"].as_str().expect("a header's value is text, null or $bytes");
                Some(base64::engine::general_purpose::STANDARD.decode(text).unwrap().into())
            }
        };
        headers.push(pair[0].as_str().unwrap(), value);
    }
    headers
}

/// Both as shown: what the model's fields are, and what the fixture says.
fn shown(value: &Value) -> String {
    value.to_string()
}

fn check(registry: &Registry, case: &Path) {
    let content = part(case, "content").expect("content.*");
    let headers = headers(case);
    let expected = Value::from_json(std::str::from_utf8(&part(case, "model").unwrap()).unwrap()).unwrap();
    let decoded = registry.decode(&headers, (&content).into());
    if let Some(kind) = expected["error"].as_str() {
        assert_eq!(decoded.unwrap_err().kind().as_str(), kind);
        return;
    }
    let decoded = decoded.unwrap();
    assert_eq!(decoded.model.format(), expected["format"].as_str().unwrap());
    assert_eq!(decoded.route.as_str(), expected["route"].as_str().unwrap());
    assert_eq!(shown(&decoded.model.fields().unwrap()), shown(&expected["model"]));

    let again = decoded.model.encode().unwrap();
    match part(case, "encoded") {
        None => assert_eq!(again, content, "encoding gives other bytes than were read"),
        Some(other) => {
            assert_eq!(again, other, "encoding gives other bytes than encoded.*");
            assert!(case.join("why.txt").is_file(), "encoded.* wants a why.txt");
        }
    }
    let model = registry.require(decoded.model.format()).unwrap();
    let twice = model.decode((&again).into()).unwrap();
    assert_eq!(shown(&twice.fields().unwrap()), shown(&decoded.model.fields().unwrap()), "the second time round");

    let file = part(case, "file").unwrap_or_else(|| again.clone());
    let loaded = model.load((&file).into()).unwrap();
    assert_eq!(shown(&loaded.fields().unwrap()), shown(&expected["model"]), "loaded from its file form");
    assert_eq!(decoded.model.dump().unwrap(), file, "dumped");
}

#[test]
fn every_fixture_comes_round() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    let (mut all, registry) = (Vec::new(), registry());
    cases(&root, &mut all);
    assert!(!all.is_empty(), "no fixtures under {}", root.display());
    let mut failed = 0;
    for case in &all {
        if std::panic::catch_unwind(|| check(&registry, case)).is_err() {
            eprintln!("^ in {}", case.strip_prefix(&root).unwrap().display());
            failed += 1;
        }
    }
    assert_eq!(failed, 0, "{failed} of {} fixtures failed", all.len());
}

#[test]
fn no_truncation_and_no_flipped_byte_panics() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    let (mut all, registry) = (Vec::new(), registry());
    cases(&root, &mut all);
    for case in &all {
        let content = part(case, "content").unwrap();
        for model in &registry {
            for end in 0..content.len().min(3000) {
                let _outcome = model.decode(content[..end].into());
                let _outcome = model.load(content[..end].into());
            }
            let mut bytes = content.to_vec();
            // A fixed sequence, so that a failure comes again.
            let mut state = 0x9E37_79B9_7F4A_7C15_u64;
            for _ in 0..2000 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                if bytes.is_empty() {
                    break;
                }
                let at = (state >> 33) as usize % bytes.len();
                let was = std::mem::replace(&mut bytes[at], (state >> 17) as u8);
                let _outcome = model.decode(bytes.as_slice().into());
                let _outcome = model.load(bytes.as_slice().into());
                bytes[at] = was;
            }
        }
    }
}
