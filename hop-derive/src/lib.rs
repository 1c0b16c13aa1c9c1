//! `#[derive(HopModel)]`: a struct or an enum becomes a message model that hop finds by its label.
//!
//! It is re-exported by `hop-core` under the feature `derive`; depend on that, and on `serde`:
//!
//! ```standalone_crate
//! use hop_core::HopModel;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Debug, Serialize, Deserialize, HopModel)]
//! #[hop(format = "donut")]
//! struct Donut {
//!     category: String,
//!     flavor: String,
//!     has_filling: bool,
//! }
//!
//! let donut = hop_core::Registry::linked()?.require("donut")?;
//! assert_eq!(donut.type_name(), "Donut");
//! # Ok::<(), hop_core::Error>(())
//! ```
//!
//! # Keys
//!
//! | key | what it sets | left out |
//! |---|---|---|
//! | `format = "donut"` | the label in the `_format` header | the type's name in lower case |
//! | `aliases("doughnut", "krapfen")` | more labels that its messages come under | none |
//! | `codec = Type` | how it becomes content and back, an `impl hop_core::Codec` | `hop_core::codec::Json` |
//! | `load = path`, `dump = path` | functions for the file form, where that is not the content | the codec |
//! | `version = 2` | the version that its messages state | none stated |
//! | `upgrade_from = Type` | the model of an older version, which is read and converted | none |
//! | `example = path` | a function that makes a small one, for `hop demo` and self-tests | none |
//! | `crate = path` | where `hop_core` is, for a crate that renames or re-exports it | `::hop_core` |
//!
//! All go into `#[hop(…)]` above the type, in one or in several. A label is 1 to 64 of `a-z`, `0-9`, `-`, `_`, `.`; the
//! labels of hop itself (`voevent`, `circular`, `gcntextnotice`, `gcnnotice`, `gcnpacket`, `gwalert`, `avro`, `external`, `json`,
//! `blob`) are taken. Fields carry no `#[hop]`: how they are named, left out or defaulted is serde's to say.
//!
//! ## Other labels
//!
//! ```standalone_crate
//! # use hop_core::{HopModel, Registry};
//! # use serde::{Deserialize, Serialize};
//! #[derive(Debug, Serialize, Deserialize, HopModel)]
//! #[hop(format = "donut", aliases("doughnut"))]
//! struct Donut { flavor: String }
//!
//! let headers = [("_format", Some("Doughnut"))].into_iter().collect();
//! let received = Registry::linked()?.decode(&headers, r#"{"flavor": "maple"}"#.into())?;
//! assert_eq!(received.model.format(), "donut");
//! # Ok::<(), hop_core::Error>(())
//! ```
//!
//! ## A codec, and a file form
//!
//! The content of a message is made by the codec. A file may look different, as a person wants to edit it; `load` and
//! `dump` then take the place of the codec for files, each with the signature that it has here:
//!
//! ```standalone_crate
//! # use hop_core::HopModel;
//! # use serde::{Deserialize, Serialize};
//! use bytes::Bytes;
//! use hop_core::{Content, Error, ErrorKind, MessageModel};
//!
//! #[derive(Debug, PartialEq, Serialize, Deserialize, HopModel)]
//! #[hop(codec = hop_core::codec::Json, load = Pointing::from_file, dump = Pointing::to_file)]
//! struct Pointing { ra: f64, dec: f64 }
//!
//! impl Pointing {
//!     fn from_file(file: Content<'_>) -> Result<Self, Error> {
//!         let mut degrees = file.as_str(Self::FORMAT)?.split_whitespace().map(str::parse);
//!         match (degrees.next(), degrees.next()) {
//!             (Some(Ok(ra)), Some(Ok(dec))) => Ok(Self { ra, dec }),
//!             _ => Err(Error::new(ErrorKind::Malformed, Self::FORMAT).expected("right ascension and declination")),
//!         }
//!     }
//!
//!     fn to_file(&self) -> Result<Bytes, Error> {
//!         Ok(format!("{} {}\n", self.ra, self.dec).into())
//!     }
//! }
//!
//! let crab = Pointing::load("83.63 22.01".into())?;
//! assert_eq!(crab.encode()?, r#"{"ra": 83.63, "dec": 22.01}"#);
//! # Ok::<(), hop_core::Error>(())
//! ```
//!
//! ## Versions
//!
//! When a model changes, the old one stays, under another name, and the new one says what it replaces:
//!
//! ```standalone_crate
//! # use hop_core::{HopModel, Registry, MessageModel};
//! # use serde::{Deserialize, Serialize};
//! #[derive(Debug, Serialize, Deserialize, HopModel)]
//! #[hop(format = "donut")]
//! struct DonutV1 { flavor: String }
//!
//! #[derive(Debug, PartialEq, Serialize, Deserialize, HopModel)]
//! #[hop(format = "donut", version = 2, upgrade_from = DonutV1)]
//! struct Donut { flavors: Vec<String> }
//!
//! impl From<DonutV1> for Donut { // or `TryFrom`, where not every old one has a place among the new
//!     fn from(old: DonutV1) -> Self {
//!         Self { flavors: vec![old.flavor] }
//!     }
//! }
//!
//! let headers = [("_format", Some("donut"))].into_iter().collect();
//! let received = Registry::linked()?.decode(&headers, r#"{"flavor": "maple"}"#.into())?;
//! assert_eq!(received.model.downcast_ref(), Some(&Donut { flavors: vec!["maple".into()] }));
//!
//! let headers = [("_format", Some("donut")), ("format-version", Some("3"))].into_iter().collect();
//! let error = Registry::linked()?.decode(&headers, r#"{"flavors": []}"#.into()).unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "donut: expected version 2 or 1, which this program knows, found version 3; \
//!      a newer release of the model's crate may know it",
//! );
//! # Ok::<(), hop_core::Error>(())
//! ```
//!
//! The version stands in a header, `format-version: 2`, and not in the content: that is the fields and nothing else,
//! whatever the codec and whoever reads it. A message or a file that states none is tried as the newest version first. The
//! old model may have had another label, which then counts as an alias, and versions of its own: chains work. What is
//! sent is always the newest. `hop_core::Version` has the rules.
//!
//! ## Fields that the model does not have
//!
//! They are serde's, too, and are dropped unless the author says that they are to be kept, or refused:
//!
//! ```standalone_crate
//! # use hop_core::{HopModel, MessageModel};
//! # use serde::{Deserialize, Serialize};
//! #[derive(Debug, Serialize, Deserialize, HopModel)]
//! struct Keeps {
//!     flavor: String,
//!     #[serde(flatten)]
//!     more: hop_core::Object, // in the order in which they came
//! }
//!
//! #[derive(Debug, Serialize, Deserialize, HopModel)]
//! #[serde(deny_unknown_fields)]
//! struct Refuses {
//!     flavor: String,
//! }
//!
//! let content = r#"{"flavor": "maple", "glaze": true}"#;
//! assert_eq!(Keeps::decode(content.into())?.encode()?, content);
//! assert!(Refuses::decode(content.into()).is_err());
//! # Ok::<(), hop_core::Error>(())
//! ```
//!
//! A field of type `hop_core::Value` holds integers of any size, flattened or not.
//!
//! # What it makes
//!
//! One `impl MessageModel`, which reads and writes its fields through serde, and one entry in the registry under the name
//! and the version of the crate it stands in. Nothing else: no other trait, no other item. With hop-core's
//! feature `schema` it shows a schema: what serde tells of the fields, or that of `schemars::JsonSchema` where it is derived too.
//!
//! The type must be `Debug + Send + Sync + 'static` and have serde's two traits. It has no parameters: the registry makes
//! a model from a label alone, which says nothing about a type to fill in; and it has no lifetimes, for it outlives the
//! bytes that it is read from.
//!
//! # Errors
//!
//! All mistakes of one type are reported at once, each where it stands. The type still counts as a model for the rest
//! of the compilation, so that they are not followed by errors about a missing `MessageModel`.

#![cfg_attr(docsrs, feature(doc_cfg))]

// attr: what the user wrote -> model: what it means, checked -> expand: the code for it.
mod attr;
mod expand;
mod fixtures;
mod label;
mod mistakes;
mod model;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes a struct or an enum a message model; see the [crate](self).
#[proc_macro_derive(HopModel, attributes(hop))]
pub fn derive_hop_model(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand::derive(&input).into()
}

/// What `hop_core::fixtures!` is written with; it says what it makes.
#[doc(hidden)]
#[proc_macro]
pub fn fixtures(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as fixtures::Fixtures);
    fixtures::tests(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}
