#[derive(Debug)]
struct Donut;

hop_core::register!(Donut);

fn main() {}
