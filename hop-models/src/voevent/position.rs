//! Where and when: the part of STC that VOEvents use.

use std::borrow::Cow;

use hop_core::sky::{Frame, Position};
use hop_core::time::{Time, TimeScale};
use hop_core::{Error, ErrorKind, Location};

use super::view::{number, text, texts, view};
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
    /// The position: `<Position2D>` or `<Position3D>`, `None` where there is none.
    ///
    /// # Errors
    /// Kind `Invalid` for a coordinate that is missing or not a number, quoting it; kind `Unsupported` for a unit that is not
    /// an angle, and for coordinates that are not right ascension and declination. NaN, infinities, declinations beyond 90
    /// degrees and negative radii are `Invalid`.
    pub fn position(self) -> Result<Option<Position>, Error> {
        if let (Some(ra), Some(dec)) = (self.0.child("RA").or_else(|| self.0.child("Ra")), self.0.child("Dec")) {
            return self.flat_position(ra, dec).map(Some);
        }
        let Some(coords) = self.astro_coords() else { return Ok(None) };
        let found = coords.children().find(|child| matches!(child.name(), "Position2D" | "Position3D"));
        let Some(position) = found else { return Ok(None) };
        let frame = self.frame()?;
        let names = (text(position, "Name1"), text(position, "Name2"));
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
        at(frame, first, second, error_radius).map(Some)
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
        let (ra, dec) = (
            angle(ra, "Coord", ra.attribute("units").as_deref())?,
            angle(dec, "Coord", dec.attribute("units").as_deref())?,
        );
        at(Frame::Unstated, ra, dec, error_radius)
    }

    /// The time: `<ISOTime>`, `None` where there is none. `<TimeScale>` beside it, or the coordinate system, says its scale.
    ///
    /// # Errors
    /// Kind `Invalid` for text that is not a time and for an error that is not a number of zero or more, quoting it; kind
    /// `Unsupported` for time scales other than UTC, TT, TDB, TAI and GPS, and for those other than UTC before 1972.
    pub fn time(self) -> Result<Option<Time>, Error> {
        let time = self.astro_coords().and_then(|coords| coords.child("Time")).or_else(|| self.0.child("Time"));
        let Some(time) = time else { return Ok(None) };
        let instant = time.child("TimeInstant");
        let stated = instant.and_then(|instant| text(instant, "ISOTime")).or_else(|| text(time, "Value"));
        let Some(stated) = stated else { return Ok(None) };
        let named = instant.and_then(|instant| text(instant, "TimeScale"));
        let scale = match named {
            Some(label) => scale_of(&label).unwrap_or_else(|| Err(unknown_scale(&label)))?,
            None => self.labels().find_map(|label| scale_of(&label)).unwrap_or(Ok(TimeScale::Utc))?,
        };
        let read = instant_of(&stated, scale)?;
        let error = time.child("Error").and_then(|error| error.attribute("value").or_else(|| error.text()));
        let error = error.map(|error| number(&error, || "WhereWhen.Time.Error".to_owned())).transpose()?;
        error.map_or(Ok(Some(read)), |error| {
            read.with_error(error)
                .map(Some)
                .map_err(|error| error.about(SUBJECT).at(Location::Path("WhereWhen.Time.Error".to_owned())))
        })
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

    fn frame(self) -> Result<Frame, Error> {
        let mut rest = Vec::new();
        for label in self.labels() {
            match label.as_str() {
                "ICRS" => return Ok(Frame::Icrs),
                "FK5" | "J2000" => return Ok(Frame::J2000),
                "FK4" | "B1950" => return Ok(Frame::B1950),
                // Where the observer was, and what the clock ran by, are no coordinates.
                "" | "GEO" | "TOPO" | "BARY" | "HELIO" | "TOPOCENTER" | "GEOCENTER" | "BARYCENTER" => {}
                other if scale_of(other).is_some() => {}
                _ => rest.push(label),
            }
        }
        if rest.is_empty() {
            return Ok(Frame::Unstated);
        }
        Err(not_equatorial(format!("coordinates in {}", rest.join("-").escape_debug())))
    }
}

/// The position, or an error that quotes what is wrong with it.
fn at(frame: Frame, ra: f64, dec: f64, radius: Option<f64>) -> Result<Position, Error> {
    let position = Position::new(frame, ra, dec);
    let with_radius =
        position.and_then(|position| radius.map_or(Ok(position), |radius| position.with_circle(radius, None)));
    with_radius.map_err(|error| error.about(SUBJECT).at(Location::Path("WhereWhen".to_owned())))
}

/// The instant that a text states.
pub(super) fn instant_of(text: &str, scale: TimeScale) -> Result<Time, Error> {
    Time::parse(text, scale).map_err(|error| error.about(SUBJECT).at(Location::Path("time".to_owned())))
}

/// The scale of a label, or an error for one that is not converted; `None` for what is not a scale.
fn scale_of(label: &str) -> Option<Result<TimeScale, Error>> {
    let label = label.trim();
    if let Some(scale) = TimeScale::from_label(label) {
        return Some(Ok(scale));
    }
    ["TCB", "TCG", "LST", "UT1", "TEB"]
        .iter()
        .any(|other| label.eq_ignore_ascii_case(other))
        .then(|| Err(unknown_scale(label)))
}

#[cold]
fn unknown_scale(label: &str) -> Error {
    Error::new(ErrorKind::Unsupported, SUBJECT)
        .expected("a time in UTC, TT, TDB, TAI or GPS time")
        .found(format!("one in {}", label.trim().chars().take(40).collect::<String>().escape_debug()))
        .at(Location::Path("WhereWhen.Time".to_owned()))
        .help("`ObsDataLocation::element` gives the text as it was sent")
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
