use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use hop_core::{Error, ErrorKind, Frame, Framing, Outgoing};

use super::inflate;

const NAME: &str = "gzip";

/// Content compressed with [gzip](https://www.rfc-editor.org/rfc/rfc1952), named `gzip`; several members are one after the
/// other. Around another framing it is `confluent+gzip`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Gzip;

impl Framing for Gzip {
    fn name(&self) -> &str {
        NAME
    }

    fn unwrap(&self, frame: &Frame<'_>) -> Result<Bytes, Error> {
        if !frame.content.starts_with(&[0x1F, 0x8B]) {
            return Err(Error::new(ErrorKind::Malformed, NAME).expected("gzip, which starts with `\\x1f\\x8b`").found(
                if frame.content.is_empty() { "no content".to_owned() } else { hop_core::excerpt(&frame.content) },
            ));
        }
        inflate::read(NAME, MultiGzDecoder::new(frame.content.as_slice()), frame.content).map(Bytes::from)
    }

    fn wrap(&self, _topic: &str, message: Outgoing) -> Result<Outgoing, Error> {
        let content = message.content.as_bytes().map_or(&[][..], |content| content);
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        let written = encoder.write_all(content).and_then(|()| encoder.finish());
        let packed = written.map_err(|error| Error::new(ErrorKind::Unencodable, NAME).found(error.to_string()))?;
        Ok(Outgoing { content: Bytes::from(packed).into(), ..message })
    }
}
