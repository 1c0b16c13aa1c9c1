use std::io::Write;
use std::process::ExitCode;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::failure::Failure;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hop completions bash > ~/.local/share/bash-completion/completions/hop
  hop completions zsh > ~/.zfunc/_hop
  hop completions fish > ~/.config/fish/completions/hop.fish")]
pub(crate) struct Completions {
    /// The shell.
    pub(crate) shell: Shell,
}

pub(crate) fn run(options: &Completions) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut crate::args::Args::command(), "hop", &mut script);
    let mut out = std::io::stdout().lock();
    out.write_all(&script)?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}
