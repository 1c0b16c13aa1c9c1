//! Crates that the command writes, built as its users do it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::process::{Finished, Program};
use crate::root;

/// A first build of all that a `hop` is made of takes minutes.
const PATIENCE: Duration = Duration::from_secs(1200);

/// A folder for a crate, the same in each run, so that cargo knows what it has built there.
pub struct Workshop {
    /// `CARGO_TARGET_TMPDIR` of the test.
    scratch: PathBuf,
}

impl Workshop {
    pub fn new(scratch: &str) -> Self {
        Self { scratch: scratch.into() }
    }

    /// A folder that is empty.
    pub fn folder(&self, name: &str) -> PathBuf {
        let folder = self.scratch.join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// Cargo in the folder of a crate, with what the project's own builds have left, and nothing from the network.
    pub fn cargo(&self, folder: &Path, arguments: &[&str]) -> Finished {
        // The versions that the project is built with are there.
        fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
        // Packages built with the same profile are not built again.
        let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
        let profile = manifest.split("[profile.dev]").nth(1).expect("a profile");
        let profile = profile.split("[profile.release]").next().unwrap();
        // The crate itself need not be fast, but soon be there.
        let profile =
            profile.replacen("opt-level = 1", "opt-level = 0", 1).replacen("\"line-tables-only\"", "false", 1);
        let config = folder.with_extension("profile.toml");
        fs::write(&config, format!("[profile.dev]{profile}")).unwrap();
        Program::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args([arguments[0].as_ref(), "--offline".as_ref(), "--config".as_ref(), config.as_os_str()])
            .args(&arguments[1..])
            .env("CARGO_BUILD_BUILD_DIR", self.target())
            .env("CARGO_TARGET_DIR", self.target().join("made"))
            .env("CARGO_TERM_COLOR", "never")
            // A build that is cut off leaves nothing half done for the next one.
            .env("CARGO_INCREMENTAL", "0")
            .folder(folder)
            .start()
            .finish_within(PATIENCE)
    }

    /// A program that `cargo` has built.
    pub fn program(&self, name: &str) -> PathBuf {
        self.target().join("made/debug").join(name)
    }

    fn target(&self) -> &Path {
        self.scratch.parent().unwrap()
    }
}

/// That cargo did as it was told, without a warning; what was printed.
#[track_caller]
pub fn quietly(finished: &Finished) -> String {
    let printed = String::from_utf8_lossy(&finished.out).into_owned();
    let warned = finished.err.lines().any(|line| line.starts_with("warning"));
    assert!(finished.status.success() && !warned, "{printed}\n{}", finished.err);
    printed
}
