//! The one pass over a document that checks it and builds its index.

mod cursor;
mod tags;

use bytes::Bytes;
use hop_core::{Error, ErrorKind, Limits, Location};

use super::chars::{self, SPACE, TEXT_STOP};
use super::encoding::Decoded;
use super::write::local_name;
use super::{Document, Kind, Name, Node, SUBJECT, declaration, reference};

/// No deeper than this, whatever the limits say: values made of a document are walked by recursion elsewhere.
const DEEPEST: usize = 1000;

/// The root element that a document must have, by its local name, and the error for another.
pub(super) type Root<'r> = (&'r str, fn(&str) -> Error);

pub(super) fn read(decoded: Decoded, limits: &Limits, root: Option<Root<'_>>) -> Result<Document, Error> {
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
    reader.document(root)?;
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
    fn document(&mut self, root: Option<Root<'_>>) -> Result<(), Error> {
        if let Some(declaration) = declaration::read(self.text, self.at)? {
            self.at = declaration.end;
        }
        match root {
            Some((name, other)) => {
                self.miscellany("`<VOEvent`")?;
                self.root_is(name, other)?;
            }
            None => self.miscellany("an element")?,
        }
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
}

/// Where `needle` starts.
fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, needle)
}
