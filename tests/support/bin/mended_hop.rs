//! `hop` with the donut's model, which reads every donut.

use donut_model as _;

fn main() -> std::process::ExitCode {
    hop_cli::main()
}
