use hop_core::HopModel;
use serde::{Deserialize, Serialize};

/// A donut, the model by which hop's documentation explains models.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, HopModel)]
#[hop(format = "donut", example = Donut::maple)]
pub struct Donut {
    /// The dough: `"cake"`, `"yeast"`, …
    pub category: String,
    /// What it tastes of.
    pub flavor: String,
    /// Whether there is something inside.
    pub has_filling: bool,
}

impl Donut {
    /// A cake donut with maple on top.
    fn maple() -> Self {
        Self { category: "cake".to_owned(), flavor: "maple".to_owned(), has_filling: false }
    }
}
