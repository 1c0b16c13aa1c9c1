use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use hop_kafka::{Configuration, auth};

use crate::failure::Failure;
use crate::output;

#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  hop configure show
  hop configure set fetch_external false")]
pub(crate) enum Configure {
    /// Print the path of a file.
    Locate {
        /// Which file: general settings, or credentials.
        #[arg(short = 't', long = "type", value_name = "TYPE", default_value = "general")]
        which: Located,
    },
    /// Print the settings as they are in force, the environment included.
    Show,
    /// Write a setting into the file.
    Set {
        /// The setting.
        #[arg(value_parser = hop_kafka::Configuration::NAMES)]
        name: String,
        /// `true`, `yes`, `on` or `1`; or `false`, `no`, `off` or `0`.
        value: String,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Located {
    /// General settings.
    General,
    /// Credentials.
    Auth,
}

pub(crate) fn run(options: Configure) -> Result<ExitCode, Failure> {
    match options {
        Configure::Locate { which: Located::General } => output::located(&Configuration::path()?)?,
        Configure::Locate { which: Located::Auth } => output::located(&auth::path()?)?,
        Configure::Show => {
            for (name, on) in Configuration::load()?.settings() {
                // As hop-client prints it.
                output::line(format_args!("{name}: {}", if on { "True" } else { "False" }))?;
            }
        }
        Configure::Set { name, value } => {
            Configuration::store(&name, &value)?;
            let file = Configuration::path()?;
            tracing::info!(target: "hop", "wrote {name} = {value} to {}", output::path(&file));
        }
    }
    Ok(ExitCode::SUCCESS)
}
