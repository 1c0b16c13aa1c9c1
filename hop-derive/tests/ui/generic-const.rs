use hop_core::HopModel;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize, HopModel)]
struct Image<const N: usize = 4> {
    pixels: Vec<u8>,
}

fn main() {}
