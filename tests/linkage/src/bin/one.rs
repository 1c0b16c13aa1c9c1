//! Names one crate of models, and lists another.

use linkage_named as _;

fn main() -> std::process::ExitCode {
    linkage_tests::print_linked()
}
