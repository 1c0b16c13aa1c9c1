//! Optional numbers: an element or an attribute that is there and empty, as `<mag/>`, is `None`.
//!
//! Whether a number is asked for shows when the element is read, and then serde has no way back to `None`. So it is noted
//! which of the options in the document are such ones, and the document is read once more.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, IgnoredAny, MapAccess, SeqAccess, VariantAccess, Visitor,
};

/// The first time shows them all, unless the model refuses the number that stands for none.
const MOST_TIMES: usize = 8;

/// What `read` reads from the start of a document, which it does as often as need be.
pub(super) fn read<T, E>(read: impl Fn(&Options) -> Result<T, E>) -> Result<T, E> {
    let options = Options::default();
    for _ in 1..MOST_TIMES {
        let outcome = read(&options);
        if !options.again() {
            return outcome;
        }
    }
    read(&options)
}

/// The options of a document, in the order in which they are read.
#[derive(Debug, Default)]
pub(super) struct Options(RefCell<Counted>);

#[derive(Debug, Default)]
struct Counted {
    so_far: usize,
    empty: HashSet<usize>,
    /// Whether there is one more of them than before.
    more: bool,
}

impl Options {
    fn next(&self) -> (usize, bool) {
        let mut counted = self.0.borrow_mut();
        counted.so_far += 1;
        (counted.so_far, counted.empty.contains(&counted.so_far))
    }

    fn is_empty(&self, option: usize) {
        let mut counted = self.0.borrow_mut();
        counted.more |= counted.empty.insert(option);
    }

    /// Whether the document is to be read again, from its start.
    fn again(&self) -> bool {
        let mut counted = self.0.borrow_mut();
        counted.so_far = 0;
        std::mem::take(&mut counted.more)
    }
}

/// A deserializer, a visitor or an access to parts, and what is known of the options; inside one, its number.
pub(super) struct Noting<'o, T> {
    of: T,
    options: &'o Options,
    within: Option<usize>,
}

impl<'o, T> Noting<'o, T> {
    pub(super) fn new(of: T, options: &'o Options) -> Self {
        Self { of, options, within: None }
    }

    fn inside<U>(&self, of: U) -> Noting<'o, U> {
        Noting { of, options: self.options, within: None }
    }

    fn keeping<U>(&self, of: U) -> Noting<'o, U> {
        Noting { of, options: self.options, within: self.within }
    }
}

/// Text, borrowed or not.
struct Text;

impl Visitor<'_> for Text {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text")
    }

    fn visit_str<E>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_string<E>(self, text: String) -> Result<String, E> {
        Ok(text)
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident $one:expr;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            let Some(option) = self.within else {
                return self.of.$method(visitor);
            };
            let text = self.of.deserialize_str(Text)?;
            if text.trim_ascii().is_empty() {
                self.options.is_empty(option);
                return visitor.$visit($one);
            }
            match text.trim_ascii().parse() {
                Ok(number) => visitor.$visit(number),
                Err(_) => visitor.visit_string(text),
            }
        }
    )*};
}

macro_rules! plain {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            let visitor = self.inside(visitor);
            self.of.$method(visitor)
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Noting<'_, D> {
    type Error = D::Error;

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let (option, is_empty) = self.options.next();
        if is_empty {
            self.of.deserialize_ignored_any(IgnoredAny)?;
            return visitor.visit_none();
        }
        let visitor = Noting { of: visitor, options: self.options, within: Some(option) };
        self.of.deserialize_option(visitor)
    }

    numbers! {
        deserialize_bool visit_bool true;
        deserialize_i8 visit_i8 1; deserialize_i16 visit_i16 1; deserialize_i32 visit_i32 1;
        deserialize_i64 visit_i64 1; deserialize_i128 visit_i128 1;
        deserialize_u8 visit_u8 1; deserialize_u16 visit_u16 1; deserialize_u32 visit_u32 1;
        deserialize_u64 visit_u64 1; deserialize_u128 visit_u128 1;
        deserialize_f32 visit_f32 1.0; deserialize_f64 visit_f64 1.0;
    }

    plain! {
        deserialize_any deserialize_char deserialize_str deserialize_string deserialize_bytes deserialize_byte_buf
        deserialize_unit deserialize_seq deserialize_map deserialize_identifier deserialize_ignored_any
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        let visitor = self.inside(visitor);
        self.of.deserialize_unit_struct(name, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        let visitor = self.keeping(visitor);
        self.of.deserialize_newtype_struct(name, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, D::Error> {
        let visitor = self.inside(visitor);
        self.of.deserialize_tuple(length, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = self.inside(visitor);
        self.of.deserialize_tuple_struct(name, length, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = self.inside(visitor);
        self.of.deserialize_struct(name, fields, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = self.inside(visitor);
        self.of.deserialize_enum(name, variants, visitor)
    }
}

macro_rules! visits {
    ($($method:ident $of:ty;)*) => {$(
        fn $method<E: Error>(self, value: $of) -> Result<V::Value, E> {
            self.of.$method(value)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Noting<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.of.expecting(f)
    }

    visits! {
        visit_bool bool; visit_i8 i8; visit_i16 i16; visit_i32 i32; visit_i64 i64; visit_i128 i128;
        visit_u8 u8; visit_u16 u16; visit_u32 u32; visit_u64 u64; visit_u128 u128;
        visit_f32 f32; visit_f64 f64; visit_char char;
        visit_str &str; visit_borrowed_str &'de str; visit_string String;
        visit_bytes &[u8]; visit_borrowed_bytes &'de [u8]; visit_byte_buf Vec<u8>;
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.of.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.of.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        let deserializer = self.keeping(deserializer);
        self.of.visit_some(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        let deserializer = self.keeping(deserializer);
        self.of.visit_newtype_struct(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let access = self.inside(access);
        self.of.visit_seq(access)
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let access = self.inside(access);
        self.of.visit_map(access)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let access = self.inside(access);
        self.of.visit_enum(access)
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Noting<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        let deserializer = self.inside(deserializer);
        self.of.deserialize(deserializer)
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Noting<'_, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let seed = self.inside(seed);
        self.of.next_element_seed(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        self.of.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Noting<'_, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.of.next_key_seed(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let seed = self.inside(seed);
        self.of.next_value_seed(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        self.of.size_hint()
    }
}

impl<'de, 'o, A: EnumAccess<'de>> EnumAccess<'de> for Noting<'o, A> {
    type Error = A::Error;
    type Variant = Noting<'o, A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), A::Error> {
        let (value, variant) = self.of.variant_seed(seed)?;
        Ok((value, Noting::new(variant, self.options)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Noting<'_, A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.of.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        let seed = self.inside(seed);
        self.of.newtype_variant_seed(seed)
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, A::Error> {
        let visitor = self.inside(visitor);
        self.of.tuple_variant(length, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        let visitor = self.inside(visitor);
        self.of.struct_variant(fields, visitor)
    }
}
