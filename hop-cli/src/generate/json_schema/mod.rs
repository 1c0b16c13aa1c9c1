//! JSON Schemas: drafts 4 to 2020-12, as far as they say what content is made of.
//!
//! What `allOf` brings together is one record. Bounds, patterns, conditions and `not` say which content is right, and not
//! what it is made of: they are passed over.

mod documents;
mod keys;
mod words;

use std::collections::{HashMap, HashSet};
use std::path::Path;

use hop_core::{Error, ErrorKind, Location, Object, Value};

use self::documents::{At, Documents};
use super::shape::{Branch, Choice, Id, Item, Shape, Shapes, Symbol, Type, told_apart};
use super::{MOST_TYPES, Origin};

/// Schemas within each other, `$ref` followed, are refused beyond this, and those that refer to each other in a circle.
const DEEPEST: usize = 100;

/// The most schemas that are looked at, one that is named twice counted twice.
const MOST_STEPS: usize = 100_000;

/// Arrays of a fixed length are arrays in Rust up to this one, as far as serde has them.
const LONGEST_ARRAY: usize = 32;

/// Reads the schema in the file at `path`.
///
/// # Errors
/// Kind `Invalid` when it is none, or refers to what is not there; kind `Unsupported` for references of other kinds.
pub(super) fn read(path: &Path, json: Value) -> Result<Origin, Error> {
    if !is_schema(&json) {
        return Err(Error::new(ErrorKind::Invalid, path.display().to_string())
            .expected("a JSON Schema")
            .found("JSON without any of its keywords, such as a message")
            .help("give the schema, not a message by it"));
    }
    let (documents, root) = Documents::of(path, json);
    let mut reader = Reader {
        documents,
        shapes: Shapes::default(),
        known: HashMap::new(),
        depth: 0,
        steps: 0,
        gathering: Vec::new(),
        enumerations: HashMap::new(),
    };
    let title = reader.title(&root);
    let name = Name { of: title.clone().unwrap_or_else(|| super::stem(path)), within: String::new() };
    let id = match reader.of(&root, &name)? {
        Type::Item(id) => id,
        other => {
            let docs = reader.docs(&root)?;
            reader.add(&name, docs, Shape::Alias(other))
        }
    };
    let schema = reader.documents.value(&root)?;
    let example = schema["examples"].as_array().and_then(<[Value]>::first);
    reader.shapes.items[id].example = example.or_else(|| schema.get("example")).cloned();
    Ok(Origin { shapes: reader.shapes, root: id, title })
}

/// Whether JSON has a keyword of JSON Schema, of the kind of value that it takes; a message may have a `$schema` too.
fn is_schema(json: &Value) -> bool {
    const OBJECTS: [&str; 7] =
        ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "not", "if"];
    const LISTS: [&str; 6] = ["allOf", "anyOf", "oneOf", "enum", "prefixItems", "required"];
    const TYPES: [&str; 7] = ["null", "boolean", "integer", "number", "string", "array", "object"];
    const SCHEMAS: [&str; 3] = ["additionalProperties", "items", "unevaluatedProperties"];
    let Value::Object(object) = json else { return true };
    let has = |key: &str, kind: &dyn Fn(&Value) -> bool| object.get(key).is_some_and(kind);
    let is_schema = |value: &Value| matches!(value, Value::Object(_) | Value::Bool(_) | Value::Array(_));
    object.is_empty()
        || has("type", &|kind| match kind {
            Value::Array(several) => several.iter().all(|one| one.as_str().is_some_and(|one| TYPES.contains(&one))),
            one => one.as_str().is_some_and(|one| TYPES.contains(&one)),
        })
        || has("$ref", &|reference| reference.as_str().is_some())
        || has("$dynamicRef", &|reference| reference.as_str().is_some())
        || has("$recursiveRef", &|reference| reference.as_str().is_some())
        || has("const", &|_| true)
        || OBJECTS.iter().any(|key| has(key, &|value| value.as_object().is_some()))
        || LISTS.iter().any(|key| has(key, &is_array))
        || SCHEMAS.iter().any(|key| has(key, &is_schema))
        || has("$schema", &|dialect| dialect.as_str().is_some_and(|dialect| dialect.contains("json-schema.org")))
}

/// What a type is to be called, and what it belongs to.
struct Name {
    of: String,
    within: String,
}

struct Reader {
    documents: Documents,
    shapes: Shapes,
    /// What was read, by where it stands.
    known: HashMap<At, Type>,
    depth: usize,
    /// How often a schema was looked at: parts that name each other twice over would have no end.
    steps: usize,
    /// The schemas whose keys are being gathered.
    gathering: Vec<At>,
    /// Lists of texts, by the name of their type.
    enumerations: HashMap<(String, Vec<Symbol>), Id>,
}

impl Reader {
    /// What stands at `at`, and what is in that; of what is further in, only the kind. A schema may be large, and its parts
    /// are read one by one.
    fn value(&self, at: &At) -> Result<Value, Error> {
        self.documents.value(at).map(|json| outline(json, 2))
    }

    fn add(&mut self, name: &Name, docs: String, shape: Shape) -> Id {
        let (known_as, within) = (name.of.clone(), name.within.clone());
        self.shapes.add(Item { known_as, within, docs, shape, example: None })
    }

    /// The type of what the schema at `at` describes.
    fn of(&mut self, at: &At, name: &Name) -> Result<Type, Error> {
        if let Some(known) = self.known.get(at) {
            return Ok(known.clone());
        }
        self.deeper(at)?;
        let of = self.read(at, name)?;
        self.depth -= 1;
        self.known.insert(at.clone(), of.clone());
        Ok(of)
    }

    fn deeper(&mut self, at: &At) -> Result<(), Error> {
        self.depth += 1;
        self.steps += 1;
        if self.depth > DEEPEST {
            let found = "one that refers to itself, or is nested deeper";
            return Err(self.limit(at, format!("at most {DEEPEST} schemas within each other"), found));
        }
        if self.steps > MOST_STEPS {
            return Err(self.limit(at, format!("at most {MOST_STEPS} schemas"), "one that is larger than any"));
        }
        if self.shapes.items.len() > MOST_TYPES {
            return Err(self.limit(at, format!("at most {MOST_TYPES} types"), "more"));
        }
        Ok(())
    }

    #[cold]
    fn limit(&self, at: &At, expected: String, found: &'static str) -> Error {
        Error::new(ErrorKind::Limit, self.documents.name(at))
            .expected(expected)
            .found(found)
            .at(Location::Path(at.pointer().to_owned()))
    }

    fn read(&mut self, at: &At, name: &Name) -> Result<Type, Error> {
        let json = self.value(at)?;
        let object = match &json {
            Value::Object(object) => object,
            Value::Bool(_) => return Ok(Type::Any),
            other => return Err(self.error(at, "a schema: an object, true or false", other.describe())),
        };
        if let Some(values) = object.get("enum").and_then(Value::as_array) {
            return self.values(values, at, name);
        }
        if let Some(value) = object.get("const") {
            return Ok(of_value(value));
        }
        if self.is_record(at)? {
            let nullable = types(object).contains(&"null");
            if let Some(only) = self.only_part(object, at) {
                let of = self.of(&only, name)?;
                return Ok(if nullable { of.optional() } else { of });
            }
            let record = self.record(at, name)?;
            return Ok(if nullable { record.optional() } else { record });
        }
        // What all of these parts say holds at once.
        let mut of = self.own(object, at, name)?;
        if let Some(target) = self.target(at)? {
            let known_as = self.name_of(&target, name);
            let target = self.of(&target, &known_as)?;
            of = self.both(target, of);
        }
        for (key, one_holds) in [("allOf", false), ("oneOf", true), ("anyOf", true)] {
            let Some(parts) = object.get(key).and_then(Value::as_array) else { continue };
            if let (true, Some((symbols, nullable))) = (one_holds, self.constants(at, key, parts.len())?) {
                let listed = self.enumeration(symbols, at, name)?;
                of = self.both(if nullable { listed.optional() } else { listed }, of);
                continue;
            }
            let mut parts: Vec<Branch> = (0..parts.len())
                .map(|part| {
                    let at = at.part(key).part(&part.to_string());
                    let known_as = self.title(&at).unwrap_or_else(|| name.of.clone());
                    let name = Name { of: known_as, within: name.within.clone() };
                    Ok(Branch { docs: self.docs(&at)?, ..Branch::of(self.of(&at, &name)?) })
                })
                .collect::<Result<_, Error>>()?;
            if one_holds {
                let one = self.one_of(parts, at, name)?;
                of = self.both(one, of);
            } else {
                of = parts.drain(..).fold(of, |of, part| self.both(part.of, of));
            }
        }
        Ok(of)
    }

    /// The type that a schema names itself: by `type`, or by the keywords that go with one.
    fn own(&mut self, object: &Object, at: &At, name: &Name) -> Result<Type, Error> {
        let mut kinds = types(object);
        if kinds.is_empty() {
            let has = |keys: &[&str]| keys.iter().any(|key| object.get(key).is_some());
            if has(&["items", "prefixItems", "minItems", "maxItems"]) {
                kinds.push("array");
            } else if has(&["additionalProperties", "patternProperties", "propertyNames"]) {
                kinds.push("object");
            } else {
                return Ok(Type::Any);
            }
        }
        let nullable = kinds.contains(&"null") || object.get("nullable").and_then(Value::as_bool) == Some(true);
        let mut branches = Vec::new();
        for kind in kinds.iter().filter(|kind| **kind != "null") {
            let of = match *kind {
                "boolean" => Type::Bool,
                "integer" => Type::Integer,
                "number" => Type::Double,
                "string" if object.get("format").and_then(Value::as_str) == Some("uuid") => Type::Uuid,
                "string" => Type::Text,
                "array" => self.array(object, at, name)?,
                "object" => self.map(object, at, name)?,
                other => {
                    return Err(self.error(at, "one of JSON's types", format!("`{}`", other.escape_debug())));
                }
            };
            branches.push(Branch::of(of));
        }
        if branches.is_empty() {
            return Ok(Type::Null);
        }
        let of = self.one_of(branches, at, name)?;
        Ok(if nullable { of.optional() } else { of })
    }

    fn array(&mut self, object: &Object, at: &At, name: &Name) -> Result<Type, Error> {
        let count = |key: &str| object.get(key).and_then(Value::as_i64).and_then(|count| usize::try_from(count).ok());
        let exactly = count("minItems").filter(|least| Some(*least) == count("maxItems"));
        let inner = Name { of: format!("{} item", name.of), within: name.within.clone() };
        let listed = ["prefixItems", "items"].into_iter().find(|key| object.get(key).is_some_and(is_array));
        if let Some(key) = listed {
            let many = object.get(key).and_then(Value::as_array).map_or(0, <[Value]>::len);
            let each = (0..many).map(|item| self.of(&at.part(key).part(&item.to_string()), &inner));
            let each: Vec<Type> = each.collect::<Result<_, Error>>()?;
            // One element alone would be no tuple.
            return Ok(if exactly == Some(many) && (2..=12).contains(&many) {
                Type::Tuple(each)
            } else {
                Type::Any.list()
            });
        }
        let of = match object.get("items") {
            Some(_) => self.of(&at.part("items"), &inner)?,
            None => Type::Any,
        };
        Ok(match exactly {
            Some(length @ 1..=LONGEST_ARRAY) => Type::Array(Box::new(of), length),
            _ => of.list(),
        })
    }

    /// An object whose keys are not told one by one.
    fn map(&mut self, object: &Object, at: &At, name: &Name) -> Result<Type, Error> {
        let inner = Name { of: format!("{} value", name.of), within: name.within.clone() };
        let values = match object.get("additionalProperties") {
            Some(Value::Object(_)) => self.of(&at.part("additionalProperties"), &inner)?,
            _ => match object.get("patternProperties").and_then(Value::as_object) {
                Some(patterns) if patterns.len() == 1 => {
                    let pattern = patterns.iter().next().map(|(key, _)| key.to_string_lossy().into_owned());
                    self.of(&at.part("patternProperties").part(&pattern.unwrap_or_default()), &inner)?
                }
                _ => Type::Any,
            },
        };
        Ok(Type::Map(Box::new(values)))
    }

    /// The type of listed values.
    fn values(&mut self, values: &[Value], at: &At, name: &Name) -> Result<Type, Error> {
        let nullable = values.iter().any(Value::is_null);
        let listed: Vec<&Value> = values.iter().filter(|value| !value.is_null()).collect();
        let symbols: Option<Vec<String>> = listed.iter().map(|value| value.as_str().map(str::to_owned)).collect();
        let of = match symbols {
            _ if listed.is_empty() => Type::Null,
            Some(texts) => {
                let symbols = texts.into_iter().map(|text| Symbol { text, docs: String::new() }).collect();
                self.enumeration(symbols, at, name)?
            }
            None => {
                let of = listed.iter().map(|value| of_value(value)).collect();
                match told_apart(&self.shapes, of).as_slice() {
                    [one] => one.clone(),
                    [Type::Integer, Type::Double] => Type::Double,
                    _ => Type::Any,
                }
            }
        };
        Ok(if nullable { of.optional() } else { of })
    }

    fn enumeration(&mut self, mut symbols: Vec<Symbol>, at: &At, name: &Name) -> Result<Type, Error> {
        let mut seen = HashSet::new();
        symbols.retain(|symbol| seen.insert(symbol.text.clone()));
        // Two fields of one name and one list, in records that share it, are of one type.
        let same = (name.of.clone(), symbols);
        if let Some(id) = self.enumerations.get(&same) {
            return Ok(Type::Item(*id));
        }
        let docs = self.docs(at)?;
        let id = self.add(name, docs, Shape::Enumeration(same.1.clone()));
        self.enumerations.insert(same, id);
        Ok(Type::Item(id))
    }

    /// The texts of a choice of which each part is one text, or null: a list with a word on each.
    fn constants(&self, at: &At, key: &str, count: usize) -> Result<Option<(Vec<Symbol>, bool)>, Error> {
        let (mut symbols, mut nullable) = (Vec::with_capacity(count), false);
        for part in 0..count {
            let json = self.value(&at.part(key).part(&part.to_string()))?;
            let is_null = json.as_object().is_some_and(|object| types(object) == ["null"])
                || json.get("const").is_some_and(Value::is_null);
            if is_null {
                nullable = true;
            } else if let Some(text) = constant(&json) {
                let said = json.get("description").or_else(|| json.get("title")).and_then(Value::as_str);
                symbols.push(Symbol { text, docs: said.unwrap_or_default().to_owned() });
            } else {
                return Ok(None);
            }
        }
        Ok((!symbols.is_empty()).then_some((symbols, nullable)))
    }

    /// What holds any one of `branches`.
    fn one_of(&mut self, branches: Vec<Branch>, at: &At, name: &Name) -> Result<Type, Error> {
        let mut nullable = false;
        let mut docs: Vec<(Type, String)> = Vec::new();
        for branch in branches {
            let of = match branch.of {
                Type::Null => {
                    nullable = true;
                    continue;
                }
                Type::Option(of) => {
                    nullable = true;
                    *of
                }
                // A choice within a choice is one.
                Type::Item(id) => match &self.shapes.items[id].shape {
                    Shape::Choice(choice) if !choice.tagged => {
                        let known = choice.branches.iter().filter(|branch| branch.of != Type::Any);
                        docs.extend(known.map(|branch| (branch.of.clone(), branch.docs.clone())));
                        continue;
                    }
                    _ => branch.of,
                },
                of => of,
            };
            docs.push((of, branch.docs));
        }
        let branches: Vec<Type> = docs.iter().map(|(of, _)| of.clone()).collect();
        let closed = self.shapes.close_constants(&branches);
        let mut apart = told_apart(&self.shapes, branches);
        if closed && apart.len() > 1 {
            // One of a kind that is yet to be thought of.
            apart.push(Type::Any);
            docs.push((Type::Any, "One that the schema does not list, as it was sent.".to_owned()));
        }
        let of = match apart.len() {
            0 => Type::Null,
            1 => apart.remove(0),
            _ => {
                let said = |of: &Type| docs.iter().find(|(other, _)| other == of).map(|(_, docs)| docs.clone());
                let branches: Vec<Branch> = apart
                    .into_iter()
                    .map(|of| {
                        let called = self.shapes.telling(&of).map(str::to_owned);
                        Branch { docs: said(&of).unwrap_or_default(), called, ..Branch::of(of) }
                    })
                    .collect();
                for branch in &branches {
                    // Without a title of its own, a part is called by what tells it from the others.
                    if let (Type::Item(id), Some(called)) = (&branch.of, &branch.called)
                        && self.shapes.items[*id].known_as == name.of
                    {
                        self.shapes.items[*id].known_as.clone_from(called);
                    }
                }
                let docs = self.docs(at)?;
                Type::Item(self.add(name, docs, Shape::Choice(Choice { branches, tagged: false })))
            }
        };
        Ok(if nullable { of.optional() } else { of })
    }

    /// What holds that which is of both types; where they exclude each other, `second`.
    fn both(&self, first: Type, second: Type) -> Type {
        let is_enumeration = |id: Id| matches!(self.shapes.items[id].shape, Shape::Enumeration(_));
        // What a type leaves open, and another may settle.
        let open = |one: &Type| match one {
            Type::Item(id) => match &self.shapes.items[*id].shape {
                Shape::Choice(choice) => choice.branches.iter().map(|branch| branch.of.clone()).collect(),
                _ => Vec::new(),
            },
            Type::Double => vec![Type::Integer],
            Type::Text => vec![Type::Uuid],
            _ => Vec::new(),
        };
        match (first, second) {
            (Type::Any, other) | (other, Type::Any) => other,
            (Type::Option(first), Type::Option(second)) => self.both(*first, *second).optional(),
            (Type::Option(first), second) => self.both(*first, second),
            (first, Type::Option(second)) => self.both(first, *second),
            (Type::Item(id), Type::Text) | (Type::Text, Type::Item(id)) if is_enumeration(id) => Type::Item(id),
            (Type::List(first), Type::List(second)) => self.both(*first, *second).list(),
            (array @ Type::Array(..), Type::List(_)) => array,
            // An object of whatever keys says no more than that it is one.
            (item @ Type::Item(_), Type::Map(values)) | (Type::Map(values), item @ Type::Item(_))
                if *values == Type::Any =>
            {
                item
            }
            (narrow, wide) if open(&wide).contains(&narrow) => narrow,
            (_, second) => second,
        }
    }

    /// Where the `$ref` at `at` leads.
    fn target(&mut self, at: &At) -> Result<Option<At>, Error> {
        let json = self.value(at)?;
        for other in ["$dynamicRef", "$recursiveRef"] {
            if json.get(other).is_some() {
                return Err(Error::new(ErrorKind::Unsupported, at.to_string())
                    .found(format!("`{other}`"))
                    .help("write `$ref`"));
            }
        }
        match json.get("$ref") {
            None => Ok(None),
            Some(Value::String(reference)) => self.documents.follow(at, &reference.to_string_lossy()).map(Some),
            Some(other) => Err(self.error(at, "a reference, text", other.describe())),
        }
    }

    /// What a schema that is referred to is called.
    fn name_of(&mut self, at: &At, name: &Name) -> Name {
        let own = match at.last() {
            // A whole file: by its title; else by its name.
            None => self.title(at).unwrap_or_else(|| self.documents.stem(at)),
            Some(key) => key,
        };
        Name { of: own, within: name.within.clone() }
    }

    #[cold]
    fn error(&self, at: &At, expected: impl Into<String>, found: impl Into<String>) -> Error {
        Error::new(ErrorKind::Invalid, self.documents.name(at))
            .expected(expected.into())
            .found(found.into())
            .at(Location::Path(at.pointer().to_owned()))
    }
}

/// The types that `type` names.
fn types(object: &Object) -> Vec<&str> {
    match object.get("type") {
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        Some(one) => one.as_str().into_iter().collect(),
        None => Vec::new(),
    }
}

fn of_value(value: &Value) -> Type {
    match value {
        Value::Null => Type::Null,
        Value::Bool(_) => Type::Bool,
        Value::Int(_) | Value::BigInt(_) => Type::Integer,
        Value::Float(_) => Type::Double,
        Value::String(_) => Type::Text,
        _ => Type::Any,
    }
}

/// The one text that a schema allows.
fn constant(json: &Value) -> Option<String> {
    let listed =
        json.get("enum").and_then(Value::as_array).filter(|listed| listed.len() == 1).and_then(<[Value]>::first);
    json.get("const").or(listed)?.as_str().map(str::to_owned)
}

/// A copy of a value in which what is more than `levels` inside is empty.
fn outline(json: &Value, levels: usize) -> Value {
    match json {
        Value::Array(values) => {
            let inside = levels.checked_sub(1);
            Value::Array(inside.map_or_else(Vec::new, |levels| values.iter().map(|one| outline(one, levels)).collect()))
        }
        Value::Object(object) => match levels.checked_sub(1) {
            Some(levels) => Value::object(object.iter().map(|(key, one)| (key.clone(), outline(one, levels)))),
            None => Value::Object(Object::new()),
        },
        plain => plain.clone(),
    }
}

fn is_array(value: &Value) -> bool {
    value.as_array().is_some()
}
