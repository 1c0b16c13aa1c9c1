use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Codec;
use crate::{Content, Error, ErrorKind, Value};

/// The content is the text that the model is.
///
/// For what is text already: a telegram, a log line, a table. The model is one that serde writes as a string: a newtype of
/// `String`, or a type that reads itself from text and shows itself as text, by `#[serde(try_from = "String", into = "String")]`:
///
/// ```
/// use hop_core::{HopModel, MessageModel};
/// use hop_core::codec::Text;
/// use serde::{Deserialize, Serialize};
///
/// /// What comes is kept as it is.
/// #[derive(Debug, PartialEq, Serialize, Deserialize, HopModel)]
/// #[hop(format = "text-telegram", codec = Text)]
/// struct Telegram(String);
///
/// assert_eq!(Telegram::decode("Nova in Cygnus".into())?, Telegram("Nova in Cygnus".into()));
///
/// /// What comes is `<ra> <dec>`, in degrees.
/// #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, HopModel)]
/// #[hop(format = "pointing", codec = Text)]
/// #[serde(try_from = "String", into = "String")]
/// struct Pointing(f64, f64);
///
/// impl TryFrom<String> for Pointing {
///     type Error = String;
///
///     fn try_from(text: String) -> Result<Self, String> {
///         let parts: Option<Vec<f64>> = text.split(' ').map(|part| part.parse().ok()).collect();
///         match parts.as_deref() {
///             Some([ra, dec]) => Ok(Self(*ra, *dec)),
///             _ => Err(format!("expected two numbers, found `{}`", text.escape_debug())),
///         }
///     }
/// }
///
/// impl From<Pointing> for String {
///     fn from(Pointing(ra, dec): Pointing) -> Self {
///         format!("{ra} {dec}")
///     }
/// }
///
/// assert_eq!(Pointing::decode("83.63 22.01".into())?, Pointing(83.63, 22.01));
/// assert_eq!(Pointing(83.63, 22.01).encode()?, "83.63 22.01");
/// # Ok::<(), hop_core::Error>(())
/// ```
///
/// # Limits
/// UTF-8, without an escape or an end of its own: nothing is added, trimmed or converted. Content is held to
/// [`Limits`](crate::Limits) in size.
#[derive(Debug, Clone, Copy)]
pub struct Text;

#[diagnostic::do_not_recommend]
impl<M: Serialize + DeserializeOwned> Codec<M> for Text {
    fn decode(format: &'static str, content: Content<'_>) -> Result<M, Error> {
        content.check_size(format)?;
        Value::from(content.as_str(format)?).read().map_err(|error| error.about(format))
    }

    fn encode(format: &'static str, model: &M) -> Result<Bytes, Error> {
        let unencodable = |found: &'static str| {
            Error::new(ErrorKind::Unencodable, format)
                .expected("text")
                .found(found)
                .help("take another codec, or have serde write the model as a string")
        };
        match Value::of(model).map_err(|error| error.about(format))? {
            Value::String(text) => match text.as_str() {
                Some(text) => Ok(Bytes::copy_from_slice(text.as_bytes())),
                None => Err(unencodable("a lone surrogate")),
            },
            other => Err(unencodable(other.describe())),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Telegram(String);

    #[test]
    fn text_stays_as_it_is() {
        for text in ["", "Nova in Cygnus\r\n", "\u{FEFF}é\0"] {
            let telegram: Telegram = Text::decode("telegram", text.into()).unwrap();
            assert_eq!(telegram.0, text);
            assert_eq!(Text::encode("telegram", &telegram).unwrap(), text);
        }
    }

    #[test]
    fn what_is_no_text_is_refused_with_the_reason() {
        let read: Result<Telegram, Error> = Text::decode("telegram", b"\n\xFF"[..].into());
        assert_eq!(
            read.unwrap_err().to_string(),
            "telegram: expected UTF-8 text, found byte 0xff, at line 2, column 1 (byte 1)"
        );
        let read: Result<(u8, u8), Error> = Text::decode("pair", "1".into());
        assert_eq!(read.unwrap_err().kind(), ErrorKind::Invalid);
        assert_eq!(
            Text::encode("pair", &(1, 2)).unwrap_err().to_string(),
            "pair: expected text, found an array; take another codec, or have serde write the model as a string"
        );
    }
}
