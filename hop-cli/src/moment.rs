//! Times as people give them: `2h` ago, a date, a date and time.

use std::time::{Duration, SystemTime};

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, SpanRelativeTo, Timestamp};

/// What [`parse`] reads, for help and errors.
pub(crate) const FORMS: &str = "so long ago such as `2h` or `3d`, a date such as `2026-11-22`, or a time such as \
                                `2026-11-22T03:00:00Z`; UTC unless it has an offset";

/// Reads a time: so long before `now`, a date (its midnight), or a date and time, in UTC unless it has an offset.
pub(crate) fn parse(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let text = text.trim();
    let wrong = || format!("expected {FORMS}; found `{}`", text.escape_debug());
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    // A zone that was not understood must not be cut off.
    if !text.contains(['[', 'Z', 'z', '+']) {
        let civil = text.parse::<DateTime>().or_else(|_| text.parse::<Date>().map(Date::into));
        if let Ok(time) = civil {
            return TimeZone::UTC.to_timestamp(time).map_err(|_| wrong());
        }
    }
    ago(text, now).ok_or_else(wrong)
}

/// Reads a time, as [`parse`] does, from now.
pub(crate) fn from_now(text: &str) -> Result<Timestamp, String> {
    parse(text, Timestamp::now())
}

/// The time so long ago: `2h`, `1h30m`, `3d`, `1w`.
fn ago(text: &str, now: Timestamp) -> Option<Timestamp> {
    if !text.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let span: Span = text.trim_end_matches(" ago").parse().ok()?;
    let past = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    now.checked_sub(past).ok()
}

/// How long after a time what was published before may still be on its way.
const LATE: Duration = Duration::from_secs(1);

/// Waits until a time is over, and what was published before can be there; for ever without one, and for one that is over
/// already, where the end of the topics ends the reading.
pub(crate) async fn passed(time: Option<Timestamp>) {
    let left = time.and_then(|time| SystemTime::from(time).duration_since(SystemTime::now()).ok());
    match left {
        Some(left) => tokio::time::sleep(left.saturating_add(LATE)).await,
        None => std::future::pending().await,
    }
}

/// A length of time for people, in its largest unit: `12 s`, `3 min`, `5 h`, `8 days`.
pub(crate) fn in_words(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_form_that_people_give() {
        let now: Timestamp = "2026-11-27T04:00:00Z".parse().unwrap();
        for (text, time) in [
            ("2h", "2026-11-27T02:00:00Z"),
            ("90min", "2026-11-27T02:30:00Z"),
            ("1h30m", "2026-11-27T02:30:00Z"),
            ("2h ago", "2026-11-27T02:00:00Z"),
            ("3d", "2026-11-24T04:00:00Z"),
            ("1w", "2026-11-20T04:00:00Z"),
            ("2026-11-26", "2026-11-26T00:00:00Z"),
            ("2026-11-26T03:00", "2026-11-26T03:00:00Z"),
            ("2026-11-26 03:00:00.5", "2026-11-26T03:00:00.5Z"),
            ("2026-11-26T03:00:00Z", "2026-11-26T03:00:00Z"),
            ("2026-11-26T03:00:00+01:00", "2026-11-26T02:00:00Z"),
        ] {
            assert_eq!(parse(text, now), Ok(time.parse().unwrap()), "{text}");
        }
        for text in [
            "",
            "5",
            "-2h",
            "2",
            "2mo",
            "1y",
            "h",
            "yesterday",
            "2026-13-01",
            "26-11-2026",
            "2026-11-26T25:00:00Z",
            "99999999w",
        ] {
            assert!(parse(text, now).is_err_and(|error| error.contains("found `")), "{text}");
        }
    }
}
