//! VOEvent packets: what happened on the sky, who says so, and how to answer, in XML.
//!
//! Standard: [VOEvent 2.0](http://www.ivoa.net/documents/VOEvent/), IVOA Recommendation of 11 July 2011, with the part of STC
//! that it uses. Packets of 1.0, 1.1 and the drafts before and after are read too.
//!
//! ```
//! use hop_core::MessageModel;
//! use hop_models::VoEvent;
//! use hop_models::voevent::Role;
//!
//! # let content = bytes::Bytes::from_static(include_bytes!("../../../fixtures/voevent/v2.0/prefixed/content.xml"));
//! let event = VoEvent::decode((&content).into())?;
//! assert_eq!(event.ivorn().as_deref(), Some("ivo://example.hop/survey#2026-01-31T04:05:06_17"));
//! assert_eq!(event.role(), Role::Observation);
//!
//! let position = event.position()?.expect("this one has a position");
//! assert_eq!((position.ra(), position.dec()), (150.11625, -2.20583));
//! let time = event.time()?.expect("and a time");
//! assert_eq!(time.to_string(), "2026-01-31T04:05:06.25Z");
//!
//! let exposure = event.param("image", "exposure").expect("a parameter in a group");
//! assert_eq!((exposure.as_f64()?, exposure.unit().as_deref()), (60.0, Some("s")));
//!
//! // What goes out is what came in, byte for byte.
//! assert_eq!(event.encode()?, content);
//! # Ok::<(), hop_core::Error>(())
//! ```
//!
//! An event is the bytes received and a flat index over them, made in one pass. What is asked of it is a view that borrows
//! from the bytes; nothing is copied until a reference such as `&amp;` has to be replaced. Parameters, groups and tables keep
//! the order of the document.
//!
//! # What is read
//!
//! - XML that is well formed, in UTF-8, UTF-16, US-ASCII, ISO-8859-x or windows-125x. White space and a byte-order mark before
//!   the XML declaration are let through, prefixes need not be declared, `encoding="utf8"` is UTF-8, and names may
//!   hold what the fifth edition of XML allows; in all else it is as strict as expat.
//! - The root element by its local name, under `voe:`, another prefix, a default namespace or none; what stands in it likewise.
//! - JSON of the dictionary, which hop-client sent before 0.12, and the envelope from before 0.6. Such an event is encoded
//!   as XML. What is no string in the JSON is text in the XML.
//!
//! # Not supported
//!
//! - Document type declarations and the entities they declare: an error. No VOEvent has one, and readers that expand them can
//!   be made to run out of memory.
//! - Reading is not validating: missing and unknown elements are not errors. [`VoEvent::validate`] holds an event to the
//!   schema of VOEvent 2.0.
//! - In STC: coordinates other than right ascension and declination, error matrices, intervals of time.
//!   [`VoEvent::root`] gives the elements as they are.
//! - Signatures: they are kept with the bytes, and not checked.
//! - Multi-byte encodings other than UTF-8 and UTF-16.
//!
//! # Differences from hop-client
//!
//! - It finds the root under the prefix `voe:` alone; others are read here.
//! - Its dictionary has names as written, so that `xmlns`, `xlink:href` and `stc:Position2D` get into it. Here
//!   [`fields`](hop_core::MessageModel::fields) has local names, without namespace declarations and without attributes of other
//!   namespaces such as XLink's; the latter are still in [`VoEvent::root`].
//! - It fails on an attribute or element of the root that the schema does not have; here these stand under `_extra`.
//! - It fails on `id` in the place of `ivorn`, as VOEvent 1.0 has it; here that is the identifier.
//! - In its dictionary all `Param` come together and the order among `Param`, `Group` and `Table` is lost; the views keep it.
//!
//! # Where senders put things
//!
#![doc = include_str!("MISSIONS.md")]

mod builder;
mod dictionary;
mod legacy;
mod position;
mod sniff;
mod summary;
mod validate;
mod view;
mod what;
pub(crate) mod xml;

use std::borrow::Cow;

use bytes::Bytes;
pub use hop_core::sky::{Frame, Position, Region};
pub use hop_core::time::{Time, TimeScale};
use hop_core::{Content, Error, MessageModel, Value};

pub use self::builder::{Builder, NewGroup, NewParam, Observation};
pub use self::position::{ObsDataLocation, WhereWhen};
pub use self::validate::Violation;
pub use self::view::{Author, Citations, Cite, EventIvorn, How, Inference, Reference, Role, Who, Why};
pub use self::what::{Field, Group, Item, Param, Row, Table, What};
use self::xml::Document;
pub use self::xml::{Attribute, Attributes, Children, Element};

/// The local name of the root element.
const ROOT: &str = "VOEvent";

/// An event: what it says is read from the bytes received when it is asked for.
///
/// It is cheap to clone the bytes and not the index, so events are best shared by reference or in an `Arc`. The
/// [module](self) says what is read and how it differs from hop-client.
///
/// # Errors
/// Decoding fails with kind `Malformed`, a line and a column where XML or JSON is not well formed; with kind `Unsupported`, a
/// name and a way out, for what is recognised as something else: another root element, a document type, compressed data,
/// a web page, other JSON; with kind `Limit` beyond the content's limits. Positions in a document that is not UTF-8 count
/// in its text.
///
/// Source: VOEvent 2.0, `<VOEvent>`.
#[derive(Clone)]
pub struct VoEvent {
    document: Document,
    /// What was received; what was written here, where that was no XML.
    content: Bytes,
    /// The dictionary, where that was received.
    dictionary: Option<Box<Value>>,
}

impl VoEvent {
    /// Starts a new event of this identifier, such as `ivo://authority/stream#event`.
    pub fn builder(ivorn: impl Into<String>, role: Role<'_>) -> Builder {
        Builder::new(ivorn.into(), &role)
    }

    /// The identifier of this event: `ivorn`, in VOEvent 1.0 `id`. `None` when absent, which the standard does not allow.
    ///
    /// Source: VOEvent 2.0, `<VOEvent>`.
    pub fn ivorn(&self) -> Option<Cow<'_, str>> {
        self.root().attribute("ivorn").or_else(|| self.root().attribute("id"))
    }

    /// What the event is for; [`Role::Observation`] where it says nothing.
    ///
    /// Source: VOEvent 2.0, `<VOEvent>`.
    pub fn role(&self) -> Role<'_> {
        self.root().attribute("role").map_or(Role::Observation, Role::from)
    }

    /// The version of the standard, as sent: `2.0`, `1.1`, `HTN/0.2`; `2.0` where it says nothing.
    ///
    /// Source: VOEvent 2.0, `<VOEvent>`.
    pub fn version(&self) -> Cow<'_, str> {
        self.root().attribute("version").unwrap_or(Cow::Borrowed(dictionary::DEFAULT_VERSION))
    }

    /// Who is behind it.
    pub fn who(&self) -> Option<Who<'_>> {
        self.root().child("Who").map(Who::from)
    }

    /// What was measured.
    pub fn what(&self) -> Option<What<'_>> {
        self.root().child("What").map(What::from)
    }

    /// Where and when it happened.
    pub fn where_when(&self) -> Option<WhereWhen<'_>> {
        self.root().child("WhereWhen").map(WhereWhen::from)
    }

    /// How the data were taken.
    pub fn how(&self) -> Option<How<'_>> {
        self.root().child("How").map(How::from)
    }

    /// What the author makes of it.
    pub fn why(&self) -> Option<Why<'_>> {
        self.root().child("Why").map(Why::from)
    }

    /// Earlier events that this one is about.
    pub fn citations(&self) -> Option<Citations<'_>> {
        self.root().child("Citations").map(Citations::from)
    }

    /// The free text about the whole event, the first where there are several: `<Description>`.
    pub fn description(&self) -> Option<Cow<'_, str>> {
        self.root().children_named("Description").find_map(Element::text)
    }

    /// The links that belong to the whole event: each `<Reference>`.
    pub fn references(&self) -> impl Iterator<Item = Reference<'_>> {
        self.root().children_named("Reference").map(Reference::from)
    }

    /// Every parameter in document order, those in groups and tables too.
    pub fn params(&self) -> impl Iterator<Item = Param<'_>> {
        let what = self.root().children_named("What");
        what.flat_map(Element::descendants).filter(|element| element.is("Param")).map(Param::from)
    }

    /// The parameters that stand in no group.
    pub fn top_params(&self) -> impl Iterator<Item = Param<'_>> {
        self.what().into_iter().flat_map(What::params)
    }

    /// The first parameter called `name` that stands in no group.
    pub fn top_param(&self, name: &str) -> Option<Param<'_>> {
        self.top_params().find(|param| param.name().as_deref() == Some(name))
    }

    /// The groups.
    pub fn groups(&self) -> impl Iterator<Item = Group<'_>> {
        self.what().into_iter().flat_map(What::groups)
    }

    /// The first parameter called `name` in a group called `group`.
    pub fn param(&self, group: &str, name: &str) -> Option<Param<'_>> {
        self.groups().filter(|these| these.name().as_deref() == Some(group)).find_map(|these| these.param(name))
    }

    /// Where on the sky it is, `None` where it does not say.
    ///
    /// # Errors
    /// As [`ObsDataLocation::position`].
    pub fn position(&self) -> Result<Option<Position>, Error> {
        self.where_when().map_or(Ok(None), WhereWhen::position)
    }

    /// When it happened, `None` where it does not say.
    ///
    /// # Errors
    /// As [`ObsDataLocation::time`].
    pub fn time(&self) -> Result<Option<Time>, Error> {
        self.where_when().map_or(Ok(None), WhereWhen::time)
    }

    /// The root element, for what has no accessor of its own.
    pub fn root(&self) -> Element<'_> {
        self.document.root()
    }

    /// The XML: byte for byte as received; as written here, where the event was built or came as JSON.
    pub fn as_bytes(&self) -> &Bytes {
        &self.content
    }

    /// The event in XML that is kept, under the limits of `content`.
    fn read(xml: Bytes, content: Content<'_>) -> Result<Self, Error> {
        let document = Document::read(Content::from(&xml).with_limits(content.limits()), ROOT, sniff::other_root)?;
        Ok(Self { document, content: xml, dictionary: None })
    }
}

/// Events are equal if their bytes are; of those that came as JSON, if what came is.
impl PartialEq for VoEvent {
    fn eq(&self, other: &Self) -> bool {
        self.content == other.content && self.dictionary == other.dictionary
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
            // Borrowed content is copied once, for the text of the index and the bytes alike.
            sniff::Kind::Xml => Self::read(content.to_bytes(), content),
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

    fn schema() -> Option<Value> {
        Value::from_json(include_str!("schema.json")).ok()
    }

    fn summary(&self) -> hop_core::Summary {
        summary::of(self)
    }

    fn example() -> Option<Self> {
        Self::decode(include_str!("example.xml").into()).ok()
    }
}
