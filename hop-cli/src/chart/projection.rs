//! The Mollweide projection.

/// A point on the map: `x` from -2 to 2, growing to the right, `y` from -1 to 1, growing upwards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: f64,
}

/// Projects a right ascension (0 to 360) and declination, in degrees.
pub(super) fn project(ra: f64, dec: f64) -> Point {
    use std::f64::consts::{FRAC_PI_2, PI};
    let latitude = dec.to_radians();
    // 2t + sin 2t = pi sin(latitude), by Newton; near the poles the slope vanishes, and the answer is the latitude.
    let mut t = latitude;
    if FRAC_PI_2 - latitude.abs() > 1e-9 {
        for _ in 0..50 {
            let step = (2.0 * t + (2.0 * t).sin() - PI * latitude.sin()) / (2.0 + 2.0 * (2.0 * t).cos());
            if !step.is_finite() || step.abs() < 1e-12 {
                break;
            }
            t = (t - step).clamp(-FRAC_PI_2, FRAC_PI_2);
        }
    }
    // East is to the left, as one sees it from below.
    Point { x: (180.0 - ra) / 90.0 * t.cos(), y: t.sin() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The last two by bisection, in another language.
    #[test]
    fn known_places_are_where_they_belong() {
        for (ra, dec, x, y) in [
            (180.0, 0.0, 0.0, 0.0),
            (0.0, 0.0, 2.0, 0.0),
            (90.0, 0.0, 1.0, 0.0),
            (270.0, 0.0, -1.0, 0.0),
            (10.0, 90.0, 0.0, 1.0),
            (350.0, -90.0, 0.0, -1.0),
            (90.0, 30.0, 0.914_77, 0.403_97),
            (300.0, -60.0, -0.862_83, -0.762_39),
        ] {
            let at = project(ra, dec);
            assert!((at.x - x).abs() < 1e-4 && (at.y - y).abs() < 1e-4, "{ra} {dec}: {at:?}");
        }
    }

    #[test]
    fn equal_areas_stay_equal() {
        // Half of the sky is within 30 degrees of the equator.
        let band = |dec: f64| {
            let t = project(180.0, dec).y.asin();
            (2.0 * t + (2.0 * t).sin()) / std::f64::consts::PI
        };
        assert!((band(30.0) - 0.5).abs() < 1e-9);
        for dec in -89..90 {
            assert!((band(f64::from(dec)) - f64::from(dec).to_radians().sin()).abs() < 1e-6, "{dec}");
        }
    }
}
