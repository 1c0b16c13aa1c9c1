use hop_core::HopModel;
use serde::{Deserialize, Serialize};

/// A donut, the model by which hop's documentation explains models.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, HopModel)]
#[hop(format = "donut")]
pub struct Donut {
    /// The dough: `"cake"`, `"yeast"`, …
    pub category: String,
    /// What it tastes of.
    pub flavor: String,
    /// Whether there is something inside.
    pub has_filling: bool,
}
