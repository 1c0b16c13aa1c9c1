//! Angles in hours or degrees, minutes and seconds, as people write them.

use super::{Frame, Position, SUBJECT};
use crate::{Error, ErrorKind};

/// The longest text that is read.
const LONGEST: usize = 64;
/// The most digits behind the point of the seconds that are written.
const MOST_DECIMALS: usize = 9;

/// What the first part of a sexagesimal angle counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SexagesimalUnit {
    /// Hours, of 15 degrees each.
    Hours,
    /// Degrees.
    Degrees,
}

/// An angle in hours or degrees, minutes and seconds.
///
/// ```
/// use hop_core::sky::{Sexagesimal, SexagesimalUnit};
///
/// let read = Sexagesimal::parse("12h34m56.7s")?;
/// assert_eq!((read.unit(), read.right_ascension()?), (Some(SexagesimalUnit::Hours), 188.73625));
/// // The sign of zero degrees counts.
/// assert_eq!(Sexagesimal::parse("-00 30 00")?.declination()?, -0.5);
/// # Ok::<(), hop_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sexagesimal {
    value: f64,
    unit: Option<SexagesimalUnit>,
}

impl Sexagesimal {
    /// Reads an angle of two or three parts: `12 34 56.7`, `12:34:56.7`, `12h34m56.7s`, `-01d 02m 03s`, `−01° 02′ 03″`,
    /// `12 34.5`.
    ///
    /// Only the last part may have a fraction. Unicode's spaces, minus signs and primes are read as well.
    ///
    /// # Errors
    /// Kind `Invalid`, quoting the text: a single number, minutes or seconds of 60 and more, a sign within, separators of two
    /// styles, more than three digits of hours or degrees, anything else.
    pub fn parse(text: &str) -> Result<Self, Error> {
        read(text).ok_or_else(|| not_sexagesimal("hours or degrees, minutes and seconds such as `12:34:56.7`", text))
    }

    /// Returns the angle in hours or degrees, whichever the sender meant.
    pub fn value(self) -> f64 {
        self.value
    }

    /// Returns whether it is hours or degrees, where letters or signs say so (`12h…`, `12d…`, `12°…`); `None` for `12 34 56`
    /// and `12:34:56`.
    pub fn unit(self) -> Option<SexagesimalUnit> {
        self.unit
    }

    /// Returns the angle in degrees as a right ascension: hours, unless letters say degrees.
    ///
    /// # Errors
    /// Kind `Invalid` for a negative one and from 24 hours on.
    pub fn right_ascension(self) -> Result<f64, Error> {
        let degrees = if self.unit == Some(SexagesimalUnit::Degrees) { self.value } else { self.value * 15.0 };
        // Not `-00 00 01`, nor its zero.
        if degrees.is_sign_positive() && degrees < 360.0 {
            return Ok(degrees);
        }
        Err(out_of_range("a right ascension from 0 to below 24 hours", degrees))
    }

    /// Returns the angle in degrees as a declination or latitude.
    ///
    /// # Errors
    /// Kind `Invalid` for hours, and beyond -90 to 90 degrees.
    pub fn declination(self) -> Result<f64, Error> {
        if self.unit == Some(SexagesimalUnit::Hours) {
            return Err(out_of_range("a declination in degrees, minutes and seconds", self.value));
        }
        if self.value.abs() <= 90.0 {
            return Ok(self.value);
        }
        Err(out_of_range("a declination from -90 to 90", self.value))
    }
}

impl Position {
    /// Returns the position at sexagesimal coordinates: a right ascension in hours and a declination in degrees, or in a
    /// galactic or ecliptic frame a longitude and a latitude in degrees.
    ///
    /// ```
    /// use hop_core::sky::{Frame, Position};
    ///
    /// let at = Position::from_sexagesimal(Frame::Icrs, "12 34 56.7", "-00 30 00")?;
    /// assert_eq!((at.ra(), at.dec()), (188.73625, -0.5));
    /// # Ok::<(), hop_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Sexagesimal::parse`], [`Sexagesimal::right_ascension`] and [`Sexagesimal::declination`].
    pub fn from_sexagesimal(frame: Frame, longitude: &str, latitude: &str) -> Result<Self, Error> {
        let read = Sexagesimal::parse(longitude)?;
        let longitude = match frame {
            Frame::Galactic | Frame::Ecliptic { .. } if read.unit != Some(SexagesimalUnit::Hours) => read.value,
            _ => read.right_ascension()?,
        };
        Self::new(frame, longitude, Sexagesimal::parse(latitude)?.declination()?)
    }
}

/// Writes an angle in degrees as hours, minutes and seconds, from 0 to below 24 hours: `12:34:56.70`.
///
/// `decimals` is the number of digits behind the point of the seconds, at most 9. Rounding carries: 59.996 seconds with two
/// digits are the next minute. What is not finite is written as Rust writes it.
///
/// ```
/// assert_eq!(hop_core::sky::format_hours(188.73625, 2), "12:34:56.70");
/// assert_eq!(hop_core::sky::format_hours(359.999_999, 1), "00:00:00.0");
/// ```
pub fn format_hours(degrees: f64, decimals: usize) -> String {
    if !degrees.is_finite() {
        return degrees.to_string();
    }
    let parts = Parts::rounded(degrees.rem_euclid(360.0) / 15.0, decimals);
    format!("{:02}:{}", parts.whole % 24, parts.minutes_and_seconds(decimals))
}

/// Writes an angle in degrees as degrees, minutes and seconds with a sign: `-01:02:03.0`.
///
/// `decimals` is the number of digits behind the point of the seconds, at most 9. Rounding carries, and what is rounded to zero
/// has the sign `+`. What is not finite is written as Rust writes it.
///
/// ```
/// assert_eq!(hop_core::sky::format_degrees(-0.5, 0), "-00:30:00");
/// assert_eq!(hop_core::sky::format_degrees(11.999_999_9, 1), "+12:00:00.0");
/// ```
pub fn format_degrees(degrees: f64, decimals: usize) -> String {
    if !degrees.is_finite() {
        return degrees.to_string();
    }
    let parts = Parts::rounded(degrees.abs(), decimals);
    let sign = if degrees < 0.0 && !parts.is_zero() { '-' } else { '+' };
    format!("{sign}{:02}:{}", parts.whole, parts.minutes_and_seconds(decimals))
}

/// A sexagesimal angle whose seconds are counted in units of their last digit.
struct Parts {
    whole: u64,
    minutes: u64,
    units: u64,
    per_second: u64,
}

impl Parts {
    fn rounded(value: f64, decimals: usize) -> Self {
        let per_second = 10u64.pow(u32::try_from(decimals.min(MOST_DECIMALS)).unwrap_or_default());
        // Below 360 degrees the product is far within the integers that a double has.
        let total = (value * 3600.0 * per_second as f64).round() as u64;
        let (minutes, units) = (total / (60 * per_second), total % (60 * per_second));
        Self { whole: minutes / 60, minutes: minutes % 60, units, per_second }
    }

    fn is_zero(&self) -> bool {
        self.whole == 0 && self.minutes == 0 && self.units == 0
    }

    fn minutes_and_seconds(&self, decimals: usize) -> String {
        let (seconds, rest) = (self.units / self.per_second, self.units % self.per_second);
        let decimals = decimals.min(MOST_DECIMALS);
        match decimals {
            0 => format!("{:02}:{seconds:02}", self.minutes),
            _ => format!("{:02}:{seconds:02}.{rest:0decimals$}", self.minutes),
        }
    }
}

/// How the parts of an angle are set apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Colons,
    Spaces,
    Letters,
}

fn read(text: &str) -> Option<Sexagesimal> {
    if text.len() > LONGEST {
        return None;
    }
    let plain: String = text.trim().chars().map(to_ascii).collect();
    let (is_negative, rest) = match plain.strip_prefix('-') {
        Some(rest) => (true, rest.trim_start()),
        None => (false, plain.strip_prefix('+').unwrap_or(&plain).trim_start()),
    };
    let (whole, rest) = digits(rest, 3)?;
    let (style, unit, rest) = match rest.trim_start().chars().next()? {
        'h' => (Style::Letters, Some(SexagesimalUnit::Hours), rest.trim_start().get(1..)?),
        'd' => (Style::Letters, Some(SexagesimalUnit::Degrees), rest.trim_start().get(1..)?),
        ':' => (Style::Colons, None, rest.trim_start().get(1..)?),
        _ if rest.starts_with(' ') => (Style::Spaces, None, rest),
        _ => return None,
    };
    let (minutes, rest) = number(rest.trim_start())?;
    // The mark behind the last part may be missing.
    let none_follows = rest.trim_start().is_empty();
    let (is_marked, rest) = match style {
        Style::Letters => match rest.trim_start().strip_prefix(['m', '\'']) {
            Some(rest) => (true, rest),
            None => (none_follows, rest),
        },
        Style::Colons => match rest.trim_start().strip_prefix(':') {
            Some(rest) => (!rest.is_empty(), rest),
            None => (none_follows, rest),
        },
        Style::Spaces => (none_follows || rest.starts_with(' '), rest),
    };
    let rest = rest.trim_start();
    let seconds = match rest.is_empty() {
        true => None,
        false => {
            let (seconds, rest) = number(rest)?;
            let rest = rest.trim_start();
            let rest = if style == Style::Letters { rest.strip_prefix(['s', '"']).unwrap_or(rest) } else { rest };
            if !rest.is_empty() {
                return None;
            }
            Some(seconds)
        }
    };
    // Only the last part has a fraction.
    let minutes_are_whole = minutes.fract() == 0.0 || seconds.is_none();
    let seconds = seconds.unwrap_or_default();
    if !is_marked || !minutes_are_whole || minutes >= 60.0 || seconds >= 60.0 {
        return None;
    }
    let value = f64::from(whole) + (minutes * 60.0 + seconds) / 3600.0;
    Some(Sexagesimal { value: if is_negative { -value } else { value }, unit })
}

/// A whole number of at most so many digits, and what follows.
fn digits(text: &str, most: usize) -> Option<(u16, &str)> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at_checked(length)?;
    Some((number.parse().ok().filter(|_| length <= most)?, rest))
}

/// A number of one or two digits with a fraction or without, and what follows.
fn number(text: &str) -> Option<(f64, &str)> {
    let (_, after) = digits(text, 2)?;
    let length = match after.strip_prefix('.') {
        Some(fraction) => text.len() - after.len() + 1 + fraction.bytes().take_while(u8::is_ascii_digit).count(),
        None => text.len() - after.len(),
    };
    let (number, rest) = text.split_at_checked(length)?;
    Some((number.parse().ok()?, rest))
}

/// Returns the ASCII for Unicode's signs, marks and spaces, and a small letter for a large one.
fn to_ascii(c: char) -> char {
    match c {
        '\u{2212}' | '\u{2010}'..='\u{2015}' | '\u{FE63}' | '\u{FF0D}' => '-',
        '\u{2032}' | '\u{2018}' | '\u{2019}' | '\u{2B9}' => '\'',
        '\u{2033}' | '\u{201C}' | '\u{201D}' | '\u{2BA}' => '"',
        '\u{B0}' | '\u{BA}' | '\u{1D48}' => 'd',
        '\u{2B0}' => 'h',
        '\u{1D50}' => 'm',
        '\u{2E2}' => 's',
        c if c.is_whitespace() => ' ',
        c => c.to_ascii_lowercase(),
    }
}

#[cold]
fn not_sexagesimal(expected: &'static str, text: &str) -> Error {
    let shown: String = text.chars().take(60).collect();
    Error::new(ErrorKind::Invalid, SUBJECT).expected(expected).found(format!("`{}`", shown.escape_debug()))
}

#[cold]
fn out_of_range(expected: &'static str, value: f64) -> Error {
    Error::new(ErrorKind::Invalid, SUBJECT).expected(expected).found(format!("`{value}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn angles_are_read_in_every_style() {
        let ra = |text| Sexagesimal::parse(text).and_then(Sexagesimal::right_ascension).unwrap();
        let dec = |text| Sexagesimal::parse(text).and_then(Sexagesimal::declination).unwrap();
        for text in [
            "12 34 56.7",
            "12h34m56.7s",
            "12:34:56.7",
            "12h 34m 56.7s",
            " 12H34M56.7S",
            "12\u{a0}34\u{2009}56.7",
            "12\u{2b0}34\u{1d50}56.7\u{2e2}",
            "12h34m56.7",
            "12 : 34 : 56.7",
            "+12:34:56.7",
            "188d44m10.5s",
        ] {
            assert_eq!(ra(text), 188.736_25, "{text}");
        }
        assert_eq!((ra("12 34.5"), ra("12h34.5m"), ra("0:0")), (188.625, 188.625, 0.0));
        for text in [
            "-25d 00' 36\"",
            "\u{2212}25\u{b0}00\u{2032}36\u{2033}",
            "-25:00:36",
            "-25 00 36.0",
            "-25d00m36s",
            "\u{2013}25 0 36.",
            "- 25 00 36",
        ] {
            assert!((dec(text) + 25.01).abs() < 1e-12, "{text}");
        }
        assert_eq!((dec("-00 30 00"), dec("-0:30"), dec("+00d30m"), dec("90:00:00")), (-0.5, -0.5, 0.5, 90.0));
        assert!(dec("-00 00 00").is_sign_negative());
        assert_eq!(
            Position::from_sexagesimal(Frame::Galactic, "120 00 00", "-30 00 00").unwrap().stated().longitude,
            120.0
        );
    }

    #[test]
    fn what_is_not_sexagesimal_is_quoted() {
        for text in [
            "",
            "12",
            "12.5",
            "12h",
            "-",
            "12:60:00",
            "12:34:60",
            "12:34:59.9.9",
            "12.5 34 56",
            "12 34.5 56",
            "12:34:nan",
            "12:34:1e1",
            "12:34:56:78",
            "12:34:.5",
            "1234:00:00",
            "12:034:00",
            "12 34 056",
            "12s34m56h",
            "12h34:56",
            "12:34 56m",
            "12:34 56",
            "12 34:56",
            "12:34:",
            "12h34m56:",
            "12m34s",
            "12:-34:56",
            "--12:34:56",
            "12h34s56m",
            "12d34\"56'",
            "12 34 56 (J2000)",
            "é",
            "12,34,56",
            "12h34m56s7",
            "0x12:00:00",
            "12 34 56,7",
            "12::34",
            ":12:34",
            "12h34m56.7s s",
        ] {
            let error = Sexagesimal::parse(text).unwrap_err();
            assert!(
                error.to_string().contains(&format!("`{text}`").replace('"', "\\\"").replace('\'', "\\'")),
                "{error}"
            );
        }
        assert!(Sexagesimal::parse(&" 1".repeat(40)).is_err());
        for text in ["24:00:00", "-00:00:01", "-12:34:56", "360d00m00s"] {
            assert!(Sexagesimal::parse(text).unwrap().right_ascension().is_err(), "{text}");
        }
        for text in ["90:00:00.1", "-91 0 0", "12h00m00s"] {
            assert!(Sexagesimal::parse(text).unwrap().declination().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_written_reads_back_and_never_has_60() {
        assert_eq!(format_hours(188.736_25, 1), "12:34:56.7");
        assert_eq!(format_hours(359.999_999_99, 2), "00:00:00.00");
        assert_eq!(format_hours(-15.0, 0), "23:00:00");
        assert_eq!(format_hours(14.999_999_9, 3), "01:00:00.000");
        assert_eq!(format_degrees(11.999_999_999, 1), "+12:00:00.0");
        assert_eq!(format_degrees(-(1.0 + 59.999_9 / 60.0), 0), "-02:00:00");
        assert_eq!(format_degrees(-1e-9, 2), "+00:00:00.00");
        assert_eq!(format_degrees(-90.0, 20), "-90:00:00.000000000");
        assert_eq!((format_degrees(f64::NAN, 1), format_hours(f64::INFINITY, 1)), ("NaN".to_owned(), "inf".to_owned()));
        for step in 0..1000 {
            let angle = (f64::from(step) * 0.179_3 - 89.0).min(90.0);
            for decimals in 0..=9 {
                let written = format_degrees(angle, decimals);
                let read = Sexagesimal::parse(&written).unwrap().declination().unwrap();
                let step = 0.5 / 3600.0 / 10f64.powi(i32::try_from(decimals).unwrap());
                assert!((read - angle).abs() <= step * 1.001 + 1e-13, "{angle} {written}");
            }
        }
    }
}
