//! Leap seconds: how far TAI is ahead of UTC, and which days have 86,401 seconds.

/// The day (counted from 1970-01-01) on which a difference TAI - UTC begins, and the difference in seconds.
///
/// Source: IERS Bulletin C; <https://hpiers.obspm.fr/iers/bul/bulc/Leap_Second.dat>, announced up to the end of 2026.
const STEPS: [(i32, i64); 28] = [
    (730, 10),
    (912, 11),
    (1_096, 12),
    (1_461, 13),
    (1_826, 14),
    (2_191, 15),
    (2_557, 16),
    (2_922, 17),
    (3_287, 18),
    (3_652, 19),
    (4_199, 20),
    (4_564, 21),
    (4_929, 22),
    (5_660, 23),
    (6_574, 24),
    (7_305, 25),
    (7_670, 26),
    (8_217, 27),
    (8_582, 28),
    (8_947, 29),
    (9_496, 30),
    (10_043, 31),
    (10_592, 32),
    (13_149, 33),
    (14_245, 34),
    (15_522, 35),
    (16_617, 36),
    (17_167, 37),
];

/// Returns TAI - UTC in seconds on this day of UTC; `None` before 1972, when UTC did not differ by whole seconds.
pub(super) fn tai_minus_utc(day: i32) -> Option<i64> {
    STEPS.iter().rev().find(|(from, _)| day >= *from).map(|(_, ahead)| *ahead)
}

/// Returns true if this day of UTC ends with a leap second.
pub(super) fn ends_with_leap_second(day: i32) -> bool {
    STEPS.iter().skip(1).any(|(from, _)| day.checked_add(1) == Some(*from))
}

/// Returns the day of UTC and the nanosecond of that day for nanoseconds of TAI since 1970-01-01T00:00:00 TAI; `None` before
/// 1972.
pub(super) fn utc_from_tai(tai: i128) -> Option<(i32, i64)> {
    let at = STEPS.iter().rposition(|(from, ahead)| tai >= (i128::from(*from) * 86_400 + i128::from(*ahead)) * NANO)?;
    let utc = tai - i128::from(STEPS[at].1) * NANO;
    let day = i32::try_from(utc.div_euclid(DAY)).ok()?;
    let nanosecond = i64::try_from(utc.rem_euclid(DAY)).ok()?;
    // The label that this difference gives to a leap second is that of the next day's first second.
    match STEPS.get(at + 1) {
        Some((next, _)) if day >= *next => Some((*next - 1, nanosecond + super::DAY)),
        _ => Some((day, nanosecond)),
    }
}

const NANO: i128 = 1_000_000_000;
const DAY: i128 = super::DAY as i128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_leap_second_lies_between_two_days() {
        assert!(ends_with_leap_second(17_166));
        assert!(!ends_with_leap_second(17_167));
        // The step of 1972 set UTC up; it was not a leap second.
        assert!(!ends_with_leap_second(729));
        let at = (17_167 * 86_400 + 36) * NANO;
        assert_eq!(utc_from_tai(at - 1), Some((17_166, 86_400_000_000_000 - 1)));
        assert_eq!(utc_from_tai(at), Some((17_166, 86_400_000_000_000)));
        assert_eq!(utc_from_tai(at + NANO), Some((17_167, 0)));
        assert_eq!(utc_from_tai(0), None);
    }
}
