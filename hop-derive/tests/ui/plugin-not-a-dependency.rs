hop_core::plugins!(donut_model);

fn main() {}
