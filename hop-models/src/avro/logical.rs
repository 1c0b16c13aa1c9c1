//! Logical types: dates, times and decimals, and how Python writes them.
//!
//! Specification: [Logical types](https://avro.apache.org/docs/1.12.0/specification/#logical-types).

use std::fmt;

use bytes::Bytes;

/// What a timestamp counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeUnit {
    /// Thousandths of a second.
    Millis,
    /// Millionths of a second.
    Micros,
    /// Billionths of a second.
    Nanos,
}

impl TimeUnit {
    /// How many make a second.
    pub const fn per_second(self) -> i64 {
        match self {
            Self::Millis => 1_000,
            Self::Micros => 1_000_000,
            Self::Nanos => 1_000_000_000,
        }
    }
}

/// A day of the proleptic Gregorian calendar, shown as `2026-11-22`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// Days since 1970-01-01.
    pub days: i64,
}

impl Date {
    /// The year, the month from 1 and the day of the month from 1.
    pub fn civil(self) -> (i64, u32, u32) {
        // Howard Hinnant's `civil_from_days`, in 128 bits, so that no number of days is too many.
        let shifted = i128::from(self.days) + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = year_of_era + era * 400 + i128::from(month <= 2);
        (year as i64, month as u32, day as u32)
    }

    /// The day of a year, a month from 1 and a day of the month; `None` when there is no such day.
    pub fn from_civil(year: i64, month: u32, day: u32) -> Option<Self> {
        // All that 64 bits of milliseconds count.
        if !(-999_999_999..=999_999_999).contains(&year) {
            return None;
        }
        let shifted = if month <= 2 { year - 1 } else { year };
        let (era, year_of_era) = (shifted.div_euclid(400), shifted.rem_euclid(400));
        let month_shifted = i64::from((month + 9) % 12);
        let day_of_year = (153 * month_shifted + 2) / 5 + i64::from(day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let date = Self { days: era * 146_097 + day_of_era - 719_468 };
        (date.civil() == (year, month, day)).then_some(date)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// A time of day, shown as `12:34:56` or `12:34:56.000789`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time {
    /// Microseconds since midnight, less than a day.
    pub micros: u64,
}

pub(super) const MICROS_PER_DAY: u64 = 86_400_000_000;

impl Time {
    /// The time so many units after midnight; `None` where that is no time of one day.
    pub(super) fn new(count: i64, micros_each: i64) -> Option<Self> {
        let micros = u64::try_from(count.checked_mul(micros_each)?).ok()?;
        (micros < MICROS_PER_DAY).then_some(Self { micros })
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, micros) = (self.micros / 1_000_000, self.micros % 1_000_000);
        write!(f, "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)?;
        if micros > 0 { write!(f, ".{micros:06}") } else { Ok(()) }
    }
}

/// An instant, or a date and time of no time zone.
///
/// Shown as `2026-11-22T12:34:56.000789+00:00`; without the offset when it is local; with nine digits of a second when
/// they are counted and the last three are not zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Timestamp {
    /// Units since 1970-01-01T00:00:00, in UTC unless local.
    pub count: i64,
    /// The unit.
    pub unit: TimeUnit,
    /// Whether the time is of no time zone.
    pub local: bool,
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per_second = self.unit.per_second();
        let (seconds, part) = (self.count.div_euclid(per_second), self.count.rem_euclid(per_second));
        let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let nanos = part * (1_000_000_000 / per_second);
        write!(f, "{}T{:02}:{:02}:{:02}", Date { days }, second / 3600, second / 60 % 60, second % 60)?;
        if nanos % 1000 != 0 {
            write!(f, ".{nanos:09}")?;
        } else if nanos != 0 {
            write!(f, ".{:06}", nanos / 1000)?;
        }
        f.write_str(if self.local { "" } else { "+00:00" })
    }
}

/// A span of calendar months, days and milliseconds, none of which converts into another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Duration {
    /// Months.
    pub months: u32,
    /// Days.
    pub days: u32,
    /// Milliseconds.
    pub millis: u32,
}

impl Duration {
    pub(super) fn from_bytes(bytes: [u8; 12]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, l] = bytes;
        Self {
            months: u32::from_le_bytes([a, b, c, d]),
            days: u32::from_le_bytes([e, f, g, h]),
            millis: u32::from_le_bytes([i, j, k, l]),
        }
    }

    /// The twelve bytes that it is on the wire.
    pub fn to_bytes(self) -> [u8; 12] {
        let mut out = [0; 12];
        for (to, part) in out.chunks_exact_mut(4).zip([self.months, self.days, self.millis]) {
            to.copy_from_slice(&part.to_le_bytes());
        }
        out
    }
}

/// A decimal number: an integer of any size, divided by a power of ten.
///
/// Shown as Python's `decimal` shows it: `12.50`, `-0.001`, `1E-7`. Digits beyond the precision are rounded, half to even.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Decimal {
    /// The integer, in two's complement, the most significant byte first.
    pub unscaled: Bytes,
    /// How many digits the schema allows.
    pub precision: u32,
    /// How many of the integer's digits stand after the point.
    pub scale: u32,
}

/// The longest integer that a decimal may be: over two thousand digits. Beyond, writing it in decimal would cost more
/// than reading the message.
pub(super) const LONGEST_DECIMAL: usize = 1024;

impl Decimal {
    /// The integer, where it has at most 128 bits.
    pub fn to_i128(&self) -> Option<i128> {
        let negative = self.unscaled.first().is_some_and(|byte| *byte >= 0x80);
        let fill = if negative { 0xFF } else { 0 };
        let skipped = self.unscaled.len().saturating_sub(16);
        let (head, tail) = self.unscaled.split_at(skipped);
        let sign_kept = tail.first().is_none_or(|byte| (*byte >= 0x80) == negative);
        if !head.iter().all(|byte| *byte == fill) || !sign_kept {
            return None;
        }
        let mut bytes = [fill; 16];
        bytes[16 - tail.len()..].copy_from_slice(tail);
        Some(i128::from_be_bytes(bytes))
    }

    /// The nearest double.
    pub fn to_f64(&self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    /// Whether it is negative, and its digits without leading zeros.
    fn digits(&self) -> (bool, String) {
        if let Some(value) = self.to_i128() {
            return (value < 0, value.unsigned_abs().to_string());
        }
        let negative = self.unscaled.first().is_some_and(|byte| *byte >= 0x80);
        let mut carry = true;
        // The magnitude in limbs of 32 bits, the least significant first.
        let mut limbs: Vec<u32> = Vec::with_capacity(self.unscaled.len() / 4 + 1);
        for chunk in self.unscaled.rchunks(4) {
            let fill = if negative { u32::MAX } else { 0 };
            let limb = chunk.iter().fold(fill, |limb, byte| (limb << 8) | u32::from(*byte));
            let (limb, over) = if negative { (!limb).overflowing_add(u32::from(carry)) } else { (limb, false) };
            carry = over;
            limbs.push(limb);
        }
        if carry && negative {
            limbs.push(1);
        }
        // Nine digits at a time, from the last.
        let mut groups: Vec<u32> = Vec::new();
        while limbs.iter().any(|limb| *limb != 0) {
            let mut rest = 0_u64;
            for limb in limbs.iter_mut().rev() {
                let part = (rest << 32) | u64::from(*limb);
                *limb = (part / 1_000_000_000) as u32;
                rest = part % 1_000_000_000;
            }
            while limbs.last() == Some(&0) {
                limbs.pop();
            }
            groups.push(rest as u32);
        }
        let mut digits = groups.pop().map_or_else(|| "0".to_owned(), |group| group.to_string());
        for group in groups.iter().rev() {
            digits.push_str(&format!("{group:09}"));
        }
        (negative, digits)
    }
}

/// Cuts digits to a precision, half to even; how many were dropped.
fn round(digits: &mut String, precision: usize) -> usize {
    let dropped = digits.len().saturating_sub(precision);
    if dropped == 0 {
        return 0;
    }
    let tail = digits.split_off(precision);
    let odd = digits.bytes().last().is_some_and(|digit| digit % 2 == 1);
    let (first, others) = tail.split_at(1);
    let up = match first.cmp("5") {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => odd || others.bytes().any(|digit| digit != b'0'),
    };
    if !up {
        return dropped;
    }
    let nines = digits.bytes().rev().take_while(|digit| *digit == b'9').count();
    let kept = digits.len() - nines;
    digits.truncate(kept);
    match digits.pop() {
        Some(digit) => digits.push(char::from(digit as u8 + 1)),
        // 99 becomes 10, and one digit more is dropped.
        None => {
            digits.push('1');
            digits.extend(std::iter::repeat_n('0', nines - 1));
            return dropped + 1;
        }
    }
    digits.extend(std::iter::repeat_n('0', nines));
    dropped
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (negative, mut digits) = self.digits();
        let dropped = round(&mut digits, self.precision as usize);
        let exponent = dropped as i64 - i64::from(self.scale);
        let left = exponent + digits.len() as i64;
        // As `Decimal.__str__`: plain unless there are many zeros before the digits, or any after.
        let point = if exponent <= 0 && left > -6 { left } else { 1 };
        f.write_str(if negative { "-" } else { "" })?;
        match usize::try_from(point) {
            Ok(at) if at > 0 => {
                let (whole, part) = digits.split_at(at.min(digits.len()));
                f.write_str(whole)?;
                if !part.is_empty() {
                    write!(f, ".{part}")?;
                }
            }
            _ => write!(f, "0.{}{digits}", "0".repeat(point.unsigned_abs() as usize))?,
        }
        if left == point { Ok(()) } else { write!(f, "E{:+}", left - point) }
    }
}

/// The UUID that text is, hyphens and wrapping set aside, as Python reads it.
pub(super) fn uuid(text: &str) -> Option<uuid::Uuid> {
    // Nearly all have the one form.
    if let Ok(uuid) = uuid::Uuid::try_parse(text) {
        return Some(uuid);
    }
    let bare = text.replace("urn:", "").replace("uuid:", "");
    let digits = bare.trim_matches(['{', '}']).replace('-', "");
    if digits.len() != 32 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    u128::from_str_radix(&digits, 16).ok().map(uuid::Uuid::from_u128)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(value: i128, precision: u32, scale: u32) -> String {
        let unscaled = Bytes::copy_from_slice(&value.to_be_bytes());
        Decimal { unscaled, precision, scale }.to_string()
    }

    #[test]
    fn decimals_are_laid_out_as_python_lays_them_out() {
        for (value, precision, scale, expected) in [
            (0, 4, 2, "0.00"),
            (12345, 9, 2, "123.45"),
            (-5, 9, 3, "-0.005"),
            (1, 10, 10, "1E-10"),
            (1, 10, 6, "0.000001"),
            (1, 10, 7, "1E-7"),
            (42, 9, 0, "42"),
            // Digits beyond the precision: half to even.
            (12345, 4, 2, "123.4"),
            (12355, 4, 2, "123.6"),
            (99995, 4, 2, "1000"),
            (99999, 4, 0, "1.000E+5"),
        ] {
            assert_eq!(decimal(value, precision, scale), expected, "{value} {precision} {scale}");
        }
        let large = Decimal { unscaled: Bytes::from([&[1][..], &[0; 16]].concat()), precision: 60, scale: 1 };
        assert_eq!(large.to_string(), "34028236692093846346337460743176821145.6");
        assert_eq!(large.to_i128(), None);
        let negative = Decimal { unscaled: Bytes::from([&[0xFE][..], &[0; 16]].concat()), precision: 60, scale: 0 };
        assert_eq!(negative.to_string(), "-680564733841876926926749214863536422912");
    }

    #[test]
    fn no_count_is_too_large_for_a_date() {
        assert_eq!(Date { days: 0 }.to_string(), "1970-01-01");
        assert_eq!(Date { days: -719_162 }.to_string(), "0001-01-01");
        for count in [i64::MIN, i64::MAX] {
            assert!(!Date { days: count }.to_string().is_empty());
            for unit in [TimeUnit::Millis, TimeUnit::Micros, TimeUnit::Nanos] {
                assert!(!Timestamp { count, unit, local: false }.to_string().is_empty());
            }
        }
        for days in (-800_000..800_000).step_by(97) {
            let (year, month, day) = Date { days }.civil();
            assert_eq!(Date::from_civil(year, month, day), Some(Date { days }));
        }
        assert_eq!(Date::from_civil(2026, 2, 29), None);
        assert_eq!(Date::from_civil(2026, 13, 1), None);
        assert_eq!(Date::from_civil(2026, 0, 1), None);
        let before = Timestamp { count: -1, unit: TimeUnit::Millis, local: true };
        assert_eq!(before.to_string(), "1969-12-31T23:59:59.999000");
    }
}
