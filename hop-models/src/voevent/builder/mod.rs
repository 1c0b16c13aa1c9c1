//! New events, written as VOEvent 2.0.

mod parts;

use bytes::Bytes;
use hop_core::sky::Frame;
use hop_core::{Content, Error, ErrorKind, Location};
use jiff::Timestamp;

pub use self::parts::{NewGroup, NewParam, Observation};
use self::parts::{leaf, leaves, reference};
use super::VoEvent;
use super::legacy::NAMESPACE;
use super::view::{Cite, Role};
use super::xml::{SUBJECT, Writer, is_allowed};

/// Puts a new event together; [`VoEvent::builder`] starts one.
///
/// What it builds is valid under the schema of VOEvent 2.0 ([`VoEvent::validate`]), and goes out as the bytes that were built.
///
/// ```
/// use hop_models::voevent::{Cite, NewGroup, NewParam, Observation, Role, VoEvent};
///
/// let event = VoEvent::builder("ivo://example.hop/survey#17", Role::Observation)
///     .author_ivorn("ivo://example.hop/survey")
///     .date("2026-01-31T04:06:00Z".parse()?)
///     .contact_name("R. Observer")
///     .param(NewParam::new("magnitude", 17.42).unit("mag").ucd("phot.mag;em.opt.R"))
///     .group(NewGroup::new("image").param(NewParam::new("exposure", 60).unit("s")))
///     .observation(Observation::new("2026-01-31T04:05:06.25Z".parse()?, 150.11625, -2.20583, 0.0003))
///     .importance(0.6)
///     .citation(Cite::Followup, "ivo://example.hop/survey#16")
///     .build()?;
/// assert_eq!(event.param("image", "exposure").map(|param| param.as_i64()).transpose()?, Some(60));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Builder {
    ivorn: String,
    role: String,
    who: Vec<(&'static str, String)>,
    author: Vec<(&'static str, String)>,
    what: Vec<Entry>,
    observation: Option<Observation>,
    how: Vec<Link>,
    why: Vec<(&'static str, String)>,
    importance: Option<f64>,
    expires: Option<Timestamp>,
    citations: Vec<(String, String)>,
    description: Option<String>,
    reference: Option<String>,
}

#[derive(Debug, Clone)]
enum Entry {
    Param(NewParam),
    Group(NewGroup),
}

#[derive(Debug, Clone)]
enum Link {
    Description(String),
    Reference(String),
}

impl Builder {
    pub(super) fn new(ivorn: String, role: &Role<'_>) -> Self {
        Self {
            ivorn,
            role: role.as_str().to_owned(),
            who: Vec::new(),
            author: Vec::new(),
            what: Vec::new(),
            observation: None,
            how: Vec::new(),
            why: Vec::new(),
            importance: None,
            expires: None,
            citations: Vec::new(),
            description: None,
            reference: None,
        }
    }

    /// The identifier of the author.
    pub fn author_ivorn(mut self, ivorn: impl Into<String>) -> Self {
        self.who.retain(|(name, _)| *name != "AuthorIVORN");
        self.who.insert(0, ("AuthorIVORN", ivorn.into()));
        self
    }

    /// When the packet is written.
    pub fn date(mut self, date: Timestamp) -> Self {
        self.who.retain(|(name, _)| *name != "Date");
        self.who.push(("Date", date.to_string()));
        self
    }

    /// The organization.
    pub fn title(self, title: impl Into<String>) -> Self {
        self.author("title", title.into())
    }

    /// The organization's short name.
    pub fn short_name(self, name: impl Into<String>) -> Self {
        self.author("shortName", name.into())
    }

    /// The person to ask.
    pub fn contact_name(self, name: impl Into<String>) -> Self {
        self.author("contactName", name.into())
    }

    /// That person's e-mail address.
    pub fn contact_email(self, address: impl Into<String>) -> Self {
        self.author("contactEmail", address.into())
    }

    fn author(mut self, name: &'static str, text: String) -> Self {
        self.author.push((name, text));
        self
    }

    /// Adds a parameter.
    pub fn param(mut self, param: NewParam) -> Self {
        self.what.push(Entry::Param(param));
        self
    }

    /// Adds a group; parameters and groups keep the order in which they are added.
    pub fn group(mut self, group: NewGroup) -> Self {
        self.what.push(Entry::Group(group));
        self
    }

    /// Where and when it was observed.
    pub fn observation(mut self, observation: Observation) -> Self {
        self.observation = Some(observation);
        self
    }

    /// Adds to how the data were taken: a text.
    pub fn how_description(mut self, text: impl Into<String>) -> Self {
        self.how.push(Link::Description(text.into()));
        self
    }

    /// Adds to how the data were taken: a link.
    pub fn how_reference(mut self, uri: impl Into<String>) -> Self {
        self.how.push(Link::Reference(uri.into()));
        self
    }

    /// How much others will care, from 0 to 1.
    pub fn importance(mut self, importance: f64) -> Self {
        self.importance = Some(importance);
        self
    }

    /// Until when the event is worth following.
    pub fn expires(mut self, expires: Timestamp) -> Self {
        self.expires = Some(expires);
        self
    }

    /// Adds what it is thought to be.
    pub fn concept(mut self, concept: impl Into<String>) -> Self {
        self.why.push(("Concept", concept.into()));
        self
    }

    /// Adds a name of the source.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.why.push(("Name", name.into()));
        self
    }

    /// Adds an earlier event that this one is about.
    pub fn citation(mut self, cite: Cite<'_>, ivorn: impl Into<String>) -> Self {
        self.citations.push((cite.as_str().to_owned(), ivorn.into()));
        self
    }

    /// What the event is, for people.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = Some(text.into());
        self
    }

    /// A link to more.
    pub fn reference(mut self, uri: impl Into<String>) -> Self {
        self.reference = Some(uri.into());
        self
    }

    /// The event.
    ///
    /// # Errors
    /// Kind `Unencodable`, with the place, for what the schema of VOEvent 2.0 does not allow: another role, citation or
    /// `dataType`, text that is not a URI where one belongs, a date before the year 1; and for what has no meaning: an
    /// identifier that does not start with `ivo://`, a number that is not finite, a position that is not on the sky, a negative
    /// radius, coordinates other than ICRS and FK5, a group without parameters, a character that XML cannot hold.
    pub fn build(self) -> Result<VoEvent, Error> {
        self.check()?;
        let xml = self.write();
        if let Some(c) = xml.chars().find(|c| !is_allowed(*c)) {
            return Err(unencodable("text that XML can hold", format!("U+{:04X}", u32::from(c))));
        }
        let content = Bytes::from(xml);
        let event = VoEvent::read(content.clone(), Content::from(&content))?;
        match event.validate().first() {
            None => Ok(event),
            Some(violation) => {
                Err(unencodable("what the schema of VOEvent 2.0 allows", violation.message().to_owned())
                    .at(Location::Path(violation.path().to_owned())))
            }
        }
    }

    fn check(&self) -> Result<(), Error> {
        if !self.ivorn.starts_with("ivo://") || self.ivorn.contains(char::is_whitespace) {
            return Err(unencodable("an identifier such as `ivo://authority/stream#event`", quoted(&self.ivorn)));
        }
        if !matches!(self.role.as_str(), "observation" | "prediction" | "utility" | "test") {
            return Err(unencodable("the role observation, prediction, utility or test", quoted(&self.role)));
        }
        let mut numbers = vec![("importance", self.importance)];
        if let Some(observed) = &self.observation {
            if observed.frame != Frame::Icrs && observed.frame != Frame::J2000 {
                return Err(unencodable("coordinates in ICRS or FK5 J2000", quoted(&observed.frame.to_string())));
            }
            numbers.push(("right ascension", Some(observed.right_ascension)));
            numbers.push(("declination", Some(observed.declination)));
            numbers.push(("error radius", Some(observed.error_radius)));
            numbers.push(("error of the time", observed.time_error));
        }
        for (name, number) in numbers {
            if let Some(number) = number.filter(|number| !number.is_finite()) {
                return Err(unencodable("a finite number", format!("{number} as {name}")));
            }
        }
        if let Some(observed) = &self.observation {
            observed.check().map_err(|error| unencodable("a position on the sky and a time", error.to_string()))?;
        }
        for entry in &self.what {
            if let Entry::Group(group) = entry
                && group.params.is_empty()
            {
                return Err(unencodable("a parameter in each group", format!("none in {}", quoted(&group.name))));
            }
        }
        Ok(())
    }

    fn write(&self) -> String {
        let mut out = Writer::new();
        out.start("voe:VOEvent");
        out.attribute("xmlns:voe", NAMESPACE);
        out.attribute("version", "2.0");
        out.attribute("role", &self.role);
        out.attribute("ivorn", &self.ivorn);
        if !self.who.is_empty() || !self.author.is_empty() {
            out.start("Who");
            leaves(&mut out, &self.who);
            if !self.author.is_empty() {
                out.start("Author");
                leaves(&mut out, &self.author);
                out.end();
            }
            out.end();
        }
        if !self.what.is_empty() {
            out.start("What");
            for entry in &self.what {
                match entry {
                    Entry::Param(param) => param.write(&mut out),
                    Entry::Group(group) => group.write(&mut out),
                }
            }
            out.end();
        }
        if let Some(observation) = &self.observation {
            observation.write(&mut out);
        }
        if !self.how.is_empty() {
            out.start("How");
            for link in &self.how {
                match link {
                    Link::Description(text) => leaf(&mut out, "Description", text),
                    Link::Reference(uri) => reference(&mut out, uri),
                }
            }
            out.end();
        }
        if !self.why.is_empty() || self.importance.is_some() || self.expires.is_some() {
            out.start("Why");
            if let Some(importance) = self.importance {
                out.attribute("importance", &importance.to_string());
            }
            if let Some(expires) = self.expires {
                out.attribute("expires", &expires.to_string());
            }
            leaves(&mut out, &self.why);
            if self.why.is_empty() {
                // The schema wants an element in it.
                leaf(&mut out, "Description", "");
            }
            out.end();
        }
        if !self.citations.is_empty() {
            out.start("Citations");
            for (cite, ivorn) in &self.citations {
                out.start("EventIVORN");
                out.attribute("cite", cite);
                out.text(ivorn);
                out.end();
            }
            out.end();
        }
        if let Some(text) = &self.description {
            leaf(&mut out, "Description", text);
        }
        if let Some(uri) = &self.reference {
            reference(&mut out, uri);
        }
        out.finish()
    }
}

#[cold]
fn unencodable(expected: &'static str, found: String) -> Error {
    Error::new(ErrorKind::Unencodable, SUBJECT).expected(expected).found(found)
}

fn quoted(text: &str) -> String {
    format!("`{}`", text.chars().take(60).collect::<String>().escape_debug())
}
