//! Values to bytes, by a schema.

use hop_core::{Error, ErrorKind, Location, Object, Value};

use super::container::{bytes, long};
use super::iso;
use super::logical::{MICROS_PER_DAY, TimeUnit};
use super::schema::{Field, Id, Kind, Schema};

/// Content nested deeper than this is not written.
pub(super) const DEEPEST: usize = 1000;

/// Values that are tried against a type, at most; a message of the default limits has four million.
const MOST_TRIED: usize = 1 << 25;

/// What does not fit the schema.
struct Misfit {
    expected: String,
    found: String,
    path: Vec<String>,
}

impl Misfit {
    #[cold]
    fn new(expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { expected: expected.into(), found: found.into(), path: Vec::new() }
    }

    #[cold]
    fn within(mut self, name: impl Into<String>) -> Self {
        self.path.push(name.into());
        self
    }

    fn into_error(self) -> Error {
        let error = Error::new(ErrorKind::Unencodable, super::LABEL).expected(self.expected).found(self.found);
        let path: Vec<String> = self.path.into_iter().rev().collect();
        if path.is_empty() { error } else { error.at(Location::Path(path.join(".").replace(".[", "["))) }
    }
}

/// Appends one record.
///
/// # Errors
/// Kind `Unencodable` with the path, when the value does not fit the schema.
pub(super) fn record(schema: &Schema, value: &Value, out: &mut Vec<u8>) -> Result<(), Error> {
    Writer::new(schema, out).value(schema.root(), value).map_err(Misfit::into_error)
}

/// How the branch of a union is found that a model's variant stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Variants {
    /// By the fields of the records, and by the name of the variant where no record has them.
    ByFields,
    /// By the name of the variant first.
    ByName,
}

/// Appends the record that a model is; returns true where one of its values is that of two branches: `{"a": {…}}` may be a
/// record with a field `a`, and a variant `a`.
///
/// # Errors
/// As [`record`].
pub(super) fn model(schema: &Schema, value: &Value, variants: Variants, out: &mut Vec<u8>) -> Result<bool, Error> {
    let mut writer = Writer { variants: Some(variants), ..Writer::new(schema, out) };
    writer.value(schema.root(), value).map_err(Misfit::into_error)?;
    Ok(writer.ambiguous)
}

/// The bytes of a default, which stands in the schema as JSON.
///
/// # Errors
/// As [`record`].
pub(super) fn default(schema: &Schema, id: Id, default: &Value) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    Writer::new(schema, &mut out).default(id, default).map_err(Misfit::into_error)?;
    Ok(out)
}

struct Writer<'a> {
    schema: &'a Schema,
    out: &'a mut Vec<u8>,
    depth: usize,
    /// How many more values are tried: each branch of a union may be, at each level.
    left: usize,
    /// For models, which may have variants.
    variants: Option<Variants>,
    ambiguous: bool,
}

impl<'a> Writer<'a> {
    fn new(schema: &'a Schema, out: &'a mut Vec<u8>) -> Self {
        Self { schema, out, depth: 0, left: MOST_TRIED, variants: None, ambiguous: false }
    }

    fn value(&mut self, id: Id, value: &Value) -> Result<(), Misfit> {
        if self.depth > DEEPEST {
            return Err(Misfit::new(format!("at most {DEEPEST} levels of nesting"), "more"));
        }
        self.left = self
            .left
            .checked_sub(1)
            .ok_or_else(|| Misfit::new("a value whose branches are found sooner", "one that is tried too often"))?;
        self.depth += 1;
        let kind = &self.schema.node(id).kind;
        match (kind, value) {
            (Kind::Null, Value::Null) => {}
            (Kind::Boolean, Value::Bool(value)) => self.out.push((*value).into()),
            (Kind::Int, Value::Int(value)) if i32::try_from(*value).is_ok() => long(self.out, *value),
            (Kind::Long, Value::Int(value)) => long(self.out, *value),
            (Kind::Float, Value::Float(_) | Value::Int(_) | Value::BigInt(_)) => {
                self.out.extend((value.as_f64().unwrap_or(f64::NAN) as f32).to_le_bytes());
            }
            (Kind::Double, Value::Float(_) | Value::Int(_) | Value::BigInt(_)) => {
                self.out.extend(value.as_f64().unwrap_or(f64::NAN).to_le_bytes());
            }
            (Kind::Bytes, Value::Bytes(value)) => bytes(self.out, value),
            // What serde has as a list of numbers; it is read as one, too.
            (Kind::Bytes, Value::Array(numbers)) => bytes(self.out, &octets(numbers)?),
            (Kind::Fixed(size), Value::Array(numbers)) if numbers.len() == *size => {
                self.out.extend(octets(numbers)?);
            }
            (Kind::Fixed(size), Value::Bytes(value)) if value.len() == *size => self.out.extend_from_slice(value),
            (Kind::Duration, Value::Bytes(value)) if value.len() == 12 => self.out.extend_from_slice(value),
            (Kind::String, Value::String(text)) => match text.as_str() {
                Some(text) => bytes(self.out, text.as_bytes()),
                None => return Err(Misfit::new("text that is Unicode", "a lone surrogate")),
            },
            (Kind::Enum(of), Value::String(text)) => match of.symbols.iter().position(|symbol| *text == **symbol) {
                Some(index) => long(self.out, index as i64),
                None => return Err(Misfit::new(format!("a symbol of `{}`", of.name), value.to_string())),
            },
            (Kind::Array(items), Value::Array(values)) => {
                if !values.is_empty() {
                    long(self.out, values.len() as i64);
                }
                for (at, value) in values.iter().enumerate() {
                    self.value(*items, value).map_err(|misfit| misfit.within(format!("[{at}]")))?;
                }
                self.out.push(0);
            }
            (Kind::Map(values), Value::Object(object)) => {
                if !object.is_empty() {
                    long(self.out, object.len() as i64);
                }
                for (key, value) in object.iter() {
                    let key = key.as_str().ok_or_else(|| Misfit::new("names that are Unicode", "a lone surrogate"))?;
                    bytes(self.out, key.as_bytes());
                    self.value(*values, value).map_err(|misfit| misfit.within(key))?;
                }
                self.out.push(0);
            }
            (Kind::Record(of), Value::Object(object)) => self.fields(&of.fields, object)?,
            (Kind::Union(branches), value) => self.branch(branches, value)?,
            (kind, value) => self.logical(kind, value)?,
        }
        self.depth -= 1;
        Ok(())
    }

    fn fields(&mut self, fields: &[Field], object: &Object) -> Result<(), Misfit> {
        let mut known = 0;
        for field in fields {
            let written = match (object.get(&field.name), &field.default) {
                (Some(value), _) => {
                    known += 1;
                    self.value(field.node, value)
                }
                (None, Some(default)) => self.default(field.node, default),
                (None, None) => self.value(field.node, &Value::Null).map_err(|_| Misfit::new("a value", "none")),
            };
            written.map_err(|misfit| misfit.within(&*field.name))?;
        }
        if known < object.len() {
            let extra = object.iter().find(|(key, _)| !fields.iter().any(|field| **key == *field.name));
            if let Some((key, _)) = extra {
                return Err(Misfit::new("fields of the schema", format!("`{}`", key.to_string_lossy())));
            }
        }
        Ok(())
    }

    /// A default stands in the schema as JSON, in which bytes are text of a character each.
    fn default(&mut self, id: Id, default: &Value) -> Result<(), Misfit> {
        match (&self.schema.node(id).kind, default) {
            (Kind::Bytes | Kind::Fixed(_) | Kind::Decimal(..), Value::String(text)) => {
                let text = text.as_str().unwrap_or_default();
                let latin: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
                let latin = latin.ok_or_else(|| Misfit::new("a default of bytes", default.to_string()))?;
                self.value(id, &Value::Bytes(latin.into()))
            }
            (Kind::Record(of), Value::Object(object)) => {
                for field in &of.fields {
                    let written = match object.get(&field.name).or(field.default.as_ref()) {
                        Some(default) => self.nested_default(field.node, default),
                        None => Err(Misfit::new("a value", "none")),
                    };
                    written.map_err(|misfit| misfit.within(&*field.name))?;
                }
                Ok(())
            }
            (Kind::Array(items), Value::Array(values)) if !values.is_empty() => {
                long(self.out, values.len() as i64);
                values.iter().try_for_each(|value| self.nested_default(*items, value))?;
                self.out.push(0);
                Ok(())
            }
            (Kind::Map(values), Value::Object(object)) if !object.is_empty() => {
                long(self.out, object.len() as i64);
                for (key, value) in object.iter() {
                    bytes(self.out, key.to_string_lossy().as_bytes());
                    self.nested_default(*values, value)?;
                }
                self.out.push(0);
                Ok(())
            }
            // That of the first branch, by the specification; in schemas in use, that of any.
            (Kind::Union(branches), default) => {
                let start = self.out.len();
                let mut reason = None;
                for (index, branch) in branches.iter().enumerate() {
                    long(self.out, index as i64);
                    match self.nested_default(*branch, default) {
                        Ok(()) => return Ok(()),
                        Err(misfit) => reason = Some(reason.unwrap_or(misfit)),
                    }
                    self.out.truncate(start);
                }
                Err(reason.unwrap_or_else(|| Misfit::new("a value of one of the types of a union", "none")))
            }
            _ => self.value(id, default),
        }
    }

    fn nested_default(&mut self, id: Id, default: &Value) -> Result<(), Misfit> {
        if self.depth > DEEPEST {
            return Err(Misfit::new(format!("at most {DEEPEST} levels of nesting"), "more"));
        }
        self.depth += 1;
        let written = self.default(id, default);
        self.depth -= 1;
        written
    }

    /// A variant of an enum, as serde has it: its name, with what it holds. The branch is the record of that name.
    ///
    /// False where there is none.
    fn variant(&mut self, branches: &[Id], value: &Value) -> Result<bool, Misfit> {
        let nothing = Object::new();
        let (name, held) = match value {
            Value::String(name) => (name, &nothing),
            Value::Object(object) if object.len() == 1 => match object.iter().next() {
                Some((name, Value::Object(held))) => (name, held),
                _ => return Ok(false),
            },
            _ => return Ok(false),
        };
        // By the full name, where records of one short name are told apart by their namespaces; else by the short one.
        let full = |name: &str| name.to_owned();
        let short = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
        for called in [&full as &dyn Fn(&str) -> String, &short] {
            for (index, id) in branches.iter().enumerate() {
                if let Kind::Record(of) = &self.schema.node(*id).kind
                    && *name == *called(&of.name)
                {
                    long(self.out, index as i64);
                    self.fields(&of.fields, held).map_err(|misfit| misfit.within(name.to_string_lossy()))?;
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// The branch that a value is of.
    fn branch(&mut self, branches: &[Id], value: &Value) -> Result<(), Misfit> {
        let (start, depth) = (self.out.len(), self.depth);
        let by_fields = self.by_fields(branches, value);
        let Some(variants) = self.variants.filter(|_| self.names_one_of_several(branches, value)) else {
            return match by_fields {
                Err(None) if self.variant(branches, value)? => Ok(()),
                other => other.map_err(|reason| reason.unwrap_or_else(|| no_branch(value))),
            };
        };
        let fields = self.out.split_off(start);
        self.depth = depth;
        let by_name = self.variant(branches, value);
        self.depth = depth;
        let is_variant = matches!(by_name, Ok(true));
        match by_fields {
            Ok(()) => {
                self.ambiguous |= is_variant;
                if !is_variant || variants == Variants::ByFields {
                    self.out.truncate(start);
                    self.out.extend(fields);
                }
                Ok(())
            }
            Err(_) if is_variant => Ok(()),
            Err(reason) => Err(reason.or(by_name.err()).unwrap_or_else(|| no_branch(value))),
        }
    }

    /// Whether a value may be a variant: it has the name of one of several records.
    fn names_one_of_several(&self, branches: &[Id], value: &Value) -> bool {
        let name = match value {
            Value::String(name) => name,
            Value::Object(object) if object.len() == 1 => match object.iter().next() {
                Some((name, _)) => name,
                None => return false,
            },
            _ => return false,
        };
        let records = branches.iter().filter_map(|id| match &self.schema.node(*id).kind {
            Kind::Record(of) => Some(&*of.name),
            _ => None,
        });
        let is_it = |full: &str| *name == *full || full.rsplit('.').next().is_some_and(|short| *name == *short);
        records.clone().count() > 1 && records.clone().any(is_it)
    }

    /// The branch that fits best; of several, the first. The error has no reason where none comes into question.
    fn by_fields(&mut self, branches: &[Id], value: &Value) -> Result<(), Option<Misfit>> {
        let mut order: Vec<(u8, usize, Id)> = branches
            .iter()
            .enumerate()
            .filter_map(|(index, id)| Some((rank(&self.schema.node(*id).kind, value)?, index, *id)))
            .collect();
        order.sort_unstable();
        let (start, depth) = (self.out.len(), self.depth);
        let mut reason = None;
        for (_, index, id) in order {
            long(self.out, index as i64);
            match self.value(id, value) {
                Ok(()) => return Ok(()),
                Err(misfit) => reason = Some(reason.unwrap_or(misfit)),
            }
            self.out.truncate(start);
            self.depth = depth;
        }
        Err(reason)
    }

    /// Logical values: the number or the bytes that they are underneath, the text that shows them, or the object that says
    /// what the text is.
    fn logical(&mut self, kind: &Kind, value: &Value) -> Result<(), Misfit> {
        let shown = tag(value).or_else(|| Some((tag_of(kind)?, value.as_str()?)));
        let number = match (kind, shown) {
            (Kind::Date | Kind::TimeMicros | Kind::TimeMillis | Kind::Timestamp(..), None) => value.as_i64(),
            (Kind::Date, Some(("$date", text))) => iso::date(text).map(|date| date.days),
            (Kind::TimeMicros, Some(("$time", text))) => whole(iso::time(text), 1000),
            (Kind::TimeMillis, Some(("$time", text))) => whole(iso::time(text), 1_000_000),
            (Kind::Timestamp(unit, local), Some(("$datetime", text))) => {
                whole(iso::datetime(text, *local), 1_000_000_000 / i128::from(unit.per_second()))
            }
            // hop-client's reader ends on text that is not one.
            (Kind::Uuid, Some(("$uuid", text))) if super::logical::uuid(text).is_some() => {
                bytes(self.out, text.as_bytes());
                return Ok(());
            }
            (Kind::Decimal(precision, scale, size), Some(("$decimal", text))) => {
                let unscaled = iso::decimal(text, *precision, *scale, *size);
                let unscaled = unscaled.ok_or_else(|| Misfit::new(describe(kind), text))?;
                return self.decimal(*size, &unscaled);
            }
            (Kind::Decimal(_, _, size), None) => match value.as_bytes() {
                Some(unscaled) if size.is_none_or(|size| size == unscaled.len()) => {
                    return self.decimal(*size, unscaled);
                }
                _ => None,
            },
            _ => None,
        };
        match number {
            Some(number) if in_range(kind, number) => long(self.out, number),
            _ => return Err(Misfit::new(describe(kind), short(value))),
        }
        Ok(())
    }

    fn decimal(&mut self, size: Option<usize>, unscaled: &[u8]) -> Result<(), Misfit> {
        match size {
            None => bytes(self.out, unscaled),
            Some(_) => self.out.extend_from_slice(unscaled),
        }
        Ok(())
    }
}

#[cold]
fn no_branch(value: &Value) -> Misfit {
    Misfit::new("a value of one of the types of a union", value.describe())
}

/// The bytes that a list of numbers is.
fn octets(numbers: &[Value]) -> Result<Vec<u8>, Misfit> {
    let octet = |number: &Value| number.as_i64().and_then(|number| u8::try_from(number).ok());
    numbers
        .iter()
        .enumerate()
        .map(|(at, number)| {
            octet(number).ok_or_else(|| Misfit::new("a byte, 0 to 255", short(number)).within(format!("[{at}]")))
        })
        .collect()
}

/// Nanoseconds in units of so many of them, if they are whole.
fn whole(nanos: Option<i128>, each: i128) -> Option<i64> {
    let nanos = nanos?;
    (nanos % each == 0).then(|| i64::try_from(nanos / each).ok())?
}

fn in_range(kind: &Kind, number: i64) -> bool {
    match kind {
        Kind::Date => i32::try_from(number).is_ok(),
        Kind::TimeMillis => (0..(MICROS_PER_DAY / 1000) as i64).contains(&number),
        Kind::TimeMicros => (0..MICROS_PER_DAY as i64).contains(&number),
        _ => true,
    }
}

/// The tag of the object that shows a logical value of a kind.
fn tag_of(kind: &Kind) -> Option<&'static str> {
    match kind {
        Kind::Date => Some("$date"),
        Kind::TimeMillis | Kind::TimeMicros => Some("$time"),
        Kind::Timestamp(..) => Some("$datetime"),
        Kind::Uuid => Some("$uuid"),
        Kind::Decimal(..) => Some("$decimal"),
        _ => None,
    }
}

/// The tag and the text of an object that shows a logical value.
fn tag(value: &Value) -> Option<(&str, &str)> {
    let object = value.as_object().filter(|object| object.len() == 1)?;
    let (key, text) = object.iter().next()?;
    Some((key.as_str()?, text.as_str()?))
}

fn short(value: &Value) -> String {
    match value {
        Value::Array(_) | Value::Object(_) | Value::Bytes(_) => value.describe().to_owned(),
        other => other.to_string().chars().take(60).collect(),
    }
}

/// How well a type fits a value, the least the best; `None` where it does not.
fn rank(kind: &Kind, value: &Value) -> Option<u8> {
    Some(match (kind, value) {
        (Kind::Null, Value::Null) | (Kind::Boolean, Value::Bool(_)) | (Kind::Double, Value::Float(_)) => 0,
        (Kind::Int | Kind::Long, Value::Int(_)) => 0,
        (Kind::Float, Value::Float(_)) | (Kind::String | Kind::Enum(_), Value::String(_)) => 1,
        (Kind::Date | Kind::TimeMillis | Kind::TimeMicros | Kind::Timestamp(..), Value::Int(_)) => 1,
        (Kind::Uuid, Value::String(_)) | (Kind::Array(_), Value::Array(_)) => 1,
        (Kind::Double, Value::Int(_) | Value::BigInt(_)) => 2,
        (Kind::Float, Value::Int(_) | Value::BigInt(_)) => 3,
        (Kind::Fixed(size), Value::Bytes(bytes)) if bytes.len() == *size => 0,
        (Kind::Duration, Value::Bytes(bytes)) if bytes.len() == 12 => 0,
        (Kind::Bytes, Value::Bytes(_)) => 1,
        (Kind::Bytes | Kind::Fixed(_), Value::Array(_)) => 3,
        (Kind::Decimal(..), Value::Bytes(_)) => 2,
        (Kind::Record(of), Value::Object(object)) => {
            let has = |field: &Field| object.get(&field.name).is_some();
            let known = of.fields.iter().filter(|field| has(field)).count();
            if known < object.len() {
                return None;
            }
            if known == of.fields.len() { 1 } else { 2 }
        }
        (Kind::Map(_), Value::Object(_)) => 3,
        (Kind::Union(_), _) => 4,
        (kind, Value::String(_)) if tag_of(kind).is_some() => 2,
        (kind, value) if tag(value).map(|(tag, _)| tag) == tag_of(kind) && tag_of(kind).is_some() => 0,
        _ => return None,
    })
}

/// What a type takes, for messages.
pub(super) fn describe(kind: &Kind) -> String {
    match kind {
        Kind::Null => "null".to_owned(),
        Kind::Boolean => "a boolean".to_owned(),
        Kind::Int => "an integer of 32 bits".to_owned(),
        Kind::Long => "an integer of 64 bits".to_owned(),
        Kind::Float | Kind::Double => "a number".to_owned(),
        Kind::Bytes => "bytes".to_owned(),
        Kind::String => "a string".to_owned(),
        Kind::Fixed(size) => format!("{size} bytes"),
        Kind::Duration => "12 bytes".to_owned(),
        Kind::Enum(of) => format!("a symbol of `{}`", of.name),
        Kind::Array(_) => "an array".to_owned(),
        Kind::Map(_) => "an object".to_owned(),
        Kind::Record(of) => format!("an object with the fields of `{}`", of.name),
        Kind::Union(_) => "a value of one of the types of a union".to_owned(),
        Kind::Date => "a date, or days in 32 bits".to_owned(),
        Kind::TimeMillis => "a time of day in whole milliseconds".to_owned(),
        Kind::TimeMicros => "a time of day in whole microseconds".to_owned(),
        Kind::Timestamp(TimeUnit::Millis, _) => "a date and time in whole milliseconds".to_owned(),
        Kind::Timestamp(..) => "a date and time".to_owned(),
        Kind::Uuid => "a UUID".to_owned(),
        Kind::Decimal(precision, scale, _) => format!("a decimal of {precision} digits, {scale} after the point"),
    }
}
