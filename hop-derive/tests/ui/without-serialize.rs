use hop_core::HopModel;

#[derive(Debug, serde::Deserialize, HopModel)]
struct Donut {
    flavor: String,
}

fn main() {}
