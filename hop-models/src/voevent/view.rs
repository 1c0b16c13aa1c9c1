//! What every typed view shares, and the views of `Who`, `How`, `Why` and `Citations`.

use std::borrow::Cow;

use hop_core::time::{Time, TimeScale};
use hop_core::{Error, ErrorKind};

use super::position::instant_of;
use super::xml::{Element, SUBJECT};

/// Defines a view: an element under the name that the standard gives it.
macro_rules! view {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub struct $name<'a>(Element<'a>);

        impl<'a> $name<'a> {
            /// This as an element, for what has no accessor.
            pub fn element(self) -> Element<'a> {
                self.0
            }
        }

        impl<'a> From<Element<'a>> for $name<'a> {
            fn from(element: Element<'a>) -> Self {
                Self(element)
            }
        }

        impl std::fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}
pub(super) use view;

/// The texts of the elements in `element` that are called `name`, empty ones left out.
pub(super) fn texts<'a>(element: Element<'a>, name: &'static str) -> impl Iterator<Item = Cow<'a, str>> {
    element.children_named(name).filter_map(Element::text)
}

/// The text of the first element in `element` that is called `name`.
pub(super) fn text<'a>(element: Element<'a>, name: &str) -> Option<Cow<'a, str>> {
    element.child(name).and_then(Element::text)
}

/// A number, or an error that names what it is of and quotes it.
pub(super) fn number(text: &str, of: impl FnOnce() -> String) -> Result<f64, Error> {
    text.trim().parse().map_err(|_| not_a("a number", text, of()))
}

/// The error for text that is not what its place demands.
#[cold]
pub(super) fn not_a(expected: &'static str, text: &str, of: String) -> Error {
    let shown: String = text.chars().take(60).collect();
    Error::new(ErrorKind::Invalid, SUBJECT)
        .expected(expected)
        .found(format!("`{}`", shown.escape_debug()))
        .at(hop_core::Location::Path(of))
}

view! {
    /// Who is behind an event: `<Who>`.
    ///
    /// Source: VOEvent 2.0, `<Who>`.
    Who
}

impl<'a> Who<'a> {
    /// The identifier of the author: `<AuthorIVORN>`, in VOEvent 1.0 `<PublisherID>`.
    pub fn author_ivorn(self) -> Option<Cow<'a, str>> {
        text(self.0, "AuthorIVORN").or_else(|| text(self.0, "PublisherID"))
    }

    /// When the packet was written: `<Date>`, in UTC. This is not the time of the event.
    ///
    /// # Errors
    /// Kind `Invalid` for text that is not a time, quoting it.
    pub fn date(self) -> Result<Option<Time>, Error> {
        text(self.0, "Date").map(|text| instant_of(&text, TimeScale::Utc)).transpose()
    }

    /// The contact: `<Author>`.
    pub fn author(self) -> Option<Author<'a>> {
        self.0.child("Author").map(Author)
    }

    /// The free texts in `<Description>`, in document order.
    pub fn descriptions(self) -> impl Iterator<Item = Cow<'a, str>> {
        texts(self.0, "Description")
    }

    /// The links in `<Reference>`, in document order.
    pub fn references(self) -> impl Iterator<Item = Reference<'a>> {
        self.0.children_named("Reference").map(Reference)
    }
}

view! {
    /// An organization or a person: `<Author>`. Each part may repeat; these give the first.
    ///
    /// Source: VOEvent 2.0, `<Author>`.
    Author
}

impl<'a> Author<'a> {
    /// The name of the organization: `<title>`.
    pub fn title(self) -> Option<Cow<'a, str>> {
        text(self.0, "title")
    }

    /// Its short name: `<shortName>`.
    pub fn short_name(self) -> Option<Cow<'a, str>> {
        text(self.0, "shortName")
    }

    /// The person to ask: `<contactName>`.
    pub fn contact_name(self) -> Option<Cow<'a, str>> {
        text(self.0, "contactName")
    }

    /// An e-mail address: `<contactEmail>`.
    pub fn contact_email(self) -> Option<Cow<'a, str>> {
        text(self.0, "contactEmail")
    }

    /// A telephone number: `<contactPhone>`.
    pub fn contact_phone(self) -> Option<Cow<'a, str>> {
        text(self.0, "contactPhone")
    }

    /// Others who took part: each `<contributor>`.
    pub fn contributors(self) -> impl Iterator<Item = Cow<'a, str>> {
        texts(self.0, "contributor")
    }
}

view! {
    /// A link: `<Reference>`.
    ///
    /// Source: VOEvent 2.0, `<Reference>`.
    Reference
}

impl<'a> Reference<'a> {
    /// Where it leads: `uri`, in VOEvent 1.0 `url`.
    pub fn uri(self) -> Option<Cow<'a, str>> {
        self.0.attribute("uri").or_else(|| self.0.attribute("url"))
    }

    /// The kind of document: `type`, of VOEvent 1.
    pub fn kind(self) -> Option<Cow<'a, str>> {
        self.0.attribute("type")
    }

    /// Its media type: `mimetype`.
    pub fn mimetype(self) -> Option<Cow<'a, str>> {
        self.0.attribute("mimetype")
    }

    /// What it means, as a URI: `meaning`.
    pub fn meaning(self) -> Option<Cow<'a, str>> {
        self.0.attribute("meaning")
    }

    /// Its name: `name`.
    pub fn name(self) -> Option<Cow<'a, str>> {
        self.0.attribute("name")
    }
}

view! {
    /// How the data were taken: `<How>`.
    ///
    /// Source: VOEvent 2.0, `<How>`.
    How
}

impl<'a> How<'a> {
    /// The free texts in `<Description>`, in document order.
    pub fn descriptions(self) -> impl Iterator<Item = Cow<'a, str>> {
        texts(self.0, "Description")
    }

    /// The links in `<Reference>`, in document order.
    pub fn references(self) -> impl Iterator<Item = Reference<'a>> {
        self.0.children_named("Reference").map(Reference)
    }
}

view! {
    /// What the author makes of the event: `<Why>`.
    ///
    /// Source: VOEvent 2.0, `<Why>`.
    Why
}

impl<'a> Why<'a> {
    /// How much the author thinks others will care, from 0 to 1: `importance`. `None` when absent.
    ///
    /// # Errors
    /// When it is not a number, quoting it.
    pub fn importance(self) -> Result<Option<f64>, Error> {
        let text = self.0.attribute("importance");
        text.map(|text| number(&text, || "Why.importance".to_owned())).transpose()
    }

    /// Until when the event is worth following, in UTC: `expires`.
    ///
    /// # Errors
    /// Kind `Invalid` for text that is not a time, quoting it.
    pub fn expires(self) -> Result<Option<Time>, Error> {
        self.0.attribute("expires").map(|text| instant_of(&text, TimeScale::Utc)).transpose()
    }

    /// What it is thought to be, in the terms of a vocabulary or in free text: each `<Concept>`.
    pub fn concepts(self) -> impl Iterator<Item = Cow<'a, str>> {
        texts(self.0, "Concept")
    }

    /// Names of the source: each `<Name>`.
    pub fn names(self) -> impl Iterator<Item = Cow<'a, str>> {
        texts(self.0, "Name")
    }

    /// The inferences with probabilities: each `<Inference>`.
    pub fn inferences(self) -> impl Iterator<Item = Inference<'a>> {
        self.0.children_named("Inference").map(Inference)
    }

    /// The free texts in `<Description>`, in document order.
    pub fn descriptions(self) -> impl Iterator<Item = Cow<'a, str>> {
        texts(self.0, "Description")
    }

    /// The links in `<Reference>`, in document order.
    pub fn references(self) -> impl Iterator<Item = Reference<'a>> {
        self.0.children_named("Reference").map(Reference)
    }
}

view! {
    /// One way to explain the event: `<Inference>`.
    ///
    /// Source: VOEvent 2.0, `<Inference>`.
    Inference
}

impl<'a> Inference<'a> {
    /// How likely it is, from 0 to 1: `probability`. `None` when absent.
    ///
    /// # Errors
    /// When it is not a number, quoting it.
    pub fn probability(self) -> Result<Option<f64>, Error> {
        let text = self.0.attribute("probability");
        text.map(|text| number(&text, || "Why.Inference.probability".to_owned())).transpose()
    }

    /// How the source relates to what is named: `relation`, such as `associated` or `identified`.
    pub fn relation(self) -> Option<Cow<'a, str>> {
        self.0.attribute("relation")
    }

    /// What it is thought to be: each `<Concept>`.
    pub fn concepts(self) -> impl Iterator<Item = Cow<'a, str>> {
        texts(self.0, "Concept")
    }

    /// Names of the source: each `<Name>`.
    pub fn names(self) -> impl Iterator<Item = Cow<'a, str>> {
        texts(self.0, "Name")
    }

    /// The free texts in `<Description>`, in document order.
    pub fn descriptions(self) -> impl Iterator<Item = Cow<'a, str>> {
        texts(self.0, "Description")
    }
}

view! {
    /// Earlier events that this one is about: `<Citations>`.
    ///
    /// Source: VOEvent 2.0, `<Citations>`.
    Citations
}

impl<'a> Citations<'a> {
    /// The events cited, in document order: each `<EventIVORN>`, in VOEvent 1.0 `<EventID>`.
    pub fn events(self) -> impl Iterator<Item = EventIvorn<'a>> {
        self.0.children().filter(|child| matches!(child.name(), "EventIVORN" | "EventID")).map(EventIvorn)
    }

    /// The free texts in `<Description>`, in document order.
    pub fn descriptions(self) -> impl Iterator<Item = Cow<'a, str>> {
        texts(self.0, "Description")
    }
}

view! {
    /// An event that is cited, and why: `<EventIVORN>`.
    ///
    /// Source: VOEvent 2.0, `<EventIVORN>`.
    EventIvorn
}

impl<'a> EventIvorn<'a> {
    /// The identifier of the event cited; `None` where it is empty.
    pub fn ivorn(self) -> Option<Cow<'a, str>> {
        self.0.text()
    }

    /// Why it is cited: `cite`; `None` when absent.
    pub fn cite(self) -> Option<Cite<'a>> {
        self.0.attribute("cite").map(Cite::from)
    }
}

/// Why an event cites another.
///
/// Source: VOEvent 2.0, `<VOEvent>`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cite<'a> {
    /// Another observation of the same source.
    Followup,
    /// This replaces the other; `supercedes`, as VOEvent 1 has it, is the same.
    Supersedes,
    /// The other was wrong.
    Retraction,
    /// A word of the sender's own.
    Other(Cow<'a, str>),
}

impl Cite<'_> {
    /// The word, as VOEvent 2.0 spells it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Followup => "followup",
            Self::Supersedes => "supersedes",
            Self::Retraction => "retraction",
            Self::Other(word) => word,
        }
    }
}

impl<'a> From<Cow<'a, str>> for Cite<'a> {
    fn from(word: Cow<'a, str>) -> Self {
        match word.trim() {
            "followup" => Self::Followup,
            "supersedes" | "supercedes" => Self::Supersedes,
            "retraction" => Self::Retraction,
            _ => Self::Other(word),
        }
    }
}

/// What an event is for.
///
/// Only [`Observation`](Self::Observation) and [`Prediction`](Self::Prediction) are about the sky; those who act on alerts
/// must not act on the others.
///
/// Source: VOEvent 2.0, `<VOEvent>`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role<'a> {
    /// Something was observed. An event that states no role is one.
    Observation,
    /// Something is expected to happen.
    Prediction,
    /// About an instrument or network, not about a source: where a telescope points, for example.
    Utility,
    /// A test, to be ignored by whoever does not test.
    Test,
    /// A word of the sender's own.
    Other(Cow<'a, str>),
}

impl Role<'_> {
    /// The word, as VOEvent spells it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Observation => "observation",
            Self::Prediction => "prediction",
            Self::Utility => "utility",
            Self::Test => "test",
            Self::Other(word) => word,
        }
    }
}

impl<'a> From<Cow<'a, str>> for Role<'a> {
    fn from(word: Cow<'a, str>) -> Self {
        match word.trim() {
            "observation" => Self::Observation,
            "prediction" => Self::Prediction,
            "utility" => Self::Utility,
            "test" => Self::Test,
            _ => Self::Other(word),
        }
    }
}
