use hop_core::HopModel;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
struct DonutV1;

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(version = 2, upgrade_from = DonutV1)]
struct Donut;

impl From<DonutV1> for Donut {
    fn from(_: DonutV1) -> Self {
        Self
    }
}

fn main() {}
