//! Names no crate of models: all four of Cargo.toml are left out.

fn main() -> std::process::ExitCode {
    linkage_tests::print_linked()
}
