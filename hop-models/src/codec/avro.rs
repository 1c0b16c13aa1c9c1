use std::any::TypeId;
use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::{PoisonError, RwLock};

use bytes::Bytes;
use hop_core::{Codec, Content, Error, ErrorKind, Location, MessageModel, excerpt};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::avro::{self, Schema};

/// [Avro](https://avro.apache.org/docs/1.12.0/specification/) of the model's fields, by a schema `S`, in a framing `F`.
///
/// For alerts by the million whose schema is agreed on: the names are in the schema and not in the message, and brokers of the
/// surveys speak it.
///
/// | codec | schema | content |
/// |---|---|---|
/// | `Avro` | that of the struct | an object container file of one record, with the schema in it |
/// | `Avro<DonutSchema>` | of a file, by [`avsc!`](crate::avsc) | the same |
/// | `Avro<DonutSchema, Confluent<7>>` | of a file | a datum behind the number that the schema has in a registry |
/// | `Avro<Derived, SingleObject>` | that of the struct | a datum behind the fingerprint of the schema |
///
/// ```
/// use hop_core::{HopModel, MessageModel};
/// use hop_models::AvroBlob;
/// use hop_models::codec::Avro;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize, HopModel)]
/// #[hop(format = "avro-donut", codec = Avro)]
/// struct Donut {
///     flavor: String,
///     holes: Option<i32>,
/// }
///
/// let donut = Donut { flavor: "maple".into(), holes: None };
/// let content = donut.encode()?;
/// assert_eq!(Donut::decode((&content).into())?, donut);
///
/// let file = AvroBlob::decode((&content).into())?;
/// assert_eq!(file.record()?["flavor"].as_str(), Some("maple"));
/// assert_eq!(
///     file.schema().map(|schema| schema.canonical()),
///     Some(concat!(
///         r#"{"name":"Donut","type":"record","fields":[{"name":"flavor","type":"string"},"#,
///         r#"{"name":"holes","type":["null","int"]}]}"#,
///     )),
/// );
/// # Ok::<(), hop_core::Error>(())
/// ```
///
/// A container carries its schema, which may be another than `S`. Where `S` is of a file, Avro's schema resolution applies:
/// fields that the writer has not have the defaults in `S`, and aliases and promotions hold; where the two do not resolve,
/// and for `Derived`, fields are matched by name, and absent ones are as serde has it. A datum is read by `S` alone. Dates, times and decimals are text for a field that is text, and
/// the number underneath for one that is a number; `bytes` and `fixed` are bytes, or a list of numbers; an enum whose
/// variants hold fields is a union of records of the variants' names.
///
/// # Limits
/// Exactly one record. Integers have 64 bits. Content is held to [`Limits`](hop_core::Limits) as that of [`AvroBlob`](crate::AvroBlob) is.
#[derive(Debug, Clone, Copy)]
pub struct Avro<S = Derived, F = Container>(PhantomData<fn() -> (S, F)>);

/// Where the schema of models of type `M` comes from.
pub trait AvroSchema<M> {
    /// The schema.
    ///
    /// # Errors
    /// When there is none that Avro takes, with the path to the trouble.
    fn schema() -> Result<Schema, Error>;

    /// Whether a container that was written by another schema is read by this one's aliases and defaults.
    const RESOLVES: bool = true;
}

/// The schema of the model itself, made of its [`MessageModel::schema`]; see [`Schema::from_json_schema`].
#[derive(Debug, Clone, Copy)]
pub struct Derived;

impl<M: MessageModel> AvroSchema<M> for Derived {
    /// It knows less than serde does, which has the aliases and the defaults.
    const RESOLVES: bool = false;

    fn schema() -> Result<Schema, Error> {
        kept::<M>(|| match M::schema() {
            Some(json) => Schema::from_json_schema(&json),
            None => Err(Error::new(ErrorKind::Unsupported, M::FORMAT)
                .expected("a model with a schema")
                .found("one without")
                .help("write `MessageModel::schema`, or give the codec an `.avsc`: `Avro<DonutSchema>`")),
        })
    }
}

/// A schema that stands in the sources of the model; [`avsc!`](crate::avsc) makes one.
pub trait Avsc: 'static {
    /// The schema.
    const TEXT: &'static str;
}

impl<M, S: Avsc> AvroSchema<M> for S {
    fn schema() -> Result<Schema, Error> {
        kept::<S>(|| Schema::parse(S::TEXT))
    }
}

/// Makes a type of an Avro schema in a file, for [`Avro`](crate::codec::Avro); the path is that of [`include_str!`]. After
/// `text` stands the schema itself: `DonutSchema = text r#"{"type": "record", …}"#`.
///
/// The schema becomes part of the program. It is parsed when it is first needed, and by a test that comes with it, under the
/// name of the type: so `cargo test` says what is wrong with it.
///
/// ```
/// use hop_core::{HopModel, MessageModel};
/// use hop_models::codec::{Avro, Confluent};
/// use serde::{Deserialize, Serialize};
///
/// hop_models::avsc!(
///     /// What the shop's topic carries.
///     DonutSchema = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/codec/donut.avsc")
/// );
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize, HopModel)]
/// #[hop(format = "shop-donut", codec = Avro<DonutSchema, Confluent<7>>)]
/// struct Donut {
///     category: String,
///     flavor: String,
///     has_filling: bool,
/// }
///
/// let donut = Donut { category: "cake".into(), flavor: "maple".into(), has_filling: false };
/// assert_eq!(donut.encode()?, &b"\0\0\0\0\x07\x08cake\x0amaple\0"[..]);
/// # Ok::<(), hop_core::Error>(())
/// ```
#[macro_export]
macro_rules! avsc {
    ($(#[$attribute:meta])* $visibility:vis $name:ident = text $text:literal $(,)?) => {
        $crate::avsc!(@type [$(#[$attribute])*] $visibility $name, $text, "the text");
    };
    (@type [$(#[$attribute:meta])*] $visibility:vis $name:ident, $text:expr, $place:expr) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy)]
        $visibility enum $name {}

        impl $crate::codec::Avsc for $name {
            const TEXT: &'static str = $text;
        }

        // A type of no values leaves its name free for a function.
        #[cfg(test)]
        #[test]
        #[allow(non_snake_case, reason = "the test has the name of the schema")]
        fn $name() {
            let parsed = $crate::avro::Schema::parse(<$name as $crate::codec::Avsc>::TEXT);
            ::core::assert!(parsed.is_ok(), "{}: {:?}", $place, parsed.err());
        }
    };
    ($(#[$attribute:meta])* $visibility:vis $name:ident = $path:expr $(,)?) => {
        $crate::avsc!(
            @type [$(#[$attribute])* #[doc = ::core::concat!("\n\nThe schema in `", $path, "`.")]] $visibility $name,
            ::core::include_str!($path), $path
        );
    };
}

/// How a datum stands in the content: [`Container`], [`Confluent`] or [`SingleObject`].
pub trait Framing: sealed::Framing {}

mod sealed {
    use super::{Bytes, Content, Error, Schema};

    pub trait Framing {
        /// The datum of `content` and its schema, checked, and alone.
        fn open(content: Content<'_>, own: fn() -> Result<Schema, Error>) -> Result<(Schema, Bytes), Error>;

        fn close(schema: &Schema, datum: Vec<u8>) -> Bytes;
    }
}

/// An [object container file](https://avro.apache.org/docs/1.12.0/specification/#object-container-files), which carries its
/// schema: what hop-client reads and writes as `avro`.
#[derive(Debug, Clone, Copy)]
pub struct Container;

/// A datum behind a zero byte and the number that its schema has in a registry, in
/// [Confluent's framing](https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format).
///
/// Content by another schema is refused with its number: a model for each, and evolution between them.
#[derive(Debug, Clone, Copy)]
pub struct Confluent<const ID: u32>;

/// A datum in [single-object encoding](https://avro.apache.org/docs/1.12.0/specification/#single-object-encoding): behind
/// `C3 01` and the fingerprint of its schema.
#[derive(Debug, Clone, Copy)]
pub struct SingleObject;

impl Framing for Container {}
impl<const ID: u32> Framing for Confluent<ID> {}
impl Framing for SingleObject {}

impl sealed::Framing for Container {
    fn open(content: Content<'_>, _own: fn() -> Result<Schema, Error>) -> Result<(Schema, Bytes), Error> {
        avro::only_record(content)
    }

    fn close(schema: &Schema, datum: Vec<u8>) -> Bytes {
        avro::container_of(schema, &datum.into())
    }
}

impl<const ID: u32> sealed::Framing for Confluent<ID> {
    fn open(content: Content<'_>, own: fn() -> Result<Schema, Error>) -> Result<(Schema, Bytes), Error> {
        let framed = content.to_bytes();
        match avro::split_confluent(&framed) {
            Some((id, datum)) if id == ID => datum_of(own()?, datum, content),
            Some((other, _)) => Err(Error::new(ErrorKind::Unsupported, avro::LABEL)
                .expected(format!("a datum by schema {ID} of the registry"))
                .found(format!("one by schema {other}"))
                .at(Location::Byte(1))
                .help("a model whose codec names that schema reads it")),
            None => Err(unframed("a datum in Confluent's framing, which starts with a zero byte", &content)),
        }
    }

    fn close(_schema: &Schema, datum: Vec<u8>) -> Bytes {
        [&[0][..], &ID.to_be_bytes(), &datum].concat().into()
    }
}

impl sealed::Framing for SingleObject {
    fn open(content: Content<'_>, own: fn() -> Result<Schema, Error>) -> Result<(Schema, Bytes), Error> {
        let framed = content.to_bytes();
        let Some((fingerprint, datum)) = avro::split_single_object(&framed) else {
            return Err(unframed("a datum in single-object encoding, which starts with `\\xc3\\x01`", &content));
        };
        let schema = own()?;
        if fingerprint != schema.fingerprint() {
            return Err(Error::new(ErrorKind::Unsupported, avro::LABEL)
                .expected(format!("a datum by the schema of fingerprint {:016x}", schema.fingerprint()))
                .found(format!("one by {fingerprint:016x}"))
                .at(Location::Byte(2))
                .help("a model whose codec has that schema reads it"));
        }
        datum_of(schema, datum, content)
    }

    fn close(schema: &Schema, datum: Vec<u8>) -> Bytes {
        [&[0xC3, 0x01][..], &schema.fingerprint().to_le_bytes(), &datum].concat().into()
    }
}

fn datum_of(schema: Schema, datum: Bytes, content: Content<'_>) -> Result<(Schema, Bytes), Error> {
    avro::check_datum(&schema, &datum, content.limits())?;
    Ok((schema, datum))
}

#[cold]
fn unframed(expected: &'static str, content: &[u8]) -> Error {
    let error = Error::new(ErrorKind::Malformed, avro::LABEL).expected(expected).at(Location::Byte(0));
    match content {
        [] => error.found("no content"),
        [b'O', b'b', b'j', 1, ..] => {
            error.found("an object container file").help("the codec `Avro`, or the format `avro`, reads those")
        }
        other => error.found(excerpt(other)),
    }
}

impl<M, S, F> Codec<M> for Avro<S, F>
where
    M: Serialize + DeserializeOwned,
    S: AvroSchema<M>,
    F: Framing,
{
    fn decode(format: &'static str, content: Content<'_>) -> Result<M, Error> {
        let read = || {
            content.check_size(format)?;
            let (schema, datum) = F::open(content, S::schema)?;
            match S::RESOLVES {
                true => avro::read_resolved(&schema, &S::schema()?, &datum, content.limits()),
                false => avro::read_datum(&schema, &datum),
            }
        };
        read().map_err(|error| error.about(format))
    }

    fn encode(format: &'static str, model: &M) -> Result<Bytes, Error> {
        let write = || {
            let schema = S::schema()?;
            let datum = avro::write_datum(&schema, model)?;
            Ok(F::close(&schema, datum))
        };
        write().map_err(|error: Error| error.about(format))
    }
}

/// The schema that belongs to the type `T`, made when it is first asked for.
fn kept<T: 'static>(make: impl FnOnce() -> Result<Schema, Error>) -> Result<Schema, Error> {
    static KEPT: RwLock<Option<HashMap<TypeId, Schema>>> = RwLock::new(None);
    let key = TypeId::of::<T>();
    let found = |kept: &Option<HashMap<TypeId, Schema>>| kept.as_ref()?.get(&key).cloned();
    if let Some(schema) = found(&KEPT.read().unwrap_or_else(PoisonError::into_inner)) {
        return Ok(schema);
    }
    let schema = make()?;
    let mut kept = KEPT.write().unwrap_or_else(PoisonError::into_inner);
    kept.get_or_insert_default().insert(key, schema.clone());
    Ok(schema)
}
