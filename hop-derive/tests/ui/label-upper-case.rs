use hop_core::HopModel;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(format = "SNEWS-Alert")]
struct Alert;

fn main() {}
