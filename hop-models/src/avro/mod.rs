//! In the making.

use bytes::Bytes;
use hop_core::{Content, Error, ErrorKind, MessageModel, Value};

/// In the making.
#[derive(Debug, Clone)]
pub struct AvroBlob;

impl MessageModel for AvroBlob {
    const FORMAT: &'static str = "avro";
    fn decode(_: Content<'_>) -> Result<Self, Error> {
        Err(Error::new(ErrorKind::Unsupported, Self::FORMAT))
    }
    fn encode(&self) -> Result<Bytes, Error> {
        Err(Error::new(ErrorKind::Unsupported, Self::FORMAT))
    }
    fn fields(&self) -> Result<Value, Error> {
        Ok(Value::Null)
    }
}
