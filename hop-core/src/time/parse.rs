//! Dates and times in ISO 8601, as observatories write them.

use super::{DAY, SECOND, civil, leap};

const MINUTE: i64 = 60 * SECOND;

/// Returns the day since 1970-01-01 and the nanosecond of the day, in UTC if `utc` is set and as stated otherwise.
///
/// An offset (`+01:00`) is applied. `24:00:00` is the next day; second 60 is a leap second where UTC has one, and otherwise
/// belongs to the next minute. Digits beyond nanoseconds are cut.
pub(super) fn parse(text: &str, utc: bool) -> Option<(i32, i64)> {
    let text = text.trim();
    // A time is short; what is longer is not looked through.
    if !text.is_ascii() || text.len() > 64 {
        return None;
    }
    let (date, rest) = date(text)?;
    if rest.is_empty() {
        return Some((date, 0));
    }
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (clock, zone) = match rest.find(['Z', 'z', '+', '-', ' ']) {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let offset = offset(zone.trim_start())?;
    let (hour, minute, nanosecond) = clock_of(clock)?;
    let whole = i64::from(hour) * 60 + i64::from(minute);
    if hour > 24 || minute > 59 || nanosecond >= 61 * SECOND || (hour == 24 && (minute > 0 || nanosecond > 0)) {
        return None;
    }
    let minutes = i64::from(date) * 1_440 + whole - offset;
    let day = i32::try_from(minutes.div_euclid(1_440)).ok()?;
    let start = minutes.rem_euclid(1_440) * MINUTE;
    let leaps = utc && start == DAY - MINUTE && leap::ends_with_leap_second(day);
    let of_day = start + nanosecond;
    Some(if of_day >= DAY && !leaps { (day + 1, of_day - DAY) } else { (day, of_day) })
}

/// `2026-01-31` or `20260131`, and what follows.
fn date(text: &str) -> Option<(i32, &str)> {
    let (year, rest) = digits(text, 4)?;
    let dashed = rest.strip_prefix('-');
    let (month, rest) = digits(dashed.unwrap_or(rest), 2)?;
    let rest = if dashed.is_some() { rest.strip_prefix('-')? } else { rest };
    let (day, rest) = digits(rest, 2)?;
    let date = civil::day_of(i32::try_from(year).ok()?, u8::try_from(month).ok()?, u8::try_from(day).ok()?)?;
    Some((date, rest))
}

/// `04:05:06.25`, `04:05`, `040506`: the hour, the minute, and the second in nanoseconds.
fn clock_of(text: &str) -> Option<(u8, u8, i64)> {
    let (hour, rest) = digits(text, 2)?;
    let colon = rest.starts_with(':');
    let part = |rest: &'_ str| -> Option<(u32, usize)> {
        let skipped = usize::from(colon);
        let rest = if colon { rest.strip_prefix(':')? } else { rest };
        digits(rest, 2).map(|(value, _)| (value, skipped + 2))
    };
    let (minute, used) = part(rest)?;
    let rest = rest.get(used..)?;
    let (second, rest) = match rest {
        "" => (0, ""),
        _ => {
            let (second, used) = part(rest)?;
            (second, rest.get(used..)?)
        }
    };
    let fraction = match rest.strip_prefix(['.', ',']) {
        Some(fraction) => nanoseconds(fraction)?,
        None if rest.is_empty() => 0,
        None => return None,
    };
    Some((u8::try_from(hour).ok()?, u8::try_from(minute).ok()?, i64::from(second) * SECOND + fraction))
}

/// The digits behind the point, cut to nine. A point without digits is a whole second.
fn nanoseconds(fraction: &str) -> Option<i64> {
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(9);
    Some(digits.fold(0, |value, digit| value * 10 + i64::from(digit - b'0')))
}

/// The minutes that an offset is ahead of UTC: `Z`, `+01:00`, `-0530`, `+02`, or a word for UTC.
fn offset(zone: &str) -> Option<i64> {
    if ["", "Z", "UTC", "UT", "GMT"].iter().any(|utc| zone.eq_ignore_ascii_case(utc)) {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let (hours, rest) = digits(zone.strip_prefix(['+', '-'])?, 2)?;
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    let minutes = if rest.is_empty() { 0 } else { digits(rest, 2).filter(|(_, rest)| rest.is_empty())?.0 };
    (hours < 24 && minutes < 60).then(|| sign * (i64::from(hours) * 60 + i64::from(minutes)))
}

/// Exactly `count` digits, and what follows.
fn digits(text: &str, count: usize) -> Option<(u32, &str)> {
    let (number, rest) = text.split_at_checked(count)?;
    let all = number.bytes().all(|byte| byte.is_ascii_digit());
    all.then(|| number.parse().ok()).flatten().map(|number| (number, rest))
}
