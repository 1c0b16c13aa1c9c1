//! What deriving models costs the compiler, beside the same structs with serde alone.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use serde::Serialize;

use crate::Outcome;

/// How many structs each of the two crates holds.
const MODELS: usize = 100;

/// So many times longer may the models take.
const MOST: f64 = 2.0;

/// How long the two crates take to compile, what they depend on aside.
#[derive(Debug, Serialize)]
pub(crate) struct Compiled {
    models: usize,
    /// Seconds with `HopModel`.
    ours_s: f64,
    /// Seconds with serde's derives alone.
    serde_s: f64,
    ratio: f64,
}

impl Compiled {
    pub(crate) fn is_within_bounds(&self) -> bool {
        self.ratio < MOST
    }

    pub(crate) fn text(&self) -> String {
        let Self { models, ours_s, serde_s, ratio } = self;
        let verdict = if self.is_within_bounds() { "below" } else { "NOT below" };
        format!(
            "{models} derived models  {ours_s:.2} s\n{models} structs, serde   {serde_s:.2} s\n\
             ratio               {ratio:.2}, {verdict} {MOST}\n"
        )
    }

    pub(crate) fn json(&self) -> Outcome<String> {
        Ok(serde_json::to_string(self)? + "\n")
    }
}

/// Builds both in turn, in a workspace under `target/bench`; the shortest time of each counts, as what disturbs a build only
/// makes it longer.
pub(crate) fn compare(rounds: usize) -> Outcome<Compiled> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("benches is in no folder")?;
    let workspace = root.join("target/bench/compile");
    let alone = Crate::write(&workspace, root, "serde-alone", false)?;
    let ours = Crate::write(&workspace, root, "derived-models", true)?;
    fs::write(
        workspace.join("Cargo.toml"),
        "[workspace]\nresolver = \"3\"\nmembers = [\"derived-models\", \"serde-alone\"]\n",
    )?;
    // The versions that everything else is built with.
    fs::copy(root.join("Cargo.lock"), workspace.join("Cargo.lock"))?;
    build(&workspace, &[])?;
    let (mut ours_s, mut serde_s) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..rounds {
        serde_s = serde_s.min(alone.time(&workspace)?);
        ours_s = ours_s.min(ours.time(&workspace)?);
    }
    let round = |seconds: f64| (seconds * 1e3).round() / 1e3;
    let ratio = (ours_s / serde_s * 100.0).round() / 100.0;
    Ok(Compiled { models: MODELS, ours_s: round(ours_s), serde_s: round(serde_s), ratio })
}

struct Crate {
    name: &'static str,
    file: PathBuf,
    source: String,
}

impl Crate {
    /// A crate of structs, all of the same fields, as an alert has them. Their schemas are told too, as beside `hop-models`.
    fn write(workspace: &Path, root: &Path, name: &'static str, derived: bool) -> Outcome<Self> {
        let folder = workspace.join(name);
        fs::create_dir_all(folder.join("src"))?;
        let core = root.join("hop-core");
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n\
             hop-core = {{ path = {core:?}, features = [\"derive\", \"schema\"] }}\nserde = {{ version = \"1\", features = [\"derive\"] }}\n"
        );
        fs::write(folder.join("Cargo.toml"), manifest)?;
        let (import, derive) = if derived { ("use hop_core::HopModel;\n", ", HopModel") } else { ("", "") };
        let mut source = format!("{import}use serde::{{Deserialize, Serialize}};\n");
        for number in 0..MODELS {
            write!(
                source,
                "\n#[derive(Debug, Clone, PartialEq, Serialize, Deserialize{derive})]\n\
                 pub struct Alert{number} {{\n    pub id: String,\n    pub sent: String,\n    pub ra: f64,\n    \
                 pub dec: f64,\n    pub radius: Option<f64>,\n    pub events: Vec<u64>,\n    pub test: bool,\n    \
                 #[serde(default)]\n    pub comments: Vec<String>,\n}}\n"
            )?;
        }
        let file = folder.join("src/lib.rs");
        fs::write(&file, &source)?;
        Ok(Self { name, file, source })
    }

    /// Seconds to build it, nothing of it being kept from the time before.
    fn time(&self, workspace: &Path) -> Outcome<f64> {
        // Cargo looks at the time of the file.
        fs::write(&self.file, &self.source)?;
        let start = Instant::now();
        build(workspace, &["--package", self.name])?;
        Ok(start.elapsed().as_secs_f64())
    }
}

fn build(workspace: &Path, arguments: &[&str]) -> Outcome<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--quiet"])
        .args(arguments)
        .current_dir(workspace)
        .env("CARGO_INCREMENTAL", "0")
        .env("CARGO_TARGET_DIR", workspace.join("target"))
        .output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("cargo build in {}: {}", workspace.display(), String::from_utf8_lossy(&output.stderr)).into())
}
