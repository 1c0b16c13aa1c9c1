//! One model, in a crate that its user gives another name.

use hop_core::HopModel;
use serde::{Deserialize, Serialize};

/// A model.
#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(format = "linkage-apart")]
pub struct Apart;
