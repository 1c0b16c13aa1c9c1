//! How serde reads a model: by one deserializer, whatever the model is read from.
//!
//! The code that serde makes for a model is compiled once for each deserializer that reads it. There is one, and it asks
//! its [`Source`] through a table of functions: a call more for each value of a message, and a model compiles in half the
//! time.

use std::borrow::Cow;
use std::fmt;

use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, Expected, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor,
};
use serde::{Deserialize, forward_to_deserialize_any};

use crate::value::{EXACT, exact_integer, exact_text};
use crate::{Error, ErrorKind, Text};

/// What a model is read from: a row of values, of which some are opened and gone through.
pub(crate) trait Source<'de> {
    /// The value that comes next. An array or an object is opened; those that are open end in the reverse order.
    fn next(&mut self) -> Result<Token<'de>, ReadError>;

    /// The value that comes next, for who wants an array: what has its bytes apart from arrays opens them as one of numbers.
    fn next_array(&mut self) -> Result<Token<'de>, ReadError> {
        self.next()
    }

    /// The value that comes next, for who wants a float: a number of any size is one.
    fn next_float(&mut self) -> Result<Token<'de>, ReadError>;

    /// Whether null comes next.
    fn is_null(&mut self) -> bool;

    /// Passes over the value that comes next.
    fn skip(&mut self) -> Result<(), ReadError>;

    /// How many containers are open.
    fn depth(&self) -> usize;

    /// Whether the array at this depth has one more element, which then comes next; else it is closed. Containers further
    /// in, of which nobody wanted all, are passed over.
    fn element(&mut self, depth: usize) -> Result<bool, ReadError>;

    /// The next name in the object at this depth, whose value then comes next; without one it is closed. What nobody asked
    /// for is passed over.
    fn name(&mut self, depth: usize) -> Result<Option<Name<'de>>, ReadError>;

    /// How integers beyond 64 bits are read.
    fn large(&mut self) -> &mut Large;
}

/// How an integer beyond 64 bits is read where any kind of value is asked for, as behind `#[serde(flatten)]`: serde's own
/// types have no room for it.
///
/// A [`Value`](crate::Value) takes its digits. If the model is not read that way, since a float is asked for in the end, it
/// is read once more with such integers as floats.
#[derive(Debug, Default)]
pub(crate) struct Large {
    as_floats: bool,
    /// One came.
    pub(crate) met: bool,
}

impl Large {
    pub(crate) const AS_FLOATS: Self = Self { as_floats: true, met: false };
}

/// The name of an entry.
#[derive(Debug)]
pub(crate) enum Name<'de> {
    Str(Cow<'de, str>),
    Surrogates(Text),
}

/// One value, or the start of one.
#[derive(Debug)]
pub(crate) enum Token<'de> {
    Null,
    Bool(bool),
    I64(i64),
    U64(u64),
    I128(i128),
    U128(u128),
    F64(f64),
    Str(&'de str),
    String(String),
    /// Text with lone surrogates.
    Surrogates(Text),
    /// An integer beyond 128 bits.
    Digits(Box<str>),
    Bytes(&'de [u8]),
    Array,
    Object,
}

impl Token<'_> {
    #[cold]
    fn unexpected(&self, expected: &dyn Expected) -> ReadError {
        let found = match self {
            Self::Null => Unexpected::Unit,
            Self::Bool(value) => Unexpected::Bool(*value),
            Self::I64(value) => Unexpected::Signed(*value),
            Self::U64(value) => Unexpected::Unsigned(*value),
            Self::Surrogates(_) => Unexpected::Other("a string with a lone surrogate"),
            Self::I128(_) | Self::U128(_) | Self::Digits(_) => Unexpected::Other("a large integer"),
            Self::F64(value) => Unexpected::Float(*value),
            Self::Str(text) => Unexpected::Str(text),
            Self::String(text) => Unexpected::Str(text),
            Self::Bytes(bytes) => Unexpected::Bytes(bytes),
            Self::Array => Unexpected::Seq,
            Self::Object => Unexpected::Map,
        };
        de::Error::invalid_type(found, expected)
    }
}

/// Why nothing was read.
#[derive(Debug)]
pub(crate) struct ReadError(Box<Problem>);

#[derive(Debug)]
enum Problem {
    /// The source is not in its format. What exactly is wrong, whoever reads it as a whole says better.
    Syntax,
    /// It is not this model.
    Model(String),
}

impl ReadError {
    #[cold]
    pub(crate) fn syntax() -> Self {
        Self(Box::new(Problem::Syntax))
    }

    /// What the model says; `None` where it is the source's format that is wrong.
    pub(crate) fn message(&self) -> Option<&str> {
        match &*self.0 {
            Problem::Syntax => None,
            Problem::Model(message) => Some(message),
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message().unwrap_or("malformed"))
    }
}

impl std::error::Error for ReadError {}

impl de::Error for ReadError {
    #[cold]
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(Box::new(Problem::Model(message.to_string())))
    }
}

/// The refusal of text that a Rust string cannot hold.
#[cold]
fn lone_surrogate() -> ReadError {
    de::Error::custom("invalid value: a string with a lone surrogate")
}

/// What is to be read: a place for it, whose type the source need not know.
pub(crate) trait Target<'de> {
    /// Fills the place.
    fn fill(&mut self, reader: Reader<'_, 'de>) -> Result<(), ReadError>;
}

impl<'de, T: Deserialize<'de>> Target<'de> for Option<T> {
    fn fill(&mut self, reader: Reader<'_, 'de>) -> Result<(), ReadError> {
        match T::deserialize(reader) {
            Ok(value) => {
                *self = Some(value);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

/// What `read` filled a place with.
pub(crate) fn filled<T>(read: impl FnOnce(&mut Option<T>) -> Result<(), Error>) -> Result<T, Error> {
    let mut place = None;
    read(&mut place)?;
    match place {
        Some(value) => Ok(value),
        None => Err(nothing()),
    }
}

#[cold]
pub(crate) fn nothing() -> Error {
    Error::new(ErrorKind::Invalid, "value").found("nothing to read")
}

/// The value that comes next in a source.
pub(crate) struct Reader<'s, 'de>(pub(crate) &'s mut (dyn Source<'de> + 's));

impl<'de> Reader<'_, 'de> {
    // Each of these spells its matches out: a closure or a `?` would be one more function for each model.

    fn array<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let depth = self.0.depth();
        let mut elements = Elements { source: self.0, at: 0, depth };
        match visitor.visit_seq(&mut elements) {
            Ok(value) => match elements.end() {
                None => Ok(value),
                Some(error) => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    fn object<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let depth = self.0.depth();
        visitor.visit_map(&mut Entries { source: self.0, name: Name::Str(Cow::Borrowed("")), depth })
    }

    fn only_array<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match opens(self.0, true, &visitor) {
            None => self.array(visitor),
            Some(error) => Err(error),
        }
    }

    fn only_object<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        if let Some(error) = opens(self.0, false, &visitor) {
            return Err(error);
        }
        self.object(visitor)
    }

    /// A value of any kind.
    fn any<V: Visitor<'de>>(self, token: Token<'de>, visitor: V) -> Result<V::Value, ReadError> {
        match token {
            Token::Surrogates(text) => visitor.visit_byte_buf(exact_text(&text)),
            Token::I128(_) | Token::U128(_) | Token::Digits(_) => match large(self.0, &token) {
                Integer::Float(value) => visitor.visit_f64(value),
                Integer::Exact(bytes) => visitor.visit_byte_buf(bytes),
            },
            token => self.token(token, visitor),
        }
    }

    /// Text, of which one with lone surrogates is for [`Text`] alone.
    fn text<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.0.next() {
            Ok(Token::Surrogates(text)) => {
                visitor.visit_byte_buf(exact_text(&text)).map_err(|_: ReadError| lone_surrogate())
            }
            Ok(token) => self.token(token, visitor),
            Err(error) => Err(error),
        }
    }

    /// An integer, which JSON may write as `3.0` or `1e3`.
    fn integer<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        // As many as 63 bits hold.
        const END: f64 = 9_223_372_036_854_775_808.0;
        match self.0.next() {
            Ok(Token::F64(value)) if value.fract() == 0.0 && (-END..END).contains(&value) => {
                visitor.visit_i64(value as i64)
            }
            Ok(token) => self.token(token, visitor),
            Err(error) => Err(error),
        }
    }

    /// A number with all its digits.
    fn exact<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.0.next() {
            Ok(Token::Digits(digits)) => visitor.visit_byte_buf(exact_integer(&digits)),
            Ok(token) => self.token(token, visitor),
            Err(error) => Err(error),
        }
    }

    /// A value of the kind that the visitor is for.
    fn typed<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.0.next() {
            Ok(token) => self.token(token, visitor),
            Err(error) => Err(error),
        }
    }

    fn token<V: Visitor<'de>>(self, token: Token<'de>, visitor: V) -> Result<V::Value, ReadError> {
        match token {
            Token::Null => visitor.visit_unit(),
            Token::Bool(value) => visitor.visit_bool(value),
            Token::I64(value) => visitor.visit_i64(value),
            Token::U64(value) => visitor.visit_u64(value),
            Token::I128(value) => visitor.visit_i128(value),
            Token::U128(value) => visitor.visit_u128(value),
            Token::F64(value) => visitor.visit_f64(value),
            Token::Str(text) => visitor.visit_borrowed_str(text),
            Token::String(text) => visitor.visit_string(text),
            Token::Surrogates(_) => Err(lone_surrogate()),
            Token::Digits(_) => Err(de::Error::custom("invalid value: an integer beyond 128 bits")),
            Token::Bytes(bytes) => visitor.visit_borrowed_bytes(bytes),
            Token::Array => self.array(visitor),
            Token::Object => self.object(visitor),
        }
    }
}

macro_rules! typed {
    ($how:ident: $($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
            self.$how(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for Reader<'_, 'de> {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.0.next() {
            Ok(token) => self.any(token, visitor),
            Err(error) => Err(error),
        }
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.0.next_float() {
            Ok(token) => self.token(token, visitor),
            Err(error) => Err(error),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        if !self.0.is_null() {
            return visitor.visit_some(self);
        }
        match self.0.skip() {
            Ok(()) => visitor.visit_none(),
            Err(error) => Err(error),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        if name == EXACT { self.exact(visitor) } else { visitor.visit_newtype_struct(self) }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.only_array(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, ReadError> {
        self.only_array(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        self.only_array(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.only_object(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        self.only_object(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        let (name, holds) = variant(self.0)?;
        let depth = self.0.depth();
        match visitor.visit_enum(Variant { source: &mut *self.0, name, holds }) {
            Ok(value) => match variant_end(self.0, holds, depth) {
                Ok(()) => Ok(value),
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.0.skip() {
            Ok(()) => visitor.visit_unit(),
            Err(error) => Err(error),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.text(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.text(visitor)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, ReadError> {
        self.typed(visitor)
    }

    typed! { integer:
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
    }

    typed! { typed:
        deserialize_bool deserialize_char deserialize_bytes deserialize_byte_buf deserialize_unit deserialize_identifier
    }
}

enum Integer {
    Float(f64),
    Exact(Vec<u8>),
}

/// An integer beyond 64 bits, as the source has them read.
#[cold]
fn large(source: &mut dyn Source<'_>, token: &Token<'_>) -> Integer {
    let digits = match token {
        Token::I128(value) => value.to_string(),
        Token::U128(value) => value.to_string(),
        Token::Digits(digits) => digits.to_string(),
        _ => String::new(),
    };
    let large = source.large();
    large.met = true;
    match digits.parse() {
        Ok(value) if large.as_floats => Integer::Float(value),
        _ => Integer::Exact(exact_integer(&digits)),
    }
}

/// What is wrong where no array, or no object, comes next.
fn opens(source: &mut dyn Source<'_>, array: bool, expected: &dyn Expected) -> Option<ReadError> {
    match if array { source.next_array() } else { source.next() } {
        Ok(Token::Array) if array => None,
        Ok(Token::Object) if !array => None,
        Ok(other) => Some(other.unexpected(expected)),
        Err(error) => Some(error),
    }
}

const VARIANT: &str = "a variant: a string, or an object of one entry";

/// The name of the variant that comes next, and whether it holds something.
fn variant<'de>(source: &mut dyn Source<'de>) -> Result<(Name<'de>, bool), ReadError> {
    match source.next()? {
        Token::Str(name) => Ok((Name::Str(Cow::Borrowed(name)), false)),
        Token::String(name) => Ok((Name::Str(Cow::Owned(name)), false)),
        Token::Object => match source.name(source.depth())? {
            Some(name) => Ok((name, true)),
            None => Err(de::Error::invalid_type(Unexpected::Other("an empty object"), &VARIANT)),
        },
        other => Err(other.unexpected(&VARIANT)),
    }
}

fn variant_end(source: &mut dyn Source<'_>, holds: bool, depth: usize) -> Result<(), ReadError> {
    if holds && source.name(depth)?.is_some() {
        return Err(de::Error::invalid_type(Unexpected::Other("an object of several entries"), &VARIANT));
    }
    Ok(())
}

struct Elements<'s, 'de> {
    source: &'s mut (dyn Source<'de> + 's),
    at: usize,
    depth: usize,
}

impl Elements<'_, '_> {
    fn next(&mut self) -> Result<bool, ReadError> {
        let more = self.source.element(self.depth)?;
        self.at += usize::from(more);
        Ok(more)
    }

    /// A tuple takes no more than it holds.
    fn end(&mut self) -> Option<ReadError> {
        match self.next() {
            Ok(false) => None,
            Ok(true) => Some(de::Error::invalid_length(self.at, &"fewer elements")),
            Err(error) => Some(error),
        }
    }
}

impl<'de> SeqAccess<'de> for &mut Elements<'_, 'de> {
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, ReadError> {
        match self.next() {
            Ok(false) => Ok(None),
            Ok(true) => match seed.deserialize(Reader(&mut *self.source)) {
                Ok(value) => Ok(Some(value)),
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        }
    }
}

struct Entries<'s, 'de> {
    source: &'s mut (dyn Source<'de> + 's),
    name: Name<'de>,
    depth: usize,
}

impl Entries<'_, '_> {
    fn next(&mut self) -> Result<bool, ReadError> {
        match self.source.name(self.depth)? {
            Some(name) => self.name = name,
            None => return Ok(false),
        }
        Ok(true)
    }
}

impl<'de> MapAccess<'de> for &mut Entries<'_, 'de> {
    type Error = ReadError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ReadError> {
        match self.next() {
            Ok(false) => Ok(None),
            Ok(true) => match seed.deserialize(&self.name) {
                Ok(key) => Ok(Some(key)),
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, ReadError> {
        seed.deserialize(Reader(&mut *self.source))
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
            match self.as_str().and_then(|name| name.parse().ok()) {
                Some(value) => visitor.$visit(value),
                None => self.deserialize_any(visitor),
            }
        }
    )*};
}

impl Name<'_> {
    fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(name) => Some(name),
            Self::Surrogates(_) => None,
        }
    }
}

/// A name may be meant as a number.
impl<'de> Deserializer<'de> for &Name<'de> {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self {
            Name::Str(Cow::Borrowed(name)) => visitor.visit_borrowed_str(name),
            Name::Str(Cow::Owned(name)) => visitor.visit_str(name),
            Name::Surrogates(name) => visitor.visit_byte_buf(exact_text(name)).map_err(|_: ReadError| lone_surrogate()),
        }
    }

    /// Fields and variants.
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self {
            Name::Str(name) => visitor.visit_str(name),
            Name::Surrogates(_) => self.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        match self.as_str() {
            Some(name) => visitor.visit_enum(name.into_deserializer()),
            None => Err(lone_surrogate()),
        }
    }

    numbers! {
        deserialize_bool visit_bool
        deserialize_i8 visit_i8 deserialize_i16 visit_i16 deserialize_i32 visit_i32 deserialize_i64 visit_i64
        deserialize_u8 visit_u8 deserialize_u16 visit_u16 deserialize_u32 visit_u32 deserialize_u64 visit_u64
        deserialize_i128 visit_i128 deserialize_u128 visit_u128
        deserialize_f32 visit_f32 deserialize_f64 visit_f64
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct ignored_any
    }
}

/// A variant: its name, and whether what it holds comes next.
struct Variant<'s, 'de> {
    source: &'s mut (dyn Source<'de> + 's),
    name: Name<'de>,
    holds: bool,
}

impl<'s, 'de> EnumAccess<'de> for Variant<'s, 'de> {
    type Error = ReadError;
    type Variant = Held<'s, 'de>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Held<'s, 'de>), ReadError> {
        match seed.deserialize(&self.name) {
            Ok(variant) => Ok((variant, Held { source: self.source, holds: self.holds })),
            Err(error) => Err(error),
        }
    }
}

struct Held<'s, 'de> {
    source: &'s mut (dyn Source<'de> + 's),
    holds: bool,
}

impl<'s, 'de> Held<'s, 'de> {
    fn reader(self) -> Result<Reader<'s, 'de>, ReadError> {
        if self.holds { Ok(Reader(self.source)) } else { Err(de::Error::custom("the variant's content is missing")) }
    }
}

impl<'de> VariantAccess<'de> for Held<'_, 'de> {
    type Error = ReadError;

    fn unit_variant(self) -> Result<(), ReadError> {
        if !self.holds {
            return Ok(());
        }
        match self.source.next()? {
            Token::Null => Ok(()),
            other => Err(other.unexpected(&"nothing beside the variant's name")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, ReadError> {
        match self.reader() {
            Ok(reader) => seed.deserialize(reader),
            Err(error) => Err(error),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, ReadError> {
        match self.reader() {
            Ok(reader) => reader.only_array(visitor),
            Err(error) => Err(error),
        }
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, ReadError> {
        match self.reader() {
            Ok(reader) => reader.only_object(visitor),
            Err(error) => Err(error),
        }
    }
}
