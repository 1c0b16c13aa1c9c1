use std::process::ExitCode;

use hop_core::{Registry, Value};

use crate::args::Models;
use crate::failure::Failure;
use crate::output;

pub(crate) fn run(registry: &Registry, options: &Models) -> Result<ExitCode, Failure> {
    if options.json {
        let models = registry.iter().map(|model| {
            Value::object([
                ("format", model.format().into()),
                ("type", model.type_name().into()),
                ("crate", model.crate_name().into()),
                ("version", model.crate_version().into()),
            ])
        });
        output::line(Value::Array(models.collect()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<[&str; 4]> = std::iter::once(["FORMAT", "TYPE", "CRATE", "VERSION"])
        .chain(
            registry.iter().map(|model| [model.format(), model.type_name(), model.crate_name(), model.crate_version()]),
        )
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let (format, name, krate) = (width(0), width(1), width(2));
    for row in &rows {
        output::line(format_args!("{:format$}  {:name$}  {:krate$}  {}", row[0], row[1], row[2], row[3]))?;
    }
    Ok(ExitCode::SUCCESS)
}
