//! The region that a position stands for.

use super::within;
use crate::Error;

/// A region around a position, in degrees.
///
/// `confidence` is the probability, from 0 to 1, that the source is inside, where the sender states it.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Region {
    /// A circle.
    Circle {
        /// The radius.
        radius: f64,
        /// The probability that the source is inside.
        confidence: Option<f64>,
    },
    /// An ellipse.
    Ellipse {
        /// The semi-major axis.
        major: f64,
        /// The semi-minor axis.
        minor: f64,
        /// The direction of the major axis, from north through east.
        angle: f64,
        /// The probability that the source is inside.
        confidence: Option<f64>,
    },
    /// A box along right ascension and declination.
    Box {
        /// The half side along right ascension, on the sky: not in degrees of right ascension.
        half_width: f64,
        /// The half side along declination.
        half_height: f64,
        /// The probability that the source is inside.
        confidence: Option<f64>,
    },
}

impl Region {
    /// Returns the probability that the source is inside, from 0 to 1; `None` where it is not stated.
    pub fn confidence(&self) -> Option<f64> {
        match *self {
            Self::Circle { confidence, .. } | Self::Ellipse { confidence, .. } | Self::Box { confidence, .. } => {
                confidence
            }
        }
    }

    /// Returns the radius of the smallest circle around the position that holds the region, in degrees.
    pub fn radius(&self) -> f64 {
        match *self {
            Self::Circle { radius, .. } => radius,
            Self::Ellipse { major, minor, .. } => major.max(minor),
            Self::Box { half_width, half_height, .. } => half_width.hypot(half_height),
        }
    }

    /// Returns how far the region reaches at this position angle, in degrees.
    pub(super) fn extent(&self, position_angle: f64) -> f64 {
        match *self {
            Self::Circle { radius, .. } => radius,
            Self::Ellipse { major, minor, angle, .. } => {
                let (sin, cos) = (position_angle - angle).to_radians().sin_cos();
                let across = f64::hypot(minor * cos, major * sin);
                // A line, or a point.
                if across == 0.0 { 0.0 } else { major * minor / across }
            }
            Self::Box { half_width, half_height, .. } => {
                let (sin, cos) = position_angle.to_radians().sin_cos();
                // What runs along a side never meets it.
                let reach = |half: f64, part: f64| if part.abs() < 1e-12 { f64::INFINITY } else { half / part.abs() };
                reach(half_height, cos).min(reach(half_width, sin))
            }
        }
    }

    /// Refuses what is not a number, not a length or not a probability.
    pub(super) fn check(&self) -> Result<(), Error> {
        let length = |what, value| within(what, value, 0.0, f64::MAX).map_err(|error| error.expected(expected(what)));
        match *self {
            Self::Circle { radius, .. } => length("radius", radius)?,
            Self::Ellipse { major, minor, angle, .. } => {
                length("semi-major axis", major)?;
                length("semi-minor axis", minor)?;
                within("position angle", angle, -360.0, 360.0)?;
            }
            Self::Box { half_width, half_height, .. } => {
                length("half side", half_width)?;
                length("half side", half_height)?;
            }
        }
        self.confidence().map_or(Ok(()), |confidence| within("confidence", confidence, 0.0, 1.0))
    }

    /// Whether a point at this distance and position angle is inside; in the plane that touches the sky at the position, for
    /// what is not a circle.
    pub(super) fn contains(&self, separation: f64, position_angle: f64) -> bool {
        let along = |from: f64| {
            let (sin, cos) = (position_angle - from).to_radians().sin_cos();
            (separation * cos, separation * sin)
        };
        match *self {
            Self::Circle { radius, .. } => separation <= radius,
            Self::Ellipse { major, minor, angle, .. } => {
                let (along, across) = along(angle);
                // An axis of length zero holds only what lies on it.
                let part = |distance: f64, axis: f64| if distance == 0.0 { 0.0 } else { (distance / axis).powi(2) };
                part(along, major) + part(across, minor) <= 1.0
            }
            Self::Box { half_width, half_height, .. } => {
                let (north, east) = along(0.0);
                north.abs() <= half_height && east.abs() <= half_width
            }
        }
    }
}

fn expected(what: &str) -> String {
    format!("a {what} in degrees, zero or more")
}

#[cfg(test)]
mod tests {
    use crate::sky::Position;

    use super::*;

    #[test]
    fn regions_have_an_inside() {
        let at = |ra, dec| Position::icrs(ra, dec).unwrap();
        let ellipse = Region::Ellipse { major: 2.0, minor: 0.5, angle: 90.0, confidence: Some(0.9) };
        let here = at(10.0, 0.0).with_region(ellipse).unwrap();
        assert_eq!((here.contains(&at(11.9, 0.0)), here.contains(&at(10.0, 0.6))), (Some(true), Some(false)));
        assert_eq!((here.radius(), ellipse.confidence()), (Some(2.0), Some(0.9)));
        let box_ = Region::Box { half_width: 3.0, half_height: 4.0, confidence: None };
        let here = at(10.0, 60.0).with_region(box_).unwrap();
        assert_eq!((here.contains(&at(10.0, 63.9)), here.contains(&at(10.0, 64.1))), (Some(true), Some(false)));
        // Five degrees of right ascension are two and a half on the sky there.
        assert_eq!((here.contains(&at(15.0, 60.0)), here.contains(&at(17.0, 60.0))), (Some(true), Some(false)));
        assert_eq!(here.radius(), Some(5.0));
        let bad = Region::Ellipse { major: 1.0, minor: -0.5, angle: 0.0, confidence: None };
        assert_eq!(
            at(1.0, 2.0).with_region(bad).unwrap_err().to_string(),
            "position: expected a semi-minor axis in degrees, zero or more, found `-0.5`"
        );
    }
}
