//! Real messages, and what hop-client makes of them: `../shared/corpus`, where it is there.
//!
//! A file that hop-client loads and does not mangle must give the same fields here. Counts are printed by format:
//! `cargo test -p hop-models --test corpus -- --nocapture`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::print_stderr)]

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hop_core::{Content, Limits, MessageModel, Registry, Value, json};

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

/// VOEvents that hop-client refuses, and a sensible decoding of them: local names, namespace declarations dropped.
#[test]
fn voevents_that_hop_client_refuses_are_read_as_suggested() {
    let Some(corpus) = corpus() else { return };
    let mut all = Vec::new();
    files(&corpus.join("files/voevent"), &mut all);
    let mut read = 0;
    for path in all {
        let name = path.file_name().unwrap().to_str().unwrap();
        let Some(expected) = read_json(&corpus.join("expected/voevent").join(format!("{name}.json"))) else { continue };
        let Some(suggested) = expected["suggested"]["fields"].as_object() else { continue };
        let content = fs::read(&path).unwrap();
        let event = hop_models::VoEvent::load(content.as_slice().into()).unwrap();
        let mut fields = event.fields().unwrap();
        // What is missing has its default here, and `id` stands for a missing `ivorn`.
        if let Value::Object(fields) = &mut fields {
            let defaults: Vec<String> =
                fields.iter().map(|(key, _)| key.to_string()).filter(|key| suggested.get(key).is_none()).collect();
            for key in defaults {
                let value = fields.remove(&key).unwrap();
                let of_id = key == "ivorn" && value == suggested.get("_extra").unwrap()["id"];
                assert!(of_id || value.as_object().is_some_and(|object| object.is_empty()), "{name}: {key} is {value}");
            }
        }
        assert_eq!(difference("", &fields, &Value::Object(suggested.clone())), None, "{name}");
        assert_eq!(event.encode().unwrap(), content, "{name}");
        read += 1;
    }
    println!("voevent: {read} read as suggested");
    assert!(read > 0);
}

/// An element as xmltodict has it, by local name, from another reader of XML.
fn by_local_name(element: roxmltree::Node<'_, '_>) -> Value {
    let mut entries: Vec<(String, Vec<Value>)> = Vec::new();
    let mut push = |name: &str, value: Value| match entries.iter_mut().find(|(other, _)| other == name) {
        Some((_, values)) => values.push(value),
        None => entries.push((name.to_owned(), vec![value])),
    };
    for attribute in element.attributes().filter(|attribute| attribute.namespace().is_none()) {
        push(attribute.name(), attribute.value().into());
    }
    for child in element.children().filter(roxmltree::Node::is_element) {
        push(child.tag_name().name(), by_local_name(child));
    }
    let text: String = element.children().filter(roxmltree::Node::is_text).filter_map(|node| node.text()).collect();
    match (entries.is_empty(), text.trim()) {
        (true, "") => return Value::Null,
        (true, text) => return text.into(),
        (false, "") => {}
        (false, text) => entries.push(("#text".to_owned(), vec![text.into()])),
    }
    Value::object(entries.into_iter().map(|(name, mut values)| {
        let one = if values.len() == 1 { values.pop() } else { None };
        (name, one.unwrap_or(Value::Array(values)))
    }))
}

/// VOEvents that hop-client loads and mangles: by local name nothing is missing, and the order of the document is there.
#[test]
fn voevents_that_hop_client_mangles_lose_nothing() {
    let Some(corpus) = corpus() else { return };
    let (mut ordered, mut leaked) = (0, 0);
    let table = fs::read_to_string(corpus.join("HOP_MANGLES.tsv")).unwrap();
    for line in table.lines().filter(|line| line.starts_with("voevent/")) {
        let name = line.split('\t').next().unwrap();
        let content = fs::read(corpus.join("files").join(name)).unwrap();
        let event = hop_models::VoEvent::load(content.as_slice().into()).unwrap();
        assert_eq!(event.encode().unwrap(), content, "{name}");
        let document = roxmltree::Document::parse(std::str::from_utf8(&content).unwrap()).unwrap();
        let mut fields = event.fields().unwrap();
        let all = by_local_name(document.root_element());
        // Beside what is in the document there are the defaults.
        if let Value::Object(fields) = &mut fields {
            for (key, value) in fields.clone() {
                if value.as_object().is_some_and(hop_core::Object::is_empty) && all.get(&key.to_string()).is_none() {
                    fields.remove(&key.to_string());
                }
            }
        }
        assert_eq!(difference("", &fields, &all), None, "{name}");
        if line.contains("order lost") {
            let what = document.root_element().children().find(|node| node.tag_name().name() == "What").unwrap();
            let theirs: Vec<String> = what
                .descendants()
                .filter(|node| node.is_element() && *node != what)
                .map(|node| format!("{} {:?}", node.tag_name().name(), node.attribute("name")))
                .collect();
            let ours: Vec<String> = event
                .what()
                .unwrap()
                .element()
                .descendants()
                .map(|element| format!("{} {:?}", element.name(), element.attribute("name").as_deref()))
                .collect();
            assert_eq!(ours, theirs, "{name}");
            ordered += 1;
        }
        if line.contains("differs from local-name decoding") {
            leaked += 1;
        }
    }
    println!("voevent: order kept in {ordered}, local names in {leaked} that hop-client mangles");
    assert!(ordered > 0 && leaked > 0);
}
