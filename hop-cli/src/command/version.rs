use std::process::ExitCode;

use crate::failure::Failure;
use crate::output;

pub(crate) fn run() -> Result<ExitCode, Failure> {
    output::line(format_args!("hop {} (librdkafka {})", env!("CARGO_PKG_VERSION"), hop_kafka::librdkafka_version()))?;
    Ok(ExitCode::SUCCESS)
}
