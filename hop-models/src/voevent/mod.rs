//! VOEvent packets: what IVOA's standard says of a transient, in XML.

mod builder;
mod dictionary;
mod legacy;
mod position;
mod sniff;
mod time;
mod view;
mod what;
mod xml;

use std::borrow::Cow;

use bytes::Bytes;
use hop_core::{Content, Error, MessageModel, Value};

pub use self::builder::{Builder, NewGroup, NewParam, Observation};
pub use self::position::{Frame, ObsDataLocation, Position, WhereWhen};
pub use self::time::{Time, TimeScale};
pub use self::view::{Author, Citations, Cite, EventIvorn, How, Inference, Reference, Role, Who, Why};
pub use self::what::{Field, Group, Item, Param, Row, Table, What};
use self::xml::Document;
pub use self::xml::{Attribute, Attributes, Children, Element};

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
        what.flat_map(Element::descendants).filter(|element| element.name() == "Param").map(Param::from)
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
    pub fn time(&self) -> Result<Option<Time<'_>>, Error> {
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
}
