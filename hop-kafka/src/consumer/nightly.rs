//! Topics that a broker makes anew each night, such as `lc_classifier_{date}`.

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use hop_core::TopicPattern;
use hop_core::time::Time;

use crate::url::DATE;

/// Tells the time.
type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// The topics of a reader, by name or by date.
#[derive(Clone)]
pub(super) struct Topics {
    /// As the URL has them.
    written: Vec<String>,
    /// How many dates the window has, the present one included.
    nights: u16,
    clock: Clock,
}

impl fmt::Debug for Topics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Topics").field("written", &self.written).field("nights", &self.nights).finish_non_exhaustive()
    }
}

impl Topics {
    pub(super) fn new(written: Vec<String>, nights: u16) -> Self {
        Self::by_clock(written, nights, Arc::new(SystemTime::now))
    }

    pub(super) fn by_clock(written: Vec<String>, nights: u16, clock: Clock) -> Self {
        Self { written, nights: nights.max(1), clock }
    }

    /// Returns true if a topic of this name is read, this night or another.
    pub(super) fn may_be(written: &[String], topic: &str) -> bool {
        let is_of_a_night = |pattern: TopicPattern| pattern.matches(topic);
        written.iter().any(|written| written == topic || written.parse().is_ok_and(is_of_a_night))
    }

    /// Returns true if any of the topics is made anew each night.
    pub(super) fn are_nightly(&self) -> bool {
        self.written.iter().any(|topic| topic.contains(DATE))
    }

    /// Returns the topics that are not made anew.
    pub(super) fn fixed(&self) -> impl Iterator<Item = &String> {
        self.written.iter().filter(|topic| !topic.contains(DATE))
    }

    /// Returns the names of the nightly topics within the window as it is now, the oldest first. Not all of them need exist.
    pub(super) fn of_these_nights(&self) -> Vec<String> {
        let today = (self.clock)().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() / DAY);
        let dates: Vec<String> = (0..u64::from(self.nights)).rev().map(|ago| date(today.saturating_sub(ago))).collect();
        let nightly = self.written.iter().filter(|topic| topic.contains(DATE));
        nightly.flat_map(|topic| dates.iter().map(move |date| topic.replace(DATE, date))).collect()
    }
}

/// The seconds of a day.
const DAY: u64 = 86_400;

/// Writes the date of a day since 1970-01-01 as `20261127`.
fn date(day: u64) -> String {
    let seconds = i64::try_from(day.saturating_mul(DAY)).unwrap_or(i64::MAX);
    match Time::from_unix(seconds, 0) {
        Ok(time) => {
            let (year, month, day) = time.date();
            format!("{year:04}{month:02}{day:02}")
        }
        // No clock that is set shows a year beyond 9999.
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn topics_of_any_night_are_known_by_their_names() {
        let written = ["fixed".to_owned(), "a_{date}_b".to_owned()];
        let is_read = |topic: &str| Topics::may_be(&written, topic);
        assert!(is_read("fixed") && is_read("a_20261127_b") && is_read("a_19990101_b"));
        for other in ["fixed2", "a_{date}", "a_2026112_b", "a_20261127", "a__b", "a_2026112x_b"] {
            assert!(!is_read(other), "{other}");
        }
    }

    #[test]
    fn the_window_ends_with_the_present_date_in_utc() {
        let at = |seconds: u64, nights: u16| {
            let written = vec!["fixed".to_owned(), "a_{date}".to_owned(), "z_{date}_programid1".to_owned()];
            let clock = Arc::new(move || UNIX_EPOCH + Duration::from_secs(seconds));
            Topics::by_clock(written, nights, clock).of_these_nights()
        };
        // 2026-02-28T23:59:59Z, and a second later.
        assert_eq!(at(1_772_323_199, 1), ["a_20260228", "z_20260228_programid1"]);
        assert_eq!(
            at(1_772_323_200, 2),
            ["a_20260228", "a_20260301", "z_20260228_programid1", "z_20260301_programid1"]
        );
        assert_eq!(at(0, 3), ["a_19700101"; 3].into_iter().chain(["z_19700101_programid1"; 3]).collect::<Vec<_>>());
        assert_eq!(at(0, 0).len(), 2);
    }
}
