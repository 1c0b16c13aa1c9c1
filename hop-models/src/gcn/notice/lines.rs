//! Lines, keys and values of a notice, where Python finds them.
//!
//! hop-client takes notices apart with Python's string methods. What those call a line end or a space goes beyond what
//! Rust's do: form feeds and the separators `U+001C` to `U+001E` end lines, and `U+001C` to `U+001F` are white space.
//!
//! Nothing is stored: a notice is searched when it is asked, which costs less than an index of keys that are never read.

use std::borrow::Cow;

const BYTE_ORDER_MARK: char = '\u{FEFF}';

/// White space, as Python's `str.isspace` has it.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1C}'..='\u{1F}')
}

/// Whether a text has none of what sets Python apart: it is ASCII, and of control characters has line feeds and tabs alone.
/// Nearly every notice is.
pub(super) fn is_plain(text: &[u8]) -> bool {
    // Without an early end, so that many bytes are looked at in one step.
    let odd = |byte: u8| byte >= 0x80 || (byte < 0x20 && byte != b'\n' && byte != b'\t');
    !text.iter().fold(false, |any, byte| any | odd(*byte))
}

/// The bytes as text. They are a piece of what was UTF-8, cut beside ASCII.
pub(super) fn as_str(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// The lines of a text, without their ends. What follows the last line end is a line as well.
#[derive(Debug, Clone)]
pub(super) struct Lines<'a> {
    rest: Option<&'a [u8]>,
    plain: bool,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a [u8], plain: bool) -> Self {
        Self { rest: Some(text), plain }
    }

    /// The text of the lines to come.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest.unwrap_or_default()
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest?;
        let end = if self.plain { memchr::memchr(b'\n', rest).map(|at| (at, 1)) } else { line_end(rest) };
        let Some((at, length)) = end else {
            self.rest = None;
            return Some(rest);
        };
        self.rest = rest.get(at + length..);
        rest.get(..at)
    }
}

/// The first line end, as Python's `str.splitlines` finds it, and its length.
fn line_end(text: &[u8]) -> Option<(usize, usize)> {
    text.iter().enumerate().find_map(|(at, byte)| {
        let length = match byte {
            b'\r' if text.get(at + 1) == Some(&b'\n') => 2,
            b'\n' | b'\r' | 0x0B | 0x0C | 0x1C..=0x1E => 1,
            0xC2 if text.get(at + 1) == Some(&0x85) => 2,
            0xE2 if matches!(text.get(at + 1..at + 3), Some([0x80, 0xA8 | 0xA9])) => 3,
            _ => return None,
        };
        Some((at, length))
    })
}

/// One line that has a colon.
#[derive(Debug, Clone)]
pub(super) struct Entry<'a> {
    line: &'a [u8],
    colon: usize,
    /// What follows the line.
    after: Lines<'a>,
}

impl<'a> Entry<'a> {
    fn of(line: &'a [u8], after: &Lines<'a>) -> Option<Self> {
        let colon = memchr::memchr(b':', line)?;
        Some(Self { line, colon, after: after.clone() })
    }

    pub(super) fn key(&self) -> &'a str {
        trim(&self.line[..self.colon], self.after.plain)
    }

    /// The value, and the lines that continue it.
    pub(super) fn value(&self) -> Cow<'a, str> {
        let plain = self.after.plain;
        let value = trim(&self.line[self.colon + 1..], plain);
        let mut more = self.after.clone().take_while(|line| memchr::memchr(b':', line).is_none()).peekable();
        if more.peek().is_none() {
            return Cow::Borrowed(value);
        }
        let mut joined = String::with_capacity(value.len() + 128);
        joined.push_str(value);
        for line in more {
            joined.push('\n');
            joined.push_str(as_str(line).trim_start_matches(is_space));
        }
        Cow::Owned(joined)
    }
}

fn trim(bytes: &[u8], plain: bool) -> &str {
    if plain { as_str(bytes.trim_ascii()) } else { as_str(bytes).trim_matches(is_space) }
}

/// The entries of a text, in order.
pub(super) fn entries(text: &[u8], plain: bool) -> impl Iterator<Item = Entry<'_>> {
    let mut lines = Lines::new(text, plain);
    std::iter::from_fn(move || {
        loop {
            let line = lines.next()?;
            if let Some(entry) = Entry::of(line, &lines) {
                return Some(entry);
            }
        }
    })
}

/// The entries whose key is `key` in any case, in order.
pub(super) fn entries_of<'a>(text: &'a [u8], plain: bool, key: &str) -> impl Iterator<Item = Entry<'a>> {
    let mut lines = Lines::new(text, plain);
    let key = key.trim_start_matches(BYTE_ORDER_MARK);
    // A letter beyond ASCII can have one of ASCII for its lower case (the Kelvin sign has `k`).
    let by_bytes = plain && key.is_ascii();
    std::iter::from_fn(move || {
        loop {
            let line = lines.next()?;
            if by_bytes && !begins_with(line, key.as_bytes()) {
                continue;
            }
            let same = |entry: &Entry<'_>| {
                // A byte-order mark is part of the first key, for hop-client and in the fields; no reader means it.
                let ours = entry.key().trim_start_matches(BYTE_ORDER_MARK);
                ours.eq_ignore_ascii_case(key) || (!by_bytes && ours.to_lowercase() == key.to_lowercase())
            };
            if let Some(entry) = Entry::of(line, &lines).filter(same) {
                return Some(entry);
            }
        }
    })
}

/// Whether a line begins with a key in any case, white space aside. Most lines do not, as their first byte tells.
fn begins_with(line: &[u8], key: &[u8]) -> bool {
    let differs = |line: &[u8]| match (line.first(), key.first()) {
        (Some(ours), Some(theirs)) => !ours.eq_ignore_ascii_case(theirs),
        _ => false,
    };
    if matches!(line.first(), Some(b'!'..)) && differs(line) {
        return false;
    }
    line.trim_ascii_start().get(..key.len()).is_some_and(|start| start.eq_ignore_ascii_case(key))
}
