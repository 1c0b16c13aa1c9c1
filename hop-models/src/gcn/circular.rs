//! In the making.

use bytes::Bytes;
use hop_core::{Content, Error, ErrorKind, MessageModel, Value};

/// In the making.
#[derive(Debug, Clone)]
pub struct Circular;

impl MessageModel for Circular {
    const FORMAT: &'static str = "circular";
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
