//! Elements and attributes, as views into a document.

use std::borrow::Cow;
use std::fmt;

use hop_core::Location;

use super::write::local_name;
use super::{Document, Kind, Name, reference};

/// An element of an event as it was sent, whatever its name: for what has no accessor of its own.
///
/// It is a view: it borrows from the event, and copying it copies a pointer.
#[derive(Clone, Copy)]
pub struct Element<'a> {
    document: &'a Document,
    at: usize,
}

impl<'a> Element<'a> {
    pub(super) fn new(document: &'a Document, at: usize) -> Self {
        Self { document, at }
    }

    /// The name without its prefix: `Param`.
    pub fn name(self) -> &'a str {
        local_name(self.qualified_name())
    }

    /// The name as sent: `voe:Param` where there is a prefix.
    pub fn qualified_name(self) -> &'a str {
        self.document.node(self.at).map_or("", |node| self.document.slice(node.start, node.end))
    }

    /// Whether the name without its prefix is `name`; this does not look at what the bytes say as characters.
    pub(crate) fn is(self, name: &str) -> bool {
        let qualified = self.document.node(self.at).map_or(&b""[..], |node| self.document.bytes(node.start, node.end));
        has_local_name(qualified, name)
    }

    /// The value of the attribute `name`; first one so called, then one with any prefix.
    pub fn attribute(self, name: &str) -> Option<Cow<'a, str>> {
        let mut prefixed = None;
        for attribute in self.attributes() {
            let qualified = self.document.bytes(attribute.offsets.name_start, attribute.offsets.name_end);
            if qualified == name.as_bytes() {
                return Some(attribute.value());
            }
            if prefixed.is_none() && has_local_name(qualified, name) && !attribute.is_declaration() {
                prefixed = Some(attribute);
            }
        }
        prefixed.map(Attribute::value)
    }

    /// The attributes in the order they were sent.
    pub fn attributes(self) -> Attributes<'a> {
        let start = self.document.node(self.at).map_or(0, |node| node.attributes as usize);
        let end =
            self.document.node(self.at + 1).map_or(self.document.attributes.len(), |node| node.attributes as usize);
        let these = self.document.attributes.get(start..end).unwrap_or_default();
        Attributes { document: self.document, rest: these.iter() }
    }

    /// The elements in this one, in document order, whatever their names.
    pub fn children(self) -> Children<'a> {
        Children { document: self.document, at: self.at + 1, end: self.end() }
    }

    /// The elements in this one that are called `name` (without a prefix), in document order.
    pub fn children_named<'n>(self, name: &'n str) -> impl Iterator<Item = Element<'a>> + use<'a, 'n> {
        self.children().filter(move |child| child.is(name))
    }

    /// The first element in this one that is called `name`.
    pub fn child(self, name: &str) -> Option<Element<'a>> {
        self.children().find(|child| child.is(name))
    }

    /// All elements in this one, at any depth, in document order.
    pub fn descendants(self) -> impl Iterator<Item = Element<'a>> {
        let document = self.document;
        let is_element = move |at: &usize| document.node(*at).is_some_and(|node| node.kind == Kind::Element);
        (self.at + 1..self.end()).filter(is_element).map(move |at| Element::new(document, at))
    }

    /// The text of this element without that of the elements in it: pieces joined, white space around it left out; `None`
    /// where there is no more than white space.
    pub fn text(self) -> Option<Cow<'a, str>> {
        let mut whole: Option<Cow<'a, str>> = None;
        let (mut at, end) = (self.at + 1, self.end());
        while at < end {
            let Some(node) = self.document.node(at) else { break };
            if let Some(piece) = self.document.text_of(at) {
                match &mut whole {
                    None => whole = Some(piece),
                    Some(text) => text.to_mut().push_str(&piece),
                }
            }
            at = (node.next as usize).max(at + 1);
        }
        whole.and_then(trimmed)
    }

    /// Returns where the name of this element stands in the text.
    pub(crate) fn location(self) -> Location {
        let start = self.document.node(self.at).map_or(0, |node| node.start as usize);
        Location::in_text(&self.document.text, start)
    }

    /// Whether characters follow the start tag, white space included, comments and instructions aside. White space between
    /// elements is not in the index, so the text is looked at.
    pub(crate) fn has_characters(self) -> bool {
        let Some(node) = self.document.node(self.at) else { return false };
        let Some(mut rest) = self.document.text.get(node.end as usize..) else { return false };
        let mut quote = None;
        let end = rest.iter().position(|byte| match quote {
            Some(open) => {
                if *byte == open {
                    quote = None;
                }
                false
            }
            None => {
                if matches!(byte, b'"' | b'\'') {
                    quote = Some(*byte);
                }
                *byte == b'>'
            }
        });
        let Some(end) = end else { return false };
        if end > 0 && rest.get(end - 1) == Some(&b'/') {
            return false;
        }
        rest = rest.get(end + 1..).unwrap_or_default();
        loop {
            let close: &[u8] = if rest.starts_with(b"<!--") {
                b"-->"
            } else if rest.starts_with(b"<?") {
                b"?>"
            } else {
                return rest.starts_with(b"<![CDATA[") || !rest.starts_with(b"<");
            };
            let Some(at) = memchr::memmem::find(rest, close) else { return false };
            rest = rest.get(at + close.len()..).unwrap_or_default();
        }
    }

    /// Where the nodes of this element end.
    fn end(self) -> usize {
        self.document.node(self.at).map_or(0, |node| node.next as usize)
    }
}

/// Whether the part of `qualified` after its last colon is `name`.
#[inline]
fn has_local_name(qualified: &[u8], name: &str) -> bool {
    match qualified.strip_suffix(name.as_bytes()) {
        Some(prefix) => prefix.is_empty() || (prefix.ends_with(b":") && !name.is_empty()),
        None => false,
    }
}

/// Text without the white space around it, `None` where nothing is left.
fn trimmed(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
    let trimmed = match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) if text.trim().len() == text.len() => Cow::Owned(text),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    };
    if trimmed.is_empty() { None } else { Some(trimmed) }
}

impl fmt::Debug for Element<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}", self.qualified_name())?;
        for attribute in self.attributes() {
            write!(f, " {attribute:?}")?;
        }
        f.write_str(">")
    }
}

/// An attribute of an [`Element`].
#[derive(Clone, Copy)]
pub struct Attribute<'a> {
    document: &'a Document,
    offsets: &'a Name,
}

impl<'a> Attribute<'a> {
    /// The name without its prefix: `href`.
    pub fn name(self) -> &'a str {
        local_name(self.qualified_name())
    }

    /// The name as sent: `xlink:href`.
    pub fn qualified_name(self) -> &'a str {
        self.document.slice(self.offsets.name_start, self.offsets.name_end)
    }

    /// The prefix of the name, if it has one.
    pub fn prefix(self) -> Option<&'a str> {
        self.split().0
    }

    /// The prefix and the name, where there is a prefix; the whole name, where there is none.
    pub(crate) fn split(self) -> (Option<&'a str>, &'a str) {
        let qualified = self.qualified_name();
        let local = local_name(qualified);
        let prefix = qualified.strip_suffix(local).and_then(|prefix| prefix.strip_suffix(':'));
        (prefix, local)
    }

    /// The value, references in it replaced.
    pub fn value(self) -> Cow<'a, str> {
        let raw = self.document.slice(self.offsets.value_start, self.offsets.value_end);
        if self.offsets.escaped { reference::value(raw).into() } else { raw.into() }
    }

    /// Whether this declares a namespace: `xmlns` and `xmlns:…`.
    pub fn is_declaration(self) -> bool {
        let name = self.document.bytes(self.offsets.name_start, self.offsets.name_end);
        name == b"xmlns" || name.starts_with(b"xmlns:")
    }
}

impl fmt::Debug for Attribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={:?}", self.qualified_name(), self.value())
    }
}

/// The attributes of an element; see [`Element::attributes`].
#[derive(Clone)]
pub struct Attributes<'a> {
    document: &'a Document,
    rest: std::slice::Iter<'a, Name>,
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Attribute<'a>> {
        Some(Attribute { document: self.document, offsets: self.rest.next()? })
    }
}

impl fmt::Debug for Attributes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

/// The elements in an element; see [`Element::children`].
#[derive(Clone)]
pub struct Children<'a> {
    document: &'a Document,
    at: usize,
    end: usize,
}

impl<'a> Iterator for Children<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        while self.at < self.end {
            let at = self.at;
            let node = self.document.node(at)?;
            self.at = (node.next as usize).max(at + 1);
            if node.kind == Kind::Element {
                return Some(Element::new(self.document, at));
            }
        }
        None
    }
}

impl fmt::Debug for Children<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

/// One step of a walk over all of an element.
pub(crate) enum Step<'a> {
    Element { element: Element<'a>, end: usize },
    Text(Cow<'a, str>),
}

impl Document {
    /// The text of the node `at`, references replaced, `None` where it is an element.
    pub(super) fn text_of(&self, at: usize) -> Option<Cow<'_, str>> {
        let node = self.node(at)?;
        let raw = || self.slice(node.start, node.end);
        match node.kind {
            Kind::Element => None,
            Kind::Plain => Some(raw().into()),
            Kind::Escaped => Some(reference::text(raw()).into()),
            Kind::CData => Some(reference::cdata(raw())),
        }
    }

    /// The node `at` in document order, for walks that keep their own stack; `None` after the last.
    pub(crate) fn step(&self, at: usize) -> Option<Step<'_>> {
        let node = self.node(at)?;
        Some(match self.text_of(at) {
            Some(text) => Step::Text(text),
            None => Step::Element { element: Element::new(self, at), end: node.next as usize },
        })
    }
}
