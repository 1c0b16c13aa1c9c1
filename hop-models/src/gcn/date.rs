//! The dates that circulars and notices carry, in UTC.

use hop_core::time::Time;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// The time that many milliseconds after 1970 began.
pub(super) fn from_milliseconds(milliseconds: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(milliseconds).ok()
}

/// As GCN writes dates of circulars: `23/08/13 09:01:24 GMT`.
pub(super) fn short(time: Timestamp) -> String {
    let at = TimeZone::UTC.to_datetime(time);
    format!(
        "{:02}/{:02}/{:02} {:02}:{:02}:{:02} GMT",
        at.year().rem_euclid(100),
        at.month(),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

/// The date of a circular: GCN's own, that of a mail, or ISO 8601.
pub(super) fn of_circular(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let mut words = text.split_ascii_whitespace();
    if let (Some(date), Some(time), zone, None) = (words.next(), words.next(), words.next(), words.next())
        && let (Some(date), Some(time)) = (slashed(date), clock(time))
        && zone.is_none_or(|zone| matches!(zone, "GMT" | "UT" | "UTC" | "Z"))
    {
        return in_utc(date.to_datetime(time));
    }
    let mail = jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true);
    mail.parse_timestamp(text).or_else(|_| text.parse()).ok()
}

/// The instant as the time that models have.
pub(super) fn time(instant: Timestamp) -> Option<Time> {
    Time::try_from(instant).ok()
}

pub(super) fn in_utc(at: DateTime) -> Option<Timestamp> {
    TimeZone::UTC.to_timestamp(at).ok()
}

/// A year of two digits: gamma-ray bursts were first seen by GCN's forerunner in the nineties, none before 1970.
pub(super) fn full_year(year: i16) -> i16 {
    match year {
        0..70 => 2000 + year,
        70..100 => 1900 + year,
        year => year,
    }
}

/// `yy/mm/dd` or `yyyy/mm/dd`.
pub(super) fn slashed(text: &str) -> Option<Date> {
    let mut parts = text.trim().splitn(3, '/');
    let mut next = || parts.next()?.parse::<i16>().ok().filter(|number| *number >= 0);
    let (year, month, day) = (next()?, next()?, next()?);
    Date::new(full_year(year), month.try_into().ok()?, day.try_into().ok()?).ok()
}

/// `hh:mm:ss`, with a fraction or without; `hh:mm` too.
pub(super) fn clock(text: &str) -> Option<jiff::civil::Time> {
    let mut parts = text.trim().splitn(3, ':');
    let hour = parts.next()?.parse().ok()?;
    let minute = parts.next()?.parse().ok()?;
    let seconds = parts.next().unwrap_or("0");
    let (second, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nanoseconds = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    jiff::civil::Time::new(hour, minute, second.parse().ok()?, nanoseconds).ok()
}
