//! Values as Avro has them.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use super::logical::{Date, Decimal, Duration, Time, TimeUnit, Timestamp};
use super::schema::{EnumType, RecordType};

/// One Avro value, its logical type decoded.
///
/// Unions leave no trace: a value is the branch that was sent. `int` and `long` are both [`Long`](Self::Long). A
/// logical type that is unknown, or declared over the wrong type, is the value underneath.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// `null`.
    Null,
    /// `boolean`.
    Boolean(bool),
    /// `int` and `long`.
    Long(i64),
    /// `float`.
    Float(f32),
    /// `double`.
    Double(f64),
    /// `string`.
    String(Box<str>),
    /// `bytes`: a slice of the message, shared with it.
    Bytes(Bytes),
    /// `fixed`: a slice of the message, shared with it.
    Fixed(Bytes),
    /// `enum`.
    Enum(Symbol),
    /// `array`.
    Array(Vec<Value>),
    /// `map`, in the order sent.
    Map(Map),
    /// `record`, and `error`.
    Record(Record),
    /// Logical type `date`.
    Date(Date),
    /// Logical types `time-millis` and `time-micros`.
    Time(Time),
    /// Logical types `timestamp-…` and `local-timestamp-…`.
    Timestamp(Timestamp),
    /// Logical type `uuid` over a string.
    Uuid(uuid::Uuid),
    /// Logical type `decimal` over bytes or fixed.
    Decimal(Box<Decimal>),
    /// Logical type `duration`.
    Duration(Duration),
}

static NULL: Value = Value::Null;

impl Value {
    /// The value of the field, or under the key, `name`.
    pub fn get(&self, name: &str) -> Option<&Value> {
        match self {
            Self::Record(record) => record.get(name),
            Self::Map(map) => map.get(name),
            _ => None,
        }
    }

    /// Whether this is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The truth value, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Boolean(value) => Some(*value),
            _ => None,
        }
    }

    /// The integer, if this is an `int` or a `long`.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Long(value) => Some(*value),
            _ => None,
        }
    }

    /// The number, if this is one; a `float` is widened, an integer beyond 2⁵³ loses digits.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Double(value) => Some(*value),
            Self::Float(value) => Some((*value).into()),
            Self::Long(value) => Some(*value as f64),
            _ => None,
        }
    }

    /// The text, if this is a string or an enum.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            Self::Enum(symbol) => Some(symbol.as_str()),
            _ => None,
        }
    }

    /// The bytes, if this is `bytes` or `fixed`.
    pub fn as_bytes(&self) -> Option<&Bytes> {
        match self {
            Self::Bytes(bytes) | Self::Fixed(bytes) => Some(bytes),
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
}

/// The field of that name; null where there is none.
impl std::ops::Index<&str> for Value {
    type Output = Value;

    fn index(&self, name: &str) -> &Value {
        self.get(name).unwrap_or(&NULL)
    }
}

/// The element at that place; null where there is none.
impl std::ops::Index<usize> for Value {
    type Output = Value;

    fn index(&self, at: usize) -> &Value {
        self.as_array().and_then(|values| values.get(at)).unwrap_or(&NULL)
    }
}

/// The fields of one record. Their names are the schema's, and shared with it.
#[derive(Clone, PartialEq)]
pub struct Record {
    pub(super) of: Arc<RecordType>,
    pub(super) values: Vec<Value>,
}

impl Record {
    /// The full name of its type.
    pub fn name(&self) -> &str {
        &self.of.name
    }

    /// The value of the field `name`.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let at = self.of.fields.iter().rposition(|field| *field.name == *name)?;
        self.values.get(at)
    }

    /// The fields, in the order of the schema.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.of.fields.iter().zip(&self.values).map(|(field, value)| (&*field.name, value))
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// Values by name, in the order sent. Of a repeated name the last value stands, in the first one's place.
#[derive(Clone, PartialEq, Default)]
pub struct Map(pub(super) Vec<(Box<str>, Value)>);

impl Map {
    /// The value under `key`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.iter().find(|(name, _)| **name == *key).map(|(_, value)| value)
    }

    /// The entries.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (&**key, value))
    }

    pub(super) fn of(entries: Vec<(Box<str>, Value)>) -> Self {
        // So few are compared sooner than hashed.
        const WALKED: usize = 16;
        let repeated = |at: usize| entries[..at].iter().any(|(earlier, _)| *earlier == entries[at].0);
        if entries.len() <= WALKED && !(0..entries.len()).any(repeated) {
            return Self(entries);
        }
        let mut places = std::collections::HashMap::with_capacity(entries.len());
        if entries.iter().enumerate().all(|(at, (key, _))| places.insert(&**key, at).is_none()) {
            return Self(entries);
        }
        let mut places = std::collections::HashMap::with_capacity(entries.len());
        let mut unique: Vec<(Box<str>, Value)> = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            match places.get(&key).and_then(|at: &usize| unique.get_mut(*at)) {
                Some((_, old)) => *old = value,
                None => {
                    places.insert(key.clone(), unique.len());
                    unique.push((key, value));
                }
            }
        }
        Self(unique)
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// One symbol of an enum.
#[derive(Clone, PartialEq)]
pub struct Symbol {
    pub(super) of: Arc<EnumType>,
    pub(super) index: usize,
}

impl Symbol {
    /// The symbol.
    pub fn as_str(&self) -> &str {
        self.of.symbols.get(self.index).map_or("", |symbol| symbol)
    }

    /// The full name of the enum.
    pub fn name(&self) -> &str {
        &self.of.name
    }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An object of one entry, which says what the text in it is.
fn tagged(tag: &'static str, text: impl fmt::Display) -> hop_core::Value {
    hop_core::Value::object([(tag, text.to_string().into())])
}

/// The value as hop shows it: records and maps are objects, enums their symbol, fixed are bytes, floats doubles.
///
/// Dates, times, decimals and UUIDs are objects that say so: `{"$date": …}`, `{"$time": …}`, `{"$datetime": …}`,
/// `{"$decimal": …}`, `{"$uuid": …}`. What hop-client leaves undecoded is shown as it shows it: a timestamp in
/// nanoseconds is an integer, a duration its twelve bytes.
impl From<&Value> for hop_core::Value {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Boolean(value) => Self::Bool(*value),
            Value::Long(value) => Self::Int(*value),
            Value::Float(value) => Self::Float((*value).into()),
            Value::Double(value) => Self::Float(*value),
            Value::String(text) => Self::String((&**text).into()),
            Value::Bytes(bytes) | Value::Fixed(bytes) => Self::Bytes(bytes.clone()),
            Value::Enum(symbol) => symbol.as_str().into(),
            Value::Array(values) => Self::Array(values.iter().map(Self::from).collect()),
            Value::Map(map) => Self::object(map.iter().map(|(key, value)| (key, value.into()))),
            Value::Record(record) => Self::object(record.iter().map(|(name, value)| (name, value.into()))),
            Value::Date(date) => tagged("$date", date),
            Value::Time(time) => tagged("$time", time),
            Value::Timestamp(Timestamp { count, unit: TimeUnit::Nanos, .. }) => Self::Int(*count),
            Value::Timestamp(timestamp) => tagged("$datetime", timestamp),
            Value::Uuid(uuid) => tagged("$uuid", uuid),
            Value::Decimal(decimal) => tagged("$decimal", decimal),
            Value::Duration(duration) => Self::Bytes(Bytes::copy_from_slice(&duration.to_bytes())),
        }
    }
}
