//! A summary line by line, for people.

use super::{Direction, Summary, four_digits, one_line};
use crate::sky::{Position, Region, format_degrees, format_hours};

/// The seconds of a Julian year, and of a day.
const YEAR: f64 = 31_557_600.0;
const DAY: f64 = 86_400.0;

impl Summary {
    /// Returns what the message says beside its [`title`](Self::title), a name and a line of text each, for people: where,
    /// when, and how sure. Only what is stated; no line has control characters in it.
    ///
    /// ```
    /// use hop_core::sky::Position;
    /// use hop_core::summary::{Direction, Summary};
    ///
    /// let mut summary = Summary::new("optical transient");
    /// summary.direction = Direction::At(Position::icrs(150.11625, -2.20583)?.with_circle(0.05, Some(0.9))?);
    /// summary.false_alarm_rate = Some(1e-8);
    /// let where_ = "RA 150.1163, Dec -2.2058 (10:00:27.9 -02:12:21), within 0.05 deg (90 %)";
    /// assert_eq!(summary.facts(), [("where", where_.to_owned()), ("false alarms", "1 in 3.2 years".to_owned())]);
    /// # Ok::<(), hop_core::Error>(())
    /// ```
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = Vec::new();
        let mut push = |name, text: String| facts.push((name, one_line(&text)));
        match self.direction {
            Direction::At(position) => push("where", place(&position)),
            Direction::NotOnSky => push("where", "not on the sky".to_owned()),
            Direction::Unknown => {}
        }
        if let Some(map) = &self.sky_map {
            push("sky map", map.to_string());
        }
        if let Some(time) = self.time {
            let error = time.error().map(|error| format!(" +- {} s", four_digits(error)));
            push("when", format!("{time}{}", error.unwrap_or_default()));
        }
        if let Some(instrument) = self.instrument.as_deref().filter(|instrument| !instrument.trim().is_empty()) {
            push("instrument", instrument.to_owned());
        }
        if self.names.len() > 1 {
            push("names", self.names.join(", "));
        }
        if let Some(importance) = self.importance {
            push("importance", format!("{} of 1", four_digits(importance)));
        }
        if let Some(rate) = self.false_alarm_rate {
            push("false alarms", per_time(rate));
        }
        if !self.cites.is_empty() {
            push("about", self.cites.join(", "));
        }
        for problem in &self.problems {
            push("not read", problem.clone());
        }
        facts
    }
}

/// A position in degrees and sexagesimal, and its region.
fn place(at: &Position) -> String {
    let percent = |region: &Region| match region.confidence() {
        Some(confidence) => format!(" ({} %)", four_digits(confidence * 100.0)),
        None => String::new(),
    };
    let region = at.region().map(|region| match region {
        Region::Ellipse { major, minor, angle, .. } => format!(
            ", within {} x {} deg at {} deg{}",
            four_digits(major),
            four_digits(minor),
            four_digits(angle),
            percent(&region)
        ),
        region => format!(", within {} deg{}", four_digits(region.radius()), percent(&region)),
    });
    format!(
        "RA {:.4}, Dec {:.4} ({} {}){}",
        at.ra(),
        at.dec(),
        format_hours(at.ra(), 1),
        format_degrees(at.dec(), 0),
        region.unwrap_or_default()
    )
}

/// A rate in hertz, as one in so much time.
fn per_time(rate: f64) -> String {
    if rate <= 0.0 {
        return "none".to_owned();
    }
    let one_decimal = |value: f64| match value {
        value if value >= 1e6 => format!("{value:.1e}"),
        value if value >= 100.0 => format!("{value:.0}"),
        value => format!("{value:.1}"),
    };
    match 1.0 / rate {
        seconds if seconds >= YEAR => format!("1 in {} years", one_decimal(seconds / YEAR)),
        seconds if seconds >= DAY => format!("1 in {} days", one_decimal(seconds / DAY)),
        seconds if seconds >= 1.0 => format!("1 in {} s", one_decimal(seconds)),
        _ => format!("{} a second", one_decimal(rate)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_by_people() {
        for (rate, text) in [
            (0.0, "none"),
            (3.0, "3.0 a second"),
            (0.1, "1 in 10.0 s"),
            (1.0 / DAY, "1 in 1.0 days"),
            (1.0 / YEAR / 250.0, "1 in 250 years"),
            (1e-20, "1 in 3.2e12 years"),
        ] {
            assert_eq!(per_time(rate), text);
        }
    }

    #[test]
    fn every_fact_is_one_harmless_line() {
        let mut summary = Summary::new("x");
        summary.instrument = Some("BAT\u{1b}[31m\n".to_owned());
        summary.names = vec!["a\u{9b}31m".to_owned(), "b\u{202e}".to_owned()];
        summary.cites = vec!["ivo://x#1\r".to_owned()];
        summary.problems = vec!["far: \u{7}".to_owned()];
        let region = Region::Ellipse { major: 0.22, minor: 0.19, angle: 153.0, confidence: Some(0.9) };
        summary.direction = Direction::At(Position::icrs(346.56, 18.61).and_then(|at| at.with_region(region)).unwrap());
        let facts = summary.facts();
        assert_eq!(
            facts[0].1,
            "RA 346.5600, Dec 18.6100 (23:06:14.4 +18:36:36), within 0.22 x 0.19 deg at 153 deg (90 %)"
        );
        assert_eq!(facts.len(), 5);
        assert!(facts.iter().all(|(_, text)| crate::escape_controls(text) == *text), "{facts:?}");
    }
}
