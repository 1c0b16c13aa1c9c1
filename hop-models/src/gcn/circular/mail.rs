//! Circulars as mail: text in a transfer encoding, and messages of several parts ([RFC 2045], [RFC 2046]).
//!
//! # Not supported
//! Parameters split or percent-encoded by RFC 2231, uuencode, `message/partial` and `message/external-body`. Such parts
//! are kept as they came.
//!
//! [RFC 2045]: https://www.rfc-editor.org/rfc/rfc2045
//! [RFC 2046]: https://www.rfc-editor.org/rfc/rfc2046

use std::borrow::Cow;

use bytes::Bytes;
use hop_core::{Error, ErrorKind, Limits};

use super::block::{self, Block, split_line, without_line_feed};
use super::charset;
use super::{LABEL, Titles, header};

/// One part of a mail: the text, the same as HTML, an attachment.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    titles: Titles,
    content: Bytes,
}

impl Part {
    /// The titles of the part, in lower case.
    pub fn header(&self) -> &Titles {
        &self.titles
    }

    /// The type, in lower case and without parameters; `text/plain` where none is stated or it is no type.
    pub fn content_type(&self) -> Cow<'_, str> {
        content_type(&self.titles)
    }

    /// The name of the file, if one is stated.
    pub fn file_name(&self) -> Option<String> {
        let stated = |title, name| self.titles.first(title).and_then(|text| parameter(text, name));
        let named = stated("content-disposition", "filename").or_else(|| stated("content-type", "name"))?;
        Some(charset::words(&named).into_owned())
    }

    /// Whether the sender calls it an attachment.
    pub fn is_attachment(&self) -> bool {
        self.titles.first("content-disposition").is_some_and(|text| main_value(text).eq_ignore_ascii_case("attachment"))
    }

    /// The content with its transfer encoding undone. Line ends are line feeds, in binary parts without one too.
    pub fn content(&self) -> &Bytes {
        &self.content
    }

    /// The content as text, where its type is one of `text/`.
    pub fn text(&self) -> Option<Cow<'_, str>> {
        let label = self.titles.first("content-type").and_then(|text| parameter(text, "charset"));
        self.content_type().starts_with("text/").then(|| charset::carried_text(&self.content, label.as_deref()))
    }
}

/// A message that was read: titles, the text that is its body, and the parts if it has several.
pub(super) struct Mail {
    pub(super) titles: Titles,
    pub(super) stray: Vec<String>,
    pub(super) body: String,
    pub(super) parts: Vec<Part>,
}

/// Reads a message whose lines end with line feeds.
pub(super) fn read(text: &[u8], limits: &Limits) -> Result<Mail, Error> {
    let block = block::split(text, limits.nodes)?;
    let titles = titles(&block);
    let stray = block.stray.iter().map(|line| charset::text(line, None).into_owned()).collect();
    let mut mail = Mail { titles, stray, body: String::new(), parts: Vec::new() };
    let kind = content_type(&mail.titles);
    if let Some(boundary) = boundary(&kind, &mail.titles) {
        walk(&block.body, &boundary, 1, limits, &mut mail.parts)?;
    }
    drop(kind);
    mail.body = match chosen(&mail.parts) {
        Some(text) => text,
        None => single(&block.body, &mut mail.titles),
    };
    Ok(mail)
}

fn titles(block: &Block<'_>) -> Titles {
    let mut titles = Titles::with_capacity(block.fields.len());
    for (name, text) in &block.fields {
        let text = charset::text(text, None);
        match header::common(name) {
            Some(title) => titles.push_exactly(title.into(), text),
            None => titles.push(&charset::text(name, None), text),
        }
    }
    titles
}

/// The part that a reader is shown: the first plain text that is no attachment, else the first text of any type.
fn chosen(parts: &[Part]) -> Option<String> {
    let shown = || parts.iter().filter(|part| !part.is_attachment());
    let plain = shown().find(|part| part.content_type() == "text/plain");
    plain.or_else(|| shown().find(|part| part.content_type().starts_with("text/")))?.text().map(Cow::into_owned)
}

/// The body of a message that has no parts. Where a transfer encoding was undone, the title says so from now on: the
/// text is written again as it is.
fn single(body: &[u8], titles: &mut Titles) -> String {
    const ENCODING: &str = "content-transfer-encoding";
    let label = titles.first("content-type").and_then(|text| parameter(text, "charset"));
    let carried = titles.first(ENCODING).and_then(|encoding| charset::carried(body, encoding));
    match carried {
        Some(bytes) => {
            titles.replace_first(ENCODING, "8bit");
            charset::carried_text(&bytes, label.as_deref()).into_owned()
        }
        None => charset::text(body, label.as_deref()).into_owned(),
    }
}

/// Splits the body of a message at its boundary, and what stands between in turn.
fn walk(body: &[u8], boundary: &str, depth: usize, limits: &Limits, parts: &mut Vec<Part>) -> Result<(), Error> {
    let mut rest = body;
    let mut start = None;
    while !rest.is_empty() {
        let at = body.len() - rest.len();
        let (line, after) = split_line(rest);
        rest = after;
        let Some(closes) = delimiter(without_line_feed(line), boundary) else { continue };
        if let Some(start) = start.replace(at + line.len()) {
            // Delimiters that follow each other have nothing between them.
            if start < at {
                // The line feed before a delimiter belongs to it.
                part(without_line_feed(&body[start..at]), depth, limits, parts)?;
            }
        }
        if closes {
            // A mail that ends before it starts has no parts.
            return Ok(());
        }
    }
    match start {
        Some(start) if start < body.len() => part(&body[start..], depth, limits, parts),
        _ => Ok(()),
    }
}

/// Whether a line is a delimiter, and if so whether it is the last.
fn delimiter(line: &[u8], boundary: &str) -> Option<bool> {
    let rest = line.strip_prefix(b"--")?.strip_prefix(boundary.as_bytes())?;
    let blank = |rest: &[u8]| rest.iter().all(|byte| matches!(byte, b' ' | b'\t'));
    match rest.strip_prefix(b"--") {
        Some(rest) if blank(rest) => Some(true),
        _ => blank(rest).then_some(false),
    }
}

fn part(text: &[u8], depth: usize, limits: &Limits, parts: &mut Vec<Part>) -> Result<(), Error> {
    // Each level is walked once more, and by recursion.
    const DEEPEST: usize = 64;
    let too_many = |expected: String, limit: &str| {
        Err(Error::new(ErrorKind::Limit, LABEL)
            .expected(expected)
            .found("more")
            .help(format!("raise `Limits::{limit}` to read it")))
    };
    let deepest = limits.depth.min(DEEPEST);
    if depth > deepest {
        return too_many(format!("at most {deepest} levels of parts"), "depth");
    }
    if parts.len() >= limits.nodes {
        return too_many(format!("at most {} parts", limits.nodes), "nodes");
    }
    let block = block::split(text, limits.nodes)?;
    let titles = titles(&block);
    let kind = content_type(&titles);
    if let Some(boundary) = boundary(&kind, &titles) {
        let before = parts.len();
        walk(&block.body, &boundary, depth + 1, limits, parts)?;
        if parts.len() > before {
            return Ok(());
        }
    }
    drop(kind);
    let carried =
        titles.first("content-transfer-encoding").and_then(|encoding| charset::carried(&block.body, encoding));
    let content = carried.unwrap_or_else(|| block.body.to_vec()).into();
    parts.push(Part { titles, content });
    Ok(())
}

fn content_type(titles: &Titles) -> Cow<'_, str> {
    let stated = titles.first("content-type").map(main_value).filter(|text| text.matches('/').count() == 1);
    match stated {
        Some(text) => Cow::Owned(text.to_ascii_lowercase()),
        None => Cow::Borrowed("text/plain"),
    }
}

fn boundary(content_type: &str, titles: &Titles) -> Option<String> {
    if !content_type.starts_with("multipart/") {
        return None;
    }
    let mut boundary = parameter(titles.first("content-type")?, "boundary")?;
    boundary.truncate(boundary.trim_end().len());
    Some(boundary)
}

/// What stands before the parameters.
fn main_value(text: &str) -> &str {
    text.split(';').next().unwrap_or_default().trim()
}

/// The parameter of this name, its quotes taken off.
fn parameter(text: &str, name: &str) -> Option<String> {
    let mut rest = &text[text.find(';')? + 1..];
    loop {
        let end = end_of_parameter(rest);
        let (key, value) = rest[..end].split_once('=').unwrap_or((&rest[..end], ""));
        if key.trim().eq_ignore_ascii_case(name) {
            return Some(unquote(value.trim()));
        }
        rest = rest.get(end + 1..)?;
    }
}

/// The semicolon that ends a parameter, which none inside quotes does.
fn end_of_parameter(text: &str) -> usize {
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b';' if !quoted => return at,
            _ => {}
        }
    }
    text.len()
}

fn unquote(text: &str) -> String {
    match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(inner) => inner.replace("\\\\", "\\").replace("\\\"", "\""),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_have_names_types_and_text() {
        let text = "Content-Type: multipart/mixed; boundary=\"a; b\"\n\nfor nobody\n--a; b\nContent-Type: TEXT/Plain; charset=koi8-r\n\
                    Content-Transfer-Encoding: base64\n\n8M/T1A==\n--a; b  \nContent-Type: image/png; name=\"a;b.png\"\n\n1\n\n--a; b\n\
                    --a; b\nContent-Disposition: attachment; filename=\"a \\\"b\\\".txt\"\n\n2\n--a; b--\nnor this\n";
        let mail = read(text.as_bytes(), &Limits::DEFAULT).unwrap();
        assert_eq!(mail.body, "Пост");
        let shown = |part: &Part| (part.content_type().into_owned(), part.file_name(), part.is_attachment());
        assert_eq!(
            mail.parts.iter().map(shown).collect::<Vec<_>>(),
            [
                ("text/plain".to_owned(), None, false),
                ("image/png".to_owned(), Some("a;b.png".to_owned()), false),
                ("text/plain".to_owned(), Some("a \"b\".txt".to_owned()), true),
            ]
        );
        assert_eq!(mail.parts.iter().map(Part::content).collect::<Vec<_>>(), [&b"\xf0\xcf\xd3\xd4"[..], b"1\n", b"2"]);
    }

    #[test]
    fn a_mail_without_its_boundary_is_all_body() {
        for head in ["Content-Type: multipart/mixed\n\n", "Content-Type: multipart/mixed; boundary=b\n\n"] {
            let text = format!("{head}Only text.\n--b--\nMore.\n");
            let mail = read(text.as_bytes(), &Limits::DEFAULT).unwrap();
            assert_eq!(mail.body, "Only text.\n--b--\nMore.\n");
        }
    }
}
