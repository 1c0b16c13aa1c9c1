//! What a model's tests need: fixtures read from a folder and held to the model, and the same fixtures broken on purpose.
//!
//! A fixture is a folder with these files, at any depth below the folder that a test asks for:
//!
//! | file | what it is |
//! |---|---|
//! | `content.*` | the wire form, byte for byte: what a Kafka record carries |
//! | `headers.json` | its headers, a list of `[name, value]`; a value is text, `null`, or `{"$bytes": "<base64>"}`. Left out: none |
//! | `model.json` | what must come out: `{"format", "route", "model"}`, `model` as its fields are shown; or `{"error": kind}` |
//! | `file.*` | the file form, where it is not the wire form |
//! | `encoded.*` | what encoding the model again gives, where that is not `content.*`; `why.txt` beside it says the reason |
//!
//! A crate of models holds its own to theirs in two tests:
//!
//! ```
//! use hop_core::{Registry, testing};
//!
//! const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");
//!
//! #[test]
//! fn every_fixture_comes_round() -> Result<(), testing::Failures> {
//!     testing::round_trips(FOLDER, Registry::linked()?)?;
//!     Ok(())
//! }
//!
//! #[test]
//! fn no_broken_content_panics() -> Result<(), testing::Failures> {
//!     testing::survives(FOLDER, Registry::linked()?)?;
//!     Ok(())
//! }
//! ```
//!
//! What holds for any content at all, fixture or not, is [`check`]: property tests and fuzzers call it.

// The tests shown are another crate's.
#![allow(clippy::test_attr_in_doctest)]

use std::fmt;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use crate::{AnyModel, Content, Error, Headers, Limits, Registration, Registry, Value};

/// Content longer than this is cut at fewer places by [`survives`].
const MOST_CUTS: usize = 3000;

/// How many bytes of each content [`survives`] changes, one at a time.
const FLIPS: usize = 2000;

/// Holds each fixture below `folder` to the models of `registry`; how many there were.
///
/// Each is decoded by the ladder and must give the format, the route and the fields of its `model.json`, or the error
/// that stands there. The model is encoded, which gives `content.*` again (or `encoded.*`); decoded once more, which gives
/// the same fields; and goes through its file form and back.
///
/// # Errors
/// All that went wrong, case by case. A folder without a fixture is an error too.
pub fn round_trips(folder: impl AsRef<Path>, registry: &Registry) -> Result<usize, Failures> {
    each(folder.as_ref(), |case| case.check(registry))
}

/// Feeds each model of `registry` the content of each fixture below `folder`, cut short and with bytes changed; how many
/// fixtures there were.
///
/// An error is a good answer, and so is another model. A panic is not. What is changed is the same in each run.
///
/// # Errors
/// The models that panicked, with the content that made them.
pub fn survives(folder: impl AsRef<Path>, registry: &Registry) -> Result<usize, Failures> {
    each(folder.as_ref(), |case| {
        let content = case.require("content")?;
        registry.iter().try_for_each(|model| survive(model, &content))
    })
}

/// What became of content that [`check`] was given, read as the wire form and as the file form; `None` where `model` refused it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Checked {
    /// Of the model that it decoded to.
    pub decoded: Option<Rounds>,
    /// Of the model that it loaded to.
    pub loaded: Option<Rounds>,
}

/// How the fields of a model came through its two forms and back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rounds {
    /// Encoded and decoded.
    pub wire: Kept,
    /// Dumped and loaded.
    pub file: Kept,
}

/// What a round kept of the fields of a model; the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kept {
    /// All of them, as they were.
    Same,
    /// Other fields, which the next round kept: the model brought them into its own form.
    Settled,
    /// Other fields in each round, or none, because the form was not read again.
    Lost,
}

/// An error's message may be that long: it quotes the content, and never at length.
const LONGEST_MESSAGE: usize = 2000;

/// Holds `model` to what must be true of any content, however broken, read within `limits`:
///
/// - what it refuses, it refuses with a message that a log can take;
/// - what it reads has fields to show, and is encoded and dumped;
/// - what it encoded it decodes, with no more than one change of the fields, and encodes as the same bytes again.
///
/// Whether the fields may change at all depends on the model, so it is the caller who looks at what comes back:
///
/// ```
/// use hop_core::testing::{Kept, check};
/// use hop_core::{JsonBlob, Limits, registration};
///
/// let json = registration!(JsonBlob);
/// let rounds = check(&json, br#"{"far": 1e-9}"#, &Limits::DEFAULT)?.decoded.ok_or("refused")?;
/// assert_eq!(rounds.wire, Kept::Same);
/// assert!(check(&json, b"{far: 1e-9}", &Limits::DEFAULT)?.decoded.is_none());
/// # Ok::<(), String>(())
/// ```
///
/// # Errors
/// What is not true, with the fields or bytes that show it. A model that panics is not caught.
pub fn check(model: &Registration, content: &[u8], limits: &Limits) -> Result<Checked, String> {
    let content = Content::from(content).with_limits(limits);
    let rounds = |read: Result<Box<dyn AnyModel>, Error>| match read {
        Ok(read) => check_model(model, &*read).map(Some),
        Err(error) => check_error(&error).map(|()| None),
    };
    Ok(Checked { decoded: rounds(model.decode(content))?, loaded: rounds(model.load(content))? })
}

/// Holds a model that was read to the promises of [`check`]; `registration` is its own.
///
/// # Errors
/// As there.
pub fn check_model(registration: &Registration, model: &dyn AnyModel) -> Result<Rounds, String> {
    let fields = shown(model)?;
    let encoded = model.encode().map_err(|error| format!("does not encode: {error}"))?;
    let decode = |content: &Bytes| {
        let again = registration.decode(content.into());
        again.map_err(|error| format!("does not decode what it encoded: {error}\n{}", crate::excerpt(content)))
    };
    let again = decode(&encoded)?;
    let encoded_again = again.encode().map_err(|error| format!("does not encode a second time: {error}"))?;
    same_bytes("encoded a second time", &encoded_again, "the first time", &encoded)?;
    let fields_again = shown(&*again)?;
    let wire = if fields_again == fields {
        Kept::Same
    } else {
        same("fields, decoded a second time", &shown(&*decode(&encoded_again)?)?, &fields_again)?;
        Kept::Settled
    };
    let dumped = model.dump().map_err(|error| format!("has no file form: {error}"))?;
    Ok(Rounds { wire, file: file_round(registration, &fields, &dumped)? })
}

fn file_round(registration: &Registration, fields: &str, dumped: &Bytes) -> Result<Kept, String> {
    let Ok(loaded) = registration.load(dumped.into()) else { return Ok(Kept::Lost) };
    let fields_again = shown(&*loaded)?;
    if fields_again == fields {
        return Ok(Kept::Same);
    }
    let dumped_again = loaded.dump().map_err(|error| format!("has no file form a second time: {error}"))?;
    match registration.load((&dumped_again).into()) {
        Ok(loaded) if shown(&*loaded)? == fields_again => Ok(Kept::Settled),
        _ => Ok(Kept::Lost),
    }
}

/// Holds an error to what [`check`] says of messages.
///
/// # Errors
/// The start of a message that is too long.
pub fn check_error(error: &Error) -> Result<(), String> {
    let message = error.to_string();
    if message.len() <= LONGEST_MESSAGE {
        return Ok(());
    }
    Err(format!("a message of {} bytes: {}", message.len(), crate::error::shorten(&message)))
}

fn shown(model: &dyn AnyModel) -> Result<String, String> {
    match model.fields() {
        Ok(fields) => Ok(fields.to_string()),
        Err(error) => Err(format!("has no fields to show: {error}")),
    }
}

/// What went wrong in which fixtures.
///
/// Shown, also by `Debug`, it is a list, so that a test may return it as its error.
#[derive(Clone, Default)]
pub struct Failures {
    cases: usize,
    failed: Vec<(String, String)>,
}

impl Failures {
    /// The cases that failed, by their path below the folder, and why.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.failed.iter().map(|(case, reason)| (case.as_str(), reason.as_str()))
    }

    fn one(case: impl Into<String>, reason: impl fmt::Display) -> Self {
        Self { cases: 0, failed: vec![(case.into(), reason.to_string())] }
    }
}

impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.cases > 0 {
            write!(f, "{} of {} fixtures failed", self.failed.len(), self.cases)?;
        } else {
            f.write_str("the fixtures cannot be tried")?;
        }
        self.iter().try_for_each(|(case, reason)| write!(f, "\n{case}: {reason}"))
    }
}

impl fmt::Debug for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Failures {}

/// A registry that cannot be made.
impl From<crate::Error> for Failures {
    fn from(error: crate::Error) -> Self {
        Self::one(error.subject().to_owned(), &error)
    }
}

/// Tries each fixture below `folder`.
fn each(folder: &Path, check: impl Fn(&Case) -> Result<(), String>) -> Result<usize, Failures> {
    let mut cases = Vec::new();
    find(folder, &mut cases).map_err(|reason| Failures::one(folder.display().to_string(), reason))?;
    if cases.is_empty() {
        return Err(Failures::one(folder.display().to_string(), "no folder with a `model.json`"));
    }
    let mut failures = Failures { cases: cases.len(), failed: Vec::new() };
    for case in cases {
        let outcome = catch_unwind(AssertUnwindSafe(|| check(&case)));
        if let Err(reason) = outcome.unwrap_or_else(|_| Err("a model panicked".into())) {
            let name = case.0.strip_prefix(folder).unwrap_or(&case.0);
            failures.failed.push((name.display().to_string(), reason));
        }
    }
    if failures.failed.is_empty() { Ok(failures.cases) } else { Err(failures) }
}

fn find(folder: &Path, cases: &mut Vec<Case>) -> Result<(), String> {
    let entries = entries(folder)?;
    if entries.iter().any(|path| path.file_name().is_some_and(|name| name == "model.json")) {
        cases.push(Case(folder.to_owned()));
    }
    entries.iter().filter(|path| path.is_dir()).try_for_each(|path| find(path, cases))
}

/// What is in a folder, in the order of the names.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let told = |error| format!("{}: {error}", folder.display());
    let mut entries = fs::read_dir(folder)
        .map_err(told)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(told)?;
    entries.sort();
    Ok(entries)
}

/// The folder of one fixture.
struct Case(PathBuf);

impl Case {
    /// The file of this stem, whatever its extension.
    fn part(&self, stem: &str) -> Result<Option<Bytes>, String> {
        let is_it = |path: &&PathBuf| path.is_file() && path.file_stem().is_some_and(|name| name == stem);
        match entries(&self.0)?.iter().find(is_it) {
            Some(path) => match fs::read(path) {
                Ok(content) => Ok(Some(content.into())),
                Err(error) => Err(format!("{}: {error}", path.display())),
            },
            None => Ok(None),
        }
    }

    fn require(&self, stem: &str) -> Result<Bytes, String> {
        self.part(stem)?.ok_or_else(|| format!("there is no `{stem}.*`"))
    }

    fn json(&self, stem: &str) -> Result<Option<Value>, String> {
        let Some(content) = self.part(stem)? else { return Ok(None) };
        let text = std::str::from_utf8(&content).map_err(|error| format!("{stem}.json: {error}"))?;
        Value::from_json(text).map(Some).map_err(|error| format!("{stem}.json: {error}"))
    }

    fn headers(&self) -> Result<Headers, String> {
        let Some(list) = self.json("headers")? else { return Ok(Headers::new()) };
        let list = list.as_array().ok_or("headers.json: not a list")?;
        let mut headers = Headers::with_capacity(list.len());
        for pair in list {
            let (name, value) = header(pair).ok_or_else(|| {
                format!(
                    r#"headers.json: {pair} is not `[name, value]` with text, null or `{{"$bytes": …}}` as its value"#
                )
            })?;
            headers.push(name, value);
        }
        Ok(headers)
    }

    fn check(&self, registry: &Registry) -> Result<(), String> {
        let content = self.require("content")?;
        let headers = self.headers()?;
        let expected = self.json("model")?.ok_or("there is no `model.json`")?;
        let decoded = registry.decode(&headers, (&content).into());
        if let Some(kind) = expected["error"].as_str() {
            return match decoded {
                Err(error) if error.kind().as_str() == kind => Ok(()),
                Err(error) => Err(format!("expected the error `{kind}`, found `{}`: {error}", error.kind())),
                Ok(decoded) => Err(format!("expected the error `{kind}`, found a model, `{}`", decoded.model.format())),
            };
        }
        let decoded = decoded.map_err(|error| format!("does not decode: {error}"))?;
        same("format", decoded.model.format(), expected["format"].as_str().unwrap_or_default())?;
        same("route", decoded.route.as_str(), expected["route"].as_str().unwrap_or_default())?;
        let fields = shown(&*decoded.model)?;
        same("fields", &fields, &expected["model"].to_string())?;

        let again = decoded.model.encode().map_err(|error| format!("does not encode: {error}"))?;
        match self.part("encoded")? {
            None => same_bytes("encoded", &again, "content.*", &content)?,
            Some(other) => {
                same_bytes("encoded", &again, "encoded.*", &other)?;
                self.part("why")?.ok_or("`encoded.*` wants a `why.txt` beside it")?;
            }
        }
        let model = registry.require(decoded.model.format()).map_err(|error| error.to_string())?;
        let twice = model.decode((&again).into()).map_err(|error| format!("does not decode a second time: {error}"))?;
        same("fields, decoded a second time", &shown(&*twice)?, &fields)?;

        let dumped = decoded.model.dump().map_err(|error| format!("has no file form: {error}"))?;
        match self.part("file")? {
            None => same_bytes("dumped", &dumped, "encoding it", &again)?,
            Some(file) => same_bytes("dumped", &dumped, "file.*", &file)?,
        }
        let loaded =
            model.load((&dumped).into()).map_err(|error| format!("does not load from its file form: {error}"))?;
        same("fields, loaded from the file form", &shown(&*loaded)?, &fields)
    }
}

/// A header as `headers.json` has it.
fn header(pair: &Value) -> Option<(&str, Option<Bytes>)> {
    let [name, value] = pair.as_array()? else { return None };
    let value = match value {
        Value::Null => None,
        Value::String(text) => Some(Bytes::copy_from_slice(text.as_bytes())),
        tagged => Some(STANDARD.decode(tagged["$bytes"].as_str()?).ok()?.into()),
    };
    Some((name.as_str()?, value))
}

fn same(what: &str, found: &str, expected: &str) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    Err(format!("{what}:\n  expected {expected}\n  found    {found}"))
}

fn same_bytes(what: &str, found: &[u8], source: &str, expected: &[u8]) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    let at = found.iter().zip(expected).position(|(a, b)| a != b).unwrap_or_else(|| found.len().min(expected.len()));
    let shown = |bytes: &[u8]| crate::excerpt(bytes.get(at..).unwrap_or_default());
    Err(format!(
        "{what}, not the bytes of {source}; from byte {at}:\n  expected {}\n  found    {}",
        shown(expected),
        shown(found)
    ))
}

fn survive(model: &Registration, content: &[u8]) -> Result<(), String> {
    let attempt = |bytes: &[u8], how: String| {
        let read = || {
            // What comes of it is the model's affair.
            let _ = model.decode(bytes.into());
            let _ = model.load(bytes.into());
        };
        catch_unwind(AssertUnwindSafe(read)).map_err(|_| format!("{model} panics on the content {how}"))
    };
    for end in 0..content.len().min(MOST_CUTS) {
        attempt(&content[..end], format!("cut to {end} bytes"))?;
    }
    if content.is_empty() {
        return Ok(());
    }
    let mut bytes = content.to_vec();
    // A fixed sequence (Knuth's MMIX), so that a failure comes again.
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for _ in 0..FLIPS {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let at = usize::try_from(state >> 33).unwrap_or_default() % bytes.len();
        let [.., byte] = (state >> 17).to_be_bytes();
        let was = std::mem::replace(&mut bytes[at], byte);
        attempt(&bytes, format!("with byte {at} changed from 0x{was:02x} to 0x{byte:02x}"))?;
        bytes[at] = was;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::{Content, Error, MessageModel, registration};

    use super::*;

    /// Text that ends in a full stop, read by a model with faults of its own.
    #[derive(Debug)]
    struct Faulty(String);

    impl MessageModel for Faulty {
        const FORMAT: &'static str = "faulty";

        fn decode(content: Content<'_>) -> Result<Self, Error> {
            let text = content.as_str(Self::FORMAT)?;
            assert!(text.is_empty() || text.ends_with('.'), "a decoder that panics");
            Ok(Self(text.trim_start().to_owned()))
        }

        fn encode(&self) -> Result<Bytes, Error> {
            Ok(self.0.clone().into())
        }

        fn fields(&self) -> Result<Value, Error> {
            Ok(Value::object([("text", self.0.as_str().into())]))
        }
    }

    /// The outcome for one case, of `files`.
    fn outcome(files: &[(&str, &str)]) -> Result<usize, Failures> {
        let folder = tempfile::tempdir().unwrap();
        let case = folder.path().join("era/case");
        fs::create_dir_all(&case).unwrap();
        for (name, content) in files {
            fs::write(case.join(name), content).unwrap();
        }
        let registry = Registry::builder().models([registration!(Faulty)]).build()?;
        round_trips(folder.path(), &registry)
    }

    const HEADERS: (&str, &str) =
        ("headers.json", r#"[["_format", "faulty"], ["raw", {"$bytes": "AP8="}], ["null", null]]"#);
    const MODEL: (&str, &str) =
        ("model.json", r#"{"format": "faulty", "route": "header", "model": {"text": "Nova."}}"#);

    fn reason(files: &[(&str, &str)]) -> String {
        outcome(files).unwrap_err().to_string()
    }

    #[test]
    fn what_is_as_it_says_passes() {
        assert_eq!(outcome(&[("content.txt", "Nova."), HEADERS, MODEL]).unwrap(), 1);
        assert_eq!(
            outcome(&[
                ("content.txt", "{"),
                ("model.json", r#"{"format": "blob", "route": "blob", "model": {"content": {"$bytes": "ew=="}}}"#)
            ])
            .unwrap(),
            1
        );
        let explained =
            [("content.txt", " Nova."), HEADERS, MODEL, ("encoded.txt", "Nova."), ("why.txt", "No indent.")];
        assert_eq!(outcome(&explained).unwrap(), 1);
    }

    #[test]
    fn what_is_not_is_told_with_both_sides() {
        assert_eq!(
            reason(&[("content.txt", "Novae."), HEADERS, MODEL]),
            "1 of 1 fixtures failed\nera/case: fields:\n  expected {\"text\": \"Nova.\"}\n  found    {\"text\": \"Novae.\"}"
        );
        assert_eq!(
            reason(&[("content.txt", " Nova."), HEADERS, MODEL]),
            "1 of 1 fixtures failed\nera/case: encoded, not the bytes of content.*; from byte 0:\n  \
             expected ` Nova.`\n  found    `Nova.`"
        );
        assert_eq!(
            reason(&[("content.txt", " Nova."), HEADERS, MODEL, ("encoded.txt", "Nova.")]),
            "1 of 1 fixtures failed\nera/case: `encoded.*` wants a `why.txt` beside it"
        );
        assert_eq!(
            reason(&[("content.txt", "Nova."), HEADERS, MODEL, ("file.txt", "Nova.\n")]),
            "1 of 1 fixtures failed\nera/case: dumped, not the bytes of file.*; from byte 5:\n  expected `\\n`\n  found    ``"
        );
        assert_eq!(
            reason(&[("content.txt", "Nova."), HEADERS, ("model.json", r#"{"error": "malformed"}"#)]),
            "1 of 1 fixtures failed\nera/case: expected the error `malformed`, found a model, `faulty`"
        );
        assert_eq!(
            reason(&[("content.txt", "Nova"), HEADERS, MODEL]),
            "1 of 1 fixtures failed\nera/case: a model panicked"
        );
        assert_eq!(reason(&[HEADERS, MODEL]), "1 of 1 fixtures failed\nera/case: there is no `content.*`");
        assert_eq!(
            reason(&[("content.txt", "Nova."), MODEL, ("headers.json", "[[1]]")]),
            "1 of 1 fixtures failed\nera/case: headers.json: [1] is not `[name, value]` with text, null or \
             `{\"$bytes\": …}` as its value"
        );
    }

    #[test]
    fn any_content_is_held_to_the_promises() {
        let model = registration!(Faulty);
        let same = Rounds { wire: Kept::Same, file: Kept::Same };
        let both = Checked { decoded: Some(same), loaded: Some(same) };
        assert_eq!(check(&model, b" Nova.", &Limits::DEFAULT), Ok(both));
        assert_eq!(check(&model, b"\xFF", &Limits::DEFAULT), Ok(Checked::default()));
        let error = Error::new(crate::ErrorKind::Invalid, "faulty").found("x".repeat(3000));
        assert!(check_error(&error).unwrap_err().starts_with("a message of 3008 bytes: faulty: xxx"));
    }

    /// Text that grows by a letter each time it is written, and forgets how.
    #[derive(Debug)]
    struct Restless(String);

    impl MessageModel for Restless {
        const FORMAT: &'static str = "restless";

        fn decode(content: Content<'_>) -> Result<Self, Error> {
            Faulty::decode(content).map(|text| Self(text.0))
        }

        fn encode(&self) -> Result<Bytes, Error> {
            Ok(format!("a{}", self.0).into())
        }

        fn fields(&self) -> Result<Value, Error> {
            Ok(Value::object([("text", self.0.as_str().into())]))
        }
    }

    #[test]
    fn a_model_that_does_not_settle_is_told() {
        let reason = check(&registration!(Restless), b"b.", &Limits::DEFAULT).unwrap_err();
        assert_eq!(
            reason,
            "encoded a second time, not the bytes of the first time; from byte 1:\n  expected `b.`\n  found    `ab.`"
        );
    }

    #[test]
    fn no_fixtures_are_no_success() {
        let reason = reason(&[("content.txt", "Nova.")]);
        assert!(reason.ends_with("no folder with a `model.json`"), "{reason}");
    }

    #[test]
    fn a_panic_on_broken_content_is_told_with_the_content() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("content.txt"), "Nova.").unwrap();
        fs::write(folder.path().join("model.json"), "{}").unwrap();
        let registry = Registry::builder().models([registration!(Faulty)]).build().unwrap();
        let failures = survives(folder.path(), &registry).unwrap_err();
        let (_, reason) = failures.iter().next().unwrap();
        assert!(reason.ends_with("panics on the content cut to 1 bytes"), "{reason}");
    }
}
