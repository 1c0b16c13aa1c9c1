//! What `hop generate` and `hop new` write, built and tested as their users do it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

mod generate;
mod new;

use std::ffi::OsStr;

use hop_tests::made::Workshop;
use hop_tests::process::Program;

fn hop<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Program {
    Program::new(env!("CARGO_BIN_EXE_plain-hop")).args(arguments)
}

fn workshop() -> Workshop {
    Workshop::new(env!("CARGO_TARGET_TMPDIR"))
}
