use hop_core::HopModel;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(format = "donut", format = "bagel")]
struct Once;

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(format = "donut")]
#[hop(crate = ::hop_core, format = "donut")]
struct Apart;

fn main() {}
