//! What the probes print: the models that are linked into them, or why there is no registry.

use std::io::{self, Write};
use std::process::ExitCode;

use hop_core::Registry;

/// Prints a line for each linked model, `label: Type (crate version)`; the error, and failure, where there is one.
pub fn print_linked() -> ExitCode {
    let written = match Registry::linked() {
        Ok(registry) => registry.iter().try_for_each(|model| writeln!(io::stdout(), "{model:?}")),
        Err(error) => writeln!(io::stderr(), "{error}").and(Err(io::Error::other(error))),
    };
    if written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
