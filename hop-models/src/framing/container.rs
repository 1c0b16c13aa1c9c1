use bytes::Bytes;
use hop_core::{Error, Frame, Framing, Outgoing};

use crate::avro;

/// An Avro object container file, named `container`: the content itself, which carries its schema.
#[derive(Debug, Clone, Copy, Default)]
pub struct Container;

impl Framing for Container {
    fn name(&self) -> &str {
        "container"
    }

    fn unwrap(&self, frame: &Frame<'_>) -> Result<Bytes, Error> {
        avro::check_magic(&frame.content)?;
        Ok(frame.content.to_bytes())
    }

    fn wrap(&self, _topic: &str, message: Outgoing) -> Result<Outgoing, Error> {
        avro::check_magic(message.content.as_bytes().map_or(&[][..], |content| content))?;
        Ok(message)
    }
}
