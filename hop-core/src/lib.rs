#![doc = include_str!("../README.md")]

pub mod codec;
mod content;
mod decode;
mod encode;
mod envelope;
mod error;
mod fallback;
pub mod json;
mod limits;
mod model;
mod record;
mod registry;
mod value;

pub use self::codec::Codec;
pub use self::content::Content;
pub use self::decode::{Decoded, Route};
pub use self::encode::{Encoder, Outgoing};
pub use self::error::{Error, ErrorKind, Location, excerpt};
pub use self::fallback::{Blob, JsonBlob};
pub use self::limits::Limits;
pub use self::model::{AnyModel, MessageModel};
pub use self::record::{Header, Headers, Place, Record, header};
pub use self::registry::{Registration, Registry, RegistryBuilder};
pub use self::value::{Object, Text, Value};

#[cfg(feature = "derive")]
pub use hop_derive::HopModel;

/// What derived code names; not for people.
#[doc(hidden)]
pub mod __private {
    pub use bytes::Bytes;
    pub use inventory;
}
