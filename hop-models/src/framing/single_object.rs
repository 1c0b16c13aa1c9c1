use std::sync::Arc;

use bytes::Bytes;
use hop_core::{Error, ErrorKind, Frame, Framing, Location, Outgoing, SchemaId, SchemaSource, excerpt};

use super::avro_datum::{Schemas, split};
use crate::avro;

const NAME: &str = "single-object";

/// [Avro's single-object encoding](https://avro.apache.org/docs/1.12.0/specification/#single-object-encoding), named
/// `single-object`: `C3 01`, the fingerprint of the schema, then a datum.
#[derive(Debug)]
pub struct SingleObject(Schemas);

impl SingleObject {
    /// Makes the framing, which looks schemas up in `source` by their fingerprints: a
    /// [`SchemaFolder`](super::SchemaFolder) or [`EmbeddedSchemas`](super::EmbeddedSchemas) has those of its schemas.
    pub fn new(source: Arc<dyn SchemaSource>) -> Self {
        Self(Schemas::new(source))
    }
}

impl Framing for SingleObject {
    fn name(&self) -> &str {
        NAME
    }

    fn unwrap(&self, frame: &Frame<'_>) -> Result<Bytes, Error> {
        let content = frame.content.to_bytes();
        let (fingerprint, datum) = avro::split_single_object(&content).ok_or_else(|| {
            Error::new(ErrorKind::Malformed, NAME)
                .expected("`\\xc3\\x01` and a fingerprint")
                .found(if content.is_empty() { "no content".to_owned() } else { excerpt(&content) })
                .at(Location::Byte(0))
        })?;
        self.0.open(NAME, &SchemaId::Fingerprint(fingerprint), datum, frame.content)
    }

    fn wrap(&self, _topic: &str, message: Outgoing) -> Result<Outgoing, Error> {
        let (schema, datum) = split(NAME, &message)?;
        let content = [&[0xC3, 0x01][..], &schema.fingerprint().to_le_bytes(), &datum].concat();
        Ok(Outgoing { content: Bytes::from(content).into(), ..message })
    }

    fn may_wait(&self) -> bool {
        self.0.source.may_wait()
    }

    fn can_unwrap_at_once(&self, frame: &Frame<'_>) -> bool {
        let fingerprint = avro::split_single_object(&frame.content.to_bytes()).map(|(fingerprint, _)| fingerprint);
        !self.may_wait() || fingerprint.is_none_or(|fingerprint| self.0.has(&SchemaId::Fingerprint(fingerprint)))
    }

    fn wrap_at_once(&self, topic: &str, message: Outgoing) -> Result<Result<Outgoing, Error>, Outgoing> {
        Ok(self.wrap(topic, message))
    }
}
