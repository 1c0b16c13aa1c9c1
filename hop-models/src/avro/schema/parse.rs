//! JSON to nodes.

use std::collections::hash_map::{Entry, HashMap};
use std::sync::Arc;

use hop_core::{Error, ErrorKind, Location, Object, Text, Value};

use super::super::logical::TimeUnit;
use super::{EnumType, Field, Id, Kind, NEVER, Name, Node, RecordType};

pub(super) struct Parsed {
    pub(super) json: Value,
    pub(super) nodes: Vec<Node>,
    pub(super) root: Id,
}

/// No schema nests its types deeper than this.
const DEEPEST: usize = 1000;

/// Parses a schema; what it names and does not declare is looked for in `others`.
pub(super) fn parse(json: &Value, others: &Others) -> Result<Parsed, Error> {
    let mut parser =
        Parser { nodes: Vec::new(), names: HashMap::new(), primitives: HashMap::new(), path: Vec::new(), others };
    let (root, json) = parser.schema(json, "")?;
    let mut nodes = parser.nodes;
    measure(&mut nodes);
    Ok(Parsed { json, nodes, root })
}

/// What other schemas declare, by full name.
#[derive(Default)]
pub(crate) struct Others(HashMap<String, Declaration>);

/// What other schemas say of a name.
enum Declaration {
    Once(Value),
    /// Different things.
    Ambiguous,
}

impl Others {
    /// Adds what a schema declares: a named type, or several in an array.
    pub(crate) fn add(&mut self, json: Value) {
        match json {
            Value::Array(several) => several.into_iter().for_each(|one| self.add_type(one)),
            one => self.add_type(one),
        }
    }

    fn add_type(&mut self, json: Value) {
        let Some(object) = json.as_object() else { return };
        let text = |key: &str| object.get(key).and_then(Value::as_str);
        let Some(name) = text("name") else { return };
        let full = match text("namespace") {
            Some(space) if !space.is_empty() && !name.contains('.') => format!("{space}.{name}"),
            _ => name.to_owned(),
        };
        match self.0.entry(full) {
            Entry::Vacant(place) => _ = place.insert(Declaration::Once(json)),
            Entry::Occupied(mut known) => match known.get() {
                Declaration::Once(same) if *same == json => {}
                _ => _ = known.insert(Declaration::Ambiguous),
            },
        }
    }
}

struct Parser<'a> {
    nodes: Vec<Node>,
    /// Full names, from where they are declared on.
    names: HashMap<String, Id>,
    primitives: HashMap<&'static str, Id>,
    /// Where the parser is, for messages.
    path: Vec<String>,
    others: &'a Others,
}

/// A node, and its declaration with full names.
type Declared = Result<(Id, Value), Error>;

/// What a declaration says beside these is kept as it is.
const ABSORBED: [&str; 9] = ["type", "name", "namespace", "fields", "items", "size", "symbols", "values", "doc"];

impl Parser<'_> {
    fn schema(&mut self, json: &Value, namespace: &str) -> Declared {
        match json {
            Value::String(name) => self.named(name, namespace),
            Value::Array(branches) => self.union(branches, namespace),
            Value::Object(object) => self.object(object, namespace),
            other => Err(self.error("a type: a name, an object, or an array", other.describe())),
        }
    }

    fn add(&mut self, kind: Kind) -> Result<Id, Error> {
        let id = Id::try_from(self.nodes.len()).map_err(|_| self.error("a schema", "one of too many types"))?;
        self.nodes.push(Node { kind, name: None, least: NEVER });
        Ok(id)
    }

    /// A primitive type, or one that was declared before.
    fn named(&mut self, name: &Text, namespace: &str) -> Declared {
        let name = self.text(name)?;
        if let Some(id) = self.primitive(name)? {
            return Ok((id, name.into()));
        }
        let full = if name.contains('.') || namespace.is_empty() { name.into() } else { format!("{namespace}.{name}") };
        // A name that its own namespace does not know may still be known without any.
        let found = [full.as_str(), name].into_iter().find_map(|name| Some((*self.names.get(name)?, name.into())));
        if let Some(found) = found {
            return Ok(found);
        }
        // Each is declared where it is first named, so none is walked through twice.
        let others = self.others;
        match [full.as_str(), name].into_iter().find_map(|name| others.0.get(name)) {
            Some(Declaration::Once(declaration)) => self.at(name.into(), |parser| parser.schema(declaration, "")),
            Some(Declaration::Ambiguous) => Err(self.error(
                "the name of a type that one of the other schemas declares",
                format!("`{}`, which several declare, each in another way", full.escape_debug()),
            )),
            None => Err(self.error("the name of a type declared before", format!("`{}`", full.escape_debug()))),
        }
    }

    fn primitive(&mut self, name: &str) -> Result<Option<Id>, Error> {
        let (name, kind) = match name {
            "null" => ("null", Kind::Null),
            "boolean" => ("boolean", Kind::Boolean),
            "int" => ("int", Kind::Int),
            "long" => ("long", Kind::Long),
            "float" => ("float", Kind::Float),
            "double" => ("double", Kind::Double),
            "bytes" => ("bytes", Kind::Bytes),
            "string" => ("string", Kind::String),
            _ => return Ok(None),
        };
        if let Some(id) = self.primitives.get(name) {
            return Ok(Some(*id));
        }
        let id = self.add(kind)?;
        self.primitives.insert(name, id);
        Ok(Some(id))
    }

    fn union(&mut self, branches: &[Value], namespace: &str) -> Declared {
        let (mut ids, mut shown) = (Vec::with_capacity(branches.len()), Vec::with_capacity(branches.len()));
        for (at, branch) in branches.iter().enumerate() {
            let (id, json) = self.at(format!("[{at}]"), |parser| parser.schema(branch, namespace))?;
            ids.push(id);
            shown.push(json);
        }
        Ok((self.add(Kind::Union(ids.into()))?, Value::Array(shown)))
    }

    fn object(&mut self, object: &Object, namespace: &str) -> Declared {
        let kind = object.get("type").ok_or_else(|| self.error("an object with `type`", "one without"))?;
        let mut shown: Vec<(Text, Value)> = object
            .iter()
            .filter(|(key, _)| !key.as_str().is_some_and(|key| ABSORBED.contains(&key)))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        shown.push(("type".into(), kind.clone()));
        if let Some(doc) = object.get("doc") {
            shown.push(("doc".into(), doc.clone()));
        }
        let id = match kind {
            Value::String(name) => match self.text(name)? {
                word @ ("array" | "map") => {
                    let part = if word == "array" { "items" } else { "values" };
                    let inner = object.get(part).ok_or_else(|| self.error(format!("`{part}`"), "none"))?;
                    let (inner, json) = self.at(part.into(), |parser| parser.schema(inner, namespace))?;
                    shown.push((part.into(), json));
                    self.add(if word == "array" { Kind::Array(inner) } else { Kind::Map(inner) })?
                }
                "enum" => self.enumeration(object, namespace, &mut shown)?,
                "fixed" => self.fixed(object, namespace, &mut shown)?,
                "record" | "error" => self.record(object, namespace, &mut shown)?,
                word => match self.primitive(word)? {
                    Some(plain) => match logical(word, object) {
                        Some(kind) => self.add(kind)?,
                        None => plain,
                    },
                    None => self.named(name, namespace)?.0,
                },
            },
            // `{"type": {…}}` is not in the specification, yet in schemas, as fields have it.
            nested => {
                let (id, json) = self.at("type".into(), |parser| parser.schema(nested, namespace))?;
                if let Some((_, kind)) = shown.iter_mut().find(|(key, _)| *key == *"type") {
                    *kind = json;
                }
                id
            }
        };
        Ok((id, Value::Object(shown.into())))
    }

    fn enumeration(&mut self, object: &Object, space: &str, shown: &mut Vec<(Text, Value)>) -> Result<Id, Error> {
        let (namespace, name) = self.declare(object, space)?;
        let json = object.get("symbols").ok_or_else(|| self.error("`symbols`", "none"))?;
        let symbols = json.as_array().ok_or_else(|| self.error("`symbols` to be an array", json.describe()))?;
        let symbols = symbols
            .iter()
            .map(|symbol| {
                symbol.as_str().map(Box::from).ok_or_else(|| self.error("a string as symbol", symbol.describe()))
            })
            .collect::<Result<_, Error>>()?;
        shown.push(("name".into(), name.as_str().into()));
        shown.push(("symbols".into(), json.clone()));
        let default = object.get("default").and_then(Value::as_str).map(Box::from);
        let id = self.add(Kind::Enum(Arc::new(EnumType { name: name.as_str().into(), symbols, default })))?;
        self.call(id, object, &namespace, name);
        Ok(id)
    }

    fn fixed(&mut self, object: &Object, space: &str, shown: &mut Vec<(Text, Value)>) -> Result<Id, Error> {
        let (namespace, name) = self.declare(object, space)?;
        let json = object.get("size").ok_or_else(|| self.error("`size`", "none"))?;
        let size = json.as_i64().and_then(|size| usize::try_from(size).ok());
        let size = size.ok_or_else(|| self.error("`size` to count bytes", format!("{json}")))?;
        shown.push(("name".into(), name.as_str().into()));
        shown.push(("size".into(), json.clone()));
        let kind = match object.get("logicalType").and_then(Value::as_str) {
            Some("decimal") => decimal(object, Some(size)),
            Some("duration") if size == 12 => Some(Kind::Duration),
            _ => None,
        };
        let id = self.add(kind.unwrap_or(Kind::Fixed(size)))?;
        self.call(id, object, &namespace, name);
        Ok(id)
    }

    fn record(&mut self, object: &Object, space: &str, shown: &mut Vec<(Text, Value)>) -> Result<Id, Error> {
        let (namespace, name) = self.declare(object, space)?;
        // Its fields may name it: it has its place before they have theirs.
        let id = self.add(Kind::Null)?;
        self.call(id, object, &namespace, name.clone());
        let none = Value::Array(Vec::new());
        let list = object.get("fields").unwrap_or(&none);
        let list = list.as_array().ok_or_else(|| self.error("`fields` to be an array", list.describe()))?;
        let (mut fields, mut fields_shown) = (Vec::with_capacity(list.len()), Vec::with_capacity(list.len()));
        for (at, json) in list.iter().enumerate() {
            let field = json.as_object().ok_or_else(|| self.error("a field to be an object", json.describe()))?;
            let named = field.get("name").and_then(Value::as_str);
            let named = named.ok_or_else(|| self.error(format!("`name` in field {at}"), "none"))?;
            let (node, json) = self.at(named.into(), |parser| match field.get("type") {
                Some(json) => parser.schema(json, &namespace),
                None => Err(parser.error("a field with `type`", "one without")),
            })?;
            let mut entries: Vec<(Text, Value)> = field
                .iter()
                .filter(|(key, _)| !matches!(key.as_str(), Some("name" | "type")))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            entries.push(("name".into(), named.into()));
            entries.push(("type".into(), json));
            fields_shown.push(Value::Object(entries.into()));
            let default = field.get("default").cloned();
            fields.push(Field { name: named.into(), aliases: aliases(field, ""), node, default });
        }
        shown.push(("name".into(), name.as_str().into()));
        shown.push(("fields".into(), Value::Array(fields_shown)));
        let kind = Kind::Record(Arc::new(RecordType { name: name.into(), fields: fields.into() }));
        if let Some(node) = self.nodes.get_mut(id as usize) {
            node.kind = kind;
        }
        Ok(id)
    }

    /// Gives a type its name, and its aliases.
    fn call(&mut self, id: Id, object: &Object, namespace: &str, name: String) {
        let known = Name { full: name.as_str().into(), aliases: aliases(object, namespace) };
        if let Some(node) = self.nodes.get_mut(id as usize) {
            node.name = Some(Arc::new(known));
        }
        self.names.insert(name, id);
    }

    /// The namespace and the full name of a declaration; both are new.
    fn declare(&mut self, object: &Object, space: &str) -> Result<(String, String), Error> {
        let name = object.get("name").and_then(Value::as_str);
        let name = name.ok_or_else(|| self.error("a named type to have a `name`", "none"))?;
        let space = match object.get("namespace") {
            None => space,
            Some(json) => json.as_str().unwrap_or_default(),
        };
        let (space, full) = match name.rsplit_once('.') {
            Some((space, _)) => (space, name.to_owned()),
            None if space.is_empty() => ("", name.to_owned()),
            None => (space, format!("{space}.{name}")),
        };
        if self.names.contains_key(&full) {
            return Err(self.error("each name to be declared once", format!("`{}` again", full.escape_debug())));
        }
        Ok((space.to_owned(), full))
    }

    fn at<T>(&mut self, step: String, inside: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        self.path.push(step);
        if self.path.len() > DEEPEST {
            return Err(Error::new(ErrorKind::Limit, "avro schema")
                .expected(format!("at most {DEEPEST} types within one another"))
                .found("more"));
        }
        let out = inside(self)?;
        self.path.pop();
        Ok(out)
    }

    fn text<'t>(&self, text: &'t Text) -> Result<&'t str, Error> {
        text.as_str().ok_or_else(|| self.error("a name", "a string with a lone surrogate"))
    }

    #[cold]
    fn error(&self, expected: impl Into<String>, found: impl Into<String>) -> Error {
        let error = Error::new(ErrorKind::Invalid, "avro schema").expected(expected.into()).found(found.into());
        if self.path.is_empty() { error } else { error.at(Location::Path(self.path.join("."))) }
    }
}

/// The other names of a type or a field: as they stand, and those without a namespace in that of the type too.
fn aliases(object: &Object, namespace: &str) -> Box<[Box<str>]> {
    let listed = object.get("aliases").and_then(Value::as_array).unwrap_or_default().iter().filter_map(Value::as_str);
    let mut aliases: Vec<Box<str>> = listed.map(Box::from).collect();
    if !namespace.is_empty() {
        let within: Vec<Box<str>> = aliases
            .iter()
            .filter(|alias| !alias.contains('.'))
            .map(|alias| format!("{namespace}.{alias}").into())
            .collect();
        aliases.extend(within);
    }
    aliases.into()
}

/// The logical type over a primitive; `None` where there is none, or none that fastavro decodes: then values are shown
/// as what lies underneath.
fn logical(primitive: &str, object: &Object) -> Option<Kind> {
    Some(match (primitive, object.get("logicalType")?.as_str()?) {
        ("int", "date") => Kind::Date,
        ("int", "time-millis") => Kind::TimeMillis,
        ("long", "time-micros") => Kind::TimeMicros,
        ("long", "timestamp-millis") => Kind::Timestamp(TimeUnit::Millis, false),
        ("long", "timestamp-micros") => Kind::Timestamp(TimeUnit::Micros, false),
        ("long", "timestamp-nanos") => Kind::Timestamp(TimeUnit::Nanos, false),
        ("long", "local-timestamp-millis") => Kind::Timestamp(TimeUnit::Millis, true),
        ("long", "local-timestamp-micros") => Kind::Timestamp(TimeUnit::Micros, true),
        ("long", "local-timestamp-nanos") => Kind::Timestamp(TimeUnit::Nanos, true),
        ("string", "uuid") => Kind::Uuid,
        ("bytes", "decimal") => return decimal(object, None),
        _ => return None,
    })
}

fn decimal(object: &Object, size: Option<usize>) -> Option<Kind> {
    let number = |name: &str| u32::try_from(object.get(name)?.as_i64()?).ok();
    let precision = number("precision").filter(|precision| *precision > 0)?;
    let scale = if object.get("scale").is_some() { number("scale")? } else { 0 };
    // As many digits as the bytes can hold: log10(2) of their bits, one of which is the sign.
    let most = |size: usize| ((size as f64 * 8.0 - 1.0) * std::f64::consts::LOG10_2).floor();
    let holds = size.is_none_or(|size| f64::from(precision) <= most(size));
    (scale <= precision && holds).then_some(Kind::Decimal(precision, scale, size))
}

/// Finds the least size of each node. Children stand before the nodes that hold them, but for records and what names
/// them within; so it takes a second pass, and one more for each level of such records at worst.
fn measure(nodes: &mut [Node]) {
    loop {
        let mut changed = false;
        for at in (0..nodes.len()).rev().chain(0..nodes.len()) {
            let of = |id: Id| nodes.get(id as usize).map_or(NEVER, |node| node.least);
            let Some(node) = nodes.get(at) else { continue };
            let least = match &node.kind {
                Kind::Null => 0,
                Kind::Float => 4,
                Kind::Double => 8,
                Kind::Fixed(size) | Kind::Decimal(_, _, Some(size)) => *size as u64,
                Kind::Duration => 12,
                Kind::Union(branches) => branches.iter().map(|id| of(*id)).min().unwrap_or(NEVER).saturating_add(1),
                Kind::Record(record) => {
                    record.fields.iter().fold(0, |sum: u64, field| sum.saturating_add(of(field.node)))
                }
                _ => 1,
            };
            if let Some(node) = nodes.get_mut(at).filter(|node| node.least != least) {
                node.least = least;
                changed = true;
            }
        }
        if !changed {
            return;
        }
    }
}
