//! One model, in a crate that the probe lists in its Cargo.toml and does not name.

use hop_core::HopModel;
use serde::{Deserialize, Serialize};

/// A model.
#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(format = "linkage-listed")]
pub struct Listed;
