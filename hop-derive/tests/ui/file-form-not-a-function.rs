use hop_core::HopModel;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(load = "from_file", dump = to_file())]
struct Donut;

fn main() {}
