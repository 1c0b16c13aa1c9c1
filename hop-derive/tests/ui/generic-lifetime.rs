use hop_core::HopModel;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize, HopModel)]
struct Alert<'a> {
    name: &'a str,
}

fn main() {}
