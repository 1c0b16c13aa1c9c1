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
#[cfg(feature = "testing")]
pub mod testing;
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
/// | attribute | what it sets |
/// |---|---|
/// | `#[hop(format = "donut")]` | the label, 1 to 64 of `a-z`, `0-9`, `-`, `_`, `.`, and none of hop's own |
/// | `#[hop(crate = path)]` | where `hop_core` is, for a crate that renames or re-exports it |
///
/// How fields are named, left out or defaulted is serde's to say (`#[serde(rename = "…")]`, `#[serde(default)]`).
///
/// A program finds the model if it names the model's crate; see [`register!`].
#[cfg(feature = "derive")]
pub use hop_derive::HopModel;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
