use hop_core::HopModel;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(format("donut"))]
struct Listed;

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(format: "donut")]
struct Colon;

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop("donut")]
struct Bare;

fn main() {}
