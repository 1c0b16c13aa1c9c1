//! Where and when: the part of STC that VOEvents use.

mod angle;

use std::borrow::Cow;

use hop_core::sky::{Frame, Position, Region};
use hop_core::time::{Time, TimeScale};
use hop_core::{Error, ErrorKind, Location};

use self::angle::{Axis, Units, angle, length, position_angle, seconds};
use super::view::{text, texts, view};
use super::xml::{Element, SUBJECT};

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
    pub fn time(self) -> Result<Option<Time>, Error> {
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
    /// Returns the position in ICRS and its region: `<Position2D>` or `<Position3D>`; `None` where there is none.
    ///
    /// `unit` may name a unit for each axis (`h deg`), and coordinates may be sexagesimal where the unit or the text says
    /// which of hours or degrees they are. The region is the circle of `<Error2Radius>`, the ellipse of `<Error2>` (its
    /// angle from `<PosAngle>`), or in VOEvent 1.0 the box of the errors of both axes. [`Position::stated`] has the
    /// coordinates in degrees as sent.
    ///
    /// # Errors
    /// Kind `Invalid` for a coordinate that is missing, not a finite number or not on the sky (a declination beyond 90
    /// degrees), and for a negative radius, quoting it; kind `Unsupported` for a unit that is not an angle, and for coordinates
    /// that are neither right ascension and declination nor galactic or ecliptic longitude and latitude.
    pub fn position(self) -> Result<Option<Position>, Error> {
        if let (Some(ra), Some(dec)) = (self.0.child("RA").or_else(|| self.0.child("Ra")), self.0.child("Dec")) {
            return flat_position(ra, dec).map(Some);
        }
        let Some(coords) = self.astro_coords() else { return Ok(None) };
        let found = coords.children().find(|child| matches!(child.name(), "Position2D" | "Position3D"));
        let Some(position) = found else { return Ok(None) };
        let frame = self.frame()?;
        let swapped = is_swapped(position, frame)?;
        let unit = position.attribute("unit");
        let units = Units::new(unit.as_deref(), swapped);
        let value = position.child("Value2").or_else(|| position.child("Value3")).unwrap_or(position);
        let (first, second) = if swapped { ("C2", "C1") } else { ("C1", "C2") };
        let ra = angle(value, first, Axis::RightAscension, units)?;
        let dec = angle(value, second, Axis::Declination, units)?;
        let place = place(frame, ra, dec)?;
        match region(position, units, swapped)? {
            Some(region) => place.with_region(region).map(Some).map_err(|error| about(error, "Position2D")),
            None => Ok(Some(place)),
        }
    }

    /// Returns the time: `<ISOTime>`, or `<JDTime>` or `<MJDTime>` of STC, with `<TimeOffset>` added; `None` where there is none.
    /// `<TimeScale>` beside it, or the coordinate system, says its scale. Its error is in seconds, whatever `unit` says.
    ///
    /// # Errors
    /// Kind `Invalid` for a time that cannot be read, an offset or an error that is not a finite number, and a negative error,
    /// quoting it; kind `Unsupported` for a unit that is not one of time, for a scale other than UTC, TT, TDB, TAI and GPS
    /// time, and for other scales than UTC before 1972.
    pub fn time(self) -> Result<Option<Time>, Error> {
        let time = self.astro_coords().and_then(|coords| coords.child("Time")).or_else(|| self.0.child("Time"));
        let Some(time) = time else { return Ok(None) };
        let scale = || self.time_scale(time);
        let instant = time.child("TimeInstant");
        let stated = instant.and_then(|instant| text(instant, "ISOTime")).or_else(|| text(time, "Value"));
        let days = |name: &'static str| instant.and_then(|instant| text(instant, name));
        let mut read = if let Some(stated) = stated {
            Time::parse(&stated, scale()?).map_err(|error| about(error, "Time.TimeInstant.ISOTime"))?
        } else if let Some(days) = days("JDTime") {
            let days = angle::finite(&days, || "WhereWhen.Time.TimeInstant.JDTime".to_owned())?;
            Time::from_jd(days, scale()?).map_err(|error| about(error, "Time.TimeInstant.JDTime"))?
        } else if let Some(days) = days("MJDTime") {
            let days = angle::finite(&days, || "WhereWhen.Time.TimeInstant.MJDTime".to_owned())?;
            Time::from_mjd(days, scale()?).map_err(|error| about(error, "Time.TimeInstant.MJDTime"))?
        } else {
            return Ok(None);
        };
        let unit = time.attribute("unit");
        if let Some(offset) = instant.and_then(|instant| instant.child("TimeOffset"))
            && offset.text().is_some()
        {
            let offset = seconds(offset, "TimeInstant.TimeOffset", unit.as_deref())?;
            read = read.plus(offset).map_err(|error| about(error, "Time.TimeInstant.TimeOffset"))?;
        }
        if let Some(error) = time.child("Error")
            && (error.text().is_some() || error.attribute("value").is_some())
        {
            let error = seconds(error, "Error", unit.as_deref())?;
            read = read.with_error(error).map_err(|error| about(error, "Time.Error"))?;
        }
        Ok(Some(read))
    }

    /// Returns the observatory, by the `id` of `<ObservatoryLocation>`.
    pub fn observatory(self) -> Option<Cow<'a, str>> {
        let id = self.0.child("ObservatoryLocation")?.attribute("id")?;
        (!id.trim().is_empty()).then_some(id)
    }

    /// Returns the coordinate system as stated, such as `UTC-FK5-GEO`: `coord_system_id`, else the `id` of
    /// `<AstroCoordSystem>`.
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

    fn time_scale(self, time: Element<'a>) -> Result<TimeScale, Error> {
        let named = time.child("TimeInstant").and_then(|instant| text(instant, "TimeScale"));
        let other = |label: &str| {
            Error::new(ErrorKind::Unsupported, SUBJECT)
                .expected("a time in UTC, TT, TDB, TAI or GPS time")
                .found(format!("one in {}", label.chars().take(40).collect::<String>().escape_debug()))
                .at(Location::Path("WhereWhen.Time".to_owned()))
                .help("`VoEvent::root` gives the elements as they are")
        };
        if let Some(label) = named {
            return TimeScale::from_label(&label).ok_or_else(|| other(&label));
        }
        for label in self.labels() {
            if let Some(scale) = TimeScale::from_label(&label) {
                return Ok(scale);
            }
            if is_other_scale(&label) {
                return Err(other(&label));
            }
        }
        Ok(TimeScale::Utc)
    }

    fn frame(self) -> Result<Frame, Error> {
        let mut rest = Vec::new();
        for label in self.labels() {
            match label.as_str() {
                "ICRS" => return Ok(Frame::Icrs),
                "FK5" | "J2000" => return Ok(Frame::J2000),
                "FK4" | "B1950" => return Ok(Frame::B1950),
                "GALACTIC" | "GAL" => return Ok(Frame::Galactic),
                "ECLIPTIC" | "ECL" => return Ok(Frame::ECLIPTIC),
                // Where the observer was, and what the clock ran by, are no coordinates.
                "" | "GEO" | "TOPO" | "BARY" | "HELIO" | "TOPOCENTER" | "GEOCENTER" | "BARYCENTER" => {}
                other if TimeScale::from_label(other).is_some() || is_other_scale(other) => {}
                _ => rest.push(label),
            }
        }
        match rest.is_empty() {
            true => Ok(Frame::Unstated),
            false => Err(not_equatorial(format!("coordinates in {}", rest.join("-").escape_debug()))),
        }
    }
}

/// Reads the position of VOEvent 1.0: `<RA><Coord>…</Coord><Error value=… /></RA>`.
fn flat_position(ra: Element<'_>, dec: Element<'_>) -> Result<Position, Error> {
    let coordinate = |of: Element<'_>, axis| {
        let unit = of.attribute("units");
        angle(of, "Coord", axis, Units::new(unit.as_deref(), false))
    };
    let place = place(Frame::Unstated, coordinate(ra, Axis::RightAscension)?, coordinate(dec, Axis::Declination)?)?;
    let error = |of: Element<'_>| -> Result<Option<f64>, Error> {
        let Some(error) = of.child("Error").filter(|error| error.attribute("value").is_some()) else { return Ok(None) };
        let unit = of.attribute("units");
        length(error, Units::new(unit.as_deref(), false)).map(Some)
    };
    let region = match (error(ra)?, error(dec)?) {
        (None, None) => return Ok(place),
        (Some(half_width), Some(half_height)) => Region::Box { half_width, half_height, confidence: None },
        (Some(radius), None) | (None, Some(radius)) => Region::Circle { radius, confidence: None },
    };
    place.with_region(region).map_err(|error| about(error, "Error"))
}

/// Reads `<Error2Radius>`, `<Error2>` or `<Error2PA>`.
fn region(position: Element<'_>, units: Units<'_>, swapped: bool) -> Result<Option<Region>, Error> {
    if let Some(radius) = position.child("Error2Radius").filter(|radius| radius.text().is_some()) {
        return Ok(Some(Region::Circle { radius: length(radius, units)?, confidence: None }));
    }
    let Some(error) = position.child("Error2PA").or_else(|| position.child("Error2")) else { return Ok(None) };
    let size = error.child("Size").unwrap_or(error);
    let side = |name: &str| size.child(name).map(|side| length(side, units)).transpose();
    let (first, second) = if swapped { ("C2", "C1") } else { ("C1", "C2") };
    let angle = error.child("PosAngle").or_else(|| error.child("PA")).or_else(|| position.child("PosAngle"));
    let angle = match angle.filter(|angle| angle.text().is_some()) {
        Some(angle) => Some(position_angle(angle)?),
        None => None,
    };
    Ok(match (side(first)?, side(second)?) {
        (None, None) => None,
        (Some(radius), None) | (None, Some(radius)) => Some(Region::Circle { radius, confidence: None }),
        (Some(along), Some(across)) => Some(match angle {
            // The first axis lies along the angle, from north through east.
            Some(angle) if along >= across => ellipse(along, across, angle),
            Some(angle) => ellipse(across, along, (angle + 90.0) % 360.0),
            // Without one, along right ascension.
            None if along >= across => ellipse(along, across, 90.0),
            None => ellipse(across, along, 0.0),
        }),
    })
}

fn ellipse(major: f64, minor: f64, angle: f64) -> Region {
    Region::Ellipse { major, minor, angle, confidence: None }
}

fn place(frame: Frame, ra: f64, dec: f64) -> Result<Position, Error> {
    Position::new(frame, ra, dec).map_err(|error| about(error, "Position2D"))
}

/// The error of a shared type, about this format and the place in it.
fn about(error: Error, place: &str) -> Error {
    error.about(SUBJECT).at(Location::Path(format!("WhereWhen.{place}")))
}

/// Reads the instant that a text outside of `WhereWhen` states.
pub(super) fn instant_of(text: &str, scale: TimeScale) -> Result<Time, Error> {
    Time::parse(text, scale).map_err(|error| error.about(SUBJECT).at(Location::Path("time".to_owned())))
}

/// Whether the first coordinate is the declination.
fn is_swapped(position: Element<'_>, frame: Frame) -> Result<bool, Error> {
    let names = (text(position, "Name1"), text(position, "Name2"));
    let axis = |name: &str| axis(name, matches!(frame, Frame::Galactic | Frame::Ecliptic { .. }));
    match (names.0.as_deref().map(axis), names.1.as_deref().map(axis)) {
        (Some(None), _) | (_, Some(None)) => {
            let names = format!("`{}` and `{}`", names.0.unwrap_or_default(), names.1.unwrap_or_default());
            Err(not_equatorial(format!("the coordinates {}", names.escape_debug())))
        }
        (Some(Some(Axis::Declination)), Some(Some(Axis::RightAscension))) => Ok(true),
        _ => Ok(false),
    }
}

/// The axis of this name: of right ascension and declination, or of longitude and latitude.
fn axis(name: &str, is_longitude: bool) -> Option<Axis> {
    match name.trim().to_ascii_lowercase().as_str() {
        "" => Some(Axis::RightAscension),
        "l" | "lon" | "long" | "longitude" | "glon" | "elon" | "lambda" if is_longitude => Some(Axis::RightAscension),
        "b" | "lat" | "latitude" | "glat" | "elat" | "beta" if is_longitude => Some(Axis::Declination),
        _ if is_longitude => None,
        "ra" | "r.a." | "alpha" | "right ascension" | "rightascension" => Some(Axis::RightAscension),
        "dec" | "dec." | "decl" | "delta" | "declination" => Some(Axis::Declination),
        _ => None,
    }
}

/// Scales that STC names and that are not converted.
fn is_other_scale(label: &str) -> bool {
    matches!(label.trim(), "TCB" | "TCG" | "LST" | "UT1" | "TEB" | "LOCAL")
}

#[cold]
fn not_equatorial(found: String) -> Error {
    Error::new(ErrorKind::Unsupported, SUBJECT)
        .expected("right ascension and declination in ICRS, FK5 or FK4, or galactic or ecliptic longitude and latitude")
        .found(found)
        .at(Location::Path("WhereWhen".to_owned()))
        .help("`VoEvent::root` gives the elements as they are")
}
