use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bytes::Bytes;
use clap::{ArgAction, Args};
use hop_core::{AnyModel, Blob, Content, Error, ErrorKind, Headers, Limits, Registration, Registry, Value, json};

use crate::detect::Claim;
use crate::failure::Failure;
use crate::output::people;
use crate::{detect, output};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hop decode event.xml
  hop decode --json -f circular circular.txt")]
pub(crate) struct Decode {
    /// Files to decode; `-` for standard input.
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,

    /// The format, in any case. Without it: that of the headers, given or in `headers.json` beside a file called
    /// `content.*`, else that of the first folder above it that bears the name of one, unless the content says otherwise, else
    /// what the content is.
    #[arg(short, long)]
    pub(crate) format: Option<String>,

    /// The files hold what travels on the wire, not what people keep on disk.
    #[arg(short, long)]
    pub(crate) wire: bool,

    /// The headers of the messages: a JSON object, or a list of `[name, value]`; values are text, null or `{"$bytes": base64}`.
    #[arg(long, value_name = "FILE.json", conflicts_with = "format")]
    pub(crate) headers: Option<PathBuf>,

    /// Print one JSON object a file.
    #[arg(short, long, action = ArgAction::SetTrue)]
    pub(crate) json: bool,
}

pub(crate) fn run(registry: &Registry, options: &Decode) -> Result<ExitCode, Failure> {
    // A label that is not linked is a wrong call, for every file alike.
    if let Some(label) = &options.format {
        registry.require(label).map_err(|error| Failure::Usage(error.to_string()))?;
    }
    let headers = options.headers.as_deref().map(read_headers).transpose().map_err(Failure::Usage)?;
    let mut all_decoded = true;
    for path in &options.files {
        let decoded = open(registry, options, headers.as_ref(), path);
        all_decoded &= decoded.is_ok();
        if options.json {
            output::line(as_json(path, decoded))?;
        } else {
            match decoded {
                Ok(Decoded { model, route, fields }) => {
                    let (format, fields) = (model.format(), people::short(&fields));
                    output::line(format_args!("{}: {format} ({route}): {fields}", output::path(path)))?;
                }
                Err(problem) => output::complain(format_args!("{}: {}", output::path(path), problem.message())),
            }
        }
    }
    Ok(if all_decoded { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

pub(crate) struct Decoded {
    pub(crate) model: Box<dyn AnyModel>,
    route: &'static str,
    pub(crate) fields: Value,
}

/// Why one file gives no model.
pub(crate) enum Problem {
    Io(io::Error),
    /// The headers beside the file cannot be read.
    Headers(String),
    Decode(Error),
}

impl Problem {
    fn kind(&self) -> &'static str {
        match self {
            Self::Io(_) => "io",
            Self::Headers(_) => "headers",
            Self::Decode(error) => error.kind().as_str(),
        }
    }

    pub(crate) fn message(&self) -> String {
        match self {
            Self::Io(error) => error.to_string(),
            Self::Headers(what) => what.clone(),
            Self::Decode(error) => error.to_string(),
        }
    }
}

fn decode(
    registry: &Registry,
    options: &Decode,
    headers: Option<&Headers>,
    path: &Path,
    content: &Bytes,
) -> Result<Decoded, Error> {
    let (model, route) = match (&options.format, headers) {
        (None, Some(headers)) => {
            let decoded = registry.decode(headers, content.into())?;
            (decoded.model, decoded.route.as_str())
        }
        (None, None) => find(registry, options.wire, path, content)?,
        (Some(label), _) if options.wire => (registry.require(label)?.decode(content.into())?, "wire"),
        (Some(label), _) => (registry.require(label)?.load(content.into())?, "file"),
    };
    let fields = model.fields()?;
    Ok(Decoded { model, route, fields })
}

/// Reads a file whose format nobody names: by the model of its folder, else by the one that it starts like, else by what
/// the content alone says. A folder's name does not go for content that says otherwise.
fn find(
    registry: &Registry,
    wire: bool,
    path: &Path,
    content: &Bytes,
) -> Result<(Box<dyn AnyModel>, &'static str), Error> {
    // Everything is a blob, so a folder of that name says nothing.
    let by_folder = detect::by_folder(registry, path).filter(|model| !model.is::<Blob>());
    let Some(refuted) = by_folder.filter(|model| detect::claim(registry, model, path, content) == Claim::Refuted)
    else {
        return find_as(registry, wire, path, content, by_folder);
    };
    let (model, route) = find_as(registry, wire, path, content, None)?;
    if model.is::<Blob>() {
        return Err(Error::new(ErrorKind::UnknownFormat, "content")
            .expected(format!("a message of `{}`, as the folder above it says", refuted.format()))
            .found(hop_core::excerpt(content))
            .help("say which format it has with `--format`; `hop models` lists them"));
    }
    if model.format() != refuted.format() {
        output::complain(format_args!(
            "{}: the folder above it says `{}`, and the content `{}`, which it is read as",
            output::path(path),
            refuted.format(),
            model.format()
        ));
    }
    Ok((model, route))
}

/// Reads a file by the model that its folder names, if it does.
fn find_as(
    registry: &Registry,
    wire: bool,
    path: &Path,
    content: &Bytes,
    by_folder: Option<&Registration>,
) -> Result<(Box<dyn AnyModel>, &'static str), Error> {
    let by_content = detect::by_content(registry, content);
    let Some(model) = by_folder.or(by_content) else {
        let decoded = registry.decode(&Headers::new(), content.into())?;
        return Ok((decoded.model, decoded.route.as_str()));
    };
    // JSON of that format, in an envelope from before there were headers or not.
    if let Ok(decoded) = registry.decode(&Headers::new(), content.into())
        && decoded.model.format() == model.format()
    {
        return Ok((decoded.model, decoded.route.as_str()));
    }
    let read = |model: &Registration| match wire {
        true => Ok((model.decode(content.into())?, "wire")),
        false => detect::read(model, path, content),
    };
    // A folder may be named after a format by chance.
    read(model).or_else(|error| match by_content {
        Some(other) if other.format() != model.format() => read(other).map_err(|_| error),
        None if !detect::is_content(path) && !detect::is_file_form(path) => {
            let Ok(decoded) = registry.decode(&Headers::new(), content.into()) else { return Err(error) };
            if decoded.model.is::<Blob>() {
                return Err(error);
            }
            output::complain(format_args!(
                "{}: the folder above it says `{}`, which it is not ({error}); it is read as what the content is",
                output::path(path),
                model.format()
            ));
            Ok((decoded.model, decoded.route.as_str()))
        }
        _ => Err(error),
    })
}

/// Reads a file as the options say, with these headers, or else those that lie beside it.
pub(crate) fn open(
    registry: &Registry,
    options: &Decode,
    headers: Option<&Headers>,
    path: &Path,
) -> Result<Decoded, Problem> {
    let beside = if options.format.is_none() && headers.is_none() { detect::headers_beside(path) } else { None };
    let beside = beside.as_deref().map(read_headers).transpose().map_err(Problem::Headers)?;
    let content = read(path).map_err(Problem::Io)?;
    decode(registry, options, headers.or(beside.as_ref()), path, &content).map_err(Problem::Decode)
}

fn as_json(path: &Path, decoded: Result<Decoded, Problem>) -> Value {
    let path = output::path_as_json(path);
    match decoded {
        Ok(Decoded { model, route, fields }) => Value::object([
            ("path", path),
            ("ok", true.into()),
            ("format", model.format().into()),
            ("route", route.into()),
            ("model", fields),
        ]),
        Err(problem) => {
            let error = Value::object([("kind", problem.kind().into()), ("message", problem.message().into())]);
            Value::object([("path", path), ("ok", false.into()), ("error", error)])
        }
    }
}

/// The file's bytes, or those of the standard input for `-`; one byte more than the limit is enough to be refused.
pub(crate) fn read(path: &Path) -> io::Result<Bytes> {
    let most = Limits::DEFAULT.content as u64 + 1;
    let mut content = Vec::new();
    if path == Path::new("-") {
        io::stdin().lock().take(most).read_to_end(&mut content)?;
    } else {
        File::open(path)?.take(most).read_to_end(&mut content)?;
    }
    Ok(content.into())
}

/// Headers as `headers.json` has them; the error names the file.
pub(crate) fn read_headers(path: &Path) -> Result<Headers, String> {
    let wrong = |what: String| format!("{}: {what}", output::path(path));
    let text = read(path).map_err(|error| wrong(error.to_string()))?;
    let headers = json::parse(Content::from(&text)).and_then(|value| Headers::from_value(&value));
    headers.map_err(|error| wrong(error.to_string()))
}
