//! VOEvent packets: what IVOA's standard says of a transient, in XML.

mod dictionary;
mod legacy;
mod sniff;
mod xml;

use bytes::Bytes;
use hop_core::{Content, Error, MessageModel, Value};

pub use self::xml::{Attribute, Attributes, Children, Element};
use self::xml::Document;

/// The local name of the root element.
const ROOT: &str = "VOEvent";

/// An event, as the bytes received and an index over them.
#[derive(Clone)]
pub struct VoEvent {
    document: Document,
    /// What was received; what was written here, where that was no XML.
    content: Bytes,
    /// The dictionary, where that was received.
    dictionary: Option<Box<Value>>,
}

impl VoEvent {
    /// The root element, for what has no accessor of its own.
    pub fn root(&self) -> Element<'_> {
        self.document.root()
    }

    /// The XML, byte for byte as received.
    pub fn as_bytes(&self) -> &Bytes {
        &self.content
    }
}

impl std::fmt::Debug for VoEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VoEvent").field("root", &self.root()).field("bytes", &self.content.len()).finish()
    }
}

impl MessageModel for VoEvent {
    const FORMAT: &'static str = xml::SUBJECT;

    fn decode(content: Content<'_>) -> Result<Self, Error> {
        content.check_size(Self::FORMAT)?;
        match sniff::kind(&content)? {
            sniff::Kind::Json => legacy::decode(content),
            sniff::Kind::Xml => {
                // Borrowed content is copied once, for the text of the index and the bytes alike.
                let bytes = content.to_bytes();
                let document =
                    Document::read(Content::from(&bytes).with_limits(content.limits()), ROOT, sniff::other_root)?;
                Ok(Self { document, content: bytes, dictionary: None })
            }
        }
    }

    fn encode(&self) -> Result<Bytes, Error> {
        Ok(self.content.clone())
    }

    fn fields(&self) -> Result<Value, Error> {
        Ok(match &self.dictionary {
            Some(dictionary) => Value::clone(dictionary),
            None => dictionary::of(&self.document),
        })
    }

    fn from_fields(fields: Value) -> Result<Self, Error> {
        legacy::from_fields(fields)
    }
}
