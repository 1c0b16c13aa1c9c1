use hop_core::HopModel;

#[derive(HopModel)]
union Bits {
    int: u32,
    float: f32,
}

fn main() {}
