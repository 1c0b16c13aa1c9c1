use std::marker::PhantomData;

use bytes::Bytes;
use hop_core::{Codec, Content, Error, ErrorKind, Frame, Framing, Headers, Outgoing};

/// The codec `C` within the framing `F`, one that stands in the content alone: [`Gzip`](crate::framing::Gzip), or one of
/// one's own.
///
/// ```
/// use hop_core::codec::Json;
/// use hop_core::{HopModel, MessageModel};
/// use hop_models::codec::{Avro, Framed};
/// use hop_models::framing::Gzip;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize, HopModel)]
/// #[hop(format = "packed-donut", codec = Framed<Avro, Gzip>)]
/// struct Donut {
///     flavor: String,
/// }
///
/// let donut = Donut { flavor: "maple".into() };
/// let content = donut.encode()?;
/// assert!(content.starts_with(b"\x1f\x8b"));
/// assert_eq!(Donut::decode((&content).into())?, donut);
/// # Ok::<(), hop_core::Error>(())
/// ```
///
/// A framing that takes a registry or the record's key belongs into a [rule](hop_core::TopicRule::framed) when reading, and
/// to the writer when writing.
#[derive(Debug, Clone, Copy)]
pub struct Framed<C, F>(PhantomData<fn() -> (C, F)>);

impl<M, C: Codec<M>, F: Framing + Default> Codec<M> for Framed<C, F> {
    fn decode(format: &'static str, content: Content<'_>) -> Result<M, Error> {
        content.check_size(format)?;
        let inside = F::default().unwrap(&Frame { content, key: None, topic: None });
        C::decode(format, content.with_bytes(&inside.map_err(|error| error.about(format))?))
    }

    fn encode(format: &'static str, model: &M) -> Result<Bytes, Error> {
        let message = Outgoing { content: C::encode(format, model)?.into(), key: None, headers: Headers::new() };
        let framed = F::default().wrap("", message).map_err(|error| error.about(format))?;
        match framed.content.as_bytes() {
            Some(content) if framed.key.is_none() && framed.headers.is_empty() => Ok(content.clone()),
            _ => Err(Error::new(ErrorKind::Unencodable, format)
                .expected("a framing that stands in the content alone")
                .found("one that writes the key or headers too")),
        }
    }
}
