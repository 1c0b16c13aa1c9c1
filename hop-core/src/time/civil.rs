//! Dates of the Gregorian calendar as numbers of days, without a library of calendars.

/// Returns the days from 1970-01-01 to this date; `None` for a date that the calendar does not have, or beyond the years 1 to
/// 9999.
pub(super) fn day_of(year: i32, month: u8, day: u8) -> Option<i32> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    if !(1..=9999).contains(&year) || !(1..=longest).contains(&day) {
        return None;
    }
    // Years that begin in March have their leap day at the end.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let of_year = (153 * i32::from(month) + 2) / 5 + i32::from(day) - 1;
    Some(year * 365 + year / 4 - year / 100 + year / 400 + of_year - 719_468)
}

/// Returns the year, the month and the day of the month that lie this many days after 1970-01-01.
pub(super) fn date_of(day: i32) -> (i32, u8, u8) {
    let shifted = i64::from(day) + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    // All of them are small: a day of 32 bits is within six million years.
    ((year_of_era + era * 400 + next) as i32, month as u8, of_month as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_agree_and_follow_each_other() {
        let (first, last) = (day_of(1, 1, 1).unwrap(), day_of(9999, 12, 31).unwrap());
        assert_eq!((first, last, day_of(1970, 1, 1)), (-719_162, 2_932_896, Some(0)));
        for day in (first..=last).step_by(13) {
            let (year, month, of_month) = date_of(day);
            assert_eq!(day_of(year, month, of_month), Some(day));
        }
        for (year, month, day) in [(2023, 2, 29), (1900, 2, 29), (2024, 13, 1), (2024, 0, 1), (2024, 4, 31), (0, 1, 1)]
        {
            assert_eq!(day_of(year, month, day), None);
        }
        assert!(day_of(2000, 2, 29).is_some());
    }
}
