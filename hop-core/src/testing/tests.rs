//! The kit held to what it says, with models that are wrong on purpose.

use std::fs;

use bytes::Bytes;

use super::{Checked, Failures, Fixtures, Kept, Rounds, check, check_error, conforms, round_trips, survives};
use crate::{Content, Error, Limits, MessageModel, Registry, Value, registration};

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
const MODEL: (&str, &str) = ("model.json", r#"{"format": "faulty", "route": "header", "model": {"text": "Nova."}}"#);

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
    let explained = [("content.txt", " Nova."), HEADERS, MODEL, ("encoded.txt", "Nova."), ("why.txt", "No indent.")];
    assert_eq!(outcome(&explained).unwrap(), 1);
}

#[test]
fn what_is_not_is_told_with_both_sides() {
    assert_eq!(
        reason(&[("content.txt", "Novae."), HEADERS, MODEL]),
        "1 of 1 cases failed\nera/case: fields:\n  expected {\"text\": \"Nova.\"}\n  found    {\"text\": \"Novae.\"}"
    );
    assert_eq!(
        reason(&[("content.txt", " Nova."), HEADERS, MODEL]),
        "1 of 1 cases failed\nera/case: encoded, not the bytes of content.*; from byte 0:\n  \
         expected ` Nova.`\n  found    `Nova.`"
    );
    assert_eq!(
        reason(&[("content.txt", " Nova."), HEADERS, MODEL, ("encoded.txt", "Nova.")]),
        "1 of 1 cases failed\nera/case: `encoded.*` wants a `why.txt` beside it"
    );
    assert_eq!(
        reason(&[("content.txt", "Nova."), HEADERS, MODEL, ("file.txt", "Nova.\n")]),
        "1 of 1 cases failed\nera/case: dumped, not the bytes of file.*; from byte 5:\n  expected `\\n`\n  found    ``"
    );
    assert_eq!(
        reason(&[("content.txt", "Nova."), HEADERS, ("model.json", r#"{"error": "malformed"}"#)]),
        "1 of 1 cases failed\nera/case: expected the error `malformed`, found a model, `faulty`"
    );
    assert_eq!(reason(&[("content.txt", "Nova"), HEADERS, MODEL]), "1 of 1 cases failed\nera/case: a model panicked");
    assert_eq!(reason(&[HEADERS, MODEL]), "1 of 1 cases failed\nera/case: there is no `content.*`");
    assert_eq!(
        reason(&[("content.txt", "Nova."), MODEL, ("headers.json", "[[1]]")]),
        "1 of 1 cases failed\nera/case: headers.json: headers: expected [name, value], found [1]"
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
    let reason = reason(&[("notes.txt", "Nova.")]);
    assert!(reason.ends_with("no folder with a `content.*` or a `model.json`"), "{reason}");
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

/// Text that is shouted in a file, and ends in a full stop on the wire.
#[derive(Debug)]
struct Telegram(String);

impl MessageModel for Telegram {
    const FORMAT: &'static str = "telegram";
    const ALIASES: &'static [&'static str] = &["wire.2"];

    fn decode(content: Content<'_>) -> Result<Self, Error> {
        match content.as_str(Self::FORMAT)?.trim_start().strip_suffix('.') {
            Some(text) => Ok(Self(text.to_owned())),
            None => Err(Error::new(crate::ErrorKind::Malformed, Self::FORMAT).expected("a full stop")),
        }
    }

    fn encode(&self) -> Result<Bytes, Error> {
        Ok(format!("{}.", self.0).into())
    }

    fn load(file: Content<'_>) -> Result<Self, Error> {
        Ok(Self(file.as_str(Self::FORMAT)?.trim_end_matches("!\n").to_owned()))
    }

    fn dump(&self) -> Result<Bytes, Error> {
        Ok(format!("{}!\n", self.0).into())
    }

    fn fields(&self) -> Result<Value, Error> {
        Ok(Value::object([("text", self.0.as_str().into())]))
    }

    fn example() -> Option<Self> {
        Some(Self("Nova in Cygnus".into()))
    }
}

/// The fixtures of `Telegram` in a folder of these files.
fn telegrams(files: &[(&str, &str)]) -> (tempfile::TempDir, Fixtures) {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let path = folder.path().to_str().unwrap().to_owned().leak();
    (folder, Fixtures::new(registration!(Telegram), path))
}

#[test]
fn blessing_writes_what_is_missing_and_nothing_else() {
    let (folder, fixtures) = telegrams(&[("old/nova/content.txt", " Nova.")]);
    let read = |name: &str| fs::read_to_string(folder.path().join("old/nova").join(name));
    let error = fixtures.try_case("old/nova", false).unwrap_err().to_string();
    assert!(error.ends_with("there is no `model.json`; `fixtures!` writes it under `HOP_BLESS=1`"), "{error}");
    // Why the encoded form is another is for a person to say.
    let error = fixtures.try_case("old/nova", true).unwrap_err().to_string();
    assert_eq!(error, "1 of 1 cases failed\nold/nova: `encoded.*` wants a `why.txt` beside it");
    fs::write(folder.path().join("old/nova/why.txt"), "No indent.\n").unwrap();
    fixtures.try_case("old/nova", false).unwrap();

    assert_eq!(read("headers.json").unwrap(), "[[\"_format\", \"telegram\"]]\n");
    assert_eq!(
        read("model.json").unwrap(),
        "{\"format\": \"telegram\", \"route\": \"header\", \"model\": {\"text\": \"Nova\"}}\n"
    );
    assert_eq!((read("encoded.txt").unwrap(), read("file.txt").unwrap()), ("Nova.".into(), "Nova!\n".into()));
    assert_eq!(read("content.txt").unwrap(), " Nova.");

    // What does not hold any more is not made to hold.
    fs::write(folder.path().join("old/nova/file.txt"), "Supernova!\n").unwrap();
    assert!(fixtures.try_case("old/nova", true).is_err());
    assert_eq!(read("file.txt").unwrap(), "Supernova!\n");
}

#[test]
fn what_the_model_does_not_read_is_not_blessed() {
    let headers = ("other/headers.json", r#"[["_format", "circular"]]"#);
    let (folder, fixtures) = telegrams(&[("cut/content.txt", "Nova"), ("other/content.txt", "Nova."), headers]);
    assert_eq!(
        fixtures.try_case("cut", true).unwrap_err().to_string(),
        "1 of 1 cases failed\ncut: does not decode: telegram: expected a full stop\n  \
         if it must not, write {\"error\": \"malformed\"} into `model.json`"
    );
    assert_eq!(
        fixtures.try_case("other", true).unwrap_err().to_string(),
        "1 of 1 cases failed\nother: is no `telegram` by its headers, but `blob`"
    );
    for file in ["cut/model.json", "cut/headers.json", "other/model.json"] {
        assert!(!folder.path().join(file).exists(), "{file}");
    }
}

#[test]
fn a_fixture_that_came_after_the_tests_is_not_left_out() {
    let model = r#"{"format": "telegram", "route": "header", "model": {"text": "Nova"}}"#;
    let headers = r#"[["_format", "Wire.2"]]"#;
    let (folder, fixtures) = telegrams(&[
        ("known/content.txt", "Nova"),
        ("new/case/content.txt", "Nova."),
        ("new/case/headers.json", headers),
        ("new/case/file.txt", "Nova!\n"),
        ("new/case/model.json", model),
    ]);
    fixtures.try_others(&["known"], false).unwrap();
    fs::write(folder.path().join("new/case/model.json"), model.replace("Nova", "Novae")).unwrap();
    let error = fixtures.try_others(&["known"], false).unwrap_err().to_string();
    assert!(error.starts_with("1 of 1 cases failed\nnew/case: fields:"), "{error}");
    fixtures.try_others(&["known", "new/case"], false).unwrap();
}

#[test]
fn the_example_is_blessed_where_there_is_no_fixture() {
    let (folder, fixtures) = telegrams(&[]);
    assert!(fixtures.try_others(&[], false).is_err());
    fixtures.try_others(&[], true).unwrap();
    assert_eq!(fs::read_to_string(folder.path().join("example/content.txt")).unwrap(), "Nova in Cygnus.");
    fixtures.try_others(&[], false).unwrap();
    fixtures.try_case("example", false).unwrap();
}

#[test]
fn a_model_by_hand_that_keeps_its_promises_conforms() {
    assert_eq!(conforms(registration!(Telegram), ["", "∞"].map(|text| Telegram(text.into()))).unwrap(), 3);
    assert_eq!(conforms::<crate::JsonBlob>(registration!(crate::JsonBlob), []).unwrap(), 1);
    assert_eq!(conforms(registration!(crate::Blob), [crate::Blob::default()]).unwrap(), 2);
}

#[test]
fn a_model_that_does_not_conform_is_told_sample_by_sample() {
    // Neither is a telegram, and the example is one.
    let samples = [" indented", "shouting!\n"].map(|text| Telegram(text.into()));
    assert_eq!(
        conforms(registration!(Telegram), samples).unwrap_err().to_string(),
        "2 of 4 cases failed\n\
         sample 0: encoded a second time, not the bytes of the first time; from byte 0:\n  \
         expected ` indented.`\n  found    `indented.`\n\
         sample 1: dumped and loaded, it has other fields, which then stay; \
         `fields` and both forms have to hold the same"
    );
    let error = conforms(registration!(Faulty), [Faulty("Nova.".into())]).unwrap_err().to_string();
    assert!(error.contains("sample 0: Faulty (hop-core "), "{error}");
    assert!(error.contains("panics on the content cut to 1 bytes"), "{error}");
    let error = conforms(registration!(Restless), [Restless("b.".into())]).unwrap_err().to_string();
    assert!(error.contains("sample 0: encoded a second time, not the bytes of the first time"), "{error}");
    let error = conforms(registration!(Faulty), [Telegram(String::new())]).unwrap_err().to_string();
    assert!(error.contains("is another model than the samples are"), "{error}");
    let error = conforms::<Faulty>(registration!(Faulty), []).unwrap_err().to_string();
    assert!(error.contains("there is no sample"), "{error}");
}

/// Counts what it reads, and so is another for each thread that reads.
#[derive(Debug)]
struct Counting(u8);

impl MessageModel for Counting {
    const FORMAT: &'static str = "counting";

    fn decode(_: Content<'_>) -> Result<Self, Error> {
        static COUNT: std::sync::atomic::AtomicU8 = std::sync::atomic::AtomicU8::new(0);
        Ok(Self(COUNT.fetch_add(1, std::sync::atomic::Ordering::SeqCst) / 8))
    }

    fn encode(&self) -> Result<Bytes, Error> {
        Ok(Bytes::new())
    }

    fn fields(&self) -> Result<Value, Error> {
        Ok(i64::from(self.0).into())
    }
}

#[test]
fn a_model_that_depends_on_who_reads_it_is_told() {
    let error = conforms(registration!(Counting), [Counting(0)]).unwrap_err().to_string();
    assert!(error.contains("sample 0: fields, in a thread"), "{error}");
}
