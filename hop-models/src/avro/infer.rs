//! A schema for content that came without one.

use std::collections::{HashMap, HashSet};

use hop_core::{Error, ErrorKind, Text, Value};

use super::encode::DEEPEST;

/// A type that content was found to be of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Type {
    Null,
    Boolean,
    Long,
    Double,
    String,
    Bytes,
    Array(Vec<Type>),
    Map(Vec<Type>),
    /// The number of a record.
    Record(usize),
}

#[derive(Default)]
struct Inference {
    /// Names and types of the fields, by number.
    records: Vec<Vec<(Text, Type)>>,
    numbers: HashMap<Vec<(Text, Type)>, usize>,
}

/// The JSON of a schema that all of `records` are of.
///
/// # Errors
/// Kind `Unencodable` for what Avro has no type for: an integer beyond 64 bits, nesting without end.
pub(super) fn schema(records: &[Value]) -> Result<Value, Error> {
    let mut inference = Inference::default();
    let mut types = Vec::new();
    for record in records {
        merge(&mut types, inference.of(record, 0)?);
    }
    Ok(inference.union(&types, &mut HashSet::new()))
}

/// Adds a type to a union, which may hold one array and one map only: theirs are merged.
fn merge(union: &mut Vec<Type>, new: Type) {
    if union.contains(&new) {
        return;
    }
    for old in union.iter_mut() {
        match (old, &new) {
            (Type::Array(old), Type::Array(new)) | (Type::Map(old), Type::Map(new)) => {
                new.iter().for_each(|part| merge(old, part.clone()));
                return;
            }
            _ => {}
        }
    }
    union.push(new);
}

/// Whether there is a record in it. Each record of hop-client's is a type of its own.
fn has_record(of: &Type) -> bool {
    match of {
        Type::Record(_) => true,
        Type::Array(parts) | Type::Map(parts) => parts.iter().any(has_record),
        _ => false,
    }
}

/// Whether other libraries take it for the name of a field.
fn is_name(text: &Text) -> bool {
    let bytes = text.as_bytes();
    bytes.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

impl Inference {
    fn of(&mut self, value: &Value, depth: usize) -> Result<Type, Error> {
        if depth > DEEPEST {
            return Err(Error::new(ErrorKind::Unencodable, super::LABEL)
                .expected(format!("at most {DEEPEST} levels of nesting"))
                .found("more"));
        }
        Ok(match value {
            Value::Null => Type::Null,
            Value::Bool(_) => Type::Boolean,
            Value::Int(_) => Type::Long,
            Value::BigInt(digits) => {
                return Err(Error::new(ErrorKind::Unencodable, super::LABEL)
                    .expected("an integer of at most 64 bits")
                    .found(digits.chars().take(40).collect::<String>()));
            }
            Value::Float(_) => Type::Double,
            Value::String(_) => Type::String,
            Value::Bytes(_) => Type::Bytes,
            Value::Array(values) => {
                let mut items = Vec::new();
                for value in values {
                    merge(&mut items, self.of(value, depth + 1)?);
                }
                Type::Array(items)
            }
            Value::Object(object) => {
                let mut fields = Vec::with_capacity(object.len());
                for (key, value) in object.iter() {
                    fields.push((key.clone(), self.of(value, depth + 1)?));
                }
                if is_record(&fields) {
                    return Ok(self.record(fields));
                }
                let mut values = Vec::new();
                fields.into_iter().for_each(|(_, of)| merge(&mut values, of));
                Type::Map(values)
            }
        })
    }

    fn record(&mut self, fields: Vec<(Text, Type)>) -> Type {
        if let Some(number) = self.numbers.get(&fields) {
            return Type::Record(*number);
        }
        let number = self.records.len();
        self.records.push(fields.clone());
        self.numbers.insert(fields, number);
        Type::Record(number)
    }

    fn union(&self, types: &[Type], declared: &mut HashSet<usize>) -> Value {
        match types {
            [] => "null".into(),
            [one] => self.json(one, declared),
            several => Value::Array(several.iter().map(|one| self.json(one, declared)).collect()),
        }
    }

    fn json(&self, of: &Type, declared: &mut HashSet<usize>) -> Value {
        match of {
            Type::Null => "null".into(),
            Type::Boolean => "boolean".into(),
            Type::Long => "long".into(),
            Type::Double => "double".into(),
            Type::String => "string".into(),
            Type::Bytes => "bytes".into(),
            Type::Array(items) => Value::object([("type", "array".into()), ("items", self.union(items, declared))]),
            Type::Map(values) => Value::object([("type", "map".into()), ("values", self.union(values, declared))]),
            Type::Record(number) => {
                let name = format!("auto_record{number}");
                if !declared.insert(*number) {
                    return name.into();
                }
                let fields = self.records.get(*number).map(Vec::as_slice).unwrap_or_default();
                let fields = fields
                    .iter()
                    .map(|(name, of)| Value::object([("name", name.clone().into()), ("type", self.json(of, declared))]))
                    .collect();
                Value::object([("type", "record".into()), ("name", name.into()), ("fields", Value::Array(fields))])
            }
        }
    }
}

/// hop-client's rule: an object is a record when its values are of many types, for their number. Names that are no Avro
/// names stay keys of a map.
fn is_record(fields: &[(Text, Type)]) -> bool {
    let (mut distinct, mut types) = (HashSet::new(), 0);
    for (_, of) in fields {
        types += usize::from(has_record(of) || distinct.insert(of));
    }
    types > 1 && types > fields.len() / 2 && fields.iter().all(|(key, _)| is_name(key))
}
