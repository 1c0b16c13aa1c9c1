//! The message formats of the transient-astronomy networks, as models for hop.
//!
//! | label | model | module |
//! |---|---|---|
//! | `voevent` | [`VoEvent`] | [`voevent`] |
//! | `circular` | [`Circular`] | [`gcn::circular`] |
//! | `gcntextnotice` | [`TextNotice`] | [`gcn::notice`] |
//! | `gcnnotice` | [`GcnNotice`] | [`gcn::unified`] |
//! | `gcnpacket` | [`GcnPacket`] | [`gcn::packet`] |
//! | `gwalert` | [`GwAlert`] | [`gwalert`] |
//! | `avro` | [`AvroBlob`] | [`avro`] |
//! | `external` | [`External`] | [`external`] |
//! | `json`, `blob` | [`JsonBlob`], [`Blob`] | of `hop-core` |
//!
//! [`codec`] has Avro and XML for models of one's own; [`framing`] has what brokers wrap around content.
//!
//! A program that names this crate finds them in [`Registry::linked`](hop_core::Registry::linked). One that wants to be
//! sure puts [`MODELS`] into its registry by hand.

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod avro;
pub mod codec;
pub mod external;
pub mod framing;
pub mod gcn;
pub mod gwalert;
mod identity;
pub mod summary;
pub mod voevent;

pub use hop_core::{Blob, JsonBlob};
use hop_core::{Registration, registration};

pub use crate::avro::AvroBlob;
pub use crate::external::External;
pub use crate::gcn::{Circular, GcnNotice, GcnPacket, TextNotice};
pub use crate::gwalert::GwAlert;
pub use crate::identity::identity;
pub use crate::voevent::VoEvent;

/// The models of this crate, for [`RegistryBuilder::models`](hop_core::RegistryBuilder::models).
pub const MODELS: [Registration; 8] = [
    registration!(VoEvent),
    registration!(Circular),
    registration!(TextNotice),
    registration!(GcnNotice),
    registration!(GcnPacket),
    registration!(GwAlert),
    registration!(AvroBlob),
    registration!(External),
];

hop_core::register!(VoEvent, Circular, TextNotice, GcnNotice, GcnPacket, GwAlert, AvroBlob, External);
