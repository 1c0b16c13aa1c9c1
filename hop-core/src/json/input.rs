//! The content that is parsed: how what is in it is read, and what an error says of it.

use super::SUBJECT;
use crate::error::{ErrorKind, Location, excerpt};
use crate::value::CHUNK;
use crate::{Error, Limits, Text, Value};

/// The content.
///
/// Its methods take it by value: what is passed by reference to a function has to be in memory, and is read from there
/// again and again.
#[derive(Clone, Copy)]
pub(super) struct Input<'a> {
    pub(super) text: &'a str,
    pub(super) limits: &'a Limits,
}

impl<'a> Input<'a> {
    #[inline(always)]
    pub(super) fn bytes(self) -> &'a [u8] {
        self.text.as_bytes()
    }

    /// The byte that stands there; zero, which is nothing in JSON, after the end.
    #[inline(always)]
    pub(super) fn byte(self, at: usize) -> u8 {
        self.bytes().get(at).copied().unwrap_or(0)
    }

    #[inline(always)]
    pub(super) fn skip_white_space(self, mut at: usize) -> usize {
        while let b' ' | b'\n' | b'\r' | b'\t' = self.byte(at) {
            at += 1;
        }
        at
    }

    /// The number that starts at `start`, whose digits and decimals end at `at`.
    #[cold]
    pub(super) fn long_number(self, start: usize, mut at: usize, whole: bool) -> Result<(Value, usize), Error> {
        let exponent = matches!(self.byte(at), b'e' | b'E');
        if exponent {
            at += 1 + usize::from(matches!(self.byte(at + 1), b'+' | b'-'));
            (_, at) = self.digits(at, 0)?;
        }
        let text = &self.text[start..at];
        let value = if whole && !exponent {
            text.parse().map_or_else(|_| Value::BigInt(text.into()), Value::Int)
        } else {
            Value::Float(text.parse().map_err(|_| self.error(start, "a number"))?)
        };
        Ok((value, at))
    }

    /// One digit or more, put behind those in `so_far`; all of them, and where they end.
    #[inline(always)]
    pub(super) fn digits(self, start: usize, mut so_far: u64) -> Result<(u64, usize), Error> {
        let mut at = start;
        while let digit @ b'0'..=b'9' = self.byte(at) {
            so_far = so_far.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            at += 1;
        }
        if at == start { Err(self.error(at, "a digit")) } else { Ok((so_far, at)) }
    }

    /// What stands from `start` to the end, which is less than a chunk, and zeros.
    #[cold]
    pub(super) fn padded(self, start: usize) -> [u8; CHUNK] {
        let mut padded = [0; CHUNK];
        let rest = self.bytes().get(start..).unwrap_or_default();
        padded[..rest.len()].copy_from_slice(rest);
        padded
    }

    /// The string that starts at `start`, whatever its length and what is in it.
    #[inline(never)]
    pub(super) fn long_string(self, start: usize) -> Result<(Text, usize), Error> {
        let end = start + plain_length(&self.bytes()[start..]);
        match self.byte(end) {
            b'"' => Ok((self.text[start..end].into(), end + 1)),
            _ => self.string_with_escapes(start, end),
        }
    }

    /// The string that starts at `start` and is plain up to `at`.
    #[cold]
    fn string_with_escapes(self, start: usize, mut at: usize) -> Result<(Text, usize), Error> {
        let mut bytes = self.bytes()[start..at].to_vec();
        loop {
            at = match self.bytes().get(at) {
                Some(b'"') => return Ok((Text::from_wtf8(bytes), at + 1)),
                Some(b'\\') => self.escape(at + 1, &mut bytes)?,
                Some(_) => return Err(self.error(at, "an escape for a control character")),
                // The quote that opens it.
                None => return Err(self.error(start - 1, "a string with a closing quote")),
            };
            let end = at + plain_length(&self.bytes()[at..]);
            bytes.extend_from_slice(&self.bytes()[at..end]);
            at = end;
        }
    }

    /// The escape whose backslash has just been read.
    fn escape(self, at: usize, out: &mut Vec<u8>) -> Result<usize, Error> {
        out.push(match self.byte(at) {
            plain @ (b'"' | b'\\' | b'/') => plain,
            b'b' => 0x08,
            b'f' => 0x0C,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => return self.unicode_escape(at + 1, out),
            _ => return Err(self.error(at, r#"one of `"\/bfnrtu` after a backslash"#)),
        });
        Ok(at + 1)
    }

    fn unicode_escape(self, at: usize, out: &mut Vec<u8>) -> Result<usize, Error> {
        let mut unit = self.four_hex_digits(at)?;
        let mut end = at + 4;
        if (0xD800..0xDC00).contains(&unit) && self.bytes()[end..].starts_with(br"\u") {
            let second = self.four_hex_digits(end + 2)?;
            // Where it is not the other half, the second escape stands for itself.
            if (0xDC00..0xE000).contains(&second) {
                unit = 0x10000 + ((unit - 0xD800) << 10) + (second - 0xDC00);
                end += 6;
            }
        }
        match char::from_u32(unit) {
            Some(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            // A lone surrogate, in the three bytes that UTF-8 would have for it.
            None => out.extend_from_slice(&[
                0xE0 | (unit >> 12) as u8,
                0x80 | ((unit >> 6) & 0x3F) as u8,
                0x80 | (unit & 0x3F) as u8,
            ]),
        }
        Ok(end)
    }

    fn four_hex_digits(self, at: usize) -> Result<u32, Error> {
        let digits = self.bytes().get(at..at + 4).unwrap_or_default();
        let unit = digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?));
        match unit {
            Some(unit) if !digits.is_empty() => Ok(unit),
            _ => Err(self.error(at, "four hexadecimal digits")),
        }
    }

    #[cold]
    pub(super) fn error(self, at: usize, expected: &'static str) -> Error {
        let found = match self.text.get(at..).and_then(|rest| rest.chars().next()) {
            None => "the end of the content".to_owned(),
            Some(_) => {
                let rest = &self.bytes()[at..];
                excerpt(&rest[..rest.len().min(16)])
            }
        };
        Error::new(ErrorKind::Malformed, SUBJECT)
            .expected(expected)
            .found(found)
            .at(Location::in_text(self.bytes(), at))
    }

    #[cold]
    pub(super) fn limit(self, at: usize, expected: String, name: &str) -> Error {
        Error::new(ErrorKind::Limit, SUBJECT)
            .expected(expected)
            .found("more")
            .at(Location::in_text(self.bytes(), at))
            .help(format!("`Limits::{name}` sets the bound"))
    }
}

/// The length of a string that starts with these bytes, where it is so short that its closing quote is among them.
#[inline(always)]
pub(super) fn length_within(chunk: &[u8; CHUNK]) -> Option<usize> {
    let (words, _) = chunk.as_chunks();
    for (at, word) in words.iter().enumerate() {
        let found = special_bytes(u64::from_le_bytes(*word));
        if found != 0 {
            let length = 8 * at + found.trailing_zeros() as usize / 8;
            return (chunk[length] == b'"' && length <= Text::SHORT).then_some(length);
        }
    }
    None
}

/// How many bytes stand before the first quote, backslash or control character.
fn plain_length(bytes: &[u8]) -> usize {
    // Blocks, for which the compiler has larger registers, up to the one with the end in it.
    const BLOCK: usize = 64;
    let special = |byte: u8| (byte < 0x20) | (byte == b'"') | (byte == b'\\');
    let (blocks, _) = bytes.as_chunks::<BLOCK>();
    let plain = |block: &&[u8; BLOCK]| !block.iter().fold(false, |any, byte| any | special(*byte));
    let mut at = BLOCK * blocks.iter().take_while(plain).count();
    while let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        let found = special_bytes(u64::from_le_bytes(*word));
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let rest = &bytes[at..];
    at + rest.iter().position(|byte| special(*byte)).unwrap_or(rest.len())
}

/// The highest bit of the first byte that is a quote, a backslash or a control character; bits above it mean nothing.
#[inline(always)]
fn special_bytes(word: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    // Where a byte is less than what is subtracted from it, it borrows, from the bytes above it at worst.
    let control = word.wrapping_sub(EACH * 0x20);
    let quote = (word ^ (EACH * u64::from(b'"'))).wrapping_sub(EACH);
    let backslash = (word ^ (EACH * u64::from(b'\\'))).wrapping_sub(EACH);
    // Bytes beyond ASCII have the highest bit before.
    (control | quote | backslash) & !word & (EACH << 7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_end_where_they_end() {
        let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
        for length in 0..200 {
            let plain: Vec<u8> =
                (0..length).map(|at| [b' ', b'!', b'#', b'[', b']', 0x7F, 0x80, 0xA2, 0xFF][at % 9]).collect();
            assert_eq!(plain_length(&plain), length);
            for end in [b'"', b'\\', 0, b'\n', 0x1F] {
                for after in [&[][..], b"\"", b"!\x01#", &[b'z'; 90]] {
                    let bytes = [&plain, &[end][..], after].concat();
                    let expected = bytes.iter().position(special);
                    assert_eq!(Some(plain_length(&bytes)), expected);
                    let chunk = std::array::from_fn(|at| bytes.get(at).copied().unwrap_or(0));
                    let within = expected.filter(|length| end == b'"' && *length <= Text::SHORT);
                    assert_eq!(length_within(&chunk), within);
                }
            }
        }
    }
}
