//! Schema resolution: what was written by one schema, read by another.
//!
//! Specification: [Schema resolution](https://avro.apache.org/docs/1.12.0/specification/#schema-resolution). A datum by the
//! writer's schema becomes one by the reader's: what reads datums then needs to know one schema only.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use hop_core::{Error, ErrorKind};

use super::cursor::{Cursor, Fault, Read};
use super::encode;
use super::schema::{EnumType, Id, Kind, RecordType, Schema};
use super::{container, decode};

/// Pairs of types that are looked at, at most: two unions of many branches have very many.
const MOST_STEPS: usize = 1 << 18;

/// How strict a resolution is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rules {
    /// As the specification has it.
    Strict,
    /// For a model, which matches by the names of fields: types may be called otherwise, a field that is missing and may be
    /// null is null, and a symbol that the reader does not list is passed on.
    Model,
}

/// How each type of a writer's schema becomes one of a reader's.
#[derive(Debug)]
pub(super) struct Resolution {
    writer: Schema,
    /// The reader's schema; with more symbols, where the rules pass them on.
    reader: Schema,
    steps: Vec<Step>,
    root: usize,
}

/// What becomes of a value of the writer's.
#[derive(Debug)]
enum Step {
    /// It is not known yet: a type is within itself.
    Pending,
    /// The bytes are the same.
    Copy(Id),
    /// The bytes are the same if they are UTF-8.
    Text,
    LongToFloat,
    LongToDouble,
    FloatToDouble,
    /// Times of another unit.
    Rescale {
        times: i64,
        by: i64,
    },
    /// The reader's symbol for each of the writer's.
    Enum(Box<[Option<usize>]>, Arc<EnumType>),
    Array(Id, usize),
    Map(Id, usize),
    Record(Fields),
    /// One for each branch of the writer's union.
    FromUnion(Box<[usize]>),
    /// A branch of the reader's union.
    IntoUnion(usize, usize),
    Fail {
        expected: String,
        found: String,
    },
}

#[derive(Debug)]
struct Fields {
    of: Arc<RecordType>,
    /// For each of the writer's fields, the step and the reader's field; `None` where the reader has none.
    from: Box<[Option<(usize, usize)>]>,
    /// For each of the reader's fields, the default, encoded, where the writer has none.
    defaults: Box<[Option<Vec<u8>>]>,
}

impl Resolution {
    /// The way from one schema to another; kept, since messages of one topic share them.
    ///
    /// # Errors
    /// Kind `Limit` for schemas that are too large together; kind `Invalid` for a default that does not fit its field.
    pub(super) fn between(writer: &Schema, reader: &Schema, rules: Rules) -> Result<Arc<Self>, Error> {
        type Kept = Vec<(Schema, Schema, Rules, Arc<Resolution>)>;
        static KEPT: RwLock<Kept> = RwLock::new(Vec::new());
        const MOST: usize = 32;
        let found = |kept: &Kept| {
            let is_it = |(one, other, under, _): &&(Schema, Schema, Rules, Arc<Self>)| {
                one.is_same(writer) && other.is_same(reader) && *under == rules
            };
            kept.iter().find(is_it).map(|(.., resolution)| resolution.clone())
        };
        if let Some(known) = found(&KEPT.read().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(known);
        }
        let resolution = Arc::new(Self::new(writer, reader, rules)?);
        let mut kept = KEPT.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            kept.remove(0);
        }
        kept.push((writer.clone(), reader.clone(), rules, resolution.clone()));
        Ok(resolution)
    }

    fn new(writer: &Schema, reader: &Schema, rules: Rules) -> Result<Self, Error> {
        let mut plan = Plan { writer, reader, rules, steps: Vec::new(), known: HashMap::new(), more: HashMap::new() };
        let root = plan.step(writer.root(), reader.root())?;
        let Plan { steps, more, .. } = plan;
        let reader = if more.is_empty() { reader.clone() } else { reader.with_symbols(&more) };
        Ok(Self { writer: writer.clone(), reader, steps, root })
    }

    /// The schema of what [`apply`](Self::apply) writes.
    pub(super) fn reader(&self) -> &Schema {
        &self.reader
    }

    /// Writes one datum after the other, which were checked, by the reader's schema; at most `most` bytes.
    ///
    /// # Errors
    /// Kind `Invalid`, with the path, where the schemas do not resolve; kind `Limit`.
    pub(super) fn apply(&self, data: &[u8], count: usize, most: usize) -> Result<Vec<u8>, Error> {
        let mut out = Vec::with_capacity(data.len());
        let mut run = Run { resolution: self, cursor: Cursor::new(data), out: &mut out, most };
        for _ in 0..count {
            run.step(self.root).map_err(|fault| fault.into_error(0, None))?;
        }
        Ok(out)
    }
}

struct Plan<'a> {
    writer: &'a Schema,
    reader: &'a Schema,
    rules: Rules,
    steps: Vec<Step>,
    known: HashMap<(Id, Id), usize>,
    /// The symbols that enums of the reader's are to have beside their own.
    more: HashMap<Id, Vec<Box<str>>>,
}

/// What a type is written as, whatever it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
    Fixed(usize),
    Other,
}

fn written(kind: &Kind) -> Written {
    match kind {
        Kind::Null => Written::Null,
        Kind::Boolean => Written::Boolean,
        Kind::Int | Kind::Date | Kind::TimeMillis => Written::Int,
        Kind::Long | Kind::TimeMicros | Kind::Timestamp(..) => Written::Long,
        Kind::Float => Written::Float,
        Kind::Double => Written::Double,
        Kind::Bytes | Kind::Decimal(_, _, None) => Written::Bytes,
        Kind::String | Kind::Uuid => Written::String,
        Kind::Fixed(size) | Kind::Decimal(_, _, Some(size)) => Written::Fixed(*size),
        Kind::Duration => Written::Fixed(12),
        Kind::Enum(_) | Kind::Array(_) | Kind::Map(_) | Kind::Union(_) | Kind::Record(_) => Written::Other,
    }
}

fn is_logical(kind: &Kind) -> bool {
    !matches!(
        kind,
        Kind::Null
            | Kind::Boolean
            | Kind::Int
            | Kind::Long
            | Kind::Float
            | Kind::Double
            | Kind::Bytes
            | Kind::String
            | Kind::Fixed(_)
    ) && written(kind) != Written::Other
}

impl Plan<'_> {
    /// The step from a type of the writer's to one of the reader's.
    fn step(&mut self, writer: Id, reader: Id) -> Result<usize, Error> {
        if let Some(known) = self.known.get(&(writer, reader)) {
            return Ok(*known);
        }
        let at = self.add(Step::Pending)?;
        self.known.insert((writer, reader), at);
        let step = self.between(writer, reader)?;
        if let Some(place) = self.steps.get_mut(at) {
            *place = step;
        }
        Ok(at)
    }

    fn add(&mut self, step: Step) -> Result<usize, Error> {
        if self.steps.len() >= MOST_STEPS {
            return Err(Error::new(ErrorKind::Limit, super::LABEL)
                .expected(format!("two schemas of at most {MOST_STEPS} pairs of types"))
                .found("more"));
        }
        self.steps.push(step);
        Ok(self.steps.len() - 1)
    }

    fn between(&mut self, writer: Id, reader: Id) -> Result<Step, Error> {
        let (from, into) = (&self.writer.node(writer).kind, &self.reader.node(reader).kind);
        match (from, into) {
            (Kind::Union(branches), _) => {
                let each = branches.iter().map(|branch| self.step(*branch, reader)).collect::<Result<_, Error>>()?;
                return Ok(Step::FromUnion(each));
            }
            (_, Kind::Union(branches)) => {
                return Ok(match self.branch(writer, branches) {
                    Some(at) => Step::IntoUnion(at, self.step(writer, branches[at])?),
                    None => self.fail(writer, reader),
                });
            }
            _ if !self.matches(writer, reader, 0) => return Ok(self.fail(writer, reader)),
            (Kind::Enum(from), Kind::Enum(into)) => {
                let default = into.default.as_deref().and_then(|default| into.index(default));
                let mut symbols = Vec::with_capacity(from.symbols.len());
                for symbol in &from.symbols {
                    let mut index = into.index(symbol).or(default);
                    if index.is_none() && self.rules == Rules::Model {
                        let more = self.more.entry(reader).or_default();
                        let place = more.iter().position(|other| other == symbol).unwrap_or_else(|| {
                            more.push(symbol.clone());
                            more.len() - 1
                        });
                        index = Some(into.symbols.len() + place);
                    }
                    symbols.push(index);
                }
                return Ok(Step::Enum(symbols.into(), into.clone()));
            }
            (Kind::Array(from), Kind::Array(into)) => return Ok(Step::Array(*from, self.step(*from, *into)?)),
            (Kind::Map(from), Kind::Map(into)) => return Ok(Step::Map(*from, self.step(*from, *into)?)),
            (Kind::Record(from), Kind::Record(into)) => return self.record(from.clone(), into.clone()),
            (Kind::Timestamp(from, _), Kind::Timestamp(into, _)) if from != into => {
                let (from, into) = (from.per_second(), into.per_second());
                return Ok(Step::Rescale { times: (into / from).max(1), by: (from / into).max(1) });
            }
            _ => {}
        }
        Ok(match (written(from), written(into)) {
            (from, into) if from == into => Step::Copy(writer),
            (Written::Int, Written::Long) | (Written::String, Written::Bytes) => Step::Copy(writer),
            (Written::Bytes, Written::String) => Step::Text,
            (Written::Int | Written::Long, Written::Float) => Step::LongToFloat,
            (Written::Int | Written::Long, Written::Double) => Step::LongToDouble,
            (Written::Float, Written::Double) => Step::FloatToDouble,
            _ => self.fail(writer, reader),
        })
    }

    /// The branch of the reader's union that a type of the writer's, which is not a union, becomes: of two that have its
    /// short name, the one in its namespace; else the first that matches.
    fn branch(&self, writer: Id, branches: &[Id]) -> Option<usize> {
        let same = self.writer.node(writer).name.as_ref().and_then(|name| {
            branches.iter().position(|branch| {
                let is_it = self.reader.node(*branch).name.as_ref().is_some_and(|other| other.full == name.full);
                is_it && self.matches(writer, *branch, 0)
            })
        });
        same.or_else(|| branches.iter().position(|branch| self.matches(writer, *branch, 0)))
    }

    /// Whether a type of the writer's, which is not a union, can be one of the reader's.
    fn matches(&self, writer: Id, reader: Id, depth: usize) -> bool {
        /// Beyond this it is recursive, and told when it is read.
        const DEEPEST: usize = 64;
        let (from, into) = (self.writer.node(writer), self.reader.node(reader));
        match (&from.kind, &into.kind) {
            _ if depth > DEEPEST => true,
            (Kind::Union(_), _) | (_, Kind::Union(_)) => true,
            (Kind::Array(from), Kind::Array(into)) | (Kind::Map(from), Kind::Map(into)) => {
                self.matches(*from, *into, depth + 1)
            }
            (Kind::Record(_), Kind::Record(_)) | (Kind::Enum(_), Kind::Enum(_)) => self.same_name(writer, reader),
            (Kind::Timestamp(_, from), Kind::Timestamp(_, into)) => from == into,
            (from, into) => {
                let meaning = |kind: &Kind| std::mem::discriminant(kind);
                let apart = match (from, into) {
                    (Kind::Decimal(precision, scale, _), Kind::Decimal(other, other_scale, _)) => {
                        (precision, scale) != (other, other_scale)
                    }
                    _ => is_logical(from) && is_logical(into) && meaning(from) != meaning(into),
                };
                let fits = match (written(from), written(into)) {
                    (Written::Other, _) | (_, Written::Other) => false,
                    (Written::Fixed(size), Written::Fixed(other)) => size == other && self.same_name(writer, reader),
                    (Written::Int, Written::Long | Written::Float | Written::Double)
                    | (Written::Long, Written::Float | Written::Double)
                    | (Written::Float, Written::Double)
                    | (Written::String, Written::Bytes)
                    | (Written::Bytes, Written::String) => true,
                    (from, into) => from == into,
                };
                fits && !apart
            }
        }
    }

    /// Whether two named types have one name, their namespaces aside, or the reader knows the writer's as an alias.
    fn same_name(&self, writer: Id, reader: Id) -> bool {
        let short = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
        match (&self.writer.node(writer).name, &self.reader.node(reader).name) {
            (Some(from), Some(into)) => {
                // A model knows its types by their fields; within a union the name tells them apart.
                let named = short(&from.full) == short(&into.full)
                    || into.aliases.iter().any(|alias| **alias == *from.full || **alias == *short(&from.full));
                named || (self.rules == Rules::Model && !self.is_branch(reader))
            }
            _ => true,
        }
    }

    /// Whether a type is a branch of one of the reader's unions, beside others that have a name.
    fn is_branch(&self, reader: Id) -> bool {
        self.reader.is_branch_among_named(reader)
    }

    fn record(&mut self, from: Arc<RecordType>, into: Arc<RecordType>) -> Result<Step, Error> {
        let mut steps = Vec::with_capacity(from.fields.len());
        let mut filled = vec![false; into.fields.len()];
        // A field that has its own name in the writer's schema is not another one of an alias.
        let wrote: HashSet<&str> = from.fields.iter().map(|field| &*field.name).collect();
        let mut places: HashMap<&str, usize> = HashMap::new();
        for (at, field) in into.fields.iter().enumerate().filter(|(_, field)| !wrote.contains(&*field.name)) {
            if let Some(alias) = field.aliases.iter().find(|alias| wrote.contains(&***alias)) {
                places.entry(alias).or_insert(at);
            }
        }
        for (at, field) in into.fields.iter().enumerate() {
            places.insert(&field.name, at);
        }
        for field in &from.fields {
            steps.push(match places.get(&*field.name) {
                Some(place) => {
                    filled[*place] = true;
                    Some((self.step(field.node, into.fields[*place].node)?, *place))
                }
                None => None,
            });
        }
        let mut defaults = Vec::with_capacity(into.fields.len());
        for (field, filled) in into.fields.iter().zip(filled) {
            let null = hop_core::Value::Null;
            let default = match &field.default {
                _ if filled => None,
                Some(default) => Some(default),
                None if self.rules == Rules::Model && self.takes_null(field.node) => Some(&null),
                None => {
                    return Ok(Step::Fail {
                        expected: format!("the field `{}`, which has no default", field.name.escape_debug()),
                        found: format!("a `{}` without it", from.name.escape_debug()),
                    });
                }
            };
            defaults.push(default.map(|default| encode::default(self.reader, field.node, default)).transpose()?);
        }
        Ok(Step::Record(Fields { of: from, from: steps.into(), defaults: defaults.into() }))
    }

    fn takes_null(&self, reader: Id) -> bool {
        match &self.reader.node(reader).kind {
            Kind::Null => true,
            Kind::Union(branches) => branches.iter().any(|branch| matches!(self.reader.node(*branch).kind, Kind::Null)),
            _ => false,
        }
    }

    fn fail(&self, writer: Id, reader: Id) -> Step {
        let shown = |schema: &Schema, id: Id| {
            let node = schema.node(id);
            let named = node.name.as_ref().map(|name| format!(", `{}`", name.full.escape_debug())).unwrap_or_default();
            format!("{}{named}", encode::describe(&node.kind))
        };
        Step::Fail { expected: shown(self.reader, reader), found: shown(self.writer, writer) }
    }
}

struct Run<'a, 'o> {
    resolution: &'a Resolution,
    cursor: Cursor<'a>,
    out: &'o mut Vec<u8>,
    most: usize,
}

impl Run<'_, '_> {
    fn step(&mut self, at: usize) -> Read<()> {
        if self.out.len() > self.most {
            let expected = format!("at most {} bytes by the reader's schema", self.most);
            return Err(Fault::new(ErrorKind::Limit, self.cursor.at(), expected, "more"));
        }
        let resolution = self.resolution;
        match &resolution.steps[at] {
            Step::Copy(id) => self.copy(*id)?,
            Step::Text => container::bytes(self.out, self.cursor.string()?.as_bytes()),
            Step::LongToFloat => self.out.extend((self.cursor.long()? as f32).to_le_bytes()),
            Step::LongToDouble => self.out.extend((self.cursor.long()? as f64).to_le_bytes()),
            Step::FloatToDouble => self.out.extend(f64::from(self.cursor.float()?).to_le_bytes()),
            Step::Rescale { times, by } => {
                let count = self.cursor.long()?;
                match count.checked_mul(*times).filter(|scaled| scaled % by == 0) {
                    Some(scaled) => container::long(self.out, scaled / by),
                    None => return Err(self.fault("a time that the reader's unit can tell", count.to_string())),
                }
            }
            Step::Enum(symbols, of) => {
                let index = self.cursor.index(symbols.len(), "symbols of an enum")?;
                match symbols[index] {
                    Some(symbol) => container::long(self.out, symbol as i64),
                    None => return Err(self.fault(format!("a symbol of `{}`", of.name), format!("symbol {index}"))),
                }
            }
            Step::Array(items, step) => self.blocks(*items, *step, false)?,
            Step::Map(values, step) => self.blocks(*values, *step, true)?,
            Step::Record(fields) => self.record(fields)?,
            Step::FromUnion(branches) => {
                let index = self.cursor.index(branches.len(), "branches of a union")?;
                self.step(branches[index])?;
            }
            Step::IntoUnion(branch, step) => {
                container::long(self.out, *branch as i64);
                self.step(*step)?;
            }
            Step::Fail { expected, found } => return Err(self.fault(expected.clone(), found.clone())),
            Step::Pending => return Err(self.fault("a type whose values end", "another")),
        }
        Ok(())
    }

    #[cold]
    fn fault(&self, expected: impl Into<String>, found: impl Into<String>) -> Fault {
        Fault::new(ErrorKind::Invalid, self.cursor.at(), expected.into(), found.into())
    }

    fn copy(&mut self, id: Id) -> Read<()> {
        let before = self.cursor.clone();
        decode::skip(&self.resolution.writer, &mut self.cursor, id)?;
        let length = self.cursor.at() - before.at();
        self.out.extend_from_slice(before.clone().take(length, "a value")?);
        Ok(())
    }

    fn blocks(&mut self, items: Id, step: usize, keyed: bool) -> Read<()> {
        let least = self.resolution.writer.node(items).least.saturating_add(u64::from(keyed));
        let mut seen = 0;
        loop {
            let count = self.cursor.block(least)?;
            container::long(self.out, count as i64);
            if count == 0 {
                return Ok(());
            }
            for at in 0..count {
                if keyed {
                    let key = self.cursor.string()?;
                    container::bytes(self.out, key.as_bytes());
                    self.step(step).map_err(|fault| fault.within(key))?;
                } else {
                    self.step(step).map_err(|fault| fault.within(format!("[{}]", seen + at)))?;
                }
            }
            seen += count;
        }
    }

    fn record(&mut self, fields: &Fields) -> Read<()> {
        let start = self.out.len();
        let mut places = vec![None; fields.defaults.len()];
        let mut next = 0;
        let mut in_order = true;
        for (field, from) in fields.of.fields.iter().zip(&fields.from) {
            let read = match from {
                Some((step, place)) => {
                    in_order &= *place == next;
                    next = place + 1;
                    let from = self.out.len();
                    let read = self.step(*step);
                    places[*place] = Some(from - start..self.out.len() - start);
                    read
                }
                None => decode::skip(&self.resolution.writer, &mut self.cursor, field.node),
            };
            read.map_err(|fault| fault.within(&*field.name))?;
        }
        if in_order && next == places.len() {
            return Ok(());
        }
        let came = self.out.split_off(start);
        for (place, default) in places.into_iter().zip(&fields.defaults) {
            match (place.and_then(|place| came.get(place)), default) {
                (Some(bytes), _) => self.out.extend_from_slice(bytes),
                (None, Some(default)) => self.out.extend_from_slice(default),
                (None, None) => return Err(self.fault("a value for each field", "none")),
            }
        }
        Ok(())
    }
}
