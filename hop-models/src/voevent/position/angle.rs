//! Angles and times with the units that senders state.

use hop_core::sky::{Sexagesimal, SexagesimalUnit};
use hop_core::{Error, ErrorKind, Location};

use crate::voevent::view::not_a;
use crate::voevent::xml::{Element, SUBJECT};

/// An axis of equatorial coordinates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Axis {
    RightAscension,
    Declination,
}

/// The units of both axes, from one attribute: `deg`, `deg deg`, `h deg`, `deg-deg-m`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Units<'a> {
    stated: &'a str,
    /// Whether the declination comes first.
    swapped: bool,
}

impl<'a> Units<'a> {
    pub(super) fn new(stated: Option<&'a str>, swapped: bool) -> Self {
        Self { stated: stated.unwrap_or_default(), swapped }
    }

    /// The unit of an axis; degrees where none is stated, as STC says.
    fn of(self, axis: Axis, place: &str) -> Result<Unit, Error> {
        let mut parts = self.stated.split([' ', '-', ',', ';', '\t', '\n']).filter(|part| !part.is_empty());
        let Some(first) = parts.next() else { return Ok(Unit::Degrees(1.0)) };
        let is_first = (axis == Axis::RightAscension) != self.swapped;
        let second = parts.next();
        let unit = Unit::parse(if is_first { first } else { second.unwrap_or(first) });
        match unit {
            // Hours are never a declination.
            Some(Unit::Hours | Unit::SexagesimalHours) if axis == Axis::Declination => Err(self.refused(place)),
            Some(unit) => Ok(unit),
            None => Err(self.refused(place)),
        }
    }

    #[cold]
    fn refused(self, place: &str) -> Error {
        Error::new(ErrorKind::Unsupported, SUBJECT)
            .expected(
                "an angle in `deg`, `arcmin`, `arcsec`, `mas`, `rad` or `h`, or one for each axis such as `h deg`",
            )
            .found(format!("the unit `{}`", self.stated.chars().take(40).collect::<String>().escape_debug()))
            .at(Location::Path(format!("WhereWhen.{place}")))
    }
}

#[derive(Debug, Clone, Copy)]
enum Unit {
    /// This many degrees.
    Degrees(f64),
    Hours,
    SexagesimalHours,
    SexagesimalDegrees,
}

impl Unit {
    fn parse(text: &str) -> Option<Self> {
        Some(match text.to_ascii_lowercase().as_str() {
            "deg" | "degree" | "degrees" | "d" => Self::Degrees(1.0),
            "arcmin" | "arcminute" | "arcminutes" => Self::Degrees(1.0 / 60.0),
            "arcsec" | "arcsecond" | "arcseconds" => Self::Degrees(1.0 / 3600.0),
            "mas" => Self::Degrees(1.0 / 3_600_000.0),
            "rad" | "radian" | "radians" => Self::Degrees(1f64.to_degrees()),
            "h" | "hr" | "hour" | "hours" | "hourangle" => Self::Hours,
            "hms" | "h:m:s" | "hh:mm:ss" | "hh:mm:ss.s" | "\"h:m:s\"" => Self::SexagesimalHours,
            "dms" | "d:m:s" | "dd:mm:ss" | "dd:mm:ss.s" | "\"d:m:s\"" => Self::SexagesimalDegrees,
            _ => return None,
        })
    }
}

/// Returns the coordinate in the element `name`, in degrees.
pub(super) fn angle(of: Element<'_>, name: &str, axis: Axis, units: Units<'_>) -> Result<f64, Error> {
    let element = of.child(name);
    let own = element.and_then(|element| element.attribute("pos_unit").or_else(|| element.attribute("unit")));
    let units = own.as_deref().map_or(units, |own| Units::new(Some(own), false));
    let text = element.and_then(Element::text).unwrap_or_default();
    let unit = units.of(axis, name)?;
    let place = || format!("WhereWhen.{name}");
    let written = Sexagesimal::parse(&text).ok();
    let stated = written.and_then(Sexagesimal::unit);
    match (unit, written) {
        (Unit::Degrees(scale), None) => Ok(finite(&text, place)? * scale),
        (Unit::Hours, None) => Ok(finite(&text, place)? * 15.0),
        // Letters say what the text is in, whatever the unit.
        (_, Some(written)) if stated == Some(SexagesimalUnit::Hours) && axis == Axis::RightAscension => {
            Ok(written.value() * 15.0)
        }
        (_, Some(written)) if stated == Some(SexagesimalUnit::Degrees) => Ok(written.value()),
        // Whether `10:42:00` is hours or degrees is for the unit to say.
        (Unit::Degrees(1.0), Some(written)) if stated.is_none() && axis == Axis::Declination => Ok(written.value()),
        (Unit::Hours | Unit::SexagesimalHours, Some(written)) if stated.is_none() => Ok(written.value() * 15.0),
        (Unit::SexagesimalDegrees, Some(written)) if stated.is_none() => Ok(written.value()),
        _ => Err(not_a("a coordinate in the unit stated", &text, place())),
    }
}

/// Returns a length on the sky, in degrees: a radius, or the error of an axis. Its unit is that of the declination unless it
/// states its own.
pub(super) fn length(element: Element<'_>, units: Units<'_>) -> Result<f64, Error> {
    let own = ["pos_unit", "unit", "units"].iter().find_map(|name| element.attribute(name));
    let units = own.as_deref().map_or(units, |own| Units::new(Some(own), false));
    let text = element.attribute("value").or_else(|| element.text()).unwrap_or_default();
    let value = finite(&text, || format!("WhereWhen.{}", element.name()))?;
    match units.of(Axis::Declination, element.name())? {
        Unit::Degrees(scale) => Ok(value * scale),
        _ => Ok(value),
    }
}

/// Returns the angle of an ellipse from north through east, in degrees: its unit is its own, else degrees.
pub(super) fn position_angle(element: Element<'_>) -> Result<f64, Error> {
    let own = ["pos_angle_unit", "pos_unit", "unit"].iter().find_map(|name| element.attribute(name));
    let value = finite(&element.text().unwrap_or_default(), || "WhereWhen.PosAngle".to_owned())?;
    match Units::new(own.as_deref(), false).of(Axis::Declination, "PosAngle")? {
        Unit::Degrees(scale) => Ok(value * scale),
        _ => Ok(value),
    }
}

/// Returns a span of time, in seconds. Its unit is its own or that of the `<Time>` it is in; seconds where none is stated.
pub(super) fn seconds(element: Element<'_>, place: &str, unit: Option<&str>) -> Result<f64, Error> {
    let own = element.attribute("unit").or_else(|| element.attribute("units"));
    let text = element.attribute("value").or_else(|| element.text()).unwrap_or_default();
    let place = || format!("WhereWhen.Time.{place}");
    let value = finite(&text, place)?;
    let unit = own.as_deref().or(unit).unwrap_or_default().trim();
    let scale = match unit.to_ascii_lowercase().as_str() {
        "" | "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
        "ms" | "msec" => 1e-3,
        "us" | "µs" | "usec" => 1e-6,
        "ns" => 1e-9,
        "min" | "mins" | "minute" | "minutes" => 60.0,
        "h" | "hr" | "hour" | "hours" => 3600.0,
        "d" | "day" | "days" => 86_400.0,
        "yr" | "a" | "year" | "years" => 31_557_600.0,
        _ => {
            return Err(Error::new(ErrorKind::Unsupported, SUBJECT)
                .expected("a time in `s`, `ms`, `us`, `ns`, `min`, `h`, `d` or `yr`")
                .found(format!("the unit `{}`", unit.chars().take(40).collect::<String>().escape_debug()))
                .at(Location::Path(place())));
        }
    };
    Ok(value * scale)
}

/// Reads a finite number.
pub(super) fn finite(text: &str, place: impl Fn() -> String) -> Result<f64, Error> {
    let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    number.ok_or_else(|| not_a("a finite number", text, place()))
}
