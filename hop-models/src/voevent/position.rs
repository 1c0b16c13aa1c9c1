//! Where and when: the part of STC that VOEvents use.

use std::borrow::Cow;
use std::fmt;

use hop_core::{Error, ErrorKind, Location};

use super::time::{Time, TimeScale};
use super::view::{number, text, texts, view};
use super::xml::{Element, SUBJECT};

/// In which coordinates a position is stated.
///
/// Source: VOEvent 2.0, `coord_system_id`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Frame {
    /// The International Celestial Reference System.
    Icrs,
    /// The fifth fundamental catalogue, equinox J2000.
    Fk5,
    /// The fourth, equinox B1950.
    Fk4,
    /// What the event states, where it is none of these; empty where it states nothing.
    Other(String),
}

impl Frame {
    /// The label, such as `FK5`.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Icrs => "ICRS",
            Self::Fk5 => "FK5",
            Self::Fk4 => "FK4",
            Self::Other(label) => label,
        }
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where on the sky an event is.
#[derive(Debug, Clone, PartialEq)]
pub struct Position {
    /// Right ascension, in degrees, as stated.
    pub right_ascension: f64,
    /// Declination, in degrees, as stated.
    pub declination: f64,
    /// The radius of the error circle, in degrees; at which confidence is the sender's choice. `None` when absent.
    pub error_radius: Option<f64>,
    /// The coordinates.
    pub frame: Frame,
}

view! {
    /// Where and when it happened: `<WhereWhen>`.
    ///
    /// Source: VOEvent 2.0, `<WhereWhen>`.
    WhereWhen
}

impl<'a> WhereWhen<'a> {
    /// The position of the first location that has one, `None` where none does.
    ///
    /// # Errors
    /// As [`ObsDataLocation::position`].
    pub fn position(self) -> Result<Option<Position>, Error> {
        for location in self.locations() {
            if let Some(position) = location.position()? {
                return Ok(Some(position));
            }
        }
        Ok(None)
    }

    /// The time of the first location that has one, `None` where none does.
    ///
    /// # Errors
    /// As [`ObsDataLocation::time`].
    pub fn time(self) -> Result<Option<Time<'a>>, Error> {
        for location in self.locations() {
            if let Some(time) = location.time()? {
                return Ok(Some(time));
            }
        }
        Ok(None)
    }

    /// Who observed, as the first location names it: `GEOLUN` is anywhere between the Earth and the Moon.
    pub fn observatory(self) -> Option<Cow<'a, str>> {
        self.locations().find_map(ObsDataLocation::observatory)
    }

    /// The locations, most often one: each `<ObsDataLocation>`, and the flat form of VOEvent 1.0.
    pub fn locations(self) -> impl Iterator<Item = ObsDataLocation<'a>> {
        let flat = self.0.child("Dec").is_some() || self.0.child("Time").is_some();
        let itself = flat.then_some(ObsDataLocation(self.0));
        itself.into_iter().chain(self.0.children_named("ObsDataLocation").map(ObsDataLocation))
    }

    /// The free texts in `<Description>`.
    pub fn descriptions(self) -> impl Iterator<Item = Cow<'a, str>> {
        texts(self.0, "Description")
    }
}

view! {
    /// One observation in space and time: `<ObsDataLocation>`.
    ///
    /// Source: VOEvent 2.0, `<ObsDataLocation>`.
    ObsDataLocation
}

impl<'a> ObsDataLocation<'a> {
    /// The position: `<Position2D>` or `<Position3D>`, `None` where there is none.
    ///
    /// # Errors
    /// Kind `Invalid` for a coordinate that is missing or not a number, quoting it; kind `Unsupported` for a unit that is not
    /// an angle, and for coordinates that are not right ascension and declination.
    pub fn position(self) -> Result<Option<Position>, Error> {
        if let (Some(ra), Some(dec)) = (self.0.child("RA").or_else(|| self.0.child("Ra")), self.0.child("Dec")) {
            return self.flat_position(ra, dec).map(Some);
        }
        let Some(coords) = self.astro_coords() else { return Ok(None) };
        let found = coords.children().find(|child| matches!(child.name(), "Position2D" | "Position3D"));
        let Some(position) = found else { return Ok(None) };
        let frame = self.frame();
        let names = (text(position, "Name1"), text(position, "Name2"));
        if let Frame::Other(label) = &frame
            && !label.is_empty()
        {
            return Err(not_equatorial(format!("coordinates in {}", label.escape_debug())));
        }
        let unit = position.attribute("unit");
        let value = position.child("Value2").or_else(|| position.child("Value3")).unwrap_or(position);
        let mut first = angle(value, "C1", unit.as_deref())?;
        let mut second = angle(value, "C2", unit.as_deref())?;
        match (names.0.as_deref().map(axis), names.1.as_deref().map(axis)) {
            (Some(Axis::Declination), Some(Axis::RightAscension)) => std::mem::swap(&mut first, &mut second),
            (Some(Axis::Other), _) | (_, Some(Axis::Other)) => {
                let names = format!("`{}` and `{}`", names.0.unwrap_or_default(), names.1.unwrap_or_default());
                return Err(not_equatorial(format!("the coordinates {}", names.escape_debug())));
            }
            _ => {}
        }
        let error_radius = match position.child("Error2Radius") {
            Some(radius) if radius.text().is_some() => Some(angle(position, "Error2Radius", unit.as_deref())?),
            _ => None,
        };
        Ok(Some(Position { right_ascension: first, declination: second, error_radius, frame }))
    }

    /// The position of VOEvent 1.0: `<RA><Coord>…</Coord><Error value=… /></RA>`.
    fn flat_position(self, ra: Element<'a>, dec: Element<'a>) -> Result<Position, Error> {
        let error = |axis: Element<'a>| -> Result<Option<f64>, Error> {
            let Some(error) = axis.child("Error") else { return Ok(None) };
            let Some(value) = error.attribute("value") else { return Ok(None) };
            let unit = error.attribute("units").or_else(|| axis.attribute("units"));
            let scale = degrees(unit.as_deref(), "Error")?;
            Ok(Some(number(&value, || "Error.value".to_owned())? * scale))
        };
        // An error box; its longer half side holds the circle that the rest of the world states.
        let error_radius = match (error(ra)?, error(dec)?) {
            (Some(a), Some(b)) => Some(a.max(b)),
            (a, b) => a.or(b),
        };
        Ok(Position {
            right_ascension: angle(ra, "Coord", ra.attribute("units").as_deref())?,
            declination: angle(dec, "Coord", dec.attribute("units").as_deref())?,
            error_radius,
            frame: Frame::Other(String::new()),
        })
    }

    /// The time: `<ISOTime>`, `None` where there is none. `<TimeScale>` beside it, or the coordinate system, says its scale.
    ///
    /// # Errors
    /// Kind `Invalid` for an error of the time that is not a number, quoting it. The text of the time itself is read by
    /// [`Time::utc`].
    pub fn time(self) -> Result<Option<Time<'a>>, Error> {
        let time = self.astro_coords().and_then(|coords| coords.child("Time")).or_else(|| self.0.child("Time"));
        let Some(time) = time else { return Ok(None) };
        let instant = time.child("TimeInstant");
        let stated = instant.and_then(|instant| text(instant, "ISOTime")).or_else(|| text(time, "Value"));
        let Some(stated) = stated else { return Ok(None) };
        let named = instant.and_then(|instant| text(instant, "TimeScale"));
        let scale = match named {
            Some(label) => TimeScale::from_label(label.trim()).unwrap_or_else(|| TimeScale::Other(label.into_owned())),
            None => self.labels().find_map(|label| TimeScale::from_label(&label)).unwrap_or(TimeScale::Utc),
        };
        let error = time.child("Error").and_then(|error| error.attribute("value").or_else(|| error.text()));
        let error = error.map(|error| number(&error, || "WhereWhen.Time.Error".to_owned())).transpose()?;
        Ok(Some(Time::new(stated, scale, error)))
    }

    /// The observatory, by the `id` of `<ObservatoryLocation>`.
    pub fn observatory(self) -> Option<Cow<'a, str>> {
        let id = self.0.child("ObservatoryLocation")?.attribute("id")?;
        (!id.trim().is_empty()).then_some(id)
    }

    /// The coordinate system as stated, such as `UTC-FK5-GEO`: `coord_system_id`, else the `id` of `<AstroCoordSystem>`.
    pub fn coord_system_id(self) -> Option<Cow<'a, str>> {
        let location = self.0.child("ObservationLocation")?;
        let of_coords = location.child("AstroCoords").and_then(|coords| coords.attribute("coord_system_id"));
        of_coords.or_else(|| {
            let system = location.child("AstroCoordSystem")?;
            system.attribute("id").or_else(|| system.attribute("ID"))
        })
    }

    fn astro_coords(self) -> Option<Element<'a>> {
        self.0.child("ObservationLocation")?.child("AstroCoords")
    }

    /// The parts of the coordinate system's label; senders do not agree on their order.
    fn labels(self) -> impl Iterator<Item = String> {
        let id = self.coord_system_id().unwrap_or_default();
        let labels: Vec<String> = id.split(['-', '_', ' ']).map(str::to_ascii_uppercase).collect();
        labels.into_iter()
    }

    fn frame(self) -> Frame {
        let mut rest = Vec::new();
        for label in self.labels() {
            match label.as_str() {
                "ICRS" => return Frame::Icrs,
                "FK5" | "J2000" => return Frame::Fk5,
                "FK4" | "B1950" => return Frame::Fk4,
                // Where the observer was, and what the clock ran by, are no coordinates.
                "" | "GEO" | "TOPO" | "BARY" | "HELIO" | "TOPOCENTER" | "GEOCENTER" | "BARYCENTER" => {}
                other if TimeScale::from_label(other).is_some() => {}
                _ => rest.push(label),
            }
        }
        Frame::Other(rest.join("-"))
    }
}

enum Axis {
    RightAscension,
    Declination,
    Other,
}

fn axis(name: &str) -> Axis {
    let name = name.trim().to_ascii_lowercase();
    match name.as_str() {
        "" | "ra" | "r.a." | "alpha" | "right ascension" | "rightascension" => Axis::RightAscension,
        "dec" | "dec." | "decl" | "delta" | "declination" => Axis::Declination,
        _ => Axis::Other,
    }
}

/// The angle in the element `name`, in degrees.
fn angle(of: Element<'_>, name: &str, unit: Option<&str>) -> Result<f64, Error> {
    let element = of.child(name);
    let own = element.and_then(|element| element.attribute("pos_unit").or_else(|| element.attribute("unit")));
    let text = element.and_then(Element::text).unwrap_or_default();
    let scale = degrees(own.as_deref().or(unit), name)?;
    Ok(number(&text, || format!("WhereWhen.{name}"))? * scale)
}

/// How many degrees one `unit` is; degrees where none is stated, as STC says.
fn degrees(unit: Option<&str>, name: &str) -> Result<f64, Error> {
    let stated = unit.unwrap_or_default();
    // Of `deg-deg-m` and `deg deg` the first is that of angles.
    let first = stated.split([' ', '-', ',']).find(|part| !part.is_empty()).unwrap_or("deg");
    Ok(match first.to_ascii_lowercase().as_str() {
        "deg" | "degree" | "degrees" => 1.0,
        "arcmin" | "arcminute" | "arcminutes" => 1.0 / 60.0,
        "arcsec" | "arcsecond" | "arcseconds" => 1.0 / 3600.0,
        "mas" => 1.0 / 3_600_000.0,
        "rad" | "radian" | "radians" => 1f64.to_degrees(),
        "h" | "hour" | "hours" => 15.0,
        _ => {
            return Err(Error::new(ErrorKind::Unsupported, SUBJECT)
                .expected("an angle in `deg`, `arcmin`, `arcsec`, `mas`, `rad` or `h`")
                .found(format!("the unit `{}`", stated.chars().take(40).collect::<String>().escape_debug()))
                .at(Location::Path(format!("WhereWhen.{name}"))));
        }
    })
}

#[cold]
fn not_equatorial(found: String) -> Error {
    Error::new(ErrorKind::Unsupported, SUBJECT)
        .expected("right ascension and declination in ICRS, FK5 or FK4")
        .found(found)
        .at(Location::Path("WhereWhen".to_owned()))
        .help("`VoEvent::root` gives the elements as they are")
}
