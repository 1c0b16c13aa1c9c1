//! From bytes to values, in two steps: [`check`] walks over the records once and makes nothing, so that what is wrong
//! or too much is known before anything is made; [`Reader`] makes values of what was checked.

use hop_core::{ErrorKind, Limits};

use bytes::Bytes;

use super::cursor::{Cursor, Fault, Read};
use super::logical::{Date, Decimal, Duration, LONGEST_DECIMAL, Time, Timestamp};
use super::schema::{Id, Kind, NEVER, Schema};
use super::value::{Map, Record, Symbol, Value};

/// Deeper than this is refused whatever the limits say: values are made and dropped by recursion.
const DEEPEST: usize = 1000;

/// Values that a message of no size may still hold. Each byte more allows a few more: most values take a byte at least,
/// and records one beside what is in them. So a message of a few bytes cannot ask for millions of nulls.
const NODES_FOR_NOTHING: usize = 1 << 16;
const NODES_A_BYTE: usize = 8;

/// What the records of one message may still hold.
pub(super) struct Budget {
    spent: usize,
    allowed: usize,
    most: usize,
    deepest: usize,
}

impl Budget {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { spent: 0, allowed: NODES_FOR_NOTHING, most: limits.nodes, deepest: limits.depth.min(DEEPEST) }
    }

    #[inline]
    fn spend(&mut self, count: usize, at: usize) -> Read<()> {
        self.spent = self.spent.saturating_add(count);
        if self.spent <= self.allowed.min(self.most) {
            return Ok(());
        }
        Err(over(at, format!("at most {} values", self.allowed.min(self.most))))
    }
}

#[cold]
fn over(at: usize, expected: String) -> Fault {
    Fault::new(ErrorKind::Limit, at, expected, "more")
}

/// Walks over `count` records, and says where they end.
pub(super) fn check(schema: &Schema, data: &[u8], count: usize, budget: &mut Budget) -> Read<usize> {
    budget.allowed = budget.allowed.saturating_add(data.len().saturating_mul(NODES_A_BYTE));
    let left = budget.deepest;
    let mut check = Check { schema, cursor: Cursor::new(data), budget, left };
    for record in 0..count {
        check.spend(1)?;
        if let Err(fault) = check.value(schema.root()) {
            return Err(if count > 1 { fault.within(format!("[{record}]")) } else { fault });
        }
    }
    Ok(check.cursor.at())
}

/// Moves over one value that was checked before.
pub(super) fn skip<'a>(schema: &'a Schema, cursor: &mut Cursor<'a>, id: Id) -> Read<()> {
    let mut budget = Budget { spent: 0, allowed: usize::MAX, most: usize::MAX, deepest: DEEPEST };
    let mut check = Check { schema, cursor: cursor.clone(), budget: &mut budget, left: DEEPEST };
    check.value(id)?;
    *cursor = check.cursor;
    Ok(())
}

/// How many bytes the first record takes, of records that were checked before.
pub(super) fn length(schema: &Schema, data: &[u8]) -> Read<usize> {
    let mut cursor = Cursor::new(data);
    skip(schema, &mut cursor, schema.root())?;
    Ok(cursor.at())
}

struct Check<'a, 'b> {
    schema: &'a Schema,
    cursor: Cursor<'a>,
    budget: &'b mut Budget,
    /// Levels that may still be entered.
    left: usize,
}

impl Check<'_, '_> {
    #[inline]
    fn spend(&mut self, count: usize) -> Read<()> {
        self.budget.spend(count, self.cursor.at())
    }

    fn enter(&mut self) -> Read<()> {
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(over(self.cursor.at(), format!("at most {} levels of nesting", self.budget.deepest))),
        }
    }

    #[inline(always)]
    fn value(&mut self, id: Id) -> Read<()> {
        let id = self.cursor.branch(self.schema, id)?;
        match &self.schema.node(id).kind {
            Kind::Null => {}
            Kind::Boolean => drop(self.cursor.boolean()?),
            Kind::Int | Kind::Long | Kind::Date | Kind::TimeMillis | Kind::TimeMicros | Kind::Timestamp(..) => {
                self.cursor.long()?;
            }
            Kind::Float => drop(self.cursor.float()?),
            Kind::Double => drop(self.cursor.double()?),
            Kind::Bytes => drop(self.cursor.bytes()?),
            Kind::String | Kind::Uuid => self.cursor.text()?,
            _ => return self.compound(id),
        }
        Ok(())
    }

    /// Moves over what is no number, text or bytes.
    fn compound(&mut self, id: Id) -> Read<()> {
        let schema = self.schema;
        let node = schema.node(id);
        match &node.kind {
            Kind::Fixed(size) => drop(self.cursor.take(*size, "a fixed")?),
            Kind::Duration => drop(self.cursor.take(12, "a duration")?),
            Kind::Decimal(_, _, size) => {
                let bytes = match size {
                    Some(size) => self.cursor.take(*size, "a decimal")?,
                    None => self.cursor.bytes()?,
                };
                if bytes.len() > LONGEST_DECIMAL {
                    let found = format!("{}", bytes.len());
                    let expected = format!("a decimal of at most {LONGEST_DECIMAL} bytes");
                    return Err(Fault::new(ErrorKind::Limit, self.cursor.at(), expected, found));
                }
            }
            Kind::Enum(of) => drop(self.cursor.index(of.symbols.len(), "symbols of an enum")?),
            Kind::Record(of) => {
                if node.least == NEVER {
                    let expected = format!("a type whose values end, as `{}` does not", of.name.escape_debug());
                    return Err(Fault::new(ErrorKind::Invalid, self.cursor.at(), expected, "it"));
                }
                self.enter()?;
                self.spend(of.fields.len())?;
                for field in &of.fields {
                    if let Err(fault) = self.value(field.node) {
                        return Err(fault.within(&*field.name));
                    }
                }
                self.left += 1;
            }
            Kind::Array(items) => {
                self.enter()?;
                let item = schema.node(*items);
                let mut seen = 0;
                loop {
                    let count = self.cursor.block(item.least)?;
                    if count == 0 {
                        break;
                    }
                    self.spend(count)?;
                    match &item.kind {
                        // The size was compared to what is left.
                        Kind::Float | Kind::Double => drop(self.cursor.take(count * item.least as usize, "numbers")?),
                        Kind::Null => {}
                        _ => {
                            for at in 0..count {
                                if let Err(fault) = self.value(*items) {
                                    return Err(fault.within(format!("[{}]", seen + at)));
                                }
                            }
                        }
                    }
                    seen += count;
                }
                self.left += 1;
            }
            Kind::Map(values) => {
                self.enter()?;
                let least = schema.node(*values).least.saturating_add(1);
                loop {
                    let count = self.cursor.block(least)?;
                    if count == 0 {
                        break;
                    }
                    self.spend(count)?;
                    for _ in 0..count {
                        let key = self.cursor.string()?;
                        if let Err(fault) = self.value(*values) {
                            return Err(fault.within(key));
                        }
                    }
                }
                self.left += 1;
            }
            _ => return self.value(id),
        }
        Ok(())
    }
}

/// So many values to be replaced.
fn nulls(count: usize) -> Vec<Value> {
    let mut values = Vec::with_capacity(count);
    values.resize_with(count, || Value::Null);
    values
}

/// Replaces a null, which needs not be dropped.
#[inline(always)]
fn put(out: &mut Value, value: Value) {
    debug_assert!(out.is_null());
    std::mem::forget(std::mem::replace(out, value));
}

/// Makes values of bytes that were checked; it repeats the checks that keep it within the bytes, and no others.
pub(super) struct Reader<'a> {
    schema: &'a Schema,
    data: &'a Bytes,
    cursor: Cursor<'a>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(schema: &'a Schema, data: &'a Bytes) -> Self {
        Self { schema, data, cursor: Cursor::new(data) }
    }

    pub(super) fn record(&mut self, out: &mut Value) -> Read<()> {
        self.value(self.schema.root(), out)
    }

    fn shared(&self, bytes: &[u8]) -> Bytes {
        let end = self.cursor.at();
        self.data.slice(end - bytes.len()..end)
    }

    /// Puts the next value, which is of the type `id`, into its place.
    #[inline(always)]
    fn value(&mut self, id: Id, out: &mut Value) -> Read<()> {
        let id = self.cursor.branch(self.schema, id)?;
        let value = match &self.schema.node(id).kind {
            Kind::Null => Value::Null,
            Kind::Boolean => Value::Boolean(self.cursor.boolean()?),
            Kind::Int | Kind::Long => Value::Long(self.cursor.long()?),
            Kind::Float => Value::Float(self.cursor.float()?),
            Kind::Double => Value::Double(self.cursor.double()?),
            Kind::Bytes => {
                let bytes = self.cursor.bytes()?;
                Value::Bytes(self.shared(bytes))
            }
            Kind::String => Value::String(self.cursor.string()?.into()),
            _ => return self.compound(id, out),
        };
        put(out, value);
        Ok(())
    }

    fn compound(&mut self, id: Id, out: &mut Value) -> Read<()> {
        let schema = self.schema;
        let value = match &schema.node(id).kind {
            Kind::Fixed(size) => {
                let bytes = self.cursor.take(*size, "a fixed")?;
                Value::Fixed(self.shared(bytes))
            }
            Kind::Enum(of) => {
                let index = self.cursor.index(of.symbols.len(), "symbols of an enum")?;
                Value::Enum(Symbol { of: of.clone(), index })
            }
            Kind::Record(of) => {
                let mut values = nulls(of.fields.len());
                for (field, value) in of.fields.iter().zip(&mut values) {
                    self.value(field.node, value)?;
                }
                Value::Record(Record { of: of.clone(), values })
            }
            Kind::Array(items) => {
                let least = schema.node(*items).least;
                let mut values = Vec::new();
                loop {
                    let count = self.cursor.block(least)?;
                    if count == 0 {
                        break Value::Array(values);
                    }
                    let start = values.len();
                    values.resize_with(start + count, || Value::Null);
                    for value in &mut values[start..] {
                        self.value(*items, value)?;
                    }
                }
            }
            Kind::Map(of) => {
                let least = schema.node(*of).least.saturating_add(1);
                let mut entries = Vec::new();
                loop {
                    let count = self.cursor.block(least)?;
                    if count == 0 {
                        break Value::Map(Map::of(entries));
                    }
                    entries.reserve(count);
                    for _ in 0..count {
                        entries.push((self.cursor.string()?.into(), Value::Null));
                        if let Some((_, value)) = entries.last_mut() {
                            self.value(*of, value)?;
                        }
                    }
                }
            }
            kind => self.logical(kind)?,
        };
        put(out, value);
        Ok(())
    }

    fn logical(&mut self, kind: &Kind) -> Read<Value> {
        Ok(match kind {
            Kind::Date => Value::Date(Date { days: self.cursor.long()? }),
            Kind::TimeMillis => self.time(1000)?,
            Kind::TimeMicros => self.time(1)?,
            Kind::Timestamp(unit, local) => {
                Value::Timestamp(Timestamp { count: self.cursor.long()?, unit: *unit, local: *local })
            }
            Kind::Uuid => {
                let text = self.cursor.string()?;
                super::logical::uuid(text).map_or_else(|| Value::String(text.into()), Value::Uuid)
            }
            Kind::Decimal(precision, scale, size) => {
                let bytes = match size {
                    Some(size) => self.cursor.take(*size, "a decimal")?,
                    None => self.cursor.bytes()?,
                };
                let unscaled = self.shared(bytes);
                Value::Decimal(Box::new(Decimal { unscaled, precision: *precision, scale: *scale }))
            }
            _ => Value::Duration(Duration::from_bytes(self.cursor.array("a duration")?)),
        })
    }

    /// A time of day; a count that is none stays a number.
    fn time(&mut self, micros_each: i64) -> Read<Value> {
        let count = self.cursor.long()?;
        Ok(Time::new(count, micros_each).map_or(Value::Long(count), Value::Time))
    }
}
