//! Codecs for derived models, beside those of [`hop_core::codec`].
//!
//! | codec | content | for |
//! |---|---|---|
//! | [`Avro`] | [Avro](https://avro.apache.org/docs/1.12.0/specification/): a file, or a datum in a frame | alerts by the million, whose schema is agreed on |
//! | [`Framed`] | another codec within a [framing](crate::framing) | what is compressed |
//! | `Xml`, feature `xml` | [XML](https://www.w3.org/TR/xml/) | what an older network asks for |

mod avro;
mod framed;
#[cfg(feature = "xml")]
mod xml;

pub use self::avro::{Avro, AvroSchema, Avsc, Confluent, Container, Derived, Framing, SingleObject};
pub use self::framed::Framed;
#[cfg(feature = "xml")]
pub use self::xml::Xml;
