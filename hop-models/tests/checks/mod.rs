//! What must be true of any content, target by target: the fuzz targets in `fuzz/` and the tests here call the same.
//!
//! A check panics when it is not.

#![allow(clippy::panic)]
#![allow(unreachable_pub, reason = "also a module of the fuzz targets' crate, where it is public")]

#[path = "../support/sightings.rs"]
mod sightings;

use bytes::Bytes;
use hop_core::testing::{Checked, Kept, Rounds, check, check_error, check_model};
use hop_core::{
    Content, ErrorKind, Headers, JsonBlob, Limits, MessageModel, Registration, Registry, Route, Value, header, json,
    registration,
};
use hop_models::{AvroBlob, Circular, External, TextNotice, VoEvent};

/// Panics where content does not keep a promise.
pub type Check = fn(&[u8]);

/// The targets by name.
pub const TARGETS: [(&str, Check); 8] = [
    ("voevent", voevent),
    ("circular", circular),
    ("notice", notice),
    ("avro", avro),
    ("json", json_blob),
    ("external", external),
    ("codec", codec),
    ("ladder", ladder),
];

/// Tight enough that what stays within them cannot take much memory or time.
pub const TIGHT: Limits = Limits { content: 1 << 20, depth: 64, nodes: 100_000, records: 1000, decompressed: 4 << 20 };

const SAME: Rounds = Rounds { wire: Kept::Same, file: Kept::Same };

fn held(model: Registration, content: &[u8]) -> Checked {
    check(&model, content, &TIGHT).unwrap_or_else(|reason| panic!("{model}: {reason}"))
}

/// A model that keeps its fields in both forms.
fn keeps(model: Registration, content: &[u8]) -> Checked {
    let checked = held(model, content);
    for rounds in [checked.decoded, checked.loaded].into_iter().flatten() {
        assert_eq!(rounds, SAME, "{model}");
    }
    checked
}

/// A derived model under each codec; the first byte chooses one.
pub fn codec(content: &[u8]) {
    let models = [sightings::models(), sightings::trees()].concat();
    if let Some((first, content)) = content.split_first() {
        held(models[usize::from(*first) % models.len()], content);
    }
}

/// XML keeps its fields; those of JSON become text on their way to XML.
pub fn voevent(content: &[u8]) {
    let model = registration!(VoEvent);
    let checked = held(model, content);
    assert_eq!(checked.decoded, checked.loaded, "{model}");
    let Ok(event) = VoEvent::decode(Content::from(content).with_limits(&TIGHT)) else { return };
    if event.as_bytes() == content {
        assert_eq!(checked.decoded, Some(SAME), "{model}");
    }
    assert!(checked.decoded.is_some_and(|rounds| rounds.file <= Kept::Settled), "{model}");
    let _ = (event.ivorn(), event.role(), event.version(), event.position(), event.description());
    if let Ok(Some(time)) = event.time() {
        let _ = (time.utc(), time.scale(), time.error(), time.to_string());
    }
    for param in event.params() {
        let _ = (param.as_f64(), param.as_i64(), param.as_bool(), param.unit());
    }
    for table in event.what().into_iter().flat_map(|what| what.tables()) {
        let _ = table.column("x").map(Iterator::count);
    }
    for citation in event.citations().into_iter().flat_map(|citations| citations.events()) {
        let _ = citation.cite();
    }
    let _ = event.why().map(|why| (why.importance(), why.expires().is_ok()));
    if let Ok(again) = event.fields().and_then(VoEvent::from_fields) {
        check_model(&model, &again).unwrap_or_else(|reason| panic!("{model} from its fields: {reason}"));
    }
}

/// The wire keeps the fields. The file form cannot: titles there have neither line ends nor spaces around them, and what
/// reads like mail is read as mail.
pub fn circular(content: &[u8]) {
    let model = registration!(Circular);
    let checked = held(model, content);
    for rounds in [checked.decoded, checked.loaded].into_iter().flatten() {
        assert_eq!(rounds.wire, Kept::Same, "{model}");
    }
    let content = Content::from(content).with_limits(&TIGHT);
    for circular in [Circular::decode(content), Circular::load(content)].into_iter().flatten() {
        let _ = (circular.number(), circular.subject(), circular.author(), circular.date(), circular.event_name());
        for part in circular.parts() {
            let _ = (part.text(), part.file_name(), part.content_type(), part.is_attachment());
        }
    }
    let _ = Circular::archive(&content).count();
}

/// Any bytes are a notice, and stay what they are.
pub fn notice(content: &[u8]) {
    let model = registration!(TextNotice);
    let checked = keeps(model, content);
    assert_eq!(checked.decoded, Some(SAME), "{model}");
    let raw = Bytes::copy_from_slice(content);
    let Ok(notice) = TextNotice::decode((&raw).into()) else { return };
    assert_eq!(notice.encode().ok().as_ref(), Some(&raw));
    for (key, value) in notice.iter().take(1) {
        assert!(notice.get_all(key).any(|found| found == value), "{key}");
    }
    let _ = (notice.title(), notice.preamble(), notice.event_time(), notice.notice_date(), notice.trigger_number());
    let _ = (notice.position(), notice.position_error(), notice.notice_type());
    for notice in TextNotice::archive(&raw).flatten() {
        let _ = notice.title();
    }
}

/// A file is written as it was read. Its fields make a file again unless they cannot be told apart (a union's branches),
/// and if so, one that can be read.
pub fn avro(content: &[u8]) {
    let model = registration!(AvroBlob);
    keeps(model, content);
    let raw = Bytes::copy_from_slice(content);
    let _ = (hop_models::avro::split_confluent(&raw), hop_models::avro::split_single_object(&raw));
    let Ok(blob) = AvroBlob::decode(Content::from(&raw).with_limits(&TIGHT)) else { return };
    assert_eq!(blob.encode().ok().as_ref(), Some(&raw));
    match blob.records_as::<Value>() {
        Ok(records) => assert_eq!(records.len(), blob.count()),
        Err(error) => panic!("{model}: not read into values: {error}"),
    }
    let _ = blob.metadata();
    let _ = blob.schema().map(|schema| (schema.fingerprint(), schema.canonical()));
    let again = blob.fields().and_then(AvroBlob::from_fields);
    if let Ok(again) = again.and_then(|again| again.encode()) {
        let read = AvroBlob::decode((&again).into()).and_then(|again| again.fields().map(|_| again.count()));
        assert_eq!(read.ok(), Some(blob.count()), "{model}: not read again from its fields");
    }
}

/// JSON is what serde_json takes for JSON, and what Python writes beside it.
pub fn json_blob(content: &[u8]) {
    keeps(registration!(JsonBlob), content);
    let ours = json::parse(Content::from(content).with_limits(&TIGHT));
    let standard = content.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(content);
    let theirs = serde_json::from_slice::<serde_json::Value>(standard);
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => assert!(same(&ours, &theirs), "{ours}\n{theirs}"),
        (Ok(ours), Err(error)) => assert!(is_pythons(standard), "read, though {error}: {ours}"),
        (Err(error), Ok(theirs)) => assert_eq!(error.kind(), ErrorKind::Limit, "{error}: {theirs}"),
        (Err(_), Err(_)) => {}
    }
}

/// Equal to the last bit.
fn same(ours: &Value, theirs: &serde_json::Value) -> bool {
    use serde_json::Value as Json;
    match (ours, theirs) {
        (Value::Null, Json::Null) => true,
        (Value::Bool(ours), Json::Bool(theirs)) => ours == theirs,
        (Value::Int(0), Json::Number(theirs)) => theirs.as_f64() == Some(0.0),
        (Value::Int(ours), Json::Number(theirs)) => theirs.as_i64() == Some(*ours),
        (Value::BigInt(ours), Json::Number(theirs)) => match theirs.as_u64() {
            Some(theirs) => **ours == *theirs.to_string(),
            None => theirs.is_f64() && ours.parse().ok() == theirs.as_f64(),
        },
        (Value::Float(ours), Json::Number(theirs)) => {
            theirs.is_f64() && theirs.as_f64().is_some_and(|theirs| theirs.to_bits() == ours.to_bits())
        }
        (Value::String(ours), Json::String(theirs)) => ours.as_str() == Some(theirs),
        (Value::Array(ours), Json::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| same(ours, theirs))
        }
        (Value::Object(ours), Json::Object(theirs)) => {
            let equal = |(key, value)| theirs.get(key).is_some_and(|theirs| same(value, theirs));
            ours.len() == theirs.len()
                && ours.iter().all(|(key, value)| key.as_str().is_some_and(|key| equal((key, value))))
        }
        _ => false,
    }
}

/// Whether there may be something in a text that Python writes and the standard has not: numbers that are none or too large,
/// and halves of surrogate pairs.
fn is_pythons(text: &[u8]) -> bool {
    let contains = |what: &[u8]| text.windows(what.len()).any(|window| window == what);
    let long = |digits: &[u8], least| digits.iter().take_while(|byte| byte.is_ascii_digit()).count() >= least;
    let exponent = |(at, byte): (usize, &u8)| {
        matches!(byte, b'e' | b'E') && {
            let rest = &text[at + 1..];
            long(rest.strip_prefix(b"+").unwrap_or(rest), 2)
        }
    };
    [&b"NaN"[..], b"Infinity", br"\ud", br"\uD"].into_iter().any(contains)
        || text.iter().enumerate().any(exponent)
        || (0..text.len()).any(|at| long(&text[at..], 300))
}

/// An address, and nothing else of what stands beside it.
pub fn external(content: &[u8]) {
    keeps(registration!(External), content);
}

/// The headers that the first byte of the input chooses: none, a label that is known, one that is not, or one that is no
/// label.
fn headers(choice: u8) -> Headers {
    const LABELS: [Option<&[u8]>; 12] = [
        None,
        Some(b"voevent"),
        Some(b"circular"),
        Some(b"gcntextnotice"),
        Some(b"avro"),
        Some(b"external"),
        Some(b"json"),
        Some(b"blob"),
        Some(b"VOEvent"),
        Some(b"unknown"),
        Some(b"\xFF"),
        Some(b""),
    ];
    let mut headers = Headers::new();
    if let Some(label) = LABELS[usize::from(choice) % LABELS.len()] {
        // One bit makes the label null.
        headers.push(header::FORMAT, (choice < 0x80).then(|| Bytes::from_static(label)));
    }
    headers
}

/// The first byte chooses the headers, the rest is the content.
pub fn ladder(input: &[u8]) {
    let Some((choice, content)) = input.split_first() else { return };
    let registry = registry();
    let headers = headers(*choice);
    match registry.decode(&headers, Content::from(content).with_limits(&TIGHT)) {
        Ok(decoded) => {
            let labelled = headers.contains(header::FORMAT);
            assert_eq!(labelled, matches!(decoded.route, Route::Header | Route::UnknownFormat { .. }));
            let registration = registry.require(decoded.model.format()).unwrap_or_else(|error| panic!("{error}"));
            // Fields in an envelope may be what their format has no way to write.
            if matches!(decoded.route, Route::Envelope { .. }) && decoded.model.encode().is_err() {
                return;
            }
            check_model(registration, &*decoded.model).unwrap_or_else(|reason| panic!("{registration}: {reason}"));
        }
        Err(error) => check_error(&error).unwrap_or_else(|reason| panic!("{reason}")),
    }
}

fn registry() -> &'static Registry {
    static REGISTRY: std::sync::OnceLock<Registry> = std::sync::OnceLock::new();
    REGISTRY.get_or_init(|| {
        Registry::builder().models(hop_models::MODELS).build().unwrap_or_else(|error| panic!("{error}"))
    })
}
