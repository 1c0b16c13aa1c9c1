//! What follows the prefix of a name: a day and a letter, a year and letters, or coordinates.
//!
//! A designation is refused where it is a date, a speed or an hour that only looks like one.

use std::borrow::Cow;

use super::cursor::Cursor;

/// `230818A`, `991208`, `230812.78`; with the century (`20221009A`), which is left out; Fermi's nine digits.
pub(super) fn burst(text: &mut Cursor<'_>) -> Option<String> {
    text.gap();
    let digits = text.digits();
    let letter = text.letters();
    if digits.len() == 9 && letter.is_empty() {
        return is_day(&digits[..6]).then(|| digits.to_owned());
    }
    let day = without_century(digits)?;
    if !is_dated(day, letter) {
        return None;
    }
    if letter.is_empty() {
        if let Some(letter) = underscored_letter(text) {
            return Some(format!("{day}{letter}"));
        }
        let fraction = text.fraction().map(|digits| format!(".{digits}")).unwrap_or_default();
        return Some(format!("{day}{fraction}"));
    }
    Some(format!("{day}{}", letter.to_ascii_uppercase()))
}

/// `_B` where a subject has `GRB_230812_B`, as files are named.
fn underscored_letter(text: &mut Cursor<'_>) -> Option<String> {
    let mut after = *text;
    after.one_of(b"_")?;
    let letter = after.letters();
    (letter.len() == 1 && after.ends()).then(|| {
        *text = after;
        letter.to_ascii_uppercase()
    })
}

/// `20220912A`, `121102`, `180916.J0158+65`.
pub(super) fn radio_burst(text: &mut Cursor<'_>) -> Option<String> {
    text.gap();
    let digits = text.digits();
    let day = if digits.len() == 8 { without_century(digits)? } else { digits };
    if day.len() == 6 && is_day(day) {
        let mut after = *text;
        after.gap();
        if matches!(after.peek(), Some(b'J' | b'j'))
            && let Some(place) = coordinates(&mut after)
        {
            *text = after;
            return Some(format!("{digits}.{place}"));
        }
    }
    let letters = text.letters();
    let single = letters.get(..1).unwrap_or_default();
    let letters = if letters.len() == 1 { letters.to_ascii_uppercase() } else { letters.to_ascii_lowercase() };
    (letters.len() <= 2 && is_dated(day, single)).then(|| format!("{digits}{letters}"))
}

/// `170922A`: six digits and a capital.
pub(super) fn lettered_day(text: &mut Cursor<'_>) -> Option<String> {
    text.gap();
    let (digits, letter) = (text.digits(), text.letters());
    let day = without_century(digits)?;
    (letter.len() == 1 && is_dated(day, letter)).then(|| format!("{day}{}", letter.to_ascii_uppercase()))
}

/// `240219a`: six digits and small letters; with the century, which is left out.
pub(super) fn lower_lettered_day(text: &mut Cursor<'_>) -> Option<String> {
    text.gap();
    let (digits, letters) = (text.digits(), text.letters());
    let day = without_century(digits)?;
    (is_day(day) && (1..=2).contains(&letters.len())).then(|| format!("{day}{}", letters.to_ascii_lowercase()))
}

/// `20240219aa`: eight digits and small letters.
pub(super) fn wide_field(text: &mut Cursor<'_>) -> Option<String> {
    text.gap();
    let (digits, letters) = (text.digits(), text.letters());
    (digits.len() == 8 && is_day(without_century(digits)?) && (1..=3).contains(&letters.len()))
        .then(|| format!("{digits}{}", letters.to_ascii_lowercase()))
}

/// `151012`: six digits.
pub(super) fn numbered_day(text: &mut Cursor<'_>) -> Option<String> {
    text.gap();
    let day = text.digits();
    (day.len() == 6 && is_day(day)).then(|| day.to_owned())
}

/// `25021804`: a day and the number of the trigger in it.
pub(super) fn night_number(text: &mut Cursor<'_>) -> Option<String> {
    text.gap();
    let digits = text.digits();
    (digits.len() == 8 && is_day(&digits[..6])).then(|| digits.to_owned())
}

/// `210418CA`: six digits and two capitals.
pub(super) fn baikal(text: &mut Cursor<'_>) -> Option<String> {
    text.gap();
    let (day, letters) = (text.digits(), text.letters());
    (day.len() == 6 && is_day(day) && (1..=2).contains(&letters.len()))
        .then(|| format!("{day}{}", letters.to_ascii_uppercase()))
}

/// `201228.36`: a day and its hundredth.
pub(super) fn baksan(text: &mut Cursor<'_>) -> Option<String> {
    text.gap();
    let day = text.digits();
    let fraction = text.fraction()?;
    (day.len() == 6 && is_day(day)).then(|| format!("{day}.{fraction}"))
}

/// `150914`, `200105_162426`; small letters if any.
pub(super) fn gravitational_wave(text: &mut Cursor<'_>) -> Option<String> {
    text.gap();
    let day = text.digits();
    if day.len() != 6 || !is_day(day) {
        return None;
    }
    let mut after = *text;
    if after.one_of(b"_-").is_some() {
        let time = after.digits();
        if time.len() == 6 && is_clock(time) && after.ends() {
            *text = after;
            return Some(format!("{day}_{time}"));
        }
    }
    let letters = text.letters();
    (letters.len() <= 5).then(|| format!("{day}{}", letters.to_ascii_lowercase()))
}

/// `2019wxt`, as the Transient Name Server numbers what is not yet a supernova.
pub(super) fn astrophysical_transient(text: &mut Cursor<'_>) -> Option<String> {
    let lower = text.before().ends_with(b"t");
    let apart = text.peek() == Some(b' ');
    text.gap();
    let (year, letters) = (text.digits(), text.letters());
    // "at 2030h", "OBSERVATIONS AT 2030UT", "AT 2030Z", "at 2019Jan"; but AT 2016D.
    let measured = match letters.len() {
        1 => lower && is_unit(letters) || matches!(letters, "h" | "H" | "z" | "Z"),
        _ => (is_unit(letters) || is_month(letters)) && (lower || !is_lower(letters)),
    };
    (!(apart && measured) && is_year(year) && is_designation(letters, *text))
        .then(|| format!("{year}{}", yearly(letters)))
}

/// `2011A`, `2011dh`.
pub(super) fn supernova(text: &mut Cursor<'_>) -> Option<String> {
    let apart = text.peek() == Some(b' ');
    text.gap();
    let (year, letters) = (text.digits(), text.letters());
    // "SN 2000 MHz" without its space, "SN 2019Jan"; catalogues write small letters, and units of measure mostly do not.
    let measured = letters.len() > 1 && (is_unit(letters) || is_month(letters)) && !is_lower(letters);
    // "the SN 1990s".
    let decade = letters == "s" && year.ends_with('0');
    (!(apart && (measured || decade)) && is_year(year) && is_designation(letters, *text))
        .then(|| format!("{year}{}", yearly(letters)))
}

/// `23aabmzlp`: a year and the letters of the Zwicky Transient Facility.
pub(super) fn zwicky(text: &mut Cursor<'_>) -> Option<String> {
    let apart = text.gap() > 0;
    let (year, letters) = (text.digits(), text.letters());
    let shortest = if apart { 6 } else { 3 };
    let unit = apart
        && (is_unit(letters) || letters.eq_ignore_ascii_case("minutes") || letters.eq_ignore_ascii_case("seconds"));
    (year.len() == 2 && !unit && (shortest..=9).contains(&letters.len()))
        .then(|| format!("{year}{}", letters.to_ascii_lowercase()))
}

/// `14yb`: a year and letters.
pub(super) fn survey(text: &mut Cursor<'_>) -> Option<String> {
    text.gap();
    let (year, letters) = (text.digits(), text.letters());
    (year.len() == 2 && (2..=7).contains(&letters.len()) && !is_unit(letters))
        .then(|| format!("{year}{}", letters.to_ascii_lowercase()))
}

/// `J1727.8-1613`, `J164710.2-455216`, `B1259-63`: hours and minutes, then degrees.
pub(super) fn coordinates(text: &mut Cursor<'_>) -> Option<String> {
    text.gap();
    let equinox = text.one_of(b"JjBb")?.to_ascii_uppercase();
    let _ = text.one_of(b" _");
    Some(format!("{}{}", char::from(equinox), hours_and_degrees(text)?))
}

/// `1935+2154`, `1806-20`, and the same with `J`.
pub(super) fn old_coordinates(text: &mut Cursor<'_>) -> Option<String> {
    text.gap();
    if matches!(text.peek(), Some(b'J' | b'j' | b'B' | b'b')) {
        return coordinates(text);
    }
    let place = hours_and_degrees(text)?;
    // `2004-12` is a month, `2004-12-27` a day.
    let is_month = |text: &str| {
        text.strip_prefix("20")
            .and_then(|rest| rest.split_once('-'))
            .is_some_and(|(_, month)| month.len() == 2 && (1..=12).contains(&month.parse().unwrap_or(0)))
    };
    (!is_month(&place)).then_some(place)
}

/// `hhmm[ss][.s]±dd[mm][ss]`.
fn hours_and_degrees(text: &mut Cursor<'_>) -> Option<String> {
    let hours = text.digits();
    let hours_fraction = text.fraction();
    // `1806 -20`.
    let _ = text.one_of(b" ");
    let sign = char::from(text.one_of(b"+-")?);
    let mut degrees = text.digits();
    let degrees_fraction = text.fraction();
    // A digit too many is a slip of the hand.
    if degrees.len() == 5 && hours.len() == 4 {
        degrees = &degrees[..4];
    }
    let valid = (4..=6).contains(&hours.len())
        && (2..=6).contains(&degrees.len())
        && hours[..2].parse().is_ok_and(|hour: u8| hour < 24)
        && hours[2..4].parse().is_ok_and(|minute: u8| minute < 60)
        && degrees[..2].parse().is_ok_and(|degrees: u8| degrees <= 90);
    // `2004-12-27`.
    let date = text.peek() == Some(b'-') && {
        let mut after = *text;
        after.one_of(b"-");
        after.peek().is_some_and(|byte| byte.is_ascii_digit())
    };
    let fraction = |digits: Option<&str>| digits.map(|digits| format!(".{digits}")).unwrap_or_default();
    (valid && !date)
        .then(|| format!("{hours}{}{sign}{degrees}{}", fraction(hours_fraction), fraction(degrees_fraction)))
}

/// `yymmdd` of a day that has its century or not.
fn without_century(digits: &str) -> Option<&str> {
    match digits.len() {
        6 => Some(digits),
        8 if digits.starts_with("19") || digits.starts_with("20") => digits.get(2..),
        _ => None,
    }
}

/// Whether six digits and what follows them are a day with a letter or without; a capital vouches for any six digits.
fn is_dated(day: &str, letter: &str) -> bool {
    day.len() == 6
        && match letter.as_bytes() {
            [] => is_day(day),
            [letter] => letter.is_ascii_uppercase() || is_day(day),
            _ => false,
        }
}

/// Whether six digits begin with year, month and day.
pub(super) fn is_day(digits: &str) -> bool {
    let number = |range: std::ops::Range<usize>| digits.get(range).and_then(|two| two.parse::<u8>().ok());
    digits.len() == 6
        && number(2..4).is_some_and(|month| (1..=12).contains(&month))
        && number(4..6).is_some_and(|day| (1..=31).contains(&day))
}

/// Whether six digits are hours, minutes and seconds.
fn is_clock(digits: &str) -> bool {
    let below = |range: std::ops::Range<usize>, limit: u8| {
        digits.get(range).and_then(|two| two.parse::<u8>().ok()).is_some_and(|number| number < limit)
    };
    below(0..2, 24) && below(2..4, 60) && below(4..6, 61)
}

fn is_year(digits: &str) -> bool {
    digits.len() == 4 && (1885..2100).contains(&digits.parse().unwrap_or(0))
}

fn is_lower(letters: &str) -> bool {
    letters.bytes().all(|byte| byte.is_ascii_lowercase())
}

/// Whether letters behind a year are a designation, and not the unit of a speed (`2000km/s`).
fn is_designation(letters: &str, after: Cursor<'_>) -> bool {
    let mut after = after;
    let per_second = after.one_of(b"/").is_some() && after.letters().eq_ignore_ascii_case("s");
    (1..=6).contains(&letters.len()) && !per_second
}

/// One letter as a capital, several small, as the Transient Name Server writes them.
fn yearly(letters: &str) -> Cow<'_, str> {
    if letters.len() == 1 { letters.to_ascii_uppercase().into() } else { letters.to_ascii_lowercase().into() }
}

/// Whether letters are a month, whole or in short.
fn is_month(letters: &str) -> bool {
    const MONTHS: &[&str] = &[
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let short = |month: &str| month.get(..3).is_some_and(|short| letters.eq_ignore_ascii_case(short));
    letters.eq_ignore_ascii_case("sept")
        || MONTHS.iter().any(|month| letters.eq_ignore_ascii_case(month) || short(month))
}

/// Whether letters are a zone of time or a unit of measure.
fn is_unit(letters: &str) -> bool {
    const UNITS: &[&str] = &[
        "h", "hr", "hrs", "hour", "hours", "s", "sec", "secs", "m", "min", "mins", "d", "day", "days", "z", "ut",
        "utc", "gmt", "lt", "lst", "mjd", "am", "pm", "cet", "cest", "est", "edt", "pst", "pdt", "ist", "jst", "bst",
        "msk", "k", "km", "kms", "cm", "mm", "um", "nm", "hz", "khz", "mhz", "ghz", "ev", "kev", "mev", "gev", "tev",
        "pc", "kpc", "mpc", "gpc", "deg", "ang", "mag", "mags", "a", "st", "nd", "rd", "th", "mjy", "ujy", "jy",
    ];
    UNITS.iter().any(|unit| letters.eq_ignore_ascii_case(unit))
}
