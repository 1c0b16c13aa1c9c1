//! Julian Dates and Modified Julian Dates.

use super::{DAY, SECOND, Time, TimeScale, in_range, leap, not_a_time};
use crate::Error;

/// The Modified Julian Date of 1970-01-01, and the Julian Date of the Modified Julian Date 0.
const MJD_1970: i32 = 40_587;
const MJD_0: f64 = 2_400_000.5;

impl Time {
    /// Returns the time of a Modified Julian Date in `scale`.
    ///
    /// A double has about a microsecond; what comes out is rounded to nanoseconds. A day of UTC that ends with a leap second
    /// is 86,401 seconds long, as in SOFA and astropy.
    ///
    /// # Errors
    /// Kind `Invalid` for NaN, infinities and dates beyond the years 1 to 9999, quoting them; kind `Unsupported` before 1972
    /// in a scale other than UTC.
    pub fn from_mjd(mjd: f64, scale: TimeScale) -> Result<Self, Error> {
        Self::from_days(mjd, 0.0, scale).ok_or_else(|| not_a_time(&format!("MJD {mjd:?}")))?
    }

    /// Returns the time of a Julian Date in `scale`; a double has about 40 microseconds.
    ///
    /// # Errors
    /// As [`from_mjd`](Self::from_mjd).
    pub fn from_jd(jd: f64, scale: TimeScale) -> Result<Self, Error> {
        // Apart, since the difference in one double would cost what the whole number of days leaves of the fraction.
        let whole = jd.floor();
        Self::from_days(whole - 2_400_001.0, (jd - whole) + 0.5, scale)
            .ok_or_else(|| not_a_time(&format!("JD {jd:?}")))?
    }

    /// Returns the Modified Julian Date in UTC.
    pub fn mjd(&self) -> f64 {
        f64::from(self.day + MJD_1970) + self.nanosecond as f64 / length(self.day, TimeScale::Utc) as f64
    }

    /// Returns the Julian Date in UTC.
    pub fn jd(&self) -> f64 {
        self.mjd() + MJD_0
    }

    /// The time at the sum of both, in days of the Modified Julian Date.
    fn from_days(days: f64, more: f64, scale: TimeScale) -> Option<Result<Self, Error>> {
        let carried = (days.fract() + more).floor();
        let whole = days.trunc() + carried;
        let fraction = days.fract() + more - carried;
        if whole.is_nan() || whole.abs() >= 1e7 {
            return None;
        }
        let mut day = whole as i32 - MJD_1970;
        let length = length(day, scale);
        let mut nanosecond = (fraction * length as f64).round() as i64;
        if nanosecond >= length {
            day += 1;
            nanosecond -= length;
        }
        in_range(day).then(|| Self::stated(day, nanosecond, scale))
    }
}

/// The nanoseconds of a day.
fn length(day: i32, scale: TimeScale) -> i64 {
    if scale == TimeScale::Utc && leap::ends_with_leap_second(day) { DAY + SECOND } else { DAY }
}

/// Returns TDB - TT in nanoseconds, for nanoseconds of either since 1970.
///
/// Source: G. Kaplan, [USNO Circular 179](https://arxiv.org/abs/astro-ph/0602086), equation 2.6.
pub(super) fn tdb_minus_tt(since_1970: i128) -> i64 {
    // Julian centuries from J2000.0, 10,957.5 days after 1970.
    let t = (since_1970 as f64 / DAY as f64 - 10_957.5) / 36_525.0;
    let seconds = 0.001_657 * (628.307_6 * t + 6.240_1).sin()
        + 0.000_022 * (575.338_5 * t + 4.297_0).sin()
        + 0.000_014 * (1_256.615_2 * t + 6.196_9).sin()
        + 0.000_005 * (606.977_7 * t + 4.021_2).sin()
        + 0.000_005 * (52.969_1 * t + 0.444_4).sin()
        + 0.000_002 * (21.329_9 * t + 5.543_1).sin()
        + 0.000_010 * t * (628.307_6 * t + 4.249_0).sin();
    (seconds * SECOND as f64).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_and_written() {
        let time = Time::from_mjd(60_000.25, TimeScale::Utc).unwrap();
        assert_eq!(
            (time.to_string().as_str(), time.mjd(), time.jd()),
            ("2023-02-25T06:00:00Z", 60_000.25, 2_460_000.75)
        );
        assert_eq!(Time::from_jd(2_460_000.75, TimeScale::Utc).unwrap(), time);
        assert_eq!(Time::from_jd(2_460_000.25, TimeScale::Utc).unwrap().to_string(), "2023-02-24T18:00:00Z");
        assert_eq!(Time::from_mjd(-0.25, TimeScale::Utc).unwrap().to_string(), "1858-11-16T18:00:00Z");
        // The day of a leap second has 86,401 of them.
        let leap = Time::parse("2016-12-31T23:59:60", TimeScale::Utc).unwrap();
        assert_eq!(leap.mjd(), 57_753.0 + 86_400.0 / 86_401.0);
        let again = Time::from_mjd(leap.mjd(), TimeScale::Utc).unwrap();
        assert!(again.seconds_since(&leap).abs() < 1e-6);
        for days in [f64::NAN, f64::INFINITY, 1e300, -1e300, 3e6] {
            assert!(Time::from_mjd(days, TimeScale::Utc).unwrap_err().to_string().contains(&format!("MJD {days:?}")));
            assert!(Time::from_jd(days * 2.0, TimeScale::Utc).is_err());
        }
    }
}
