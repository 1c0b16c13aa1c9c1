//! What an alert says in one glance: what, where and when.

mod facts;

use std::fmt;

use bytes::Bytes;

use crate::error::steers_terminal;
use crate::sky::Position;
use crate::time::Time;

/// What a message says: what happened, where and when.
///
/// [`MessageModel::summary`](crate::MessageModel::summary) makes one. A field is filled in only from what the message states;
/// what it states but cannot be read is quoted in [`problems`](Self::problems).
///
/// ```
/// use hop_core::sky::Position;
/// use hop_core::summary::{Direction, Summary};
///
/// let mut summary = Summary::new("optical transient");
/// summary.names.push("AT2026abc".to_owned());
/// summary.direction = Direction::At(Position::icrs(150.11625, -2.20583)?);
/// assert_eq!(summary.title(), "AT2026abc: optical transient, RA 150.1163, Dec -2.2058");
/// # Ok::<(), hop_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Summary {
    /// The kind of message, in its sender's words: `Swift-BAT GRB Position`.
    pub kind: String,
    /// The names of the event, the first being the one to show. Empty where the message states none.
    pub names: Vec<String>,
    /// The mission, instrument or network that sent it.
    pub instrument: Option<String>,
    /// Where the event was.
    pub direction: Direction,
    /// When the event was.
    pub time: Option<Time>,
    /// How important the sender thinks it is, from 0 to 1.
    pub importance: Option<f64>,
    /// The rate of false alarms, in hertz (events a second).
    pub false_alarm_rate: Option<f64>,
    /// True for tests, which are not to be acted on.
    pub is_test: bool,
    /// True if the sender takes an earlier message back.
    pub is_retraction: bool,
    /// The identifiers of the messages that it is about.
    pub cites: Vec<String>,
    /// The probability map.
    pub sky_map: Option<SkyMap>,
    /// The subject that the sender wrote, where the format has one.
    pub subject: Option<String>,
    /// What the message states but could not be read, each with the text found.
    pub problems: Vec<String>,
}

/// Where an event was.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub enum Direction {
    /// The message does not say, or only in a sky map.
    #[default]
    Unknown,
    /// The message is not about a place on the sky: where a telescope points, or the whole sky.
    NotOnSky,
    /// At this position.
    At(Position),
}

impl Direction {
    /// Returns the position, where there is one.
    pub fn position(&self) -> Option<Position> {
        match self {
            Self::At(position) => Some(*position),
            Self::Unknown | Self::NotOnSky => None,
        }
    }
}

/// A probability map of the sky.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum SkyMap {
    /// Where it can be fetched from.
    Url(String),
    /// A FITS file in the message, in bytes that the message shares.
    Fits(Bytes),
    /// A FITS file in the message, in base64.
    Base64 {
        /// The length of the text, in bytes; the message holds the text.
        length: usize,
    },
}

impl fmt::Debug for SkyMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Writes the address, or the size of what is in the message.
impl fmt::Display for SkyMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => f.write_str(url),
            Self::Fits(bytes) => write!(f, "{} bytes of FITS", bytes.len()),
            Self::Base64 { length } => write!(f, "{length} characters of base64"),
        }
    }
}

impl Summary {
    /// Returns a summary that says only which kind of message it is.
    pub fn new(kind: impl Into<String>) -> Self {
        Self { kind: kind.into(), ..Self::default() }
    }

    /// Returns one line that says what matters first: tests and retractions, then the event, the instrument, the kind, where
    /// and when.
    pub fn title(&self) -> String {
        let mut line = String::new();
        for (is, word) in [(self.is_test, "TEST "), (self.is_retraction, "RETRACTION ")] {
            line.push_str(if is { word } else { "" });
        }
        // A subject names the event itself.
        if let (None, Some(name)) = (&self.subject, self.names.first()) {
            line.push_str(name);
            line.push_str(": ");
        }
        if let (None, Some(instrument)) = (&self.subject, self.instrument_beside_kind()) {
            line.push_str(instrument);
            line.push(' ');
        }
        line.push_str(self.subject.as_deref().unwrap_or(&self.kind));
        match self.direction {
            Direction::At(at) => {
                line.push_str(&format!(", RA {:.4}, Dec {:.4}", at.ra(), at.dec()));
                if let Some(radius) = at.radius() {
                    line.push_str(&format!(" +- {} deg", four_digits(radius)));
                }
            }
            Direction::Unknown if self.sky_map.is_some() => line.push_str(", see its sky map"),
            Direction::Unknown | Direction::NotOnSky => {}
        }
        if let Some(time) = self.time {
            line.push_str(&format!(", {time}"));
        }
        one_line(&line)
    }
}

impl Summary {
    /// The instrument, where the kind does not name it.
    fn instrument_beside_kind(&self) -> Option<&str> {
        let instrument = self.instrument.as_deref().filter(|instrument| !instrument.trim().is_empty())?;
        let first = instrument.split([' ', ',', '/']).next()?.to_lowercase();
        (!self.kind.to_lowercase().contains(&first)).then_some(instrument)
    }
}

/// The text as one line, whatever the sender wrote, with nothing in it that steers a terminal.
fn one_line(text: &str) -> String {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned();
    }
    text.chars().map(|c| if steers_terminal(c) { ' ' } else { c }).collect()
}

/// A length with four digits that count.
fn four_digits(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let decimals = (3 - value.abs().log10().floor() as i64).clamp(0, 12) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_one_line_with_the_warnings_first() {
        let mut summary = Summary::new("Swift-BAT\nGRB\u{1b} Position");
        assert_eq!(summary.title(), "Swift-BAT GRB  Position");
        summary.instrument = Some("SWIFT".to_owned());
        summary.is_test = true;
        summary.is_retraction = true;
        summary.names.push("GRB 260131A".to_owned());
        let at = Position::icrs(10.0, -20.5).and_then(|at| at.with_circle(0.0123456, Some(0.9))).unwrap();
        summary.direction = Direction::At(at);
        summary.time = Some(Time::from_unix(0, 0).unwrap());
        assert_eq!(
            summary.title(),
            "TEST RETRACTION GRB 260131A: Swift-BAT GRB  Position, RA 10.0000, Dec -20.5000 +- 0.01235 deg, 1970-01-01T00:00:00Z"
        );
        let mut other = Summary::new("BAT_GRB_Pos");
        other.instrument = Some("SWIFT".to_owned());
        assert_eq!(other.title(), "SWIFT BAT_GRB_Pos");
        assert_eq!(
            (four_digits(180.0), four_digits(1e-9), four_digits(12_345.6)),
            ("180".into(), "0.000000001".into(), "12346".into())
        );
    }
}
