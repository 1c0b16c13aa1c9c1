//! Notices of GCN's unified schema: examples of the missions, held to values written by hand.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

use std::path::{Path, PathBuf};

use hop_core::sky::Region;
use hop_core::{Encoder, MessageModel, Value};
use hop_models::gcn::unified::{AlertTense, AlertType, SkyMap};
use hop_models::{Circular, GcnNotice};

fn corpus(name: &str) -> Option<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/files/json").join(name);
    match std::fs::read(&path) {
        Ok(content) => Some(content),
        Err(error) => {
            assert!(std::env::var_os("HOP_REQUIRE_CORPUS").is_none(), "{}: {error}", path.display());
            eprintln!("SKIPPED: {} is missing", path.display());
            None
        }
    }
}

/// The schema package, which `tests/gcn/schema` fetches: `HOP_GCN_SCHEMA` names its folder.
fn examples(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            examples(&path, found);
        } else if path.to_string_lossy().ends_with(".example.json") {
            found.push(path);
        }
    }
}

#[test]
fn every_example_of_the_schema_package_comes_back_byte_for_byte() {
    let Some(folder) = std::env::var_os("HOP_GCN_SCHEMA") else {
        assert!(std::env::var_os("HOP_TEST_REQUIRE").is_none(), "HOP_GCN_SCHEMA is not set");
        eprintln!("SKIPPED: HOP_GCN_SCHEMA names no folder of the package @nasa-gcn/schema");
        return;
    };
    let mut found = Vec::new();
    examples(&Path::new(&folder).join("gcn/notices"), &mut found);
    assert!(found.len() >= 40, "{} examples", found.len());
    for path in found {
        let content = std::fs::read(&path).unwrap();
        let notice = GcnNotice::decode(content.as_slice().into()).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        assert_eq!(notice.encode().unwrap(), content, "{path:?}");
        let plain: Value = Value::from_json(std::str::from_utf8(&content).unwrap()).unwrap();
        assert_eq!(notice.fields().unwrap(), plain, "{path:?}");
        // What is written anew says the same.
        let anew = GcnNotice::new(notice.all().clone()).encode().unwrap();
        assert_eq!(GcnNotice::decode((&anew).into()).unwrap(), notice, "{path:?}");
        // No field is of another type than the schema has it.
        for read in [
            notice.position().map(drop),
            notice.trigger_time().map(drop),
            notice.alert_time().map(drop),
            notice.observation_start().map(drop),
            notice.observation_stop().map(drop),
            notice.ids().map(drop),
            notice.event_names().map(drop),
            notice.citations().map(drop),
            notice.record_number().map(drop),
            notice.corners().map(drop),
            notice.sky_map().map(drop),
        ] {
            read.unwrap_or_else(|error| panic!("{path:?}: {error}"));
        }
    }
}

struct Expected {
    file: &'static str,
    who: (Option<&'static str>, Option<&'static str>),
    ids: &'static [&'static str],
    trigger: Option<&'static str>,
    position: Option<(f64, f64)>,
    region: Option<Region>,
    alert: (Option<AlertType>, Option<AlertTense>),
}

fn circle(radius: f64, confidence: f64) -> Option<Region> {
    Some(Region::Circle { radius, confidence: Some(confidence) })
}

#[test]
fn the_common_fields_of_ten_missions_are_what_they_say() {
    use AlertTense::{Current, Test};
    use AlertType::{Initial, Retraction, Subsequent, Update};
    let ellipse = |major, minor, angle| Some(Region::Ellipse { major, minor, angle, confidence: Some(0.9) });
    let all = [
        Expected {
            file: "gcn-schema-burstcube-alert.json",
            who: (Some("BurstCube"), None),
            ids: &["240601000"],
            trigger: Some("2024-06-01T00:00:00Z"),
            position: Some((232.0, -53.1)),
            region: circle(10.0, 0.9),
            alert: (Some(Initial), Some(Current)),
        },
        Expected {
            file: "gcn-schema-chime-frb.subsequent.json",
            who: (None, None),
            ids: &["427325192"],
            trigger: Some("2024-09-18T07:19:10.765268Z"),
            position: Some((346.778_508_595_47, 12.632_485_229_956_252)),
            region: ellipse(0.503_806_986_334_273, 0.598_921_231_135_782, 0.0),
            alert: (Some(Subsequent), None),
        },
        Expected {
            file: "gcn-schema-dsa110-frb.update.json",
            who: (None, None),
            ids: &["240918aaaa"],
            trigger: Some("2024-09-18T07:19:10.765268Z"),
            position: None,
            region: None,
            alert: (Some(Update), None),
        },
        Expected {
            file: "gcn-schema-fermi-gbm-trigger.final.json",
            who: (Some("Fermi"), Some("GBM")),
            ids: &["745121685", "bn240812094"],
            trigger: Some("2024-08-24T02:14:40.43Z"),
            position: Some((29.24, -63.62)),
            region: circle(1.0, 0.68),
            alert: (Some(Update), Some(Current)),
        },
        Expected {
            file: "gcn-schema-icecube-single_neutrino_alerts.gold_bronze_track_alerts.json",
            who: (Some("IceCube"), Some("IC86")),
            ids: &["137840_57034692"],
            trigger: Some("2023-04-16T05:22:26.150574Z"),
            position: Some((345.82, 9.01)),
            region: circle(0.5, 0.9),
            alert: (Some(Initial), Some(Current)),
        },
        Expected {
            file: "gcn-schema-km3net-alert.json",
            who: (Some("KM3NeT"), Some("ORCA024")),
            ids: &["1"],
            trigger: Some("2024-09-01T01:16:47Z"),
            position: Some((10.82, 20.01)),
            region: circle(0.9, 0.9),
            alert: (Some(Initial), Some(Current)),
        },
        Expected {
            file: "gcn-schema-maxi-gsc.unknown.ellipse.json",
            who: (Some("MAXI"), Some("GSC")),
            ids: &["9995289617"],
            trigger: Some("2023-02-20T08:56:01Z"),
            position: Some((346.56, 18.61)),
            region: ellipse(0.22, 0.19, 153.0),
            alert: (Some(Update), Some(Current)),
        },
        Expected {
            file: "gcn-schema-maxi-gsc.unknown.retraction.json",
            who: (Some("MAXI"), Some("GSC")),
            ids: &["9995289617"],
            trigger: Some("2023-02-20T08:56:01Z"),
            position: None,
            region: None,
            alert: (Some(Retraction), Some(Current)),
        },
        Expected {
            file: "gcn-schema-superk-sn_alert.test.json",
            who: (Some("Super-Kamiokande"), None),
            ids: &["SN.095001.000001"],
            trigger: Some("2023-08-01T00:00:01Z"),
            position: Some((270.82, 31.46)),
            region: circle(0.91, 0.68),
            alert: (Some(Initial), Some(Test)),
        },
        Expected {
            file: "gcn-schema-svom-grm-trigger.json",
            who: (None, Some("GRM")),
            ids: &["sb24022203"],
            trigger: Some("2024-02-22T08:51:31.32Z"),
            position: Some((143.2478, -68.0289)),
            region: circle(0.1, 0.9),
            alert: (Some(Initial), Some(Test)),
        },
        Expected {
            file: "ep-wxt-alert_258.json",
            who: (None, Some("WXT")),
            ids: &["01709261593"],
            trigger: Some("2026-05-07T13:47:57.951Z"),
            position: Some((206.895, -22.243)),
            region: circle(0.050_659_78, 0.9),
            alert: (None, None),
        },
    ];
    for expected in all {
        let Some(content) = corpus(expected.file) else { continue };
        let notice = GcnNotice::decode(content.as_slice().into()).unwrap();
        let position = notice.position().unwrap();
        let found = Expected {
            file: expected.file,
            who: expected.who,
            ids: expected.ids,
            trigger: expected.trigger,
            position: position.map(|position| (position.ra(), position.dec())),
            region: position.and_then(|position| position.region()),
            alert: (notice.alert_type().unwrap(), notice.alert_tense().unwrap()),
        };
        assert_eq!((notice.mission().unwrap(), notice.instrument().unwrap()), expected.who, "{}", expected.file);
        assert_eq!(notice.ids().unwrap(), expected.ids, "{}", expected.file);
        let trigger = notice.trigger_time().unwrap().map(|time| time.utc().unwrap().to_string());
        assert_eq!(trigger.as_deref(), expected.trigger, "{}", expected.file);
        assert_eq!(found.position, expected.position, "{}", expected.file);
        assert_eq!(found.region, expected.region, "{}", expected.file);
        assert_eq!(found.alert, expected.alert, "{}", expected.file);
        assert_eq!(notice.encode().unwrap(), content, "{}", expected.file);
    }
}

fn notice(text: &str) -> GcnNotice {
    GcnNotice::decode(text.into()).unwrap()
}

#[test]
fn a_changed_notice_is_written_anew_and_an_unchanged_one_as_it_came() {
    let text = "{ \"mission\":\"X\",  \"far\": 1.50e-3, \"other\": [1.0, NaN] }";
    let mut read = notice(text);
    assert_eq!(read.encode().unwrap(), text);
    read.set("mission", "Y");
    assert_eq!(read.encode().unwrap(), r#"{"mission": "Y", "far": 0.0015, "other": [1.0, NaN]}"#);
    let sent = Encoder::new().encode(&read).unwrap();
    assert_eq!(sent.headers.get("_format"), Some(&b"json"[..]));
}

#[test]
fn a_field_that_is_not_what_the_schema_says_is_an_error_of_that_field_alone() {
    let read = notice(r#"{"mission": 7, "instrument": "Z", "ra": "x", "dec": 1, "trigger_time": "soon", "id": null}"#);
    assert_eq!(read.mission().unwrap_err().to_string(), "gcnnotice: expected text, found an integer, in `mission`");
    assert!(read.trigger_time().is_err() && read.position().is_err());
    assert_eq!((read.instrument().unwrap(), read.ids().unwrap()), (Some("Z"), vec![]));
    assert!(notice(r#"{"ra": 1}"#).position().is_err());
    assert!(notice(r#"{"ra": 1, "dec": 91}"#).position().is_err());
    assert!(notice(r#"{"ra": 1, "dec": 9, "ra_dec_error": [1, 2, 3, 4]}"#).position().is_err());
    assert!(notice(r#"{"ra": 1, "dec": 9, "ra_dec_error": []}"#).position().is_err());
    for text in ["[1]", "{", "7"] {
        assert!(GcnNotice::decode(text.into()).is_err(), "{text}");
    }
}

#[test]
fn a_circular_is_not_a_notice() {
    let text = r#"{"$schema": "https://gcn.nasa.gov/schema/v7.2.3/gcn/circulars.schema.json", "circularId": 1}"#;
    assert!(
        GcnNotice::decode(text.into()).unwrap_err().to_string().ends_with(Circular::FORMAT.to_owned().as_str().trim())
            || GcnNotice::decode(text.into()).unwrap_err().to_string().contains("`circular`")
    );
}

#[test]
fn sky_maps_and_citations_are_found() {
    let read = notice(
        r#"{"healpix_url": "https://x/y.fits", "ref_ID": "S1", "ref_instrument": "LVK",
        "reference": {"gcn.circulars": 12345}, "follow_up_event": "Fermi 69", "follow_up_type": "GRB"}"#,
    );
    assert_eq!(read.sky_map().unwrap(), Some(SkyMap::Url("https://x/y.fits")));
    let cited: Vec<_> = read.citations().unwrap().into_iter().map(|c| (c.source, c.id, c.event_type)).collect();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        cited,
        [
            (text("gcn.circulars"), "12345".to_owned(), None),
            (text("LVK"), "S1".to_owned(), None),
            (None, "Fermi 69".to_owned(), text("GRB")),
        ]
    );
}

#[test]
fn packets_are_160_bytes_of_words() {
    use hop_models::GcnPacket;
    let packet = GcnPacket::example().unwrap();
    let bytes = packet.encode().unwrap();
    assert_eq!((bytes.len(), &bytes[..8]), (160, &[0, 0, 0, 61, 0, 0, 0, 7][..]));
    assert_eq!(GcnPacket::decode((&bytes).into()).unwrap(), packet);
    assert_eq!(packet.words()[11], 500);
    assert!(GcnPacket::decode(bytes[..159].into()).is_err());
    assert!(GcnPacket::new([-1; 40]).time().is_err());
    assert!(GcnPacket::new([i32::MAX; 40]).position().is_err());
}
