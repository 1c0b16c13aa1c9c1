//! GCN circulars: reports that astronomers write for each other, labelled `circular`.
//!
//! A circular has one form on the wire and another in a file:
//!
//! - on the wire, JSON: `{"header": {"title": "GCN CIRCULAR", …}, "body": "…"}`, titles in lower case;
//! - in a file, text in the style of mail ([RFC 5322]): `TITLE:   GCN CIRCULAR` and so on, an empty line, the body.
//!
//! Read as well, in either place: the JSON of [GCN's pages and topics][gcn], and mail with parts and encodings ([RFC 2045]
//! to 2047). See [`Circular::load`](hop_core::MessageModel::load).
//!
//! # Differences from hop-client
//! - A title that is folded over lines is one line here; hop-client keeps the line break.
//! - A title that repeats is kept each time ([`Titles::get_all`]); objects show the last, as hop-client does.
//! - Mail of several parts has the plain text for a body and the rest under [`Circular::parts`]; hop-client's body is a list
//!   that it can neither print nor send. Quoted-printable and base64 are undone.
//! - JSON of GCN's own is read, and files in hop's wire form; hop-client refuses the one and garbles the other.
//! - Files that are no UTF-8 are read as the charset they name, else as windows-1252; hop-client refuses them.
//! - A byte-order mark is skipped; hop-client takes it, and the header with it, for the body.
//!
//! # Not supported
//! Parts and their attachments have no place on the wire: [`encode`](hop_core::MessageModel::encode) sends the text alone.
//! What stands in the header without being a title (`From ` lines of mailboxes) is kept as [`Circular::stray_lines`] and
//! not written.
//!
//! [RFC 5322]: https://www.rfc-editor.org/rfc/rfc5322
//! [RFC 2045]: https://www.rfc-editor.org/rfc/rfc2045
//! [gcn]: https://gcn.nasa.gov/docs/circulars

mod block;
mod charset;
pub(crate) mod event;
mod header;
mod json;
mod mail;
mod summary;

use std::borrow::Cow;

use bytes::Bytes;
use encoding_rs::Encoding;
use hop_core::time::Time;
use hop_core::{Content, Error, ErrorKind, Location, MessageModel, Value};

pub use self::header::Titles;
use self::header::Written;
pub use self::mail::Part;
use super::{archive, date};

const LABEL: &str = "circular";
/// Where the texts of the file form start, unless their title is longer.
const COLUMN: usize = 9;

/// One GCN circular: titles, and a text.
///
/// ```
/// use hop_core::MessageModel;
/// use hop_models::Circular;
///
/// let circular = Circular::load("TITLE:   GCN CIRCULAR\nNUMBER:  40\nSUBJECT: GRB980329\n\nWe observed …\n".into())?;
/// assert_eq!(circular.header().get("subject"), Some("GRB980329"));
/// assert_eq!(circular.body(), "We observed …\n");
/// assert!(circular.encode()?.starts_with(br#"{"header": {"title": "GCN CIRCULAR", "number": "40","#));
/// # Ok::<(), hop_core::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Circular {
    titles: Titles,
    body: Written,
    stray: Vec<String>,
    parts: Vec<Part>,
}

impl Circular {
    /// A circular of these titles and this text.
    ///
    /// ```
    /// # use hop_models::Circular;
    /// let circular = Circular::new([("TITLE", "GCN CIRCULAR"), ("SUBJECT", "GRB 230812B: redshift")], "z = 0.36\n");
    /// assert_eq!(circular.header().get("title"), Some("GCN CIRCULAR"));
    /// ```
    pub fn new<K: AsRef<str>, V: Into<String>>(
        header: impl IntoIterator<Item = (K, V)>,
        body: impl Into<String>,
    ) -> Self {
        Self { titles: header.into_iter().collect(), body: body.into().into(), ..Self::default() }
    }

    /// The titles, in lower case and in order, and their texts.
    pub fn header(&self) -> &Titles {
        &self.titles
    }

    /// The text. Of a mail in several parts, the plain one.
    pub fn body(&self) -> &str {
        self.body.as_str()
    }

    /// The circular's number, from `NUMBER`; `None` where it is missing or no whole number.
    ///
    /// A few circulars were numbered in between, such as 31034.5; [`header`](Self::header) has their text.
    pub fn number(&self) -> Option<u32> {
        self.titles.get("number")?.trim().parse().ok()
    }

    /// The subject, with the encoded words of mail read.
    pub fn subject(&self) -> Option<Cow<'_, str>> {
        self.titles.get("subject").map(charset::words)
    }

    /// Who sent it: name, institute and address, from `FROM`, with the encoded words of mail read.
    pub fn author(&self) -> Option<Cow<'_, str>> {
        self.titles.get("from").map(charset::words)
    }

    /// Returns when it was sent, in UTC: from `DATE`, and with milliseconds where GCN's JSON has them in `createdOn`.
    ///
    /// Read are the archive's `98/04/03 07:10:15 GMT` (years 70 to 99 are of the last century), the dates of mail, and
    /// ISO 8601 with an offset. `None` for others.
    ///
    /// ```
    /// # use hop_models::Circular;
    /// let circular = Circular::new([("DATE", "98/04/03 07:10:15 GMT")], "");
    /// assert_eq!(circular.date().map(|date| date.to_string()).as_deref(), Some("1998-04-03T07:10:15Z"));
    /// ```
    pub fn date(&self) -> Option<Time> {
        let stated = self.titles.get("date").and_then(date::of_circular);
        let created = self.titles.get("createdon").and_then(|text| date::from_milliseconds(text.trim().parse().ok()?));
        // A date that somebody changed since is what the circular says.
        let created = created.filter(|created| stated.is_none_or(|stated| stated.as_second() == created.as_second()));
        date::time(created.or(stated)?)
    }

    /// Returns the event that the circular is about: what GCN's JSON states, else the first name in the subject.
    ///
    /// Names are written as [`event_names`](Self::event_names) writes them; a stated one that is in no known catalogue is
    /// returned as it stands. `None` where there is neither.
    ///
    /// ```
    /// # use hop_models::Circular;
    /// let circular = Circular::new([("SUBJECT", "GRB230818a: radio observation with the VLA")], "");
    /// assert_eq!(circular.event_name().as_deref(), Some("GRB 230818A"));
    /// ```
    pub fn event_name(&self) -> Option<String> {
        let stated = self.stated_event().map(event::catalogued);
        stated.or_else(|| event::names(&self.subject()?).next())
    }

    /// Returns the event's name that GCN states beside the subject, as it is written there.
    fn stated_event(&self) -> Option<&str> {
        self.titles.get("eventid").map(str::trim).filter(|name| !name.is_empty())
    }

    /// Returns every event named in the subject, each once, in order.
    ///
    /// One event has one name, written as its catalogue writes it, however the subject spells it: lower case, glued
    /// together, with any of Unicode's spaces and dashes.
    ///
    /// | events | written |
    /// |---|---|
    /// | gamma-ray bursts, X-ray flashes | `GRB 230818A`, `GRB 991208`, `GRB 230812.78`, `XRF 050509C` |
    /// | fast radio bursts | `FRB 20220912A`, `FRB 121102`, `FRB 180916.J0158+65` |
    /// | gravitational waves | `S231127cg`, `MS230922ab`, `G298048`, `GW170817`, `GW200105_162426`, `LVT151012` |
    /// | neutrinos | `IceCube-170922A` (also of `IC170922A`), `IceCube-Cascade 221223A`, `HAWC-221123A`, `NuEm-230927A`, `ANTARES 170902A`, `KM3-230213A`, `GVD210418CA`, `Baksan Neutrino Observatory Alert 201228.36` |
    /// | X-ray transients | `EP240219a`, `EPW20240219aa`, `LXT 221107A`, `sb25021804` |
    /// | optical transients | `AT2019wxt`, `SN 2011A`, `SN 2011dh`, `ZTF23aabmzlp`, `iPTF14yb`, `ASASSN-18ey` |
    /// | sources by position | `SGR 1935+2154`, `SGR Swift J1818.0-1607`, `Swift J1727.8-1613`, `MAXI J1820+070`, `1E 1547.0-5408`, `MASTER OT J…` |
    ///
    /// GCN's own website names the same events, with two differences:
    ///
    /// | subject | GCN | here | because |
    /// |---|---|---|---|
    /// | `LIGO/Virgo S200224ca: …` | `LIGO/Virgo S200224ca` | `S200224ca` | GraceDB's name; the same event otherwise has as many names as there are spellings of the detectors |
    /// | `S231127cg` | none | `S231127cg` | the name is whole without the detectors |
    ///
    /// ```
    /// # use hop_models::Circular;
    /// let circular = Circular::new([("SUBJECT", "EP240219a/GRB 240219A: optical limits")], "");
    /// assert_eq!(circular.event_names(), ["EP240219a", "GRB 240219A"]);
    /// ```
    pub fn event_names(&self) -> Vec<String> {
        self.subject().map(|subject| event::names(&subject).collect()).unwrap_or_default()
    }

    /// The circulars in a file of several, such as GCN keeps for each event, in order.
    ///
    /// A line of slashes parts them; so does a line `TITLE:` before a line `NUMBER:`.
    ///
    /// # Errors
    /// Each is as [`load`](MessageModel::load) gives it; the others are not touched by it.
    ///
    /// ```
    /// # use hop_models::Circular;
    /// let archive = "//////////////////\nTITLE:   GCN CIRCULAR\nNUMBER:  1\n\nOne.\n\n//////////////////\n\
    ///                TITLE:   GCN CIRCULAR\nNUMBER:  2\n\nTwo.\n";
    /// let numbers: Result<Vec<_>, _> = Circular::archive(archive.as_bytes()).map(|one| Ok(one?.number())).collect();
    /// assert_eq!(numbers?, [Some(1), Some(2)]);
    /// # Ok::<(), hop_core::Error>(())
    /// ```
    pub fn archive(file: &[u8]) -> impl Iterator<Item = Result<Self, Error>> {
        let begins = |line: &[u8], after: &[u8]| line.starts_with(b"TITLE:") && after.starts_with(b"NUMBER:");
        archive::pieces(file, begins).map(|range| Self::load(file[range].into()))
    }

    /// The parts of a mail that has several, the plain text among them; else none.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Lines that stood in the header and are no titles: a mailbox's `From …`, a continuation of nothing.
    pub fn stray_lines(&self) -> &[String] {
        &self.stray
    }

    /// The circular in text. `titled`: whether text without any title is refused.
    fn read_text(file: Content<'_>, titled: bool) -> Result<Self, Error> {
        let text = as_lines(&file);
        let mail = mail::read(&text, file.limits())?;
        let error = || {
            Error::new(ErrorKind::Malformed, LABEL)
                .expected("JSON, or lines such as `TITLE: GCN CIRCULAR`")
                .found(hop_core::excerpt(&file))
                .at(Location::Byte(0))
        };
        if mail.titles.is_empty() && (titled || is_binary(&text)) {
            return Err(error());
        }
        Ok(Self { titles: mail.titles, body: mail.body.into(), stray: mail.stray, parts: mail.parts })
    }
}

/// The text with line feeds for line ends, as Python reads files, and without a byte-order mark.
fn as_lines(file: &[u8]) -> Cow<'_, [u8]> {
    let text = match Encoding::for_bom(file) {
        Some((encoding, length)) if encoding == encoding_rs::UTF_8 => Cow::Borrowed(&file[length..]),
        Some((encoding, length)) => {
            Cow::Owned(encoding.decode_without_bom_handling(&file[length..]).0.into_owned().into_bytes())
        }
        None => Cow::Borrowed(file),
    };
    if memchr::memchr(b'\r', &text).is_none() {
        return text;
    }
    let mut lines = Vec::with_capacity(text.len());
    let mut rest: &[u8] = &text;
    while let Some(at) = memchr::memchr(b'\r', rest) {
        lines.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        // Several in a row are not searched for one by one.
        while let Some(after) = rest.strip_prefix(b"\r") {
            lines.push(b'\n');
            rest = after.strip_prefix(b"\n").unwrap_or(after);
        }
    }
    lines.extend_from_slice(rest);
    Cow::Owned(lines)
}

/// Whether this is no text in any charset: not UTF-8, and with control characters that texts have not.
fn is_binary(text: &[u8]) -> bool {
    let control = |byte: &u8| matches!(byte, 0..=8 | 14..=26 | 28..=31);
    std::str::from_utf8(text).is_err() && text.iter().any(control)
}

/// The first byte that is no white space.
fn first(text: &[u8]) -> Option<u8> {
    text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text).trim_ascii_start().first().copied()
}

impl MessageModel for Circular {
    const FORMAT: &'static str = LABEL;

    /// The circular in JSON, hop's or GCN's. What is no JSON is read as a file, if it has a title.
    fn decode(content: Content<'_>) -> Result<Self, Error> {
        content.check_size(LABEL)?;
        if matches!(first(&content), Some(b'{' | b'[' | b'"')) {
            if let Some(circular) = json::read_strict(&content) {
                return Ok(circular);
            }
            return json::read(hop_core::json::parse(content).map_err(|error| error.about(LABEL))?);
        }
        Self::read_text(content, true)
    }

    /// hop's JSON. Of a title that repeats, the last text.
    fn encode(&self) -> Result<Bytes, Error> {
        self.fields()?.to_json().map(Bytes::from).map_err(|error| error.about(LABEL))
    }

    /// The circular in text: that of GCN's archive, mail, or either JSON. Text without a header is all body.
    fn load(file: Content<'_>) -> Result<Self, Error> {
        file.check_size(LABEL)?;
        if first(&file) == Some(b'{')
            && let Ok(value) = hop_core::json::parse(file)
            && json::is_circular(&value)
        {
            return json::read(value);
        }
        Self::read_text(file, false)
    }

    /// The text: `TITLE:   …` for each title, an empty line, the body. Texts of several lines are folded.
    fn dump(&self) -> Result<Bytes, Error> {
        let mut out = String::with_capacity(self.body().len() + 64 * self.titles.len());
        for (title, text) in self.titles.iter() {
            let start = out.len();
            out.push_str(&title.to_uppercase());
            out.push(':');
            let width = out[start..].chars().count();
            out.extend(std::iter::repeat_n(' ', COLUMN.saturating_sub(width)));
            for (at, line) in text.split(['\r', '\n']).filter(|line| !line.is_empty()).enumerate() {
                if at > 0 {
                    out.push('\n');
                    out.extend(std::iter::repeat_n(' ', COLUMN));
                }
                out.push_str(line);
            }
            out.push('\n');
        }
        out.push('\n');
        out.push_str(self.body());
        Ok(out.into())
    }

    fn fields(&self) -> Result<Value, Error> {
        Ok(Value::object([("header", Value::Object(self.titles.to_object())), ("body", self.body.to_value())]))
    }

    fn from_fields(fields: Value) -> Result<Self, Error> {
        json::read(fields)
    }

    fn schema() -> Option<Value> {
        Value::from_json(include_str!("schema.json")).ok()
    }

    fn summary(&self) -> hop_core::Summary {
        summary::of(self)
    }

    fn example() -> Option<Self> {
        Self::load(include_str!("example.txt").into()).ok()
    }
}
