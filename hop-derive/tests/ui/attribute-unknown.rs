use hop_core::HopModel;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(fromat = "donut")]
struct Slip;

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(topic = "bakery")]
struct Elsewhere;

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(transparent)]
struct Flag;

fn main() {}
