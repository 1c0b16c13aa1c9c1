//! An alert like those of the Zwicky Transient Facility: a detection of a hundred fields, earlier ones of fifty, and three
//! stamps of the image.

use bytes::Bytes;
use hop_core::{MessageModel, Value};
use hop_models::AvroBlob;
use hop_models::avro::Schema;
use serde::Deserialize;

use super::{Model, length, model_of, noise, number};
use crate::Outcome;

/// Fields of a detection that earlier ones have too, by type; `?` where null is allowed.
const BOTH: [(&str, &str); 8] = [
    ("double", "jd"),
    ("int", "fid programid"),
    ("long", "pid"),
    ("?string", "pdiffimfilename programpi isdiffpos"),
    ("?long", "candid tblid"),
    ("?int", "nid rcid field nneg nbad"),
    ("?double", "ra dec ranr decnr"),
    (
        "?float",
        "diffmaglim xpos ypos magpsf sigmapsf chipsf magap sigmagap distnr magnr sigmagnr chinr sharpnr sky magdiff fwhm \
         classtar mindtoedge magfromlim seeratio aimage bimage aimagerat bimagerat elong rb ssdistnr ssmagnr sumrat \
         magapbig sigmagapbig scorr magzpsci",
    ),
];

/// Fields of the detection alone.
const ONCE: [(&str, &str); 7] = [
    ("int", "ndethist ncovhist nframesref"),
    ("long", "rfid"),
    ("string", "rbversion drbversion"),
    ("?double", "jdstarthist jdendhist jdstartref jdendref"),
    ("?long", "objectidps1 objectidps2 objectidps3"),
    ("?int", "tooflag nmtchps clrcounts zpmed"),
    (
        "?float",
        "sgmag1 srmag1 simag1 szmag1 sgscore1 distpsnr1 sgmag2 srmag2 simag2 szmag2 sgscore2 distpsnr2 sgmag3 srmag3 \
         simag3 szmag3 sgscore3 distpsnr3 dsnrms ssnrms dsdiff magzpsciunc magzpscirms clrcoeff clrcounc neargaia \
         neargaiabright maggaia maggaiabright exptime drb",
    ),
];

/// Types and names, in order.
fn fields<'a>(groups: &'a [(&'a str, &'a str)]) -> impl Iterator<Item = (&'a str, &'a str)> {
    groups.iter().flat_map(|(kind, names)| names.split_whitespace().map(|name| (*kind, name)))
}

fn record_schema(name: &str, fields: Vec<Value>) -> Value {
    Value::object([("type", "record".into()), ("name", name.into()), ("fields", fields.into())])
}

fn field(name: &str, of: Value) -> Value {
    let doc = format!("The {name} of the object, as the pipeline measured it.");
    Value::object([("name", name.into()), ("type", of), ("doc", doc.into())])
}

fn detection_schema(name: &str, groups: &[(&str, &str)]) -> Value {
    let fields = fields(groups).map(|(kind, name)| {
        let of = match kind.strip_prefix('?') {
            Some(kind) => vec!["null".into(), kind.into()].into(),
            None => kind.into(),
        };
        field(name, of)
    });
    record_schema(name, fields.collect())
}

fn schema() -> Outcome<Schema> {
    let stamp = record_schema("cutout", vec![field("fileName", "string".into()), field("stampData", "bytes".into())]);
    let earlier = detection_schema("prv_candidate", &BOTH);
    let earlier = Value::object([("type", "array".into()), ("items", earlier)]);
    let or_null = |of: Value| Value::Array(vec!["null".into(), of]);
    let alert = record_schema(
        "alert",
        vec![
            field("schemavsn", "string".into()),
            field("publisher", "string".into()),
            field("objectId", "string".into()),
            field("candid", "long".into()),
            field("candidate", detection_schema("candidate", &[&BOTH[..], &ONCE[..]].concat())),
            field("prv_candidates", or_null(earlier)),
            field("cutoutScience", or_null(stamp)),
            field("cutoutTemplate", or_null("cutout".into())),
            field("cutoutDifference", or_null("cutout".into())),
        ],
    );
    Ok(Schema::parse(std::str::from_utf8(&alert.to_json()?)?)?)
}

/// The detection of so many nights ago. Earlier ones lack some of what can be null, as those below the limit do.
fn detection(groups: &[(&str, &str)], ago: i32) -> Value {
    let fields = fields(groups).enumerate().map(|(at, (kind, name))| {
        let some = f64::from(ago) + at as f64 / 4.0;
        let value = match (kind.trim_start_matches('?'), name) {
            _ if kind.starts_with('?') && ago % 3 == 2 && at % 2 == 1 => Value::Null,
            (_, "jd") => Value::Float(2_461_071.67 - f64::from(ago)),
            ("int" | "long", _) => (i64::from(ago) * 1_000_003 + (1_i64 << (at % 30))).into(),
            ("string", _) => format!("ztf_{name}_{ago}.fits").into(),
            _ => Value::Float(some),
        };
        (name, value)
    });
    Value::object(fields)
}

pub(super) fn content() -> Outcome<Bytes> {
    Ok(whole()?.encode()?)
}

/// The alert before it is written.
pub(super) fn whole() -> Outcome<AvroBlob> {
    let stamp = |name: &str, size| {
        let file = format!("candid2593123451815015001_{name}.fits.gz");
        Value::object([("fileName", file.into()), ("stampData", Value::Bytes(noise(size).into()))])
    };
    let alert = Value::object([
        ("schemavsn", "4.02".into()),
        ("publisher", "Example (www.example.org)".into()),
        ("objectId", "EXF26aaaaaaa".into()),
        ("candid", 2_593_123_451_815_015_001_i64.into()),
        ("candidate", detection(&[&BOTH[..], &ONCE[..]].concat(), 0)),
        ("prv_candidates", Value::Array((1..25).map(|ago| detection(&BOTH, ago)).collect())),
        ("cutoutScience", stamp("targ", 14_000)),
        ("cutoutTemplate", stamp("ref", 13_000)),
        ("cutoutDifference", stamp("scimref", 15_000)),
    ]);
    Ok(AvroBlob::new(alert).with_schema(schema()?)?)
}

pub(super) fn read(model: &Model) -> Outcome<f64> {
    let content = model_of::<AvroBlob>(model)?.record()?;
    let candidate = &content["candidate"];
    let earlier = content["prv_candidates"].as_array().unwrap_or_default();
    Ok(length(content["objectId"].as_str())
        + ["jd", "ra", "dec", "magpsf", "rb"].map(|name| number(candidate[name].as_f64())).iter().sum::<f64>()
        + earlier.iter().map(|earlier| earlier["magpsf"].as_f64().unwrap_or_default()).sum::<f64>()
        + number(content["cutoutScience"]["stampData"].as_bytes().map(|bytes| bytes.len() as f64)))
}

/// What a program that looks at light curves and stamps asks for.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Alert<'a> {
    object_id: &'a str,
    #[expect(dead_code, reason = "read all the same")]
    candid: i64,
    candidate: Candidate<'a>,
    #[serde(rename = "prv_candidates")]
    earlier: Option<Vec<Earlier>>,
    #[serde(borrow)]
    cutout_science: Option<Stamp<'a>>,
    #[expect(dead_code, reason = "read all the same")]
    cutout_template: Option<Stamp<'a>>,
    #[expect(dead_code, reason = "read all the same")]
    cutout_difference: Option<Stamp<'a>>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "read all the same")]
struct Candidate<'a> {
    jd: f64,
    fid: i32,
    ra: f64,
    dec: f64,
    magpsf: f32,
    sigmapsf: f32,
    diffmaglim: Option<f32>,
    isdiffpos: Option<&'a str>,
    distnr: Option<f32>,
    rb: Option<f32>,
    drb: Option<f32>,
    sgscore1: Option<f32>,
    distpsnr1: Option<f32>,
    ndethist: i32,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "read all the same")]
struct Earlier {
    jd: f64,
    fid: i32,
    ra: Option<f64>,
    dec: Option<f64>,
    magpsf: Option<f32>,
    sigmapsf: Option<f32>,
    diffmaglim: Option<f32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stamp<'a> {
    #[expect(dead_code, reason = "read all the same")]
    file_name: &'a str,
    stamp_data: &'a [u8],
}

pub(super) fn read_into_struct(model: &Model) -> Outcome<f64> {
    let alert: Alert<'_> = model_of::<AvroBlob>(model)?.record_as()?;
    let candidate = &alert.candidate;
    let earlier = alert.earlier.as_deref().unwrap_or_default();
    Ok(length(Some(alert.object_id))
        + candidate.jd
        + candidate.ra
        + candidate.dec
        + f64::from(candidate.magpsf)
        + number(candidate.rb.map(f64::from))
        + earlier.iter().map(|earlier| f64::from(earlier.magpsf.unwrap_or_default())).sum::<f64>()
        + number(alert.cutout_science.map(|stamp| stamp.stamp_data.len() as f64)))
}
