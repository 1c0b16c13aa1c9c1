//! Lines, keys and values of a notice, where Python finds them.
//!
//! hop-client takes notices apart with Python's string methods. What those call a line end or a space goes beyond what
//! Rust's do: form feeds and the separators `U+001C` to `U+001E` end lines, and `U+001C` to `U+001F` are white space.

/// White space, as Python's `str.isspace` has it.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1C}'..='\u{1F}')
}

/// Whether a character ends a line, as for Python's `str.splitlines`.
fn ends_line(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\x0B' | '\x0C' | '\u{1C}'..='\u{1E}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// One line that has a colon: where its key and its value stand in the text, in bytes, white space taken off.
///
/// Lines without a colon that follow continue the value; they end at `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: (u32, u32),
    pub(super) value: (u32, u32),
    /// Where the last line of the value ends; that of the key's own line where none follows.
    pub(super) end: u32,
}

/// The entries of a text, and what stands before the first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Index {
    pub(super) entries: Vec<Entry>,
    /// Where the lines before the first entry end.
    pub(super) preamble: u32,
}

/// The index of a text, which is shorter than 4 GiB.
pub(super) fn index(text: &str) -> Index {
    let plain = text.bytes().all(|byte| byte.is_ascii() && !matches!(byte, b'\r' | 0x0B | 0x0C | 0x1C..=0x1F));
    if plain { index_plain(text.as_bytes()) } else { index_any(text) }
}

/// ASCII whose lines end with line feeds: nearly every notice.
fn index_plain(text: &[u8]) -> Index {
    let text = text.trim_ascii_end();
    let mut index = Index { entries: Vec::with_capacity(text.len() / 40 + 4), preamble: 0 };
    let (mut start, mut colon) = (0, None);
    for at in memchr::memchr2_iter(b'\n', b':', text).chain([text.len()]) {
        if text.get(at) == Some(&b':') {
            colon = colon.or(Some(at));
            continue;
        }
        match colon.take() {
            Some(colon) => index.entries.push(Entry {
                key: trim(text, start, colon),
                value: trim(text, colon + 1, at),
                end: at as u32,
            }),
            None => index.extend(at),
        }
        start = at + 1;
    }
    index
}

fn trim(text: &[u8], mut start: usize, mut end: usize) -> (u32, u32) {
    // Of ASCII without control characters this is all the white space there is.
    let space = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    while start < end && space(text.get(start)) {
        start += 1;
    }
    while start < end && space(text.get(end - 1)) {
        end -= 1;
    }
    (start as u32, end as u32)
}

/// Any text, a character at a time.
fn index_any(text: &str) -> Index {
    let mut index = Index::default();
    let first = text.len() - text.trim_start_matches(is_space).len();
    let text = text.trim_end_matches(is_space);
    for (start, line) in lines(text, first) {
        let end = start + line.len();
        match memchr::memchr(b':', line.as_bytes()) {
            Some(colon) => index.entries.push(Entry {
                key: trim_any(text, start, start + colon),
                value: trim_any(text, start + colon + 1, end),
                end: end as u32,
            }),
            None => index.extend(end),
        }
    }
    index
}

fn trim_any(text: &str, start: usize, end: usize) -> (u32, u32) {
    let whole = text.get(start..end).unwrap_or_default();
    let left = whole.trim_start_matches(is_space);
    let start = end - left.len();
    (start as u32, (start + left.trim_end_matches(is_space).len()) as u32)
}

/// The lines of a text from `start` on, without their ends, and where each starts. After a last line end comes an empty
/// line.
pub(super) fn lines(text: &str, start: usize) -> impl Iterator<Item = (usize, &str)> {
    let mut next = Some(start);
    std::iter::from_fn(move || {
        let start = next?;
        let rest = text.get(start..)?;
        let Some((length, end)) = rest.char_indices().find(|(_, c)| ends_line(*c)) else {
            next = None;
            return Some((start, rest));
        };
        let line = &rest[..length];
        let after = &rest[length + end.len_utf8()..];
        let after = if end == '\r' { after.strip_prefix('\n').unwrap_or(after) } else { after };
        next = Some(text.len() - after.len());
        Some((start, line))
    })
}

impl Index {
    fn extend(&mut self, end: usize) {
        match self.entries.last_mut() {
            Some(entry) => entry.end = end as u32,
            None => self.preamble = end as u32,
        }
    }
}
