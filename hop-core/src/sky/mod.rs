//! Positions on the sky: ICRS, what they were given in, and the region they stand for.
//!
//! ```
//! use hop_core::sky::{Frame, Position};
//!
//! let crab = Position::new(Frame::B1950, 82.8804, 21.9819)?.with_circle(0.05, Some(0.9))?;
//! assert_eq!((format!("{:.3}", crab.ra()), format!("{:.3}", crab.dec())), ("83.633".into(), "22.015".into()));
//! assert_eq!(crab.stated().frame, Frame::B1950);
//!
//! let pulsar = Position::icrs(83.633, 22.0145)?;
//! assert!(crab.separation(&pulsar) < 0.001);
//! assert_eq!(crab.contains(&pulsar), Some(true));
//! # Ok::<(), hop_core::Error>(())
//! ```
//!
//! All angles are in degrees. Frames are converted by the published formulae and agree with astropy to far below a
//! milliarcsecond. Nutation, aberration, parallax and proper motion are not applied.

mod frames;
mod region;
mod sexagesimal;

use std::fmt;

pub use self::region::Region;
pub use self::sexagesimal::{Sexagesimal, SexagesimalUnit, format_degrees, format_hours};
use crate::{Error, ErrorKind};

/// What errors about positions are about; formats put their own label in its place.
const SUBJECT: &str = "position";

/// A system of coordinates on the sky.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Frame {
    /// The International Celestial Reference System: right ascension and declination.
    Icrs,
    /// Right ascension and declination in the fifth fundamental catalogue.
    Fk5 {
        /// The mean equinox, as a Julian year: 2000.0 is J2000.
        equinox: f64,
    },
    /// Right ascension and declination in the fourth fundamental catalogue, observed at the equinox.
    Fk4 {
        /// The mean equinox, as a Besselian year: 1950.0 is B1950.
        equinox: f64,
    },
    /// Galactic longitude and latitude, of 1958.
    Galactic,
    /// Barycentric longitude and latitude on the mean ecliptic.
    Ecliptic {
        /// The mean equinox, as a Julian year.
        equinox: f64,
    },
    /// Right ascension and declination in a frame that is not stated; taken for ICRS.
    Unstated,
}

impl Frame {
    /// FK5 at J2000.0, within 25 milliarcseconds of ICRS.
    pub const J2000: Self = Self::Fk5 { equinox: 2000.0 };
    /// FK4 at B1950.0.
    pub const B1950: Self = Self::Fk4 { equinox: 1950.0 };
    /// The ecliptic of J2000.0.
    pub const ECLIPTIC: Self = Self::Ecliptic { equinox: 2000.0 };

    /// FK5 at the mean equinox of a time, which notices call `current`.
    pub fn of_date(time: &crate::time::Time) -> Self {
        // Leap seconds and TT move the equinox by less than a microarcsecond.
        Self::Fk5 { equinox: 2000.0 + (time.jd() - 2_451_545.0) / 365.25 }
    }

    /// The names of both coordinates.
    fn axes(self) -> (&'static str, &'static str) {
        match self {
            Self::Galactic | Self::Ecliptic { .. } => ("longitude", "latitude"),
            _ => ("right ascension", "declination"),
        }
    }

    fn equinox(self) -> Option<f64> {
        match self {
            Self::Fk5 { equinox } | Self::Fk4 { equinox } | Self::Ecliptic { equinox } => Some(equinox),
            Self::Icrs | Self::Galactic | Self::Unstated => None,
        }
    }
}

/// Writes `ICRS`, `FK5 J2000`, `FK4 B1950`, `galactic`, `ecliptic J2000`, `unstated`.
impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Icrs => f.write_str("ICRS"),
            Self::Fk5 { equinox } => write!(f, "FK5 J{equinox}"),
            Self::Fk4 { equinox } => write!(f, "FK4 B{equinox}"),
            Self::Galactic => f.write_str("galactic"),
            Self::Ecliptic { equinox } => write!(f, "ecliptic J{equinox}"),
            Self::Unstated => f.write_str("unstated"),
        }
    }
}

/// Two coordinates in degrees and the frame that they are in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coordinates {
    /// Right ascension or longitude.
    pub longitude: f64,
    /// Declination or latitude.
    pub latitude: f64,
    /// The frame.
    pub frame: Frame,
}

/// A position on the sky in ICRS, with the coordinates it was given in and the region it stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Position {
    ra: f64,
    dec: f64,
    stated: Coordinates,
    region: Option<Region>,
}

impl Position {
    /// Returns the position at these coordinates, in degrees, without a region.
    ///
    /// A right ascension or longitude from -180 up to 0 is that plus 360 degrees.
    ///
    /// # Errors
    /// Kind `Invalid` for NaN, infinities, a right ascension or longitude beyond -180 to 360, a declination or latitude beyond
    /// -90 to 90, and an equinox beyond the years 1000 to 3000, quoting what was found.
    pub fn new(frame: Frame, longitude: f64, latitude: f64) -> Result<Self, Error> {
        let (first, second) = frame.axes();
        within(first, longitude, -180.0, 360.0)?;
        within(second, latitude, -90.0, 90.0)?;
        if let Some(equinox) = frame.equinox() {
            within("equinox", equinox, 1000.0, 3000.0)?;
        }
        let stated = Coordinates { longitude, latitude, frame };
        let (ra, dec) = match frame {
            // As they are: nothing is to be lost to rounding.
            Frame::Icrs | Frame::Unstated => (longitude.rem_euclid(360.0), latitude),
            _ => angles(frames::to_icrs(frame, vector(longitude, latitude))),
        };
        Ok(Self { ra, dec, stated, region: None })
    }

    /// Returns the position at a right ascension and declination in ICRS, in degrees.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn icrs(ra: f64, dec: f64) -> Result<Self, Error> {
        Self::new(Frame::Icrs, ra, dec)
    }

    /// Sets the region.
    ///
    /// # Errors
    /// Kind `Invalid` for NaN, infinities, negative lengths and a confidence beyond 0 to 1, quoting what was found.
    pub fn with_region(mut self, region: Region) -> Result<Self, Error> {
        region.check()?;
        self.region = Some(region);
        Ok(self)
    }

    /// Sets a circle of `radius` degrees in which the source is with `confidence`, from 0 to 1, where that is known.
    ///
    /// # Errors
    /// As [`with_region`](Self::with_region).
    pub fn with_circle(self, radius: f64, confidence: Option<f64>) -> Result<Self, Error> {
        self.with_region(Region::Circle { radius, confidence })
    }

    /// Removes the region.
    #[must_use]
    pub fn without_region(self) -> Self {
        Self { region: None, ..self }
    }

    /// Returns the right ascension in ICRS, in degrees from 0 to below 360.
    pub fn ra(&self) -> f64 {
        self.ra
    }

    /// Returns the declination in ICRS, in degrees.
    pub fn dec(&self) -> f64 {
        self.dec
    }

    /// Returns the coordinates as given.
    pub fn stated(&self) -> Coordinates {
        self.stated
    }

    /// Returns the region; `None` where none is stated.
    pub fn region(&self) -> Option<Region> {
        self.region
    }

    /// Returns the radius of the smallest circle around the position that holds the region, in degrees; `None` without one.
    pub fn radius(&self) -> Option<f64> {
        self.region.map(|region| region.radius())
    }

    /// Returns the coordinates in another frame, in degrees: longitudes from 0 to below 360.
    ///
    /// # Errors
    /// Kind `Invalid` for an equinox beyond the years 1000 to 3000.
    pub fn in_frame(&self, frame: Frame) -> Result<Coordinates, Error> {
        if frame == self.stated.frame {
            return Ok(self.stated);
        }
        if let Some(equinox) = frame.equinox() {
            within("equinox", equinox, 1000.0, 3000.0)?;
        }
        let (longitude, latitude) = match frame {
            Frame::Icrs | Frame::Unstated => (self.ra, self.dec),
            _ => angles(frames::from_icrs(frame, vector(self.ra, self.dec))),
        };
        Ok(Coordinates { longitude, latitude, frame })
    }

    /// Returns the angle between both positions, in degrees from 0 to 180.
    pub fn separation(&self, other: &Self) -> f64 {
        let (a, b) = (vector(self.ra, self.dec), vector(other.ra, other.dec));
        let cross = frames::cross(a, b);
        frames::dot(cross, cross).sqrt().atan2(frames::dot(a, b)).to_degrees()
    }

    /// Returns the position angle of `other` as seen from here: degrees from north through east, from 0 to below 360.
    pub fn position_angle(&self, other: &Self) -> f64 {
        let east = (other.ra - self.ra).to_radians();
        let ((here_sin, here_cos), (sin, cos)) = (self.dec.to_radians().sin_cos(), other.dec.to_radians().sin_cos());
        let north = sin * here_cos - cos * here_sin * east.cos();
        turn(f64::atan2(east.sin() * cos, north).to_degrees())
    }

    /// Returns the right ascension and declination in ICRS, in degrees, of what is so many degrees away in this direction:
    /// degrees from north through east.
    pub fn offset(&self, position_angle: f64, separation: f64) -> (f64, f64) {
        let ((sin_angle, cos_angle), (sin, cos)) =
            (position_angle.to_radians().sin_cos(), separation.to_radians().sin_cos());
        let (here_sin, here_cos) = self.dec.to_radians().sin_cos();
        let dec = here_sin * cos + here_cos * sin * cos_angle;
        let east = f64::atan2(sin * sin_angle, here_cos * cos - here_sin * sin * cos_angle);
        (turn(self.ra + east.to_degrees()), dec.clamp(-1.0, 1.0).asin().to_degrees())
    }

    /// Returns points on the edge of the region, for drawing it: right ascension and declination in ICRS, in degrees, from
    /// north through east all the way round. Empty without a region.
    pub fn outline(&self, points: usize) -> Vec<(f64, f64)> {
        let Some(region) = self.region else { return Vec::new() };
        let angles = (0..points).map(|point| point as f64 * 360.0 / points as f64);
        angles.map(|angle| self.offset(angle, region.extent(angle).min(180.0))).collect()
    }

    /// Returns true if `other` is at most `radius` degrees away.
    pub fn is_within(&self, other: &Self, radius: f64) -> bool {
        self.separation(other) <= radius
    }

    /// Returns true if `other` is inside the region around this position; `None` where there is no region.
    pub fn contains(&self, other: &Self) -> Option<bool> {
        self.region.map(|region| region.contains(self.separation(other), self.position_angle(other)))
    }
}

/// Writes `RA 150.11625, Dec -2.20583 (ICRS)`, and the radius where there is a region.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RA {}, Dec {} (ICRS)", Short(self.ra), Short(self.dec))?;
        self.radius().map_or(Ok(()), |radius| write!(f, ", {} deg", Short(radius)))
    }
}

/// A number with at most six decimals, and no zeros at the end.
struct Short(f64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:.6}", self.0);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

fn vector(longitude: f64, latitude: f64) -> frames::Vector {
    let ((sin, cos), (z, across)) = (longitude.to_radians().sin_cos(), latitude.to_radians().sin_cos());
    [across * cos, across * sin, z]
}

fn angles([x, y, z]: frames::Vector) -> (f64, f64) {
    (turn(y.atan2(x).to_degrees()), z.atan2(x.hypot(y)).to_degrees())
}

/// An angle from 0 to below 360.
fn turn(angle: f64) -> f64 {
    let turned = angle.rem_euclid(360.0);
    // What is a hair below 0 is rounded to 360.
    if turned >= 360.0 { 0.0 } else { turned }
}

/// Refuses a number that is not in a range, quoting it.
fn within(what: &'static str, value: f64, least: f64, most: f64) -> Result<(), Error> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Invalid, SUBJECT)
        .expected(format!("a {what} from {least} to {most}"))
        .found(format!("`{value}`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ra: f64, dec: f64) -> Position {
        Position::icrs(ra, dec).unwrap()
    }

    #[test]
    fn what_is_not_on_the_sphere_is_quoted() {
        for (ra, dec, shown) in [
            (f64::NAN, 0.0, "`NaN`"),
            (0.0, f64::NAN, "`NaN`"),
            (f64::INFINITY, 0.0, "`inf`"),
            (0.0, -91.5, "`-91.5`"),
            (361.0, 0.0, "`361`"),
            (-999.0, -999.0, "`-999`"),
        ] {
            let error = Position::icrs(ra, dec).unwrap_err();
            assert!(error.kind() == ErrorKind::Invalid && error.to_string().contains(shown), "{error}");
        }
        for (radius, confidence) in [(-1.0, None), (f64::NAN, None), (f64::INFINITY, None), (1.0, Some(1.5))] {
            assert_eq!(at(1.0, 2.0).with_circle(radius, confidence).unwrap_err().kind(), ErrorKind::Invalid);
        }
        assert!(Position::new(Frame::Fk5 { equinox: f64::NAN }, 1.0, 2.0).is_err());
        assert!(at(1.0, 2.0).in_frame(Frame::Fk4 { equinox: 0.0 }).is_err());
        assert_eq!(
            Position::icrs(1.0, 100.0).unwrap_err().to_string(),
            "position: expected a declination from -90 to 90, found `100`"
        );
        assert_eq!(at(-10.0, 0.0).ra(), 350.0);
        assert_eq!(at(360.0, 0.0).ra(), 0.0);
    }

    #[test]
    fn separations_and_position_angles() {
        assert_eq!(at(10.0, 20.0).separation(&at(10.0, 21.0)).round(), 1.0);
        assert!((at(0.0, 90.0).separation(&at(123.0, -90.0)) - 180.0).abs() < 1e-12);
        let close = at(10.0, 0.0).separation(&at(10.0 + 1e-9, 0.0));
        assert!((close - 1e-9).abs() < 1e-14, "{close}");
        assert_eq!(at(10.0, 0.0).position_angle(&at(11.0, 0.0)), 90.0);
        assert_eq!(at(10.0, 0.0).position_angle(&at(9.0, 0.0)), 270.0);
        assert_eq!(at(10.0, 5.0).position_angle(&at(10.0, 6.0)), 0.0);
        assert!(at(359.5, 0.0).is_within(&at(0.5, 0.0), 1.000_001));
        assert!(!at(359.5, 0.0).is_within(&at(0.5, 0.0), 0.999_999));
        assert_eq!(at(1.0, 2.0).contains(&at(1.0, 2.0)), None);
    }

    #[test]
    fn an_outline_is_the_edge_of_the_region() {
        assert_eq!(at(1.0, 2.0).outline(8), []);
        let (ra, dec) = at(350.0, 0.0).offset(90.0, 20.0);
        assert!((ra - 10.0).abs() < 1e-9 && dec.abs() < 1e-9, "{ra} {dec}");
        assert!((at(10.0, 80.0).offset(0.0, 20.0).1 - 80.0).abs() < 1e-9);
        let ellipse = Region::Ellipse { major: 20.0, minor: 5.0, angle: 30.0, confidence: None };
        let rectangle = Region::Box { half_width: 12.0, half_height: 3.0, confidence: None };
        let circle = Region::Circle { radius: 7.0, confidence: None };
        let point = Region::Circle { radius: 0.0, confidence: None };
        for region in [ellipse, rectangle, circle, point] {
            let here = at(200.0, -60.0).with_region(region).unwrap();
            let outline = here.outline(36);
            assert_eq!(outline.len(), 36);
            for (index, (ra, dec)) in outline.into_iter().enumerate() {
                let edge = at(ra, dec);
                let (far, angle) = (here.separation(&edge), index as f64 * 10.0);
                let (inside, outside) = (here.offset(angle, far * 0.99), here.offset(angle, far * 1.01 + 1e-6));
                assert_eq!(here.contains(&at(inside.0, inside.1)), Some(true), "{region:?} {angle}");
                assert_eq!(here.contains(&at(outside.0, outside.1)), Some(false), "{region:?} {angle}");
            }
        }
        // The whole sky has no edge but its far end.
        let whole = at(10.0, 20.0).with_circle(400.0, None).unwrap();
        assert!(whole.outline(4).iter().all(|(ra, dec)| (ra - 190.0).abs() < 1e-6 && (dec + 20.0).abs() < 1e-6));
    }

    #[test]
    fn what_was_given_is_given_back() {
        for frame in [Frame::Icrs, Frame::J2000, Frame::B1950, Frame::Galactic, Frame::ECLIPTIC, Frame::Unstated] {
            let position = Position::new(frame, 123.456_789, -45.678_9).unwrap();
            assert_eq!(position.in_frame(frame).unwrap(), position.stated());
            let again = at(position.ra(), position.dec()).in_frame(frame).unwrap();
            // FK4 by the transpose of what is not quite a rotation.
            assert!(
                (again.longitude - 123.456_789).abs() < 1e-8 && (again.latitude + 45.678_9).abs() < 1e-8,
                "{frame}"
            );
        }
    }
}
