//! The one pass over a document that checks it and builds its index.

use std::borrow::Cow;
use std::collections::HashSet;

use bytes::Bytes;
use hop_core::{Error, ErrorKind, Limits, Location, excerpt};

use super::chars::{self, NAME, NAME_START, SPACE, TEXT_STOP, VALUE_STOP};
use super::encoding::Decoded;
use super::write::local_name;
use super::{Document, Kind, Name, Node, SUBJECT, declaration, reference};

/// No deeper than this, whatever the limits say: values made of a document are walked by recursion elsewhere.
const DEEPEST: usize = 1000;

/// Up to this many attributes of one element are compared with each other; beyond, by hashing.
const WALKED: usize = 16;

pub(super) fn read(decoded: Decoded, limits: &Limits, root: &str, other: fn(&str) -> Error) -> Result<Document, Error> {
    let Decoded { text, start } = decoded;
    // Offsets are kept in 32 bits.
    if u32::try_from(text.len()).is_err() {
        return Err(Error::new(ErrorKind::Limit, SUBJECT)
            .expected(format!("at most {} bytes of text", u32::MAX))
            .found(format!("{} bytes", text.len())));
    }
    let mut reader = Reader {
        text: &text,
        at: start,
        // A guess for a GCN notice; what is larger grows by doubling.
        nodes: Vec::with_capacity(text.len() / 40 + 4),
        attributes: Vec::with_capacity(text.len() / 32 + 4),
        open: Vec::with_capacity(16),
        left: limits.nodes,
        deepest: limits.depth.min(DEEPEST),
    };
    if let Some(at) = chars::first_forbidden(&text) {
        reader.at = at;
        return Err(reader.error("a character that XML allows"));
    }
    reader.document(root, other)?;
    let Reader { nodes, attributes, .. } = reader;
    Ok(Document { text: Bytes::clone(&text), nodes, attributes })
}

struct Reader<'t> {
    text: &'t [u8],
    at: usize,
    nodes: Vec<Node>,
    attributes: Vec<Name>,
    open: Vec<Open>,
    /// How many more nodes and attributes there may be.
    left: usize,
    deepest: usize,
}

/// An element whose end tag has not come yet.
struct Open {
    node: usize,
    /// Text other than white space has come: white space between it and more counts.
    has_text: bool,
}

impl Reader<'_> {
    fn document(&mut self, root: &str, other: fn(&str) -> Error) -> Result<(), Error> {
        if let Some(declaration) = declaration::read(self.text, self.at)? {
            self.at = declaration.end;
        }
        self.miscellany("`<VOEvent`")?;
        self.root_is(root, other)?;
        self.start_tag()?;
        while !self.open.is_empty() {
            self.text_run()?;
            match self.text.get(self.at + 1) {
                Some(b'/') => self.end_tag()?,
                Some(b'?') => self.instruction()?,
                Some(b'!') if self.rest().starts_with(b"<!--") => self.comment()?,
                Some(b'!') if self.rest().starts_with(b"<![CDATA[") => self.cdata()?,
                Some(b'!') => return Err(self.error("`<!--` or `<![CDATA[`")),
                _ => self.start_tag()?,
            }
        }
        self.miscellany("nothing after the end of the root element")
    }

    /// Comments, processing instructions and white space, around the root element.
    fn miscellany(&mut self, expected: &'static str) -> Result<(), Error> {
        loop {
            self.space();
            let rest = self.rest();
            if rest.starts_with(b"<!--") {
                self.comment()?;
            } else if rest.starts_with(b"<?") {
                self.instruction()?;
            } else if rest.starts_with(b"<!DOCTYPE") {
                return Err(self.document_type());
            } else {
                let before_root = self.nodes.is_empty();
                let next = if before_root { rest.first() == Some(&b'<') } else { rest.is_empty() };
                return if next { Ok(()) } else { Err(self.error(expected)) };
            }
        }
    }

    /// Looks at the name of the root before anything else is read, so that other documents are named as what they are.
    fn root_is(&mut self, root: &str, other: fn(&str) -> Error) -> Result<(), Error> {
        let start = self.at;
        self.at += 1;
        let (from, to) = self.name("the name of an element")?;
        let name = std::str::from_utf8(&self.text[from..to]).unwrap_or_default();
        if local_name(name) != root {
            return Err(other(local_name(name)).at(Location::in_text(self.text, start)));
        }
        self.at = start;
        Ok(())
    }

    /// Text up to the next `<`.
    fn text_run(&mut self) -> Result<(), Error> {
        let start = self.at;
        let mut kind = Kind::Plain;
        let mut blank = true;
        // White space between elements is most of the text there is.
        self.run(|byte| chars::is(byte, SPACE) && byte != b'\r');
        loop {
            let plain = self.run(|byte| !chars::is(byte, TEXT_STOP));
            blank = blank && plain == 0;
            match self.peek() {
                Some(b'<') => break,
                Some(b'\r') => {
                    kind = Kind::Escaped;
                    self.at += 1;
                    self.space();
                }
                Some(b'&') => {
                    kind = Kind::Escaped;
                    blank = false;
                    self.reference()?;
                }
                Some(_) => {
                    blank = false;
                    if self.rest().starts_with(b"]]>") {
                        return Err(self.error("`]]&gt;`, as `]]>` ends a CDATA section"));
                    }
                    self.at += 1;
                }
                None => return Err(self.unfinished()),
            }
        }
        if self.at > start {
            self.push_text(kind, start, self.at, blank)?;
        }
        Ok(())
    }

    fn push_text(&mut self, kind: Kind, start: usize, end: usize, blank: bool) -> Result<(), Error> {
        let Some(open) = self.open.last_mut() else { return Ok(()) };
        // White space that no text comes before is never part of what an element says.
        if blank && !open.has_text {
            return Ok(());
        }
        open.has_text = true;
        let next = self.nodes.len() + 1;
        self.push_node(kind, start, end, next)
    }

    fn push_node(&mut self, kind: Kind, start: usize, end: usize, next: usize) -> Result<(), Error> {
        self.count()?;
        // The length fits 32 bits, and there are fewer nodes and attributes than bytes.
        let (start, end, next, attributes) = (start as u32, end as u32, next as u32, self.attributes.len() as u32);
        self.nodes.push(Node { kind, start, end, next, attributes });
        Ok(())
    }

    fn start_tag(&mut self) -> Result<(), Error> {
        let tag = self.at;
        if self.open.len() >= self.deepest {
            return Err(self.limit(format!("elements at most {} deep", self.deepest), "depth"));
        }
        self.at += 1;
        let (start, end) = self.name("the name of an element")?;
        let node = self.nodes.len();
        self.push_node(Kind::Element, start, end, 0)?;
        let first = self.attributes.len();
        loop {
            let spaced = self.space();
            match self.peek() {
                Some(b'>') => {
                    self.at += 1;
                    self.open.push(Open { node, has_text: false });
                    break;
                }
                Some(b'/') => {
                    self.at += 1;
                    if self.peek() != Some(b'>') {
                        return Err(self.error("`>` after `/`"));
                    }
                    self.at += 1;
                    self.close(node);
                    break;
                }
                Some(_) if spaced => self.attribute()?,
                Some(_) => return Err(self.error("white space, `/>` or `>`")),
                None => {
                    self.at = tag;
                    return Err(self.error("a tag that is closed with `>`"));
                }
            }
        }
        self.attributes_differ(first)
    }

    fn attribute(&mut self) -> Result<(), Error> {
        self.count()?;
        let (name_start, name_end) = self.name("an attribute, `/>` or `>`")?;
        self.space();
        if self.peek() != Some(b'=') {
            return Err(self.error("`=` and a value in quotes after the name of the attribute"));
        }
        self.at += 1;
        self.space();
        let quote = match self.peek() {
            Some(quote @ (b'"' | b'\'')) => quote,
            _ => return Err(self.error("a quote before the value of the attribute")),
        };
        let opened = self.at;
        self.at += 1;
        let value_start = self.at;
        let mut escaped = false;
        loop {
            self.run(|byte| !chars::is(byte, VALUE_STOP));
            match self.peek() {
                Some(byte) if byte == quote => break,
                Some(b'"' | b'\'') => self.at += 1,
                Some(b'<') => return Err(self.error("`&lt;` or the closing quote in the value of an attribute")),
                Some(b'&') => {
                    escaped = true;
                    self.reference()?;
                }
                Some(_) => {
                    escaped = true;
                    self.at += 1;
                }
                None => {
                    self.at = opened;
                    return Err(self.error("a value with a closing quote"));
                }
            }
        }
        let value_end = self.at;
        self.at += 1;
        self.attributes.push(Name {
            name_start: name_start as u32,
            name_end: name_end as u32,
            value_start: value_start as u32,
            value_end: value_end as u32,
            escaped,
        });
        Ok(())
    }

    /// Refuses an attribute that comes twice among those from `first` on.
    fn attributes_differ(&mut self, first: usize) -> Result<(), Error> {
        let text = self.text;
        let name = |attribute: &Name| &text[attribute.name_start as usize..attribute.name_end as usize];
        let these = &self.attributes[first..];
        let twice = if these.len() <= WALKED {
            these.iter().enumerate().find(|(at, this)| these[..*at].iter().any(|other| name(other) == name(this)))
        } else {
            let mut seen = HashSet::with_capacity(these.len());
            these.iter().enumerate().find(|(_, this)| !seen.insert(name(this)))
        };
        match twice {
            None => Ok(()),
            Some((_, attribute)) => {
                self.at = attribute.name_start as usize;
                Err(self.error("each attribute once"))
            }
        }
    }

    fn end_tag(&mut self) -> Result<(), Error> {
        let Some(open) = self.open.last() else { return Err(self.error("a start tag")) };
        let node = open.node;
        let (start, end) = self.nodes.get(node).map_or((0, 0), |node| (node.start as usize, node.end as usize));
        let name = &self.text[start..end];
        let rest = &self.text[self.at + 2..];
        let ends =
            rest.starts_with(name) && rest.get(name.len()).is_none_or(|byte| chars::is(*byte, SPACE) || *byte == b'>');
        if !ends {
            return Err(self.unfinished());
        }
        self.at += 2 + name.len();
        self.space();
        if self.peek() != Some(b'>') {
            return Err(self.error("`>` at the end of the tag"));
        }
        self.at += 1;
        self.open.pop();
        self.close(node);
        Ok(())
    }

    /// All that `node` holds has been read.
    fn close(&mut self, node: usize) {
        let next = self.nodes.len() as u32;
        if let Some(node) = self.nodes.get_mut(node) {
            node.next = next;
        }
    }

    fn cdata(&mut self) -> Result<(), Error> {
        let opened = self.at;
        self.at += b"<![CDATA[".len();
        let start = self.at;
        let Some(length) = find(self.rest(), b"]]>") else {
            self.at = opened;
            return Err(self.error("a CDATA section that is closed with `]]>`"));
        };
        self.at += length + 3;
        self.push_text(Kind::CData, start, start + length, length == 0)
    }

    fn comment(&mut self) -> Result<(), Error> {
        let opened = self.at;
        self.at += b"<!--".len();
        let Some(length) = find(self.rest(), b"--") else {
            self.at = opened;
            return Err(self.error("a comment that is closed with `-->`"));
        };
        self.at += length;
        if !self.rest().starts_with(b"-->") {
            return Err(self.error("`-->`, as a comment may not hold `--`"));
        }
        self.at += 3;
        Ok(())
    }

    fn instruction(&mut self) -> Result<(), Error> {
        let opened = self.at;
        self.at += 2;
        let (start, end) = self.name("the target of a processing instruction")?;
        if self.text[start..end].eq_ignore_ascii_case(b"xml") {
            self.at = opened;
            return Err(self.error("the XML declaration before everything else, in lower case, and once"));
        }
        if !self.space() && !self.rest().starts_with(b"?>") {
            return Err(self.error("white space or `?>` after the target"));
        }
        let Some(length) = find(self.rest(), b"?>") else {
            self.at = opened;
            return Err(self.error("a processing instruction that is closed with `?>`"));
        };
        self.at += length + 2;
        Ok(())
    }

    fn reference(&mut self) -> Result<(), Error> {
        match reference::parse(self.rest()) {
            Ok((_, length)) => {
                self.at += length;
                Ok(())
            }
            Err(expected) => Err(self.error(expected)),
        }
    }

    /// The name that stands here, as its offsets.
    fn name(&mut self, expected: &'static str) -> Result<(usize, usize), Error> {
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
    fn wide_name_char(&mut self, allowed: fn(char) -> bool) -> bool {
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
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    #[inline]
    fn rest(&self) -> &[u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Skips white space; whether there was any.
    #[inline]
    fn space(&mut self) -> bool {
        self.run(|byte| chars::is(byte, SPACE)) > 0
    }

    /// Steps over the bytes that `go_on` says; how many there were.
    #[inline(always)]
    fn run(&mut self, go_on: impl Fn(u8) -> bool) -> usize {
        let rest = self.rest();
        let length = rest.iter().position(|byte| !go_on(*byte)).unwrap_or(rest.len());
        self.at += length;
        length
    }

    #[inline]
    fn count(&mut self) -> Result<(), Error> {
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(self.limit("fewer elements, texts and attributes".to_owned(), "nodes")),
        }
    }

    #[cold]
    fn error(&self, expected: impl Into<Cow<'static, str>>) -> Error {
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
    fn unfinished(&self) -> Error {
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
    fn limit(&self, expected: String, name: &str) -> Error {
        Error::new(ErrorKind::Limit, SUBJECT)
            .expected(expected)
            .found("more")
            .at(Location::in_text(self.text, self.at))
            .help(format!("`Limits::{name}` sets the bound"))
    }

    #[cold]
    fn document_type(&mut self) -> Error {
        let at = Location::in_text(self.text, self.at);
        self.at += b"<!DOCTYPE".len();
        self.space();
        let name = self.name("").map_or(&b""[..], |(from, to)| &self.text[from..to]);
        Error::new(ErrorKind::Unsupported, SUBJECT)
            .expected("a VOEvent without a document type declaration")
            .found(format!("`<!DOCTYPE` of {}", excerpt(name)))
            .at(at)
            .help("VOEvents have none, and the entities it declares are not read; take it out, or read the message as `blob`")
    }
}

/// Where `needle` starts.
fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, needle)
}
