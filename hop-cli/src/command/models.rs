use std::process::ExitCode;

use clap::Args;
use hop_core::{Error, ErrorKind, Registration, Registry, Value};
use hop_models::avro::Schema;

use crate::failure::Failure;
use crate::output;
use crate::output::table::table;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hop models
  hop models --schema gwalert")]
pub(crate) struct Models {
    /// Print a JSON list.
    #[arg(short, long)]
    pub(crate) json: bool,

    /// Print the JSON Schema of one format's fields.
    #[arg(short, long, value_name = "LABEL", conflicts_with = "json")]
    pub(crate) schema: Option<String>,

    /// Print the schema as an Avro schema.
    #[arg(short, long, requires = "schema")]
    pub(crate) avro: bool,
}

pub(crate) fn run(registry: &Registry, options: &Models) -> Result<ExitCode, Failure> {
    if let Some(label) = &options.schema {
        let schema = schema(registry, label)?;
        let shown = if options.avro {
            let avro = Schema::from_json_schema(&schema).map_err(|error| error.about(label.clone()))?;
            Value::from_json(avro.text())?
        } else {
            schema
        };
        output::line(output::indented(&shown))?;
        return Ok(ExitCode::SUCCESS);
    }
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
    let row = |model: &Registration| {
        [model.format(), model.type_name(), model.crate_name(), model.crate_version()].map(str::to_owned)
    };
    let rows: Vec<_> = registry.iter().map(row).collect();
    table(["FORMAT", "TYPE", "CRATE", "VERSION"], &rows)?;
    Ok(ExitCode::SUCCESS)
}

fn schema(registry: &Registry, label: &str) -> Result<Value, Error> {
    let model = registry.require(label)?;
    model.schema().ok_or_else(|| {
        let others = registry.iter().filter(|other| other.schema().is_some()).map(|other| other.format());
        Error::new(ErrorKind::Unsupported, model.format())
            .expected("a format whose fields have a schema")
            .found("one without")
            .help(format!("with a schema: {}", others.collect::<Vec<_>>().join(", ")))
    })
}
