//! Records: the keys of objects, out of all that a schema is made of.

use std::collections::HashSet;

use hop_core::{Error, Object, Value};

use super::super::MOST_FIELDS;
use super::super::shape::{Branch, Field, Presence, Shape, Type};
use super::documents::At;
use super::{Name, Reader, constant, types};

/// What is known of an object's keys.
#[derive(Default)]
struct Keys {
    fields: Vec<Field>,
    required: HashSet<String>,
    /// Whether there are no others.
    closed: bool,
}

/// The field for the keys that a record does not name.
fn rest_of(of: Type) -> Field {
    Field {
        key: "more".to_owned(),
        docs: "Whatever else is there.".to_owned(),
        of,
        presence: Presence::Required,
        example: None,
        constant: None,
        rest: true,
    }
}

impl Reader {
    /// The one part of a schema that adds nothing to it: `{"allOf": [{"$ref": …}]}`.
    pub(super) fn only_part(&self, object: &Object, at: &At) -> Option<At> {
        let adds =
            ["$ref", "title", "properties", "patternProperties", "additionalProperties", "required", "oneOf", "anyOf"];
        let one = object.get("allOf").and_then(Value::as_array).is_some_and(|parts| parts.len() == 1);
        (one && !adds.iter().any(|key| object.get(key).is_some())).then(|| at.part("allOf").part("0"))
    }

    /// Whether a schema describes an object whose keys it tells.
    pub(super) fn is_record(&mut self, at: &At) -> Result<bool, Error> {
        let json = self.value(at)?;
        let Some(object) = json.as_object() else { return Ok(false) };
        let kinds = types(object);
        if kinds.iter().any(|kind| !matches!(*kind, "object" | "null")) {
            return Ok(false);
        }
        if object.get("properties").and_then(Value::as_object).is_some_and(|properties| !properties.is_empty()) {
            return Ok(true);
        }
        // Only a reference: what it refers to is that record.
        let parts =
            ["allOf", "oneOf", "anyOf"].map(|key| object.get(key).and_then(Value::as_array).map_or(0, <[_]>::len));
        if parts == [0; 3] {
            return Ok(false);
        }
        self.deeper(at)?;
        let mut found = false;
        for part in 0..parts[0] {
            let part = at.part("allOf").part(&part.to_string());
            let part = self.documents.followed(&part)?;
            found = found || self.is_record(&part)?;
        }
        self.depth -= 1;
        Ok(found)
    }

    pub(super) fn record(&mut self, at: &At, name: &Name) -> Result<Type, Error> {
        let docs = self.docs(at)?;
        let id = self.add(name, docs, Shape::Pending);
        self.known.insert(at.clone(), Type::Item(id));
        let mut keys = Keys::default();
        self.gather(at, &name.of, false, &mut keys)?;
        let Keys { mut fields, required, closed } = keys;
        // What a schema permits without naming it is kept, and written back.
        if !closed && !fields.iter().any(|field| field.rest) {
            fields.push(rest_of(Type::Map(Box::new(Type::Any))));
        }
        for field in fields.iter_mut().filter(|field| required.contains(&field.key)) {
            field.presence = Presence::Required;
        }
        self.shapes.items[id].shape = Shape::Record(fields);
        Ok(Type::Item(id))
    }

    /// Adds what a schema and all that it is made of say of an object's keys; none is certain where `any` of several may
    /// hold.
    fn gather(&mut self, at: &At, within: &str, any: bool, keys: &mut Keys) -> Result<(), Error> {
        if self.gathering.contains(at) {
            return Err(self.error(at, "`allOf` of other schemas", "one that is made of itself"));
        }
        self.deeper(at)?;
        self.gathering.push(at.clone());
        if let Value::Object(object) = self.value(at)? {
            self.gather_object(&object, at, within, any, keys)?;
        }
        self.gathering.pop();
        self.depth -= 1;
        Ok(())
    }

    fn gather_object(&mut self, of: &Object, at: &At, within: &str, any: bool, keys: &mut Keys) -> Result<(), Error> {
        if let Some(target) = self.target(at)? {
            self.gather(&target, within, any, keys)?;
        }
        for (key, one_holds) in [("allOf", false), ("oneOf", true), ("anyOf", true)] {
            for part in 0..of.get(key).and_then(Value::as_array).map_or(0, <[Value]>::len) {
                self.gather(&at.part(key).part(&part.to_string()), within, any || one_holds, keys)?;
            }
        }
        for (key, json) in of.get("properties").and_then(Value::as_object).into_iter().flat_map(Object::iter) {
            // False is what must not be there.
            if !matches!(json, Value::Bool(false)) {
                let key = key.to_string_lossy();
                self.field(&at.part("properties").part(&key), &key, within, any, &mut keys.fields)?;
            }
        }
        if let (Some(required), false) = (of.get("required").and_then(Value::as_array), any) {
            keys.required.extend(required.iter().filter_map(Value::as_str).map(str::to_owned));
        }
        keys.closed |= !any
            && ["additionalProperties", "unevaluatedProperties"]
                .iter()
                .any(|key| of.get(key).and_then(Value::as_bool) == Some(false));
        if let Some(values) = self.rest(of, at, within)? {
            let of = Type::Map(Box::new(values));
            match keys.fields.iter_mut().find(|field| field.rest) {
                // What one part leaves to it is not what another does.
                Some(rest) if rest.of != of => rest.of = Type::Map(Box::new(Type::Any)),
                Some(_) => {}
                None => keys.fields.push(rest_of(of)),
            }
        }
        Ok(())
    }

    /// The type of what an object holds under keys that it does not name, where it says anything of it.
    fn rest(&mut self, of: &Object, at: &At, within: &str) -> Result<Option<Type>, Error> {
        let name = Name { of: format!("{within} value"), within: within.to_owned() };
        let patterns = of.get("patternProperties").and_then(Value::as_object).filter(|patterns| !patterns.is_empty());
        let others = of.get("additionalProperties");
        Ok(match (patterns, others) {
            (None, Some(Value::Object(_))) => Some(self.of(&at.part("additionalProperties"), &name)?),
            (None, _) => None,
            // No other keys than those of the one pattern.
            (Some(patterns), Some(Value::Bool(false))) if patterns.len() == 1 => {
                let pattern = patterns.iter().next().map(|(key, _)| key.to_string_lossy().into_owned());
                Some(self.of(&at.part("patternProperties").part(&pattern.unwrap_or_default()), &name)?)
            }
            (Some(_), _) => Some(Type::Any),
        })
    }

    fn field(&mut self, at: &At, key: &str, within: &str, any: bool, fields: &mut Vec<Field>) -> Result<(), Error> {
        let name = Name { of: key.to_owned(), within: within.to_owned() };
        let of = self.of(at, &name)?;
        let (docs, example) = (self.field_docs(at)?, self.example(at)?);
        // What one of several parts says holds only where that one does.
        let constant = constant(&self.value(at)?).filter(|_| !any);
        let is_it = |field: &Field| field.key == key && !field.rest;
        let Some(place) = fields.iter().position(is_it) else {
            let is_null = self.documents.value(at)?.get("default").is_some_and(Value::is_null);
            let presence = if is_null { Presence::Optional } else { Presence::Nullable };
            fields.push(Field { key: key.to_owned(), docs, of, presence, example, constant, rest: false });
            if fields.len() > MOST_FIELDS {
                return Err(self.limit(at, format!("at most {MOST_FIELDS} fields in a record"), "more"));
            }
            return Ok(());
        };
        let known = fields[place].of.clone();
        let of = if any { self.one_of([known, of].map(Branch::of).into(), at, &name)? } else { self.both(known, of) };
        let field = &mut fields[place];
        field.of = of;
        field.constant = if any { None } else { constant.or_else(|| field.constant.take()) };
        field.example = example.or_else(|| field.example.take());
        if !docs.is_empty() {
            field.docs = docs;
        }
        Ok(())
    }
}
