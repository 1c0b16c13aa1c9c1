//! Dates, times and decimals from the texts that show them.

use super::logical::Date;

fn number(text: &str) -> Option<u32> {
    (!text.is_empty() && text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())?
}

/// `2026-11-22`.
pub(super) fn date(text: &str) -> Option<Date> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    Date::from_civil(sign * i64::from(number(year)?), number(month)?, number(day)?)
}

/// `12:34`, `12:34:56` or `12:34:56.789`, in nanoseconds.
pub(super) fn time(text: &str) -> Option<i128> {
    let (clock, part) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = clock.split(':');
    let (hour, minute) = (number(parts.next()?)?, number(parts.next()?)?);
    let second = parts.next().map_or(Some(0), number)?;
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let part = if part.is_empty() { 0 } else { number(part)? * 10_u32.pow(9 - part.len() as u32) };
    Some(i128::from(hour * 3600 + minute * 60 + second) * 1_000_000_000 + i128::from(part))
}

/// `2026-11-22T12:34:56.789+00:00`, in nanoseconds since 1970. Without an offset it is taken as it stands; a local
/// time has none.
pub(super) fn datetime(text: &str, local: bool) -> Option<i128> {
    let (day, clock) = text.split_once(['T', ' '])?;
    let (clock, offset) = match clock.find(['+', '-', 'Z']) {
        Some(at) => clock.split_at(at),
        None => (clock, ""),
    };
    let offset = match (offset.split_at_checked(1), local) {
        (None, _) | (Some(("Z", "")), false) => 0,
        (Some((sign @ ("+" | "-"), offset)), false) => time(offset)? * if sign == "+" { 1 } else { -1 },
        _ => return None,
    };
    Some(i128::from(date(day)?.days) * 86_400_000_000_000 + time(clock)? - offset)
}

/// The integer that a decimal is at a scale, in two's complement: as short as can be, or of the size asked for. Up to
/// 38 digits.
pub(super) fn decimal(text: &str, precision: u32, scale: u32, size: Option<usize>) -> Option<Vec<u8>> {
    let (digits, exponent) = match text.split_once(['E', 'e']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (negative, digits) = match digits.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, digits.strip_prefix('+').unwrap_or(digits)),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{part}");
    if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut value: i128 = all.parse().ok()?;
    let mut shift = i64::from(scale) + i64::from(exponent) - part.len() as i64;
    while shift < 0 && value % 10 == 0 && value != 0 {
        value /= 10;
        shift += 1;
    }
    if value != 0 {
        let shift = u32::try_from(shift).ok()?;
        value = value.checked_mul(10_i128.checked_pow(shift)?)?;
    }
    if value.to_string().len() > precision as usize {
        return None;
    }
    let value = if negative { -value } else { value };
    let bytes = value.to_be_bytes();
    let fill = if value < 0 { 0xFF } else { 0 };
    let mut least = 16;
    while least > 1 && bytes[16 - least] == fill && (bytes[17 - least] >= 0x80) == (value < 0) {
        least -= 1;
    }
    match size {
        None => Some(bytes[16 - least..].to_vec()),
        Some(size) if size >= least => {
            let mut out = vec![fill; size.saturating_sub(16)];
            out.extend_from_slice(&bytes[16 - size.min(16)..]);
            Some(out)
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::logical::{TimeUnit, Timestamp};
    use super::*;

    #[test]
    fn texts_are_read_or_refused() {
        assert_eq!(time("00:00:01.5"), Some(1_500_000_000));
        assert_eq!(datetime("1970-01-01T01:00:00+01:00", false), Some(0));
        assert_eq!(datetime("1970-01-01 00:00Z", false), Some(0));
        assert_eq!(datetime("1970-01-02T00:00:00", true), Some(86_400_000_000_000));
        assert_eq!(datetime("1970-01-02T00:00:00Z", true), None);
        for count in [i64::MIN, i64::MAX] {
            let far = Timestamp { count, unit: TimeUnit::Millis, local: false };
            assert_eq!(datetime(&far.to_string(), false), Some(i128::from(count) * 1_000_000), "{far}");
        }
        for text in ["", "24:00", "1:2:3:4", "00:60", "12:00:00.", "é:00", "12:00:00.1234567890"] {
            assert!(time(text).is_none() || text.ends_with('.'), "{text}");
        }
        for text in ["", "2026-11", "2026-11-22-1", "2026-11-31", "--1-1", "x-1-1"] {
            assert_eq!(date(text), None, "{text}");
        }
    }

    #[test]
    fn decimals_become_the_shortest_integers() {
        for (text, scale, expected) in [
            ("0", 2, &[0][..]),
            ("1.27", 2, &[127]),
            ("1.28", 2, &[0, 128]),
            ("-1.28", 2, &[0x80]),
            ("-1.29", 2, &[0xFF, 0x7F]),
            ("1E+1", 0, &[10]),
            ("0.500", 1, &[5]),
        ] {
            assert_eq!(decimal(text, 9, scale, None).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(decimal("-1", 9, 0, Some(3)).as_deref(), Some(&[0xFF; 3][..]));
        assert_eq!(decimal("128", 9, 0, Some(1)), None);
        assert_eq!(decimal("1", 40, 0, Some(20)).map(|bytes| bytes.len()), Some(20));
        for text in ["", "-", "1.2.3", "NaN", "0.001", "1234567890", "1e99999999999"] {
            assert_eq!(decimal(text, 9, 2, None), None, "{text}");
        }
    }
}
