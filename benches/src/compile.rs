//! What deriving models costs the compiler, beside the same structs with serde alone.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use serde::Serialize;

use crate::Outcome;

/// How many structs each of the crates holds.
const MODELS: usize = 100;

/// So many times longer may the models take.
const MOST: f64 = 2.0;

/// How long the crates take to compile, what they depend on aside.
#[derive(Debug, Serialize)]
pub(crate) struct Compiled {
    models: usize,
    /// Seconds with `HopModel`.
    ours_s: f64,
    /// Seconds with serde's derives alone.
    serde_s: f64,
    ratio: f64,
    /// Seconds with `HopModel` where the models' schemas are told, too: in a program with `hop-models` or the command.
    schemas_s: f64,
    schemas_ratio: f64,
}

impl Compiled {
    pub(crate) fn is_within_bounds(&self) -> bool {
        self.ratio < MOST
    }

    pub(crate) fn text(&self) -> String {
        let Self { models, ours_s, serde_s, ratio, schemas_s, schemas_ratio } = self;
        let verdict = if self.is_within_bounds() { "below" } else { "NOT below" };
        format!(
            "{models} derived models  {ours_s:.2} s\n{models} structs, serde   {serde_s:.2} s\n\
             ratio               {ratio:.2}, {verdict} {MOST}\n\
             with schemas told   {schemas_s:.2} s, {schemas_ratio:.2} times\n"
        )
    }

    pub(crate) fn json(&self) -> Outcome<String> {
        Ok(serde_json::to_string(self)? + "\n")
    }
}

/// Builds each in turn, in a workspace under `target/bench`; the shortest time of each counts, as what disturbs a build only
/// makes it longer.
pub(crate) fn compare(rounds: usize) -> Outcome<Compiled> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("benches is in no folder")?;
    let workspace = root.join("target/bench/compile");
    let alone = Crate::write(&workspace, root, "serde-alone", None)?;
    let ours = Crate::write(&workspace, root, "derived-models", Some("\"derive\""))?;
    let schemas = Crate::write(&workspace, root, "derived-schemas", Some("\"derive\", \"schema\""))?;
    fs::write(
        workspace.join("Cargo.toml"),
        "[workspace]\nresolver = \"3\"\nmembers = [\"derived-models\", \"derived-schemas\", \"serde-alone\"]\n",
    )?;
    // The versions that everything else is built with.
    fs::copy(root.join("Cargo.lock"), workspace.join("Cargo.lock"))?;
    // Their dependencies, with the features that each wants.
    for one in [&alone, &ours, &schemas] {
        one.time(&workspace)?;
    }
    let (mut serde_s, mut ours_s, mut schemas_s) = (f64::INFINITY, f64::INFINITY, f64::INFINITY);
    for _ in 0..rounds {
        serde_s = serde_s.min(alone.time(&workspace)?);
        ours_s = ours_s.min(ours.time(&workspace)?);
        schemas_s = schemas_s.min(schemas.time(&workspace)?);
    }
    let round = |seconds: f64| (seconds * 1e3).round() / 1e3;
    let ratio = |seconds: f64| (seconds / serde_s * 100.0).round() / 100.0;
    Ok(Compiled {
        models: MODELS,
        ours_s: round(ours_s),
        serde_s: round(serde_s),
        ratio: ratio(ours_s),
        schemas_s: round(schemas_s),
        schemas_ratio: ratio(schemas_s),
    })
}

struct Crate {
    name: &'static str,
    file: PathBuf,
    source: String,
}

impl Crate {
    /// A crate of structs, all of the same fields, as an alert has them; with the features of hop-core, where it is one of
    /// models.
    fn write(workspace: &Path, root: &Path, name: &'static str, features: Option<&str>) -> Outcome<Self> {
        let folder = workspace.join(name);
        fs::create_dir_all(folder.join("src"))?;
        let core = root.join("hop-core");
        let hop = features.map_or_else(String::new, |features| {
            format!("hop-core = {{ path = {core:?}, features = [{features}] }}\n")
        });
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n\
             {hop}serde = {{ version = \"1\", features = [\"derive\"] }}\n"
        );
        fs::write(folder.join("Cargo.toml"), manifest)?;
        let (import, derive) = if features.is_some() { ("use hop_core::HopModel;\n", ", HopModel") } else { ("", "") };
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
