//! The user's general settings: `config.toml`, and the environment over it.

use std::path::PathBuf;

use toml_edit::{Item, Table, value};

use crate::folder::{self, CONFIG_FILE};
use crate::{Error, ErrorKind};

/// The user's settings for large messages, from `config.toml` beside the file of credentials.
///
/// ```toml
/// [config]
/// fetch_external = true
/// automatic_offload = false
/// ```
///
/// The environment goes before the file: `HOP_FETCH_EXTERNAL` and `HOP_AUTOMATIC_OFFLOAD`, each one of `true`, `yes`,
/// `on`, `1`, or `false`, `no`, `off`, `0`, in any case. hop-client reads and writes the same. Streams follow them, unless
/// [`StreamBuilder::fetch_external`](crate::StreamBuilder::fetch_external) or [`offload`](crate::StreamBuilder::offload) sets
/// otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Configuration {
    /// Whether a message that stands for one stored elsewhere is replaced by that one; true unless set.
    pub fetch_external: bool,
    /// Whether a message too large for its topic is stored elsewhere; true unless set.
    pub automatic_offload: bool,
}

impl Default for Configuration {
    fn default() -> Self {
        Self { fetch_external: true, automatic_offload: true }
    }
}

impl Configuration {
    /// The names of the settings, as the file has them.
    pub const NAMES: [&'static str; 2] = ["fetch_external", "automatic_offload"];

    /// The path of the file, whether or not it is there.
    ///
    /// # Errors
    /// Kind `Config` when neither `XDG_CONFIG_HOME` nor `HOME` is set.
    pub fn path() -> Result<PathBuf, Error> {
        Ok(folder::folder()?.join(CONFIG_FILE))
    }

    /// The settings: what the environment says, else the file, else the defaults.
    ///
    /// # Errors
    /// Kind `Config`: the file or a variable is not as it should be.
    pub fn load() -> Result<Self, Error> {
        let text = folder::read(&Self::path()?).map_err(|problem| wrong(&problem.to_string()))?;
        Self::read(text.as_deref().unwrap_or_default(), |name| std::env::var_os(name))
    }

    /// The settings of a machine that has no file of them.
    pub(crate) fn from_environment() -> Result<Self, Error> {
        Self::read("", |name| std::env::var_os(name))
    }

    fn read(text: &str, variable: impl Fn(&str) -> Option<std::ffi::OsString>) -> Result<Self, Error> {
        let document = folder::parse(text).map_err(|what| wrong(&what))?;
        let mut found = Self::default();
        if let Some(item) = document.get("config") {
            let table = item.as_table_like().ok_or_else(|| wrong("`config` is no table"))?;
            for (name, item) in table.iter() {
                match found.by_name(name) {
                    Some(setting) => {
                        *setting =
                            item.as_bool().ok_or_else(|| wrong(&format!("`{name}` is neither true nor false")))?;
                    }
                    None => tracing::warn!(target: "hop", name, "config.toml has a setting that is not known"),
                }
            }
        }
        for name in Self::NAMES {
            let variable_name = format!("HOP_{}", name.to_ascii_uppercase());
            if let (Some(text), Some(setting)) = (variable(&variable_name), found.by_name(name)) {
                *setting = text.to_str().and_then(truth).ok_or_else(|| {
                    Error::new(
                        ErrorKind::Config,
                        format!("the variable {variable_name} is `{}`", text.to_string_lossy().escape_debug()),
                    )
                    .help(TRUTHS)
                })?;
            }
        }
        Ok(found)
    }

    /// Writes one setting into the file, and leaves all else in it as it is.
    ///
    /// # Errors
    /// Kind `Usage`: there is no such setting, or no such value; kind `Config`: the file is not as it should be, or cannot
    /// be written. It is as it was then.
    pub fn store(name: &str, text: &str) -> Result<(), Error> {
        if !Self::NAMES.contains(&name) {
            return Err(Error::new(ErrorKind::Usage, format!("there is no setting `{}`", name.escape_debug()))
                .help(format!("there are {}", Self::NAMES.join(" and "))));
        }
        let on = truth(text).ok_or_else(|| {
            Error::new(ErrorKind::Usage, format!("`{}` is no value for `{name}`", text.escape_debug())).help(TRUTHS)
        })?;
        let file = Self::path()?;
        let text = folder::read(&file).map_err(|problem| wrong(&problem.to_string()))?.unwrap_or_default();
        let mut document = folder::parse(&text).map_err(|what| wrong(&what))?;
        let table = document.entry("config").or_insert_with(|| Item::Table(Table::new()));
        let table = table.as_table_like_mut().ok_or_else(|| wrong("`config` is no table"))?;
        table.insert(name, value(on));
        folder::replace(&file, &document.to_string()).map_err(|problem| wrong(&format!("not written: {problem}")))
    }

    fn by_name(&mut self, name: &str) -> Option<&mut bool> {
        match name {
            "fetch_external" => Some(&mut self.fetch_external),
            "automatic_offload" => Some(&mut self.automatic_offload),
            _ => None,
        }
    }

    /// Each setting by its name.
    pub fn settings(&self) -> [(&'static str, bool); 2] {
        [("fetch_external", self.fetch_external), ("automatic_offload", self.automatic_offload)]
    }
}

const TRUTHS: &str = "write true, yes, on or 1; or false, no, off or 0";

fn truth(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}

fn wrong(what: &str) -> Error {
    let file = Configuration::path().map_or_else(
        |_| CONFIG_FILE.to_owned(),
        |path| hop_core::escape_controls(&path.to_string_lossy()).into_owned(),
    );
    Error::new(ErrorKind::Config, format!("{file}: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, environment: &[(&str, &str)]) -> Result<(bool, bool), String> {
        let variable =
            |name: &str| environment.iter().find(|(found, _)| *found == name).map(|(_, text)| (*text).into());
        let found = Configuration::read(text, variable).map_err(|error| error.to_string())?;
        Ok((found.fetch_external, found.automatic_offload))
    }

    #[test]
    fn the_environment_goes_before_the_file_and_the_file_before_the_defaults() {
        assert_eq!(read("", &[]), Ok((true, true)));
        assert_eq!(read("[auth]\nusername = 'ada'", &[]), Ok((true, true)));
        assert_eq!(read("[config]\nautomatic_offload = false\nlater = 1", &[]), Ok((true, false)));
        let environment = [("HOP_FETCH_EXTERNAL", "Off"), ("HOP_AUTOMATIC_OFFLOAD", "YES")];
        assert_eq!(read("[config]\nautomatic_offload = false", &environment), Ok((false, true)));
    }

    #[test]
    fn what_is_neither_true_nor_false_is_an_error_that_says_where() {
        let file = read("[config]\nfetch_external = 'false'", &[]).unwrap_err();
        assert!(file.contains("config.toml: `fetch_external` is neither true nor false"), "{file}");
        let variable = read("", &[("HOP_FETCH_EXTERNAL", "")]).unwrap_err();
        assert_eq!(variable, "the variable HOP_FETCH_EXTERNAL is ``; write true, yes, on or 1; or false, no, off or 0");
        assert!(read("[config", &[]).unwrap_err().contains("near line 1"));
        assert!(read("config = 1", &[]).unwrap_err().contains("`config` is no table"));
    }
}
