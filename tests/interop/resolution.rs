//! Avro's schema resolution beside fastavro, which hop-client reads with: random pairs of schemas.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hop_models::AvroBlob;
use hop_models::avro::{Schema, Value};
use hop_tests::pairs::{Pair, pair};
use serde_json::{Value as Json, json};

use crate::python::{Python, lines};

const PAIRS: u64 = 300;

/// Pairs in which fastavro is wrong: of two branches with one short name it takes the first, whatever its namespace.
///
/// "Equality of names is defined on the fullname" ([Names](https://avro.apache.org/docs/1.12.0/specification/#names)). Taken its
/// way, a schema does not read what was written by it: the test shows that of [`BRANCHES`].
const DIFFER: [u64; 6] = [20, 74, 98, 228, 273, 280];

/// A schema with two branches of one short name.
const BRANCHES: &str = r#"{"type": "record", "name": "alert", "fields": [{"name": "p", "type": [
    {"type": "record", "name": "src", "namespace": "lsst", "fields": [{"name": "x", "type": "string"}]},
    {"type": "record", "name": "src", "namespace": "ztf", "fields": [{"name": "y", "type": "int"}]}]}]}"#;

#[test]
fn what_one_schema_wrote_is_read_by_another_as_fastavro_reads_it() {
    let Some((python, _)) = Python::or_skip("what_one_schema_wrote_is_read_by_another_as_fastavro_reads_it") else {
        return;
    };
    let pairs: Vec<Pair> = (0..PAIRS).map(pair).collect();
    let asked: Vec<String> = pairs.iter().map(asking).collect();
    let theirs = asked_of(&python, &asked);
    let (mut read, mut refused, mut wrong) = (0, 0, Vec::new());
    for ((number, pair), theirs) in (0..).zip(&pairs).zip(&theirs) {
        let ours = resolved(pair);
        let alike = match (&ours, theirs.get("value")) {
            (Ok(ours), Some(theirs)) => same(ours, theirs),
            (Err(_), None) => theirs["refused"] == "SchemaResolutionError" || theirs["refused"] == "UnicodeDecodeError",
            _ => false,
        };
        let known = DIFFER.contains(&number);
        if alike == known {
            wrong.push(format!(
                "{number}: {}\nwriter {}\nreader {}\nours {ours:?}\ntheirs {theirs}\n",
                if known { "is read alike, and the table says otherwise" } else { "differs" },
                pair.writer,
                pair.reader
            ));
        } else if !known {
            *(if ours.is_ok() { &mut read } else { &mut refused }) += 1;
        }
    }
    assert!(wrong.is_empty(), "{} pairs\n{}", wrong.len(), wrong.join("\n"));

    // With a word of documentation, or fastavro would see that it is one schema and resolve nothing.
    let writer: Json = serde_json::from_str(BRANCHES).unwrap();
    let mut reader = writer.clone();
    reader["doc"] = "The same.".into();
    let one = Pair { writer, reader, datum: vec![2, 6] };
    assert_eq!(resolved(&one).unwrap()["p"]["y"].as_i64(), Some(3));
    assert_eq!(asked_of(&python, &[asking(&one)])[0]["refused"], "SchemaResolutionError");
    println!("{read} pairs were read alike, {refused} were refused by both");
    assert!(read > 150 && refused > 30, "{read} were read, and {refused} refused");
}

/// The line that asks for what fastavro makes of a pair.
fn asking(Pair { writer, reader, datum }: &Pair) -> String {
    json!({"writer": writer, "reader": reader, "datum": STANDARD.encode(datum)}).to_string()
}

/// What fastavro makes of each of these lines.
fn asked_of(python: &Python, asked: &[String]) -> Vec<Json> {
    let script = hop_tests::root().join("tests/interop/resolve.py");
    let theirs = lines(python.program(&[script.to_str().unwrap()]).input(asked.join("\n")).run().expect(0));
    assert_eq!(theirs.len(), asked.len());
    theirs
}

fn resolved(pair: &Pair) -> Result<Value, String> {
    let schema = |json: &Json| Schema::parse(&json.to_string()).unwrap();
    let blob = AvroBlob::from_datum(&schema(&pair.writer), pair.datum.clone()).unwrap();
    let blob = blob.resolved(&schema(&pair.reader)).map_err(|error| error.to_string())?;
    Ok(blob.record().unwrap().clone())
}

/// Whether a value is the same in Python, which has a default as the JSON that it is in the schema, and doubles only.
fn same(ours: &Value, theirs: &Json) -> bool {
    let float = || match theirs.get("$float").and_then(Json::as_str) {
        Some("NaN") => Some(f64::NAN),
        Some("Infinity") => Some(f64::INFINITY),
        Some(_) => Some(f64::NEG_INFINITY),
        None => theirs.as_f64(),
    };
    match (ours, theirs) {
        (Value::Null, Json::Null) => true,
        (Value::Boolean(ours), Json::Bool(theirs)) => ours == theirs,
        (Value::Long(ours), Json::Number(theirs)) => theirs.as_i64() == Some(*ours),
        (Value::Float(ours), _) => {
            float().is_some_and(|theirs| theirs as f32 == *ours || (theirs.is_nan() && ours.is_nan()))
        }
        (Value::Double(ours), _) => float().is_some_and(|theirs| theirs == *ours || (theirs.is_nan() && ours.is_nan())),
        (Value::Bytes(ours) | Value::Fixed(ours), Json::String(theirs)) => {
            theirs.chars().eq(ours.iter().map(|byte| char::from(*byte)))
        }
        (Value::Bytes(ours) | Value::Fixed(ours), Json::Object(_)) => theirs["$bytes"] == STANDARD.encode(ours),
        (Value::String(_) | Value::Enum(_), Json::String(theirs)) => ours.as_str() == Some(theirs),
        (Value::Array(ours), Json::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| same(ours, theirs))
        }
        (Value::Map(ours), Json::Object(theirs)) => {
            ours.iter().len() == theirs.len()
                && ours.iter().all(|(key, ours)| theirs.get(key).is_some_and(|theirs| same(ours, theirs)))
        }
        (Value::Record(ours), Json::Object(theirs)) => {
            ours.iter().len() == theirs.len()
                && ours.iter().all(|(key, ours)| theirs.get(key).is_some_and(|theirs| same(ours, theirs)))
        }
        _ => false,
    }
}
