//! hop-client, in a Python of its own that `tests/interop/setup` makes.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::{Deserialize, Serialize};

use crate::Outcome;

/// A process that decodes on demand, `benches/peer.py`.
pub(crate) struct Peer {
    process: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

#[derive(Serialize)]
struct Request<'a> {
    name: &'a str,
    file: &'a Path,
    iterations: u64,
}

#[derive(Deserialize)]
struct Answer {
    seconds: f64,
    sum: f64,
}

impl Peer {
    pub(crate) fn start() -> Outcome<Self> {
        let python = python()?;
        let script = root().join("benches/peer.py");
        let mut process = Command::new(python).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        match (process.stdin.take(), process.stdout.take()) {
            (Some(requests), Some(answers)) => {
                Ok(Self { process, requests: Some(requests), answers: BufReader::new(answers) })
            }
            _ => Err("peer.py has no pipes".into()),
        }
    }

    /// As [`time`](crate::time), for what `name` means to the script.
    pub(crate) fn time(&mut self, name: &str, file: &Path, iterations: u64) -> Outcome<(f64, f64)> {
        let request = serde_json::to_string(&Request { name, file, iterations })? + "\n";
        let mut answer = String::new();
        if let Some(requests) = &mut self.requests {
            requests.write_all(request.as_bytes())?;
            self.answers.read_line(&mut answer)?;
        }
        if answer.is_empty() {
            return Err(format!("peer.py ended at `{name}`; its message is above").into());
        }
        let Answer { seconds, sum } = serde_json::from_str(&answer)?;
        Ok((seconds, sum))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // The end of its input ends it; how, no longer matters.
        self.requests = None;
        let _status = self.process.wait();
    }
}

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// The interpreter that has hop-client, as `tests/interop/requirements.txt` pins it.
pub(crate) fn python() -> Outcome<PathBuf> {
    let setup = root().join("tests/interop/setup");
    let output = Command::new(&setup)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("{} does not run: {error}; it needs bash", setup.display()))?;
    if !output.status.success() {
        let advice = "it needs Python 3.11 with venv (Debian: apt-get install python3-venv) and PyPI; delete \
                      target/interop to start over";
        return Err(format!("{} made no environment with hop-client; {advice}", setup.display()).into());
    }
    Ok(PathBuf::from(String::from_utf8(output.stdout)?.trim_end()))
}
