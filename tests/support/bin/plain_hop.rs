//! `hop` with the models that come with it.

fn main() -> std::process::ExitCode {
    hop_cli::main()
}
