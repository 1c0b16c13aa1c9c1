use hop_core::HopModel;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize, HopModel)]
struct Circular;

#[derive(Debug, Serialize, Deserialize, HopModel)]
struct Événement;

fn main() {}
