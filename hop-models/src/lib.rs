//! The message formats of the transient-astronomy networks, as models for hop.
//!
//! | label | model | module |
//! |---|---|---|
//! | `voevent` | [`VoEvent`] | [`voevent`] |
//! | `circular` | [`Circular`] | [`gcn::circular`] |
//! | `gcntextnotice` | [`TextNotice`] | [`gcn::notice`] |
//! | `avro` | [`AvroBlob`] | [`avro`] |
//! | `external` | [`External`] | [`external`] |
//! | `json`, `blob` | [`JsonBlob`], [`Blob`] | of `hop-core` |
//!
//! [`codec`] has Avro and XML for models of one's own.
//!
//! A program that names this crate finds them in [`Registry::linked`](hop_core::Registry::linked). One that wants to be
//! sure puts [`MODELS`] into its registry by hand.

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod avro;
pub mod codec;
pub mod external;
pub mod gcn;
mod sexagesimal;
pub mod summary;
pub mod voevent;

pub use hop_core::{Blob, JsonBlob};
use hop_core::{Registration, registration};

pub use crate::avro::AvroBlob;
pub use crate::external::External;
pub use crate::gcn::{Circular, TextNotice};
pub use crate::voevent::VoEvent;

/// The models of this crate, for [`RegistryBuilder::models`](hop_core::RegistryBuilder::models).
pub const MODELS: [Registration; 5] = [
    registration!(VoEvent),
    registration!(Circular),
    registration!(TextNotice),
    registration!(AvroBlob),
    registration!(External),
];

hop_core::register!(VoEvent, Circular, TextNotice, AvroBlob, External);
