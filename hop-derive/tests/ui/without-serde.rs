use hop_core::HopModel;

#[derive(Debug, HopModel)]
struct Donut {
    flavor: String,
}

fn main() {}
