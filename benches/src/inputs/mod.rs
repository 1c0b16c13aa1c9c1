//! The messages that are decoded, and what is read of each. All are written here, the same each time.
//!
//! `peer.py` reads the same fields of the same messages: numbers, and the lengths of texts. The sum shows that both sides
//! have read them.

mod alert;
mod text;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use hop_core::{Blob, JsonBlob, MessageModel, Value};
use hop_models::voevent::{Cite, NewGroup, NewParam, Observation, Role};
use hop_models::{AvroBlob, Circular, TextNotice, VoEvent};

use crate::Outcome;

/// A model of any kind. The trait is not in scope: its methods are called as those of `MessageModel` are.
type Model = dyn hop_core::AnyModel;

/// One row of the table.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    pub(crate) form: Form,
    pub(crate) content: Bytes,
    /// Reads fields of the model and adds them up.
    pub(crate) read: fn(&Model) -> Outcome<f64>,
}

/// Where the content is from.
pub(crate) enum Form {
    Wire,
    File,
}

/// All rows.
pub(crate) fn cases() -> Outcome<Vec<Case>> {
    let circular = text::circular();
    let alert = alert::content()?;
    let wire = |name, label, content, read| Case { name, label, form: Form::Wire, content, read };
    Ok(vec![
        wire("voevent", "voevent", voevent()?, read_voevent),
        wire("circular", "circular", circular.encode()?, read_circular),
        Case {
            name: "circular-text",
            label: "circular",
            form: Form::File,
            content: circular.dump()?,
            read: read_circular,
        },
        wire("notice", "gcntextnotice", Bytes::from_static(text::NOTICE.as_bytes()), read_notice),
        wire("avro", "avro", avro()?, read_avro),
        wire("avro-alert", "avro", alert.clone(), alert::read),
        wire("avro-alert-struct", "avro", alert, alert::read_into_struct),
        wire("json-small", "json", heartbeat().to_json()?.into(), read_json_small),
        wire("json-circular", "json", circular.encode()?, read_json_circular),
        wire("json-alert", "json", igwn(3, 0).to_json()?.into(), read_json_alert),
        wire("json-large", "json", igwn(120, 62_000).to_json()?.into(), read_json_large),
        wire("blob", "blob", noise(4096).into(), |model| Ok(model_of::<Blob>(model)?.content.len() as f64)),
    ])
}

/// The circular, as a program has it that sends one.
pub(crate) fn circular() -> Circular {
    text::circular()
}

/// The alert of 70 kB, as a program has it that sends one.
pub(crate) fn alert() -> Outcome<AvroBlob> {
    alert::whole()
}

fn model_of<M: MessageModel>(model: &Model) -> Outcome<&M> {
    Ok(model.downcast_ref().ok_or("another model")?)
}

fn length<T: AsRef<str>>(text: Option<T>) -> f64 {
    text.map_or(f64::NAN, |text| text.as_ref().len() as f64)
}

fn number(number: Option<f64>) -> f64 {
    number.unwrap_or(f64::NAN)
}

/// Bytes that do not compress.
fn noise(count: usize) -> Vec<u8> {
    // Of the generator SplitMix64.
    let mut state = 0_u64;
    let words = std::iter::repeat_with(|| {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)).to_le_bytes()
    });
    words.flatten().take(count).collect()
}

/// A packet of a transient survey.
fn voevent() -> Outcome<Bytes> {
    let mut builder = VoEvent::builder("ivo://example.hop/survey#2026-01-31T04:05:06_17", Role::Observation)
        .author_ivorn("ivo://example.hop/survey")
        .date("2026-01-31T04:06:00Z".parse()?)
        .title("Example Survey of Transients")
        .contact_name("R. Observer")
        .contact_email("observer@example.org")
        .param(NewParam::new("packet_type", 61).ucd("meta.code"))
        .param(NewParam::new("alert_id", "2026-01-31T04:05:06_17").data_type("string"))
        .param(NewParam::new("significance", 12.75).ucd("stat.snr").description("Of the whole light curve"));
    for image in 0..4 {
        let mut group = NewGroup::new(format!("image_{image}")).kind("image").description("One exposure & its noise");
        for at in 0..5 {
            let offset = f64::from(image * 5 + at);
            let param = NewParam::new(format!("quantity_{at}"), 17.25 + offset).unit("mag").ucd("phot.mag;em.opt.R");
            group = group.param(param.description("Measured in an aperture of 3 pixels"));
        }
        builder = builder.group(group.param(NewParam::new("exposure", 60 + image).unit("s").data_type("float")));
    }
    let position = Observation::new("2026-01-31T04:05:06.25Z".parse()?, 150.11625, -2.20583, 0.0003);
    let event = builder
        .observation(position.time_error(0.5))
        .how_description("Difference imaging, at the telescope")
        .how_reference("https://example.org/pipeline")
        .importance(0.6)
        .concept("process.variation.burst;em.opt")
        .name("EX 2026aaa")
        .citation(Cite::Followup, "ivo://example.hop/survey#2026-01-30T04:05:06_12")
        .build()?;
    Ok(event.encode()?)
}

fn read_voevent(model: &Model) -> Outcome<f64> {
    let event: &VoEvent = model_of(model)?;
    let position = event.position()?.ok_or("no position")?;
    let time = event.time()?.ok_or("no time")?;
    let exposure = event.param("image_2", "exposure").ok_or("no exposure")?;
    Ok(length(event.ivorn())
        + length(Some(event.role().as_str()))
        + position.ra()
        + position.dec()
        + number(position.radius())
        + time.unix().0 as f64
        + exposure.as_f64()?
        + length(exposure.unit()))
}

fn read_circular(model: &Model) -> Outcome<f64> {
    let circular: &Circular = model_of(model)?;
    let titles = ["subject", "number", "from"].map(|title| length(circular.header().get(title)));
    Ok(titles.iter().sum::<f64>() + length(Some(circular.body())))
}

fn read_notice(model: &Model) -> Outcome<f64> {
    let notice: &TextNotice = model_of(model)?;
    let keys = ["title", "trigger_num", "grb_ra", "grb_error", "grb_time"];
    Ok(keys.map(|key| length(notice.get(key))).iter().sum())
}

/// A small message, whose schema is inferred.
fn avro() -> Outcome<Bytes> {
    let detections = (0..6_u8).map(|at| {
        Value::object([
            ("mjd", Value::Float(61071.25 + f64::from(at))),
            ("magnitude", Value::Float(17.5 - f64::from(at) / 8.0)),
            ("band", ["g", "r", "i"][usize::from(at) % 3].into()),
        ])
    });
    let content = Value::object([
        ("name", "EX 2026aaa".into()),
        ("position", Value::object([("ra", Value::Float(150.11625)), ("dec", Value::Float(-2.20583))])),
        ("classified", true.into()),
        ("comment", "A rising transient in the outskirts of a spiral galaxy; spectra are wanted.".into()),
        ("detections", Value::Array(detections.collect())),
    ]);
    Ok(AvroBlob::new(content).encode()?)
}

fn read_avro(model: &Model) -> Outcome<f64> {
    let content = model_of::<AvroBlob>(model)?.record()?;
    let detection = &content["detections"][2];
    Ok(length(content["name"].as_str())
        + number(content["position"]["ra"].as_f64())
        + number(content["position"]["dec"].as_f64())
        + number(detection["magnitude"].as_f64())
        + length(detection["band"].as_str()))
}

/// An alert like those of the gravitational-wave network, with so many nested objects and a sky map of so many bytes.
fn igwn(regions: i32, skymap: usize) -> Value {
    let fractions = |names: [&'static str; 4]| {
        Value::object(names.into_iter().zip([0.9375, 0.03125, 0.015625, 0.015625].map(Value::Float)))
    };
    let region = |at: i32| {
        Value::object([
            ("level", Value::Float(f64::from(at) / 128.0)),
            ("area", Value::Float(3.7 * f64::from(at * at))),
            ("center", vec![Value::Float(194.7 + f64::from(at) / 7.0), Value::Float(-25.3)].into()),
            ("galaxies", i64::from(at * 17).into()),
            ("catalogue", "GLADE+ \u{2265} 2.3".into()),
            ("observed", (at % 3 == 0).into()),
        ])
    };
    let event = [
        ("time", "2026-01-31T04:05:06.250Z".into()),
        ("far", Value::Float(9.11069936486e-14)),
        ("significant", true.into()),
        ("instruments", vec!["H1".into(), "L1".into(), "V1".into()].into()),
        ("group", "CBC".into()),
        ("pipeline", "gstlal".into()),
        ("duration", Value::Null),
        ("classification", fractions(["BNS", "NSBH", "BBH", "Terrestrial"])),
        ("properties", fractions(["HasNS", "HasRemnant", "HasMassGap", "HasSSM"])),
        ("credible_regions", Value::Array((0..regions).map(region).collect())),
        ("skymap", BASE64_STANDARD.encode(noise(skymap)).into()),
    ];
    Value::object([
        ("alert_type", "PRELIMINARY".into()),
        ("time_created", "2026-01-31T04:05:36Z".into()),
        ("superevent_id", "MS260131d".into()),
        ("urls", Value::object([("gracedb", "https://example.org/superevents/MS260131d/view/".into())])),
        ("event", Value::object(event)),
        ("external_coinc", Value::Null),
    ])
}

fn json_of(model: &Model) -> Outcome<&Value> {
    Ok(&model_of::<JsonBlob>(model)?.content)
}

/// What an observatory says every minute.
fn heartbeat() -> Value {
    Value::object([
        ("observatory", "Example".into()),
        ("status", Value::object([("online", true.into()), ("uptime", 86_400.into()), ("seeing", Value::Float(0.85))])),
        ("position", Value::object([("ra", Value::Float(150.11625)), ("dec", Value::Float(-2.20583))])),
        ("instruments", vec!["camera".into(), "spectrograph".into()].into()),
    ])
}

fn read_json_small(model: &Model) -> Outcome<f64> {
    let content = json_of(model)?;
    Ok(length(content["observatory"].as_str())
        + number(content["status"]["seeing"].as_f64())
        + number(content["position"]["ra"].as_f64())
        + length(content["instruments"][1].as_str()))
}

fn read_json_alert(model: &Model) -> Outcome<f64> {
    let content = json_of(model)?;
    let event = &content["event"];
    Ok(length(content["superevent_id"].as_str())
        + length(content["alert_type"].as_str())
        + number(event["far"].as_f64())
        + number(event["classification"]["BNS"].as_f64())
        + number(event["instruments"].as_array().map(|these| these.len() as f64)))
}

fn read_json_circular(model: &Model) -> Outcome<f64> {
    let content = json_of(model)?;
    Ok(length(content["header"]["subject"].as_str()) + length(content["body"].as_str()))
}

fn read_json_large(model: &Model) -> Outcome<f64> {
    let content = json_of(model)?;
    let event = &content["event"];
    Ok(length(content["superevent_id"].as_str())
        + number(event["far"].as_f64())
        + number(event["classification"]["BNS"].as_f64())
        + number(event["credible_regions"][7]["area"].as_f64())
        + length(event["skymap"].as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_of_the_sizes_they_stand_for_and_are_read() {
        let sizes = [
            ("voevent", 6_000),
            ("circular", 1_400),
            ("circular-text", 1_400),
            ("notice", 1_400),
            ("avro", 800),
            ("avro-alert", 70_000),
            ("avro-alert-struct", 70_000),
            ("json-small", 200),
            ("json-circular", 1_400),
            ("json-alert", 1_000),
            ("json-large", 100_000),
            ("blob", 4_096),
        ];
        let registry = hop_core::Registry::builder().models(hop_models::MODELS).build().unwrap();
        let cases = cases().unwrap();
        assert_eq!(cases.len(), sizes.len());
        for (case, (name, size)) in cases.iter().zip(sizes) {
            assert_eq!(case.name, name);
            let found = case.content.len();
            assert!(found.abs_diff(size) < size / 8, "{name} has {found} bytes");
            let model = registry.require(case.label).unwrap();
            let model = match case.form {
                Form::Wire => model.decode((&case.content).into()),
                Form::File => model.load((&case.content).into()),
            };
            assert!((case.read)(&*model.unwrap()).unwrap().is_finite(), "{name}");
        }
    }
}
