//! Names two crates that claim one label, the second first.

#[rustfmt::skip]
mod linked {
    use linkage_twin_b as _;
    use linkage_twin_a as _;
}

fn main() -> std::process::ExitCode {
    linkage_tests::print_linked()
}
