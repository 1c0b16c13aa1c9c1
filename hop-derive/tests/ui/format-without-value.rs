use hop_core::HopModel;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(format)]
struct Bare;

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(format = )]
struct Equals;

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(format("donut"))]
struct Call;

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(format: "donut")]
struct Colon;

fn main() {}
