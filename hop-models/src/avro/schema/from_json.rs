//! A JSON Schema, as models have one, to an Avro schema.
//!
//! Specification: [JSON Schema, 2020-12](https://json-schema.org/draft/2020-12).

use std::collections::HashMap;

use hop_core::{Error, ErrorKind, Location, Object, Value};

/// Deeper than this no schema of a model is; one that names itself by names alone would never end.
const DEEPEST: usize = 100;

/// The JSON of the Avro schema for what `root` describes.
///
/// # Errors
/// Kind `Unsupported` with the path, for what Avro has no type for, or the schema does not tell.
pub(super) fn convert(root: &Value) -> Result<Value, Error> {
    let mut converter = Converter { root, declared: HashMap::new(), path: Vec::new(), depth: 0 };
    let name = legal(root["title"].as_str().unwrap_or("Message"));
    converter.schema(root, &name)
}

struct Converter<'a> {
    root: &'a Value,
    /// What the names in Avro were declared for.
    declared: HashMap<String, &'a Value>,
    /// Where the converter is, for messages.
    path: Vec<String>,
    depth: usize,
}

type Converted = Result<Value, Error>;

impl<'a> Converter<'a> {
    /// The type of a schema, which is called `name` if it needs a name.
    fn schema(&mut self, schema: &'a Value, name: &str) -> Converted {
        if self.depth > DEEPEST {
            return Err(self.error("types that end, or have a name", "one that holds itself"));
        }
        self.depth += 1;
        let converted = self.any_schema(schema, name);
        self.depth -= 1;
        converted
    }

    fn any_schema(&mut self, schema: &'a Value, name: &str) -> Converted {
        if let Some(reference) = schema["$ref"].as_str() {
            let (target, name) = self.target(reference)?;
            return self.schema(target, &name);
        }
        if let Some(choices) = schema["oneOf"].as_array().or(schema["anyOf"].as_array()) {
            return self.choices(schema, choices, name);
        }
        if let Some(words) = words(schema) {
            return self.enumeration(schema, words, name);
        }
        if schema.get("allOf").is_some() {
            return self.object(schema, name);
        }
        match &schema["type"] {
            Value::Array(types) => {
                let mut branches = Vec::new();
                for of in types {
                    branches.extend(self.of_type(schema, of.as_str().unwrap_or_default(), name).map(flat)?);
                }
                Ok(union(branches))
            }
            of => self.of_type(schema, of.as_str().unwrap_or_default(), name),
        }
    }

    fn of_type(&mut self, schema: &'a Value, of: &str, name: &str) -> Converted {
        Ok(match of {
            "null" | "boolean" | "string" => of.into(),
            "integer" => match schema["format"].as_str() {
                Some("int8" | "int16" | "int32" | "uint8" | "uint16") => "int".into(),
                Some("int128" | "uint128") => return Err(self.error("an integer of at most 64 bits", "one of 128")),
                _ => "long".into(),
            },
            "number" => if schema["format"].as_str() == Some("float") { "float" } else { "double" }.into(),
            "array" => self.array(schema, name)?,
            "object" => self.object(schema, name)?,
            _ => {
                let help = "derive `schemars::JsonSchema` for the model, which knows more than serde tells; \
                            or give the codec a schema of its own, by `avsc!`";
                return Err(self.error("a type that is told", "any value").help(help));
            }
        })
    }

    fn target(&self, reference: &str) -> Result<(&'a Value, String), Error> {
        let mut target = self.root;
        let mut name = self.root["title"].as_str().unwrap_or("Message");
        for step in reference.strip_prefix("#").unwrap_or(reference).split('/').skip(1) {
            target = target.get(step).ok_or_else(|| self.error("a reference into the schema", reference))?;
            name = step;
        }
        Ok((target, legal(name)))
    }

    fn enumeration(&mut self, schema: &'a Value, words: Vec<&'a Value>, name: &str) -> Converted {
        let symbols: Option<Vec<&str>> =
            words.iter().filter(|word| !word.is_null()).map(|word| word.as_str()).collect();
        // What is no name in Avro is a string like any other.
        let of = match symbols {
            Some(symbols) if symbols.iter().all(|symbol| is_name(symbol)) => {
                let symbols: Vec<Value> = symbols.into_iter().map(Value::from).collect();
                self.declare(schema, name, |_, name, doc| {
                    let mut out = vec![("type".into(), "enum".into()), ("name".into(), name.into())];
                    out.extend(doc.map(|doc| ("doc".into(), doc)));
                    out.push(("symbols".into(), symbols.into()));
                    Ok(Value::Object(out.into()))
                })?
            }
            Some(_) => "string".into(),
            None => return Err(self.error("constants that are strings", "others")),
        };
        Ok(if words.iter().any(|word| word.is_null()) { union(vec![of, "null".into()]) } else { of })
    }

    fn array(&mut self, schema: &'a Value, name: &str) -> Converted {
        let list = |items: Value| Value::object([("type", "array".into()), ("items", items)]);
        if let Some(parts) = schema["prefixItems"].as_array() {
            let mut items = Vec::new();
            for (at, part) in parts.iter().enumerate() {
                let part =
                    self.within(format!("[{at}]"), |converter| converter.schema(part, &format!("{name}_{at}")))?;
                if !items.contains(&part) {
                    items.push(part);
                }
            }
            return match <[Value; 1]>::try_from(items) {
                Ok([one]) => Ok(list(one)),
                Err(_) => Err(self.error("a tuple of one type", "one of several").help("name its parts: use a struct")),
            };
        }
        let items = &schema["items"];
        if items["type"].as_str() == Some("integer") && items["format"].as_str() == Some("uint8") {
            return Ok("bytes".into());
        }
        let items = self.within("[]".to_owned(), |converter| converter.schema(items, &format!("{name}_item")))?;
        Ok(list(items))
    }

    /// A record, or a map.
    fn object(&mut self, schema: &'a Value, name: &str) -> Converted {
        let (mut properties, mut required) = (Vec::new(), Vec::new());
        self.properties(schema, &mut properties, &mut required, 0)?;
        if properties.is_empty() {
            let patterns = schema["patternProperties"].as_object();
            let pattern = patterns.filter(|patterns| patterns.len() == 1).and_then(|patterns| patterns.iter().next());
            let values = match (&schema["additionalProperties"], pattern) {
                (Value::Object(_), _) => &schema["additionalProperties"],
                (_, Some((_, values))) => values,
                // No fields at all: an empty record.
                _ if schema.get("properties").is_some() || schema["additionalProperties"].as_bool() == Some(false) => {
                    return self.record(schema, name, &properties, &required);
                }
                _ => return self.of_type(schema, "", name),
            };
            let values = self.within("*".to_owned(), |converter| converter.schema(values, &format!("{name}_value")))?;
            return Ok(Value::object([("type", "map".into()), ("values", values)]));
        }
        self.record(schema, name, &properties, &required)
    }

    /// The fields of an object, and of the objects that it is all of.
    fn properties(
        &mut self,
        schema: &'a Value,
        properties: &mut Vec<(&'a str, &'a Value)>,
        required: &mut Vec<&'a str>,
        depth: usize,
    ) -> Result<(), Error> {
        if depth > DEEPEST {
            return Err(self.error("types that end", "one that is all of itself"));
        }
        if let Some(reference) = schema["$ref"].as_str() {
            let (target, _) = self.target(reference)?;
            self.properties(target, properties, required, depth + 1)?;
        }
        for part in schema["allOf"].as_array().unwrap_or_default() {
            self.properties(part, properties, required, depth + 1)?;
        }
        for (name, property) in schema["properties"].as_object().map(Object::iter).into_iter().flatten() {
            let name = name.as_str().ok_or_else(|| self.error("names that are Unicode", "a lone surrogate"))?;
            if properties.iter().all(|(known, _)| *known != name) {
                properties.push((name, property));
            }
        }
        required.extend(schema["required"].as_array().unwrap_or_default().iter().filter_map(Value::as_str));
        Ok(())
    }

    fn record(
        &mut self,
        schema: &'a Value,
        name: &str,
        properties: &[(&'a str, &'a Value)],
        required: &[&str],
    ) -> Converted {
        self.declare(schema, name, |converter, name, doc| {
            let mut fields = Vec::with_capacity(properties.len());
            for (field, property) in properties {
                if !is_name(field) {
                    let found = format!("the field `{}`", field.escape_debug());
                    let help = "Avro has names of ASCII letters, digits and `_`: rename it, by `#[serde(rename)]`";
                    return Err(converter.error("a name that Avro allows", found).help(help));
                }
                let inner = format!("{name}_{field}");
                let of = converter.within((*field).to_owned(), |converter| converter.schema(property, &inner))?;
                let mut out = vec![("name".into(), (*field).into())];
                out.extend(property.get("description").map(|doc| ("doc".into(), doc.clone())));
                let default = default(property, &of, required.contains(field));
                out.push(("type".into(), of));
                out.extend(default.map(|default| ("default".into(), default)));
                fields.push(Value::Object(out.into()));
            }
            let mut out = vec![("type".into(), "record".into()), ("name".into(), name.into())];
            out.extend(doc.map(|doc| ("doc".into(), doc)));
            out.push(("fields".into(), fields.into()));
            Ok(Value::Object(out.into()))
        })
    }

    /// A union; a list of words; or the variants of an enum, which are records by their names.
    fn choices(&mut self, schema: &'a Value, choices: &'a [Value], name: &str) -> Converted {
        if let Some(all) = choices.iter().map(words).collect::<Option<Vec<_>>>() {
            return self.enumeration(schema, all.concat(), name);
        }
        let is_variant = |choice: &Value| words(choice).is_some() || held(choice).is_some();
        let mut branches = Vec::new();
        if !choices.iter().all(is_variant) {
            for (at, choice) in choices.iter().enumerate() {
                let inner = choice["title"].as_str().map_or_else(|| format!("{name}_{at}"), legal);
                branches.extend(self.schema(choice, &inner).map(flat)?);
            }
            return Ok(union(branches));
        }
        for choice in choices {
            let Some((variant, inside)) = held(choice) else {
                for word in words(choice).unwrap_or_default() {
                    let word_is_name = word.as_str().filter(|word| is_name(word));
                    let name = word_is_name
                        .ok_or_else(|| self.error("a variant with a name that Avro allows", word.to_string()))?;
                    branches.push(self.declare(word, name, |_, name, _| {
                        let fields = Value::Array(Vec::new());
                        Ok(Value::object([("type", "record".into()), ("name", name.into()), ("fields", fields)]))
                    })?);
                }
                continue;
            };
            let (fields, _) = match inside["$ref"].as_str() {
                Some(reference) => self.target(reference)?,
                None => (inside, String::new()),
            };
            if fields.get("properties").is_none() && fields.get("allOf").is_none() || !is_name(variant) {
                let found = format!("`{}`", variant.escape_debug());
                let help = "write `Variant { name: … }`, or give the codec a schema of its own, by `avsc!`";
                return Err(self.error("variants that have fields, and names that Avro allows", found).help(help));
            }
            let converted = self.within(variant.to_owned(), |converter| converter.object(fields, variant))?;
            branches.push(converted);
        }
        Ok(union(branches))
    }

    /// A type with a name: declared where it is met first, and named from then on.
    fn declare(
        &mut self,
        of: &'a Value,
        name: &str,
        make: impl FnOnce(&mut Self, &str, Option<Value>) -> Converted,
    ) -> Converted {
        let name = legal(name);
        match self.declared.get(&name) {
            None => {}
            Some(known) if std::ptr::eq(*known, of) => return Ok(name.into()),
            Some(_) => {
                let help =
                    "rename one of them, by `#[serde(rename)]`, or give the codec a schema of its own, by `avsc!`";
                return Err(self.error("each name to be one type's", format!("`{name}` again")).help(help));
            }
        }
        self.declared.insert(name.clone(), of);
        make(self, &name, of.get("description").cloned())
    }

    fn within<T>(&mut self, step: String, inside: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        self.path.push(step);
        let out = inside(self)?;
        self.path.pop();
        Ok(out)
    }

    #[cold]
    fn error(&self, expected: &'static str, found: impl Into<String>) -> Error {
        let error = Error::new(ErrorKind::Unsupported, "avro schema").expected(expected).found(found.into());
        if self.path.is_empty() { error } else { error.at(Location::Path(self.path.join(".").replace(".[", "["))) }
    }
}

/// The constants that a schema is one of, and nothing else.
fn words(schema: &Value) -> Option<Vec<&Value>> {
    match (schema.get("const"), schema["enum"].as_array()) {
        (Some(word), _) => Some(vec![word]),
        (None, Some(words)) => Some(words.iter().collect()),
        _ => None,
    }
}

/// The name of a variant and what it holds, where a schema is that of an object of this one entry.
fn held(schema: &Value) -> Option<(&str, &Value)> {
    let properties = schema["properties"].as_object().filter(|properties| properties.len() == 1)?;
    let (name, inside) = properties.iter().next()?;
    let closed = schema["additionalProperties"].as_bool() == Some(false);
    (closed && schema["required"].as_array()?.len() == 1).then_some((name.as_str()?, inside))
}

/// What a field that may be missing is written as where it is.
fn default(property: &Value, of: &Value, required: bool) -> Option<Value> {
    let is = |name: &str| of.as_str() == Some(name) || of["type"].as_str() == Some(name);
    match (property.get("default"), of) {
        _ if required => None,
        (_, Value::Array(_)) => Some(Value::Null),
        (Some(default @ Value::Bool(_)), _) if is("boolean") => Some(default.clone()),
        (Some(default @ Value::Int(_)), _) if is("int") || is("long") => Some(default.clone()),
        (Some(default @ (Value::Int(_) | Value::Float(_))), _) if is("double") || is("float") => Some(default.clone()),
        (Some(default @ Value::String(_)), _) if is("string") || is("enum") => Some(default.clone()),
        (Some(Value::Array(values)), _) if is("array") && values.is_empty() => Some(Value::Array(Vec::new())),
        (Some(Value::Object(entries)), _) if is("map") && entries.is_empty() => Some(Value::Object(Object::new())),
        // serde does not tell; what is left out of a message is left out because it is empty.
        (None, _) if is("array") => Some(Value::Array(Vec::new())),
        (None, _) if is("map") => Some(Value::Object(Object::new())),
        _ => None,
    }
}

/// The branches of a type.
fn flat(of: Value) -> Vec<Value> {
    match of {
        Value::Array(branches) => branches,
        one => vec![one],
    }
}

/// The union of some types, each once and null first, so that null can be the default.
fn union(branches: Vec<Value>) -> Value {
    let mut unique: Vec<Value> = Vec::with_capacity(branches.len());
    for branch in branches {
        if unique.contains(&branch) {
            continue;
        }
        if branch.as_str() == Some("null") { unique.insert(0, branch) } else { unique.push(branch) }
    }
    match <[Value; 1]>::try_from(unique) {
        Ok([one]) => one,
        Err(several) => Value::Array(several),
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The text with `_` for what no name has.
fn legal(text: &str) -> String {
    let replaced: String = text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if is_name(&replaced) { replaced } else { format!("_{replaced}") }
}
