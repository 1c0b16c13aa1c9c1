use hop_core::HopModel;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, HopModel)]
struct Donut {
    flavor: String,
}

fn main() {}
