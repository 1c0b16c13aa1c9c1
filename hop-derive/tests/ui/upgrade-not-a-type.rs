use hop_core::HopModel;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(version = 2, upgrade_from = "DonutV1")]
struct Donut;

fn main() {}
