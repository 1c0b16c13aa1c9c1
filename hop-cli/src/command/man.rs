use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Command, CommandFactory as _};
use clap_mangen::Man;

use crate::failure::Failure;
use crate::output;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hop man | man -l -
  hop man --dir ~/.local/share/man/man1")]
pub(crate) struct Manual {
    /// Write a page for `hop` and one for each of its commands into this folder, instead of the first to standard output.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}

pub(crate) fn run(options: &Manual) -> Result<ExitCode, Failure> {
    let mut hop = crate::args::Args::command();
    hop.build();
    match &options.dir {
        None => {
            let page = page(&hop)?;
            let mut out = io::stdout().lock();
            out.write_all(&page)?;
            out.flush()?;
        }
        Some(folder) => {
            let named = |error: io::Error| io::Error::other(format!("{}: {error}", output::path(folder)));
            fs::create_dir_all(folder).map_err(named)?;
            write(folder, &hop, "hop").map_err(named)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes the pages of a command and of those below it.
fn write(folder: &Path, command: &Command, name: &str) -> io::Result<()> {
    let command = command.clone().display_name(name.to_owned()).bin_name(name.replace('-', " "));
    fs::write(folder.join(format!("{name}.1")), page(&command)?)?;
    for below in command.get_subcommands().filter(|below| below.get_name() != "help" && !below.is_hide_set()) {
        write(folder, below, &format!("{name}-{}", below.get_name()))?;
    }
    Ok(())
}

fn page(command: &Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page)?;
    Ok(page)
}
