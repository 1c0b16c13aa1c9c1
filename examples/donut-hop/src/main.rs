//! `hop`, and the models of `donut-model` besides: `donut-hop models` lists them, `donut-hop subscribe` shows them.

use std::process::ExitCode;

// Naming the crate is what links its models; the line in Cargo.toml alone would not.
hop_cli::plugins!(donut_model);

fn main() -> ExitCode {
    hop_cli::main()
}
