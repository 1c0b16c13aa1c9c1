//! Instants in UTC, leap seconds included, with what a sender said of them.
//!
//! ```
//! use hop_core::time::{Time, TimeScale};
//!
//! let merger = Time::parse("2016-12-31T23:59:60.5", TimeScale::Utc)?;
//! assert_eq!(merger.to_string(), "2016-12-31T23:59:60.5Z");
//! let same = Time::parse("2017-01-01T00:01:08.684", TimeScale::Tt)?;
//! assert_eq!((same.to_string(), same.scale()), ("2016-12-31T23:59:60.5Z".to_owned(), TimeScale::Tt));
//! assert_eq!(Time::from_mjd(51544.5, TimeScale::Tai)?.to_string(), "2000-01-01T11:59:28Z");
//! # Ok::<(), hop_core::Error>(())
//! ```
//!
//! # Limits
//! Years 1 to 9999. TT, TDB, TAI and GPS are converted from 1972 on, with the leap seconds announced up to the end of 2026;
//! TDB - TT is a series good to 10 microseconds.

mod civil;
mod days;
mod leap;
mod parse;

use std::fmt;

use crate::{Error, ErrorKind};

/// What errors about times are about; formats put their own label in its place.
const SUBJECT: &str = "time";

/// Nanoseconds in a second, and in a day without a leap second.
const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;

/// The clock by which a time is stated.
///
/// Source: [STC 1.33](https://www.ivoa.net/documents/latest/STC.html), table 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum TimeScale {
    /// Coordinated Universal Time.
    #[default]
    Utc,
    /// Terrestrial Time.
    Tt,
    /// Barycentric Dynamical Time.
    Tdb,
    /// International Atomic Time.
    Tai,
    /// The time of the Global Positioning System.
    Gps,
}

impl TimeScale {
    /// Returns the label, such as `UTC`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Utc => "UTC",
            Self::Tt => "TT",
            Self::Tdb => "TDB",
            Self::Tai => "TAI",
            Self::Gps => "GPS",
        }
    }

    /// Returns the scale of a label in any case (`UTC`, `TT`, `TDT`, `ET`, `TDB`, `TAI`, `IAT`, `GPS`); `None` for others.
    pub fn from_label(label: &str) -> Option<Self> {
        Some(match label.trim().to_ascii_uppercase().as_str() {
            "UTC" => Self::Utc,
            "TT" | "TDT" | "ET" => Self::Tt,
            "TDB" => Self::Tdb,
            "TAI" | "IAT" => Self::Tai,
            "GPS" => Self::Gps,
            _ => return None,
        })
    }
}

impl fmt::Display for TimeScale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An instant in UTC, with the scale in which it was given and its error.
///
/// It has nanoseconds, and second 60 where UTC has one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Time {
    /// Days since 1970-01-01, in UTC.
    day: i32,
    /// Of that day; up to 86,401 seconds where it ends with a leap second.
    nanosecond: i64,
    scale: TimeScale,
    error: Option<f64>,
}

impl Time {
    /// Reads a date and time in ISO 8601 that is stated in `scale`.
    ///
    /// `2026-01-31T04:05:06.25`, with `Z`, an offset (`+01:00`) or neither; a space in place of the `T`; a date alone is its
    /// midnight. `24:00:00` is the next day. Second 60 is kept in a leap second and belongs to the next minute elsewhere.
    /// Digits beyond nanoseconds are cut.
    ///
    /// # Errors
    /// Kind `Invalid` for text that is not a time, quoting it; kind `Unsupported` before 1972 in a scale other than UTC.
    pub fn parse(text: &str, scale: TimeScale) -> Result<Self, Error> {
        let read = parse::parse(text, scale == TimeScale::Utc).filter(|(day, _)| in_range(*day));
        let (day, nanosecond) = read.ok_or_else(|| not_a_time(text))?;
        Self::stated(day, nanosecond, scale)
    }

    /// Returns the time at a date and a time of day in UTC.
    ///
    /// `seconds` may be 60 and more: a leap second where UTC has one, and otherwise a second of the next minute.
    ///
    /// # Errors
    /// Kind `Invalid` for a date that the calendar does not have, or a time that the day does not have, quoting it.
    pub fn from_civil(date: (i32, u8, u8), hour: u8, minute: u8, seconds: f64) -> Result<Self, Error> {
        let (year, month, day) = date;
        let invalid = || not_a_time(&format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{seconds}"));
        if !(0.0..61.0).contains(&seconds) {
            return Err(invalid());
        }
        let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{seconds:012.9}");
        Self::parse(&text, TimeScale::Utc).map_err(|_| invalid())
    }

    /// Returns the time that lies `seconds` after 1970-01-01T00:00:00 UTC, leap seconds not counted, as POSIX has it.
    ///
    /// # Errors
    /// Kind `Invalid` beyond the years 1 to 9999, quoting the seconds.
    pub fn from_unix(seconds: i64, nanoseconds: u32) -> Result<Self, Error> {
        let day = i32::try_from(seconds.div_euclid(86_400)).ok().filter(|day| in_range(*day));
        let day = day
            .filter(|_| nanoseconds < 1_000_000_000)
            .ok_or_else(|| not_a_time(&format!("{seconds} s since 1970")))?;
        let nanosecond = seconds.rem_euclid(86_400) * SECOND + i64::from(nanoseconds);
        Ok(Self { day, nanosecond, scale: TimeScale::Utc, error: None })
    }

    /// Returns the seconds since 1970-01-01T00:00:00 UTC and the nanoseconds of the second, as POSIX has them: a leap second
    /// has the number of the second after it.
    pub fn unix(&self) -> (i64, u32) {
        let seconds = i64::from(self.day) * 86_400 + self.nanosecond / SECOND;
        (seconds, u32::try_from(self.nanosecond % SECOND).unwrap_or_default())
    }

    /// Sets the error, in seconds.
    ///
    /// # Errors
    /// Kind `Invalid` for NaN, an infinity or a negative number, quoting it.
    pub fn with_error(mut self, seconds: f64) -> Result<Self, Error> {
        if !(seconds.is_finite() && seconds >= 0.0) {
            return Err(Error::new(ErrorKind::Invalid, SUBJECT)
                .expected("an error in seconds, zero or more")
                .found(format!("`{seconds}`")));
        }
        self.error = Some(seconds);
        Ok(self)
    }

    /// Returns the scale in which the time was given.
    pub fn scale(&self) -> TimeScale {
        self.scale
    }

    /// Returns the error in seconds; `None` where none is stated.
    pub fn error(&self) -> Option<f64> {
        self.error
    }

    /// Returns the year, the month and the day, in UTC.
    pub fn date(&self) -> (i32, u8, u8) {
        civil::date_of(self.day)
    }

    /// Returns the hour, the minute, the second (60 in a leap second) and the nanosecond, in UTC.
    pub fn clock(&self) -> (u8, u8, u8, u32) {
        let seconds = self.nanosecond / SECOND;
        // The last minute has 61 seconds on a day that ends with a leap second.
        let minutes = (seconds / 60).min(1_439);
        let narrow = |value: i64| u8::try_from(value).unwrap_or_default();
        let nanosecond = u32::try_from(self.nanosecond % SECOND).unwrap_or_default();
        (narrow(minutes / 60), narrow(minutes % 60), narrow(seconds - minutes * 60), nanosecond)
    }

    /// Returns true within a leap second.
    pub fn is_leap_second(&self) -> bool {
        self.nanosecond >= DAY
    }

    /// Returns this time moved by `seconds` that pass, leap seconds counted from 1972 on; scale and error stay.
    ///
    /// # Errors
    /// Kind `Invalid` for NaN, an infinity, or a time beyond the years 1 to 9999, quoting the seconds.
    pub fn plus(&self, seconds: f64) -> Result<Self, Error> {
        let invalid = || not_a_time(&format!("{self} + {seconds} s"));
        // More than the calendar holds, and so that the product fits.
        if seconds.is_nan() || seconds.abs() >= 1e12 {
            return Err(invalid());
        }
        // Whole seconds apart, so that a long span does not cost the nanoseconds.
        let whole = seconds.trunc();
        let span = i128::from(whole as i64) * i128::from(SECOND)
            + i128::from(((seconds - whole) * SECOND as f64).round() as i64);
        let moved = match self.tai().and_then(|tai| leap::utc_from_tai(tai + span)) {
            Some(moved) => Some(moved),
            None => {
                let total = i128::from(self.day) * i128::from(DAY) + i128::from(self.nanosecond) + span;
                let day = i32::try_from(total.div_euclid(i128::from(DAY))).ok();
                day.zip(i64::try_from(total.rem_euclid(i128::from(DAY))).ok())
            }
        };
        let (day, nanosecond) = moved.filter(|(day, _)| in_range(*day)).ok_or_else(invalid)?;
        Ok(Self { day, nanosecond, ..*self })
    }

    /// Returns the seconds that passed from `earlier` to this time, leap seconds counted from 1972 on.
    pub fn seconds_since(&self, earlier: &Self) -> f64 {
        let label = |time: &Self| i128::from(time.day) * i128::from(DAY) + i128::from(time.nanosecond);
        let span = match (self.tai(), earlier.tai()) {
            (Some(later), Some(earlier)) => later - earlier,
            _ => label(self) - label(earlier),
        };
        span as f64 / SECOND as f64
    }

    /// Returns the instant as jiff has it, which has no leap seconds: within one, the second after it.
    ///
    /// # Errors
    /// Kind `Unsupported` in the last days of the year 9999, which jiff does not have.
    #[cfg(feature = "jiff")]
    pub fn utc(&self) -> Result<jiff::Timestamp, Error> {
        let (seconds, nanosecond) = self.unix();
        jiff::Timestamp::new(seconds, i32::try_from(nanosecond).unwrap_or_default())
            .map_err(|error| Error::new(ErrorKind::Unsupported, SUBJECT).found(format!("`{self}`")).source(error))
    }

    /// The time whose label in `scale` is this day and nanosecond.
    fn stated(day: i32, nanosecond: i64, scale: TimeScale) -> Result<Self, Error> {
        let label = i128::from(day) * i128::from(DAY) + i128::from(nanosecond);
        let ahead = match scale {
            TimeScale::Utc => return Ok(Self { day, nanosecond, scale, error: None }),
            TimeScale::Tai => 0,
            TimeScale::Gps => -19 * SECOND,
            TimeScale::Tt => TT_AHEAD,
            TimeScale::Tdb => TT_AHEAD + days::tdb_minus_tt(label),
        };
        let utc = leap::utc_from_tai(label - i128::from(ahead)).filter(|(day, _)| in_range(*day));
        let (day, nanosecond) = utc.ok_or_else(|| {
            let (year, month, day) = civil::date_of(day);
            Error::new(ErrorKind::Unsupported, SUBJECT)
                .expected("a time from 1972 on, when leap seconds began")
                .found(format!("`{year:04}-{month:02}-{day:02}` in {scale}"))
        })?;
        Ok(Self { day, nanosecond, scale, error: None })
    }

    /// Nanoseconds of TAI since 1970-01-01T00:00:00 TAI; `None` before 1972.
    fn tai(&self) -> Option<i128> {
        let ahead = i128::from(leap::tai_minus_utc(self.day)?) * i128::from(SECOND);
        Some(i128::from(self.day) * i128::from(DAY) + i128::from(self.nanosecond) + ahead)
    }
}

/// How far TT is ahead of TAI, in nanoseconds.
const TT_AHEAD: i64 = 32_184_000_000;

/// Writes ISO 8601 in UTC, with no more digits than are needed: `2026-01-31T04:05:06.25Z`.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.date();
        let (hour, minute, second, nanosecond) = self.clock();
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if nanosecond > 0 {
            write!(f, ".{}", format!("{nanosecond:09}").trim_end_matches('0'))?;
        }
        f.write_str("Z")
    }
}

#[cfg(feature = "jiff")]
impl TryFrom<jiff::Timestamp> for Time {
    type Error = Error;

    /// # Errors
    /// Kind `Invalid` before the year 1.
    fn try_from(instant: jiff::Timestamp) -> Result<Self, Error> {
        let nanosecond = instant.as_nanosecond();
        let seconds = i64::try_from(nanosecond.div_euclid(i128::from(SECOND))).unwrap_or(i64::MAX);
        Self::from_unix(seconds, u32::try_from(nanosecond.rem_euclid(i128::from(SECOND))).unwrap_or_default())
    }
}

/// Whether a day is within the years 1 to 9999.
fn in_range(day: i32) -> bool {
    (-719_162..=2_932_896).contains(&day)
}

#[cold]
fn not_a_time(text: &str) -> Error {
    let shown: String = text.chars().take(60).collect();
    Error::new(ErrorKind::Invalid, SUBJECT)
        .expected("a date and time such as `2026-01-31T04:05:06.25`")
        .found(format!("`{}`", shown.escape_debug()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str, scale: TimeScale) -> String {
        Time::parse(text, scale).unwrap().to_string()
    }

    #[test]
    fn each_scale_gives_the_same_instant_in_utc() {
        assert_eq!(utc("2016-12-31T23:59:59.5", TimeScale::Utc), "2016-12-31T23:59:59.5Z");
        assert_eq!(utc("2017-01-01T00:01:09.184", TimeScale::Tt), "2017-01-01T00:00:00Z");
        assert_eq!(utc("2017-01-01T00:00:37", TimeScale::Tai), "2017-01-01T00:00:00Z");
        assert_eq!(utc("2017-01-01T00:00:36", TimeScale::Tai), "2016-12-31T23:59:60Z");
        assert_eq!(utc("2017-01-01T00:00:18", TimeScale::Gps), "2017-01-01T00:00:00Z");
        assert_eq!(utc("2016-12-31T23:59:36", TimeScale::Gps), "2016-12-31T23:59:19Z");
        assert_eq!(Time::parse("1970-01-01", TimeScale::Tt).unwrap_err().kind(), ErrorKind::Unsupported);
    }

    #[test]
    fn the_ways_in_which_senders_write_times_are_read() {
        for (text, expected) in [
            ("2008-08-21T08:43:11.00", "2008-08-21T08:43:11Z"),
            ("2018-11-01T22:22:46.654437Z", "2018-11-01T22:22:46.654437Z"),
            ("2014-05-14T17:14:11.060000+00:00", "2014-05-14T17:14:11.06Z"),
            ("2014-05-14T17:14:11+02:00", "2014-05-14T15:14:11Z"),
            ("2014-05-14T17:14:11-0530", "2014-05-14T22:44:11Z"),
            ("2014-05-14 17:14:11.1234567891234", "2014-05-14T17:14:11.123456789Z"),
            ("2014-05-14 17:14:11 UTC", "2014-05-14T17:14:11Z"),
            ("2014-05-14", "2014-05-14T00:00:00Z"),
            ("2014-05-14T17:14", "2014-05-14T17:14:00Z"),
            ("20140514T171411.5z", "2014-05-14T17:14:11.5Z"),
        ] {
            assert_eq!(utc(text, TimeScale::Utc), expected, "{text}");
        }
    }

    #[test]
    fn second_60_is_a_leap_second_or_the_next_minute() {
        for (text, expected) in [
            ("2026-01-31T04:05:60", "2026-01-31T04:06:00Z"),
            ("2026-01-31T04:08:60.5", "2026-01-31T04:09:00.5Z"),
            ("2026-01-31T23:59:60", "2026-02-01T00:00:00Z"),
            ("2016-12-31T23:59:60", "2016-12-31T23:59:60Z"),
            ("2016-12-31T23:59:60.999999999", "2016-12-31T23:59:60.999999999Z"),
            ("2017-01-01T00:59:60.25+01:00", "2016-12-31T23:59:60.25Z"),
            ("2016-12-31T23:58:60", "2016-12-31T23:59:00Z"),
            ("2026-12-31T24:00:00", "2027-01-01T00:00:00Z"),
        ] {
            assert_eq!(utc(text, TimeScale::Utc), expected, "{text}");
        }
        assert_eq!(utc("2016-12-31T23:59:60", TimeScale::Tai), "2016-12-31T23:59:24Z");
        let leap = Time::parse("2016-12-31T23:59:60.5", TimeScale::Utc).unwrap();
        assert_eq!((leap.is_leap_second(), leap.clock()), (true, (23, 59, 60, 500_000_000)));
        assert_eq!(leap.unix(), (1_483_228_800, 500_000_000));
    }

    #[test]
    fn what_is_not_a_time_is_quoted() {
        for text in [
            "2023-09-10T300:07:30.00",
            "[YYYY-MM-DDThh:mm:ss]",
            "",
            "2023-02-30T00:00:00",
            "é",
            "2023-09-10é",
            "2026-01-31T24:00:01",
            "2026-01-31T04:05:61",
            "2026-01-31T04:60:00",
            "2026-01-31T04:05:06+25:00",
            "0000-01-01T00:00:00",
            "9999-12-31T24:00:00",
            "2026-01-31T04:05:06 PST",
            "2026-1-31T04:05:06",
        ] {
            let error = Time::parse(text, TimeScale::Utc).unwrap_err();
            assert!(error.to_string().contains(&format!("`{text}`")), "{error}");
        }
        assert_eq!(
            Time::parse("soon", TimeScale::Utc).unwrap_err().to_string(),
            "time: expected a date and time such as `2026-01-31T04:05:06.25`, found `soon`"
        );
        for error in [f64::NAN, f64::INFINITY, -1.0] {
            let time = Time::from_unix(0, 0).unwrap();
            assert!(time.with_error(error).unwrap_err().to_string().contains(&format!("`{error}`")));
        }
    }

    #[test]
    fn spans_count_leap_seconds() {
        let before = Time::parse("2016-12-31T23:59:59.5", TimeScale::Utc).unwrap();
        let after = before.plus(1.0).unwrap();
        assert_eq!(after.to_string(), "2016-12-31T23:59:60.5Z");
        assert_eq!(after.plus(1.25).unwrap().to_string(), "2017-01-01T00:00:00.75Z");
        assert_eq!(after.plus(1.25).unwrap().seconds_since(&before), 2.25);
        let old = Time::parse("1950-01-01", TimeScale::Utc).unwrap();
        assert_eq!(old.plus(-0.5).unwrap().to_string(), "1949-12-31T23:59:59.5Z");
        assert!(old.plus(f64::NAN).is_err() && old.plus(1e15).is_err() && old.plus(-1e11).is_err());
        assert_eq!(Time::from_civil((2026, 1, 31), 4, 5, 6.25).unwrap().to_string(), "2026-01-31T04:05:06.25Z");
        assert!(Time::from_civil((2026, 1, 31), 4, 5, f64::NAN).is_err());
    }
}
