//! What each key of `#[hop(…)]` does.

#![allow(clippy::unwrap_used, missing_docs)]

use bytes::Bytes;
use hop_core::{Codec, Content, Encoder, Error, ErrorKind, Headers, HopModel, MessageModel, Object, Registry, Route};
use serde::{Deserialize, Serialize};

fn labelled(label: &str) -> Headers {
    [("_format", Some(label))].into_iter().collect()
}

#[derive(Debug, PartialEq, Serialize, Deserialize, HopModel)]
#[hop(format = "pastry", aliases("pastry.v0", "backwerk"))]
struct Pastry {
    name: String,
}

#[test]
fn content_under_an_alias_in_any_case_is_the_model_and_is_sent_under_its_label() {
    let registry = Registry::linked().unwrap();
    for label in ["pastry", "pastry.v0", "Backwerk"] {
        let decoded = registry.decode(&labelled(label), r#"{"name": "bagel"}"#.into()).unwrap();
        assert_eq!((decoded.route, decoded.model.format()), (Route::Header, "pastry"), "{label}");
        let sent = Encoder::new().encode(&*decoded.model).unwrap();
        assert_eq!(sent.headers.get("_format"), Some(&b"pastry"[..]));
        assert!(!sent.headers.contains("format-version"));
    }
    let envelope = r#"{"format": "backwerk", "content": {"name": "bagel"}}"#;
    let decoded = registry.decode(&Headers::new(), envelope.into()).unwrap();
    assert!(decoded.model.is::<Pastry>());
    // One model, once in the list.
    assert_eq!(registry.iter().filter(|model| model.is::<Pastry>()).count(), 1);
    assert_eq!(registry.get("backwerk").unwrap().aliases(), ["pastry.v0", "backwerk"]);
}

/// Turned by half an alphabet, JSON included.
struct Rot13;

fn turn(text: &str) -> String {
    let turned = |c: char| match c {
        'a'..='m' | 'A'..='M' => (c as u8 + 13) as char,
        'n'..='z' | 'N'..='Z' => (c as u8 - 13) as char,
        other => other,
    };
    text.chars().map(turned).collect()
}

impl<M: Serialize + serde::de::DeserializeOwned> Codec<M> for Rot13 {
    fn decode(format: &'static str, content: Content<'_>) -> Result<M, Error> {
        hop_core::codec::Json::decode(format, turn(content.as_str(format)?).as_str().into())
    }

    fn encode(format: &'static str, model: &M) -> Result<Bytes, Error> {
        let json = hop_core::codec::Json::encode(format, model)?;
        Ok(turn(Content::from(&json).as_str(format)?).into())
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize, HopModel)]
#[hop(format = "secret", codec = Rot13, load = Secret::from_file, dump = Secret::to_file)]
struct Secret {
    word: String,
}

impl Secret {
    fn from_file(file: Content<'_>) -> Result<Self, Error> {
        Ok(Self { word: file.as_str(Self::FORMAT)?.trim_end().to_owned() })
    }

    fn to_file(&self) -> Result<Bytes, Error> {
        Ok(format!("{}\n", self.word).into())
    }
}

#[test]
fn the_wire_is_the_codecs_and_the_file_is_what_load_and_dump_say() {
    let secret = Secret { word: "nova".into() };
    let wire = secret.encode().unwrap();
    assert_eq!(wire, r#"{"jbeq": "abin"}"#);
    assert_eq!(Secret::decode((&wire).into()).unwrap(), secret);
    let file = secret.dump().unwrap();
    assert_eq!(file, "nova\n");
    assert_eq!(Secret::load((&file).into()).unwrap(), secret);
    // Fields are shown and read as they are, whatever the codec.
    assert_eq!(secret.fields().unwrap().to_string(), r#"{"word": "nova"}"#);
    assert_eq!(Secret::from_fields(secret.fields().unwrap()).unwrap(), secret);

    let model = Registry::linked().unwrap().require("secret").unwrap();
    assert!(model.load((&file).into()).unwrap().is::<Secret>());
    assert_eq!(model.decode((&file).into()).unwrap_err().kind(), ErrorKind::Malformed);
}

/// A codec with parameters, separated by a comma.
struct Fixed<const LENGTH: usize, const FILL: u8>;

impl<const LENGTH: usize, const FILL: u8> Codec<Word> for Fixed<LENGTH, FILL> {
    fn decode(format: &'static str, content: Content<'_>) -> Result<Word, Error> {
        if content.len() != LENGTH {
            return Err(Error::new(ErrorKind::Malformed, format).expected(format!("{LENGTH} bytes")));
        }
        Ok(Word(content.as_str(format)?.trim_end_matches(char::from(FILL)).to_owned()))
    }

    fn encode(_: &'static str, model: &Word) -> Result<Bytes, Error> {
        let mut bytes = model.0.clone().into_bytes();
        bytes.resize(LENGTH, FILL);
        Ok(bytes.into())
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize, HopModel)]
#[hop(codec = Fixed<8, b'.'>, example = Word::nova)]
struct Word(String);

impl Word {
    fn nova() -> Self {
        Self("nova".into())
    }
}

#[test]
fn a_codec_may_have_parameters_and_a_model_an_example() {
    let word = Word::example().unwrap();
    assert_eq!(word.encode().unwrap(), "nova....");
    assert_eq!(Word::decode("nova....".into()).unwrap(), word);
    assert_eq!(Word::decode("nova".into()).unwrap_err().to_string(), "word: expected 8 bytes");
}

#[derive(Debug, PartialEq, Serialize, Deserialize, HopModel)]
struct Lenient {
    known: u8,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, HopModel)]
struct Keeping {
    known: u8,
    #[serde(flatten)]
    unknown: Object,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, HopModel)]
#[serde(deny_unknown_fields)]
struct Refusing {
    known: u8,
}

#[test]
fn unknown_fields_are_dropped_kept_or_refused_as_the_author_says() {
    let wire = r#"{"known": 1, "z": [NaN, {"b": null, "a": "\u00e9"}], "far": 1e-09}"#;
    assert_eq!(Lenient::decode(wire.into()).unwrap(), Lenient { known: 1 });

    let kept = Keeping::decode(wire.into()).unwrap();
    assert_eq!(kept.known, 1);
    assert_eq!(kept.unknown.iter().map(|(name, _)| name.to_string_lossy()).collect::<Vec<_>>(), ["z", "far"]);
    assert_eq!(kept.encode().unwrap(), wire, "in their order, to the byte");
    let alone = Keeping::decode(r#"{"known": 1}"#.into()).unwrap();
    assert_eq!(alone, Keeping { known: 1, unknown: Object::new() });
    assert_eq!(alone.encode().unwrap(), r#"{"known": 1}"#);

    let error = Refusing::decode(r#"{"known": 1, "far": 1e-09}"#.into()).unwrap_err();
    assert_eq!(error.to_string(), "refusing: unknown field `far`, expected `known`, at line 1, column 19 (byte 18)");
}

#[test]
fn integers_beyond_64_bits_are_kept_in_a_field_and_where_serde_flattens() {
    #[derive(Debug, Serialize, Deserialize, HopModel)]
    struct Field {
        more: hop_core::Value,
    }
    let wire = r#"{"more": 123456789012345678901234567890}"#;
    assert_eq!(Field::decode(wire.into()).unwrap().encode().unwrap(), wire);
    let wire = r#"{"known": 1, "more": 123456789012345678901234567890}"#;
    assert_eq!(Keeping::decode(wire.into()).unwrap().encode().unwrap(), wire);
}
