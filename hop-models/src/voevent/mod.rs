//! In the making.

use bytes::Bytes;
use hop_core::{Content, Error, ErrorKind, MessageModel, Value};

/// In the making.
#[derive(Debug, Clone)]
pub struct VoEvent;

impl MessageModel for VoEvent {
    const FORMAT: &'static str = "voevent";
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
