use std::process::ExitCode;

use hop_kafka::{Configuration, auth};

use crate::args::{Configure, Located};
use crate::failure::Failure;
use crate::output;

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
