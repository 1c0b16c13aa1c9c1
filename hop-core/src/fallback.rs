//! The two models for content that no other model claims.

use bytes::Bytes;

use crate::{Content, Error, ErrorKind, MessageModel, Payload, Value, json};

/// Any JSON value, labelled `json`.
///
/// On the wire and in a file it is JSON text; [`json`](crate::json) says what is read beyond the standard and how it is
/// written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JsonBlob {
    /// The value.
    pub content: Value,
}

impl MessageModel for JsonBlob {
    const FORMAT: &'static str = "json";

    fn decode(content: Content<'_>) -> Result<Self, Error> {
        json::parse(content).map(Self::from)
    }

    fn encode(&self) -> Result<Bytes, Error> {
        json::write(&self.content).map(Bytes::from)
    }

    fn fields(&self) -> Result<Value, Error> {
        Ok(Value::object([("content", self.content.clone())]))
    }

    fn from_fields(fields: Value) -> Result<Self, Error> {
        match fields {
            Value::Object(mut object) if object.get("content").is_some() => {
                Ok(object.remove("content").unwrap_or_default().into())
            }
            other => Err(Error::new(ErrorKind::Invalid, Self::FORMAT)
                .expected("an object with the field `content`")
                .found(if other.as_object().is_some() { "one without it" } else { other.describe() })),
        }
    }

    fn example() -> Option<Self> {
        let content = [
            ("event", "S200302c".into()),
            ("far", Value::Float(9.349e-9)),
            ("instruments", vec!["H1".into(), "V1".into()].into()),
        ];
        Some(Value::object(content).into())
    }
}

impl From<Value> for JsonBlob {
    fn from(content: Value) -> Self {
        Self { content }
    }
}

/// Bytes without a meaning, labelled `blob`: as they are, on the wire and in a file.
///
/// It may also be null, [`Blob::NULL`]: what a message without a value decodes to, and what is sent as one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Blob {
    /// The bytes, or null.
    pub content: Payload,
}

impl Blob {
    /// No value: sent with a key to a compacted topic, it deletes what has that key.
    pub const NULL: Self = Self { content: Payload::NULL };
}

impl MessageModel for Blob {
    const FORMAT: &'static str = "blob";

    fn decode(content: Content<'_>) -> Result<Self, Error> {
        content.check_size(Self::FORMAT)?;
        Ok(Self { content: if content.is_null() { Payload::NULL } else { content.to_bytes().into() } })
    }

    fn encode(&self) -> Result<Bytes, Error> {
        Ok(self.content.as_bytes().cloned().unwrap_or_default())
    }

    fn is_null(&self) -> bool {
        self.content.is_null()
    }

    fn fields(&self) -> Result<Value, Error> {
        Ok(Value::object([("content", self.content.as_bytes().cloned().map_or(Value::Null, Value::Bytes))]))
    }

    fn from_fields(fields: Value) -> Result<Self, Error> {
        match fields.get("content") {
            Some(Value::Null) => Ok(Self::NULL),
            Some(Value::Bytes(bytes)) => Ok(bytes.clone().into()),
            Some(Value::String(text)) => Ok(Bytes::copy_from_slice(text.as_bytes()).into()),
            other => Err(Error::new(ErrorKind::Invalid, Self::FORMAT)
                .expected("an object whose `content` is bytes, a string or null")
                .found(other.unwrap_or(&fields).describe())),
        }
    }

    fn example() -> Option<Self> {
        Some(Bytes::from_static(b"Nova in Cygnus").into())
    }
}

impl From<Bytes> for Blob {
    fn from(content: Bytes) -> Self {
        Self { content: content.into() }
    }
}

impl From<&[u8]> for Blob {
    fn from(content: &[u8]) -> Self {
        Bytes::copy_from_slice(content).into()
    }
}

impl From<Vec<u8>> for Blob {
    fn from(content: Vec<u8>) -> Self {
        Bytes::from(content).into()
    }
}
