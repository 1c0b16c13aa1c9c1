//! How a model turns into content and back, apart from the model itself.
//!
//! | codec | content | for |
//! |---|---|---|
//! | [`Json`] | JSON, as Python writes it | whatever has no reason for another; people can read it |
//! | [`Text`] | the text that the model is | what is text already |
//! | `MessagePack`, feature `msgpack` | [MessagePack](https://msgpack.org) | numbers and bytes in little space |
//! | `Cbor`, feature `cbor` | [CBOR](https://www.rfc-editor.org/rfc/rfc8949) | the same, where a standard is asked for |
//!
//! `hop-models` has Avro and XML. A codec of one's own is a type with an `impl` of [`Codec`]; a derived model names it:
//!
//! ```
//! use bytes::Bytes;
//! use hop_core::{Codec, Content, Error, HopModel, MessageModel, Value};
//! use serde::{Deserialize, Serialize};
//!
//! /// The fields in one line, by commas; for models of text alone.
//! struct Csv;
//!
//! impl<M: Serialize + serde::de::DeserializeOwned> Codec<M> for Csv {
//!     fn decode(format: &'static str, content: Content<'_>) -> Result<M, Error> {
//!         content.check_size(format)?;
//!         let line = content.as_str(format)?;
//!         Value::Array(line.split(',').map(Value::from).collect()).read().map_err(|error| error.about(format))
//!     }
//!
//!     fn encode(format: &'static str, model: &M) -> Result<Bytes, Error> {
//!         let fields = Value::of(model).map_err(|error| error.about(format))?;
//!         let fields = fields.as_array().unwrap_or_default().iter();
//!         Ok(fields.filter_map(Value::as_str).collect::<Vec<_>>().join(",").into())
//!     }
//! }
//!
//! #[derive(Debug, PartialEq, Serialize, Deserialize, HopModel)]
//! #[hop(format = "sighting", codec = Csv)]
//! struct Sighting(String, String);
//!
//! let sighting = Sighting::decode("ZTF18abeoiol,P48".into())?;
//! assert_eq!(sighting, Sighting("ZTF18abeoiol".into(), "P48".into()));
//! assert_eq!(sighting.encode()?, "ZTF18abeoiol,P48");
//! # Ok::<(), Error>(())
//! ```

#[cfg(any(feature = "cbor", feature = "msgpack"))]
mod binary;
#[cfg(feature = "cbor")]
mod cbor;
#[cfg(feature = "msgpack")]
mod msgpack;
mod text;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

#[cfg(feature = "cbor")]
pub use self::cbor::Cbor;
#[cfg(feature = "msgpack")]
pub use self::msgpack::MessagePack;
pub use self::text::Text;
use crate::reader::filled;
use crate::{Content, Error, Value, json};

/// A way to write models of type `M` as content and to read them back.
///
/// A derived model uses [`Json`], or the one that it names: `#[hop(codec = Rot13)]`. A codec is a type; what it needs to know
/// besides the model, a schema or a framing, is a parameter of that type or a trait that it asks of the model. One `impl`
/// makes one:
///
/// ```
/// # #[cfg(feature = "derive")] {
/// use bytes::Bytes;
/// use hop_core::codec::Json;
/// use hop_core::{Codec, Content, Error, HopModel, MessageModel};
/// use serde::de::DeserializeOwned;
/// use serde::{Deserialize, Serialize};
///
/// /// JSON after a byte that says which mission sent it.
/// struct Mission<const BYTE: u8>;
///
/// impl<M: Serialize + DeserializeOwned, const BYTE: u8> Codec<M> for Mission<BYTE> {
///     fn decode(format: &'static str, content: Content<'_>) -> Result<M, Error> {
///         match content.as_slice().split_first() {
///             Some((byte, json)) if *byte == BYTE => Json::decode(format, Content::from(json).with_limits(content.limits())),
///             _ => Err(Error::new(hop_core::ErrorKind::Malformed, format).expected(format!("byte {BYTE} first"))),
///         }
///     }
///
///     fn encode(format: &'static str, model: &M) -> Result<Bytes, Error> {
///         let json = Json::encode(format, model)?;
///         Ok([&[BYTE], &*json].concat().into())
///     }
/// }
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize, HopModel)]
/// #[hop(format = "pulse", codec = Mission<7>)]
/// struct Pulse { hertz: f64 }
///
/// let pulse = Pulse { hertz: 29.6 };
/// assert_eq!(pulse.encode()?, &b"\x07{\"hertz\": 29.6}"[..]);
/// assert_eq!(Pulse::decode((&pulse.encode()?).into())?, pulse);
/// # }
/// # Ok::<(), hop_core::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no codec for `{M}`",
    label = "write `impl hop_core::Codec<{M}> for {Self}`"
)]
pub trait Codec<M> {
    /// The model in `content`, which is labelled `format`.
    ///
    /// # Errors
    /// When the content is not this codec's, or not such a model.
    fn decode(format: &'static str, content: Content<'_>) -> Result<M, Error>;

    /// The content that `model`, which is labelled `format`, becomes.
    ///
    /// # Errors
    /// When the codec cannot express the model.
    fn encode(format: &'static str, model: &M) -> Result<Bytes, Error>;
}

/// JSON of the model's fields, as Python's `json` reads and writes it; see [`json`].
///
/// Of what serde offers, bytes are written as an array of numbers, and map keys that are numbers as strings.
#[derive(Debug, Clone, Copy)]
pub struct Json;

#[diagnostic::do_not_recommend]
impl<M: Serialize + DeserializeOwned> Codec<M> for Json {
    fn decode(format: &'static str, content: Content<'_>) -> Result<M, Error> {
        filled(|model| json::read(format, content, model))
    }

    fn encode(format: &'static str, model: &M) -> Result<Bytes, Error> {
        written(format, Value::of(model))
    }
}

pub(crate) fn written(format: &'static str, fields: Result<Value, Error>) -> Result<Bytes, Error> {
    let written = fields.and_then(|fields| json::write_fields(&fields));
    written.map(Bytes::from).map_err(|error| error.about(format))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::ErrorKind;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Alert {
        far: f64,
        id: u128,
        note: String,
        #[serde(default)]
        raw: Vec<u8>,
    }

    fn read(text: &str) -> Result<Alert, Error> {
        Json::decode("alert", text.into())
    }

    #[test]
    fn what_python_sends_beyond_the_standard_arrives() {
        let alert = read(r#"{"far": Infinity, "id": 340282366920938463463374607431768211455, "note": "x"}"#).unwrap();
        assert_eq!((alert.far, alert.id), (f64::INFINITY, u128::MAX));
        let written = Json::encode("alert", &alert).unwrap();
        assert_eq!(
            written,
            r#"{"far": Infinity, "id": 340282366920938463463374607431768211455, "note": "x", "raw": []}"#
        );
        assert_eq!(Json::decode("alert", (&written).into()).ok(), Some(alert));
    }

    #[test]
    fn integers_of_any_size_are_kept_where_the_model_takes_any_value() {
        let digits = "123456789012345678901234567890";
        let model: Value = Json::decode("any", format!("[1, {digits}]").as_str().into()).unwrap();
        assert_eq!(model[1], Value::BigInt(digits.into()));
    }

    #[test]
    fn an_error_says_which_model_what_and_where() {
        assert_eq!(
            read("{\"far\": 1.0,\n \"id\": 1}").unwrap_err().to_string(),
            "alert: missing field `note`, at line 2, column 9 (byte 21)"
        );
        assert_eq!(
            read(r#"{"far": NaN, "id": "x", "note": ""}"#).unwrap_err().to_string(),
            r#"alert: invalid type: string "x", expected u128, at line 1, column 22 (byte 21)"#
        );
        assert_eq!(read("{").unwrap_err().kind(), ErrorKind::Malformed);
    }
}
