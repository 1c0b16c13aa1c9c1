//! Any serializable type to a [`Value`], NaN, infinities, bytes and large integers kept.

use std::fmt;

use serde::ser::{
    self, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::{Object, Text, Value, exact};
use crate::{Error, ErrorKind};

/// A value as serde sees it. Integers beyond 128 bits and strings with lone surrogates, which serde has not, are kept by
/// [`Value::of`] and so in JSON; other serializers are given text.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::BigInt(digits) => {
                if let Ok(value) = digits.parse::<u64>() {
                    serializer.serialize_u64(value)
                } else if let Ok(value) = digits.parse::<i128>() {
                    serializer.serialize_i128(value)
                } else if let Ok(value) = digits.parse::<u128>() {
                    serializer.serialize_u128(value)
                } else {
                    exact::serialize_digits(digits, serializer)
                }
            }
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::String(text) => text.serialize(serializer),
            Self::Bytes(bytes) => serializer.serialize_bytes(bytes),
            Self::Array(values) => serializer.collect_seq(values),
            Self::Object(object) => object.serialize(serializer),
        }
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        exact::serialize_text(self, serializer)
    }
}

#[derive(Debug)]
pub(super) struct ValueError(String);

impl ValueError {
    pub(super) fn into_error(self) -> Error {
        Error::new(ErrorKind::Unencodable, "value").found(crate::error::shorten(&self.0))
    }
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ValueError {}

impl ser::Error for ValueError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

pub(super) struct ValueSerializer {
    /// What is shown next is in a form that [`exact`] reads.
    exact: bool,
}

impl ValueSerializer {
    pub(super) const PLAIN: Self = Self { exact: false };
}

type Done = Result<Value, ValueError>;

/// The object of one entry that a variant with content is.
fn variant(name: &'static str, content: Value) -> Value {
    Value::object([(name, content)])
}

impl Serializer for ValueSerializer {
    type Ok = Value;
    type Error = ValueError;
    type SerializeSeq = Elements;
    type SerializeTuple = Elements;
    type SerializeTupleStruct = Elements;
    type SerializeTupleVariant = Elements;
    type SerializeMap = Entries;
    type SerializeStruct = Entries;
    type SerializeStructVariant = Entries;

    fn serialize_bool(self, value: bool) -> Done {
        Ok(value.into())
    }

    fn serialize_i8(self, value: i8) -> Done {
        Ok(Value::Int(value.into()))
    }

    fn serialize_i16(self, value: i16) -> Done {
        Ok(Value::Int(value.into()))
    }

    fn serialize_i32(self, value: i32) -> Done {
        Ok(Value::Int(value.into()))
    }

    fn serialize_i64(self, value: i64) -> Done {
        Ok(Value::Int(value))
    }

    fn serialize_i128(self, value: i128) -> Done {
        Ok(value.into())
    }

    fn serialize_u8(self, value: u8) -> Done {
        Ok(Value::Int(value.into()))
    }

    fn serialize_u16(self, value: u16) -> Done {
        Ok(Value::Int(value.into()))
    }

    fn serialize_u32(self, value: u32) -> Done {
        Ok(Value::Int(value.into()))
    }

    fn serialize_u64(self, value: u64) -> Done {
        Ok(value.into())
    }

    fn serialize_u128(self, value: u128) -> Done {
        Ok(value.into())
    }

    /// The double whose shortest digits are the single's, so that `0.1f32` is shown as `0.1`.
    fn serialize_f32(self, value: f32) -> Done {
        let shown = if value.is_finite() { value.to_string().parse() } else { Ok(f64::from(value)) };
        Ok(Value::Float(shown.unwrap_or_else(|_| f64::from(value))))
    }

    fn serialize_f64(self, value: f64) -> Done {
        Ok(Value::Float(value))
    }

    fn serialize_char(self, value: char) -> Done {
        Ok(value.to_string().into())
    }

    fn serialize_str(self, text: &str) -> Done {
        Ok(text.into())
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Done {
        Ok(Value::Bytes(bytes::Bytes::copy_from_slice(bytes)))
    }

    fn serialize_none(self) -> Done {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Done {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Done {
        Ok(Value::Null)
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Done {
        Ok(Value::Null)
    }

    fn serialize_unit_variant(self, _name: &'static str, _index: u32, name: &'static str) -> Done {
        Ok(name.into())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Done {
        value.serialize(Self { exact: name == exact::NAME })
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Done {
        if self.exact {
            return exact::parse(&format!("{value:#}")).ok_or_else(|| ser::Error::custom("not a value of hop's"));
        }
        Ok(value.to_string().into())
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        name: &'static str,
        value: &T,
    ) -> Done {
        Ok(variant(name, value.serialize(self)?))
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Elements, ValueError> {
        Ok(Elements { variant: None, values: Vec::with_capacity(length.unwrap_or(0)) })
    }

    fn serialize_tuple(self, length: usize) -> Result<Elements, ValueError> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_struct(self, _name: &'static str, length: usize) -> Result<Elements, ValueError> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        name: &'static str,
        length: usize,
    ) -> Result<Elements, ValueError> {
        Ok(Elements { variant: Some(name), values: Vec::with_capacity(length) })
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Entries, ValueError> {
        Ok(Entries { variant: None, entries: Vec::with_capacity(length.unwrap_or(0)), key: None })
    }

    fn serialize_struct(self, _name: &'static str, length: usize) -> Result<Entries, ValueError> {
        self.serialize_map(Some(length))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        name: &'static str,
        length: usize,
    ) -> Result<Entries, ValueError> {
        Ok(Entries { variant: Some(name), entries: Vec::with_capacity(length), key: None })
    }
}

pub(super) struct Elements {
    variant: Option<&'static str>,
    values: Vec<Value>,
}

impl Elements {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ValueError> {
        self.values.push(value.serialize(ValueSerializer::PLAIN)?);
        Ok(())
    }

    fn finish(self) -> Done {
        let values = Value::Array(self.values);
        Ok(match self.variant {
            Some(name) => variant(name, values),
            None => values,
        })
    }
}

macro_rules! elements {
    ($($trait:ident::$push:ident),*) => {$(
        impl $trait for Elements {
            type Ok = Value;
            type Error = ValueError;

            fn $push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ValueError> {
                self.push(value)
            }

            fn end(self) -> Done {
                self.finish()
            }
        }
    )*};
}

elements!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);

pub(super) struct Entries {
    variant: Option<&'static str>,
    entries: Vec<(Text, Value)>,
    key: Option<Text>,
}

impl Entries {
    fn finish(self) -> Done {
        let object = Value::Object(Object::from(self.entries));
        Ok(match self.variant {
            Some(name) => variant(name, object),
            None => object,
        })
    }
}

impl SerializeMap for Entries {
    type Ok = Value;
    type Error = ValueError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), ValueError> {
        self.key = Some(match key.serialize(ValueSerializer::PLAIN)? {
            Value::String(text) => text,
            // Python's json.dumps writes these keys as text too.
            Value::Bool(value) => value.to_string().into(),
            Value::Int(value) => value.to_string().into(),
            Value::BigInt(digits) => (&*digits).into(),
            other => return Err(ValueError(format!("expected a string as a name, found {}", other.describe()))),
        });
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ValueError> {
        let key = self.key.take().ok_or_else(|| ValueError("a value without a name".to_owned()))?;
        self.entries.push((key, value.serialize(ValueSerializer::PLAIN)?));
        Ok(())
    }

    fn end(self) -> Done {
        self.finish()
    }
}

macro_rules! entries {
    ($($trait:ident),*) => {$(
        impl $trait for Entries {
            type Ok = Value;
            type Error = ValueError;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), ValueError> {
                self.entries.push((name.into(), value.serialize(ValueSerializer::PLAIN)?));
                Ok(())
            }

            fn end(self) -> Done {
                self.finish()
            }
        }
    )*};
}

entries!(SerializeStruct, SerializeStructVariant);

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Shape {
        Point,
        Circle(f64),
        Pair(u8, u8),
        Box { width: f32, name: Option<String> },
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct All {
        shapes: Vec<Shape>,
        big: u128,
        unsigned: u64,
        keyed: BTreeMap<String, (i8, char)>,
        numbered: BTreeMap<i16, BTreeMap<bool, u8>>,
        raw: Vec<u8>,
        unit: (),
        missing: Option<i64>,
    }

    #[test]
    fn a_struct_comes_back_from_the_value_it_became() {
        let all = All {
            shapes: vec![
                Shape::Point,
                Shape::Circle(f64::INFINITY),
                Shape::Pair(1, 2),
                Shape::Box { width: 0.1, name: Some("é".to_owned()) },
            ],
            big: u128::MAX,
            unsigned: u64::MAX,
            keyed: BTreeMap::from([("k".to_owned(), (-1, 'ß'))]),
            numbered: BTreeMap::from([(-7, BTreeMap::from([(true, 1)]))]),
            raw: vec![0, 255],
            unit: (),
            missing: None,
        };
        let value = Value::of(&all).unwrap();
        assert_eq!(value["shapes"][3]["Box"]["width"].as_f64(), Some(0.1));
        assert_eq!(value.read::<All>().unwrap(), all);
    }

    #[test]
    fn a_mismatch_names_its_path() {
        let value = Value::from_json(r#"{"shapes": ["Point", {"Box": {"width": "wide"}}]}"#).unwrap();
        let error = value.read::<All>().unwrap_err();
        assert_eq!(error.to_string(), r#"value: invalid type: string "wide", expected f32, in `shapes[1].Box.width`"#);
    }
}
