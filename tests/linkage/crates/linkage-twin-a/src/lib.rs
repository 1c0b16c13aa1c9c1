//! A model under a label that another crate claims too.

use hop_core::HopModel;
use serde::{Deserialize, Serialize};

/// A model.
#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(format = "linkage-twin")]
pub struct Apple;
