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
mod summary;
mod typed;

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry as Place;
use std::fmt;

use bytes::Bytes;
use hop_core::{Content, Error, ErrorKind, MessageModel, Value};

use self::lines::{Entry, Lines, is_space};
use super::archive;

const LABEL: &str = "gcntextnotice";

/// One GCN text notice: its bytes, in which keys are looked up.
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
    /// The text in UTF-8, white space around it taken off; a piece of `raw`, unless that is no UTF-8.
    text: Bytes,
    /// Whether the text is as simple as most are, see [`lines::is_plain`].
    plain: bool,
}

impl TextNotice {
    /// The bytes as they came.
    pub fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// The whole notice as text, white space around it taken off.
    pub fn text(&self) -> &str {
        lines::as_str(&self.text)
    }

    /// The first value of a key.
    ///
    /// A value of several lines has line feeds between them.
    pub fn get(&self, key: &str) -> Option<Cow<'_, str>> {
        self.get_all(key).next()
    }

    /// Every value of a key, in order.
    pub fn get_all<'a>(&'a self, key: &str) -> impl Iterator<Item = Cow<'a, str>> {
        lines::entries_of(&self.text, self.plain, key).map(|entry| entry.value())
    }

    /// Keys as written and their values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        self.entries().map(|entry| (entry.key(), entry.value()))
    }

    /// Whether no line has a key.
    pub fn is_empty(&self) -> bool {
        memchr::memchr(b':', &self.text).is_none()
    }

    /// What stands before the first key, white space around it taken off; the title of a pager notice. Often empty.
    pub fn preamble(&self) -> &str {
        let mut lines = Lines::new(&self.text, self.plain);
        let mut rest = lines.rest().len();
        while lines.next().is_some_and(|line| memchr::memchr(b':', line).is_none()) {
            rest = lines.rest().len();
        }
        let before = self.text.get(..self.text.len() - rest).unwrap_or_default();
        lines::as_str(before).trim_matches(is_space)
    }

    /// The notices in a file of several, in order, parted by lines of slashes or by their titles. They share its bytes.
    ///
    /// # Errors
    /// Each is as [`decode`](MessageModel::decode) gives it.
    ///
    /// ```
    /// # use hop_models::TextNotice;
    /// let archive = b"TITLE: GCN/TEST NOTICE\nTRIGGER_NUM: 1\n////////////////\nTITLE: GCN/TEST NOTICE\nTRIGGER_NUM: 2\n";
    /// let mut numbers = Vec::new();
    /// for notice in TextNotice::archive(&archive[..].into()) {
    ///     numbers.push(notice?.trigger_number().map(|number| number.into_owned()));
    /// }
    /// assert_eq!(numbers, [Some("1".to_owned()), Some("2".to_owned())]);
    /// # Ok::<(), hop_core::Error>(())
    /// ```
    pub fn archive(file: &Bytes) -> impl Iterator<Item = Result<Self, Error>> {
        let begins = |line: &[u8], _: &[u8]| line.starts_with(b"TITLE:");
        archive::pieces(file, begins).map(|range| Self::decode((&file.slice(range)).into()))
    }

    fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        lines::entries(&self.text, self.plain)
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
        let raw = content.to_bytes();
        let text = match std::str::from_utf8(&raw) {
            Ok(text) => raw.slice_ref(text.trim_matches(is_space).as_bytes()),
            Err(_) => {
                let mut text = String::with_capacity(2 * raw.len());
                text.extend(raw.iter().map(|byte| char::from(*byte)));
                let trimmed = text.trim_matches(is_space);
                let start = text.len() - text.trim_start_matches(is_space).len();
                let end = start + trimmed.len();
                Bytes::from(text).slice(start..end)
            }
        };
        let plain = lines::is_plain(&text);
        Ok(Self { raw, text, plain })
    }

    /// The bytes as they came.
    fn encode(&self) -> Result<Bytes, Error> {
        Ok(self.raw.clone())
    }

    fn fields(&self) -> Result<Value, Error> {
        let mut places = HashMap::new();
        let mut fields: Vec<(String, String)> = Vec::new();
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

    fn summary(&self) -> hop_core::Summary {
        summary::of(self)
    }

    fn example() -> Option<Self> {
        Self::decode(include_str!("example.txt").into()).ok()
    }
}

#[cfg(test)]
mod tests {
    use hop_core::sky::{Coordinates, Frame};

    use super::*;

    fn notice(text: &str) -> TextNotice {
        TextNotice::decode(text.into()).unwrap()
    }

    #[test]
    fn values_have_units_and_times_are_utc() {
        let notice = notice(
            "TITLE:         GCN/SWIFT NOTICE\nNOTICE_DATE:   Fri 23 Dec 16 19:11:18 UT\nNOTICE_TYPE:   Swift-BAT GRB Position\n\
             TRIGGER_NUM:   728094,   Seg_Num: 0\n\
             GRB_RA:        259.877d {+17h 19m 31s} (J2000),\n               260.138d {+17h 20m 33s} (current),\n\
             \x20              259.109d {+17h 16m 26s} (1950)\n\
             GRB_DEC:       -25.010d {-25d 00' 36\"} (J2000),\n               -25.027d {-25d 01' 35\"} (current),\n\
             \x20              -24.960d {-24d 57' 33\"} (1950)\n\
             GRB_ERROR:     3.00 [arcmin radius, statistical only]\n\
             GRB_DATE:      17745 TJD; 358 DOY; 16/12/23\nGRB_TIME:      68486.64 SOD {19:01:26.64} UT\n",
        );
        assert_eq!(notice.title().as_deref(), Some("GCN/SWIFT NOTICE"));
        assert_eq!(notice.notice_type().as_deref(), Some("Swift-BAT GRB Position"));
        assert_eq!(notice.trigger_number().as_deref(), Some("728094"));
        assert_eq!(notice.notice_date().unwrap().to_string(), "2016-12-23T19:11:18Z");
        assert_eq!(notice.event_time().unwrap().to_string(), "2016-12-23T19:01:26.64Z");
        assert_eq!(
            notice.position().unwrap().stated(),
            Coordinates { longitude: 259.877, latitude: -25.010, frame: Frame::J2000 }
        );
        assert_eq!(notice.position().unwrap().radius(), Some(0.05));
        assert_eq!(notice.position_error(), Some(0.05));
    }

    #[test]
    fn days_and_seconds_do_where_calendar_and_clock_are_missing() {
        let notice = notice("EVENT_DATE: 17745 TJD\nEVENT_TIME: 68486.64 SOD UT\n");
        assert_eq!(notice.event_time().unwrap().to_string(), "2016-12-23T19:01:26.64Z");
    }

    #[test]
    fn a_pager_notice_keeps_its_first_line() {
        let notice = notice("GCN/RXTE_PCA GRB\nRA=123.45d DEC=-12.50d\nTIME: 04:05:02.00 UT\n");
        assert_eq!(notice.title().as_deref(), Some("GCN/RXTE_PCA GRB"));
        assert_eq!(notice.preamble(), "GCN/RXTE_PCA GRB\nRA=123.45d DEC=-12.50d");
        assert_eq!(notice.position(), None);
    }

    #[test]
    fn nonsense_is_no_number() {
        let notice = notice(
            "NOTICE_DATE: Fri 99 Dec 16 99:11:18 UT\nGRB_RA: nan (J2000)\nGRB_DEC: 1e999 (J2000)\nGRB_ERROR: 3 [furlong]\n\
             GRB_DATE: 99999999999 TJD\nGRB_TIME: inf SOD\nTRIGGER_NUM: , x\n",
        );
        assert_eq!((notice.notice_date(), notice.event_time()), (None, None));
        assert_eq!((notice.position(), notice.position_error(), notice.trigger_number()), (None, None, None));
    }
}
