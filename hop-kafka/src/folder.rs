//! The folder of the user's configuration, and how its files are written: whole or not at all, for the owner alone.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::{Error, ErrorKind};

/// The file of credentials.
pub(crate) const AUTH_FILE: &str = "auth.toml";
/// The file of general settings.
pub(crate) const CONFIG_FILE: &str = "config.toml";
/// The file of profiles of brokers.
pub(crate) const BROKERS_FILE: &str = "brokers.toml";

/// The folder, `$XDG_CONFIG_HOME/hop` or `$HOME/.config/hop`. A relative `XDG_CONFIG_HOME` is ignored, as the XDG Base
/// Directory Specification has it: it would be another folder wherever the program is started.
///
/// # Errors
/// Kind `Config` when neither variable is set.
pub(crate) fn folder() -> Result<PathBuf, Error> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = set("XDG_CONFIG_HOME").filter(|path| path.is_absolute()).or_else(|| Some(set("HOME")?.join(".config")));
    base.map(|base| base.join("hop")).ok_or_else(|| {
        Error::new(ErrorKind::Config, "neither XDG_CONFIG_HOME nor HOME says where hop's configuration is kept")
            .help("set HOME; a relative XDG_CONFIG_HOME is ignored")
    })
}

/// Puts `text` in the place of the file, or leaves it as it was. Only its owner can read what is written, at any time.
///
/// Where the file is a link, what it leads to is replaced.
pub(crate) fn replace(file: &Path, text: &str) -> io::Result<()> {
    let file = match fs::canonicalize(file) {
        Ok(target) => target,
        Err(problem) if problem.kind() == io::ErrorKind::NotFound => file.to_owned(),
        Err(problem) => return Err(problem),
    };
    let folder = file.parent().ok_or_else(|| io::Error::other("the file is in no folder"))?;
    make(folder)?;
    // Made with mode 0600; it is removed again where anything below fails.
    let mut fresh = tempfile::Builder::new().prefix(".hop-").tempfile_in(folder)?;
    fresh.write_all(text.as_bytes())?;
    fresh.as_file().sync_all()?;
    fresh.persist(&file).map_err(|problem| problem.error)?;
    // The new name is kept over a loss of power too, where folders can be synchronised.
    let _synced = fs::File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

#[cfg(unix)]
fn make(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

/// Fails for what is neither a file nor a link to one: to open a named pipe waits until something is written to it, and a
/// device may never end.
pub(crate) fn require_regular(metadata: &fs::Metadata) -> io::Result<()> {
    if metadata.is_file() { Ok(()) } else { Err(io::Error::other("it is not a regular file")) }
}

/// The text of `file`, which is `None` where there is no such file.
pub(crate) fn read(file: &Path) -> io::Result<Option<String>> {
    let regular = || fs::metadata(file).and_then(|metadata| require_regular(&metadata));
    match regular().and_then(|()| fs::read_to_string(file)) {
        Ok(text) => Ok(Some(text)),
        Err(problem) if problem.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(problem) => Err(problem),
    }
}

/// The document in `text`. The error names the line and quotes nothing of it, since it may hold a password.
pub(crate) fn parse(text: &str) -> Result<toml_edit::DocumentMut, String> {
    text.parse().map_err(|problem: toml_edit::TomlError| {
        let start = problem.span().map_or(0, |span| span.start.min(text.len()));
        let line = text.as_bytes()[..start].iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("it is not TOML, near line {line}")
    })
}
