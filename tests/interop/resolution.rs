//! Avro's schema resolution beside fastavro, which hop-client reads with: random pairs of schemas.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hop_models::AvroBlob;
use hop_models::avro::{Schema, Value};
use hop_tests::pairs::{Pair, pair};
use serde_json::{Value as Json, json};

use crate::python::{Python, lines};

const PAIRS: u64 = 300;

/// Where fastavro is wrong: the pairs, and why.
const DIFFER: [(&[u64], Fault); 3] =
    [(&[24, 46, 277], Fault::Namespace), (&[8], Fault::Kind), (&[51, 109], Fault::Name)];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    /// Of two branches with one short name it takes the first, whatever its namespace. "Equality of names is defined on the
    /// fullname" ([Names](https://avro.apache.org/docs/1.12.0/specification/#names)); fastavro so refuses what was written
    /// by a schema when it reads it by the same schema.
    Namespace,
    /// It takes an enum for a record of the same short name, and ends in a `KeyError`. To match, "both schemas are enums" or
    /// "both schemas are records" ([Schema resolution](https://avro.apache.org/docs/1.12.0/specification/#schema-resolution)).
    /// Both schemas refuse the datum, but not for that.
    Kind,
    /// Where a branch of the reader's union is named, and was declared before, it ends in a `TypeError`.
    Name,
}

#[test]
fn what_one_schema_wrote_is_read_by_another_as_fastavro_reads_it() {
    let Some((python, _)) = Python::or_skip("what_one_schema_wrote_is_read_by_another_as_fastavro_reads_it") else {
        return;
    };
    let pairs: Vec<Pair> = (0..PAIRS).map(pair).collect();
    let asked: Vec<String> = pairs
        .iter()
        .map(|Pair { writer, reader, datum }| {
            json!({"writer": writer, "reader": reader, "datum": STANDARD.encode(datum)}).to_string()
        })
        .collect();
    let theirs = asked_of(&python, &asked);
    // A proof of the first fault: the schema that wrote the datum, with a word of documentation, does not read it.
    let alone: Vec<String> = DIFFER[0]
        .0
        .iter()
        .map(|number| {
            let Pair { writer, datum, .. } = pair(*number);
            let mut reader = writer.clone();
            reader["doc"] = "The same.".into();
            json!({"writer": writer, "reader": reader, "datum": STANDARD.encode(datum)}).to_string()
        })
        .collect();
    assert!(asked_of(&python, &alone).iter().all(|theirs| theirs["refused"] == "SchemaResolutionError"));

    let (mut read, mut refused, mut wrong) = (0, 0, Vec::new());
    for ((number, pair), theirs) in (0..).zip(&pairs).zip(&theirs) {
        let ours = resolved(pair);
        let alike = match (&ours, theirs.get("value")) {
            (Ok(ours), Some(theirs)) => same(ours, theirs),
            (Err(_), None) => theirs["refused"] == "SchemaResolutionError" || theirs["refused"] == "UnicodeDecodeError",
            _ => false,
        };
        let known = DIFFER.iter().find(|(pairs, _)| pairs.contains(&number)).map(|(_, fault)| *fault);
        if let Some(fault) = known {
            let exception = theirs["refused"].as_str();
            let expected = match fault {
                Fault::Namespace => "SchemaResolutionError",
                Fault::Kind => "KeyError",
                Fault::Name => "TypeError",
            };
            assert_eq!(exception, Some(expected), "{number}");
        }
        if alike == known.is_some() {
            wrong.push(format!(
                "{number}: {}\nwriter {}\nreader {}\nours {ours:?}\ntheirs {theirs}\n",
                if known.is_some() { "is read alike, and the table says otherwise" } else { "differs" },
                pair.writer,
                pair.reader
            ));
        } else if known.is_none() {
            *(if ours.is_ok() { &mut read } else { &mut refused }) += 1;
        }
    }
    assert!(wrong.is_empty(), "{} pairs\n{}", wrong.len(), wrong.join("\n"));
    println!("{read} pairs were read alike, {refused} were refused by both");
    assert!(read > 150 && refused > 30, "{read} were read, and {refused} refused");
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
