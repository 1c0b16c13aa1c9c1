//! `#[derive(HopModel)]`: a struct or an enum becomes a message model that hop finds by its label.
//!
//! It is re-exported by `hop-core` under the feature `derive`; depend on that, and on `serde`:
//!
//! ```
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
//! # Attributes
//!
//! | attribute | what it sets | left out |
//! |---|---|---|
//! | `#[hop(format = "donut")]` | the label in the `_format` header | the type's name in lower case |
//! | `#[hop(example = path)]` | a function that makes a small one, for `hop demo` and self-tests | none |
//! | `#[hop(crate = path)]` | where `hop_core` is, for a crate that renames or re-exports it | `::hop_core` |
//!
//! A label is 1 to 64 of `a-z`, `0-9`, `-`, `_`, `.`; the labels of hop itself (`voevent`, `circular`, `gcntextnotice`,
//! `avro`, `external`, `json`, `blob`) are taken. Fields carry no `#[hop]`: how they are named, left out or defaulted is
//! serde's to say.
//!
//! # What it makes
//!
//! One `impl MessageModel`, which reads and writes JSON through serde, and one entry in the registry under the name and
//! the version of the crate it stands in. Nothing else: no other trait, no other item.
//!
//! The type must be `Debug + Send + Sync + 'static` and have serde's two traits. It has no parameters: the registry makes
//! a model from a label alone, which says nothing about a type or a lifetime to fill in.
//!
//! # Errors
//!
//! All mistakes of one type are reported at once, each where it stands. The type still counts as a model for the rest
//! of the compilation, so that they are not followed by errors about a missing `MessageModel`.

// attr: what the user wrote -> model: what it means, checked -> expand: the code for it.
mod attr;
mod expand;
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
