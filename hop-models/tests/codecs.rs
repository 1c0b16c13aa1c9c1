//! A derived model under each codec: what other programs wrote is read, and written again.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/sightings.rs"]
mod sightings;

use hop_core::{MessageModel, Registration, Registry, Value, registration, testing};

use sightings::{models, trees};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/codec");

fn registry() -> Registry {
    Registry::builder().models(models()).build().unwrap()
}

#[test]
fn what_other_programs_wrote_comes_round() -> Result<(), testing::Failures> {
    let cases = testing::round_trips(FIXTURES, &registry())?;
    assert!(cases >= 30, "{cases}");
    Ok(())
}

#[test]
fn every_codec_brings_back_what_it_wrote() {
    let sighting = std::fs::read(format!("{FIXTURES}/json/full/content.json")).unwrap();
    let registry = registry();
    let fields =
        registry.require("sighting-json").unwrap().decode(sighting.as_slice().into()).unwrap().fields().unwrap();
    let derived = models().into_iter().filter(|model| !["sighting-xml", "sighting-text"].contains(&model.format()));
    let tree = Value::from_json(r#"{"a": [{"b": [{}]}, {}], "b": [{"a": [{}]}]}"#).unwrap();
    for (model, fields) in derived.map(|model| (model, &fields)).chain(trees().into_iter().map(|model| (model, &tree)))
    {
        let made = model.from_fields(fields.clone()).unwrap();
        let content = made.encode().unwrap();
        let again = model.decode((&content).into()).unwrap_or_else(|error| panic!("{error}: {content:?}"));
        assert_eq!(again.fields().unwrap(), *fields, "{model:?}");
        assert_eq!(again.encode().unwrap(), content, "{model:?}");
    }
}

#[test]
fn every_model_keeps_the_promises_of_any() {
    fn hold<M: MessageModel>(model: Registration, sample: &str) {
        let sample = M::from_fields(Value::from_json(sample).unwrap()).unwrap();
        testing::conforms::<M>(model, [sample]).unwrap();
    }
    macro_rules! hold {
        ($($model:ident),*; $sample:expr) => {
            $(hold::<sightings::$model>(registration!(sightings::$model), $sample);)*
        };
    }
    let sighting = std::fs::read_to_string(format!("{FIXTURES}/json/full/content.json")).unwrap();
    hold!(InJson, InMessagePack, InCbor, InAvro, InAvroFile, InConfluent, InSingleObject, InDerivedObject; &sighting);
    hold!(JsonTree, MessagePackTree, CborTree, AvroTree, ConfluentTree, XmlTree; r#"{"a": [{"b": [{}]}, {}], "b": [{}]}"#);
    hold!(InXml; r#"{"@ivorn": "ivo://a", "title": "Nova", "position": {"@unit": "deg", "ra": 1.5, "dec": -1.5},
        "param": [{"@name": "far", "@value": "<&>"}], "instrument": ["H1"]}"#);
    hold!(InText; r#""Nova in Cygnus""#);
}

#[test]
fn a_codec_says_what_it_found_instead() {
    let said = |label: &str, content: &[u8]| {
        registry().require(label).unwrap().decode(content.into()).unwrap_err().to_string()
    };
    assert_eq!(
        said("sighting-msgpack", b"\x81\xa2id\x01"),
        "sighting-msgpack: invalid type: integer `1`, expected a string, in `id`"
    );
    assert_eq!(
        said("sighting-confluent", b"\0\0\0\0\x08"),
        "sighting-confluent: expected a datum by schema 7 of the registry, found one by schema 8, at byte 1; \
         a model whose codec names that schema reads it"
    );
    assert_eq!(
        said("sighting-confluent", b"{}"),
        "sighting-confluent: expected a datum in Confluent's framing, which starts with a zero byte, found `{}`, at byte 0"
    );
    assert_eq!(
        said("sighting-single-object", b"\xc3\x01\0\0\0\0\0\0\0\0"),
        "sighting-single-object: expected a datum by the schema of fingerprint 4c17a85e83a7657d, found one by \
         0000000000000000, at byte 2; a model whose codec has that schema reads it"
    );
    assert_eq!(
        said("sighting-avro", b"{}"),
        "sighting-avro: expected an Avro object container file, found JSON, at byte 0; send it as `json`"
    );
    assert_eq!(
        said("sighting-xml", b"<Sighting><title></Sighting>"),
        "sighting-xml: expected `</title>`, found `</Sighting>`, at line 1, column 18 (byte 17); it was opened on line 1"
    );
    for space in [" ", "\n", "\t", "\r\n", " \n  "] {
        let event = format!("{space}<?xml version=\"1.0\"?><Sighting ivorn='i'><title/></Sighting>");
        let error = said("sighting-xml", event.as_bytes());
        assert!(error.contains("white space before it"), "{error}");
    }
    assert_eq!(
        said("sighting-xml", b"<Sighting ivorn='i'><title/><position unit='deg'><ra>x</ra></position></Sighting>"),
        "sighting-xml: invalid type: string \"x\", expected f64, at line 1, column 71 (byte 70)"
    );
}

#[test]
fn no_broken_content_panics() -> Result<(), testing::Failures> {
    testing::survives(FIXTURES, &registry())?;
    Ok(())
}
