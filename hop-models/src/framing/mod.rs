//! Framings: what brokers wrap around content, as codecs of one shape.
//!
//! | name | framing | content | who |
//! |---|---|---|---|
//! | `container` | [`Container`] | an Avro object container file | ZTF, ALeRCE, Babamul, AMPEL |
//! | `confluent` | [`Confluent`] | a zero byte, the number of a schema in a registry, an Avro datum; or the schema in a header | Rubin, Confluent's serializers |
//! | `rubin` | [`rubin`] | the same, with Rubin's schemas at hand | Rubin |
//! | `single-object` | [`SingleObject`] | `C3 01`, the fingerprint of a schema, an Avro datum | |
//! | `schema-in-key` | [`SchemaInKey`] | an Avro datum, its schema as JSON in the record's key | Fink |
//! | `zlib-bson` | `ZlibBson`, feature `bson` | BSON, compressed with zlib | ANTARES |
//! | `gzip` | [`Gzip`] | anything, compressed with gzip | |
//!
//! A rule for a topic names one, or several joined by `+`, the innermost first: `confluent+gzip`. What comes out is read by
//! the rule's model: an Avro datum comes out as an object container file of one record, so that
//! [`AvroBlob`](crate::AvroBlob) and every model with the codec [`Avro`](crate::codec::Avro) read it, by their own schemas
//! where these are others; BSON comes out as JSON.
//!
//! ```
//! use std::sync::Arc;
//! use hop_core::{Encoder, Framing, Limits, Place, Record, Registry, TopicRule, TopicRules, Value};
//! use hop_models::AvroBlob;
//! use hop_models::framing::SchemaInKey;
//!
//! // As Fink sends it.
//! let alert = AvroBlob::new(Value::object([("objectId", "ZTF18abeoiol".into())]));
//! let sent = SchemaInKey::new().wrap("fink_sn_ztf", Encoder::new().encode(&alert)?)?;
//! let place = Place { topic: "fink_sn_ztf".into(), partition: 0, offset: 0 };
//! let record = Record { content: sent.content, key: sent.key, place: Some(place), ..Record::default() };
//!
//! let registry = Registry::linked()?;
//! let rule = TopicRule::new("fink_*", "avro")?.framed(Arc::new(SchemaInKey::new()));
//! let received = registry.decode_record(&record, &TopicRules::new([rule])?, &Limits::DEFAULT)?;
//! let received = received.model.downcast_ref::<AvroBlob>();
//! assert_eq!(received.map(|blob| blob.record()).transpose()?.map(|record| record["objectId"].as_str()), Some(Some("ZTF18abeoiol")));
//! # Ok::<(), hop_core::Error>(())
//! ```
//!
//! Schemas come from a [`SchemaSource`]: a registry (`hop_kafka::SchemaRegistry`), a folder
//! ([`SchemaFolder`]), the program itself ([`EmbeddedSchemas`]), or [several](hop_core::SchemaChain).

mod avro_datum;
mod confluent;
mod container;
mod embedded;
mod folder;
mod gzip;
mod inflate;
mod rubin;
mod schema_in_key;
mod single_object;
#[cfg(feature = "bson")]
mod zlib_bson;

use std::sync::Arc;

use hop_core::{Error, ErrorKind, FramingRegistration, SchemaSource};

pub use self::confluent::{Confluent, SubjectName};
pub use self::container::Container;
pub use self::embedded::EmbeddedSchemas;
pub use self::folder::SchemaFolder;
pub use self::gzip::Gzip;
pub use self::rubin::{rubin, rubin_schemas};
pub use self::schema_in_key::SchemaInKey;
pub use self::single_object::SingleObject;
#[cfg(feature = "bson")]
pub use self::zlib_bson::ZlibBson;

const CRATE: &str = env!("CARGO_PKG_NAME");

/// The framings of this crate that need no feature, for
/// [`RegistryBuilder::framings`](hop_core::RegistryBuilder::framings).
pub const FRAMINGS: [FramingRegistration; 6] = [
    FramingRegistration::new("container", CRATE, |_| Ok(Arc::new(Container))),
    FramingRegistration::new("confluent", CRATE, |schemas| Ok(Arc::new(Confluent::new(needed("confluent", schemas)?)))),
    FramingRegistration::new("rubin", CRATE, |schemas| Ok(Arc::new(rubin(schemas.cloned())))),
    FramingRegistration::new("single-object", CRATE, |schemas| {
        Ok(Arc::new(SingleObject::new(needed("single-object", schemas)?)))
    }),
    FramingRegistration::new("schema-in-key", CRATE, |schemas| {
        Ok(Arc::new(schemas.cloned().map_or_else(SchemaInKey::new, SchemaInKey::with_names)))
    }),
    FramingRegistration::new("gzip", CRATE, |_| Ok(Arc::new(Gzip))),
];

hop_core::register_framings!(FRAMINGS[0], FRAMINGS[1], FRAMINGS[2], FRAMINGS[3], FRAMINGS[4], FRAMINGS[5]);

#[cfg(feature = "bson")]
hop_core::register_framings!(FramingRegistration::new("zlib-bson", CRATE, |_| Ok(Arc::new(ZlibBson))));

fn needed(name: &'static str, schemas: Option<&Arc<dyn SchemaSource>>) -> Result<Arc<dyn SchemaSource>, Error> {
    schemas.cloned().ok_or_else(|| {
        Error::new(ErrorKind::UnknownSchema, name).expected("a source of schemas").found("none").help(
            "name a registry or a folder: `schema_source` of the stream, `registry` of the broker, `hop --registry`",
        )
    })
}
