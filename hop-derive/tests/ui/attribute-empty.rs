use hop_core::HopModel;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop]
struct Bare;

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop()]
struct Empty;

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop = "donut"]
struct Equals;

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop("donut")]
struct Value;

fn main() {}
