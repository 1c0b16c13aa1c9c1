//! A message that fits: what the schema gives as examples, and the rest made up.

use hop_core::{UuidString, Value};

use super::shape::{Branch, Field, Id, Shape, Shapes, Type};

/// A message of `root`, in the order and the types in which the generated code writes it.
///
/// `any` stands where the type leaves open what there is.
pub(super) fn message(shapes: &Shapes, root: Id, any: &Value) -> Made {
    let mut maker = Maker { shapes, any, within: Vec::new(), left: MOST_VALUES };
    let given = shapes.items[root].example.as_ref().and_then(|example| maker.item_as(root, example));
    match given.or_else(|| maker.item(root)) {
        Some(message) => Made::Message(message),
        None if maker.left == 0 => Made::TooLarge,
        None => Made::Endless,
    }
}

/// No example has more values: types that hold others twice double with each level.
const MOST_VALUES: usize = 20_000;

/// What became of an example.
pub(super) enum Made {
    Message(Value),
    /// The type always holds another of its own.
    Endless,
    TooLarge,
}

struct Maker<'a> {
    shapes: &'a Shapes,
    any: &'a Value,
    /// The items that are being made: they are not made once more within themselves.
    within: Vec<Id>,
    /// How many more values there may be.
    left: usize,
}

impl Maker<'_> {
    fn item(&mut self, id: Id) -> Option<Value> {
        if self.within.contains(&id) {
            return None;
        }
        self.within.push(id);
        let made = match &self.shapes.items[id].shape {
            Shape::Record(fields) => self.record(fields),
            Shape::Enumeration(symbols) => symbols.first().map(|symbol| symbol.text.as_str().into()),
            Shape::Constant(text) => Some(text.as_str().into()),
            Shape::Choice(choice) => choice.branches.iter().find_map(|branch| {
                let content = self.of(&branch.of, "")?;
                Some(if choice.tagged { self.tagged(branch, content) } else { content })
            }),
            Shape::Alias(of) => self.of(of, ""),
            Shape::Pending => None,
        };
        self.within.pop();
        made
    }

    fn tagged(&self, branch: &Branch, content: Value) -> Value {
        match (&branch.tag, &branch.of) {
            (Some(tag), _) => Value::object([(tag.as_str(), content)]),
            (None, Type::Item(id)) => Value::object([(self.shapes.items[*id].known_as.as_str(), content)]),
            _ => content,
        }
    }

    fn record(&mut self, fields: &[Field]) -> Option<Value> {
        let mut entries = Vec::with_capacity(fields.len());
        for field in fields.iter().filter(|field| !field.rest) {
            let given = field.example.as_ref().and_then(|example| self.of_as(&field.of, example));
            match given.or_else(|| self.of(&field.of, &field.key)) {
                Some(value) if field.presence.is_optional() && value.is_null() => {}
                Some(value) => entries.push((field.key.as_str(), value)),
                None if field.presence.is_optional() => {}
                None => return None,
            }
        }
        Some(Value::object(entries))
    }

    /// Something of a type; `key` is the field that it is for.
    fn of(&mut self, of: &Type, key: &str) -> Option<Value> {
        self.left = self.left.checked_sub(1)?;
        Some(match of {
            Type::Null => Value::Null,
            Type::Any => self.any.clone(),
            Type::Bool => true.into(),
            Type::Int32 | Type::Int64 | Type::Integer => 1.into(),
            // What 32 bits hold too.
            Type::Float | Type::Double => 1.5.into(),
            Type::Text if is_time(key) => "2026-03-04T05:06:07.000Z".into(),
            Type::Text => "example".into(),
            Type::Uuid => UUID.into(),
            Type::Bytes => Value::Bytes(bytes::Bytes::from_static(b"example")),
            Type::Fixed(size) => Value::Bytes(vec![0; *size].into()),
            Type::List(of) => Value::Array(self.of(of, key).into_iter().collect()),
            Type::Array(of, length) => Value::Array(vec![self.of(of, key)?; *length]),
            Type::Tuple(of) => Value::Array(of.iter().map(|of| self.of(of, key)).collect::<Option<_>>()?),
            Type::Map(of) => Value::object(self.of(of, key).map(|value| ("example", value))),
            Type::Option(of) => self.of(of, key).unwrap_or(Value::Null),
            Type::Item(id) => self.item(*id)?,
        })
    }

    /// `given` as a type has it, if it fits.
    fn of_as(&mut self, of: &Type, given: &Value) -> Option<Value> {
        Some(match (of, given) {
            (Type::Any, any) => any.clone(),
            (Type::Null | Type::Option(_), Value::Null) => Value::Null,
            (Type::Option(of), given) => self.of_as(of, given)?,
            (Type::Bool, Value::Bool(_)) | (Type::Text, Value::String(_)) => given.clone(),
            (Type::Int32, Value::Int(number)) => Value::Int(i32::try_from(*number).ok()?.into()),
            (Type::Int64 | Type::Integer, Value::Int(_)) | (Type::Integer, Value::BigInt(_)) => given.clone(),
            (Type::Uuid, Value::String(text)) => text.as_str()?.parse::<UuidString>().ok().and(Some(given.clone()))?,
            (Type::Double, number) => number.as_f64()?.into(),
            // In as few digits as tell it apart, as it will be shown.
            (Type::Float, number) => (number.as_f64()? as f32).to_string().parse::<f64>().ok()?.into(),
            // As Avro writes the defaults of bytes: a character each.
            (Type::Bytes, Value::String(text)) => Value::Bytes(latin(text.as_str()?)?.into()),
            (Type::Fixed(size), Value::String(text)) => {
                Value::Bytes(latin(text.as_str()?).filter(|bytes| bytes.len() == *size)?.into())
            }
            (Type::List(of), Value::Array(given)) => {
                Value::Array(given.iter().map(|given| self.of_as(of, given)).collect::<Option<_>>()?)
            }
            (Type::Array(of, length), Value::Array(given)) if given.len() == *length => {
                Value::Array(given.iter().map(|given| self.of_as(of, given)).collect::<Option<_>>()?)
            }
            (Type::Tuple(of), Value::Array(given)) if given.len() == of.len() => {
                let each = of.iter().zip(given).map(|(of, given)| self.of_as(of, given));
                Value::Array(each.collect::<Option<_>>()?)
            }
            (Type::Map(of), Value::Object(given)) => {
                // Maps are written in the order of their keys.
                let mut entries = Vec::with_capacity(given.len());
                for (key, given) in given.iter() {
                    entries.push((key.clone(), self.of_as(of, given)?));
                }
                entries.sort_by(|(one, _), (other, _)| one.as_bytes().cmp(other.as_bytes()));
                Value::Object(entries.into())
            }
            (Type::Item(id), given) => self.item_as(*id, given)?,
            _ => return None,
        })
    }

    fn item_as(&mut self, id: Id, given: &Value) -> Option<Value> {
        match (&self.shapes.items[id].shape, given) {
            (Shape::Record(fields), Value::Object(given)) => {
                let mut entries = Vec::with_capacity(fields.len());
                for field in fields.iter().filter(|field| !field.rest) {
                    match given.get(&field.key) {
                        Some(given) => match self.of_as(&field.of, given)? {
                            Value::Null if field.presence.is_optional() => {}
                            value => entries.push((field.key.as_str(), value)),
                        },
                        None if field.presence.is_optional() => {}
                        None if matches!(field.of, Type::Option(_) | Type::Any | Type::Null) => {
                            entries.push((field.key.as_str(), Value::Null));
                        }
                        None => return None,
                    }
                }
                Some(Value::object(entries))
            }
            (Shape::Enumeration(_), Value::String(_)) => Some(given.clone()),
            (Shape::Constant(text), given) => (given.as_str() == Some(text)).then(|| given.clone()),
            (Shape::Choice(choice), given) if !choice.tagged => {
                choice.branches.iter().find_map(|branch| self.of_as(&branch.of, given))
            }
            (Shape::Alias(of), given) => self.of_as(of, given),
            _ => None,
        }
    }
}

/// A UUID as an example.
pub(super) const UUID: &str = "e09921f1-7c3b-4b6e-9d7c-2f1d2b6a1c55";

/// Whether a field is a point in time, going by its name.
fn is_time(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["time", "date"].iter().any(|word| key.contains(word))
}

fn latin(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|character| u8::try_from(u32::from(character)).ok()).collect()
}
