#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod codec;
mod content;
mod decode;
mod encode;
mod envelope;
mod error;
mod fallback;
mod framing;
mod guarded;
mod id;
pub mod json;
mod limits;
mod model;
mod names;
mod payload;
mod plugins;
mod reader;
mod record;
mod registry;
pub mod schema;
mod schemas;
pub mod sky;
pub mod summary;
#[cfg(feature = "testing")]
pub mod testing;
pub mod time;
mod topic;
mod uuid_string;
mod value;
mod version;

pub use self::codec::Codec;
pub use self::content::Content;
pub use self::decode::{Announced, Decoded, Route};
pub use self::encode::{Encoder, Outgoing};
pub use self::error::{Error, ErrorKind, Location, escape_controls, excerpt};
pub use self::fallback::{Blob, JsonBlob};
pub use self::framing::{Frame, Framing, FramingRegistration};
pub use self::guarded::guarded;
pub use self::limits::Limits;
pub use self::model::{AnyModel, MessageModel};
pub use self::payload::Payload;
pub use self::record::{Header, Headers, Place, Record, header};
pub use self::registry::{Registration, Registry, RegistryBuilder};
pub use self::schemas::{SchemaChain, SchemaId, SchemaLanguage, SchemaSource, SchemaText};
pub use self::summary::Summary;
pub use self::topic::{TopicPattern, TopicRule, TopicRules};
pub use self::uuid_string::UuidString;
pub use self::value::{Integer, Object, Text, Value, nullable};
pub use self::version::{UpgradeFrom, Version};

/// Makes a struct or an enum with serde's traits a [`MessageModel`] and registers it; feature `derive`.
///
/// ```
/// use hop_core::{HopModel, Encoder, Registry};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize, HopModel)]
/// #[hop(format = "donut")] // left out: the type's name in lower case
/// struct Donut {
///     category: String,
///     flavor: String,
///     has_filling: bool,
/// }
///
/// let donut = Donut { category: "cake".into(), flavor: "maple".into(), has_filling: false };
/// let sent = Encoder::new().encode(&donut)?;
/// assert_eq!(sent.content, r#"{"category": "cake", "flavor": "maple", "has_filling": false}"#);
///
/// let received = Registry::linked()?.decode(&sent.headers, (&sent.content).into())?;
/// assert_eq!(received.model.downcast_ref(), Some(&donut));
/// # Ok::<(), hop_core::Error>(())
/// ```
///
/// Other labels, codecs, file forms and versions have keys of their own; [`hop_derive`] has them all. How fields are named,
/// left out or defaulted is serde's to say (`#[serde(rename = "…")]`, `#[serde(default)]`).
///
/// A program finds the model if it names the model's crate; see [`plugins!`].
#[cfg(feature = "derive")]
pub use hop_derive::HopModel;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
