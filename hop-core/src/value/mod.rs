//! A value of any shape: what JSON holds, and bytes.

mod de;
mod exact;
mod integer;
mod ser;
mod source;
mod text;

use std::fmt;

use bytes::Bytes;

pub use self::de::nullable;
pub(crate) use self::exact::{NAME as EXACT, integer as exact_integer, text as exact_text};
pub use self::integer::Integer;
pub(crate) use self::source::{number, read};
pub(crate) use self::text::CHUNK;
pub use self::text::Text;
use crate::reader::filled;
use crate::{Error, json};

/// A value of any shape, as JSON content carries it and as models show their fields.
///
/// It holds what Python writes and strict JSON cannot: NaN and infinities, integers of any size, strings with lone
/// surrogates. Bytes stand beside them for what Avro and opaque content bring.
///
/// Two values are equal when they show the same; NaN equals NaN, so that a round trip can be compared.
///
/// ```
/// use hop_core::Value;
///
/// let value = Value::from_json(r#"{"FAR": 9.1e-09, "instruments": ["H1", "V1"]}"#)?;
/// assert_eq!(value.get("FAR").and_then(Value::as_f64), Some(9.1e-9));
/// assert_eq!(value["instruments"][1].as_str(), Some("V1"));
/// # Ok::<(), hop_core::Error>(())
/// ```
#[derive(Clone, Default)]
pub enum Value {
    /// Nothing.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// An integer of 64 bits.
    Int(i64),
    /// An integer beyond them, as decimal digits with an optional leading `-` and no leading zeros.
    BigInt(Box<str>),
    /// A floating-point number, NaN and infinities included.
    Float(f64),
    /// Text.
    String(Text),
    /// Bytes. JSON has none; shown as `{"$bytes": "<base64>"}`.
    Bytes(Bytes),
    /// Values in order.
    Array(Vec<Value>),
    /// Values by name, in order.
    Object(Object),
}

static NULL: Value = Value::Null;

impl Value {
    /// An object of these entries.
    pub fn object<K: Into<Text>>(entries: impl IntoIterator<Item = (K, Value)>) -> Self {
        Self::Object(entries.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }

    /// The value that JSON text holds, [`Limits`](crate::Limits) at their defaults.
    ///
    /// What Python writes beyond the standard is read too; see [`json`](crate::json).
    ///
    /// # Errors
    /// Kind `Malformed` with line and column; kind `Limit` when nested too deep or too large.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        json::parse(text.into())
    }

    /// The value as JSON text, written as Python's `json.dumps` writes it; see [`json`](crate::json).
    ///
    /// # Errors
    /// Kind `Unencodable` when the value holds bytes.
    pub fn to_json(&self) -> Result<Vec<u8>, Error> {
        json::write(self)
    }

    /// The value as a `T`.
    ///
    /// # Errors
    /// Kind `Invalid` when the value has another shape.
    pub fn read<'de, T: serde::Deserialize<'de>>(&'de self) -> Result<T, Error> {
        filled(|model| read(self, model))
    }

    /// The value that `model` serializes to.
    ///
    /// # Errors
    /// Kind `Unencodable` when its keys are not strings or it says so itself.
    pub fn of<T: serde::Serialize + ?Sized>(model: &T) -> Result<Self, Error> {
        model.serialize(ser::ValueSerializer::PLAIN).map_err(ser::ValueError::into_error)
    }

    /// The value under `key`, if this is an object that has one.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_object()?.get(key)
    }

    /// Whether this is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The truth value, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The integer, if this is one of 64 bits.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// The number, if this is one; integers are converted and may lose digits beyond 2⁵³.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Float(value) => Some(*value),
            Self::Int(value) => Some(*value as f64),
            Self::BigInt(digits) => digits.parse().ok(),
            _ => None,
        }
    }

    /// The text, if this is a string without lone surrogates.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => text.as_str(),
            _ => None,
        }
    }

    /// The bytes, if this is bytes.
    pub fn as_bytes(&self) -> Option<&Bytes> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The elements, if this is an array.
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Self::Array(values) => Some(values),
            _ => None,
        }
    }

    /// The entries, if this is an object.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// What kind of value this is, for messages: `"an integer"`, `"an object"`, …
    pub fn describe(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) | Self::BigInt(_) => "an integer",
            Self::Float(_) => "a number",
            Self::String(_) => "a string",
            Self::Bytes(_) => "bytes",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::BigInt(a), Self::BigInt(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a == b || (a.is_nan() && b.is_nan()),
            (Self::String(a), Self::String(b)) => a == b,
            (Self::Bytes(a), Self::Bytes(b)) => a == b,
            (Self::Array(a), Self::Array(b)) => a == b,
            (Self::Object(a), Self::Object(b)) => a == b,
            _ => false,
        }
    }
}

/// The one-line form for people and programs: JSON, in which bytes are `{"$bytes": "<base64>"}` and numbers that JSON
/// lacks are `{"$float": "NaN"}`, `{"$float": "Infinity"}`, `{"$float": "-Infinity"}`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::new();
        json::append(&mut text, self);
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::ops::Index<&str> for Value {
    type Output = Value;

    /// The value under `key`; null where there is none.
    fn index(&self, key: &str) -> &Value {
        self.get(key).unwrap_or(&NULL)
    }
}

impl std::ops::Index<usize> for Value {
    type Output = Value;

    /// The element at `index`; null where there is none.
    fn index(&self, index: usize) -> &Value {
        self.as_array().and_then(|values| values.get(index)).unwrap_or(&NULL)
    }
}

macro_rules! from {
    ($($from:ty, $name:ident => $to:expr;)*) => {$(
        impl From<$from> for Value {
            fn from($name: $from) -> Self {
                $to
            }
        }
    )*};
}

from! {
    bool, value => Self::Bool(value);
    i64, value => Self::Int(value);
    i32, value => Self::Int(value.into());
    u32, value => Self::Int(value.into());
    u64, value => i64::try_from(value).map_or_else(|_| Self::BigInt(value.to_string().into()), Self::Int);
    i128, value => i64::try_from(value).map_or_else(|_| Self::BigInt(value.to_string().into()), Self::Int);
    u128, value => i64::try_from(value).map_or_else(|_| Self::BigInt(value.to_string().into()), Self::Int);
    f64, value => Self::Float(value);
    &str, value => Self::String(value.into());
    String, value => Self::String(value.into());
    Text, value => Self::String(value);
    Bytes, value => Self::Bytes(value);
    Vec<Value>, values => Self::Array(values);
    Object, object => Self::Object(object);
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Values by name, in the order in which they came.
///
/// Names are unique: of a repeated one the last value stands, in the first one's place, as in Python. Looking one up walks
/// the entries, which is fastest for the few that messages have.
#[derive(Clone, Default, PartialEq)]
pub struct Object(Vec<(Text, Value)>);

impl Object {
    /// An object without entries.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value under `key`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.iter().find(|(name, _)| name.as_bytes() == key.as_bytes()).map(|(_, value)| value)
    }

    /// The value under `key`, to change.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        self.0.iter_mut().find(|(name, _)| name.as_bytes() == key.as_bytes()).map(|(_, value)| value)
    }

    /// Puts `value` under `key`, in the place of what was there, or at the end; what was there comes back.
    pub fn insert(&mut self, key: impl Into<Text>, value: Value) -> Option<Value> {
        let key = key.into();
        match self.0.iter_mut().find(|(name, _)| *name == key) {
            Some((_, old)) => Some(std::mem::replace(old, value)),
            None => {
                self.0.push((key, value));
                None
            }
        }
    }

    /// Takes the entry `key` out.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let at = self.0.iter().position(|(name, _)| name.as_bytes() == key.as_bytes())?;
        Some(self.0.remove(at).1)
    }

    /// The object of the entries from `start` on, which are taken out of `entries`.
    #[inline]
    pub(crate) fn taken(entries: &mut Vec<(Text, Value)>, start: usize) -> Self {
        // Asked before they are moved: a processor waits where it reads what it has just copied.
        let repeats = any_repeats(&entries[start..]);
        Self::joined(taken(entries, start), repeats)
    }

    fn joined(mut entries: Vec<(Text, Value)>, repeats: bool) -> Self {
        if repeats {
            join(&mut entries);
        }
        Self(entries)
    }

    /// Returns the entry at a place in the order.
    pub fn get_index(&self, at: usize) -> Option<(&Text, &Value)> {
        self.0.get(at).map(|(key, value)| (key, value))
    }

    /// The entries in order, their values to change.
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = (&Text, &mut Value)> {
        self.0.iter_mut().map(|(key, value)| (&*key, value))
    }

    /// The entries in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Text, &Value)> {
        self.0.iter().map(|(key, value)| (key, value))
    }
}

impl IntoIterator for Object {
    type Item = (Text, Value);
    type IntoIter = std::vec::IntoIter<(Text, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl From<Vec<(Text, Value)>> for Object {
    fn from(entries: Vec<(Text, Value)>) -> Self {
        let repeats = any_repeats(&entries);
        Self::joined(entries, repeats)
    }
}

/// What stands from `start` on, in an allocation of its size. All of a large one is handed over as it is: a copy would
/// double the memory that it takes.
#[inline]
pub(crate) fn taken<T>(all: &mut Vec<T>, start: usize) -> Vec<T> {
    const LARGE: usize = 1024;
    if start == 0 && all.len() >= LARGE { std::mem::take(all) } else { all.split_off(start) }
}

/// Whether a name comes again, or may: hostile content would make a walk over very many entries quadratic.
fn any_repeats(entries: &[(Text, Value)]) -> bool {
    const WALKED: usize = 64;
    if entries.len() > WALKED {
        return true;
    }
    // A bit for each name that came so far, or several: most names are new by that.
    let mut seen = [0_u64; 8];
    entries.iter().enumerate().any(|(at, (name, _))| {
        let place = usize::from(name.sample());
        let (word, bit) = (&mut seen[place / 64 % 8], 1 << (place % 64));
        let came = *word & bit != 0;
        *word |= bit;
        came && entries[..at].iter().any(|(earlier, _)| earlier == name)
    })
}

/// Puts the last value of each name in the first one's place. There may be millions, so they are moved and not copied.
#[cold]
fn join(entries: &mut Vec<(Text, Value)>) {
    let mut places = std::collections::HashMap::with_capacity(entries.len());
    // The entries whose names came before, and the places of those.
    let mut repeated = Vec::new();
    for (at, (key, _)) in entries.iter().enumerate() {
        let next = places.len();
        let place = *places.entry(key).or_insert(next);
        if place < next {
            repeated.push((at, place));
        }
    }
    let Some((first, _)) = repeated.first() else { return };
    // No place is behind its entry, and what stood between the two has been moved already.
    let (mut unique, start, mut repeated) = (*first, *first, repeated.into_iter().peekable());
    for at in start..entries.len() {
        match repeated.next_if(|(next, _)| *next == at) {
            Some((_, place)) => entries.swap(place, at),
            None => {
                entries.swap(unique, at);
                unique += 1;
            }
        }
    }
    entries.truncate(unique);
}

impl FromIterator<(Text, Value)> for Object {
    fn from_iter<I: IntoIterator<Item = (Text, Value)>>(entries: I) -> Self {
        entries.into_iter().collect::<Vec<_>>().into()
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_name_keeps_its_first_place_and_its_last_value() {
        for filler in [0, 40] {
            let mut entries: Vec<(Text, Value)> = vec![("a".into(), 1.into()), ("b".into(), 0.into())];
            entries.push(("b".into(), 2.into()));
            entries.extend((0..filler).map(|n| (Text::from(format!("k{n}")), Value::Int(n))));
            entries.push(("a".into(), 3.into()));
            let object = Object::from(entries);
            assert!((0..filler).all(|n| object.get(&format!("k{n}")) == Some(&Value::Int(n))));
            let filler = filler as usize;
            assert_eq!(object.len(), 2 + filler);
            let entry = |at| object.iter().nth(at).map(|(key, value)| (key.as_str(), value.as_i64()));
            assert_eq!((entry(0), entry(1)), (Some((Some("a"), Some(3))), Some((Some("b"), Some(2)))));
        }
    }

    #[test]
    fn nan_equals_nan() {
        assert_eq!(Value::Float(f64::NAN), Value::Float(f64::NAN));
        assert_ne!(Value::Float(1.0), Value::Int(1));
    }
}
