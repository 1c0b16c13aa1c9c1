//! Message models of one's own: all that a third party's crate has to hold.
//!
//! It depends on `hop-core` (feature `derive`) and `serde`, and on nothing else of hop. Any program that names it,
//! `use donut_model as _;` at least, reads and writes these models by their labels:
//!
//! | label | model |
//! |---|---|
//! | `donut` | [`Donut`], as small as a model gets |
//! | `snews-alert` | [`SnewsAlert`], with what alerts are made of: nested parts, a list, choices, values that may be missing |
//!
//! ```
//! use hop_core::{Encoder, Registry};
//! use donut_model::Donut;
//!
//! let donut = Donut { category: "cake".into(), flavor: "maple".into(), has_filling: false };
//! let sent = Encoder::new().encode(&donut)?;
//!
//! let received = Registry::linked()?.decode(&sent.headers, (&sent.content).into())?;
//! assert_eq!(received.model.downcast_ref::<Donut>(), Some(&donut));
//! # Ok::<(), hop_core::Error>(())
//! ```
//!
//! `tests/fixtures.rs` shows how to hold models to messages kept as files.

mod donut;
mod snews;

pub use crate::donut::Donut;
pub use crate::snews::{Coincidence, Detector, Direction, SnewsAlert, Status};
