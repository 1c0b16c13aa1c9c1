use hop_core::HopModel;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize, HopModel)]
struct DonutV1;

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(upgrade_from = DonutV1)]
struct Donut;

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(version = 1, upgrade_from = DonutV1)]
struct First;

fn main() {}
