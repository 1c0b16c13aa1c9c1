//! The parts of a new event, and how each is written.

use std::fmt::Display;

use hop_core::Error;
use hop_core::sky::{Frame, Position};
use hop_core::time::Time;
use jiff::Timestamp;

use crate::voevent::xml::Writer;

/// A `<Param>` of a new event.
#[derive(Debug, Clone)]
#[must_use]
pub struct NewParam {
    attributes: Vec<(&'static str, String)>,
    description: Option<String>,
}

impl NewParam {
    /// A parameter of this name and value; numbers are written so that they read back the same.
    pub fn new(name: impl Into<String>, value: impl Display) -> Self {
        Self { attributes: vec![("name", name.into()), ("value", value.to_string())], description: None }
    }

    /// The unit, such as `mag` or `Hz`.
    pub fn unit(self, unit: impl Into<String>) -> Self {
        self.with("unit", unit.into())
    }

    /// The kind of quantity, in the words of the Unified Content Descriptors.
    pub fn ucd(self, ucd: impl Into<String>) -> Self {
        self.with("ucd", ucd.into())
    }

    /// `string`, `int` or `float`; the schema knows no other.
    pub fn data_type(self, data_type: impl Into<String>) -> Self {
        self.with("dataType", data_type.into())
    }

    /// Its place in a data model.
    pub fn utype(self, utype: impl Into<String>) -> Self {
        self.with("utype", utype.into())
    }

    /// What it means, for people.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = Some(text.into());
        self
    }

    fn with(mut self, name: &'static str, value: String) -> Self {
        self.attributes.retain(|(other, _)| *other != name);
        self.attributes.push((name, value));
        self
    }
}

/// A `<Group>` of a new event.
#[derive(Debug, Clone)]
#[must_use]
pub struct NewGroup {
    pub(super) name: String,
    kind: Option<String>,
    description: Option<String>,
    pub(super) params: Vec<NewParam>,
}

impl NewGroup {
    /// A group of this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), kind: None, description: None, params: Vec::new() }
    }

    /// What makes it a group: `type`.
    pub fn kind(mut self, kind: impl Into<String>) -> Self {
        self.kind = Some(kind.into());
        self
    }

    /// What it is, for people.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = Some(text.into());
        self
    }

    /// Adds a parameter.
    pub fn param(mut self, param: NewParam) -> Self {
        self.params.push(param);
        self
    }
}

/// Where and when a new event was observed.
#[derive(Debug, Clone)]
#[must_use]
pub struct Observation {
    time: Timestamp,
    pub(super) time_error: Option<f64>,
    pub(super) right_ascension: f64,
    pub(super) declination: f64,
    pub(super) error_radius: f64,
    pub(super) frame: Frame,
    observatory: String,
}

impl Observation {
    /// An observation in UTC at a right ascension and declination in ICRS, with the radius of its error circle, all in
    /// degrees. The schema wants the radius.
    pub fn new(time: Timestamp, right_ascension: f64, declination: f64, error_radius: f64) -> Self {
        Self {
            time,
            time_error: None,
            right_ascension,
            declination,
            error_radius,
            frame: Frame::Icrs,
            observatory: "GEOLUN".to_owned(),
        }
    }

    /// How uncertain the time is, in seconds.
    pub fn time_error(mut self, seconds: f64) -> Self {
        self.time_error = Some(seconds);
        self
    }

    /// The coordinates: [`Frame::Icrs`] unless set, or [`Frame::J2000`].
    pub fn frame(mut self, frame: Frame) -> Self {
        self.frame = frame;
        self
    }

    /// The observatory: `GEOLUN`, anywhere between the Earth and the Moon, unless set.
    pub fn observatory(mut self, id: impl Into<String>) -> Self {
        self.observatory = id.into();
        self
    }
}

impl Observation {
    /// Refuses what readers would refuse.
    pub(super) fn check(&self) -> Result<(), Error> {
        let position = Position::new(self.frame, self.right_ascension, self.declination)?;
        position.with_circle(self.error_radius, None)?;
        let time = Time::try_from(self.time)?;
        time.with_error(self.time_error.unwrap_or_default()).map(|_| ())
    }
}

impl NewParam {
    pub(super) fn write(&self, out: &mut Writer) {
        out.start("Param");
        for (name, value) in &self.attributes {
            out.attribute(name, value);
        }
        if let Some(text) = &self.description {
            leaf(out, "Description", text);
        }
        out.end();
    }
}

impl NewGroup {
    pub(super) fn write(&self, out: &mut Writer) {
        out.start("Group");
        out.attribute("name", &self.name);
        if let Some(kind) = &self.kind {
            out.attribute("type", kind);
        }
        if let Some(text) = &self.description {
            leaf(out, "Description", text);
        }
        for param in &self.params {
            param.write(out);
        }
        out.end();
    }
}

impl Observation {
    pub(super) fn write(&self, out: &mut Writer) {
        let system = if self.frame == Frame::J2000 { "UTC-FK5-TOPO" } else { "UTC-ICRS-TOPO" };
        out.start("WhereWhen");
        out.start("ObsDataLocation");
        out.start("ObservatoryLocation");
        out.attribute("id", &self.observatory);
        out.end();
        out.start("ObservationLocation");
        out.start("AstroCoordSystem");
        out.attribute("id", system);
        out.end();
        out.start("AstroCoords");
        out.attribute("coord_system_id", system);
        out.start("Time");
        out.attribute("unit", "s");
        out.start("TimeInstant");
        // Without a zone, as the standard's examples have it: the coordinate system says that it is UTC.
        leaf(out, "ISOTime", self.time.to_string().trim_end_matches('Z'));
        out.end();
        if let Some(error) = self.time_error {
            leaf(out, "Error", &error.to_string());
        }
        out.end();
        out.start("Position2D");
        out.attribute("unit", "deg");
        leaf(out, "Name1", "RA");
        leaf(out, "Name2", "Dec");
        out.start("Value2");
        leaf(out, "C1", &self.right_ascension.to_string());
        leaf(out, "C2", &self.declination.to_string());
        out.end();
        leaf(out, "Error2Radius", &self.error_radius.to_string());
        for _ in ["Position2D", "AstroCoords", "ObservationLocation", "ObsDataLocation", "WhereWhen"] {
            out.end();
        }
    }
}

pub(super) fn leaf(out: &mut Writer, name: &str, text: &str) {
    out.start(name);
    out.text(text);
    out.end();
}

pub(super) fn leaves(out: &mut Writer, these: &[(&'static str, String)]) {
    for (name, text) in these {
        leaf(out, name, text);
    }
}

pub(super) fn reference(out: &mut Writer, uri: &str) {
    out.start("Reference");
    out.attribute("uri", uri);
    out.end();
}
