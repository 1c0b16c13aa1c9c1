use hop_core::HopModel;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(version = "2")]
struct Quoted;

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(version = 0)]
struct Zeroth;

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(version = 2.1)]
struct Minor;

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(version = 5_000_000_000)]
struct Large;

fn main() {}
