//! Messages as BSON: what is sent to be stored, and what comes back.
//!
//! Content is copied once when it is read, and not at all when it is sent.

use bson::raw::{RawArray, RawBsonRef, RawDocument};
use bson::spec::BinarySubtype;
use bytes::Bytes;
use hop_core::{Headers, Outgoing};
use uuid::Uuid;

/// The most headers that a message may have.
const MOST_HEADERS: usize = 10_000;

/// What is wrong with a document.
pub(crate) type Fault = String;

/// A message as the archive has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) content: Option<Bytes>,
    pub(crate) headers: Headers,
    pub(crate) key: Option<Bytes>,
    /// Milliseconds since 1970.
    pub(crate) timestamp: Option<i64>,
    pub(crate) topic: Option<String>,
    pub(crate) notes: Notes,
}

/// What the archive itself says of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Notes {
    pub(crate) id: Option<Uuid>,
    pub(crate) size: Option<i64>,
    pub(crate) is_public: Option<bool>,
    pub(crate) is_retracted: bool,
    pub(crate) title: Option<String>,
    pub(crate) sender: Option<String>,
    pub(crate) media_type: Option<String>,
    pub(crate) file_name: Option<String>,
}

/// A page of messages.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) next: Option<String>,
    pub(crate) messages: Vec<Result<Stored, Fault>>,
}

/// Returns the document at the beginning; what follows it is not looked at, as in hop-client.
fn document(bytes: &[u8]) -> Result<&RawDocument, Fault> {
    let length = bytes.first_chunk().map(|length| u32::from_le_bytes(*length) as usize);
    let Some(bytes) = length.and_then(|length| bytes.get(..length)) else {
        return Err(format!("{} bytes that are not a whole BSON document", bytes.len()));
    };
    RawDocument::from_bytes(bytes).map_err(malformed)
}

fn malformed(error: bson::error::Error) -> Fault {
    // Its words may quote what was received.
    let mut what: String = error.to_string().escape_debug().take(200).collect();
    what.insert_str(0, "malformed BSON: ");
    what
}

/// Calls `each` with the fields; of a repeated name, the last one stands.
fn fields<'a>(
    document: &'a RawDocument,
    mut each: impl FnMut(&'a str, RawBsonRef<'a>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    for field in document.iter() {
        let (name, value) = field.map_err(malformed)?;
        each(name.as_str(), value)?;
    }
    Ok(())
}

fn found(what: &str, expected: &str, value: &RawBsonRef<'_>) -> Fault {
    format!("a message whose `{what}` is not {expected}, but {:?}", value.element_type())
}

fn integer(value: &RawBsonRef<'_>) -> Option<i64> {
    match value {
        // Python writes the shorter one where it is enough.
        RawBsonRef::Int32(number) => Some(i64::from(*number)),
        RawBsonRef::Int64(number) => Some(*number),
        _ => None,
    }
}

fn bytes(value: &RawBsonRef<'_>) -> Option<Bytes> {
    match value {
        RawBsonRef::Binary(binary) => Some(Bytes::copy_from_slice(binary.bytes)),
        RawBsonRef::String(text) => Some(Bytes::copy_from_slice(text.as_bytes())),
        _ => None,
    }
}

fn uuid(value: &RawBsonRef<'_>) -> Option<Uuid> {
    match value {
        RawBsonRef::Binary(binary) => Uuid::from_slice(binary.bytes).ok(),
        RawBsonRef::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// Reads one message: what `GET /msg/{uuid}` answers.
pub(crate) fn message(content: &Bytes) -> Result<Stored, Fault> {
    stored(document(content)?, Some(content))
}

/// Reads a message, and shares the memory of its content with `whole`; without that it may be a record of metadata alone.
fn stored(document: &RawDocument, whole: Option<&Bytes>) -> Result<Stored, Fault> {
    let must_have_content = whole.is_some();
    let (mut content, mut metadata, mut annotations) = (None, None, None);
    fields(document, |name, value| {
        match (name, value) {
            ("message", RawBsonRef::Binary(binary)) => {
                content = Some(match whole {
                    Some(whole) => whole.slice_ref(binary.bytes),
                    None => Bytes::copy_from_slice(binary.bytes),
                });
            }
            // A record of metadata alone may have it.
            ("message", RawBsonRef::Null) => content = None,
            ("message", other) => return Err(found("message", "binary", &other)),
            ("metadata", RawBsonRef::Document(fields)) => metadata = Some(fields),
            ("metadata", other) => return Err(found("metadata", "a document", &other)),
            ("annotations", RawBsonRef::Document(fields)) => annotations = Some(fields),
            _ => {}
        }
        Ok(())
    })?;
    if must_have_content && content.is_none() {
        return Err("a message without `message`".to_owned());
    }
    let mut out = Stored {
        content,
        headers: Headers::new(),
        key: None,
        timestamp: None,
        topic: None,
        notes: annotations.map(notes).transpose()?.unwrap_or_default(),
    };
    let metadata = metadata.ok_or("a message without `metadata`")?;
    let mut has_headers = false;
    fields(metadata, |name, value| {
        match (name, &value) {
            ("headers", RawBsonRef::Array(list)) => {
                out.headers = headers(list)?;
                has_headers = true;
            }
            ("headers", other) => return Err(found("metadata.headers", "a list", other)),
            ("timestamp", value) => {
                out.timestamp =
                    Some(integer(value).ok_or_else(|| found("metadata.timestamp", "a whole number", value))?);
            }
            ("key", RawBsonRef::Null) => out.key = None,
            // The archive has an empty key where none was sent.
            ("key", value) => {
                let key = bytes(value).ok_or_else(|| found("metadata.key", "binary", value))?;
                out.key = Some(key).filter(|key| !key.is_empty());
            }
            ("topic", RawBsonRef::String(topic)) => out.topic = Some((*topic).to_owned()),
            _ => {}
        }
        Ok(())
    })?;
    if must_have_content && !has_headers {
        return Err("a message without `metadata.headers`".to_owned());
    }
    Ok(out)
}

fn headers(list: &RawArray) -> Result<Headers, Fault> {
    let mut headers = Headers::new();
    for header in list {
        let header = header.map_err(malformed)?;
        let RawBsonRef::Array(pair) = header else { return Err(found("metadata.headers[]", "a list", &header)) };
        let mut parts = pair.into_iter();
        let (Some(name), Some(value), None) = (parts.next(), parts.next(), parts.next()) else {
            return Err("a message with a header that is not a name and a value".to_owned());
        };
        let (name, value) = (name.map_err(malformed)?, value.map_err(malformed)?);
        let RawBsonRef::String(name) = name else { return Err(found("the name of a header", "text", &name)) };
        let value = match value {
            RawBsonRef::Null => None,
            value => Some(bytes(&value).ok_or_else(|| found("the value of a header", "binary", &value))?),
        };
        if headers.len() == MOST_HEADERS {
            return Err(format!("a message with more than {MOST_HEADERS} headers"));
        }
        headers.push(name, value);
    }
    Ok(headers)
}

/// Reads what the archive says of a message, and leaves out what has another type: the message itself does not depend on it.
fn notes(document: &RawDocument) -> Result<Notes, Fault> {
    let mut notes = Notes::default();
    let text = |value: RawBsonRef<'_>| match value {
        RawBsonRef::String(text) if !text.is_empty() => Some(text.to_owned()),
        _ => None,
    };
    let flag = |value: RawBsonRef<'_>| match value {
        RawBsonRef::Boolean(flag) => Some(flag),
        _ => None,
    };
    fields(document, |name, value| {
        match name {
            "con_text_uuid" => notes.id = uuid(&value),
            "size" => notes.size = integer(&value),
            "public" => notes.is_public = flag(value),
            "retracted" => notes.is_retracted = flag(value).unwrap_or_default(),
            "title" => notes.title = text(value),
            "sender" => notes.sender = text(value),
            "media_type" => notes.media_type = text(value),
            "file_name" => notes.file_name = text(value),
            _ => {}
        }
        Ok(())
    })?;
    Ok(notes)
}

/// Reads a page: what `GET /messages` answers. A message that is malformed does not harm the others.
pub(crate) fn page(content: &[u8]) -> Result<Page, Fault> {
    let mut page = Page::default();
    let mut has_messages = false;
    fields(document(content)?, |name, value| {
        match (name, value) {
            ("next", RawBsonRef::String(bookmark)) => page.next = Some(bookmark.to_owned()),
            ("next", RawBsonRef::Null) => page.next = None,
            ("next", other) => return Err(format!("a page whose `next` is {:?}", other.element_type())),
            ("messages", RawBsonRef::Array(list)) => {
                has_messages = true;
                page.messages.clear();
                for message in list {
                    page.messages.push(match message.map_err(malformed)? {
                        RawBsonRef::Document(message) => stored(message, None),
                        other => Err(found("messages[]", "a document", &other)),
                    });
                }
            }
            ("messages", other) => return Err(format!("a page whose `messages` are {:?}", other.element_type())),
            _ => {}
        }
        Ok(())
    })?;
    if has_messages { Ok(page) } else { Err("a page without `messages`".to_owned()) }
}

/// Reads a list of names: what `GET /topics` answers.
pub(crate) fn names(content: &[u8]) -> Result<Vec<String>, Fault> {
    let mut names = None;
    fields(document(content)?, |name, value| {
        if let ("topics", RawBsonRef::Array(list)) = (name, value) {
            let texts = list.into_iter().map(|value| match value.map_err(malformed)? {
                RawBsonRef::String(text) => Ok(text.to_owned()),
                other => Err(found("topics[]", "text", &other)),
            });
            names = Some(texts.collect::<Result<_, Fault>>()?);
        }
        Ok(())
    })?;
    names.ok_or_else(|| "an answer without `topics`".to_owned())
}

/// Reads a number: what `GET /messages/count` answers.
pub(crate) fn count(content: &[u8]) -> Result<u64, Fault> {
    let mut count = None;
    fields(document(content)?, |name, value| {
        if name == "count" {
            count = integer(&value).and_then(|count| u64::try_from(count).ok());
        }
        Ok(())
    })?;
    count.ok_or_else(|| "an answer without `count`".to_owned())
}

/// Reads under which identifier a message was stored; `None` where the answer is empty, or says nothing of it.
pub(crate) fn receipt(content: &[u8]) -> Result<Option<Uuid>, Fault> {
    let mut id = None;
    if content.is_empty() {
        return Ok(id);
    }
    fields(document(content)?, |name, value| {
        if name == "archive_uuid" {
            id = Some(uuid(&value).ok_or_else(|| found(name, "a UUID", &value))?);
        }
        Ok(())
    })?;
    Ok(id)
}

/// Writes a message to be stored; `None` where a header is null, which the archive cannot store.
///
/// The parts are what stands before the content, the content, and what follows it.
pub(crate) fn upload(message: &Outgoing) -> Option<[Bytes; 3]> {
    let content = message.content.as_bytes().cloned().unwrap_or_default();
    let mut after = Vec::new();
    field(&mut after, 0x04, "headers");
    let list = begin(&mut after);
    for (number, header) in message.headers.iter().enumerate() {
        field(&mut after, 0x04, &number.to_string());
        let pair = begin(&mut after);
        field(&mut after, 0x02, "0");
        text(&mut after, &header.name);
        field(&mut after, 0x05, "1");
        binary(&mut after, header.value.as_ref()?);
        end(&mut after, pair);
    }
    end(&mut after, list);
    if let Some(key) = &message.key {
        field(&mut after, 0x05, "key");
        binary(&mut after, key);
    }
    after.push(0);
    let mut before = vec![0; 4];
    field(&mut before, 0x05, "message");
    before.extend_from_slice(&length(content.len()));
    // The subtype of plain bytes.
    before.push(u8::from(BinarySubtype::Generic));
    let total = length(before.len() + content.len() + after.len());
    before.splice(..4, total);
    Some([before.into(), content, after.into()])
}

/// Lengths that do not fit make a document that the archive refuses; Kafka's own messages are shorter.
fn length(length: usize) -> [u8; 4] {
    i32::try_from(length).unwrap_or(i32::MAX).to_le_bytes()
}

fn field(out: &mut Vec<u8>, kind: u8, name: &str) {
    out.push(kind);
    out.extend_from_slice(name.as_bytes());
    out.push(0);
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(&length(text.len() + 1));
    out.extend_from_slice(text.as_bytes());
    out.push(0);
}

fn binary(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&length(bytes.len()));
    out.push(u8::from(BinarySubtype::Generic));
    out.extend_from_slice(bytes);
}

fn begin(out: &mut Vec<u8>) -> usize {
    out.extend_from_slice(&[0; 4]);
    out.len() - 4
}

fn end(out: &mut Vec<u8>, start: usize) {
    out.push(0);
    let total = length(out.len() - start);
    if let Some(place) = out.get_mut(start..start + 4) {
        place.copy_from_slice(&total);
    }
}
