use hop_core::HopModel;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(example = maple)]
struct Donut;

fn maple() -> &'static str {
    "maple"
}

fn main() {}
