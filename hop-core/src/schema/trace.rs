//! A type's shape, found by having serde read it: what it asks for is noted, and answered with something small.
//!
//! What is done for every type alike is in functions that know no type: the others are compiled for each.
//!
//! A run reads the type once, from its root. What does not read ends the run; it is noted, and the next run goes another
//! way: another sample, another variant, a field left out. Runs go on until one learns nothing.

use std::any::type_name;
use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};

/// More types than any model has; what lies beyond is taken for any value.
const MOST: usize = 10_000;

/// Texts that types which read themselves from text may take.
const TEXTS: [&str; 10] = [
    "",
    "a",
    "0",
    "1970-01-01T00:00:00Z",
    "1970-01-01",
    "00:00:00",
    "00000000-0000-0000-0000-000000000000",
    "http://localhost/",
    "127.0.0.1",
    "1970-01-01T00:00:00",
];

/// How many elements a list has, one after the other, until it is taken.
const LENGTHS: [usize; 4] = [1, 2, 3, 0];

/// The place of a node.
pub(super) type Id = usize;

/// One type, in one place.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) shape: Shape,
    /// Which sample is next.
    tries: usize,
    /// Nothing that is tried makes one: where it may be left out, it is.
    failed: bool,
}

#[derive(Debug)]
pub(super) enum Shape {
    Unseen,
    /// The content decides, and says nothing beforehand.
    Any,
    Null,
    Bool,
    /// An integer or a number, by the name that JSON Schema has for its kind.
    Number(&'static str),
    Char,
    Text,
    /// One of these.
    Words(&'static [&'static str]),
    Bytes,
    Option(Id),
    List(Id),
    Tuple(Vec<Id>),
    Map(Id, Id),
    Record(Record),
    Enum(Enum),
    /// The same type as there.
    Same(Id),
}

#[derive(Debug)]
pub(super) struct Record {
    pub(super) name: &'static str,
    pub(super) fields: Vec<Field>,
    /// It may have fields that are not told of.
    pub(super) open: bool,
}

#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) node: Id,
    /// Another name of another field.
    pub(super) alias: bool,
    /// Whether there is surely no reading without it; `None` until that was tried.
    pub(super) required: Option<bool>,
}

#[derive(Debug)]
pub(super) struct Enum {
    pub(super) name: &'static str,
    pub(super) variants: Vec<Variant>,
}

#[derive(Debug)]
pub(super) struct Variant {
    pub(super) name: &'static str,
    /// What it holds, once that was seen.
    pub(super) held: Option<Held>,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Held {
    Nothing,
    One(Id),
}

/// All that is known of a type.
pub(super) struct Trace {
    pub(super) nodes: Vec<Node>,
    /// Records and enums by what serde reads them with, one for each, so that each is looked at once.
    types: HashMap<&'static str, Id>,
    /// Those that are being read.
    open: Vec<Id>,
    /// This run has learned something.
    learned: bool,
    /// It is known what ended this run.
    blamed: bool,
}

pub(super) const ROOT: Id = 0;

impl Trace {
    pub(super) fn of<T: DeserializeOwned>() -> Self {
        // Whether it reads is not what is asked.
        Self::by(|trace, root| drop(trace.child(root, PhantomData::<T>)))
    }

    fn by(run: fn(&mut Self, Id)) -> Self {
        let mut trace =
            Self { nodes: Vec::new(), types: HashMap::new(), open: Vec::new(), learned: true, blamed: false };
        let root = trace.add();
        while std::mem::take(&mut trace.learned) {
            trace.blamed = false;
            trace.open.clear();
            run(&mut trace, root);
        }
        trace
    }

    pub(super) fn shape(&self, id: Id) -> &Shape {
        self.nodes.get(id).map_or(&Shape::Unseen, |node| &node.shape)
    }

    fn add(&mut self) -> Id {
        self.nodes.push(Node { shape: Shape::Unseen, tries: 0, failed: false });
        self.nodes.len() - 1
    }

    /// The node that this one stands for.
    fn resolve(&self, id: Id) -> Id {
        match self.shape(id) {
            Shape::Same(other) => *other,
            _ => id,
        }
    }

    fn failed(&self, id: Id) -> bool {
        [id, self.resolve(id)].into_iter().any(|id| self.nodes.get(id).is_some_and(|node| node.failed))
    }

    fn tries(&self, id: Id) -> usize {
        self.nodes.get(id).map_or(0, |node| node.tries)
    }

    fn learn(&mut self, id: Id, shape: Shape) {
        if let Some(node) = self.nodes.get_mut(id) {
            node.shape = shape;
            self.learned = true;
        }
    }

    /// Gives a node its shape, where it has none.
    fn see(&mut self, id: Id, shape: impl FnOnce(&mut Self) -> Shape) {
        if matches!(self.shape(id), Shape::Unseen) {
            let shape = if self.nodes.len() > MOST { Shape::Any } else { shape(self) };
            self.learn(id, shape);
        }
    }

    /// Whether nothing more is to be learned from a node, or it cannot be had.
    fn is_done(&self, id: Id) -> bool {
        let done = |id: &Id| self.is_done(*id);
        self.failed(id)
            || match self.shape(id) {
                Shape::Unseen => false,
                Shape::Option(inner) | Shape::List(inner) => done(inner),
                Shape::Tuple(parts) => parts.iter().all(done),
                Shape::Map(key, value) => done(key) && done(value),
                Shape::Record(record) => {
                    let tried = |field: &Field| field.alias || field.required.is_some();
                    self.has_all_fields(record) && record.fields.iter().all(tried)
                }
                Shape::Enum(of) => of.variants.iter().all(|variant| self.is_variant_done(variant)),
                _ => true,
            }
    }

    /// Whether nothing more is to be learned from the fields of a record.
    fn has_all_fields(&self, record: &Record) -> bool {
        record.fields.iter().all(|field| field.alias || self.is_done(field.node))
    }

    fn is_variant_done(&self, variant: &Variant) -> bool {
        match variant.held {
            None => false,
            Some(Held::Nothing) => true,
            Some(Held::One(id)) => self.is_done(id),
        }
    }

    /// Reads what is at `id`. When that fails, and nothing further in is to blame, another way is taken the next time.
    fn child<'de, S: DeserializeSeed<'de>>(&mut self, id: Id, seed: S) -> Result<S::Value, Stop> {
        if self.failed(id) {
            return Err(Stop::Other);
        }
        let outcome = seed.deserialize(At { trace: &mut *self, id, key_of: None });
        self.judge(id, &outcome);
        outcome
    }

    /// Blames `id` for a failure that nothing further in was blamed for.
    fn judge<T>(&mut self, id: Id, outcome: &Result<T, Stop>) {
        if let Err(stop) = outcome
            && !std::mem::replace(&mut self.blamed, true)
        {
            self.blame(self.resolve(id), stop);
        }
    }

    fn blame(&mut self, id: Id, stop: &Stop) {
        let learned = std::mem::replace(&mut self.learned, true);
        if let (Shape::Any, Stop::Missing(name)) = (self.shape(id), stop) {
            // An object without a field that says what it is: an enum with a tag.
            let field = Field { name, node: self.add(), alias: false, required: Some(true) };
            return self.learn(id, Shape::Record(Record { name: "", fields: vec![field], open: true }));
        }
        if self.complete(id, stop) {
            return;
        }
        let Some(node) = self.nodes.get_mut(id) else { return };
        let samples = match &node.shape {
            Shape::Any => SAMPLES_OF_ANY,
            Shape::Text if matches!(stop, Stop::Words(_)) => {
                if let Stop::Words(words) = stop {
                    node.shape = Shape::Words(words);
                    node.tries = 0;
                }
                return;
            }
            Shape::Text => TEXTS.len(),
            Shape::Words(words) => words.len(),
            Shape::Bool | Shape::Number(_) | Shape::Bytes => 2,
            Shape::List(_) => LENGTHS.len(),
            // Whatever else can be learned is learned first.
            _ if learned => return,
            _ => 0,
        };
        node.tries += 1;
        node.failed = node.tries >= samples;
    }

    /// What a record that does not tell all its fields is given next: the field that was missed, or another sample for one
    /// that was no good. False where there is nothing more to give.
    fn complete(&mut self, id: Id, stop: &Stop) -> bool {
        let Shape::Record(Record { fields, open: true, .. }) = self.shape(id) else { return false };
        let nodes: Vec<Id> = fields.iter().rev().map(|field| field.node).collect();
        match stop {
            Stop::Missing(name) if fields.iter().all(|field| field.name != *name) => {
                let node = self.add();
                if let Some(Node { shape: Shape::Record(record), .. }) = self.nodes.get_mut(id) {
                    record.fields.push(Field { name, node, alias: false, required: Some(true) });
                }
                true
            }
            _ => {
                let more =
                    |node: &Id| matches!(self.shape(*node), Shape::Any) && self.tries(*node) + 1 < SAMPLES_OF_ANY;
                nodes.into_iter().find(more).map(|node| self.blame(node, &Stop::Other)).is_some()
            }
        }
    }

    /// The node for a record or an enum: where its type was seen before, that one.
    ///
    /// # Errors
    /// When it is being read already: it would never end.
    fn named(&mut self, id: Id, type_name: &'static str, shape: &dyn Fn(&mut Self) -> Shape) -> Result<Id, Stop> {
        let known = *self.types.entry(type_name).or_insert(id);
        if known == id {
            self.see(id, shape);
        } else {
            self.see(id, |_| Shape::Same(known));
        }
        if self.open.contains(&known) {
            // Not the type is at fault, but the place.
            if let Some(node) = self.nodes.get_mut(id) {
                node.failed = true;
            }
            self.learned = true;
            self.blamed = true;
            return Err(Stop::Other);
        }
        Ok(known)
    }

    fn record_of(&mut self, name: &'static str, fields: &'static [&'static str], open: bool) -> Shape {
        let field = |name| Field { name, node: self.add(), alias: false, required: None };
        Shape::Record(Record { name, fields: fields.iter().copied().map(field).collect(), open })
    }

    fn record<'de, V: Visitor<'de>>(&mut self, id: Id, visitor: V) -> Result<V::Value, Stop> {
        let mut fields = self.enter(id)?;
        let outcome = visitor.visit_map(&mut fields);
        fields.leave(outcome.as_ref().err());
        outcome
    }

    /// The fields of a record, of which one may be left out in this run.
    fn enter(&mut self, id: Id) -> Result<Fields<'_>, Stop> {
        let Shape::Record(record) = self.shape(id) else { return Err(Stop::Other) };
        let whole = record.fields.iter().all(|field| field.alias || !self.failed(field.node));
        let without = if !self.learned && self.has_all_fields(record) {
            record.fields.iter().position(|field| !field.alias && field.required.is_none())
        } else {
            None
        };
        self.open.push(id);
        Ok(Fields { trace: self, id, next: 0, whole, without, last: None, before: None })
    }

    /// Where one field says which variant another holds, that other may be anything.
    fn tagged(&mut self, id: Id) {
        let Some(Node { shape: Shape::Record(record), .. }) = self.nodes.get(id) else { return };
        let is_tag = |node: &Id| matches!(self.shape(*node), Shape::Words(_));
        let (tags, others): (Vec<Id>, Vec<Id>) = record.fields.iter().map(|field| field.node).partition(is_tag);
        if tags.is_empty() {
            return;
        }
        if let Some(Node { shape: Shape::Record(record), .. }) = self.nodes.get_mut(id) {
            let held = record.fields.iter_mut().filter(|field| others.contains(&field.node));
            held.for_each(|field| field.required = Some(false));
        }
        for other in others {
            if !matches!(self.shape(other), Shape::Any) {
                self.learn(other, Shape::Any);
            }
        }
    }
}

/// Why a run ended, as far as serde says.
#[derive(Debug)]
pub(super) enum Stop {
    Missing(&'static str),
    Duplicate(&'static str),
    /// A variant is one of these.
    Words(&'static [&'static str]),
    Other,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the shape is looked for")
    }
}

impl std::error::Error for Stop {}

impl de::Error for Stop {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Other
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field)
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::Duplicate(field)
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::Words(expected)
    }
}

/// One place in the type.
struct At<'a> {
    trace: &'a mut Trace,
    id: Id,
    /// The map whose key this is.
    key_of: Option<Id>,
}

impl<'a> At<'a> {
    /// A variant of the enum that is here: one of which there is more to learn, or else one that can be had.
    fn choose(
        &mut self,
        type_name: &'static str,
        name: &'static str,
        variants: &'static [&'static str],
    ) -> Result<Chosen<'_>, Stop> {
        let id = self.trace.named(self.id, type_name, &|_| {
            let variants = variants.iter().map(|name| Variant { name, held: None }).collect();
            Shape::Enum(Enum { name, variants })
        })?;
        let Shape::Enum(of) = self.trace.shape(id) else { return Err(Stop::Other) };
        let next = of.variants.iter().position(|variant| !self.trace.is_variant_done(variant));
        let can_be = |variant: &Variant| !matches!(variant.held, Some(Held::One(id)) if self.trace.failed(id));
        let Some(at) = next.or_else(|| of.variants.iter().position(can_be)) else { return Err(Stop::Other) };
        let Some(name) = of.variants.get(at).map(|variant| variant.name) else { return Err(Stop::Other) };
        self.trace.open.push(id);
        Ok(Chosen { trace: self.trace, id, at, name })
    }

    fn leaf(&mut self, shape: Shape) -> usize {
        self.trace.see(self.id, |_| shape);
        self.trace.tries(self.id)
    }

    /// What is in the `Option` that is here, unless it cannot be had.
    fn optional(&mut self) -> Option<Id> {
        self.trace.see(self.id, |trace| Shape::Option(trace.add()));
        match *self.trace.shape(self.id) {
            Shape::Option(inner) if !self.trace.failed(inner) => Some(inner),
            _ => None,
        }
    }

    /// The list that is here.
    fn items(self) -> Result<Parts<'a>, Stop> {
        self.trace.see(self.id, |trace| Shape::List(trace.add()));
        let Shape::List(items) = *self.trace.shape(self.id) else { return Err(Stop::Other) };
        let length =
            if self.trace.failed(items) { 0 } else { LENGTHS.get(self.trace.tries(self.id)).copied().unwrap_or(0) };
        Ok(Parts { trace: self.trace, parts: vec![items; length].into_iter() })
    }

    /// The tuple that is here.
    fn parts(self, length: usize) -> Result<Parts<'a>, Stop> {
        self.trace.see(self.id, |trace| Shape::Tuple((0..length.min(MOST)).map(|_| trace.add()).collect()));
        match self.trace.shape(self.id) {
            Shape::Tuple(parts) => {
                let parts = parts.clone().into_iter();
                Ok(Parts { trace: self.trace, parts })
            }
            _ => Err(Stop::Other),
        }
    }

    /// The key and the value of the map that is here, where it is one.
    fn map(&mut self) -> Option<(Id, Id)> {
        self.trace.see(self.id, |trace| {
            let key = trace.add();
            Shape::Map(key, trace.add())
        });
        match *self.trace.shape(self.id) {
            Shape::Map(key, value) => Some((key, value)),
            _ => None,
        }
    }
}

macro_rules! numbers {
    ($($method:ident, $visit:ident, $format:literal, $zero:literal, $one:literal;)*) => {$(
        fn $method<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Stop> {
            let tries = self.leaf(Shape::Number($format));
            visitor.$visit(if tries == 0 { $zero } else { $one })
        }
    )*};
}

/// What a value that may be anything is tried as.
const SAMPLES_OF_ANY: usize = 6;

impl<'de> Deserializer<'de> for At<'_> {
    type Error = Stop;

    fn deserialize_any<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Stop> {
        if let Shape::Record(_) = self.trace.shape(self.id) {
            return self.trace.record(self.id, visitor);
        }
        match self.leaf(Shape::Any) {
            0 => visitor.visit_unit(),
            1 => visitor.visit_bool(true),
            2 => visitor.visit_u64(0),
            3 => visitor.visit_borrowed_str(""),
            4 => visitor.visit_seq(Parts { trace: self.trace, parts: Vec::new().into_iter() }),
            _ => visitor.visit_map(de::value::MapDeserializer::new(std::iter::empty::<(u8, u8)>())),
        }
    }

    numbers! {
        deserialize_i8, visit_i8, "int8", 0, 1;
        deserialize_i16, visit_i16, "int16", 0, 1;
        deserialize_i32, visit_i32, "int32", 0, 1;
        deserialize_i64, visit_i64, "int64", 0, 1;
        deserialize_i128, visit_i128, "int128", 0, 1;
        deserialize_u8, visit_u8, "uint8", 0, 1;
        deserialize_u16, visit_u16, "uint16", 0, 1;
        deserialize_u32, visit_u32, "uint32", 0, 1;
        deserialize_u64, visit_u64, "uint64", 0, 1;
        deserialize_u128, visit_u128, "uint128", 0, 1;
        deserialize_f32, visit_f32, "float", 0.0, 1.0;
        deserialize_f64, visit_f64, "double", 0.0, 1.0;
    }

    fn deserialize_bool<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Stop> {
        let tries = self.leaf(Shape::Bool);
        visitor.visit_bool(tries == 1)
    }

    fn deserialize_char<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Stop> {
        self.leaf(Shape::Char);
        visitor.visit_char('a')
    }

    fn deserialize_str<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Stop> {
        let tries = self.leaf(Shape::Text);
        match self.trace.shape(self.id) {
            Shape::Words(words) => visitor.visit_borrowed_str(words.get(tries).copied().unwrap_or_default()),
            _ => visitor.visit_borrowed_str(TEXTS.get(tries).copied().unwrap_or_default()),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Stop> {
        let tries = self.leaf(Shape::Bytes);
        visitor.visit_borrowed_bytes(if tries == 0 { &[] } else { &[0; 16] })
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Stop> {
        match self.optional() {
            Some(inner) => {
                let outcome = visitor.visit_some(At { trace: &mut *self.trace, id: inner, key_of: None });
                self.trace.judge(inner, &outcome);
                outcome
            }
            None => visitor.visit_none(),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Stop> {
        self.leaf(Shape::Null);
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_seq(self.items()?)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_seq(self.parts(length)?)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        visitor.visit_seq(self.parts(length)?)
    }

    fn deserialize_map<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Stop> {
        match self.map() {
            Some((key, value)) => {
                let done = self.trace.failed(key) || self.trace.failed(value);
                visitor.visit_map(Entry { trace: self.trace, map: self.id, key, value, done })
            }
            None => self.trace.record(self.id, visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let id = self.trace.named(self.id, type_name::<V>(), &|trace| trace.record_of(name, fields, false))?;
        self.trace.record(id, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        if type_name::<V::Value>().ends_with("::__Field") {
            // Not the enum, but the tag that stands beside what a variant holds.
            let tries = self.leaf(Shape::Words(variants));
            let name: de::value::StrDeserializer<'_, Stop> =
                variants.get(tries).copied().unwrap_or_default().into_deserializer();
            return visitor.visit_enum(name);
        }
        let outcome = visitor.visit_enum(self.choose(type_name::<V>(), name, variants)?);
        self.trace.open.pop();
        outcome
    }

    /// Names of fields and variants; as a value it is the tag of an enum.
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        match self.key_of {
            // A map by names of its own is a struct of which parts are flattened.
            Some(map) => {
                let shape = self.trace.record_of("", &[], true);
                self.trace.learn(map, shape);
                self.trace.blamed = true;
                Err(Stop::Other)
            }
            None => self.deserialize_str(visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Stop> {
        self.leaf(Shape::Any);
        visitor.visit_unit()
    }
}

/// The elements of a list or a tuple.
struct Parts<'a> {
    trace: &'a mut Trace,
    parts: std::vec::IntoIter<Id>,
}

impl<'de> SeqAccess<'de> for Parts<'_> {
    type Error = Stop;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Stop> {
        match self.parts.next() {
            Some(id) => self.trace.child(id, seed).map(Some),
            None => Ok(None),
        }
    }
}

/// The one entry of a map.
struct Entry<'a> {
    trace: &'a mut Trace,
    map: Id,
    key: Id,
    value: Id,
    done: bool,
}

impl<'de> MapAccess<'de> for Entry<'_> {
    type Error = Stop;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Stop> {
        if std::mem::replace(&mut self.done, true) {
            return Ok(None);
        }
        let outcome = seed.deserialize(At { trace: &mut *self.trace, id: self.key, key_of: Some(self.map) });
        self.trace.judge(self.key, &outcome);
        outcome.map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Stop> {
        self.trace.child(self.value, seed)
    }
}

/// The fields of a record, but for those that cannot be had, and the one that is left out to see what happens.
struct Fields<'a> {
    trace: &'a mut Trace,
    id: Id,
    next: usize,
    /// None of them is known to be impossible to have.
    whole: bool,
    without: Option<usize>,
    last: Option<usize>,
    before: Option<usize>,
}

impl Fields<'_> {
    /// The name of the next one.
    fn advance(&mut self) -> Option<&'static str> {
        loop {
            let Shape::Record(record) = self.trace.shape(self.id) else { return None };
            let field = record.fields.get(self.next)?;
            if field.alias || self.without == Some(self.next) || self.trace.failed(field.node) {
                self.next += 1;
                continue;
            }
            self.before = self.last.replace(self.next);
            return Some(field.name);
        }
    }

    /// Where the one that was named last is.
    fn take(&mut self) -> Result<Id, Stop> {
        let Shape::Record(record) = self.trace.shape(self.id) else { return Err(Stop::Other) };
        let node = record.fields.get(self.next).map(|field| field.node).ok_or(Stop::Other)?;
        self.next += 1;
        Ok(node)
    }

    /// What is learned from how the reading of the record ended.
    fn leave(self, stop: Option<&Stop>) {
        let Self { trace, id, whole, without, last, before, .. } = self;
        trace.open.pop();
        let blamed = trace.blamed;
        let Some(Node { shape: Shape::Record(record), .. }) = trace.nodes.get_mut(id) else { return };
        match (stop, without) {
            (None, None) => {}
            (_, Some(at)) if !blamed => {
                // Of several that are missing the first is told; what comes after one that cannot be had stays unknown.
                let told = |field: &Field| matches!(stop, Some(Stop::Missing(name)) if field.name == *name);
                for (place, field) in record.fields.iter_mut().enumerate() {
                    if place == at || told(field) {
                        let other = matches!(stop, Some(Stop::Other));
                        field.required = Some(told(field) || (other && place == at && whole));
                    }
                }
                trace.learned = true;
                trace.blamed = stop.is_some();
            }
            // Two names of one field are neighbours, and its own is the one that is told.
            (Some(Stop::Duplicate(name)), _) if !blamed => {
                let other =
                    if last.and_then(|at| Some(record.fields.get(at)?.name)) == Some(*name) { before } else { last };
                if let Some(field) = other.and_then(|at| record.fields.get_mut(at)) {
                    field.alias = true;
                    trace.learned = true;
                    trace.blamed = true;
                }
            }
            _ => {}
        }
        trace.tagged(id);
    }
}

impl<'de> MapAccess<'de> for &mut Fields<'_> {
    type Error = Stop;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Stop> {
        match self.advance() {
            Some(name) => seed.deserialize(de::value::BorrowedStrDeserializer::new(name)).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Stop> {
        let node = self.take()?;
        self.trace.child(node, seed)
    }
}

/// The variant of an enum that is looked at in this run.
struct Chosen<'a> {
    trace: &'a mut Trace,
    id: Id,
    at: usize,
    name: &'static str,
}

impl Chosen<'_> {
    fn hold(&mut self, held: impl FnOnce(&mut Trace) -> Held) -> Held {
        let known = match self.trace.shape(self.id) {
            Shape::Enum(of) => of.variants.get(self.at).and_then(|variant| variant.held),
            _ => None,
        };
        if let Some(held) = known {
            return held;
        }
        let held = held(self.trace);
        if let Some(Node { shape: Shape::Enum(of), .. }) = self.trace.nodes.get_mut(self.id)
            && let Some(variant) = of.variants.get_mut(self.at)
        {
            variant.held = Some(held);
        }
        self.trace.learned = true;
        held
    }

    fn one(&mut self) -> Id {
        match self.hold(|trace| Held::One(trace.add())) {
            Held::One(id) => id,
            Held::Nothing => self.id,
        }
    }
}

impl<'de> EnumAccess<'de> for Chosen<'_> {
    type Error = Stop;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Stop> {
        let name: de::value::StrDeserializer<'_, Stop> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for Chosen<'_> {
    type Error = Stop;

    fn unit_variant(mut self) -> Result<(), Stop> {
        self.hold(|_| Held::Nothing);
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(mut self, seed: S) -> Result<S::Value, Stop> {
        let id = self.one();
        self.trace.child(id, seed)
    }

    fn tuple_variant<V: Visitor<'de>>(mut self, length: usize, visitor: V) -> Result<V::Value, Stop> {
        let id = self.one();
        let parts = At { trace: &mut *self.trace, id, key_of: None }.parts(length);
        let outcome = parts.and_then(|parts| visitor.visit_seq(parts));
        self.trace.judge(id, &outcome);
        outcome
    }

    fn struct_variant<V: Visitor<'de>>(
        mut self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let id = self.one();
        // Its fields are the variant's own, and no type that has a name.
        self.trace.see(id, |trace| trace.record_of("", fields, false));
        let outcome = self.trace.record(id, visitor);
        self.trace.judge(id, &outcome);
        outcome
    }
}
