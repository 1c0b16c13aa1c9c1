use hop_core::HopModel;
use serde::{Deserialize, Serialize};

struct Morse;

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(codec = Morse)]
struct Donut;

fn main() {}
