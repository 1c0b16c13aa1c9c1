use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bytes::Bytes;
use clap::Args;
use hop_core::{Error, ErrorKind, Location, MessageModel, Registration, Registry, Route, Value};
use hop_models::VoEvent;
use hop_models::voevent::Violation;

use super::decode::{read, read_headers};
use crate::detect::Claim;
use crate::failure::Failure;
use crate::{detect, output};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hop validate event.xml
  hop validate --json night/*.xml")]
pub(crate) struct Validate {
    /// Files to check; `-` for standard input.
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,

    /// The format, in any case. Without it: that of `headers.json` beside the file, else that of the first folder above it
    /// that bears the name of one, unless the content says otherwise, else what the content is. Either way `content.*` must have the wire form, and `file.*`
    /// the file form; a file of another name may have either.
    #[arg(short, long)]
    pub(crate) format: Option<String>,

    /// Print one JSON object a file.
    #[arg(short, long)]
    pub(crate) json: bool,
}

pub(crate) fn run(registry: &Registry, options: &Validate) -> Result<ExitCode, Failure> {
    if let Some(label) = &options.format {
        registry.require(label).map_err(|error| Failure::Usage(error.to_string()))?;
    }
    let mut all_valid = true;
    for path in &options.files {
        let checked = match read(path) {
            Ok(content) => check(registry, options, path, &content).and_then(|valid| hold_to_schema(valid, &content)),
            Err(error) => Err(Problem::unread("io", error.to_string())),
        };
        all_valid &= checked.is_ok();
        if options.json {
            output::line(as_json(path, checked))?;
        } else {
            match checked {
                Ok(Valid { format, by, form }) => {
                    let form = form.map(|form| format!(", in the {form} form")).unwrap_or_default();
                    output::line(format_args!("{}: ok, {format} ({by}{form})", output::path(path)))?;
                }
                Err(Problem { kind, message, violations, .. }) => {
                    output::complain(format_args!("{}: {kind}: {message}", output::path(path)));
                    for violation in violations {
                        output::complain(format_args!("{}:{violation}", output::path(path)));
                    }
                }
            }
        }
    }
    Ok(if all_valid { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// How the format was known where only the folder's name says so, and any text would do.
const UNTESTED: &str = "by its folder's name alone, as this format can be any text";

/// What a file holds, and how that was known.
struct Valid {
    format: &'static str,
    by: &'static str,
    /// `wire` or `file`, where the name of the file does not say which it should be.
    form: Option<&'static str>,
}

/// What is wrong with a file.
struct Problem {
    /// The format that it was held to, where one was found.
    format: Option<String>,
    kind: &'static str,
    message: String,
    place: Option<Location>,
    /// Each thing that the schema of the format does not allow.
    violations: Vec<Violation>,
}

impl Problem {
    /// What kept the file from being looked at.
    fn unread(kind: &'static str, message: String) -> Self {
        Self { format: None, kind, message, place: None, violations: Vec::new() }
    }

    fn of(format: Option<&str>, error: &Error) -> Self {
        Self {
            format: format.map(str::to_owned),
            kind: error.kind().as_str(),
            message: error.to_string(),
            place: error.location().cloned(),
            violations: Vec::new(),
        }
    }
}

fn check(registry: &Registry, options: &Validate, path: &Path, content: &Bytes) -> Result<Valid, Problem> {
    let held = |model: &Registration, by| {
        // It may be one in an envelope of old.
        hold(model, by, path, content).or_else(|problem| match by_ladder(registry, content) {
            Ok(enveloped) if enveloped.format == model.format() && !detect::is_file_form(path) => Ok(enveloped),
            _ => Err(problem),
        })
    };
    if let Some(label) = &options.format {
        let model = registry.require(label).map_err(|error| Problem::of(Some(label), &error))?;
        return held(model, "as asked");
    }
    if let Some(headers) = detect::headers_beside(path) {
        return by_headers(registry, &headers, content);
    }
    if let Some(model) = detect::by_folder(registry, path) {
        match detect::claim(registry, model, path, content) {
            Claim::Tested => return held(model, "by its folder"),
            Claim::Untested => return held(model, UNTESTED),
            Claim::Refuted => {}
        }
    }
    match detect::by_content(registry, content) {
        Some(model) => held(model, "by its content"),
        None => by_ladder(registry, content),
    }
}

/// Holds a VOEvent 2.0 to its schema. Events of other versions, and those that are not XML, have none.
fn hold_to_schema(valid: Valid, content: &Bytes) -> Result<Valid, Problem> {
    if valid.format != VoEvent::FORMAT {
        return Ok(valid);
    }
    let Ok(event) = VoEvent::load(content.into()) else { return Ok(valid) };
    if event.as_bytes() != content || event.version() != "2.0" {
        return Ok(valid);
    }
    let violations = event.validate();
    let Some(first) = violations.first() else { return Ok(valid) };
    Err(Problem {
        format: Some(valid.format.to_owned()),
        kind: "invalid",
        message: match violations.len() {
            1 => "the schema of VOEvent 2.0 does not allow one thing in it".to_owned(),
            count => format!("the schema of VOEvent 2.0 does not allow {count} things in it"),
        },
        place: Some(first.location().clone()),
        violations,
    })
}

/// Holds content to a model, in the form that the name of the file says; of another name, it may be either.
fn hold(model: &Registration, by: &'static str, path: &Path, content: &Bytes) -> Result<Valid, Problem> {
    match detect::read(model, path, content) {
        Ok((_, form)) => {
            let form = (!detect::is_content(path) && !detect::is_file_form(path)).then_some(form);
            Ok(Valid { format: model.format(), by, form })
        }
        Err(error) => Err(Problem::of(Some(model.format()), &error)),
    }
}

fn by_headers(registry: &Registry, headers: &Path, content: &Bytes) -> Result<Valid, Problem> {
    let headers = read_headers(headers).map_err(|what| Problem::unread("headers", what))?;
    let label = headers.first(hop_core::header::FORMAT).and_then(|header| header.value.as_deref());
    let label = label.map(|label| String::from_utf8_lossy(label).into_owned());
    let decoded = registry.decode(&headers, content.into()).map_err(|error| Problem::of(label.as_deref(), &error))?;
    match decoded.route {
        // Nobody knows what it should be.
        Route::UnknownFormat { label } => {
            let error =
                registry.require(&label).err().unwrap_or_else(|| Error::new(ErrorKind::UnknownFormat, "registry"));
            Err(Problem::of(Some(&label), &error))
        }
        _ => Ok(Valid { format: decoded.model.format(), by: "by its headers", form: None }),
    }
}

/// JSON, or an envelope; anything else may be everything.
fn by_ladder(registry: &Registry, content: &Bytes) -> Result<Valid, Problem> {
    match registry.decode(&hop_core::Headers::new(), content.into()) {
        Err(error) => Err(Problem::of(None, &error)),
        Ok(decoded) => match decoded.route {
            Route::Json => Ok(Valid { format: decoded.model.format(), by: "by its content", form: None }),
            Route::Envelope { .. } if decoded.model.format() != "blob" => {
                Ok(Valid { format: decoded.model.format(), by: "by its envelope", form: None })
            }
            _ => {
                let json =
                    detect::starts_like_json(content).then(|| hop_core::json::parse(content.into()).err()).flatten();
                let error = json.unwrap_or_else(|| {
                    Error::new(ErrorKind::UnknownFormat, "content")
                        .expected("a message whose format can be told")
                        .found(hop_core::excerpt(content))
                        .help("say which it is with `--format`; `hop models` lists them")
                });
                Err(Problem::of(None, &error))
            }
        },
    }
}

fn as_json(path: &Path, checked: Result<Valid, Problem>) -> Value {
    let path = output::path_as_json(path);
    match checked {
        Ok(Valid { format, by, form }) => {
            let known = [("path", path), ("ok", true.into()), ("format", format.into()), ("by", by.into())];
            Value::object(known.into_iter().chain(form.map(|form| ("form", form.into()))))
        }
        Err(problem) => {
            let mut error = vec![("kind", problem.kind.into()), ("message", problem.message.as_str().into())];
            match problem.place {
                Some(Location::Text { line, column, byte }) => {
                    let number = |count: usize| Value::Int(i64::try_from(count).unwrap_or(i64::MAX));
                    error.extend([("line", number(line)), ("column", number(column)), ("byte", number(byte))]);
                }
                Some(Location::Byte(byte)) => error.push(("byte", Value::Int(i64::try_from(byte).unwrap_or(i64::MAX)))),
                Some(Location::Path(at)) => error.push(("field", at.as_str().into())),
                Some(_) | None => {}
            }
            if !problem.violations.is_empty() {
                let violations = problem.violations.iter().map(|violation| {
                    let mut entry = vec![("path", violation.path().into()), ("message", violation.message().into())];
                    if let Location::Text { line, column, .. } = violation.location() {
                        let number = |count: &usize| Value::Int(i64::try_from(*count).unwrap_or(i64::MAX));
                        entry.extend([("line", number(line)), ("column", number(column))]);
                    }
                    Value::object(entry)
                });
                error.push(("violations", violations.collect::<Vec<_>>().into()));
            }
            let format = problem.format.as_deref().map_or(Value::Null, Into::into);
            Value::object([("path", path), ("ok", false.into()), ("format", format), ("error", Value::object(error))])
        }
    }
}
