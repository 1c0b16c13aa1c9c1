//! What the keys of a notice mean: numbers with their units, times in UTC.
//!
//! Keys differ from mission to mission (`GRB_RA`, `SRC_RA`, `EVENT_RA`), so they are found by how they end.
//!
//! Source: the examples on <https://gcn.gsfc.nasa.gov/tech_describe.html> and the pages of each mission.

use std::borrow::Cow;

use hop_core::sky::{Frame, Position};
use hop_core::time::Time;
use jiff::SignedDuration;
use jiff::civil::Date;

use super::TextNotice;
use crate::gcn::date;

/// What dates begin with that say when the notice or a slew was, and not when the event was.
const NOT_OF_EVENT: [&str; 2] = ["NOTICE", "SLEW"];

impl TextNotice {
    /// What the notice is called, from `TITLE`: `GCN/FERMI NOTICE`. Of pager notices, their first line.
    pub fn title(&self) -> Option<Cow<'_, str>> {
        let first = || self.preamble().lines().next().map(|line| Cow::Borrowed(line.trim()));
        self.get("title").or_else(first).filter(|title| !title.is_empty())
    }

    /// What kind of notice it is, from `NOTICE_TYPE`: `Fermi-GBM Alert`.
    pub fn notice_type(&self) -> Option<Cow<'_, str>> {
        self.get("notice_type")
    }

    /// When the notice was sent, from `NOTICE_DATE` (`Mon 17 Nov 25 12:19:53 UT`), in UTC.
    pub fn notice_date(&self) -> Option<Time> {
        let text = self.get("notice_date")?;
        let mut words =
            text.split_ascii_whitespace().skip_while(|word| word.bytes().all(|byte| byte.is_ascii_alphabetic()));
        let day: i8 = words.next()?.parse().ok()?;
        let month = month(words.next()?)?;
        let year: i16 = words.next()?.parse().ok()?;
        let time = date::clock(words.next()?)?;
        if !words.next().is_none_or(is_utc) || year < 0 {
            return None;
        }
        date::time(date::in_utc(Date::new(date::full_year(year), month, day).ok()?.to_datetime(time))?)
    }

    /// When the event was, in UTC: from the first pair such as `GRB_DATE` and `GRB_TIME`, `TRIGGER_DATE` and `TRIGGER_TIME`.
    ///
    /// Dates are `20996 TJD; 321 DOY; 25/11/17`, where the calendar counts, or else the days (TJD 0 is 24 May 1968); times are
    /// `44392.14 SOD {12:19:52.14} UT`, where what stands in braces counts, or else the seconds of the day.
    pub fn event_time(&self) -> Option<Time> {
        let mut dates =
            self.ending("_DATE").filter(|(prefix, _)| !NOT_OF_EVENT.iter().any(|not| prefix.eq_ignore_ascii_case(not)));
        dates.find_map(|(prefix, value)| {
            let day = day(&value)?;
            match time(&self.beside(prefix, "_TIME")?)? {
                TimeOfDay::Clock(time) => date::time(date::in_utc(day.to_datetime(time))?),
                TimeOfDay::Seconds(seconds) => {
                    date::time(date::in_utc(day.to_datetime(jiff::civil::Time::midnight()))?.checked_add(seconds).ok()?)
                }
            }
        })
    }

    /// Where the event was, with the radius of its error circle: from the first pair such as `GRB_RA` and `GRB_DEC`.
    ///
    /// The coordinates for J2000 count, or else those for 1950. `None` where neither is stated; no frame is assumed.
    pub fn position(&self) -> Option<Position> {
        let position = self.stated_in(Frame::J2000).or_else(|| self.stated_in(Frame::B1950))?;
        match self.position_error() {
            Some(radius) => position.with_circle(radius, None).ok(),
            None => Some(position),
        }
    }

    /// The coordinates that are stated for this frame.
    fn stated_in(&self, frame: Frame) -> Option<Position> {
        self.ending("_RA").find_map(|(prefix, ra)| {
            let ra = degrees(&ra, frame).filter(|ra| *ra >= 0.0)?;
            Position::new(frame, ra, degrees(&self.beside(prefix, "_DEC")?, frame)?).ok()
        })
    }

    /// The radius within which the event was, in degrees, from a key such as `GRB_ERROR` that stands beside the position.
    ///
    /// The notice states degrees, minutes or seconds of arc, and in words what the radius covers (`statistical only`, `90%
    /// containment`): see [`get`](Self::get). `None` where no unit is stated.
    pub fn position_error(&self) -> Option<f64> {
        self.ending("_RA").find_map(|(prefix, _)| {
            let text = self.beside(prefix, "_ERROR").or_else(|| self.beside(prefix, "_ERROR90"))?;
            let (number, unit) = text.split_once('[')?;
            let number: f64 = number.trim().parse().ok()?;
            let unit = unit.split([' ', ']', ',', '-']).next()?;
            let per_degree = match unit {
                "deg" | "degree" | "degrees" => 1.0,
                "arcmin" => 60.0,
                "arcsec" => 3600.0,
                _ => return None,
            };
            Some(number / per_degree).filter(|error| error.is_finite() && *error >= 0.0)
        })
    }

    /// The trigger's number or name, from `TRIGGER_NUM`: `728094` of `728094, Seg_Num: 0`, `S200316bj`.
    pub fn trigger_number(&self) -> Option<Cow<'_, str>> {
        let before = |text: &str| text.split([',', '\n']).next().unwrap_or_default().trim_end().len();
        let number = match self.get("trigger_num")? {
            Cow::Borrowed(text) => Cow::Borrowed(&text[..before(text)]),
            Cow::Owned(mut text) => {
                text.truncate(before(&text));
                Cow::Owned(text)
            }
        };
        Some(number).filter(|number| !number.is_empty())
    }

    /// What stands before `suffix` in keys that end so, and their values; the first few, so that no notice costs the square of
    /// its keys.
    fn ending<'a>(&'a self, suffix: &'static str) -> impl Iterator<Item = (&'a str, Cow<'a, str>)> {
        const MOST: usize = 16;
        let keys = self.entries().filter_map(move |entry| Some((strip_suffix(entry.key(), suffix)?, entry)));
        keys.take(MOST).map(|(prefix, entry)| (prefix, entry.value()))
    }

    /// The value of the key that is `prefix` and `suffix`.
    fn beside(&self, prefix: &str, suffix: &str) -> Option<Cow<'_, str>> {
        let matches = |key: &str| strip_suffix(key, suffix).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
        self.entries().find(|entry| matches(entry.key())).map(|entry| entry.value())
    }
}

fn strip_suffix<'a>(key: &'a str, suffix: &str) -> Option<&'a str> {
    let (start, end) = key.split_at_checked(key.len().checked_sub(suffix.len())?)?;
    end.eq_ignore_ascii_case(suffix).then_some(start)
}

fn is_utc(zone: &str) -> bool {
    matches!(zone, "UT" | "UTC" | "GMT")
}

fn month(name: &str) -> Option<i8> {
    const NAMES: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let at = NAMES.iter().position(|month| name.get(..3).is_some_and(|name| name.eq_ignore_ascii_case(month)))?;
    i8::try_from(at + 1).ok()
}

/// `20996 TJD;   321 DOY;   25/11/17`.
fn day(text: &str) -> Option<Date> {
    let mut parts = text.split(';').map(str::trim);
    let calendar = parts.clone().find_map(|part| date::slashed(part.split_ascii_whitespace().next()?));
    let truncated = || {
        let days: i32 = parts.find_map(|part| part.strip_suffix("TJD"))?.trim().parse().ok()?;
        Date::constant(1968, 5, 24).checked_add(jiff::Span::new().try_days(days).ok()?).ok()
    };
    calendar.or_else(truncated)
}

enum TimeOfDay {
    Clock(jiff::civil::Time),
    Seconds(SignedDuration),
}

/// `44392.14 SOD {12:19:52.14} UT`, or `03:25:45.00 UT`.
fn time(text: &str) -> Option<TimeOfDay> {
    let braced = text.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map(|(inner, _)| inner);
    let first = || text.split_ascii_whitespace().next();
    if let Some(time) = braced.or_else(first).and_then(date::clock) {
        return Some(TimeOfDay::Clock(time));
    }
    let seconds: f64 = text.split_once("SOD")?.0.trim().parse().ok()?;
    SignedDuration::try_from_secs_f64(seconds).ok().map(TimeOfDay::Seconds)
}

/// The number of `123.45d {+08h 13m 48s} (J2000), 123.79d {…} (current), …` that is for this frame.
fn degrees(text: &str, frame: Frame) -> Option<f64> {
    let marks = if frame == Frame::B1950 { ["(1950)", "(B1950)"] } else { ["(J2000)", "(2000)"] };
    let piece = text.split(',').find(|piece| marks.iter().any(|mark| piece.contains(mark)))?;
    let number = piece.trim_start().split(['d', ' ', '{']).next()?;
    number.parse().ok()
}
