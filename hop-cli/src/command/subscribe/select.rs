//! Which alerts are printed, once they are decoded: by event, and by place on the sky.

use std::str::FromStr;

use hop_core::sky::{Frame, Position};
use hop_core::summary::Direction;
use hop_core::{AnyModel, Record, Summary};

use crate::output::people;

/// A circle on the sky.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Near {
    centre: Position,
    /// In degrees.
    radius: f64,
}

impl FromStr for Near {
    type Err = String;

    /// Reads `RA,DEC,RADIUS`: degrees, or hours and degrees with minutes and seconds; a radius in degrees unless it has a
    /// unit.
    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split(',').map(str::trim).collect();
        let [ra, dec, radius] = parts[..] else {
            return Err(format!(
                "expected RA,DEC,RADIUS such as `83.63,22.01,5` or `05:34:32,+22:00:52,30arcmin`, found `{}`",
                text.escape_debug()
            ));
        };
        let centre = match (ra.parse(), dec.parse()) {
            (Ok(ra), Ok(dec)) => Position::icrs(ra, dec),
            _ => Position::from_sexagesimal(Frame::Icrs, ra, dec),
        };
        let units = [("arcmin", 60.0), ("arcsec", 3600.0), ("deg", 1.0), ("", 1.0)];
        let (number, per_degree) =
            units.iter().find_map(|(unit, parts)| Some((radius.strip_suffix(unit)?, *parts))).unwrap_or((radius, 1.0));
        let degrees = number.trim().parse::<f64>().ok().map(|number| number / per_degree);
        let radius = degrees.filter(|radius| (0.0..=180.0).contains(radius)).ok_or_else(|| {
            format!(
                "expected a radius from 0 to 180 degrees, or with `arcmin` or `arcsec`, found `{}`",
                radius.escape_debug()
            )
        })?;
        Ok(Self { centre: centre.map_err(|error| error.to_string())?, radius })
    }
}

/// What alerts have to be about.
#[derive(Debug)]
pub(super) struct Selection {
    near: Option<Near>,
    /// As [`plain`] writes them.
    events: Vec<String>,
    /// How many alerts said no place to compare.
    unplaced: u64,
}

impl Selection {
    pub(super) fn new(near: Option<Near>, events: &[String]) -> Self {
        Self { near, events: events.iter().map(|name| plain(name)).collect(), unplaced: 0 }
    }

    /// Returns whether the alert is to be printed.
    pub(super) fn takes(&mut self, model: &dyn AnyModel) -> bool {
        if self.near.is_none() && self.events.is_empty() {
            return true;
        }
        let summary = people::summary(model);
        self.is_about(&summary) && self.is_near(&summary)
    }

    fn is_about(&self, summary: &Summary) -> bool {
        let mut names = summary.names.iter().chain(&summary.cites).map(|name| plain(name));
        self.events.is_empty() || names.any(|name| self.events.contains(&name))
    }

    fn is_near(&mut self, summary: &Summary) -> bool {
        let Some(Near { centre, radius }) = self.near else { return true };
        match summary.direction {
            Direction::At(position) => centre.is_within(&position, radius + position.radius().unwrap_or(0.0)),
            Direction::NotOnSky => false,
            _ => {
                self.unplaced += 1;
                false
            }
        }
    }

    /// Returns how many alerts said no place, or only in a sky map, and so were not printed.
    pub(super) fn unplaced(&self) -> u64 {
        self.unplaced
    }
}

/// A name without what people write in one way or another: `GRB 260131A` is `grb260131a`.
fn plain(name: &str) -> String {
    name.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '_')).flat_map(char::to_lowercase).collect()
}

/// A header, and the value that it has to have.
#[derive(Debug, Clone)]
pub(super) struct HeaderIs {
    name: String,
    value: Option<String>,
}

impl HeaderIs {
    /// Reads `NAME` or `NAME=VALUE`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (text, None),
        };
        match name.is_empty() {
            true => Err(format!("--header {text}: expected NAME or NAME=VALUE")),
            false => Ok(Self { name: name.to_owned(), value }),
        }
    }

    /// Returns whether one of the record's headers is this one.
    pub(super) fn is_in(&self, record: &Record) -> bool {
        match &self.value {
            None => record.headers.contains(&self.name),
            Some(value) => record.headers.get_all(&self.name).any(|found| found == Some(value.as_bytes())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_given_in_degrees_or_in_hours() {
        let near: Near = "83.633, 22.0145, 5".parse().unwrap();
        assert_eq!((near.centre.ra(), near.centre.dec(), near.radius), (83.633, 22.0145, 5.0));
        let near: Near = "05:34:32,-22:00:52,30arcmin".parse().unwrap();
        assert!((near.centre.ra() - 83.633_333).abs() < 1e-5 && near.centre.dec() < -22.0, "{near:?}");
        assert_eq!(near.radius, 0.5);
        for bad in ["", "1,2", "1,2,3,4", "1,91,3", "1,2,-3", "1,2,x", "1,2,NaN", "1,2,181", "a,b,1"] {
            assert!(bad.parse::<Near>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_event_is_found_however_its_name_is_written_and_a_place_with_its_error() {
        let mut summary = Summary::new("x");
        summary.names.push("GRB 260131A".to_owned());
        summary.direction = Direction::At(Position::icrs(10.0, 0.0).and_then(|at| at.with_circle(1.0, None)).unwrap());
        let takes = |near: &str, event: &str| {
            let mut selection = Selection::new(Some(near.parse().unwrap()), &[event.to_owned()]);
            selection.is_about(&summary) && selection.is_near(&summary)
        };
        assert!(takes("12,0,1.5", "grb260131a") && takes("10,0,0", "GRB-260131a"));
        assert!(!takes("13,0,1.5", "GRB 260131A"));
        assert!(!takes("10,0,1", "GRB 260131"));
        summary.direction = Direction::Unknown;
        let mut selection = Selection::new(Some("10,0,180".parse().unwrap()), &[]);
        assert_eq!((selection.is_near(&summary), selection.unplaced()), (false, 1));
    }

    #[test]
    fn headers_are_found_by_name_and_value() {
        let headers = [("a", Some("1")), ("a", Some("2")), ("b", None)].into_iter().collect();
        let record = Record { headers, ..Record::default() };
        for (text, is) in [("a", true), ("a=2", true), ("a=3", false), ("b", true), ("b=", false), ("c", false)] {
            assert_eq!(HeaderIs::parse(text).unwrap().is_in(&record), is, "{text}");
        }
        assert!(HeaderIs::parse("=1").is_err());
    }
}
