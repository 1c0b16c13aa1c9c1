use hop_core::HopModel;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(format = "")]
struct Empty;

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(format = "a-label-that-says-everything-about-the-observatory-and-nothing-about-the-alert")]
struct Long;

fn main() {}
