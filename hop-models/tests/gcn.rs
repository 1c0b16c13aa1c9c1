//! Circulars, notices and external references: round trips of anything, and content that means harm.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::{Duration, Instant};

use bytes::Bytes;
use hop_core::{Content, ErrorKind, JsonBlob, Limits, MessageModel, Value};
use hop_models::{Circular, External, TextNotice};
use proptest::prelude::*;

/// Any JSON value that a model can hold.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i128>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..6).prop_map(Value::object),
        ]
    })
}

/// Titles without repetition, which the wire cannot carry.
fn titles(text: &'static str) -> impl Strategy<Value = Vec<(String, String)>> {
    prop::collection::btree_map("[a-z][a-z0-9-]{0,12}", text, 0..8).prop_map(|map| map.into_iter().collect())
}

proptest! {
    #[test]
    fn a_circular_comes_back_from_the_wire(titles in titles(".*"), body in any::<String>()) {
        let circular = Circular::new(titles, body);
        let content = circular.encode().unwrap();
        prop_assert_eq!(Circular::decode((&content).into()).unwrap(), circular);
    }

    #[test]
    fn a_circular_comes_back_from_a_file(titles in titles("[!-~é]([ -~é]{0,30}[!-~])?"), body in "[ -~\n\tö]{0,200}") {
        // Titles of mail mean something to who reads the file.
        prop_assume!(titles.iter().all(|(title, _)| !title.starts_with("content-")));
        let circular = Circular::new(titles, body);
        let file = circular.dump().unwrap();
        prop_assert_eq!(Circular::load((&file).into()).unwrap(), circular);
    }

    #[test]
    fn a_notice_keeps_its_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let raw = Bytes::from(bytes);
        let notice = TextNotice::decode((&raw).into()).unwrap();
        prop_assert_eq!(notice.encode().unwrap(), &raw);
        prop_assert_eq!(TextNotice::from_fields(notice.fields().unwrap()).unwrap(), notice);
    }

    #[test]
    fn keys_are_found_however_they_are_looked_for(text in "([A-Z_]{0,3} ?[: kK\u{212A}]{0,2}[ -~\n\r\u{85}\u{c}é]{0,12}\n){0,12}") {
        let notice = TextNotice::decode(text.as_str().into()).unwrap();
        for (key, value) in notice.iter() {
            prop_assert!(notice.get_all(key).any(|found| found == value));
            prop_assert!(notice.get_all(&key.to_lowercase()).any(|found| found == value));
        }
        let _ = (notice.title(), notice.preamble(), notice.event_time(), notice.position(), notice.position_error());
    }

    #[test]
    fn an_address_comes_back(url in any::<String>()) {
        let external = External::new(url);
        prop_assert_eq!(External::decode((&external.encode().unwrap()).into()).unwrap(), external);
    }

    #[test]
    fn json_comes_back(value in value()) {
        let json = JsonBlob::from(value);
        prop_assert_eq!(JsonBlob::decode((&json.encode().unwrap()).into()).unwrap(), json);
    }

    #[test]
    fn no_mail_panics(text in "(From |--b(--)?|[A-Za-z-]{1,9}:|Content-Type: multipart/mixed; boundary=\"?b|Content-Transfer-Encoding: (base64|quoted-printable)|=\\?utf-8\\?[bq]\\?[!-~]{0,5}\\?=|[ -~]{0,9}|é|\n|\r| ){0,40}") {
        let circular = Circular::load(text.as_str().into()).unwrap();
        let _ = (circular.date(), circular.subject(), circular.author(), circular.event_name(), circular.number());
        for part in circular.parts() {
            let _ = (part.text(), part.file_name(), part.is_attachment());
        }
        let _ = Circular::archive(text.as_bytes()).count();
    }
}

/// What is read of hostile content, within a time that leaves room for slow machines but none for the square of its size.
fn quick<T>(what: &str, read: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let out = read();
    assert!(started.elapsed() < Duration::from_secs(10), "{what} took {:?}", started.elapsed());
    out
}

#[test]
fn size_does_not_square() {
    const N: usize = 300_000;
    let nested: String =
        (0..5000).map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n")).collect();
    for (what, text) in [
        ("titles", "a: b\n".repeat(N)),
        ("different titles", (0..N).map(|n| format!("t{n}: x\n")).collect()),
        ("continuations", format!("a: b\n{}", " c\n".repeat(N))),
        ("mailbox lines", format!("a: b\n{}", "From x\n".repeat(N))),
        ("carriage returns", "\r".repeat(N)),
        ("parts", format!("Content-Type: multipart/mixed; boundary=b\n\n{}", "--b\n\nx\n".repeat(N))),
        ("half words", format!("subject: {}", "=?utf-8?q?".repeat(N))),
        ("parameters", format!("content-type: multipart/mixed{}", "; a=\"".repeat(N))),
        ("names", format!("subject: {}", "GRB S SGR 1-".repeat(N))),
        ("braces", "{".repeat(N)),
        ("rules", "//////////\nTITLE:\nNUMBER:\n".repeat(N / 10)),
        ("nested parts", nested),
    ] {
        quick(what, || {
            for read in [Circular::load(text.as_str().into()), Circular::decode(text.as_str().into())] {
                let Ok(circular) = read else { continue };
                let _ =
                    (circular.fields(), circular.encode(), circular.dump(), circular.event_name(), circular.subject());
                for part in circular.parts() {
                    let _ = part.file_name();
                }
            }
            Circular::archive(text.as_bytes()).count()
        });
    }
    for (what, text) in [
        ("keys", "a: b\n".repeat(N)),
        ("positions", "a_RA: 1d (J2000)\n".repeat(N)),
        ("dates", "a_DATE: 1 TJD\n".repeat(N)),
        ("different keys", (0..N).map(|n| format!("k{n}: x\n")).collect()),
        ("continuations", format!("a: b\n{}", "c\n".repeat(N))),
        ("form feeds", format!("a: b\u{c}{}", "c\u{c}".repeat(N))),
    ] {
        quick(what, || {
            let notice = TextNotice::decode(text.as_str().into()).unwrap();
            let _ = (notice.fields(), notice.get("x"), notice.position(), notice.position_error(), notice.event_time());
            notice.iter().count()
        });
    }
}

#[test]
fn limits_are_kept() {
    let limits = Limits { content: 100, nodes: 3, depth: 2, ..Limits::default() };
    let kind = |text: &str| Circular::load(Content::from(text).with_limits(&limits)).map_err(|error| error.kind());
    assert_eq!(kind(&"x".repeat(101)), Err(ErrorKind::Limit));
    assert_eq!(kind("a: 1\nb: 2\nc: 3\nd: 4\n"), Err(ErrorKind::Limit));
    assert_eq!(
        kind("Content-Type: multipart/x; boundary=b\n\n--b\n\n1\n--b\n\n2\n--b\n\n3\n--b\n\n4\n"),
        Err(ErrorKind::Limit)
    );
    let long = "x".repeat(101);
    assert_eq!(
        TextNotice::decode(Content::from(long.as_str()).with_limits(&limits)).map_err(|error| error.kind()),
        Err(ErrorKind::Limit)
    );
    assert_eq!(
        External::decode(Content::from(long.as_str()).with_limits(&limits)).map_err(|error| error.kind()),
        Err(ErrorKind::Limit)
    );
}

#[test]
fn what_is_no_circular() {
    let load = |bytes: &[u8]| Circular::load(bytes.into());
    // Text without a title is all body in a file, as for hop-client, and refused on the wire.
    for text in [
        "<?xml version='1.0'?>\n<a/>\n",
        "<!DOCTYPE html>\n",
        "version https://git-lfs.example/spec/v1\n",
        "{\n\"a\": 1}",
    ] {
        let circular = load(text.as_bytes()).unwrap();
        assert!(circular.header().is_empty(), "{text}");
        assert_eq!(circular.body(), text);
        assert!(Circular::decode(text.into()).is_err(), "{text}");
    }
    assert!(Circular::decode(r#"[{"title": "x"}, "body"]"#.into()).is_err());
    assert_eq!(
        load(b"\x1f\x8b\x08\0\0\0\0\0\0\x03").unwrap_err().to_string(),
        "circular: expected JSON, or lines such as `TITLE: GCN CIRCULAR`, found `\\x1f\\x8b\\x08\\x00\\x00\\x00\\x00\\x00\\x00\\x03`, \
         at byte 0"
    );
    assert_eq!(
        Circular::decode(r#"{"header": {"title": 1}, "body": []}"#.into()).unwrap_err().to_string(),
        "circular: expected a string, found an array, in `body`"
    );
}

#[test]
fn values_that_are_no_text_stay_as_they_came() {
    let content =
        r#"{"header": {"number": 34399, "title": null, "half": "\ud83d", "\ud83d": ""}, "body": "a \ud83d b"}"#;
    let circular = Circular::decode(content.into()).unwrap();
    assert_eq!(circular.number(), Some(34399));
    assert_eq!(circular.body(), "a \u{FFFD} b");
    assert_eq!(circular.encode().unwrap(), content);
}

#[test]
fn a_byte_order_mark_hides_no_key() {
    let notice = TextNotice::decode("\u{FEFF}TITLE: GCN/TEST NOTICE\n".into()).unwrap();
    assert_eq!(notice.title().as_deref(), Some("GCN/TEST NOTICE"));
}

#[test]
fn charsets_are_told_apart() {
    let load = |bytes: &[u8]| Circular::load(bytes.into()).unwrap();
    assert_eq!(load(b"SUBJECT: G\xf6tz\n\n\x93\xb0\x94\n").body(), "\u{201C}°\u{201D}\n");
    assert_eq!(load(b"SUBJECT: G\xf6tz\n\n").subject().as_deref(), Some("Götz"));
    assert_eq!(load(b"Content-Type: text/plain; charset=koi8-r\n\n\xf0\xcf").body(), "По");
    assert_eq!(load(b"\xEF\xBB\xBFTITLE: x\n\ny").header().get("title"), Some("x"));
    assert_eq!(load(b"\xFF\xFET\0:\0 \0x\0\n\0\n\0y\0").header().get("t"), Some("x"));
}
