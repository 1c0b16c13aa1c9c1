use hop_core::{HopModel, MessageModel, Registry};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(format = "Donut", topping = "sugar", crate)]
#[hop]
struct Donut<T> {
    #[hop(rename = "flavour")]
    flavor: T,
}

// The type still counts as a model: nothing more is said here.
fn main() {
    let donut: Result<Donut<String>, _> = Donut::decode("{}".into());
    println!("{:?} {:?}", donut, Registry::linked());
}
