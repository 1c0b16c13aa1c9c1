//! XML as far as alerts need it: a reader as strict as expat, and a flat index over the text.
//!
//! [`Document::read`] goes over the content once and keeps where each element, attribute and text stands; the text itself is
//! shared, not copied, and references in it are replaced when it is asked for. Nothing here recurses, so nesting costs no
//! stack.
//!
//! Standards: [XML 1.0, fifth edition](https://www.w3.org/TR/xml/), read without namespaces: `voe:Who` is a name with a
//! colon in it, and [`Element::name`] is what stands after the last one.

mod chars;
mod declaration;
mod element;
mod encoding;
mod reader;
mod reference;
mod write;

use bytes::Bytes;
#[cfg(feature = "xml")]
use hop_core::Limits;
use hop_core::{Content, Error};

pub(crate) use self::chars::{is_allowed, is_name};
pub(crate) use self::element::Step;
pub use self::element::{Attribute, Attributes, Children, Element};
pub(crate) use self::write::Writer;

/// What errors are about.
pub(crate) const SUBJECT: &str = "voevent";

/// A document that is well formed, as a flat index over its text.
#[derive(Clone)]
pub(crate) struct Document {
    /// UTF-8, checked; what was received where that is UTF-8.
    text: Bytes,
    /// In document order: the root element first, each followed by what it holds.
    nodes: Vec<Node>,
    /// In document order; those of one element stand together.
    attributes: Vec<Name>,
}

/// An element, or a piece of text.
#[derive(Debug, Clone, Copy)]
struct Node {
    kind: Kind,
    /// Where the element's name or the text starts and ends.
    start: u32,
    end: u32,
    /// The node that comes after this one and all it holds.
    next: u32,
    /// How many attributes there are before this node's.
    attributes: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Element,
    /// Text to take as it stands.
    Plain,
    /// Text with references or line ends in it.
    Escaped,
    /// A CDATA section.
    CData,
}

/// An attribute.
#[derive(Debug, Clone, Copy)]
struct Name {
    name_start: u32,
    name_end: u32,
    value_start: u32,
    value_end: u32,
    /// The value has references or white space other than spaces in it.
    escaped: bool,
}

impl Document {
    /// The index of `content`, whose root element must be of the local name `root`.
    ///
    /// `other` makes the error for another root from its local name.
    ///
    /// # Errors
    /// Kind `Malformed` with line and column where it is not well formed; kind `Unsupported` for another root, a document
    /// type declaration and an encoding that is not read; kind `Limit` beyond the content's limits.
    pub(crate) fn read(content: Content<'_>, root: &str, other: fn(&str) -> Error) -> Result<Self, Error> {
        let decoded = encoding::decode(content)?;
        reader::read(decoded, content.limits(), Some((root, other)))
    }

    /// The text of `content` as UTF-8, known to be a well-formed document of any root, for another reader to go over.
    ///
    /// # Errors
    /// As those of [`read`](Self::read), but for the root; and with a fourth of the elements, texts and attributes.
    #[cfg(feature = "xml")]
    pub(crate) fn check(content: Content<'_>) -> Result<Bytes, Error> {
        /// How many times as long the other reader takes.
        const COST_OF_READING_AGAIN: usize = 4;
        let decoded = encoding::decode(content)?;
        let start = decoded.start;
        let limits = Limits { nodes: content.limits().nodes / COST_OF_READING_AGAIN, ..content.limits().clone() };
        Ok(reader::read(decoded, &limits, None)?.text.slice(start..))
    }

    /// The root element.
    pub(crate) fn root(&self) -> Element<'_> {
        Element::new(self, 0)
    }

    /// The text at these offsets, which the reader has put at the boundaries of characters.
    fn slice(&self, start: u32, end: u32) -> &str {
        std::str::from_utf8(self.bytes(start, end)).unwrap_or_default()
    }

    fn bytes(&self, start: u32, end: u32) -> &[u8] {
        self.text.get(start as usize..end as usize).unwrap_or_default()
    }

    fn node(&self, at: usize) -> Option<&Node> {
        self.nodes.get(at)
    }
}
