use hop_core::HopModel;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(format = "donut", version = 3)]
struct DonutV3;

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(version = 2, upgrade_from = DonutV3)]
struct Donut;

impl From<DonutV3> for Donut {
    fn from(_: DonutV3) -> Self {
        Self
    }
}

fn main() {}
