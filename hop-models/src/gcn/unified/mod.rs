//! GCN notices in JSON: the topics `gcn.notices.**`.
//!
//! Schema: [nasa-gcn/gcn-schema](https://github.com/nasa-gcn/gcn-schema), `gcn/notices/core`. What missions have in common is
//! read by name; everything else is in [`GcnNotice::get`]. A notice that was read and not changed is written as the bytes it
//! was read from.
//!
//! ```
//! use hop_core::MessageModel;
//! use hop_models::GcnNotice;
//!
//! let content = r#"{
//!     "$schema": "https://gcn.nasa.gov/schema/v7.2.3/gcn/notices/maxi/gsc.unknown.schema.json",
//!     "mission": "MAXI", "instrument": "GSC", "trigger_time": "2023-02-20T08:56:01Z", "id": "9995289617",
//!     "ra": 346.56, "dec": 18.61, "ra_dec_error": [0.22, 0.19, 153], "event_name": "GRB 230220A", "flux": 1.69e-9
//! }"#;
//! let notice = GcnNotice::decode(content.into())?;
//! let position = notice.position()?.expect("it has one");
//! assert_eq!((position.ra(), position.dec(), position.radius()), (346.56, 18.61, Some(0.22)));
//! assert_eq!(position.region().and_then(|region| region.confidence()), Some(0.9));
//! assert_eq!(notice.event_names()?, ["GRB 230220A"]);
//! assert_eq!(notice.get("flux").and_then(|flux| flux.as_f64()), Some(1.69e-9));
//! assert_eq!(notice.encode()?, content);
//! # Ok::<(), hop_core::Error>(())
//! ```
//!
//! # Not supported
//! - The content is not checked against its schema: a field of another type is an error of the method that reads it.
//! - Positions within the notice's own lists (`data.targets`, `coincident_events`) are not looked for.
//!
//! # Differences from hop-client
//! hop-client has no model for these notices and reads them as a blob. This one is sent as `json`, which hop-client reads.

mod summary;

use bytes::Bytes;
use hop_core::sky::{Position, Region};
use hop_core::time::{Time, TimeScale};
use hop_core::{Content, Error, ErrorKind, Location, MessageModel, Object, Value, json};

/// The probability that a source is inside of the region, where a notice does not state it.
///
/// Source: `containment_probability` in `core/Localization.schema.json`.
const CONTAINMENT: f64 = 0.9;

/// A notice of GCN's unified schema, labelled `gcnnotice`; see [the module](self).
///
/// A method returns `None` where the notice does not have the field, and an error where it is not what the schema says.
#[derive(Debug, Clone)]
pub struct GcnNotice {
    fields: Object,
    /// The bytes that it was read from; `None` where it was made or changed.
    content: Option<Bytes>,
}

/// Where an alert stands in the sequence of alerts of one event.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AlertType {
    /// The detection.
    Initial,
    /// A further observation.
    Subsequent,
    /// A better analysis of what was reported.
    Update,
    /// What was reported is withdrawn.
    Retraction,
    /// A type that this version does not know.
    Other(String),
}

/// What an alert refers to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AlertTense {
    /// A recent observation.
    Current,
    /// A new analysis of archived data.
    Archival,
    /// An observation in the future.
    Planned,
    /// A simulated signal.
    Injection,
    /// An observation by command.
    Commanded,
    /// A test.
    Test,
    /// A tense that this version does not know.
    Other(String),
}

/// Where the sky map of a notice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SkyMap<'a> {
    /// A FITS file at an address.
    Url(&'a str),
    /// A FITS file in the notice, in base64.
    Base64(&'a str),
}

/// Another event or notice that a notice refers to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Citation {
    /// The topic, catalogue or instrument, such as `gcn.notices.LVK.alert` or `Fermi-GBM`; `None` where it is not stated.
    pub source: Option<String>,
    /// The name or number there.
    pub id: String,
    /// What kind of event it is, such as `GRB`.
    pub event_type: Option<String>,
}

impl GcnNotice {
    /// Makes a notice of its fields; `$schema` among them says which of GCN's schemas it follows.
    pub fn new(fields: Object) -> Self {
        Self { fields, content: None }
    }

    /// Returns a field by its name in the schema.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.fields.get(name)
    }

    /// Sets a field. The notice is then written anew, with its fields in the same order.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.fields.insert(name, value.into());
        self.content = None;
    }

    /// Returns all fields, in the order in which they came.
    pub fn all(&self) -> &Object {
        &self.fields
    }

    /// Returns the address of the notice's schema.
    ///
    /// # Errors
    /// Kind `Invalid`: it is not text.
    pub fn schema_url(&self) -> Result<Option<&str>, Error> {
        self.text("$schema")
    }

    /// Returns the mission or telescope that reports.
    ///
    /// # Errors
    /// Kind `Invalid`: it is not text.
    pub fn mission(&self) -> Result<Option<&str>, Error> {
        self.text("mission")
    }

    /// Returns the instrument that reports.
    ///
    /// # Errors
    /// Kind `Invalid`: it is not text.
    pub fn instrument(&self) -> Result<Option<&str>, Error> {
        self.text("instrument")
    }

    /// Returns the messenger: `EM`, `GW` or `Neutrino`.
    ///
    /// # Errors
    /// Kind `Invalid`: it is not text.
    pub fn messenger(&self) -> Result<Option<&str>, Error> {
        self.text("messenger")
    }

    /// Returns the numbers of the trigger; none where there are none.
    ///
    /// # Errors
    /// Kind `Invalid`: they are neither text nor a list of it.
    pub fn ids(&self) -> Result<Vec<&str>, Error> {
        self.texts("id")
    }

    /// Returns the names of the event; none where there are none.
    ///
    /// # Errors
    /// Kind `Invalid`: they are neither text nor a list of it.
    pub fn event_names(&self) -> Result<Vec<&str>, Error> {
        self.texts("event_name")
    }

    /// Returns the number of this notice among those of its trigger, from 1.
    ///
    /// # Errors
    /// Kind `Invalid`: it is not a whole number.
    pub fn record_number(&self) -> Result<Option<i64>, Error> {
        self.field("record_number", "a whole number", |value| {
            // The schema has a number; 1.0 is one as well.
            let whole = |number: &f64| number.fract() == 0.0 && number.abs() < 1e15;
            value.as_i64().or_else(|| value.as_f64().filter(whole).map(|number| number as i64))
        })
    }

    /// Returns where the alert stands in its sequence.
    ///
    /// # Errors
    /// Kind `Invalid`: it is not text.
    pub fn alert_type(&self) -> Result<Option<AlertType>, Error> {
        let known = |text: &str| match text {
            "initial" => AlertType::Initial,
            "subsequent" => AlertType::Subsequent,
            "update" => AlertType::Update,
            "retraction" => AlertType::Retraction,
            other => AlertType::Other(other.to_owned()),
        };
        Ok(self.text("alert_type")?.map(known))
    }

    /// Returns what the alert refers to.
    ///
    /// # Errors
    /// Kind `Invalid`: it is not text.
    pub fn alert_tense(&self) -> Result<Option<AlertTense>, Error> {
        let known = |text: &str| match text {
            "current" => AlertTense::Current,
            "archival" => AlertTense::Archival,
            "planned" => AlertTense::Planned,
            "injection" => AlertTense::Injection,
            "commanded" => AlertTense::Commanded,
            "test" => AlertTense::Test,
            other => AlertTense::Other(other.to_owned()),
        };
        Ok(self.text("alert_tense")?.map(known))
    }

    /// Returns when the notice was made.
    ///
    /// # Errors
    /// Kind `Invalid`: it is not a time.
    pub fn alert_time(&self) -> Result<Option<Time>, Error> {
        self.time("alert_datetime")
    }

    /// Returns when the event was.
    ///
    /// # Errors
    /// Kind `Invalid`: it is not a time.
    pub fn trigger_time(&self) -> Result<Option<Time>, Error> {
        self.time("trigger_time")
    }

    /// Returns when the observation began.
    ///
    /// # Errors
    /// Kind `Invalid`: it is not a time.
    pub fn observation_start(&self) -> Result<Option<Time>, Error> {
        self.time("observation_start")
    }

    /// Returns when the observation ended.
    ///
    /// # Errors
    /// Kind `Invalid`: it is not a time.
    pub fn observation_stop(&self) -> Result<Option<Time>, Error> {
        self.time("observation_stop")
    }

    /// Returns the position in ICRS, with the circle or ellipse around it; the source is inside with the probability that the
    /// notice states, else 0.9.
    ///
    /// # Errors
    /// Kind `Invalid`: one coordinate without the other, a value that is not a number, or one that no position has.
    pub fn position(&self) -> Result<Option<Position>, Error> {
        let (ra, dec) = match (self.number("ra")?, self.number("dec")?) {
            (None, None) => return Ok(None),
            (Some(ra), Some(dec)) => (ra, dec),
            (Some(_), None) => return Err(self.wrong("dec", "a declination beside `ra`", None)),
            (None, Some(_)) => return Err(self.wrong("ra", "a right ascension beside `dec`", None)),
        };
        let about = |error: Error| error.about(Self::FORMAT);
        let position = Position::icrs(ra, dec).map_err(about)?;
        let confidence = Some(self.number("containment_probability")?.unwrap_or(CONTAINMENT));
        match self.region(confidence)? {
            Some(region) => position.with_region(region).map(Some).map_err(about),
            None => Ok(Some(position)),
        }
    }

    fn region(&self, confidence: Option<f64>) -> Result<Option<Region>, Error> {
        const NAME: &str = "ra_dec_error";
        let Some(value) = self.present(NAME) else { return Ok(None) };
        let wrong = || self.wrong(NAME, "a radius, or one to three numbers of an ellipse, in degrees", Some(value));
        if let Some(radius) = value.as_f64() {
            return Ok(Some(Region::Circle { radius, confidence }));
        }
        let numbers: Option<Vec<f64>> = value.as_array().ok_or_else(wrong)?.iter().map(Value::as_f64).collect();
        match numbers.ok_or_else(wrong)?.as_slice() {
            [radius] => Ok(Some(Region::Circle { radius: *radius, confidence })),
            [major, minor] => Ok(Some(Region::Ellipse { major: *major, minor: *minor, angle: 0.0, confidence })),
            [major, minor, angle] => {
                Ok(Some(Region::Ellipse { major: *major, minor: *minor, angle: *angle, confidence }))
            }
            _ => Err(wrong()),
        }
    }

    /// Returns the corners of the region where that is a rectangle (MAXI): right ascension and declination in degrees.
    ///
    /// # Errors
    /// Kind `Invalid`: they are not pairs of numbers.
    pub fn corners(&self) -> Result<Vec<(f64, f64)>, Error> {
        let corners = self.field("rectangular_error_corners", "a list of pairs of numbers", |value| {
            let pair = |corner: &Value| match corner.as_array()? {
                [ra, dec] => Some((ra.as_f64()?, dec.as_f64()?)),
                _ => None,
            };
            value.as_array()?.iter().map(pair).collect()
        })?;
        Ok(corners.unwrap_or_default())
    }

    /// Returns whether the region includes the systematic error; `None` where the notice does not say, which the schema has
    /// mean that it does not.
    ///
    /// # Errors
    /// Kind `Invalid`: it is neither true nor false.
    pub fn systematic_included(&self) -> Result<Option<bool>, Error> {
        self.field("systematic_included", "true or false", Value::as_bool)
    }

    /// Returns where the sky map is: in the notice, else at an address.
    ///
    /// # Errors
    /// Kind `Invalid`: it is not text.
    pub fn sky_map(&self) -> Result<Option<SkyMap<'_>>, Error> {
        Ok(match self.text("healpix_file")? {
            Some(file) => Some(SkyMap::Base64(file)),
            None => self.text("healpix_url")?.map(SkyMap::Url),
        })
    }

    /// Returns what the notice refers to: `reference`, `ref_ID`, and Swift's `follow_up_event`.
    ///
    /// # Errors
    /// Kind `Invalid`: one of them is not what the schema says.
    pub fn citations(&self) -> Result<Vec<Citation>, Error> {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let mut citations = Vec::new();
        if let Some(value) = self.present("reference") {
            let wrong = || self.wrong("reference", "an object of names and numbers", Some(value));
            for (source, id) in value.as_object().ok_or_else(wrong)?.iter() {
                let id = match id {
                    Value::String(text) => text.to_string_lossy().into_owned(),
                    number if number.as_f64().is_some() => number.to_string(),
                    _ => return Err(wrong()),
                };
                citations.push(Citation { source: Some(source.to_string_lossy().into_owned()), id, event_type: None });
            }
        }
        if let Some(id) = self.text("ref_ID")? {
            let (source, event_type) = (owned(self.text("ref_instrument")?), owned(self.text("ref_type")?));
            citations.push(Citation { source, id: id.to_owned(), event_type });
        }
        if let Some(id) = self.text("follow_up_event")? {
            citations.push(Citation {
                source: None,
                id: id.to_owned(),
                event_type: owned(self.text("follow_up_type")?),
            });
        }
        Ok(citations)
    }

    /// The field, where it is there and not null.
    fn present(&self, name: &str) -> Option<&Value> {
        self.get(name).filter(|value| !value.is_null())
    }

    fn field<'a, T>(
        &'a self,
        name: &str,
        expected: &'static str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let Some(value) = self.present(name) else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| self.wrong(name, expected, Some(value)))
    }

    fn text(&self, name: &str) -> Result<Option<&str>, Error> {
        self.field(name, "text", Value::as_str)
    }

    fn number(&self, name: &str) -> Result<Option<f64>, Error> {
        self.field(name, "a number", Value::as_f64)
    }

    fn texts(&self, name: &str) -> Result<Vec<&str>, Error> {
        let texts = self.field(name, "text, or a list of it", |value| match value.as_array() {
            Some(list) => list.iter().map(Value::as_str).collect(),
            None => value.as_str().map(|text| vec![text]),
        })?;
        Ok(texts.unwrap_or_default())
    }

    /// Times without an offset are in UTC.
    fn time(&self, name: &str) -> Result<Option<Time>, Error> {
        let at = |error: Error| error.about(Self::FORMAT).at(Location::Path(name.to_owned()));
        self.text(name)?.map(|text| Time::parse(text, TimeScale::Utc).map_err(at)).transpose()
    }

    #[cold]
    fn wrong(&self, name: &str, expected: &'static str, found: Option<&Value>) -> Error {
        Error::new(ErrorKind::Invalid, Self::FORMAT)
            .expected(expected)
            .found(found.map_or("none", Value::describe))
            .at(Location::Path(name.to_owned()))
    }
}

/// Equal fields, however they are written.
impl PartialEq for GcnNotice {
    fn eq(&self, other: &Self) -> bool {
        self.fields == other.fields
    }
}

impl MessageModel for GcnNotice {
    const FORMAT: &'static str = "gcnnotice";

    fn decode(content: Content<'_>) -> Result<Self, Error> {
        let value = json::parse(content).map_err(|error| error.about(Self::FORMAT))?;
        let notice = Self::from_fields(value)?;
        Ok(Self { content: Some(content.to_bytes()), ..notice })
    }

    fn encode(&self) -> Result<Bytes, Error> {
        match &self.content {
            Some(content) => Ok(content.clone()),
            None => json::write(&self.fields.clone().into()).map(Bytes::from),
        }
    }

    fn sent_as(&self) -> &'static str {
        "json"
    }

    fn fields(&self) -> Result<Value, Error> {
        Ok(self.fields.clone().into())
    }

    fn from_fields(fields: Value) -> Result<Self, Error> {
        let Value::Object(object) = fields else {
            return Err(Error::new(ErrorKind::Invalid, Self::FORMAT).expected("an object").found(fields.describe()));
        };
        let schema = object.get("$schema").and_then(Value::as_str).unwrap_or_default();
        // Circulars have a schema of GCN's too.
        if schema.contains("/gcn/") && !schema.contains("/gcn/notices/") {
            return Err(Error::new(ErrorKind::Unsupported, Self::FORMAT)
                .expected("a schema under `gcn/notices`")
                .found(format!("`{}`", schema.escape_debug()))
                .at(Location::Path("$schema".to_owned()))
                .help("circulars are read by the model `circular`"));
        }
        Ok(Self::new(object))
    }

    fn summary(&self) -> hop_core::Summary {
        summary::of(self)
    }

    fn example() -> Option<Self> {
        let text = r#"{"$schema": "https://gcn.nasa.gov/schema/v7.2.3/gcn/notices/einstein_probe/wxt/alert.schema.json",
            "instrument": "WXT", "trigger_time": "2024-03-01T21:46:05.13Z", "id": ["01708973486"],
            "ra": 120, "dec": 40, "ra_dec_error": 0.02, "image_snr": 1}"#;
        Value::from_json(text).and_then(Self::from_fields).ok()
    }
}
