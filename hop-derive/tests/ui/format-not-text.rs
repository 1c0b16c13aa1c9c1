use hop_core::HopModel;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(format = 3)]
struct Number;

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(format = donut)]
struct Word;

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(format = b"donut")]
struct Bytes;

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(format = concat!("do", "nut"))]
struct Macro;

fn main() {}
