use hop_core::HopModel;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(format = "snews alert")]
struct Space;

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(format = "été")]
struct Summer;

fn main() {}
