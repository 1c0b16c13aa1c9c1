//! What travels: content, key and headers, and the place where it was read.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use crate::error::shorten;
use crate::{Error, ErrorKind, Payload, Value};

/// The names of the headers that hop itself writes. Names that start with `_` are reserved for it.
pub mod header {
    /// 16 raw bytes, a version 4 UUID, fresh for each message.
    pub const ID: &str = "_id";
    /// The UTF-8 name of the credential that published; a claim, no proof.
    pub const SENDER: &str = "_sender";
    /// Present, with any value or none, on test messages; hop writes `true`.
    pub const TEST: &str = "_test";
    /// The UTF-8 label of the model, in lower case.
    pub const FORMAT: &str = "_format";
    /// The version of the model, in decimal digits, where it has several; see [`Version`](crate::Version). It stands among
    /// the user's headers.
    pub const VERSION: &str = "format-version";
    /// What the names of reserved headers start with.
    pub const RESERVED: char = '_';

    /// Those that nearly every message has.
    pub(super) const USUAL: [&str; 5] = [ID, FORMAT, SENDER, TEST, VERSION];
}

/// One header: a name and a value, which may be null.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The name; the same one may come again.
    pub name: Cow<'static, str>,
    /// The bytes, or `None` where the header is null.
    pub value: Option<Bytes>,
}

/// The headers of a record: in order, names may repeat, values may be null.
///
/// ```
/// use hop_core::Headers;
///
/// let headers: Headers = [("instrument", Some("H1")), ("instrument", Some("V1")), ("note", None)].into_iter().collect();
/// assert_eq!(headers.get("instrument"), Some(&b"H1"[..]));
/// assert_eq!(headers.get_all("instrument").count(), 2);
/// assert!(headers.contains("note"));
/// assert_eq!(headers.get("note"), None);
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<Header>);

impl Headers {
    /// No headers.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// No headers yet, and room for some.
    pub fn with_capacity(count: usize) -> Self {
        Self(Vec::with_capacity(count))
    }

    /// The headers that `value` lists: `[name, value]` each, or an object of them where no name comes twice.
    ///
    /// The value of a header is text, null, or `{"$bytes": "<base64>"}`.
    ///
    /// ```
    /// use hop_core::{Headers, Value};
    ///
    /// let list = Value::from_json(r#"[["_format", "circular"], ["raw", {"$bytes": "AP8="}], ["note", null]]"#)?;
    /// let headers = Headers::from_value(&list)?;
    /// assert_eq!(headers.get("raw"), Some(&b"\x00\xFF"[..]));
    ///
    /// let error = Headers::from_value(&Value::from_json(r#"{"priority": 1}"#)?).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     r#"headers: expected text, null or {"$bytes": base64} as the value of `priority`, found 1"#,
    /// );
    /// # Ok::<(), hop_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// Kind `Invalid`, with the header that is none.
    pub fn from_value(value: &Value) -> Result<Self, Error> {
        let wrong = |expected: String, found: &Value| {
            Error::new(ErrorKind::Invalid, "headers").expected(expected).found(shorten(&found.to_string()))
        };
        let mut headers = Self::new();
        let mut push = |name: &str, value: &Value| {
            let value = match value {
                Value::Null => None,
                Value::String(text) => Some(Bytes::copy_from_slice(text.as_bytes())),
                tagged => match tagged["$bytes"].as_str().and_then(|text| STANDARD.decode(text).ok()) {
                    Some(bytes) => Some(bytes.into()),
                    None => {
                        let name = shorten(&name.escape_debug().to_string());
                        let wanted = format!("text, null or {{\"$bytes\": base64}} as the value of `{name}`");
                        return Err(wrong(wanted, tagged));
                    }
                },
            };
            headers.push(name, value);
            Ok(())
        };
        match value {
            Value::Object(object) => {
                object.iter().try_for_each(|(name, value)| push(&name.to_string_lossy(), value))?;
            }
            Value::Array(pairs) => pairs.iter().try_for_each(|pair| match pair.as_array() {
                Some([name, value]) if name.as_str().is_some() => push(name.as_str().unwrap_or_default(), value),
                _ => Err(wrong("[name, value]".to_owned(), pair)),
            })?,
            other => return Err(wrong("a list of [name, value], or an object".to_owned(), other)),
        }
        Ok(headers)
    }

    pub(crate) fn reserve(&mut self, count: usize) {
        self.0.reserve(count);
    }

    /// Adds a header at the end.
    pub fn push<'a>(&mut self, name: impl Into<Cow<'a, str>>, value: Option<Bytes>) {
        self.0.push(Header { name: shared(name), value });
    }

    /// The value of the first header of that name; `None` where there is no such header, or its value is null.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.first(name)?.value.as_deref()
    }

    /// The first header of that name.
    pub fn first(&self, name: &str) -> Option<&Header> {
        self.0.iter().find(|header| header.name == name)
    }

    /// The values of all headers of that name, in order.
    pub fn get_all(&self, name: &str) -> impl Iterator<Item = Option<&[u8]>> {
        self.0.iter().filter(move |header| header.name == name).map(|header| header.value.as_deref())
    }

    /// Whether a header of that name is there, null or not.
    pub fn contains(&self, name: &str) -> bool {
        self.first(name).is_some()
    }

    /// Takes out every header of that name.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|header| header.name != name);
    }

    /// All headers in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Header> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The `_id` as a UUID; `None` where it is missing or not 16 bytes.
    pub fn id(&self) -> Option<uuid::Uuid> {
        uuid::Uuid::from_slice(self.get(header::ID)?).ok()
    }

    /// The `_sender`; `None` where it is missing or not UTF-8. The publisher claims it, nothing proves it.
    pub fn sender(&self) -> Option<&str> {
        std::str::from_utf8(self.get(header::SENDER)?).ok()
    }

    /// Whether the message is marked as a test: `_test` is there, whatever its value.
    pub fn is_test(&self) -> bool {
        self.contains(header::TEST)
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_list();
        for header in self {
            match &header.value {
                Some(value) => list.entry(&format_args!("{}: {}", header.name, value.escape_ascii())),
                None => list.entry(&format_args!("{}: null", header.name)),
            };
        }
        list.finish()
    }
}

impl<'a> IntoIterator for &'a Headers {
    type Item = &'a Header;
    type IntoIter = std::slice::Iter<'a, Header>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl IntoIterator for Headers {
    type Item = Header;
    type IntoIter = std::vec::IntoIter<Header>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl FromIterator<Header> for Headers {
    fn from_iter<I: IntoIterator<Item = Header>>(headers: I) -> Self {
        Self(headers.into_iter().collect())
    }
}

/// Returns the name, which takes no memory where it is one that nearly every message has.
fn shared<'a>(name: impl Into<Cow<'a, str>>) -> Cow<'static, str> {
    let name = name.into();
    let usual = header::USUAL.into_iter().find(|usual| *usual == name);
    usual.map_or_else(|| Cow::Owned(name.into_owned()), Cow::Borrowed)
}

impl<'a, N: Into<Cow<'a, str>>, V: AsRef<[u8]>> FromIterator<(N, Option<V>)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, Option<V>)>>(headers: I) -> Self {
        headers
            .into_iter()
            .map(|(name, value)| Header {
                name: shared(name),
                value: value.map(|value| Bytes::copy_from_slice(value.as_ref())),
            })
            .collect()
    }
}

/// Where a record stands: enough to find it again, and to commit it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// The topic.
    pub topic: Arc<str>,
    /// The partition within the topic, from zero.
    pub partition: i32,
    /// The offset within the partition, from zero.
    pub offset: i64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]@{}", self.topic, self.partition, self.offset)
    }
}

/// One message as it was received, before and beside any decoding.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record {
    /// The content, byte for byte; null where Kafka's value is.
    pub content: Payload,
    /// The key, if there is one.
    pub key: Option<Bytes>,
    /// The headers, in order.
    pub headers: Headers,
    /// Milliseconds since 1970-01-01T00:00:00Z, as the broker keeps them; `None` when it keeps none.
    pub timestamp: Option<i64>,
    /// Where it was read; `None` for a record that was not read from a topic.
    pub place: Option<Place>,
}
