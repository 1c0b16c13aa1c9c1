//! What Python writes as JSON, read by models that serde derives: skipped where it is not asked for, exact where a value is.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::collections::{BTreeMap, HashMap};

use hop_core::codec::Json;
use hop_core::{Codec, Error, Object, Text, Value};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

/// Values that Python's `json` writes, and strict JSON or Rust's integers cannot hold.
const ODD: [&str; 14] = [
    r#""\ud800""#,
    r#""a\udfffb\ud83d""#,
    r#"{"\ud800": 1}"#,
    r#"{"a": [{"\udc00x": "\udc00"}]}"#,
    "100000000000000000000",
    "-237462374673276894279832749832423479823246327846",
    "9223372036854775808",
    "-9223372036854775809",
    "340282366920938463463374607431768211456",
    "[1, -100000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000]",
    "NaN",
    "[Infinity, -Infinity]",
    r#"{"x": {"y": [18446744073709551616, "\ud800", null, true, 1.5]}}"#,
    r#"[[[[["\udbff"]]]]]"#,
];

fn decode<T: Serialize + DeserializeOwned>(text: &str) -> Result<T, Error> {
    Json::decode("test", text.into())
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Plain {
    other: i64,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Asked {
    other: i64,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Flat {
    #[serde(flatten)]
    asked: Asked,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct FlatTwice {
    #[serde(flatten)]
    flat: Flat,
    second: Option<f64>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Tagged {
    A { other: i64 },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Never { missing: i64 },
    Plain { other: i64 },
}

#[test]
fn what_is_not_asked_for_is_skipped_whatever_it_is() {
    for odd in ODD {
        for text in [
            format!(r#"{{"other": 1, "kind": "A", "unknown": {odd}}}"#),
            format!(r#"{{"unknown": {odd}, "kind": "A", "other": 1}}"#),
            format!(r#"{{"kind": "A", "\ud800": {odd}, "other": 1}}"#),
        ] {
            assert_eq!(decode::<Plain>(&text).unwrap(), Plain { other: 1 }, "{text}");
            assert_eq!(decode::<Flat>(&text).unwrap(), Flat { asked: Asked { other: 1 } }, "{text}");
            assert_eq!(decode::<FlatTwice>(&text).unwrap().flat.asked.other, 1, "{text}");
            assert_eq!(decode::<Tagged>(&text).unwrap(), Tagged::A { other: 1 }, "{text}");
            assert_eq!(decode::<Untagged>(&text).unwrap(), Untagged::Plain { other: 1 }, "{text}");
            // From a value too, as from MessagePack and CBOR.
            let value = Value::from_json(&text).unwrap();
            assert_eq!(value.read::<Plain>().unwrap().other, 1);
            assert_eq!(value.read::<Flat>().unwrap().asked.other, 1);
            assert_eq!(value.read::<Untagged>().unwrap(), Untagged::Plain { other: 1 });
        }
        let _: IgnoredAny = Value::from_json(odd).unwrap().read().unwrap();
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Held {
    v: Value,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Rest {
    other: i64,
    #[serde(flatten)]
    rest: Object,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct RestByName {
    other: i64,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum NumberOrAny {
    Number(f64),
    Any(Value),
}

#[test]
fn a_value_is_held_and_written_back_as_it_came() {
    for odd in ODD {
        let whole = Value::from_json(odd).unwrap();
        for text in [format!(r#"{{"v": {odd}}}"#), format!(r#"{{"v": [{odd}, {{"w": {odd}}}]}}"#)] {
            let held: Held = decode(&text).unwrap();
            assert_eq!(&held.v, Value::from_json(&text).unwrap().get("v").unwrap(), "{text}");
            assert_eq!(Json::encode("test", &held).unwrap(), text.as_bytes(), "{text}");
            assert_eq!(Value::of(&held).unwrap(), Value::from_json(&text).unwrap());
            assert_eq!(Value::from_json(&text).unwrap().read::<Held>().unwrap(), held);
        }
        let text = format!(r#"{{"other": 7, "first": {odd}, "\ud800": 1, "last": {odd}}}"#);
        let rest: Rest = decode(&text).unwrap();
        assert_eq!(rest.rest.get("first"), Some(&whole), "{text}");
        assert_eq!(Json::encode("test", &rest).unwrap(), text.as_bytes());
        let text = format!(r#"{{"other": 7, "first": {odd}}}"#);
        let rest: RestByName = decode(&text).unwrap();
        assert_eq!(rest.rest["first"], whole);
        assert_eq!(Json::encode("test", &rest).unwrap(), text.as_bytes());
        let map: HashMap<String, Option<Value>> = decode(&format!(r#"{{"a": {odd}}}"#)).unwrap();
        assert_eq!(map["a"].as_ref(), Some(&whole));
        // Behind a choice too; a number beyond serde's integers is one of its branches all the same.
        match decode::<NumberOrAny>(odd).unwrap() {
            NumberOrAny::Any(value) => assert_eq!(value, whole),
            NumberOrAny::Number(number) => assert_eq!(whole.as_f64().map(f64::to_bits), Some(number.to_bits())),
        }
    }
    let text: Text = decode(r#""a\ud800""#).unwrap();
    assert_eq!(text.as_bytes(), b"a\xED\xA0\x80");
    assert_eq!(Json::encode("test", &text).unwrap(), br#""a\ud800""#[..]);
    let names: HashMap<String, f64> = decode(r#"{"a": 100000000000000000000}"#).unwrap();
    assert_eq!(names["a"], 1e20);
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Float {
    v: f64,
    maybe: Option<f32>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct FlatFloat {
    #[serde(flatten)]
    float: Float,
}

#[test]
fn a_float_behind_flatten_is_an_integer_of_any_size() {
    let text = r#"{"v": 100000000000000000000, "maybe": -170141183460469231731687303715884105729}"#;
    let found: FlatFloat = decode(text).unwrap();
    assert_eq!(found.float, Float { v: 1e20, maybe: Some(-1.701_411_8e38) });
    let found: FlatFloat = Value::from_json(r#"{"v": 100000000000000000000}"#).unwrap().read().unwrap();
    assert_eq!(found.float.v, 1e20);
}

#[test]
fn what_a_string_or_an_integer_cannot_hold_is_an_error_that_says_so() {
    let error = decode::<HashMap<String, String>>(r#"{"a": "\ud800"}"#).unwrap_err().to_string();
    assert!(error.contains("a string with a lone surrogate"), "{error}");
    let error = decode::<HashMap<String, i64>>(r#"{"\ud800": 1}"#).unwrap_err().to_string();
    assert!(error.contains("a string with a lone surrogate"), "{error}");
    let error = decode::<HashMap<String, u128>>(&format!(r#"{{"a": 1{}}}"#, "0".repeat(60))).unwrap_err().to_string();
    assert!(error.contains("an integer beyond 128 bits"), "{error}");
    assert!(decode::<Plain>(r#"{"other": 100000000000000000000}"#).is_err());
    assert_eq!(decode::<HashMap<String, u128>>(r#"{"a": 100000000000000000000}"#).unwrap()["a"], 10_u128.pow(20));
}

#[test]
fn an_integer_may_be_written_as_a_float_that_is_whole() {
    let read = |text: &str| decode::<HashMap<String, i64>>(&format!(r#"{{"n": {text}}}"#)).map(|map| map["n"]);
    for (text, value) in [("3.0", 3), ("1e3", 1000), ("-2.50e1", -25), ("-0.0", 0), ("9e15", 9_000_000_000_000_000)] {
        assert_eq!(read(text).unwrap(), value, "{text}");
    }
    for text in ["3.5", "1e19", "-1e300", "NaN", "Infinity", "1e-1"] {
        assert!(read(text).is_err(), "{text}");
    }
    assert!(decode::<HashMap<String, u8>>(r#"{"n": 256.0}"#).is_err());
    assert!(decode::<HashMap<String, u8>>(r#"{"n": -1.0}"#).is_err());
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Nested {
    name: String,
    inner: Option<Box<Nested>>,
    list: Vec<Nested>,
}

#[test]
fn nesting_as_deep_as_python_reads_does_not_overflow_the_stack() {
    // The stack of a thread that is not the main one.
    let work = || {
        for levels in [600, 990] {
            let text = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
            let value = Value::from_json(&text).unwrap();
            assert_eq!(value, value.clone());
            assert_eq!(value.to_string(), text);
            assert!(format!("{value:?} {value:#?}").len() >= levels);
            assert_eq!(Value::of(&value).unwrap(), value);
            assert_eq!(value.read::<Value>().unwrap(), value);
            assert_eq!(decode::<Value>(&text).unwrap(), value);
            assert_eq!(Json::encode("test", &value).unwrap(), text.as_bytes());
            let plain: Plain = decode(&format!(r#"{{"v": {text}, "other": 1}}"#)).unwrap();
            assert_eq!(plain.other, 1);
            let held: Held = decode(&format!(r#"{{"v": {text}}}"#)).unwrap();
            assert_eq!(held, Held { v: value.clone() });
            let rest: Rest = decode(&format!(r#"{{"other": 1, "rest": {text}}}"#)).unwrap();
            assert_eq!(rest.rest.get("rest"), Some(&value));
            assert!(format!("{rest:#?}").len() >= levels);
            let objects = format!("{}1{}", r#"{"a": "#.repeat(levels), "}".repeat(levels));
            let value = Value::from_json(&objects).unwrap();
            assert_eq!(value.to_string(), objects);
            assert!(format!("{value:#?}").len() >= levels);
            assert_eq!(decode::<Value>(&objects).unwrap(), value);
            let open = r#"{"name": "n", "list": [], "inner": "#;
            let model = format!("{}null{}", open.repeat(levels), "}".repeat(levels));
            let nested: Nested = decode(&model).unwrap();
            assert_eq!(nested, Value::of(&nested).unwrap().read().unwrap());
            assert!(format!("{nested:?}").len() >= levels);
        }
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(work).unwrap().join().unwrap();
    let deeper = format!("{}{}", "[".repeat(1002), "]".repeat(1002));
    assert!(Value::from_json(&deeper).is_err());
    assert!(decode::<Plain>(&format!(r#"{{"v": {deeper}, "other": 1}}"#)).is_err());
}
