use hop_core::HopModel;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(crate = "hop_core")]
struct Quoted;

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(crate)]
struct Bare;

fn main() {}
