//! References to messages that are stored elsewhere, because they are too large for a topic.
//!
//! On the wire and in a file an external message is a JSON object: `{"url": "https://…"}`. Who reads one usually wants
//! what stands at that address, and fetches it from there; this module reads and writes the reference alone.
//!
//! # Differences from hop-client
//! Other names in the object are skipped, where hop-client refuses them on the wire and skips them in a file. A `url` that
//! is no string is refused, where hop-client keeps it.
//!
//! # Not supported
//! The address is not checked, and nothing is fetched.

use bytes::Bytes;
use hop_core::{Content, Error, ErrorKind, Location, MessageModel, Value, json};

/// The address of a message that is stored elsewhere.
///
/// ```
/// use hop_core::MessageModel;
/// use hop_models::External;
///
/// let external = External::decode(r#"{"url": "https://example.org/msg/1"}"#.into())?;
/// assert_eq!(external.url, "https://example.org/msg/1");
/// # Ok::<(), hop_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct External {
    /// The address, as sent.
    pub url: String,
}

impl External {
    /// A reference to `url`.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into() }
    }
}

impl MessageModel for External {
    const FORMAT: &'static str = "external";

    fn decode(content: Content<'_>) -> Result<Self, Error> {
        Self::from_fields(json::parse(content).map_err(|error| error.about(Self::FORMAT))?)
    }

    fn encode(&self) -> Result<Bytes, Error> {
        self.fields()?.to_json().map(Bytes::from)
    }

    fn fields(&self) -> Result<Value, Error> {
        Ok(Value::object([("url", self.url.as_str().into())]))
    }

    fn from_fields(fields: Value) -> Result<Self, Error> {
        let invalid = || Error::new(ErrorKind::Invalid, Self::FORMAT);
        match fields.get("url") {
            Some(Value::String(url)) => match url.as_str() {
                Some(url) => Ok(Self::new(url)),
                None => Err(invalid()
                    .expected("an address")
                    .found("half a surrogate pair")
                    .at(Location::Path("url".to_owned()))),
            },
            Some(other) => {
                Err(invalid().expected("a string").found(other.describe()).at(Location::Path("url".to_owned())))
            }
            None => Err(invalid().expected("an object with `url`").found(fields.describe())),
        }
    }

    fn schema() -> Option<Value> {
        Value::from_json(include_str!("schema.json")).ok()
    }

    fn example() -> Option<Self> {
        Some(Self::new("https://example.org/msg/6e9a6a2c-3d4e-4f60-8a71-5b2c9d0e1f23"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(content: &str) -> String {
        External::decode(content.into()).unwrap_err().to_string()
    }

    #[test]
    fn other_names_are_skipped() {
        let external = External::decode(r#"{"size": 12, "url": "https://example.org/é"}"#.into()).unwrap();
        assert_eq!(external, External::new("https://example.org/é"));
        assert_eq!(external.encode().unwrap(), r#"{"url": "https://example.org/\u00e9"}"#);
    }

    #[test]
    fn what_is_no_address_is_refused() {
        assert_eq!(refused("{}"), "external: expected an object with `url`, found an object");
        assert_eq!(refused("[]"), "external: expected an object with `url`, found an array");
        assert_eq!(refused(r#"{"url": 1}"#), "external: expected a string, found an integer, in `url`");
        assert_eq!(
            refused(r#"{"url": "\ud800"}"#),
            "external: expected an address, found half a surrogate pair, in `url`"
        );
    }
}
