//! Versions of a model: old content becomes the new model, and newer content is refused by name.

#![allow(clippy::unwrap_used, missing_docs)]

use bytes::Bytes;
use hop_core::{
    AnyModel, Codec, Content, Encoder, Error, ErrorKind, Headers, HopModel, MessageModel, Registry, registration,
};
use serde::{Deserialize, Serialize};

/// As it was sent before there were versions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, HopModel)]
#[hop(format = "donut", aliases("doughnut"))]
struct DonutV1 {
    flavor: String,
}

/// Under the same label; some have none of the old flavors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, HopModel)]
#[hop(format = "donut", version = 2, upgrade_from = DonutV1)]
struct DonutV2 {
    flavors: Vec<String>,
}

impl TryFrom<DonutV1> for DonutV2 {
    type Error = String;

    fn try_from(old: DonutV1) -> Result<Self, String> {
        match old.flavor.as_str() {
            "bacon" => Err(format!("nobody makes {} any more", old.flavor)),
            _ => Ok(Self { flavors: vec![old.flavor] }),
        }
    }
}

/// Under a label of its own, by another codec, and with a file form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, HopModel)]
#[hop(format = "donut.v3", version = 3, upgrade_from = DonutV2, codec = Lines, load = Donut::from_file)]
struct Donut {
    toppings: Vec<String>,
}

impl From<DonutV2> for Donut {
    fn from(old: DonutV2) -> Self {
        Self { toppings: old.flavors }
    }
}

impl Donut {
    fn from_file(file: Content<'_>) -> Result<Self, Error> {
        match file.as_str(Self::FORMAT)?.strip_prefix("donut of ") {
            Some(topping) => Ok(Self { toppings: vec![topping.to_owned()] }),
            None => Err(Error::new(ErrorKind::Invalid, Self::FORMAT).expected("`donut of …`")),
        }
    }
}

struct Lines;

impl Codec<Donut> for Lines {
    fn decode(format: &'static str, content: Content<'_>) -> Result<Donut, Error> {
        let mut lines = content.as_str(format)?.lines();
        match lines.next() {
            Some("DONUT") => Ok(Donut { toppings: lines.map(str::to_owned).collect() }),
            _ => Err(Error::new(ErrorKind::Malformed, format).expected("`DONUT`")),
        }
    }

    fn encode(_: &'static str, donut: &Donut) -> Result<Bytes, Error> {
        Ok(format!("DONUT\n{}", donut.toppings.join("\n")).into())
    }
}

fn headers(format: &str, version: Option<&str>) -> Headers {
    [("_format", format)].into_iter().chain(version.map(|v| ("format-version", v))).map(|(k, v)| (k, Some(v))).collect()
}

fn maple() -> Donut {
    Donut { toppings: vec!["maple".into()] }
}

/// A program in which version 2 is the newest.
fn second() -> Registry {
    Registry::builder().models([registration!(DonutV1), registration!(DonutV2)]).build().unwrap()
}

#[test]
fn each_version_under_each_label_is_read_as_the_newest() {
    let registry = Registry::linked().unwrap();
    let first = Encoder::new().encode(&DonutV1 { flavor: "maple".into() }).unwrap();
    let second = Encoder::new().encode(&DonutV2 { flavors: vec!["maple".into()] }).unwrap();
    let third = Encoder::new().encode(&maple()).unwrap();
    for sent in [&first, &second, &third] {
        let decoded = registry.decode(&sent.headers, (&sent.content).into()).unwrap();
        assert_eq!(decoded.model.downcast_ref(), Some(&maple()), "{:?}", sent.headers);
        for label in ["donut", "doughnut", "donut.v3"] {
            // No version is stated: the content tells.
            let decoded = registry.decode(&headers(label, None), (&sent.content).into()).unwrap();
            assert_eq!(decoded.model.downcast_ref(), Some(&maple()), "{label}");
        }
    }
    let version = |sent: &hop_core::Outgoing| sent.headers.get("format-version").map(<[u8]>::to_vec);
    assert_eq!([version(&first), version(&second), version(&third)], [None, Some(b"2".into()), Some(b"3".into())]);
    // What hop-client and everyone else finds in the content is the fields, and nothing besides.
    assert_eq!(second.content, r#"{"flavors": ["maple"]}"#);
}

#[test]
fn a_version_1_message_reads_as_version_2_and_a_version_3_message_is_refused_by_name() {
    let registry = second();
    let sent = Encoder::new().encode(&DonutV1 { flavor: "maple".into() }).unwrap();
    let decoded = registry.decode(&sent.headers, (&sent.content).into()).unwrap();
    assert_eq!(decoded.model.downcast_ref(), Some(&DonutV2 { flavors: vec!["maple".into()] }));

    // It fits version 2, and is not one.
    let error = registry.decode(&headers("donut", Some("3")), r#"{"flavors": [], "new": 1}"#.into()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "donut: expected version 2 or 1, which this program knows, found version 3; \
         a newer release of the model's crate may know it"
    );
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    for strange in ["0", "-1", "2.0", "two", "", "99999999999", "\u{1b}[31m"] {
        let error = registry.decode(&headers("donut", Some(strange)), r#"{"flavors": []}"#.into()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{strange}");
        assert!(!error.to_string().contains('\u{1b}'));
    }
    let raw: Headers = [("_format", Some(&b"donut"[..])), ("format-version", Some(b"\xFF"))].into_iter().collect();
    assert_eq!(registry.decode(&raw, "{}".into()).unwrap_err().kind(), ErrorKind::Unsupported);
    // A header without a value states nothing.
    let null: Headers = [("_format", Some("donut")), ("format-version", None)].into_iter().collect();
    assert!(registry.decode(&null, r#"{"flavors": []}"#.into()).is_ok());
}

#[test]
fn a_program_that_knows_no_versions_refuses_version_2() {
    let first = Registry::builder().models([registration!(DonutV1)]).build().unwrap();
    let error = first.decode(&headers("donut", Some("2")), r#"{"flavor": "maple"}"#.into()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "donut: expected version 1, which this program knows, found version 2; \
         a newer release of the model's crate may know it"
    );
    assert!(first.decode(&headers("donut", Some("1")), r#"{"flavor": "maple"}"#.into()).is_ok());
}

#[test]
fn a_version_that_is_stated_is_the_only_one_tried() {
    let registry = second();
    let error = registry.decode(&headers("donut", Some("1")), r#"{"flavors": []}"#.into()).unwrap_err();
    assert_eq!(error.to_string(), "donut: missing field `flavor`, at line 1, column 15 (byte 14)");
    let error = registry.decode(&headers("donut", Some("2")), r#"{"flavor": "maple"}"#.into()).unwrap_err();
    assert_eq!(error.to_string(), "donut: missing field `flavors`, at line 1, column 19 (byte 18)");
}

#[test]
fn content_that_is_no_version_says_what_each_misses() {
    let registry = Registry::linked().unwrap();
    let error = registry.decode(&headers("donut", None), r#"{"filling": 1}"#.into()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "donut.v3: expected version 3, 2 or 1, found none of them (version 3: expected `DONUT`) \
         (version 2: missing field `flavors`, at line 1, column 14 (byte 13)) \
         (version 1: missing field `flavor`, at line 1, column 14 (byte 13))"
    );
    let error = second().decode(&headers("donut", None), r#"{"flavor": "bacon"}"#.into()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "donut: expected version 2 or 1, found neither \
         (version 2: missing field `flavors`, at line 1, column 19 (byte 18)) \
         (version 1: does not turn into version 2: nobody makes bacon any more)"
    );
    let limits = hop_core::Limits { content: 4, ..hop_core::Limits::DEFAULT };
    let content = Content::from(r#"{"flavor": "maple"}"#).with_limits(&limits);
    assert_eq!(DonutV2::decode(content).unwrap_err().kind(), ErrorKind::Limit);
}

#[test]
fn files_and_envelopes_of_old_versions_are_read_too() {
    assert_eq!(Donut::load("donut of maple".into()).unwrap(), maple());
    assert_eq!(Donut::load(r#"{"flavors": ["maple"]}"#.into()).unwrap(), maple());
    assert_eq!(Donut::load(r#"{"flavor": "maple"}"#.into()).unwrap(), maple());
    // The file form of the newest is not its wire form.
    assert!(Donut::load("DONUT\nmaple".into()).is_err());

    let registry = Registry::linked().unwrap();
    for fields in [r#"{"toppings": ["maple"]}"#, r#"{"flavors": ["maple"]}"#, r#"{"flavor": "maple"}"#] {
        let envelope = format!(r#"{{"format": "donut", "content": {fields}}}"#);
        let decoded = registry.decode(&Headers::new(), envelope.as_str().into()).unwrap();
        assert_eq!(decoded.model.downcast_ref(), Some(&maple()), "{fields}");
    }
}

#[test]
fn the_newest_stands_for_all_in_the_registry() {
    let registry = Registry::linked().unwrap();
    let donuts: Vec<_> = registry.iter().filter(|model| model.format().starts_with("donut")).collect();
    assert_eq!(donuts.len(), 1, "{donuts:?}");
    for label in ["donut", "DOUGHNUT", "donut.v3"] {
        assert!(registry.require(label).unwrap().is::<Donut>());
    }
    assert_eq!(donuts[0].version(), Some(3));
    assert_eq!(second().require("doughnut").unwrap().version(), Some(2));
}

#[test]
fn two_models_that_upgrade_from_one_are_told_apart_by_nobody() {
    #[derive(Debug, Serialize, Deserialize)]
    struct Fork;
    impl From<DonutV1> for Fork {
        fn from(_: DonutV1) -> Self {
            Self
        }
    }
    impl MessageModel for Fork {
        const FORMAT: &'static str = "fork";
        const VERSION: hop_core::Version<Self> = hop_core::Version::new(2).upgrade_from::<DonutV1>();
        fn decode(_: Content<'_>) -> Result<Self, Error> {
            Ok(Self)
        }
        fn encode(&self) -> Result<Bytes, Error> {
            Ok(Bytes::new())
        }
        fn fields(&self) -> Result<hop_core::Value, Error> {
            Ok(hop_core::Value::Null)
        }
    }
    let error = Registry::builder().models([registration!(DonutV2), registration!(Fork)]).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Duplicate);
    assert!(error.to_string().contains("one model labelled `donut`"), "{error}");
}

#[test]
fn a_model_of_another_crate_keeps_its_labels() {
    let other = hop_core::Registration::of::<DonutV1>("Donut", "bakery", "1.0.0");
    let error = Registry::builder().models([other, registration!(DonutV2)]).build().unwrap_err();
    assert!(error.to_string().contains("found two: Donut (bakery 1.0.0) and DonutV2 (hop-derive "), "{error}");

    #[derive(Debug, Serialize, Deserialize, HopModel)]
    #[hop(format = "bagel")]
    struct Theirs {}
    #[derive(Debug, Serialize, Deserialize, HopModel)]
    #[hop(format = "our-bagel", version = 2, upgrade_from = Theirs)]
    struct Ours {}
    impl From<Theirs> for Ours {
        fn from(_: Theirs) -> Self {
            Self {}
        }
    }
    let other = hop_core::Registration::of::<Theirs>("Bagel", "bakery", "1.0.0");
    let registry = Registry::builder().models([other, registration!(Ours)]).build().unwrap();
    assert_eq!(registry.require("bagel").unwrap().crate_name(), "bakery");
    assert!(registry.require("our-bagel").unwrap().is::<Ours>());
    // Where it is not there in its own right, its content is read all the same.
    let registry = Registry::builder().models([registration!(Ours)]).build().unwrap();
    assert!(registry.require("bagel").unwrap().is::<Ours>());
}

#[test]
fn headers_handed_on_from_an_older_message_do_not_speak_for_the_new_one() {
    let forwarded = Encoder::new().header("format-version", "1").header("priority", "1");
    let sent = forwarded.encode(&DonutV2 { flavors: Vec::new() }).unwrap();
    assert_eq!(sent.headers.get_all("format-version").collect::<Vec<_>>(), [Some(&b"2"[..])]);
    assert_eq!(sent.headers.get("priority"), Some(&b"1"[..]));
    let any: &dyn AnyModel = &DonutV2 { flavors: Vec::new() };
    assert_eq!(any.version(), Some(2));
}
