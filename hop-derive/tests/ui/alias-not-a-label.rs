use hop_core::HopModel;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(format = "donut", aliases("Doughnut", "dough nut", "voevent", "donut", "krapfen", "krapfen"))]
struct Donut;

fn main() {}
