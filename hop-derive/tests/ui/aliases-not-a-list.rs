use hop_core::HopModel;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(aliases = "doughnut")]
struct Assigned;

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(aliases)]
struct Bare;

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(aliases())]
struct Empty;

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(aliases(doughnut, 'k'))]
struct Unquoted;

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(aliases["doughnut"] "krapfen")]
struct Brackets;

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(aliases("doughnut") format = "donut")]
struct NoComma;

fn main() {}
