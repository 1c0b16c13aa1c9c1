//! Avro schemas: `.avsc`, and what stands in files beside them.

mod neighbours;

use std::collections::HashMap;
use std::path::Path;

use hop_core::{Error, ErrorKind, Location, Object, Value};
use hop_models::avro::Schema;

use super::example::UUID;
use super::shape::{Branch, Choice, Field, Id, Item, Presence, Shape, Shapes, Symbol, Type};
use super::{MOST_FIELDS, MOST_TYPES, Origin, read_json};

/// A schema, read.
pub(super) struct Avro {
    pub(super) origin: Origin,
    /// With all that it names in it.
    pub(super) schema: Schema,
}

/// Reads the schema in the file at `path`.
///
/// # Errors
/// Kind `Invalid` when it is none, or names what is declared neither in it nor beside it.
pub(super) fn read(path: &Path, json: &Value) -> Result<Avro, Error> {
    let schema = Schema::parse(&String::from_utf8_lossy(&neighbours::complete(path, json)?.to_json()?))?;
    let mut reader =
        Reader { shapes: Shapes::default(), named: HashMap::new(), full: HashMap::new(), path: Vec::new() };
    let root = reader.of(schema.json(), "", "message")?;
    let root = match root {
        Type::Item(id) => id,
        other => reader.shapes.add(Item {
            known_as: super::stem(path),
            within: String::new(),
            docs: String::new(),
            shape: Shape::Alias(other),
            example: None,
        }),
    };
    Ok(Avro { origin: Origin { shapes: reader.shapes, root, title: None }, schema })
}

/// Whether JSON is an Avro schema rather than a JSON Schema.
pub(super) fn is_avro(json: &Value) -> bool {
    match json {
        Value::Array(_) => true,
        Value::Object(object) => {
            let kind = object.get("type").and_then(Value::as_str);
            matches!(kind, Some("record" | "error" | "enum" | "fixed" | "map")) || object.get("logicalType").is_some()
        }
        _ => false,
    }
}

struct Reader {
    shapes: Shapes,
    named: HashMap<String, Type>,
    /// The full names of items.
    full: HashMap<Id, String>,
    path: Vec<String>,
}

impl Reader {
    /// The type that a declaration stands for; `key` is the field it is of, in the record `within`.
    fn of(&mut self, json: &Value, within: &str, key: &str) -> Result<Type, Error> {
        match json {
            Value::String(name) => self.by_name(&name.to_string_lossy()),
            Value::Array(branches) => self.union(branches, within, key),
            Value::Object(object) => self.object(object, within, key),
            other => Err(self.error("a type: a name, an object, or an array", other.describe())),
        }
    }

    fn by_name(&self, name: &str) -> Result<Type, Error> {
        Ok(match name {
            "null" => Type::Null,
            "boolean" => Type::Bool,
            "int" => Type::Int32,
            "long" => Type::Int64,
            "float" => Type::Float,
            "double" => Type::Double,
            "bytes" => Type::Bytes,
            "string" => Type::Text,
            named => {
                let known = self.named.get(named).cloned();
                return known.ok_or_else(|| self.error("the name of a type", format!("`{}`", named.escape_debug())));
            }
        })
    }

    fn object(&mut self, object: &Object, within: &str, key: &str) -> Result<Type, Error> {
        let kind = object.get("type").unwrap_or(&Value::Null);
        match kind.as_str() {
            Some("record" | "error") => self.record(object),
            Some("enum") => self.enumeration(object),
            Some("fixed") => {
                let size = object.get("size").and_then(Value::as_i64).and_then(|size| usize::try_from(size).ok());
                // A long one would lie in the middle of the struct.
                let of = size.filter(|size| *size <= 64).map_or(Type::Bytes, Type::Fixed);
                self.named.insert(name_of(object), of.clone());
                Ok(of)
            }
            Some("array") => Ok(self.of(object.get("items").unwrap_or(&Value::Null), within, key)?.list()),
            Some("map") => {
                Ok(Type::Map(Box::new(self.of(object.get("values").unwrap_or(&Value::Null), within, key)?)))
            }
            _ => self.of(kind, within, key),
        }
    }

    fn record(&mut self, object: &Object) -> Result<Type, Error> {
        let name = name_of(object);
        let id = self.declare(&name, docs_of(object), Shape::Pending)?;
        let mut fields: Vec<Field> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        let list = object.get("fields").and_then(Value::as_array).unwrap_or_default();
        if list.len() > MOST_FIELDS {
            return Err(self.limit(format!("at most {MOST_FIELDS} fields in a record"), list.len()));
        }
        for json in list {
            let key = json["name"].as_str().unwrap_or_default().to_owned();
            self.path.push(key.clone());
            let of = self.of(&json["type"], &name, &key)?;
            let default = json.get("default").filter(|default| !default.is_null()).cloned();
            let docs = [text(json.get("doc")), units(&json["type"])];
            let field = Field {
                docs: docs.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n"),
                presence: presence(&of, default.as_ref()),
                key,
                of,
                example: default.or_else(|| uuid(&json["type"])),
                constant: None,
                rest: false,
            };
            // Schemas in use name fields twice. The last value stands, as in the reading.
            match places.get(&field.key) {
                Some(earlier) => fields[*earlier] = field,
                None => {
                    places.insert(field.key.clone(), fields.len());
                    fields.push(field);
                }
            }
            self.path.pop();
        }
        self.shapes.items[id].shape = Shape::Record(fields);
        Ok(Type::Item(id))
    }

    fn enumeration(&mut self, object: &Object) -> Result<Type, Error> {
        let symbols = object.get("symbols").and_then(Value::as_array).unwrap_or_default();
        let texts = symbols.iter().filter_map(Value::as_str);
        let symbols = texts.map(|text| Symbol { text: text.to_owned(), docs: String::new() }).collect();
        Ok(Type::Item(self.declare(&name_of(object), docs_of(object), Shape::Enumeration(symbols))?))
    }

    fn declare(&mut self, name: &str, docs: String, shape: Shape) -> Result<Id, Error> {
        if self.shapes.items.len() >= MOST_TYPES {
            return Err(self.limit(format!("at most {MOST_TYPES} types"), self.shapes.items.len() + 1));
        }
        let (within, known_as) = name.rsplit_once('.').unwrap_or(("", name));
        let within = within.rsplit('.').next().unwrap_or_default().to_owned();
        let id = self.shapes.add(Item { known_as: known_as.to_owned(), within, docs, shape, example: None });
        self.named.insert(name.to_owned(), Type::Item(id));
        self.full.insert(id, name.to_owned());
        Ok(id)
    }

    fn union(&mut self, branches: &[Value], within: &str, key: &str) -> Result<Type, Error> {
        let mut of: Vec<Type> = Vec::new();
        let mut nullable = false;
        for (at, branch) in branches.iter().enumerate() {
            self.path.push(format!("[{at}]"));
            match self.of(branch, within, key)? {
                Type::Null => nullable = true,
                one => of.push(one),
            }
            self.path.pop();
        }
        let one = if of.is_empty() { Type::Null } else { self.one_of(of, within, key) };
        Ok(if nullable { one.optional() } else { one })
    }

    /// What holds any one of `of`.
    fn one_of(&mut self, mut of: Vec<Type>, within: &str, key: &str) -> Type {
        let is_record = |one: &Type| matches!(one, Type::Item(id) if !self.is_enumeration(*id));
        let tagged = of.len() > 1 && of.iter().all(is_record);
        if !tagged {
            of = super::shape::told_apart(&self.shapes, of);
        }
        match <[Type; 1]>::try_from(of) {
            Ok([one]) => one,
            Err(of) => {
                let mut alike: HashMap<&str, usize> = HashMap::new();
                for known_as in of.iter().filter_map(|one| self.known_as(one)) {
                    *alike.entry(known_as).or_default() += 1;
                }
                // The full name of a branch, where others have the same short one.
                let tag = |one: &Type| match one {
                    Type::Item(id) if alike.get(self.known_as(one)?)? > &1 => self.full.get(id).cloned(),
                    _ => None,
                };
                let tags: Vec<Option<String>> = of.iter().map(tag).collect();
                let branches = of.into_iter().zip(tags).map(|(of, tag)| Branch { tag, ..Branch::of(of) }).collect();
                let within = within.rsplit('.').next().unwrap_or_default().to_owned();
                let shape = Shape::Choice(Choice { branches, tagged });
                let docs = String::new();
                Type::Item(self.shapes.add(Item { known_as: key.to_owned(), within, docs, shape, example: None }))
            }
        }
    }

    fn known_as(&self, of: &Type) -> Option<&str> {
        let Type::Item(id) = of else { return None };
        Some(&self.shapes.items[*id].known_as)
    }

    fn is_enumeration(&self, id: Id) -> bool {
        matches!(self.shapes.items[id].shape, Shape::Enumeration(_))
    }

    #[cold]
    fn limit(&self, expected: String, found: usize) -> Error {
        Error::new(ErrorKind::Limit, "avro schema").expected(expected).found(found.to_string())
    }

    #[cold]
    fn error(&self, expected: impl Into<String>, found: impl Into<String>) -> Error {
        let error = Error::new(ErrorKind::Invalid, "avro schema").expected(expected.into()).found(found.into());
        if self.path.is_empty() { error } else { error.at(Location::Path(self.path.join("."))) }
    }
}

fn name_of(object: &Object) -> String {
    text(object.get("name"))
}

fn docs_of(object: &Object) -> String {
    text(object.get("doc"))
}

fn text(json: Option<&Value>) -> String {
    json.and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// An example of a UUID, where that is what is asked for.
fn uuid(json: &Value) -> Option<Value> {
    match json {
        Value::Array(branches) => branches.iter().find_map(uuid),
        Value::Object(object) if object.get("logicalType").and_then(Value::as_str) == Some("uuid") => Some(UUID.into()),
        Value::Object(object) => match object.get("type").and_then(Value::as_str) {
            Some("array") => uuid(object.get("items")?).map(|one| Value::Array(vec![one])),
            Some("map") => uuid(object.get("values")?).map(|one| Value::object([("example", one)])),
            Some(_) => None,
            None => uuid(object.get("type")?),
        },
        _ => None,
    }
}

/// Whether a reader gets by without a field: by its default where Rust has the same.
fn presence(of: &Type, default: Option<&Value>) -> Presence {
    let empty = match (of, default) {
        (Type::Bool, Some(Value::Bool(false))) => true,
        (Type::Int32 | Type::Int64 | Type::Float | Type::Double, Some(number)) => number.as_f64() == Some(0.0),
        (Type::Text | Type::Bytes, Some(text)) => text.as_str() == Some(""),
        (Type::List(_), Some(Value::Array(list))) => list.is_empty(),
        (Type::Map(_), Some(Value::Object(object))) => object.is_empty(),
        _ => false,
    };
    if empty { Presence::Defaulted } else { Presence::Required }
}

/// What a number or bytes count, where a logical type says it.
fn units(json: &Value) -> String {
    let object = match json {
        Value::Array(branches) => branches.iter().find(|branch| branch.get("logicalType").is_some()),
        Value::Object(object) if object.get("logicalType").is_none() => object.get("type"),
        other => Some(other),
    };
    let Some(logical) = object.and_then(|object| object.get("logicalType")).and_then(Value::as_str) else {
        return String::new();
    };
    let scale = object.and_then(|object| object.get("scale")).and_then(Value::as_i64).unwrap_or(0);
    match logical {
        "date" => "In days since 1970-01-01.".to_owned(),
        "time-millis" => "In milliseconds since midnight.".to_owned(),
        "time-micros" => "In microseconds since midnight.".to_owned(),
        "timestamp-millis" => "In milliseconds since 1970-01-01T00:00:00Z.".to_owned(),
        "timestamp-micros" => "In microseconds since 1970-01-01T00:00:00Z.".to_owned(),
        "timestamp-nanos" => "In nanoseconds since 1970-01-01T00:00:00Z.".to_owned(),
        "local-timestamp-millis" => "In milliseconds since 1970-01-01T00:00:00, local time.".to_owned(),
        "local-timestamp-micros" => "In microseconds since 1970-01-01T00:00:00, local time.".to_owned(),
        "local-timestamp-nanos" => "In nanoseconds since 1970-01-01T00:00:00, local time.".to_owned(),
        "decimal" => format!("A decimal: an integer of these bytes, big-endian, with {scale} digits after the point."),
        "duration" => "Months, days and milliseconds, four bytes each, little-endian.".to_owned(),
        _ => String::new(),
    }
}
