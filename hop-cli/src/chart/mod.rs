//! A map of the whole sky with the positions of alerts on it: as a picture, and in a terminal.

pub(crate) mod png;
mod projection;
pub(crate) mod svg;
pub(crate) mod text;

use hop_core::sky::{Frame, Position};

pub(crate) use projection::Point;
use projection::project;

/// The points of a circle or a region's edge.
const EDGE: usize = 180;
/// Degrees between two points of a line of the grid.
const STEP: usize = 2;

/// A position to show.
#[derive(Debug, Clone)]
pub(crate) struct Mark {
    pub(crate) position: Position,
    pub(crate) label: String,
}

/// What something on the map is, for whoever draws it to choose the colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    /// The edge of the sky.
    Edge,
    /// Lines of equal right ascension or declination, and their numbers.
    Grid,
    /// The plane of the Galaxy.
    Galaxy,
    /// What belongs to the mark of this number.
    Mark(usize),
}

/// A line on the map; it never crosses the edge of the sky.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    pub(crate) points: Vec<Point>,
    pub(crate) ink: Ink,
}

/// A word on the map, centred at a point.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Word {
    pub(crate) at: Point,
    pub(crate) text: String,
}

/// The map: an equal-area (Mollweide) projection in ICRS, right ascension growing to the left, 12 h in the middle.
///
/// `x` runs from -2 to 2 and grows to the right, `y` from -1 to 1 and grows upwards.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chart {
    pub(crate) marks: Vec<Mark>,
}

impl Chart {
    /// Returns the lines of the sky itself.
    pub(crate) fn sky() -> Vec<Line> {
        let mut lines = Vec::new();
        for ra in (30..360).step_by(30) {
            lines.extend(line((-90..=90).step_by(STEP).map(|dec| (f64::from(ra), f64::from(dec))), Ink::Grid));
        }
        for dec in (-60..=60).step_by(30) {
            lines.extend(line((0..=360).step_by(STEP).map(|ra| (inside(f64::from(ra)), f64::from(dec))), Ink::Grid));
        }
        let plane = (0..=360).step_by(STEP).filter_map(|longitude| {
            let position = Position::new(Frame::Galactic, f64::from(longitude), 0.0).ok()?;
            Some((position.ra(), position.dec()))
        });
        lines.extend(line(plane, Ink::Galaxy));
        let around = (0..=2 * EDGE).map(|part| {
            let (sin, cos) = (part as f64 * std::f64::consts::PI / EDGE as f64).sin_cos();
            Point { x: 2.0 * cos, y: sin }
        });
        lines.push(Line { points: around.collect(), ink: Ink::Edge });
        lines
    }

    /// Returns the numbers along the grid: right ascension in hours, declination in degrees.
    pub(crate) fn numbers() -> Vec<Word> {
        let hours =
            (2..24).step_by(4).map(|hour| Word { at: project(f64::from(hour) * 15.0, 0.0), text: format!("{hour}h") });
        let degrees = [-60, -30, 30, 60]
            .into_iter()
            .map(|dec| Word { at: project(180.0, f64::from(dec)), text: format!("{dec:+}°") });
        hours.chain(degrees).collect()
    }

    /// Returns the edges of the regions around the marks.
    pub(crate) fn regions(&self) -> Vec<Line> {
        let edges = self.marks.iter().enumerate().flat_map(|(number, mark)| {
            let mut edge = mark.position.outline(EDGE);
            edge.extend(edge.first().copied());
            line(edge.into_iter(), Ink::Mark(number))
        });
        edges.collect()
    }

    /// Returns where the marks are, each with its label.
    pub(crate) fn places(&self) -> Vec<Word> {
        let place =
            |mark: &Mark| Word { at: project(mark.position.ra(), mark.position.dec()), text: mark.label.clone() };
        self.marks.iter().map(place).collect()
    }
}

/// 360 degrees, as a longitude at the left edge and not at the right one.
fn inside(ra: f64) -> f64 {
    if ra >= 360.0 { 360.0_f64.next_down() } else { ra }
}

/// A line through these right ascensions and declinations, cut where it meets the edge of the map.
fn line(places: impl Iterator<Item = (f64, f64)>, ink: Ink) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut last: Option<f64> = None;
    for (ra, dec) in places {
        let crosses = last.is_none_or(|last| (ra - last).abs() > 180.0);
        last = Some(ra);
        if crosses {
            lines.push(Line { points: Vec::new(), ink });
        }
        if let Some(line) = lines.last_mut() {
            line.points.push(project(ra, dec));
        }
    }
    lines
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn chart() -> Chart {
        let position = Position::icrs(83.6, 22.0).unwrap().with_circle(10.0, Some(0.9)).unwrap();
        Chart { marks: vec![Mark { position, label: "GRB 261127A".to_owned() }] }
    }

    #[test]
    fn no_line_crosses_the_map_from_one_side_to_the_other() {
        let at_the_edge = Position::icrs(0.5, -40.0).unwrap().with_circle(30.0, None).unwrap();
        let around_the_pole = Position::icrs(120.0, 85.0).unwrap().with_circle(12.0, None).unwrap();
        let mut chart = chart();
        for position in [at_the_edge, around_the_pole] {
            chart.marks.push(Mark { position, label: String::new() });
        }
        let lines: Vec<Line> = Chart::sky().into_iter().chain(chart.regions()).collect();
        assert!(lines.len() > 20);
        for line in lines {
            for pair in line.points.windows(2) {
                let far = (pair[0].x - pair[1].x).hypot(pair[0].y - pair[1].y);
                assert!(far < 0.35, "{:?} {pair:?}", line.ink);
            }
            for Point { x, y } in line.points {
                assert!((x / 2.0).hypot(y) < 1.0 + 1e-9, "{x} {y}");
            }
        }
    }

    #[test]
    fn the_numbers_stand_at_their_places() {
        let numbers = Chart::numbers();
        let find = |text: &str| numbers.iter().find(|word| word.text == text).unwrap().at;
        assert!(find("6h").x > 0.0 && find("18h").x < 0.0 && find("+60°").y > 0.5);
    }
}
