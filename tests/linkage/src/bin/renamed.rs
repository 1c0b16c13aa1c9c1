//! Names a plugin that its Cargo.toml gives another name.

hop_core::plugins!(another_name = "linkage-apart");

fn main() -> std::process::ExitCode {
    linkage_tests::print_linked()
}
