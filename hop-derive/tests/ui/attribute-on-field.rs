use hop_core::HopModel;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize, HopModel)]
struct Donut {
    #[hop(format = "flavour")]
    flavor: String,
}

#[derive(Debug, Serialize, Deserialize, HopModel)]
struct Hole(#[hop] u8);

fn main() {}
