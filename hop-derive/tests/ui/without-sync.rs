use std::cell::Cell;

use hop_core::HopModel;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize, HopModel)]
struct Donut {
    bites: Cell<u32>,
}

fn main() {}
