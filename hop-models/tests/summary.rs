//! The summary of every message that there is: tables that are kept in the book and in the page on VOEvent's missions.
//!
//! Each part of a table is held to what is read now where its messages are at hand: the fixtures always, the corpus and the
//! examples of GCN's schemas where they are. `HOP_BLESS=1` writes the parts that are at hand.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

use std::fs;
use std::path::{Path, PathBuf};

use hop_core::summary::{Direction, Summary};
use hop_core::{AnyModel, JsonBlob, MessageModel};
use hop_models::{AvroBlob, Circular, GcnNotice, GwAlert, TextNotice, VoEvent, summary};

#[path = "support/corpus.rs"]
mod corpus;

const BOOK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/src/summaries.md");
const MISSIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/voevent/MISSIONS.md");
const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures");

type Load = fn(&[u8]) -> Option<Box<dyn AnyModel>>;

fn load<M: MessageModel>(content: &[u8]) -> Option<Box<dyn AnyModel>> {
    M::load(content.into()).ok().map(|model| Box::new(model) as Box<dyn AnyModel>)
}

/// JSON as the rules for topics have it read: an alert of gravitational waves, a notice of GCN's, or any JSON.
fn load_json(content: &[u8]) -> Option<Box<dyn AnyModel>> {
    let schema =
        JsonBlob::load(content.into()).ok()?.content.get("$schema").and_then(|url| url.as_str()).map(str::to_owned);
    match schema {
        Some(url) if url.contains("/gcn/notices/") => load::<GcnNotice>(content),
        _ => load::<GwAlert>(content).or_else(|| load::<JsonBlob>(content)),
    }
}

fn load_avro(content: &[u8]) -> Option<Box<dyn AnyModel>> {
    load::<GwAlert>(content).or_else(|| load::<AvroBlob>(content))
}

/// A part of the table in the book: its title, its folder and how its messages are read.
struct Part {
    title: &'static str,
    folder: PathBuf,
    load: Load,
}

/// The parts whose messages are at hand.
fn parts() -> Vec<Part> {
    let mut parts = Vec::new();
    for (title, folder, load) in [
        ("Fixtures: VOEvents", "voevent", load::<VoEvent> as Load),
        ("Fixtures: text notices", "gcntextnotice", load::<TextNotice>),
        ("Fixtures: circulars", "circular", load::<Circular>),
    ] {
        parts.push(Part { title, folder: Path::new(FIXTURES).join(folder), load });
    }
    if let Some(corpus) = corpus::corpus() {
        for (title, folder, load) in [
            ("Real VOEvents", "voevent", load::<VoEvent> as Load),
            ("Real text notices", "gcn-text", load::<TextNotice>),
            ("Real circulars", "circular", load::<Circular>),
            ("Real notices in JSON", "json", load_json),
            ("Real alerts of gravitational waves in Avro", "avro/lvk", load_avro),
        ] {
            parts.push(Part { title, folder: corpus.join("files").join(folder), load });
        }
    }
    match std::env::var_os("HOP_GCN_SCHEMA") {
        Some(folder) => {
            let folder = Path::new(&folder).join("gcn/notices");
            parts.push(Part { title: "Examples of GCN's schemas", folder, load: load_json });
        }
        None => {
            assert!(std::env::var_os("HOP_TEST_REQUIRE").is_none(), "HOP_GCN_SCHEMA is not set");
            eprintln!("SKIPPED: HOP_GCN_SCHEMA names no folder of the package @nasa-gcn/schema");
        }
    }
    parts
}

fn number(number: Option<f64>) -> String {
    number.map_or(String::new(), |number| format!("{number:.4e}"))
}

/// Where it was, with its region and how sure that is.
fn place(summary: &Summary) -> String {
    let at = match summary.direction {
        Direction::At(at) => at,
        Direction::NotOnSky => return "not on the sky".to_owned(),
        _ if summary.sky_map.is_some() => return "in its sky map".to_owned(),
        _ => return String::new(),
    };
    let region = at.region().map_or(String::new(), |region| {
        let confidence =
            region.confidence().map_or(String::new(), |confidence| format!(" ({:.0} %)", confidence * 100.0));
        format!(" within {:.5}{confidence}", region.radius())
    });
    format!("{:.5}, {:.5}{region}", at.ra(), at.dec())
}

fn flags(summary: &Summary) -> String {
    let cites = match summary.cites.len() {
        0 => String::new(),
        count => format!("cites {count}"),
    };
    let flags = [
        if summary.is_test { "test" } else { "" },
        if summary.is_retraction { "retraction" } else { "" },
        if summary.sky_map.is_some() { "sky map" } else { "" },
        &cites,
    ];
    flags.into_iter().filter(|flag| !flag.is_empty()).collect::<Vec<_>>().join(", ")
}

const HEAD: &str = "| message | kind | event | instrument | time | position | importance | false alarms, Hz | flags | title | not read |\n\
                    |---|---|---|---|---|---|---|---|---|---|---|\n";

fn row(name: &str, model: &dyn AnyModel) -> String {
    let summary = summary::of(model);
    let cells = [
        name.to_owned(),
        summary.kind.clone(),
        summary.names.join(", "),
        summary.instrument.clone().unwrap_or_default(),
        summary.time.map_or(String::new(), |time| time.to_string()),
        place(&summary),
        summary.importance.map_or(String::new(), |importance| importance.to_string()),
        number(summary.false_alarm_rate),
        flags(&summary),
        summary.title(),
        summary.problems.join("; "),
    ];
    let plain = |cell: String| {
        let cell: String = cell.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        cell.trim().replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;").replace('`', "'").replace('[', "\\[")
    };
    format!("| {} |\n", cells.map(plain).join(" | "))
}

/// Whether a file of a fixture is its message, and not what is to come out of it.
fn is_message(path: &Path, file: &str) -> bool {
    let stem = file.split('.').next().unwrap_or_default();
    let has_content = || {
        let mut files = fs::read_dir(path.parent().unwrap()).unwrap();
        files.any(|other| other.unwrap().file_name().to_string_lossy().starts_with("content."))
    };
    stem == "content" || (stem == "file" && !has_content())
}

/// The messages of a part, by their names, in order.
fn messages(part: &Part) -> Vec<(String, Box<dyn AnyModel>)> {
    let mut paths = Vec::new();
    corpus::files(&part.folder, &mut paths);
    let mut found = Vec::new();
    for path in paths {
        let name = path.strip_prefix(&part.folder).unwrap().to_string_lossy().into_owned();
        // Of a fixture, the message and not what is to come out of it; of GCN's package, the examples.
        let file = path.file_name().unwrap().to_string_lossy();
        let is_part = match part.title {
            title if title.starts_with("Fixtures") => is_message(&path, &file),
            "Examples of GCN's schemas" => file.ends_with(".example.json"),
            _ => true,
        };
        if !is_part {
            continue;
        }
        if let Some(model) = (part.load)(&fs::read(&path).unwrap()) {
            found.push((name, model));
        }
    }
    found
}

/// Holds the text between two lines of a page to what it is now, or writes it where that is asked for.
fn hold(page: &Path, begin: &str, end: &str, now: &str) {
    let text = fs::read_to_string(page).unwrap_or_default();
    let start = text.find(begin).map(|at| at + begin.len());
    let kept = start.and_then(|start| Some((start, start + text.get(start..)?.find(end)?)));
    let (start, stop) = kept.unwrap_or_else(|| panic!("{} has no {begin:?}", page.display()));
    if std::env::var_os("HOP_BLESS").is_some() {
        fs::write(page, format!("{}{now}{}", &text[..start], &text[stop..])).unwrap();
        return;
    }
    let kept: Vec<&str> = text[start..stop].lines().collect();
    for (at, line) in now.lines().enumerate() {
        assert_eq!(kept.get(at).copied(), Some(line), "{}: HOP_BLESS=1 writes what it is now", page.display());
    }
    assert_eq!(kept.len(), now.lines().count(), "{}", page.display());
}

/// A sender of real VOEvents, and a message of its own in the corpus.
const SENDERS: [(&str, &str); 22] = [
    ("Swift BAT", "voeventparse-SWIFT-bat-pos-v2.0.xml"),
    ("Swift XRT", "voeventparse-SWIFT-xrt-pos-v1.1-crlf.xml"),
    ("Swift UVOT", "tracet-swift-uvot-noprefix.xml"),
    ("Swift BAT light curve", "tb-swift-bat-lc.xml"),
    ("Swift pointing", "hop-legacy-voevent-as-json.json"),
    ("Fermi GBM alert", "tracet-fermi-538809001-do-not-work.xml"),
    ("Fermi GBM", "gnp-fermi-gbm-fin.xml"),
    ("Fermi LAT", "gnp-fermi-lat-diag.xml"),
    ("INTEGRAL", "gwcelery-integral.xml"),
    ("LIGO, Virgo, KAGRA", "hop-S200302c-preliminary.xml"),
    ("LIGO, Virgo, KAGRA: retraction", "lvk-MS181101ab-5-Retraction.xml"),
    ("IceCube through AMON", "skyportal-AMON.xml"),
    ("IceCube cascade", "finkmm-icecube-825.xml"),
    ("MAXI, known source", "tracet-maxi-known-ATMic.xml"),
    ("AGILE", "derived-crlf.xml"),
    ("SNEWS", "gwcelery-snews.xml"),
    ("KONUS", "gcnclassic-KONUS_LC.xml"),
    ("IPN, raw", "gcnclassic-IPN_RAW.xml"),
    ("GECAM", "tb-gecam-gnd.xml"),
    ("MOA", "tb-moa.xml"),
    ("Gaia through 4 Pi Sky", "4pisky-Gaia16ajo.xml"),
    ("Parkes FRBs", "frb-FRB140514-detection-stripped.xml"),
];

#[test]
fn every_sender_of_voevents_has_the_summary_of_its_page() {
    let mut fixtures = format!("\n\n{HEAD}");
    for name in ["v2.0/prefixed", "v1.1/stc-namespace", "v1.0/simple-wherewhen", "v2.0/citations"] {
        let content = fs::read(Path::new(FIXTURES).join("voevent").join(name).join("content.xml")).unwrap();
        fixtures.push_str(&row(name, load::<VoEvent>(&content).unwrap().as_ref()));
    }
    fixtures.push('\n');
    hold(Path::new(MISSIONS), "Events made for the project:", "<!-- end -->", &fixtures);
    let Some(corpus) = corpus::corpus() else { return };
    let mut senders = format!("\n\n{HEAD}");
    for (sender, file) in SENDERS {
        let content = fs::read(corpus.join("files/voevent").join(file)).unwrap();
        senders.push_str(&row(sender, load::<VoEvent>(&content).unwrap().as_ref()));
    }
    senders.push('\n');
    hold(Path::new(MISSIONS), "One event of each sender:", "<!-- end -->", &senders);
}

#[test]
fn every_message_has_the_summary_of_the_book() {
    for part in parts() {
        let mut table = format!("\n\n{HEAD}");
        let mut count = 0;
        for (name, model) in messages(&part) {
            // JSON of other kinds has none.
            if summary::of(model.as_ref()).kind == "json" {
                continue;
            }
            table.push_str(&row(&name, model.as_ref()));
            count += 1;
        }
        assert!(count > 0, "{}", part.folder.display());
        table.push('\n');
        hold(Path::new(BOOK), &format!("## {}", part.title), "<!-- end -->", &table);
    }
}
