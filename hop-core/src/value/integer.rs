//! Integers of any size.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Unexpected, Visitor};
use serde::{Serialize, Serializer};

use super::{Value, exact};

/// An integer of any size: what `hop generate` makes of JSON Schema's `integer`.
///
/// JSON bounds no integer, and takes `3.0` and `1e3` for ones. As text it is its decimal digits.
///
/// ```
/// use hop_core::{HopModel, Integer, MessageModel};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize, HopModel)]
/// #[hop(format = "visit")]
/// struct Visit {
///     id: Integer,
///     count: Integer,
/// }
///
/// let visit = Visit::decode(r#"{"id": 73786976294838206464, "count": 1e3}"#.into())?;
/// assert_eq!((visit.id.as_i64(), visit.count.as_i64()), (None, Some(1000)));
/// assert_eq!(visit.id.to_string(), "73786976294838206464");
/// assert_eq!(visit.encode()?, r#"{"id": 73786976294838206464, "count": 1000}"#);
/// # Ok::<(), hop_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Integer(Digits);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Digits {
    Few(i64),
    /// Beyond 64 bits, as those of [`Value::BigInt`].
    Many(Box<str>),
}

impl Integer {
    /// Returns the integer, if 64 bits hold it.
    pub fn as_i64(&self) -> Option<i64> {
        match &self.0 {
            Digits::Few(value) => Some(*value),
            Digits::Many(_) => None,
        }
    }

    /// Returns the integer, if it is not negative and 64 bits hold it.
    pub fn as_u64(&self) -> Option<u64> {
        match &self.0 {
            Digits::Few(value) => u64::try_from(*value).ok(),
            Digits::Many(digits) => digits.parse().ok(),
        }
    }

    /// Returns the integer, if 128 bits hold it.
    pub fn as_i128(&self) -> Option<i128> {
        match &self.0 {
            Digits::Few(value) => Some((*value).into()),
            Digits::Many(digits) => digits.parse().ok(),
        }
    }

    /// Returns the nearest floating-point number; beyond 2⁵³ digits are lost.
    pub fn as_f64(&self) -> f64 {
        match &self.0 {
            Digits::Few(value) => *value as f64,
            Digits::Many(digits) => digits.parse().unwrap_or(f64::NAN),
        }
    }

    fn of(value: Value) -> Option<Self> {
        match value {
            Value::Int(value) => Some(Self(Digits::Few(value))),
            Value::BigInt(digits) => Some(Self(Digits::Many(digits))),
            _ => None,
        }
    }

    fn of_float(value: f64) -> Option<Self> {
        if !value.is_finite() || value.fract() != 0.0 {
            return None;
        }
        // No float between these bounds is without its integer.
        Some(if (-9.2e18..9.2e18).contains(&value) {
            Self(Digits::Few(value as i64))
        } else {
            Self(Digits::Many(format!("{value:.0}").into()))
        })
    }
}

macro_rules! of {
    ($($number:ty)*) => {$(
        impl From<$number> for Integer {
            fn from(value: $number) -> Self {
                match i64::try_from(value) {
                    Ok(value) => Self(Digits::Few(value)),
                    Err(_) => Self(Digits::Many(value.to_string().into())),
                }
            }
        }

        impl PartialEq<$number> for Integer {
            fn eq(&self, other: &$number) -> bool {
                match (&self.0, i64::try_from(*other)) {
                    (Digits::Few(value), Ok(other)) => *value == other,
                    (Digits::Many(digits), Err(_)) => digits.parse().is_ok_and(|digits: $number| digits == *other),
                    _ => false,
                }
            }
        }
    )*};
}

of!(i8 i16 i32 i64 i128 u8 u16 u32 u64 u128);

impl fmt::Display for Integer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Digits::Few(value) => value.fmt(f),
            Digits::Many(digits) => f.write_str(digits),
        }
    }
}

impl fmt::Debug for Integer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Integer> for Value {
    fn from(value: Integer) -> Self {
        match value.0 {
            Digits::Few(value) => Self::Int(value),
            Digits::Many(digits) => Self::BigInt(digits),
        }
    }
}

impl Serialize for Integer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Digits::Few(value) => serializer.serialize_i64(*value),
            Digits::Many(digits) => Value::BigInt(digits.clone()).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Integer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // By this name the reader of models knows that every digit is asked for.
        deserializer.deserialize_newtype_struct(exact::NAME, Whole { floats_are_exact: true })
    }
}

/// Takes whole numbers.
struct Whole {
    /// False where an integer may have become a float on its way, as behind `#[serde(flatten)]`.
    floats_are_exact: bool,
}

impl<'de> Visitor<'de> for Whole {
    type Value = Integer;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an integer")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Integer, D::Error> {
        deserializer.deserialize_any(Whole { floats_are_exact: false })
    }

    fn visit_i64<E>(self, value: i64) -> Result<Integer, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Integer, E> {
        Ok(value.into())
    }

    fn visit_i128<E>(self, value: i128) -> Result<Integer, E> {
        Ok(value.into())
    }

    fn visit_u128<E>(self, value: u128) -> Result<Integer, E> {
        Ok(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Integer, E> {
        let is_exact = self.floats_are_exact || value.abs() < 9.2e18;
        Integer::of_float(value).filter(|_| is_exact).ok_or_else(|| E::invalid_value(Unexpected::Float(value), &self))
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Integer, E> {
        let value = exact::value(bytes).and_then(Integer::of);
        value.ok_or_else(|| E::invalid_type(Unexpected::Bytes(bytes), &self))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::codec::{Codec, Json};

    #[derive(Debug, PartialEq, Serialize, serde::Deserialize)]
    struct Model {
        plain: Integer,
        maybe: Option<Integer>,
        list: Vec<Integer>,
        #[serde(flatten)]
        more: BTreeMap<String, Either>,
    }

    #[derive(Debug, PartialEq, Serialize, serde::Deserialize)]
    #[serde(untagged)]
    enum Either {
        Integer(Integer),
        Text(String),
    }

    fn read(text: &str) -> Result<Model, crate::Error> {
        Json::decode("model", text.into())
    }

    #[test]
    fn integers_of_any_size_come_back_wherever_they_stand() {
        for (text, shown) in [
            ("3", "3"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("9223372036854775808", "9223372036854775808"),
            ("18446744073709551616", "18446744073709551616"),
            ("-170141183460469231731687303715884105729", "-170141183460469231731687303715884105729"),
            (
                "1000000000000000000000000000000000000000000000000000000001",
                "1000000000000000000000000000000000000000000000000000000001",
            ),
            ("3.0", "3"),
            ("1e3", "1000"),
            ("-0.0", "0"),
        ] {
            let json =
                |text: &str| format!(r#"{{"plain": {text}, "maybe": {text}, "list": [{text}], "other": {text}}}"#);
            let model = read(&json(text)).unwrap();
            assert_eq!(model.plain.to_string(), shown);
            let written = Value::of(&model).unwrap();
            assert_eq!(String::from_utf8(written.to_json().unwrap()).unwrap(), json(shown));
            assert_eq!(written.read::<Model>().unwrap(), model);
        }
        for wrong in ["3.5", "\"3\"", "null", "true", "[]", "NaN", "Infinity"] {
            let error = read(&format!(r#"{{"plain": {wrong}, "list": []}}"#)).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Invalid, "{error}");
        }
        assert_eq!(Integer::from(7_u64), 7);
        assert_eq!(Integer::from(u64::MAX).as_u64(), Some(u64::MAX));
        assert_eq!((Integer::from(-1).as_u64(), Integer::from(-1).as_i128()), (None, Some(-1)));
    }

    #[test]
    fn an_integer_is_exact_where_another_field_takes_one_for_a_float() {
        #[derive(Debug, Serialize, serde::Deserialize)]
        struct Both {
            id: Integer,
            #[serde(flatten)]
            more: BTreeMap<String, f64>,
        }
        let text = r#"{"id": 73786976294838206465, "mag": 73786976294838206465}"#;
        let both: Both = Json::decode("both", text.into()).unwrap();
        assert_eq!(both.id.to_string(), "73786976294838206465");
        assert_eq!(both.more["mag"], 73_786_976_294_838_206_464.0);
    }
}
