//! Names a crate of models as a plugin.

hop_core::plugins!(linkage_named);

fn main() -> std::process::ExitCode {
    linkage_tests::print_linked()
}
