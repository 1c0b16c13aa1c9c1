//! The `hop` command, as a user meets it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

mod archive;
mod brokers;
mod corpus;
mod credentials;
mod decode;
mod ending;
mod generate;
mod inspect;
mod journal;
mod json_schema;
mod metrics;
mod new;
mod printing;
mod recordings;
mod streams;
mod transcripts;
mod validate;
#[cfg(unix)]
mod watch;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use hop_tests::process::Program;
use serde_json::Value;

/// `hop`, in a home where nothing is kept.
fn hop<A: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = A>) -> Program {
    Program::new(env!("CARGO_BIN_EXE_plain-hop"))
        .args(arguments)
        .env("HOME", empty_home())
        .env("XDG_CONFIG_HOME", empty_home())
}

fn empty_home() -> &'static Path {
    static HOME: OnceLock<tempfile::TempDir> = OnceLock::new();
    HOME.get_or_init(|| tempfile::tempdir().unwrap()).path()
}

fn fixture(path: &str) -> PathBuf {
    hop_tests::root().join("fixtures").join(path)
}

/// One JSON value a line.
#[track_caller]
fn json_lines(out: &str) -> Vec<Value> {
    assert!(out.is_empty() || out.ends_with('\n'), "the last line has no end: {out}");
    let read = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"));
    out.lines().map(read).collect()
}
