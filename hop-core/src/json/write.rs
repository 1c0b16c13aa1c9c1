//! [`Value`] to text: as Python writes it, or tagged for people.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::{Error, ErrorKind, Text, Value};

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Style {
    /// As `json.dumps` writes it, which has no form for bytes.
    Wire,
    /// The same, with bytes as arrays of numbers: serde formats without bytes write and read them so.
    WireWithBytes,
    /// Strict JSON: bytes and the numbers JSON lacks stand in objects, characters as they are.
    Tagged,
}

pub(super) fn write(out: &mut Vec<u8>, value: &Value, style: Style) -> Result<(), Error> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Int(value) => push(out, format_args!("{value}")),
        Value::BigInt(digits) => out.extend_from_slice(digits.as_bytes()),
        Value::Float(value) => write_float(out, *value, style),
        Value::String(text) => write_string(out, text, style),
        Value::Bytes(bytes) => {
            if style == Style::WireWithBytes {
                out.push(b'[');
                for (at, byte) in bytes.iter().enumerate() {
                    push(out, format_args!("{}{byte}", if at > 0 { ", " } else { "" }));
                }
                out.push(b']');
                return Ok(());
            }
            if style == Style::Wire {
                return Err(Error::new(ErrorKind::Unencodable, "json")
                    .expected("a value that JSON has")
                    .found(format!("{} bytes", bytes.len()))
                    .help("encode the bytes as text (base64), or send them as `blob` or `avro`"));
            }
            out.extend_from_slice(br#"{"$bytes": ""#);
            out.extend_from_slice(STANDARD.encode(bytes).as_bytes());
            out.extend_from_slice(br#""}"#);
        }
        Value::Array(values) => {
            out.push(b'[');
            for (at, value) in values.iter().enumerate() {
                if at > 0 {
                    out.extend_from_slice(b", ");
                }
                write(out, value, style)?;
            }
            out.push(b']');
        }
        Value::Object(object) => {
            out.push(b'{');
            for (at, (key, value)) in object.iter().enumerate() {
                if at > 0 {
                    out.extend_from_slice(b", ");
                }
                write_string(out, key, style);
                out.extend_from_slice(b": ");
                write(out, value, style)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

/// Formats into memory, which cannot fail.
fn push(out: &mut Vec<u8>, arguments: std::fmt::Arguments<'_>) {
    let written = out.write_fmt(arguments);
    debug_assert!(written.is_ok());
}

fn write_float(out: &mut Vec<u8>, value: f64, style: Style) {
    if value.is_finite() {
        return write_finite(out, value);
    }
    let word = if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    };
    match style {
        Style::Wire | Style::WireWithBytes => out.extend_from_slice(word.as_bytes()),
        Style::Tagged => push(out, format_args!(r#"{{"$float": "{word}"}}"#)),
    }
}

/// The shortest digits that read back as `value`, laid out as Python's `repr` does: with an exponent, of two digits at
/// least, from 1e16 on and below 1e-4.
fn write_finite(out: &mut Vec<u8>, value: f64) {
    let exponential = format!("{value:e}");
    let (digits, exponent) = exponential.split_once('e').unwrap_or((&exponential, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        push(out, format_args!("{value:?}"));
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        push(out, format_args!("{digits}e{sign}{:02}", exponent.abs()));
    }
}

fn write_string(out: &mut Vec<u8>, text: &Text, style: Style) {
    if let Some(text) = text.as_str() {
        return write_str(out, text, style);
    }
    out.push(b'"');
    for point in text.code_points() {
        match point {
            Ok(c) => write_char(out, c, style),
            Err(surrogate) => push(out, format_args!("\\u{surrogate:04x}")),
        }
    }
    out.push(b'"');
}

pub(super) fn write_str(out: &mut Vec<u8>, text: &str, style: Style) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    write_utf8(out, text, style);
    out.push(b'"');
}

fn write_utf8(out: &mut Vec<u8>, mut rest: &str, style: Style) {
    loop {
        let (plain, others) = rest.split_at(plain_length(rest.as_bytes()));
        out.extend_from_slice(plain.as_bytes());
        let Some(c) = others.chars().next() else { return };
        write_char(out, c, style);
        rest = &others[c.len_utf8()..];
    }
}

/// The length of the start that stands in a string as it is, in any style.
fn plain_length(bytes: &[u8]) -> usize {
    const LANES: usize = 16;
    let is_plain = |byte: &u8| (byte.wrapping_sub(b' ') < 0x5f) & (*byte != b'"') & (*byte != b'\\');
    // The compiler looks at the bytes of a chunk all at once.
    let chunks =
        bytes.chunks_exact(LANES).take_while(|chunk| chunk.iter().fold(true, |all, byte| all & is_plain(byte)));
    let whole = chunks.count() * LANES;
    whole + bytes[whole..].iter().take_while(|byte| is_plain(byte)).count()
}

fn write_char(out: &mut Vec<u8>, c: char, style: Style) {
    match c {
        '"' => out.extend_from_slice(b"\\\""),
        '\\' => out.extend_from_slice(b"\\\\"),
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\t' => out.extend_from_slice(b"\\t"),
        '\u{8}' => out.extend_from_slice(b"\\b"),
        '\u{c}' => out.extend_from_slice(b"\\f"),
        // Python escapes all but printable ASCII; people read what can be read.
        c if matches!(c, ' '..='~') || (style == Style::Tagged && !c.is_control()) => {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
        c => {
            for unit in c.encode_utf16(&mut [0; 2]) {
                push(out, format_args!("\\u{unit:04x}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_is_written_alike_wherever_it_stands() {
        for c in ('\0'..='\u{17f}').chain(['\u{2028}', '\u{ffff}', '😀']) {
            for style in [Style::Wire, Style::Tagged] {
                let mut alone = Vec::new();
                write_char(&mut alone, c, style);
                for at in 0..40 {
                    let (before, after) = ("b".repeat(at), "~".repeat(40 - at));
                    let mut out = Vec::new();
                    write_string(&mut out, &Text::from(format!("{before}{c}{after}")), style);
                    let alone = String::from_utf8(alone.clone()).unwrap();
                    assert_eq!(String::from_utf8(out).unwrap(), format!("\"{before}{alone}{after}\""));
                }
            }
        }
    }

    #[test]
    fn floats_are_laid_out_as_python_lays_them_out() {
        for (value, expected) in [
            (1.0, "1.0"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.5e-5, "1.5e-05"),
            (1e-4, "0.0001"),
            (1e100, "1e+100"),
            (-2.5e-300, "-2.5e-300"),
            (0.1, "0.1"),
            (-0.0, "-0.0"),
            (123456789012345680.0, "1.2345678901234568e+17"),
        ] {
            let mut out = Vec::new();
            write_finite(&mut out, value);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    #[test]
    fn the_tagged_form_is_strict_json() {
        let value = Value::object([
            ("nan", Value::Float(f64::NAN)),
            ("bytes", Value::Bytes(bytes::Bytes::from_static(b"\x00\xff"))),
            ("text", "é\u{7f}".into()),
        ]);
        let shown = value.to_string();
        assert_eq!(shown, r#"{"nan": {"$float": "NaN"}, "bytes": {"$bytes": "AP8="}, "text": "é\u007f"}"#);
        assert!(serde_json::from_str::<serde_json::Value>(&shown).is_ok());
        assert!(crate::json::write(&value).is_err());
    }
}
