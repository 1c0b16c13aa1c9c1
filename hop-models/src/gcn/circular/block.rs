//! Where the header of a message ends, and what stands in it ([RFC 5322], as Python's `email` reads it).
//!
//! hop-client reads circulars with Python's lenient mail parser, so what counts as a header line is what counts there:
//!
//! - a title of printable ASCII without spaces, up to the first colon: `SUBJECT: …`;
//! - a line that starts with a space or a tab, which continues the one before;
//! - a line that starts with `From `, which is no title. As the first line it is the envelope of a mailbox; as the last it
//!   is taken for the first line of the body; elsewhere it is passed over.
//!
//! An empty line ends the header. So does any other line, and that line belongs to the body.
//!
//! [RFC 5322]: https://www.rfc-editor.org/rfc/rfc5322#section-2.2

use std::borrow::Cow;

use hop_core::{Error, ErrorKind};

use super::LABEL;

/// A message in two: its header lines, and all that follows.
#[derive(Debug, Default)]
pub(super) struct Block<'a> {
    /// Names as written, texts with their folds undone.
    pub(super) fields: Vec<(&'a [u8], Cow<'a, [u8]>)>,
    /// Lines in the header that name no title.
    pub(super) stray: Vec<&'a [u8]>,
    pub(super) body: Cow<'a, [u8]>,
}

enum Kind {
    Envelope,
    Continuation,
    /// The colon stands here.
    Title(usize),
    Body,
}

fn kind(line: &[u8]) -> Kind {
    if line.starts_with(b"From ") {
        return Kind::Envelope;
    }
    if matches!(line.first(), Some(b' ' | b'\t')) {
        return Kind::Continuation;
    }
    match line.iter().position(|byte| !matches!(byte, 0x21..=0x39 | 0x3B..=0x7E)) {
        Some(at) if line[at] == b':' => Kind::Title(at),
        _ => Kind::Body,
    }
}

/// The first line with its line feed, and the rest.
pub(super) fn split_line(text: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memchr(b'\n', text).map_or(text.len(), |at| at + 1);
    text.split_at(end)
}

pub(super) fn without_line_feed(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

/// Splits a message whose lines end with line feeds.
pub(super) fn split(text: &[u8], most_lines: usize) -> Result<Block<'_>, Error> {
    // Room for the titles of a circular.
    let mut block = Block { fields: Vec::with_capacity(8), ..Block::default() };
    let mut rest = text;
    let mut count = 0;
    // The title that a continuation belongs to; without one it is stray.
    let mut open = false;
    let body = loop {
        let (line, after) = split_line(rest);
        if line == b"\n" {
            break after;
        }
        let kind = kind(line);
        if line.is_empty() || matches!(kind, Kind::Body) {
            break rest;
        }
        count += 1;
        if count > most_lines {
            return Err(Error::new(ErrorKind::Limit, LABEL)
                .expected(format!("at most {most_lines} header lines"))
                .found("more")
                .help("raise `Limits::nodes` to read it"));
        }
        let line = without_line_feed(line);
        match kind {
            Kind::Title(colon) if colon > 0 => {
                let value = &line[colon + 1..];
                let start = value.iter().position(|byte| !matches!(byte, b' ' | b'\t')).unwrap_or(value.len());
                block.fields.push((&line[..colon], Cow::Borrowed(&value[start..])));
                open = true;
            }
            Kind::Continuation if open => {
                if let Some((_, value)) = block.fields.last_mut() {
                    unfold(value, line);
                }
            }
            Kind::Envelope if count > 1 && !is_header(after) => {
                block.body = match after.strip_prefix(b"\n") {
                    Some(after) => Cow::Owned([&rest[..=line.len()], after].concat()),
                    None => Cow::Borrowed(rest),
                };
                return Ok(block);
            }
            _ => {
                block.stray.push(line);
                open = false;
            }
        }
        rest = after;
    };
    block.body = Cow::Borrowed(body);
    Ok(block)
}

/// Whether the header goes on with this text.
fn is_header(text: &[u8]) -> bool {
    let (line, _) = split_line(text);
    !line.is_empty() && line != b"\n" && !matches!(kind(line), Kind::Body)
}

/// Joins a continuation to the text before it, by one space in the place of the line break and what surrounds it.
fn unfold(value: &mut Cow<'_, [u8]>, line: &[u8]) {
    let more = line.trim_ascii();
    let kept = value.trim_ascii_end().len();
    let value = value.to_mut();
    value.truncate(kept);
    if !value.is_empty() && !more.is_empty() {
        value.push(b' ');
    }
    value.extend_from_slice(more);
}
