//! Times as events state them, and the same instants in UTC.

use std::borrow::Cow;
use std::fmt;

use hop_core::{Error, ErrorKind, Location};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::xml::SUBJECT;

/// How the clock runs by which a time is stated.
///
/// Source: VOEvent 2.0, `<VOEvent>`; [STC 1.33](https://www.ivoa.net/documents/latest/STC.html).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimeScale {
    /// Coordinated Universal Time.
    Utc,
    /// Terrestrial Time.
    Tt,
    /// Barycentric Dynamical Time.
    Tdb,
    /// International Atomic Time.
    Tai,
    /// The time of the Global Positioning System.
    Gps,
    /// Another, by its label; it is not converted.
    Other(String),
}

impl TimeScale {
    /// The label, such as `UTC`.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Utc => "UTC",
            Self::Tt => "TT",
            Self::Tdb => "TDB",
            Self::Tai => "TAI",
            Self::Gps => "GPS",
            Self::Other(label) => label,
        }
    }

    /// The scale of this label, in any case.
    pub(super) fn from_label(label: &str) -> Option<Self> {
        Some(match label.to_ascii_uppercase().as_str() {
            "UTC" => Self::Utc,
            "TT" | "TDT" | "ET" => Self::Tt,
            "TDB" => Self::Tdb,
            "TAI" | "IAT" => Self::Tai,
            "GPS" => Self::Gps,
            label @ ("TCB" | "TCG" | "LST" | "UT1" | "TEB") => Self::Other(label.to_owned()),
            _ => return None,
        })
    }
}

impl fmt::Display for TimeScale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A time as an event states it.
///
/// The text is kept, and read when asked for: a packet whose time cannot be read (`2023-09-10T300:07:30`) is still a packet.
/// Dates and times are [`jiff`]'s, which has nanoseconds and checks the calendar.
///
/// # Errors
/// [`utc`](Self::utc) and [`date_time`](Self::date_time) fail for text that is no time, quoting it.
///
/// Source: VOEvent 2.0, `<ISOTime>`; ISO 8601.
#[derive(Debug, Clone, PartialEq)]
pub struct Time<'a> {
    text: Cow<'a, str>,
    scale: TimeScale,
    error: Option<f64>,
}

impl<'a> Time<'a> {
    pub(super) fn new(text: Cow<'a, str>, scale: TimeScale, error: Option<f64>) -> Self {
        Self { text, scale, error }
    }

    /// A time in UTC, as all that stand outside `WhereWhen` are.
    pub(super) fn utc_text(text: Cow<'a, str>) -> Self {
        Self::new(text, TimeScale::Utc, None)
    }

    /// The text as sent.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The scale in which it was sent; UTC where the event states none.
    pub fn scale(&self) -> &TimeScale {
        &self.scale
    }

    /// How uncertain it is, in seconds: `<Error>`, `None` when absent.
    pub fn error(&self) -> Option<f64> {
        self.error
    }

    /// The date and time in the [scale](Self::scale) in which it was sent. An offset (`+01:00`) is applied.
    ///
    /// # Errors
    /// Kind `Invalid` for text that is no time, quoting it.
    pub fn date_time(&self) -> Result<DateTime, Error> {
        parse(&self.text)
    }

    /// The instant in UTC.
    ///
    /// TT, TAI and GPS time are converted with the leap seconds announced up to 2026; TDB is taken as TT, from which it
    /// never differs by more than 2 ms. Within a leap second (`23:59:60`) the second before it is given.
    ///
    /// # Errors
    /// Kind `Invalid` for text that is no time, quoting it; kind `Unsupported` for other scales and for times before 1972,
    /// when UTC had no whole leap seconds.
    pub fn utc(&self) -> Result<Timestamp, Error> {
        let stated = self.date_time()?.to_zoned(TimeZone::UTC).map_err(|error| self.invalid(error))?.timestamp();
        let ahead_of_tai = match &self.scale {
            TimeScale::Utc => return Ok(stated),
            TimeScale::Tt | TimeScale::Tdb => SignedDuration::from_millis(32_184),
            TimeScale::Tai => SignedDuration::ZERO,
            TimeScale::Gps => SignedDuration::from_secs(-19),
            TimeScale::Other(_) => {
                return Err(Error::new(ErrorKind::Unsupported, SUBJECT)
                    .expected("a time in UTC, TT, TDB, TAI or GPS time")
                    .found(format!("one in {}", self.scale))
                    .help("`date_time` gives it as it was sent"));
            }
        };
        let tai = stated.checked_sub(ahead_of_tai).map_err(|error| self.invalid(error))?;
        let leap = LEAP_SECONDS
            .iter()
            .rev()
            .map(|(utc, ahead)| (utc + ahead, *ahead))
            .find(|(from, _)| tai.as_second() >= *from);
        match leap {
            Some((_, ahead)) => tai.checked_sub(SignedDuration::from_secs(ahead)).map_err(|error| self.invalid(error)),
            None => Err(Error::new(ErrorKind::Unsupported, SUBJECT).expected("a time after 1972").found(format!(
                "`{}` in {}",
                self.text.escape_debug(),
                self.scale
            ))),
        }
    }

    #[cold]
    fn invalid(&self, source: jiff::Error) -> Error {
        not_a_time(&self.text).source(source)
    }
}

/// Shows the text and the scale: `2026-01-31T04:05:06.25 UTC`.
impl fmt::Display for Time<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.text, self.scale)
    }
}

/// A date and time in ISO 8601, an offset applied, a fraction cut to nanoseconds.
fn parse(text: &str) -> Result<DateTime, Error> {
    let whole = text.trim();
    // GCN once wrote microseconds and more; what is beyond nanoseconds is no part of what instruments resolve.
    let mut shortened = String::new();
    let mut fraction = whole.split_once('.').map(|(seconds, rest)| {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        (seconds, &rest[..digits], &rest[digits..])
    });
    let text_to_read = match fraction.take() {
        Some((seconds, digits, zone)) if digits.len() > 9 => {
            shortened.push_str(seconds);
            shortened.push('.');
            shortened.push_str(&digits[..9]);
            shortened.push_str(zone);
            &shortened
        }
        _ => whole,
    };
    let time_part = text_to_read.get(10..).unwrap_or_default();
    let read = if time_part.ends_with(['Z', 'z']) || time_part.contains(['+', '-']) {
        text_to_read.parse::<Timestamp>().map(|instant| instant.to_zoned(TimeZone::UTC).datetime())
    } else {
        text_to_read.parse::<DateTime>()
    };
    read.map_err(|error| not_a_time(text).source(error))
}

#[cold]
fn not_a_time(text: &str) -> Error {
    let shown: String = text.chars().take(60).collect();
    Error::new(ErrorKind::Invalid, SUBJECT)
        .expected("a date and time such as `2026-01-31T04:05:06.25`")
        .found(format!("`{}`", shown.escape_debug()))
        .at(Location::Path("time".to_owned()))
}

/// From when on (seconds of UTC since 1970) TAI is how many seconds ahead of UTC.
///
/// Source: IERS Bulletin C; <https://hpiers.obspm.fr/iers/bul/bulc/Leap_Second.dat>.
const LEAP_SECONDS: [(i64, i64); 28] = [
    (63_072_000, 10),
    (78_796_800, 11),
    (94_694_400, 12),
    (126_230_400, 13),
    (157_766_400, 14),
    (189_302_400, 15),
    (220_924_800, 16),
    (252_460_800, 17),
    (283_996_800, 18),
    (315_532_800, 19),
    (362_793_600, 20),
    (394_329_600, 21),
    (425_865_600, 22),
    (489_024_000, 23),
    (567_993_600, 24),
    (631_152_000, 25),
    (662_688_000, 26),
    (709_948_800, 27),
    (741_484_800, 28),
    (773_020_800, 29),
    (820_454_400, 30),
    (867_715_200, 31),
    (915_148_800, 32),
    (1_136_073_600, 33),
    (1_230_768_000, 34),
    (1_341_100_800, 35),
    (1_435_708_800, 36),
    (1_483_228_800, 37),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str, scale: TimeScale) -> String {
        Time::new(text.into(), scale, None).utc().unwrap().to_string()
    }

    #[test]
    fn each_scale_gives_the_same_instant_in_utc() {
        assert_eq!(utc("2016-12-31T23:59:59.5", TimeScale::Utc), "2016-12-31T23:59:59.5Z");
        assert_eq!(utc("2017-01-01T00:01:09.184", TimeScale::Tt), "2017-01-01T00:00:00Z");
        assert_eq!(utc("2017-01-01T00:00:37", TimeScale::Tai), "2017-01-01T00:00:00Z");
        assert_eq!(utc("2017-01-01T00:00:18", TimeScale::Gps), "2017-01-01T00:00:00Z");
        assert_eq!(utc("2016-12-31T23:59:36", TimeScale::Gps), "2016-12-31T23:59:19Z");
    }

    #[test]
    fn the_ways_in_which_senders_write_times_are_read() {
        for (text, expected) in [
            ("2008-08-21T08:43:11.00", "2008-08-21T08:43:11Z"),
            ("2018-11-01T22:22:46.654437Z", "2018-11-01T22:22:46.654437Z"),
            ("2014-05-14T17:14:11.060000+00:00", "2014-05-14T17:14:11.06Z"),
            ("2014-05-14T17:14:11+02:00", "2014-05-14T15:14:11Z"),
            ("2014-05-14 17:14:11.1234567891234", "2014-05-14T17:14:11.123456789Z"),
            ("2014-05-14", "2014-05-14T00:00:00Z"),
        ] {
            assert_eq!(utc(text, TimeScale::Utc), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_quoted() {
        for text in ["2023-09-10T300:07:30.00", "[YYYY-MM-DDThh:mm:ss]", "", "2023-02-30T00:00:00", "é", "2023-09-10é"]
        {
            let error = Time::utc_text(text.into()).utc().unwrap_err();
            assert!(error.to_string().contains(&format!("`{text}`")), "{error}");
        }
        assert_eq!(
            Time::utc_text("soon".into()).utc().unwrap_err().to_string(),
            "voevent: expected a date and time such as `2026-01-31T04:05:06.25`, found `soon`, in `time`"
        );
    }
}
