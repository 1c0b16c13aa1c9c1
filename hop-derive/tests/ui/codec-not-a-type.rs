use hop_core::HopModel;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(codec = "hop_core::codec::Json")]
struct Quoted;

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(codec = Json())]
struct Called;

fn main() {}
