//! Text that is a UUID.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserialize, Deserializer, Unexpected, Visitor};
use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::{Error, ErrorKind};

/// A UUID as it was written, upper case and all: what `hop generate` makes of JSON Schema's `"format": "uuid"`.
///
/// It is the form of [RFC 9562](https://www.rfc-editor.org/rfc/rfc9562#section-4): 32 hexadecimal digits with four hyphens.
/// Other text is refused when it is made and when it is read, so what is written is always one.
///
/// ```
/// use hop_core::UuidString;
///
/// let id: UuidString = "E09921F1-7C3B-4B6E-9D7C-2F1D2B6A1C55".parse()?;
/// assert_eq!(id.as_str(), "E09921F1-7C3B-4B6E-9D7C-2F1D2B6A1C55");
/// assert!("example".parse::<UuidString>().is_err());
/// # Ok::<(), hop_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UuidString(Box<str>);

const EXPECTED: &str = "a UUID: 32 hexadecimal digits with hyphens, 8-4-4-4-12";

impl UuidString {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn is_one(text: &str) -> bool {
        // The other forms that `Uuid` takes have other lengths.
        text.len() == 36 && Uuid::try_parse(text).is_ok()
    }
}

impl FromStr for UuidString {
    type Err = Error;

    /// # Errors
    /// Kind `Invalid` for other text.
    fn from_str(text: &str) -> Result<Self, Error> {
        if Self::is_one(text) {
            return Ok(Self(text.into()));
        }
        let found = crate::excerpt(text.as_bytes());
        Err(Error::new(ErrorKind::Invalid, "uuid").expected(EXPECTED).found(found))
    }
}

impl From<Uuid> for UuidString {
    /// In lower case.
    fn from(uuid: Uuid) -> Self {
        Self(uuid.to_string().into())
    }
}

impl fmt::Display for UuidString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for UuidString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl Serialize for UuidString {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for UuidString {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Checked)
    }
}

struct Checked;

impl Visitor<'_> for Checked {
    type Value = UuidString;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<UuidString, E> {
        if UuidString::is_one(text) {
            return Ok(UuidString(text.into()));
        }
        Err(E::invalid_value(Unexpected::Str(text), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Value;

    #[test]
    fn only_a_uuid_is_read_and_made() {
        let good = "e09921f1-7c3b-4b6e-9d7c-2F1D2B6A1C55";
        let read = |text: &str| Value::from(text).read::<UuidString>();
        assert_eq!(Value::of(&read(good).unwrap()).unwrap(), good.into());
        for wrong in [
            "",
            "example",
            "e09921f17c3b4b6e9d7c2f1d2b6a1c55",
            "{e09921f1-7c3b-4b6e-9d7c-2f1d2b6a1c55}",
            "urn:uuid:e09921f1-7c3b-4b6e-9d7c-2f1d2b6a1c55",
            "e09921f1-7c3b-4b6e-9d7c-2f1d2b6a1c5g",
            "e09921f-17c3b-4b6e-9d7c-2f1d2b6a1c55",
            "e09921f1-7c3b-4b6e-9d7c-2f1d2b6a1c5é",
            " e09921f1-7c3b-4b6e-9d7c-2f1d2b6a1c5",
        ] {
            assert!(wrong.parse::<UuidString>().is_err() && read(wrong).is_err(), "{wrong}");
        }
    }
}
