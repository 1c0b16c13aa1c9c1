//! `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`, which stands first or not at all.

use hop_core::{Error, ErrorKind, Location, excerpt};

use super::SUBJECT;
use super::chars::{self, NAME, SPACE};

/// The XML declaration of a document.
#[derive(Debug)]
pub(super) struct Declaration<'t> {
    /// The encoding as written, not empty.
    pub(super) encoding: Option<&'t str>,
    /// Where the declaration ends.
    pub(super) end: usize,
}

/// The declaration at `start`, `None` where something else stands there.
pub(super) fn read(text: &[u8], start: usize) -> Result<Option<Declaration<'_>>, Error> {
    let is_declaration = text.get(start..).is_some_and(|rest| rest.starts_with(b"<?xml"))
        && text.get(start + 5).is_some_and(|byte| chars::is(*byte, SPACE) || *byte == b'?');
    if !is_declaration {
        return Ok(None);
    }
    let mut reader = Reader { text, at: start + 5 };
    reader.space();
    let version = reader.pseudo_attribute("version")?.ok_or_else(|| reader.error("`version=\"1.0\"`"))?;
    // Which version is not looked at, as in expat: where it says `2.0`, VOEvent's is meant.
    if !version.bytes().all(|byte| chars::is(byte, NAME)) {
        return Err(reader.error("the version `1.0`"));
    }
    let mut spaced = reader.space();
    let encoding = if spaced { reader.pseudo_attribute("encoding")? } else { None };
    if let Some(name) = encoding {
        let well_formed = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
        if !well_formed {
            return Err(reader.error("the name of an encoding"));
        }
        spaced = reader.space();
    }
    let standalone = if spaced { reader.pseudo_attribute("standalone")? } else { None };
    if let Some(word) = standalone {
        if !matches!(word, "yes" | "no") {
            return Err(reader.error("`standalone` to be `yes` or `no`"));
        }
        reader.space();
    }
    if !text[reader.at..].starts_with(b"?>") {
        return Err(reader.error("`?>` at the end of the XML declaration"));
    }
    Ok(Some(Declaration { encoding, end: reader.at + 2 }))
}

struct Reader<'t> {
    text: &'t [u8],
    at: usize,
}

impl<'t> Reader<'t> {
    /// Skips white space; whether there was any.
    fn space(&mut self) -> bool {
        let from = self.at;
        while self.text.get(self.at).is_some_and(|byte| chars::is(*byte, SPACE)) {
            self.at += 1;
        }
        self.at > from
    }

    /// The value of `name`, if that is what comes next.
    fn pseudo_attribute(&mut self, name: &str) -> Result<Option<&'t str>, Error> {
        if !self.text[self.at..].starts_with(name.as_bytes()) {
            return Ok(None);
        }
        self.at += name.len();
        self.space();
        if self.text.get(self.at) != Some(&b'=') {
            return Err(self.error("`=`"));
        }
        self.at += 1;
        self.space();
        let quote = match self.text.get(self.at) {
            Some(quote @ (b'"' | b'\'')) => *quote,
            _ => return Err(self.error("a quote")),
        };
        let value = &self.text[self.at + 1..];
        // The longest of these values is a dozen bytes.
        let length = value.iter().take(64).position(|byte| *byte == quote);
        let value = length.and_then(|length| std::str::from_utf8(&value[..length]).ok());
        let value = value.ok_or_else(|| self.error("a short value in quotes"))?;
        self.at += value.len() + 2;
        Ok(Some(value))
    }

    #[cold]
    fn error(&self, expected: &'static str) -> Error {
        let rest = &self.text[self.at.min(self.text.len())..];
        Error::new(ErrorKind::Malformed, SUBJECT)
            .expected(expected)
            .found(if rest.is_empty() {
                "the end of the content".to_owned()
            } else {
                excerpt(&rest[..rest.len().min(16)])
            })
            .at(Location::in_text(self.text, self.at))
    }
}
