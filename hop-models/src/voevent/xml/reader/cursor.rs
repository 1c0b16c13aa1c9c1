//! Names, white space and the errors: what every part of the reader stands on.

use std::borrow::Cow;

use hop_core::{Error, ErrorKind, Location, excerpt};

use super::Reader;
use crate::voevent::xml::SUBJECT;
use crate::voevent::xml::chars::{self, NAME, NAME_START, SPACE};

impl Reader<'_> {
    /// The name that stands here, as its offsets.
    pub(super) fn name(&mut self, expected: &'static str) -> Result<(usize, usize), Error> {
        let start = self.at;
        match self.peek() {
            Some(byte) if chars::is(byte, NAME_START) => self.at += 1,
            Some(0x80..) => {
                if !self.wide_name_char(chars::starts_name) {
                    return Err(self.error(expected));
                }
            }
            _ => return Err(self.error(expected)),
        }
        loop {
            self.run(|byte| chars::is(byte, NAME));
            match self.peek() {
                Some(0x80..) => {
                    if !self.wide_name_char(chars::continues_name) {
                        return Err(self.error("a character that names may hold"));
                    }
                }
                _ => return Ok((start, self.at)),
            }
        }
    }

    /// Steps over a character beyond ASCII, if it is `allowed`.
    pub(super) fn wide_name_char(&mut self, allowed: fn(char) -> bool) -> bool {
        let rest = self.rest();
        let longest = rest.get(..4).unwrap_or(rest);
        let c = longest.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next());
        match c {
            Some(c) if allowed(c) => {
                self.at += c.len_utf8();
                true
            }
            _ => false,
        }
    }

    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    #[inline]
    pub(super) fn rest(&self) -> &[u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Skips white space; whether there was any.
    #[inline]
    pub(super) fn space(&mut self) -> bool {
        self.run(|byte| chars::is(byte, SPACE)) > 0
    }

    /// Steps over the bytes that `go_on` says; how many there were.
    #[inline(always)]
    pub(super) fn run(&mut self, go_on: impl Fn(u8) -> bool) -> usize {
        let rest = self.rest();
        let length = rest.iter().position(|byte| !go_on(*byte)).unwrap_or(rest.len());
        self.at += length;
        length
    }

    #[inline]
    pub(super) fn count(&mut self) -> Result<(), Error> {
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(self.limit("fewer elements, texts and attributes".to_owned(), "nodes")),
        }
    }

    #[cold]
    pub(super) fn error(&self, expected: impl Into<Cow<'static, str>>) -> Error {
        let rest = self.rest();
        let found = match rest.len() {
            0 => "the end of the content".to_owned(),
            length => excerpt(&rest[..length.min(24)]),
        };
        Error::new(ErrorKind::Malformed, SUBJECT)
            .expected(expected)
            .found(found)
            .at(Location::in_text(self.text, self.at))
    }

    /// Something else than the end of the innermost element.
    #[cold]
    pub(super) fn unfinished(&self) -> Error {
        let node = self.open.last().and_then(|open| self.nodes.get(open.node));
        let Some(node) = node else { return self.error("`</`") };
        let name = &self.text[node.start as usize..node.end as usize];
        let opened = Location::in_text(self.text, node.start as usize);
        let error = self.error(format!("`</{}>`", excerpt(name).trim_matches('`')));
        match opened {
            Location::Text { line, .. } => error.help(format!("it was opened on line {line}")),
            _ => error,
        }
    }

    #[cold]
    pub(super) fn limit(&self, expected: String, name: &str) -> Error {
        Error::new(ErrorKind::Limit, SUBJECT)
            .expected(expected)
            .found("more")
            .at(Location::in_text(self.text, self.at))
            .help(format!("`Limits::{name}` sets the bound"))
    }

    #[cold]
    pub(super) fn document_type(&mut self) -> Error {
        let at = Location::in_text(self.text, self.at);
        self.at += b"<!DOCTYPE".len();
        self.space();
        let name = self.name("").map_or(&b""[..], |(from, to)| &self.text[from..to]);
        Error::new(ErrorKind::Unsupported, SUBJECT)
            .expected("XML without a document type declaration")
            .found(format!("`<!DOCTYPE` of {}", excerpt(name)))
            .at(at)
            .help("alerts have none, and the entities it declares are not read; take it out, or read the message as `blob`")
    }
}
