//! Alerts of gravitational waves, by both roads.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

use std::path::Path;

use hop_core::{Encoder, MessageModel, Value};
use hop_models::{AvroBlob, GwAlert};

const JSON: &str = r#"{"alert_type": "INITIAL", "time_created": "2026-11-26T03:04:05Z", "superevent_id": "S261126a",
    "urls": {"gracedb": "https://gracedb.ligo.org/superevents/S261126a/view/"}, "event": {"significant": true,
    "time": "2026-11-26T03:01:02.466Z", "far": 3.2e-9, "instruments": ["H1", "V1"], "group": "CBC", "pipeline": "gstlal",
    "search": "AllSky", "properties": {"HasNS": 0.9, "HasGap": 0.1}, "classification": {"BNS": 0.75, "Terrestrial": 0.25},
    "duration": null, "central_frequency": null, "skymap": "U0lNUExF"}, "external_coinc": {"gcn_notice_id": 1, "ivorn": "i",
    "observatory": "Fermi", "search": "GRB", "time_difference": -1.5, "time_coincidence_far": 1e-7,
    "time_sky_position_coincidence_far": null, "combined_skymap": null}}"#;

/// The same alert as Hopskotch has it.
fn avro() -> Vec<u8> {
    let mut value = Value::from_json(JSON).unwrap();
    let Value::Object(alert) = &mut value else { panic!() };
    let Some(Value::Object(event)) = alert.get_mut("event") else { panic!() };
    event.insert("skymap", Value::Bytes(bytes::Bytes::from_static(b"SIMPLE")));
    AvroBlob::new(value).encode().unwrap().to_vec()
}

#[test]
fn both_roads_give_the_same_alert() {
    let (json, avro) = (JSON.as_bytes(), avro());
    let (from_json, from_avro) =
        (GwAlert::decode(json.into()).unwrap(), GwAlert::decode(avro.as_slice().into()).unwrap());
    assert_eq!(from_json, from_avro);
    assert_eq!(from_json.fields().unwrap(), from_avro.fields().unwrap());
    let event = from_avro.event.as_ref().unwrap();
    assert_eq!((event.far_hz, event.group.as_str(), event.significant), (3.2e-9, "CBC", Some(true)));
    assert!((event.years_per_false_alarm() - 9.9).abs() < 0.05);
    assert_eq!(event.classification.get("BNS"), Some(&0.75));
    assert_eq!(event.skymap.as_ref().unwrap().to_bytes().unwrap(), "SIMPLE");
    let coincidence = from_avro.external_coincidence.as_ref().unwrap();
    assert_eq!((coincidence.observatory.as_deref(), coincidence.time_difference), (Some("Fermi"), Some(-1.5)));
    assert_eq!(coincidence.time_sky_position_coincidence_far_hz, None);
    // Each goes out as it came, under the label that hop-client reads.
    for (alert, content, label) in [(&from_json, json, "json"), (&from_avro, avro.as_slice(), "avro")] {
        let sent = Encoder::new().encode(alert).unwrap();
        assert_eq!((&*sent.content, sent.headers.get("_format")), (content, Some(label.as_bytes())));
    }
    let later = JSON.replace("0.75", "0.5");
    assert_ne!(GwAlert::decode(later.as_str().into()).unwrap(), from_json);
}

#[test]
fn the_sky_map_of_an_avro_alert_is_not_copied() {
    let content = bytes::Bytes::from(avro());
    let alert = GwAlert::decode((&content).into()).unwrap();
    let map = alert.event.unwrap().skymap.unwrap().to_bytes().unwrap();
    let inside = content.as_ptr_range();
    assert!(inside.contains(&map.as_ptr()), "the sky map is not within the content");
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    for (from, to, error) in [
        (
            r#""superevent_id": "S261126a""#,
            r#""superevent_id": 7"#,
            "expected text, found an integer, in `superevent_id`",
        ),
        (r#""far": 3.2e-9"#, r#""far": null"#, "expected a number, found none, in `event.far`"),
        ("2026-11-26T03:01:02.466Z", "soon", "expected a time, found a string, in `event.time`"),
        (
            r#"{"HasNS": 0.9, "HasGap": 0.1}"#,
            "[1]",
            "expected an object of numbers, found an array, in `event.properties`",
        ),
    ] {
        let changed = JSON.replace(from, to);
        let found = GwAlert::decode(changed.as_str().into()).unwrap_err().to_string();
        assert_eq!(found, format!("gwalert: {error}"));
    }
    let broken = JSON.replace("U0lNUExF", "!");
    let alert = GwAlert::decode(broken.as_str().into()).unwrap();
    assert!(alert.event.unwrap().skymap.unwrap().to_bytes().is_err());
}

#[test]
fn real_alerts_are_read() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/files");
    for (file, id, map) in [
        ("json/igwn-gwalert-captured-1MB.json", "MS250122h", true),
        ("json/igwn-gwalert-retraction.json", "MS260605l", false),
        ("avro/lvk/MS181101ab-earlywarning.avro", "MS181101ab", true),
        ("avro/lvk/MS181101ab-retraction.avro", "MS181101ab", false),
    ] {
        let Ok(content) = std::fs::read(corpus.join(file)) else {
            assert!(std::env::var_os("HOP_REQUIRE_CORPUS").is_none(), "{file} is missing");
            eprintln!("SKIPPED: {file} is missing");
            continue;
        };
        let alert = GwAlert::decode(content.as_slice().into()).unwrap();
        assert_eq!(alert.superevent_id, id, "{file}");
        assert_eq!(alert.encode().unwrap(), content, "{file}");
        let skymap = alert.event.and_then(|event| event.skymap);
        assert_eq!(skymap.is_some(), map, "{file}");
        if let Some(skymap) = skymap {
            assert!(skymap.to_bytes().unwrap().starts_with(b"SIMPLE  ="), "{file}");
        }
    }
}
