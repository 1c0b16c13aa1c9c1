//! The schema of VOEvent 2.0, judged by lxml: what the builder builds is valid, and `VoEvent::validate` says what lxml says.
//!
//! `tests/interop/setup` makes the environment, with lxml and the schema in it. The random events are the same each time;
//! `HOP_TEST_SEED` gives others.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::print_stderr)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hop_core::MessageModel;
use hop_core::sky::Frame;
use hop_models::VoEvent;
use hop_models::voevent::{Cite, NewGroup, NewParam, Observation, Role};
use jiff::Timestamp;

/// The interpreter, the script and the package with the schema; `None`, said aloud, where the environment is not made.
fn judge() -> Option<(PathBuf, PathBuf, PathBuf)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let python = root.join("target/interop/venv/bin/python");
    let package = std::fs::read_dir(root.join("target/interop/schema")).ok().and_then(|mut files| files.next()?.ok());
    match package {
        Some(package) if python.is_file() => Some((python, root.join("tests/interop/schema.py"), package.path())),
        _ => {
            eprintln!("SKIPPED: run tests/interop/setup first");
            assert!(std::env::var_os("HOP_TEST_REQUIRE").is_none(), "HOP_TEST_REQUIRE is set and there is no lxml");
            None
        }
    }
}

/// What lxml finds wrong with each event, empty for a valid one.
fn judged(events: &[String]) -> Option<Vec<String>> {
    let (python, script, package) = judge()?;
    let input: String = events.iter().map(|event| format!("{}\n", serde_json::Value::from(event.as_str()))).collect();
    let mut child =
        Command::new(python).arg(script).arg(package).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    let lines = String::from_utf8(output.stdout).unwrap();
    let verdicts: Vec<String> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(verdicts.len(), events.len());
    Some(verdicts)
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    /// Random numbers for a test of its own number; others where `HOP_TEST_SEED` is set.
    fn of(test: u64) -> Self {
        let seed =
            std::env::var("HOP_TEST_SEED").ok().map(|seed| seed.parse::<u64>().expect("HOP_TEST_SEED is a number"));
        Self(seed.map_or(test, |seed| seed.wrapping_add(test << 32)))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn pick<T: Clone>(&mut self, these: &[T]) -> T {
        these[self.below(these.len())].clone()
    }
}

const TEXTS: [&str; 12] = [
    "",
    "a",
    "A & B <c> \"d\"",
    " spaced ",
    "line\nbreak\r\nand\ttab",
    "Zoë",
    "]]>",
    "\u{1F52D}",
    "%",
    "a b",
    "\u{1F52D}b",
    "0.5",
];
const URIS: [&str; 16] = [
    "ivo://a/b#c",
    "https://example.org/?a=1&b=2",
    "",
    "a b",
    "%zz",
    "a%20b",
    "1:a",
    "a:b",
    "http://host:port/",
    "http://[::1]:80/x#y",
    "a#b#c",
    "é/{x}",
    "mailto:x@example.org",
    "ivo://a/b#2026-01-31T04:05:06_17",
    "http://[::1",
    "a?[x]",
];

fn number(dice: &mut Dice) -> f64 {
    dice.pick(&[0.0, 1.0, -1.5, 1e-7, 1e300, f64::NAN, f64::INFINITY, 89.9, 0.1 + 0.2, -90.0, 359.99, 91.0])
}

/// A URI, and now and then what may not be one.
fn uri(dice: &mut Dice) -> &'static str {
    if dice.one_in(4) { dice.pick(&URIS) } else { URIS[0] }
}

fn time(dice: &mut Dice) -> Timestamp {
    let times = [
        "2026-01-31T04:05:06.25Z",
        "-000001-01-01T00:00:00Z",
        "0000-06-01T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "9999-01-01T00:00:00Z",
    ];
    if dice.one_in(8) { dice.pick(&times) } else { times[0] }.parse().unwrap()
}

fn param(dice: &mut Dice) -> NewParam {
    let mut param = if dice.one_in(2) {
        NewParam::new(dice.pick(&TEXTS), number(dice))
    } else {
        NewParam::new(dice.pick(&TEXTS), dice.pick(&TEXTS))
    };
    if dice.one_in(2) {
        param = param.unit(dice.pick(&TEXTS)).ucd(dice.pick(&TEXTS));
    }
    if dice.one_in(3) {
        param = param
            .data_type(dice.pick(&["string", "int", "float", "float", "int", "string", "int", "double"]))
            .description(dice.pick(&TEXTS));
    }
    param
}

/// A random event, or why it was refused.
fn random(dice: &mut Dice) -> Result<VoEvent, hop_core::Error> {
    let role = dice.pick(&[
        Role::Test,
        Role::Observation,
        Role::Prediction,
        Role::Utility,
        Role::Test,
        Role::Other("x".into()),
    ]);
    let ivorn = if dice.one_in(12) { dice.pick(&URIS).to_owned() } else { "ivo://a/b#c".to_owned() };
    let mut builder = VoEvent::builder(ivorn, role);
    // Most parts are left out of most events, so that many are not refused.
    if dice.one_in(3) {
        builder = builder.author_ivorn(uri(dice));
    }
    if dice.one_in(2) {
        builder = builder.date(time(dice));
    }
    for add in [
        VoEventBuilder::title as fn(VoEventBuilder, &'static str) -> VoEventBuilder,
        VoEventBuilder::short_name,
        VoEventBuilder::contact_name,
        VoEventBuilder::contact_email,
        VoEventBuilder::how_description,
        VoEventBuilder::concept,
        VoEventBuilder::name,
        VoEventBuilder::description,
    ] {
        if dice.one_in(4) {
            builder = add(builder, dice.pick(&TEXTS));
        }
    }
    for _ in 0..dice.below(3) {
        builder = builder.param(param(dice));
    }
    if dice.one_in(3) {
        let mut group = NewGroup::new(dice.pick(&TEXTS));
        for _ in 0..dice.below(9) {
            group = group.param(param(dice));
        }
        builder = builder.group(if dice.one_in(2) { group.kind(dice.pick(&TEXTS)).description("d") } else { group });
    }
    if dice.one_in(2) {
        let mut observation = Observation::new(time(dice), number(dice), number(dice), number(dice));
        if !dice.one_in(6) {
            observation = Observation::new(time(dice), 150.5, -2.25, 0.01);
        }
        if dice.one_in(3) {
            observation = observation.time_error(number(dice)).observatory(dice.pick(&TEXTS));
        }
        builder = builder.observation(observation.frame(dice.pick(&[
            Frame::Icrs,
            Frame::J2000,
            Frame::J2000,
            Frame::Icrs,
            Frame::Icrs,
            Frame::B1950,
        ])));
    }
    if dice.one_in(5) {
        builder = builder.how_reference(uri(dice)).reference(uri(dice));
    }
    if dice.one_in(3) {
        builder = builder.importance(number(dice));
    }
    if dice.one_in(4) {
        builder = builder.expires(time(dice));
    }
    if dice.one_in(3) {
        let cites =
            [Cite::Followup, Cite::Supersedes, Cite::Retraction, Cite::Followup, Cite::Other("see-also".into())];
        builder = builder.citation(dice.pick(&cites), dice.pick(&URIS));
    }
    builder.build()
}

use hop_models::voevent::Builder as VoEventBuilder;

#[test]
fn what_the_builder_builds_is_valid_by_the_public_schema() {
    let mut dice = Dice::of(1);
    let all: Vec<_> = (0..4000).map(|_| random(&mut dice)).collect();
    let built: Vec<String> =
        all.iter().flatten().map(|event| String::from_utf8(event.as_bytes().to_vec()).unwrap()).collect();
    let Some(verdicts) = judged(&built) else { return };
    println!("{} of 4000 events built, {} refused", built.len(), 4000 - built.len());
    assert!(built.len() > 500, "{} built", built.len());
    for (event, verdict) in built.iter().zip(&verdicts) {
        assert_eq!(verdict, "", "{event}");
    }
}

/// Names and values that mutants are given.
const NAMES: [&str; 20] = [
    "Who",
    "What",
    "Param",
    "Group",
    "Why",
    "Name",
    "Concept",
    "Description",
    "Reference",
    "TD",
    "Value2",
    "C1",
    "Time",
    "Inference",
    "Citations",
    "EventIVORN",
    "Author",
    "title",
    "Error2Radius",
    "x",
];

/// A valid event with something changed in its text.
fn mutant(dice: &mut Dice, event: &str) -> String {
    let places = |pattern: &str| event.match_indices(pattern).map(|(at, _)| at).collect::<Vec<_>>();
    let lines: Vec<&str> = event.lines().collect();
    let whole = |lines: Vec<&str>| lines.join("\n");
    match dice.below(8) {
        // A line less, twice, or elsewhere.
        0 => {
            let at = dice.below(lines.len());
            whole(lines.iter().enumerate().filter(|(line, _)| *line != at).map(|(_, line)| *line).collect())
        }
        1 => {
            let (mut lines, at) = (lines.clone(), dice.below(lines.len()));
            lines.insert(at, lines[at]);
            whole(lines)
        }
        2 => {
            let (mut lines, from, to) = (lines.clone(), dice.below(lines.len()), dice.below(lines.len()));
            let line = lines.remove(from);
            lines.insert(to.min(lines.len()), line);
            whole(lines)
        }
        // An element of another name, where it is closed in the same line.
        3 => {
            let at = dice.below(lines.len());
            let line = lines[at].trim_start();
            let end = line.find([' ', '>', '/']).unwrap_or(line.len());
            let name = line.get(1..end).unwrap_or_default().to_owned();
            if name.is_empty() || name.starts_with(['?', '/']) {
                return event.to_owned();
            }
            let new = dice.pick(&NAMES);
            let replaced = lines[at]
                .replace(&format!("<{name}"), &format!("<{new}"))
                .replace(&format!("</{name}>"), &format!("</{new}>"));
            let mut lines = lines.clone();
            lines[at] = &replaced;
            whole(lines)
        }
        // An attribute of another name or value.
        4 | 5 => {
            let quotes = places("=\"");
            let at = dice.pick(&quotes);
            let end = event[at + 2..].find('"').map_or(event.len(), |end| at + 2 + end);
            let value = dice.pick(&[
                "",
                "x",
                "1",
                "-1",
                "NaN",
                "2.0",
                "int",
                "double",
                "test",
                "UTC-FK5-GEO",
                "a b",
                "%zz",
                "2026-01-01T00:00:00",
            ]);
            format!("{}{value}{}", &event[..at + 2], &event[end..])
        }
        6 => {
            let at = dice.pick(&places("=\""));
            let start = event[..at].rfind(' ').unwrap_or(0);
            let name = dice.pick(&["id", "name", "uri", "x", "xmlns", "xml:lang", "cite", "unit"]);
            format!("{} {name}{}", &event[..start], &event[at..])
        }
        // Text in the place of text or of elements.
        _ => {
            let at = dice.pick(&places(">"));
            let text = dice.pick(&[
                "x",
                " ",
                "1.5",
                "<x/>",
                "<!-- c -->",
                "<Description/>",
                "<Description>d</Description>",
                "NaN",
            ]);
            format!("{}{text}{}", &event[..=at], &event[at + 1..])
        }
    }
}

#[test]
fn validate_says_of_mutants_what_lxml_says() {
    let mut dice = Dice::of(2);
    let valid: Vec<String> = std::iter::repeat_with(|| random(&mut dice))
        .flatten()
        .map(|event| String::from_utf8(event.as_bytes().to_vec()).unwrap())
        .filter(|event| event.len() > 300)
        .take(400)
        .collect();
    let mut mutants = Vec::new();
    while mutants.len() < 2000 {
        let event = dice.pick(&valid);
        let mutant = mutant(&mut dice, &event);
        // Documents that are not well formed are none of the schema's business.
        if mutant != event && VoEvent::decode(mutant.as_bytes().into()).is_ok() {
            mutants.push(mutant);
        }
    }
    let Some(verdicts) = judged(&mutants) else { return };
    // Documents that libxml2 does not read have no verdict: namespaces that are not declared, and versions of XML that our
    // reader does not look at.
    let unread = verdicts.iter().filter(|verdict| verdict.starts_with("not XML")).count();
    assert!(unread < 200, "{unread}");
    let invalid = verdicts.iter().filter(|verdict| !verdict.is_empty()).count();
    println!("{invalid} of 2000 mutants are not valid, {unread} of them not XML for libxml2");
    assert!((500..1950).contains(&invalid), "{invalid}");
    let differ: Vec<String> = mutants
        .iter()
        .zip(&verdicts)
        .filter_map(|(mutant, verdict)| {
            let ours = VoEvent::decode(mutant.as_bytes().into()).unwrap().validate();
            let differ = ours.is_empty() != verdict.is_empty() && !verdict.starts_with("not XML");
            differ.then(|| format!("lxml: {verdict:?}, ours: {:?}\n{mutant}", ours.first()))
        })
        .collect();
    assert!(differ.is_empty(), "{} differ, such as {}", differ.len(), differ[..differ.len().min(3)].join("\n"));
}
