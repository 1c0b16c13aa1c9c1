hop_core::fixtures!(Donut, "fixtures/donut");

hop_core::fixtures!(Donut);

hop_core::fixtures!("fixtures/donut", Donut);

hop_core::fixtures!(Donut, fixtures/donut);

hop_core::fixtures!(&Donut, "src");

hop_core::fixtures!(Donut, "src", "tests");

fn main() {}
