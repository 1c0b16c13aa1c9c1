//! The header of a circular: titles and texts in order.

use std::borrow::Cow;
use std::fmt;

use hop_core::{Object, Text, Value};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

/// The titles of a circular and their texts, in the order in which they came.
///
/// Titles are matched without regard to case. One may come again; hop's own forms, which are objects, then show the last.
///
/// ```
/// use hop_models::gcn::circular::Titles;
///
/// let mut titles = Titles::new();
/// titles.push("SUBJECT", "GRB 230812B: redshift");
/// titles.push("subject", "GRB 230812B: redshift (corrected)");
/// assert_eq!(titles.get("Subject"), Some("GRB 230812B: redshift (corrected)"));
/// assert_eq!(titles.get_all("subject").count(), 2);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Titles(Vec<(Written, Written)>);

impl Titles {
    /// No titles.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// No titles yet, and room for some.
    pub(super) fn with_capacity(count: usize) -> Self {
        Self(Vec::with_capacity(count))
    }

    /// Adds a title in lower case, and its text, at the end.
    pub fn push(&mut self, title: &str, text: impl Into<String>) {
        self.push_exactly(common(title.as_bytes()).map_or_else(|| title.to_lowercase().into(), Cow::Borrowed), text);
    }

    /// Adds a title as it is, and its text, at the end.
    pub(super) fn push_exactly(&mut self, title: Cow<'static, str>, text: impl Into<String>) {
        self.0.push((Written { text: title, value: None }, text.into().into()));
    }

    /// The text under a title: the last one, where the title repeats.
    pub fn get(&self, title: &str) -> Option<&str> {
        self.0.iter().rev().find(|(name, _)| name.as_str().eq_ignore_ascii_case(title)).map(|(_, text)| text.as_str())
    }

    /// Every text under a title, in order.
    pub fn get_all<'a>(&'a self, title: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(name, _)| name.as_str().eq_ignore_ascii_case(title)).map(|(_, text)| text.as_str())
    }

    /// Titles and texts in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }

    /// How many there are, repeated ones counted each time.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first text under a title, as mail counts.
    pub(super) fn first(&self, title: &str) -> Option<&str> {
        self.get_all(title).next()
    }

    /// Replaces the first text under a title.
    pub(super) fn replace_first(&mut self, title: &str, text: &str) {
        if let Some((_, old)) = self.0.iter_mut().find(|(name, _)| name.as_str().eq_ignore_ascii_case(title)) {
            *old = Written::from(text.to_owned());
        }
    }

    /// Titles exactly as the object of the wire has them.
    pub(super) fn from_object(object: Object) -> Self {
        Self(object.into_iter().map(|(name, value)| (Value::from(name).into(), value.into())).collect())
    }

    /// As the object of the wire: of a repeated title the last text, in the first one's place.
    pub(super) fn to_object(&self) -> Object {
        self.0.iter().map(|(name, text)| (name.to_text(), text.to_value())).collect()
    }
}

/// The title, in lower case, if it is one that circulars have. Such need no memory of their own.
pub(super) fn common(title: &[u8]) -> Option<&'static str> {
    ["title", "number", "subject", "date", "from"].into_iter().find(|name| name.as_bytes().eq_ignore_ascii_case(title))
}

impl<K: AsRef<str>, V: Into<String>> FromIterator<(K, V)> for Titles {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut titles = Self::new();
        for (title, text) in entries {
            titles.push(title.as_ref(), text);
        }
        titles
    }
}

/// Titles from an object whose values are all strings.
impl<'de> Deserialize<'de> for Titles {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Titles;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("titles and their texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Titles, A::Error> {
                // Room for those of a circular.
                let mut titles = Titles::with_capacity(8);
                while let Some((Title(title), text)) = entries.next_entry::<Title, String>()? {
                    titles.push_exactly(title, text);
                }
                Ok(titles)
            }
        }

        deserializer.deserialize_map(Object)
    }
}

/// A title as it stands.
struct Title(Cow<'static, str>);

impl<'de> Deserialize<'de> for Title {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;

        impl Visitor<'_> for Name {
            type Value = Title;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a title")
            }

            fn visit_str<E>(self, title: &str) -> Result<Title, E> {
                let common = common(title.as_bytes()).filter(|common| *common == title);
                Ok(Title(common.map_or_else(|| title.to_owned().into(), Cow::Borrowed)))
            }
        }

        deserializer.deserialize_str(Name)
    }
}

/// Text, and the JSON value it was where that was more than a string: a number, or text with half a surrogate pair.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Written {
    text: Cow<'static, str>,
    value: Option<Box<Value>>,
}

impl Written {
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// As the name of an entry.
    fn to_text(&self) -> Text {
        match self.to_value() {
            Value::String(text) => text,
            _ => (&*self.text).into(),
        }
    }

    pub(super) fn to_value(&self) -> Value {
        match &self.value {
            Some(value) => Value::clone(value),
            None => (&*self.text).into(),
        }
    }
}

impl From<String> for Written {
    fn from(text: String) -> Self {
        Self { text: text.into(), value: None }
    }
}

impl From<Value> for Written {
    fn from(value: Value) -> Self {
        match value {
            Value::String(text) => match text.as_str() {
                Some(text) => text.to_owned().into(),
                None => Self {
                    text: text.to_string_lossy().into_owned().into(),
                    value: Some(Box::new(Value::String(text))),
                },
            },
            Value::Null => Self { text: Cow::Borrowed(""), value: Some(Box::new(Value::Null)) },
            other => Self { text: other.to_string().into(), value: Some(Box::new(other)) },
        }
    }
}
