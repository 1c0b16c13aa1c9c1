//! GCN text notices: what an instrument says about an event, in lines of `KEY: value`, labelled `gcntextnotice`.
//!
//! The format is described by example only, mission by mission, on [GCN's pages][gcn]. hop-client reads any of it by these
//! rules, and so does this module:
//!
//! - a line with a colon has a key before the first colon and a value after it, white space around both taken off;
//! - a line without one continues the value before it, its indentation taken off;
//! - lines end where Python's `str.splitlines` ends them (form feeds, `U+0085` and `U+2028` count), and white space
//!   around the whole notice is passed over.
//!
//! Keys are matched without regard to case. The bytes are kept as they came, shared and not copied, and written as they
//! came.
//!
//! # Differences from hop-client
//! - A key that repeats has each of its values ([`TextNotice::get_all`]); the fields join them with line feeds, as
//!   hop-client does.
//! - Lines before the first key, such as the title of a pager notice, are kept as [`TextNotice::preamble`]; hop-client drops
//!   them.
//! - A notice that is no UTF-8 is read as Latin-1; hop-client refuses it.
//!
//! # Not supported
//! The binary packets that GCN sends beside text.
//!
//! [gcn]: https://gcn.gsfc.nasa.gov/tech_describe.html

mod lines;

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry as Place;
use std::fmt;

use bytes::Bytes;
use hop_core::{Content, Error, ErrorKind, MessageModel, Value};

use self::lines::{Entry, Index, is_space};

const LABEL: &str = "gcntextnotice";

/// One GCN text notice: its bytes, and where its keys and values stand in them.
///
/// ```
/// use hop_core::MessageModel;
/// use hop_models::TextNotice;
///
/// let notice = TextNotice::decode(
///     "TITLE:       GCN/FERMI NOTICE\nTRIGGER_NUM: 785074797\nCOMMENTS:    Bright.\nCOMMENTS:    Short.\n".into(),
/// )?;
/// assert_eq!(notice.get("trigger_num").as_deref(), Some("785074797"));
/// assert_eq!(notice.get_all("COMMENTS").collect::<Vec<_>>(), ["Bright.", "Short."]);
/// # Ok::<(), hop_core::Error>(())
/// ```
#[derive(Clone)]
pub struct TextNotice {
    raw: Bytes,
    /// The text that the index points into: `raw` itself, unless that is no UTF-8.
    text: Bytes,
    index: Index,
}

impl TextNotice {
    /// The bytes as they came.
    pub fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// The whole notice as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.text).unwrap_or_default()
    }

    /// The first value of a key.
    ///
    /// A value of several lines has line feeds between them.
    pub fn get(&self, key: &str) -> Option<Cow<'_, str>> {
        self.get_all(key).next()
    }

    /// Every value of a key, in order.
    pub fn get_all<'a>(&'a self, key: &str) -> impl Iterator<Item = Cow<'a, str>> {
        self.index.entries.iter().filter(move |entry| self.is(entry, key)).map(|entry| self.value(entry))
    }

    /// Keys as written and their values, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, Cow<'_, str>)> {
        self.index.entries.iter().map(|entry| (self.slice(entry.key), self.value(entry)))
    }

    /// How many lines have a key.
    pub fn len(&self) -> usize {
        self.index.entries.len()
    }

    /// Whether no line has a key.
    pub fn is_empty(&self) -> bool {
        self.index.entries.is_empty()
    }

    /// What stands before the first key, white space around it taken off; the title of a pager notice. Often empty.
    pub fn preamble(&self) -> &str {
        self.slice((0, self.index.preamble)).trim_matches(is_space)
    }

    fn slice(&self, (start, end): (u32, u32)) -> &str {
        let bytes = self.text.get(start as usize..end as usize).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    fn is(&self, entry: &Entry, key: &str) -> bool {
        let (start, end) = entry.key;
        // Almost every key is ASCII, where lower case is as long as upper.
        let ours = self.text.get(start as usize..end as usize).unwrap_or_default();
        ours.eq_ignore_ascii_case(key.as_bytes())
            || (!ours.is_ascii() && self.slice(entry.key).to_lowercase() == key.to_lowercase())
    }

    fn value(&self, entry: &Entry) -> Cow<'_, str> {
        let value = self.slice(entry.value);
        // What is left of the key's own line is white space; anything beyond it is on lines of its own.
        let rest = self.slice((entry.value.1, entry.end));
        let mut more = lines::lines(rest, 0).skip(1).peekable();
        if more.peek().is_none() {
            return Cow::Borrowed(value);
        }
        let mut joined = value.to_owned();
        for (_, line) in more {
            joined.push('\n');
            joined.push_str(line.trim_start_matches(is_space));
        }
        Cow::Owned(joined)
    }
}

impl PartialEq for TextNotice {
    fn eq(&self, other: &Self) -> bool {
        self.raw == other.raw
    }
}

impl Eq for TextNotice {}

impl fmt::Debug for TextNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl MessageModel for TextNotice {
    const FORMAT: &'static str = LABEL;

    fn decode(content: Content<'_>) -> Result<Self, Error> {
        content.check_size(LABEL)?;
        if u32::try_from(content.len()).is_err() {
            return Err(Error::new(ErrorKind::Limit, LABEL).expected("less than 4 GiB"));
        }
        let raw = content.to_bytes();
        let (text, index) = match std::str::from_utf8(&raw) {
            Ok(text) => (raw.clone(), lines::index(text)),
            Err(_) => {
                let text: String = raw.iter().map(|byte| char::from(*byte)).collect();
                let index = lines::index(&text);
                (text.into(), index)
            }
        };
        Ok(Self { raw, text, index })
    }

    /// The bytes as they came.
    fn encode(&self) -> Result<Bytes, Error> {
        Ok(self.raw.clone())
    }

    fn fields(&self) -> Result<Value, Error> {
        let mut places = HashMap::with_capacity(self.len());
        let mut fields: Vec<(String, String)> = Vec::with_capacity(self.len());
        for (key, value) in self.iter() {
            match places.entry(key.to_lowercase()) {
                Place::Vacant(place) => {
                    fields.push((place.key().clone(), value.into_owned()));
                    place.insert(fields.len() - 1);
                }
                Place::Occupied(place) => {
                    if let Some((_, joined)) = fields.get_mut(*place.get()) {
                        joined.push('\n');
                        joined.push_str(&value);
                    }
                }
            }
        }
        let fields = fields.into_iter().map(|(key, value)| (key, value.into()));
        Ok(Value::object([("raw", Value::Bytes(self.raw.clone())), ("fields", Value::object(fields))]))
    }

    /// The notice in `raw`; `fields` follow from it.
    fn from_fields(fields: Value) -> Result<Self, Error> {
        match fields.get("raw") {
            Some(Value::Bytes(bytes)) => Self::decode(bytes.into()),
            Some(Value::String(text)) => Self::decode(text.as_bytes().into()),
            other => Err(Error::new(ErrorKind::Invalid, LABEL)
                .expected("an object whose `raw` is bytes or a string")
                .found(other.unwrap_or(&fields).describe())),
        }
    }
}
