//! Alerts of gravitational waves by LIGO, Virgo and KAGRA: the topic `igwn.gwalert`.
//!
//! GCN carries them as JSON, with the sky map in base64; Hopskotch as an Avro file of one record, with the sky map in bytes.
//! Both are the same [`GwAlert`], and each is written as the bytes it was read from.
//!
//! Definition: [LVK public alerts user guide](https://emfollow.docs.ligo.org/userguide/content.html).
//!
//! ```
//! use hop_core::MessageModel;
//! use hop_models::GwAlert;
//!
//! let content = r#"{"alert_type": "RETRACTION", "time_created": "2026-06-05T12:10:57Z", "superevent_id": "MS260605l",
//!     "urls": {"gracedb": "https://gracedb.ligo.org/superevents/MS260605l/view/"}, "event": null, "external_coinc": null}"#;
//! let alert = GwAlert::decode(content.into())?;
//! assert_eq!((alert.alert_type.as_str(), alert.superevent_id.as_str()), ("RETRACTION", "MS260605l"));
//! assert!(alert.event.is_none());
//! # Ok::<(), hop_core::Error>(())
//! ```
//!
//! # Differences from hop-client
//! hop-client reads the JSON as `json` and the Avro as `avro`; so it is sent under the label of the form that it was read
//! from. The label of this model is for rules by topic.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hop_core::time::{Time, TimeScale};
use hop_core::{Content, Error, ErrorKind, Location, MessageModel, Object, Text, Value, json};

use crate::AvroBlob;
use crate::avro::Schema;

/// What an Avro file starts with.
const AVRO: &[u8] = b"Obj\x01";

/// An alert of a gravitational wave, labelled `gwalert`; see [the module](self).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct GwAlert {
    /// `EARLYWARNING`, `PRELIMINARY`, `INITIAL`, `UPDATE` or `RETRACTION`.
    pub alert_type: String,
    /// When the alert was made.
    pub time_created: Time,
    /// The name of the superevent: `S…` for a real one, `MS…` for a mock, `TS…` for a test.
    pub superevent_id: String,
    /// Its page in GraceDB.
    pub gracedb: Option<String>,
    /// What was found; `None` in a retraction.
    pub event: Option<GwEvent>,
    /// What else was seen at the same time.
    pub external_coincidence: Option<ExternalCoincidence>,
    content: Bytes,
    fields: Value,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct GwEvent {
    /// When it was.
    pub time: Time,
    /// How often noise looks like it, in hertz.
    pub far_hz: f64,
    /// Whether it is rare enough to be followed up; `None` in alerts from before 2023.
    pub significant: Option<bool>,
    /// The detectors, such as `H1` and `L1`.
    pub instruments: Vec<String>,
    /// `CBC` for a merger, `Burst` for a signal without a model.
    pub group: String,
    /// What found it.
    pub pipeline: String,
    /// Which search found it.
    pub search: String,
    /// The probability of each class of source; empty for bursts.
    pub classification: BTreeMap<String, f64>,
    /// The probability of each property of the source; empty for bursts.
    pub properties: BTreeMap<String, f64>,
    /// How long a burst lasted, in seconds.
    pub duration: Option<f64>,
    /// The frequency of a burst, in hertz.
    pub central_frequency: Option<f64>,
    /// The sky map, a multi-order FITS file.
    pub skymap: Option<FitsFile>,
}

impl GwEvent {
    /// Returns the time in which noise makes one such event, in years of 365.25 days.
    pub fn years_per_false_alarm(&self) -> f64 {
        1.0 / (self.far_hz * 86_400.0 * 365.25)
    }
}

/// An event of another observatory at the same time.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ExternalCoincidence {
    /// The number of its notice.
    pub gcn_notice_id: Option<i64>,
    /// The name of its VOEvent.
    pub ivorn: Option<String>,
    /// Who saw it.
    pub observatory: Option<String>,
    /// Which search found it.
    pub search: Option<String>,
    /// How much later than the gravitational wave it was, in seconds.
    pub time_difference: Option<f64>,
    /// How often chance makes both as close in time, in hertz.
    pub time_coincidence_far_hz: Option<f64>,
    /// How often chance makes both as close in time and on the sky, in hertz.
    pub time_sky_position_coincidence_far_hz: Option<f64>,
    /// The sky map of both.
    pub combined_skymap: Option<FitsFile>,
}

/// A FITS file in an alert, decoded only when it is asked for.
#[derive(Clone)]
pub struct FitsFile(Fits);

#[derive(Clone)]
enum Fits {
    Bytes(Bytes),
    Base64(Text),
}

impl FitsFile {
    /// Returns the file: shared with the alert where that has bytes, decoded where it has base64.
    ///
    /// # Errors
    /// Kind `Malformed`: it is not base64.
    pub fn to_bytes(&self) -> Result<Bytes, Error> {
        match &self.0 {
            Fits::Bytes(bytes) => Ok(bytes.clone()),
            Fits::Base64(text) => STANDARD.decode(text.as_bytes()).map(Bytes::from).map_err(|error| {
                Error::new(ErrorKind::Malformed, GwAlert::FORMAT)
                    .expected("a FITS file in base64")
                    .found(error.to_string())
                    .at(Location::Path("skymap".to_owned()))
            }),
        }
    }
}

/// Shows the length alone: a sky map has a megabyte.
impl std::fmt::Debug for FitsFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Fits::Bytes(bytes) => write!(f, "FITS, {} bytes", bytes.len()),
            Fits::Base64(text) => write!(f, "FITS, {} bytes of base64", text.as_bytes().len()),
        }
    }
}

/// Equal files, whatever they are written in.
impl PartialEq for FitsFile {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Fits::Base64(one), Fits::Base64(other)) if one == other => true,
            _ => matches!((self.to_bytes(), other.to_bytes()), (Ok(one), Ok(other)) if one == other),
        }
    }
}

/// Equal alerts, whichever form they were sent in.
impl PartialEq for GwAlert {
    fn eq(&self, other: &Self) -> bool {
        let parts = |alert: &Self| (alert.alert_type.clone(), alert.time_created, alert.superevent_id.clone());
        parts(self) == parts(other)
            && self.gracedb == other.gracedb
            && self.event == other.event
            && self.external_coincidence == other.external_coincidence
    }
}

impl GwAlert {
    fn read(fields: Value, content: Bytes) -> Result<Self, Error> {
        let Value::Object(object) = &fields else {
            return Err(wrong("", "an object", &fields));
        };
        let all = Part { object, at: "" };
        Ok(Self {
            alert_type: all.needed("alert_type", "text", text)?,
            time_created: all.needed("time_created", "a time", time)?,
            superevent_id: all.needed("superevent_id", "text", text)?,
            gracedb: match all.part("urls", "urls.")? {
                Some(urls) => urls.maybe("gracedb", "text", text)?,
                None => None,
            },
            event: all.part("event", "event.")?.map(event).transpose()?,
            external_coincidence: all.part("external_coinc", "external_coinc.")?.map(coincidence).transpose()?,
            content,
            fields,
        })
    }
}

fn event(of: Part<'_>) -> Result<GwEvent, Error> {
    Ok(GwEvent {
        time: of.needed("time", "a time", time)?,
        far_hz: of.needed("far", "a number", Value::as_f64)?,
        significant: of.maybe("significant", "true or false", Value::as_bool)?,
        instruments: of
            .maybe("instruments", "a list of text", |value| value.as_array()?.iter().map(text).collect())?
            .unwrap_or_default(),
        group: of.needed("group", "text", text)?,
        pipeline: of.needed("pipeline", "text", text)?,
        search: of.needed("search", "text", text)?,
        classification: of.probabilities("classification")?,
        properties: of.probabilities("properties")?,
        duration: of.maybe("duration", "a number", Value::as_f64)?,
        central_frequency: of.maybe("central_frequency", "a number", Value::as_f64)?,
        skymap: of.maybe("skymap", "bytes, or base64", fits)?,
    })
}

fn coincidence(of: Part<'_>) -> Result<ExternalCoincidence, Error> {
    Ok(ExternalCoincidence {
        gcn_notice_id: of.maybe("gcn_notice_id", "a whole number", Value::as_i64)?,
        ivorn: of.maybe("ivorn", "text", text)?,
        observatory: of.maybe("observatory", "text", text)?,
        search: of.maybe("search", "text", text)?,
        time_difference: of.maybe("time_difference", "a number", Value::as_f64)?,
        time_coincidence_far_hz: of.maybe("time_coincidence_far", "a number", Value::as_f64)?,
        time_sky_position_coincidence_far_hz: of.maybe(
            "time_sky_position_coincidence_far",
            "a number",
            Value::as_f64,
        )?,
        combined_skymap: of.maybe("combined_skymap", "bytes, or base64", fits)?,
    })
}

/// An object in an alert, and the path to it.
struct Part<'a> {
    object: &'a Object,
    at: &'static str,
}

impl<'a> Part<'a> {
    fn maybe<T>(
        &self,
        name: &str,
        expected: &'static str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        match self.object.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => read(value).map(Some).ok_or_else(|| wrong(&format!("{}{name}", self.at), expected, value)),
        }
    }

    fn needed<T>(&self, name: &str, expected: &'static str, read: impl Fn(&Value) -> Option<T>) -> Result<T, Error> {
        let missing = || wrong(&format!("{}{name}", self.at), expected, &Value::Null);
        self.maybe(name, expected, read)?.ok_or_else(missing)
    }

    fn part(&self, name: &str, at: &'static str) -> Result<Option<Part<'a>>, Error> {
        match self.object.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(object)) => Ok(Some(Part { object, at })),
            Some(other) => Err(wrong(name, "an object", other)),
        }
    }

    fn probabilities(&self, name: &str) -> Result<BTreeMap<String, f64>, Error> {
        let entry = |(name, value): (&Text, &Value)| Some((name.to_string_lossy().into_owned(), value.as_f64()?));
        let read = |value: &Value| value.as_object()?.iter().map(entry).collect();
        Ok(self.maybe(name, "an object of numbers", read)?.unwrap_or_default())
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn time(value: &Value) -> Option<Time> {
    Time::parse(value.as_str()?, TimeScale::Utc).ok()
}

fn fits(value: &Value) -> Option<FitsFile> {
    match value {
        Value::Bytes(bytes) => Some(FitsFile(Fits::Bytes(bytes.clone()))),
        Value::String(text) => Some(FitsFile(Fits::Base64(text.clone()))),
        _ => None,
    }
}

#[cold]
fn wrong(at: &str, expected: &'static str, found: &Value) -> Error {
    let found = if found.is_null() { "none" } else { found.describe() };
    let error = Error::new(ErrorKind::Invalid, GwAlert::FORMAT).expected(expected).found(found);
    if at.is_empty() { error } else { error.at(Location::Path(at.to_owned())) }
}

/// The same value with every run of bytes in base64, as the JSON form has it.
fn in_base64(value: &Value) -> Value {
    match value {
        Value::Bytes(bytes) => STANDARD.encode(bytes).as_str().into(),
        Value::Object(object) => Value::object(object.iter().map(|(name, value)| (name.clone(), in_base64(value)))),
        other => other.clone(),
    }
}

impl MessageModel for GwAlert {
    const FORMAT: &'static str = "gwalert";

    fn decode(content: Content<'_>) -> Result<Self, Error> {
        let about = |error: Error| error.about(Self::FORMAT);
        let fields = if content.starts_with(AVRO) {
            let file = AvroBlob::decode(content).map_err(about)?;
            // Asked before the values are made: a file of anything else may be large.
            let is_record = |schema: &Schema| schema.json().get("type").and_then(Value::as_str) == Some("record");
            if !file.schema().is_some_and(is_record) {
                return Err(Error::new(ErrorKind::Invalid, Self::FORMAT)
                    .expected("an Avro file of one record")
                    .found("a file of another schema"));
            }
            file.content().map_err(about)?
        } else {
            json::parse(content).map_err(about)?
        };
        Self::read(fields, content.to_bytes())
    }

    fn encode(&self) -> Result<Bytes, Error> {
        Ok(self.content.clone())
    }

    fn sent_as(&self) -> &'static str {
        if self.content.starts_with(AVRO) { "avro" } else { "json" }
    }

    fn fields(&self) -> Result<Value, Error> {
        Ok(in_base64(&self.fields))
    }

    fn summary(&self) -> hop_core::Summary {
        crate::summary::gw_alert(&self.fields).unwrap_or_else(|| hop_core::Summary::new("gravitational wave"))
    }

    fn example() -> Option<Self> {
        let text = r#"{"alert_type": "PRELIMINARY", "time_created": "2025-01-22T08:38:01Z", "superevent_id": "MS250122h",
            "urls": {"gracedb": "https://gracedb.ligo.org/superevents/MS250122h/view/"}, "event": {"significant": true,
            "time": "2025-01-22T08:27:57.466Z", "far": 9.11e-14, "instruments": ["H1", "L1"], "group": "CBC",
            "pipeline": "gstlal", "search": "MDC", "properties": {"HasNS": 1.0}, "classification": {"BNS": 1.0},
            "duration": null, "central_frequency": null, "skymap": "U0lNUExF"}, "external_coinc": null}"#;
        Self::decode(text.into()).ok()
    }
}
