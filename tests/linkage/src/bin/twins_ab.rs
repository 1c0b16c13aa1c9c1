//! Names two crates that claim one label, the first first.

#[rustfmt::skip]
mod linked {
    use linkage_twin_a as _;
    use linkage_twin_b as _;
}

fn main() -> std::process::ExitCode {
    linkage_tests::print_linked()
}
