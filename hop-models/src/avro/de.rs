//! Any type that serde reads, straight from the bytes of a record.

use std::fmt;

use hop_core::{Error, ErrorKind, Location};
use serde::de::value::SeqDeserializer;
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::cursor::{Cursor, Fault, Read};
use super::decode;
use super::logical::{Date, Decimal, Time, Timestamp};
use super::schema::{Field, Id, Kind, RecordType, Schema};

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.found())
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(ErrorKind::Invalid, 0, "", message.to_string())
    }
}

/// The error of a type that does not fit: a path, and no place, for the bytes were checked.
#[cold]
pub(super) fn misfit(fault: &Fault) -> Error {
    let error = Error::new(ErrorKind::Invalid, super::LABEL).found(fault.found().to_owned());
    let path = fault.path();
    if path.is_empty() { error } else { error.at(Location::Path(path)) }
}

/// Reads one record after the other out of a block.
pub(super) struct Typed<'de> {
    schema: &'de Schema,
    cursor: Cursor<'de>,
    plans: Vec<Plan>,
}

/// Which fields of a record a struct asks for; the others are passed over without their names being looked at again.
struct Plan {
    record: Id,
    fields: &'static [&'static str],
    wanted: Box<[bool]>,
}

impl<'de> Typed<'de> {
    pub(super) fn new(schema: &'de Schema, data: &'de [u8]) -> Self {
        Self { schema, cursor: Cursor::new(data), plans: Vec::new() }
    }

    pub(super) fn record<T: de::Deserialize<'de>>(&mut self) -> Read<T> {
        let id = self.schema.root();
        T::deserialize(At { of: self, id })
    }

    fn plan(&mut self, record: Id, of: &RecordType, fields: &'static [&'static str]) -> usize {
        let same = |plan: &Plan| plan.record == record && std::ptr::eq(plan.fields, fields);
        if let Some(at) = self.plans.iter().position(same) {
            return at;
        }
        // Schemas in use name fields twice: the last value stands, as where records are shown.
        let again = |at: usize, name: &str| of.fields[at + 1..].iter().any(|later| *later.name == *name);
        let wanted = |(at, field): (usize, &Field)| fields.contains(&&*field.name) && !again(at, &field.name);
        let wanted = of.fields.iter().enumerate().map(wanted).collect();
        self.plans.push(Plan { record, fields, wanted });
        self.plans.len() - 1
    }
}

/// One value: the type it is of, and the place where it starts.
struct At<'a, 'de> {
    of: &'a mut Typed<'de>,
    id: Id,
}

impl<'a, 'de> At<'a, 'de> {
    fn kind(&self) -> &'de Kind {
        &self.of.schema.node(self.id).kind
    }

    /// Goes into the branch that a union was sent with.
    fn branch(mut self) -> Read<Self> {
        while let Kind::Union(branches) = self.kind() {
            let index = self.of.cursor.index(branches.len(), "branches of a union")?;
            self.id = branches[index];
        }
        Ok(self)
    }

    /// The bytes that a value lies in, where it is bytes underneath.
    fn bytes(&mut self) -> Read<Option<&'de [u8]>> {
        Ok(Some(match self.kind() {
            Kind::Bytes | Kind::Decimal(_, _, None) => self.of.cursor.bytes()?,
            Kind::Fixed(size) | Kind::Decimal(_, _, Some(size)) => self.of.cursor.take(*size, "a fixed")?,
            Kind::Duration => self.of.cursor.take(12, "a duration")?,
            _ => return Ok(None),
        }))
    }

    /// The number that a value is underneath: days, or the units of a time.
    fn number<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        let at = self.branch()?;
        match at.kind() {
            Kind::Int | Kind::Long | Kind::Date | Kind::TimeMillis | Kind::TimeMicros | Kind::Timestamp(..) => {
                visitor.visit_i64(at.of.cursor.long()?)
            }
            _ => at.deserialize_any(visitor),
        }
    }

    fn time<V: Visitor<'de>>(self, micros_each: i64, visitor: V) -> Read<V::Value> {
        let count = self.of.cursor.long()?;
        match Time::new(count, micros_each) {
            Some(time) => visitor.visit_string(time.to_string()),
            None => visitor.visit_i64(count),
        }
    }

    fn decimal(&mut self, precision: u32, scale: u32) -> Read<Decimal> {
        let unscaled = bytes::Bytes::copy_from_slice(self.bytes()?.unwrap_or_default());
        Ok(Decimal { unscaled, precision, scale })
    }

    fn record<V: Visitor<'de>>(self, of: &'de RecordType, plan: Option<usize>, visitor: V) -> Read<V::Value> {
        let mut fields = Fields { typed: self.of, of, plan, next: 0 };
        let out = visitor.visit_map(&mut fields)?;
        while let Some(field) = of.fields.get(fields.next) {
            decode::skip(fields.typed.schema, &mut fields.typed.cursor, field.node)?;
            fields.next += 1;
        }
        Ok(out)
    }
}

impl<'de> Deserializer<'de> for At<'_, 'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        let mut at = self.branch()?;
        match at.kind() {
            Kind::Null => visitor.visit_unit(),
            Kind::Boolean => visitor.visit_bool(at.of.cursor.boolean()?),
            Kind::Int | Kind::Long => visitor.visit_i64(at.of.cursor.long()?),
            Kind::Float => visitor.visit_f32(at.of.cursor.float()?),
            Kind::Double => visitor.visit_f64(at.of.cursor.double()?),
            Kind::String | Kind::Uuid => visitor.visit_borrowed_str(at.of.cursor.string()?),
            Kind::Bytes | Kind::Fixed(_) | Kind::Duration => {
                visitor.visit_borrowed_bytes(at.bytes()?.unwrap_or_default())
            }
            Kind::Enum(of) => {
                let index = at.of.cursor.index(of.symbols.len(), "symbols of an enum")?;
                visitor.visit_borrowed_str(&of.symbols[index])
            }
            Kind::Record(of) => at.record(of, None, visitor),
            Kind::Array(items) => {
                let mut elements = Elements { typed: at.of, items: *items, left: 0, seen: 0, ended: false };
                let out = visitor.visit_seq(&mut elements)?;
                if elements.more()? {
                    return Err(de::Error::invalid_length(elements.seen + elements.left, &"fewer elements"));
                }
                Ok(out)
            }
            Kind::Map(values) => visitor.visit_map(Entries {
                blocks: Elements { typed: at.of, items: *values, left: 0, seen: 0, ended: false },
            }),
            Kind::Date => visitor.visit_string(Date { days: at.of.cursor.long()? }.to_string()),
            Kind::TimeMillis => at.time(1000, visitor),
            Kind::TimeMicros => at.time(1, visitor),
            Kind::Timestamp(unit, local) => {
                let timestamp = Timestamp { count: at.of.cursor.long()?, unit: *unit, local: *local };
                visitor.visit_string(timestamp.to_string())
            }
            Kind::Decimal(precision, scale, _) => visitor.visit_string(at.decimal(*precision, *scale)?.to_string()),
            // `branch` has gone through it.
            Kind::Union(_) => visitor.visit_unit(),
        }
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        self.number(visitor)
    }

    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        self.number(visitor)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        self.number(visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        self.number(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        let mut at = self.branch()?;
        match at.kind() {
            Kind::Decimal(precision, scale, _) => visitor.visit_f64(at.decimal(*precision, *scale)?.to_f64()),
            _ => at.number(visitor),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(mut self, visitor: V) -> Read<V::Value> {
        if let Kind::Union(branches) = self.kind() {
            let index = self.of.cursor.index(branches.len(), "branches of a union")?;
            self.id = branches[index];
        }
        match self.kind() {
            Kind::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        let mut at = self.branch()?;
        match at.bytes()? {
            Some(bytes) => visitor.visit_borrowed_bytes(bytes),
            None => at.deserialize_any(visitor),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        let mut at = self.branch()?;
        match at.bytes()? {
            Some(bytes) => visitor.visit_seq(SeqDeserializer::new(bytes.iter().copied())),
            None => at.deserialize_any(visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _length: usize, visitor: V) -> Read<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Read<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Read<V::Value> {
        let at = self.branch()?;
        match at.kind() {
            Kind::Record(of) => {
                let plan = at.of.plan(at.id, of, fields);
                at.record(of, Some(plan), visitor)
            }
            _ => at.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Read<V::Value> {
        let at = self.branch()?;
        match at.kind() {
            Kind::Enum(of) => {
                let index = at.of.cursor.index(of.symbols.len(), "symbols of an enum")?;
                visitor.visit_enum((&*of.symbols[index]).into_deserializer())
            }
            Kind::String => visitor.visit_enum(at.of.cursor.string()?.into_deserializer()),
            Kind::Record(of) => {
                // Where records of one short name are told apart by their namespaces, a variant has the full one.
                let full = variants.contains(&&*of.name);
                let name = if full { &of.name } else { of.name.rsplit('.').next().unwrap_or_default() };
                visitor.visit_enum(Branch { name, at })
            }
            _ => Err(de::Error::custom("an enum, a string or a record is a variant; this is another type")),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        decode::skip(self.of.schema, &mut self.of.cursor, self.id)?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i128 u8 u16 u128 char str string unit unit_struct tuple_struct map identifier
    }
}

/// The fields of a record.
struct Fields<'a, 'de> {
    typed: &'a mut Typed<'de>,
    of: &'de RecordType,
    plan: Option<usize>,
    next: usize,
}

impl<'de> MapAccess<'de> for &mut Fields<'_, 'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Read<Option<K::Value>> {
        let plan = self.plan.and_then(|plan| self.typed.plans.get(plan));
        while let Some(field) = self.of.fields.get(self.next) {
            if plan.is_none_or(|plan| plan.wanted.get(self.next) == Some(&true)) {
                return seed.deserialize(de::value::BorrowedStrDeserializer::new(&field.name)).map(Some);
            }
            decode::skip(self.typed.schema, &mut self.typed.cursor, field.node)?;
            self.next += 1;
        }
        Ok(None)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Read<T::Value> {
        let field = self.of.fields.get(self.next);
        let field = field.ok_or_else(|| -> Fault { de::Error::custom("a value was asked for before its name") })?;
        self.next += 1;
        let at = At { of: &mut *self.typed, id: field.node };
        seed.deserialize(at).map_err(|fault| fault.within(&*field.name))
    }
}

/// The elements of an array, or what the entries of a map hold.
struct Elements<'a, 'de> {
    typed: &'a mut Typed<'de>,
    items: Id,
    left: usize,
    seen: usize,
    ended: bool,
}

impl Elements<'_, '_> {
    /// Whether there is one more; goes on to the next block where one ends.
    fn more(&mut self) -> Read<bool> {
        if self.left == 0 && !self.ended {
            self.left = self.typed.cursor.block(0)?;
            self.ended = self.left == 0;
        }
        Ok(self.left > 0)
    }
}

impl<'de> SeqAccess<'de> for &mut Elements<'_, 'de> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Read<Option<T::Value>> {
        if !self.more()? {
            return Ok(None);
        }
        let at = self.seen;
        self.left -= 1;
        self.seen += 1;
        let value = seed.deserialize(At { of: &mut *self.typed, id: self.items });
        value.map(Some).map_err(|fault| fault.within(format!("[{at}]")))
    }

    fn size_hint(&self) -> Option<usize> {
        // What is said of the elements to come was checked; visitors bound it all the same.
        (self.left > 0).then_some(self.left)
    }
}

struct Entries<'a, 'de> {
    blocks: Elements<'a, 'de>,
}

impl<'de> MapAccess<'de> for Entries<'_, 'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Read<Option<K::Value>> {
        if !self.blocks.more()? {
            return Ok(None);
        }
        let key = self.blocks.typed.cursor.string()?;
        seed.deserialize(Key(key)).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Read<T::Value> {
        self.blocks.left = self.blocks.left.saturating_sub(1);
        seed.deserialize(At { of: &mut *self.blocks.typed, id: self.blocks.items })
    }
}

/// The key of an entry: text in Avro, which is a number or a truth value for a map by those.
struct Key<'de>(&'de str);

macro_rules! parsed {
    ($($method:ident $visit:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
            match self.0.parse() {
                Ok(value) => visitor.$visit(value),
                Err(_) => visitor.visit_borrowed_str(self.0),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Key<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        visitor.visit_borrowed_str(self.0)
    }

    parsed! {
        deserialize_bool visit_bool
        deserialize_i8 visit_i8 deserialize_i16 visit_i16 deserialize_i32 visit_i32 deserialize_i64 visit_i64
        deserialize_i128 visit_i128
        deserialize_u8 visit_u8 deserialize_u16 visit_u16 deserialize_u32 visit_u32 deserialize_u64 visit_u64
        deserialize_u128 visit_u128
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Read<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Read<V::Value> {
        visitor.visit_enum(self.0.into_deserializer())
    }

    forward_to_deserialize_any! {
        f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// A record as a variant of the name of its type.
struct Branch<'a, 'de> {
    name: &'de str,
    at: At<'a, 'de>,
}

impl<'a, 'de> EnumAccess<'de> for Branch<'a, 'de> {
    type Error = Fault;
    type Variant = Held<'a, 'de>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Read<(V::Value, Self::Variant)> {
        Ok((seed.deserialize(de::value::BorrowedStrDeserializer::<'de, Fault>::new(self.name))?, Held(self.at)))
    }
}

struct Held<'a, 'de>(At<'a, 'de>);

impl<'de> VariantAccess<'de> for Held<'_, 'de> {
    type Error = Fault;

    fn unit_variant(self) -> Read<()> {
        de::Deserialize::deserialize(self.0).map(|_: de::IgnoredAny| ())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Read<T::Value> {
        seed.deserialize(self.0)
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Read<V::Value> {
        self.0.deserialize_tuple(length, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Read<V::Value> {
        self.0.deserialize_struct("", fields, visitor)
    }
}
