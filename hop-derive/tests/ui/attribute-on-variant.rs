use hop_core::HopModel;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize, HopModel)]
enum Pastry {
    #[hop(format = "donut")]
    Donut,
    Bagel {
        #[hop(skip)]
        seeds: u32,
    },
}

fn main() {}
