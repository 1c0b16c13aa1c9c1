//! One model, in a crate that the probe names.

use hop_core::HopModel;
use serde::{Deserialize, Serialize};

/// A model.
#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(format = "linkage-named")]
pub struct Named;
