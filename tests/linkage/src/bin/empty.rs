//! Names two plugins, of which one has no models.

hop_core::plugins!(linkage_named, linkage_empty);

fn main() -> std::process::ExitCode {
    linkage_tests::print_linked()
}
