//! What the texts of attributes and elements may be: the types of [XML Schema, part 2](https://www.w3.org/TR/xmlschema-2/).

use crate::voevent::xml::is_name;

/// A type of text.
#[derive(Clone, Copy)]
pub(super) enum Type {
    /// Any.
    Text,
    /// `xs:float`.
    Float,
    /// `xs:float` from 0 to 1.
    Probability,
    /// `xs:dateTime`.
    DateTime,
    /// `xs:anyURI`.
    Uri,
    /// `xs:ID`.
    Id,
    /// This one, white space aside.
    Fixed(&'static str),
    /// One of these, to the letter.
    OneOf(&'static [&'static str]),
}

impl Type {
    /// Says what was expected where a text is not of this type.
    pub(super) fn check(self, text: &str) -> Result<(), String> {
        let (valid, expected) = match self {
            Self::Text => return Ok(()),
            Self::Float => (is_float(collapsed(text)), "a number"),
            Self::Probability => (is_probability(collapsed(text)), "a number from 0 to 1"),
            Self::DateTime => (is_date_time(collapsed(text)), "a date and time such as `2026-01-31T04:05:06Z`"),
            Self::Uri => (is_uri(collapsed(text)), "a URI"),
            Self::Id => (is_name(collapsed(text)) && !text.contains(':'), "an XML name without a colon"),
            Self::Fixed(fixed) if collapsed(text) == fixed => return Ok(()),
            Self::Fixed(fixed) => return Err(format!("`{fixed}`")),
            Self::OneOf(words) if words.contains(&text) => return Ok(()),
            Self::OneOf(words) => return Err(super::list(words.iter().copied(), "or")),
        };
        if valid { Ok(()) } else { Err(expected.to_owned()) }
    }
}

/// A text without the white space around it. Within these types there is none.
fn collapsed(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\n', '\r'])
}

/// Whether a text is a decimal number, with an exponent or without, `INF`, `-INF` or `NaN`.
fn is_float(text: &str) -> bool {
    if matches!(text, "INF" | "-INF" | "NaN") {
        return true;
    }
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = unsigned(mantissa).split_once('.').unwrap_or((unsigned(mantissa), ""));
    let has_mantissa = digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty());
    has_mantissa && exponent.is_none_or(|exponent| !unsigned(exponent).is_empty() && digits(unsigned(exponent)))
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['+', '-']).unwrap_or(text)
}

fn is_probability(text: &str) -> bool {
    is_float(text) && text.parse::<f64>().is_ok_and(|number| (0.0..=1.0).contains(&number))
}

/// Whether a text is `[-]YYYY-MM-DDThh:mm:ss[.s][Z|±hh:mm]` and a date of the calendar. There is no year 0, and years of more
/// than four digits do not begin with 0.
fn is_date_time(text: &str) -> bool {
    read_date_time(text).is_some()
}

fn read_date_time(text: &str) -> Option<()> {
    let text = text.strip_prefix('-').unwrap_or(text);
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    let (year_digits, rest) = text.split_at(length);
    let valid_length = length == 4 || (length > 4 && !year_digits.starts_with('0'));
    // Only the last digits count for leap years, so a year may have any number.
    let year: u32 = year_digits.get(length.saturating_sub(4)..)?.parse().ok()?;
    if !valid_length || year_digits.bytes().all(|byte| byte == b'0') {
        return None;
    }
    let (month, rest) = two(rest.strip_prefix('-')?)?;
    let (day, rest) = two(rest.strip_prefix('-')?)?;
    let (hour, rest) = two(rest.strip_prefix('T')?)?;
    let (minute, rest) = two(rest.strip_prefix(':')?)?;
    let (second, rest) = two(rest.strip_prefix(':')?)?;
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => {
            let length = rest.bytes().take_while(u8::is_ascii_digit).count();
            if length == 0 {
                return None;
            }
            rest.split_at(length)
        }
        None => ("", rest),
    };
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    let is_midnight = hour == 24 && minute == 0 && second == 0 && fraction.bytes().all(|digit| digit == b'0');
    let is_clock = (hour < 24 && minute < 60 && second < 60) || is_midnight;
    ((1..=days).contains(&day) && is_clock && is_zone(rest)).then_some(())
}

fn is_zone(text: &str) -> bool {
    if text.is_empty() || text == "Z" {
        return true;
    }
    let Some((hours, rest)) = text.strip_prefix(['+', '-']).and_then(two) else { return false };
    let Some((minutes, "")) = rest.strip_prefix(':').and_then(two) else { return false };
    (hours < 14 && minutes < 60) || (hours == 14 && minutes == 0)
}

/// Two digits, and what follows.
fn two(text: &str) -> Option<(u8, &str)> {
    let (digits, rest) = text.split_at_checked(2)?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?.map(|number| (number, rest))
}

/// Whether a text is a URI or a relative reference, as [RFC 3986](https://www.rfc-editor.org/rfc/rfc3986) has it.
///
/// XML Schema lets in what can be escaped, which is nearly everything: characters beyond ASCII, and those that URIs may not have.
fn is_uri(text: &str) -> bool {
    if text.is_empty() {
        return true;
    }
    let (rest, fragment) = text.split_once('#').unwrap_or((text, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    // What stands before the first colon of the path is a scheme.
    let colon = rest.find(':').filter(|colon| !rest[..*colon].contains('/'));
    let path = match colon {
        Some(colon) if is_scheme(&rest[..colon]) => &rest[colon + 1..],
        Some(_) => return false,
        None => rest,
    };
    let path = match path.strip_prefix("//") {
        Some(rest) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            if !is_authority(authority) {
                return false;
            }
            path
        }
        None => path,
    };
    has_only(path, ":@/") && has_only(query, ":@/?") && has_only(fragment, ":@/?[]")
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

/// `[user@]host[:port]`.
fn is_authority(text: &str) -> bool {
    let (user, place) = text.split_once('@').unwrap_or(("", text));
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((_, port)) => ("", port),
            None => return false,
        },
        None => place.split_at(place.find(':').unwrap_or(place.len())),
    };
    let is_port = match port.strip_prefix(':') {
        // A colon without a port is let in by the standard, and by nobody.
        Some(digits) => !digits.is_empty() && digits.len() < 9 && digits.bytes().all(|byte| byte.is_ascii_digit()),
        None => port.is_empty(),
    };
    has_only(user, ":") && has_only(host, "") && is_port
}

/// Whether a part has only characters that any part may have, escapes, and these.
fn has_only(part: &str, these: &str) -> bool {
    let bytes = part.as_bytes();
    bytes.iter().enumerate().all(|(at, byte)| match byte {
        b'%' => bytes.get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)),
        b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' | b'-' | b'.' | b'_' | b'~' => true,
        // These are escaped when it is used.
        b'<' | b'>' | b'"' | b'{' | b'}' | b'|' | b'\\' | b'^' | b'`' | 0..=0x20 | 0x7F..=0xFF => true,
        byte => byte.is_ascii_alphanumeric() || these.as_bytes().contains(byte),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for date in
            ["2026-01-31T04:05:06", "2024-02-29T24:00:00Z", "-0001-01-01T00:00:00", "12026-01-01T00:00:00.5-14:00"]
        {
            assert!(is_date_time(date), "{date}");
        }
        for date in [
            "2026-02-29T00:00:00",
            "-000001-01-01T00:00:00Z",
            "0000-01-01T00:00:00",
            "2026-01-01",
            "2026-01-01T00:00:60",
            "",
        ] {
            assert!(!is_date_time(date), "{date}");
        }
    }

    #[test]
    fn uris_have_no_spaces_and_whole_escapes() {
        for uri in [
            "",
            "ivo://a/b#c",
            "ivo://a/b#2026-01-31T04:05:06_17",
            "a",
            "a?b",
            "http://[::1]:80/",
            "ivo://é/{x}",
            "a b",
            "a|b",
            "http://",
        ] {
            assert!(is_uri(uri), "{uri}");
        }
        for uri in
            ["ivo://a/b#%zz", "1:a", ":a", "a%2", "a?[x]", "//a:1:2", "http://a:b/", "ivo://a#b#c", "http://[::1"]
        {
            assert!(!is_uri(uri), "{uri}");
        }
    }

    #[test]
    fn floats_are_decimal() {
        for number in ["1", "-1.5e+10", ".5", "5.", "INF", "NaN"] {
            assert!(is_float(number), "{number}");
        }
        for number in ["", "inf", "1e", "0x1", "1,5", "+", "."] {
            assert!(!is_float(number), "{number}");
        }
    }
}
