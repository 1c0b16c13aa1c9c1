//! [`Value`] out of and into serde: a value reads itself from any format, and any type reads itself from a value.

use std::fmt;

use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, Unexpected, VariantAccess,
    Visitor,
};
use serde::{Deserialize, forward_to_deserialize_any};

use super::{Object, Text, Value};
use crate::{Error, ErrorKind, Location};

/// What is wrong with a value, and the path to it.
#[derive(Debug)]
pub struct ValueError {
    message: String,
    /// Names from the innermost out.
    path: Vec<String>,
}

impl ValueError {
    pub(super) fn into_error(self) -> Error {
        let error = Error::new(ErrorKind::Invalid, "value").found(crate::error::shorten(&self.message));
        if self.path.is_empty() {
            return error;
        }
        let mut path = String::new();
        for name in self.path.iter().rev() {
            if !path.is_empty() && !name.starts_with('[') {
                path.push('.');
            }
            path.push_str(name);
        }
        error.at(Location::Path(path))
    }

    fn within(mut self, name: impl Into<String>) -> Self {
        self.path.push(name.into());
        self
    }
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ValueError {}

impl de::Error for ValueError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { message: message.to_string(), path: Vec::new() }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u128<E>(self, value: u128) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Value, E> {
        Ok(Value::Bytes(bytes::Bytes::copy_from_slice(bytes)))
    }

    fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Value, E> {
        Ok(Value::Bytes(bytes.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = access.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<Value, A::Error> {
        ObjectVisitor.visit_map(access).map(Value::Object)
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Object, A::Error> {
        let mut entries: Vec<(Text, Value)> = Vec::new();
        while let Some((key, value)) = access.next_entry::<String, Value>()? {
            entries.push((key.into(), value));
        }
        Ok(entries.into())
    }
}

fn invalid(value: &Value, expected: &dyn de::Expected) -> ValueError {
    de::Error::invalid_type(Unexpected::Other(value.describe()), expected)
}

impl<'de> Deserializer<'de> for &'de Value {
    type Error = ValueError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Int(value) => visitor.visit_i64(*value),
            Value::BigInt(digits) => {
                if let Ok(value) = digits.parse::<u64>() {
                    visitor.visit_u64(value)
                } else if let Ok(value) = digits.parse::<i128>() {
                    visitor.visit_i128(value)
                } else if let Ok(value) = digits.parse::<u128>() {
                    visitor.visit_u128(value)
                } else {
                    Err(de::Error::invalid_type(Unexpected::Other("an integer beyond 128 bits"), &visitor))
                }
            }
            Value::Float(value) => visitor.visit_f64(*value),
            Value::String(text) => match text.as_str() {
                Some(text) => visitor.visit_borrowed_str(text),
                None => Err(de::Error::invalid_value(Unexpected::Other("a string with a lone surrogate"), &visitor)),
            },
            Value::Bytes(bytes) => visitor.visit_borrowed_bytes(bytes),
            Value::Array(values) => visit_array(values, visitor),
            Value::Object(object) => visit_object(object, visitor),
        }
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self {
            Value::Int(_) | Value::BigInt(_) | Value::Float(_) => match self.as_f64() {
                Some(value) => visitor.visit_f64(value),
                None => Err(invalid(self, &visitor)),
            },
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        let (variant, content) = match self {
            Value::String(text) => (text.as_str(), None),
            Value::Object(object) => match object.0.as_slice() {
                [(key, content)] => (key.as_str(), Some(content)),
                _ => (None, None),
            },
            _ => (None, None),
        };
        match variant {
            Some(variant) => visitor.visit_enum(Enum { variant, content }),
            None => Err(invalid(self, &"a variant: a string, or an object of one entry")),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier
    }
}

fn visit_array<'de, V: Visitor<'de>>(values: &'de [Value], visitor: V) -> Result<V::Value, ValueError> {
    let mut access = Elements { values: values.iter(), at: 0 };
    let out = visitor.visit_seq(&mut access)?;
    match access.values.len() {
        0 => Ok(out),
        more => Err(de::Error::invalid_length(access.at + more, &"fewer elements")),
    }
}

fn visit_object<'de, V: Visitor<'de>>(object: &'de Object, visitor: V) -> Result<V::Value, ValueError> {
    visitor.visit_map(Entries { entries: object.0.iter(), current: None })
}

struct Elements<'de> {
    values: std::slice::Iter<'de, Value>,
    at: usize,
}

impl<'de> SeqAccess<'de> for &mut Elements<'de> {
    type Error = ValueError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, ValueError> {
        let Some(value) = self.values.next() else { return Ok(None) };
        let at = self.at;
        self.at += 1;
        seed.deserialize(value).map(Some).map_err(|error| error.within(format!("[{at}]")))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.values.len())
    }
}

struct Entries<'de> {
    entries: std::slice::Iter<'de, (Text, Value)>,
    current: Option<&'de (Text, Value)>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = ValueError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ValueError> {
        self.current = self.entries.next();
        let Some((key, _)) = self.current else { return Ok(None) };
        let key = key.as_str().ok_or_else(|| -> ValueError { de::Error::custom("a name with a lone surrogate") })?;
        seed.deserialize(key.into_deserializer()).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, ValueError> {
        let Some((key, value)) = self.current else {
            return Err(de::Error::custom("a value was asked for before its name"));
        };
        seed.deserialize(value).map_err(|error| error.within(key.to_string_lossy()))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

/// A variant: its name, and what it holds.
struct Enum<'de> {
    variant: &'de str,
    content: Option<&'de Value>,
}

impl<'de> EnumAccess<'de> for Enum<'de> {
    type Error = ValueError;
    type Variant = Variant<'de>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Variant<'de>), ValueError> {
        let name: de::value::StrDeserializer<'_, ValueError> = self.variant.into_deserializer();
        Ok((seed.deserialize(name)?, Variant(self.content)))
    }
}

struct Variant<'de>(Option<&'de Value>);

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = ValueError;

    fn unit_variant(self) -> Result<(), ValueError> {
        match self.0 {
            None | Some(Value::Null) => Ok(()),
            Some(value) => Err(invalid(value, &"nothing beside the variant's name")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, ValueError> {
        match self.0 {
            Some(value) => seed.deserialize(value),
            None => Err(de::Error::custom("the variant's content is missing")),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, ValueError> {
        match self.0 {
            Some(Value::Array(values)) => visit_array(values, visitor),
            Some(value) => Err(invalid(value, &"an array")),
            None => Err(de::Error::custom("the variant's content is missing")),
        }
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        match self.0 {
            Some(Value::Object(object)) => visit_object(object, visitor),
            Some(value) => Err(invalid(value, &"an object")),
            None => Err(de::Error::custom("the variant's content is missing")),
        }
    }
}
