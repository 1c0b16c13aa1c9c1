use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use hop_core::Value;

use crate::failure::Failure;
use crate::generate::{Fixture, Generated, MARK, Wanted, generate};
use crate::{label, output};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hop generate --from alert.avsc --format survey-alert --out src/alert.rs
  hop generate --from alert.schema.json --format survey-alert --json |
      jq -r .code")]
pub(crate) struct Generate {
    /// The schema, or an Avro file written by it. What it refers to is looked for beside it.
    #[arg(long, value_name = "FILE")]
    pub(crate) from: PathBuf,

    /// The label of the messages: 1 to 64 of `a-z`, `0-9`, `-`, `_`, `.`.
    #[arg(short, long, value_name = "LABEL")]
    pub(crate) format: String,

    /// Where to write the module, instead of to the standard output. An Avro schema is put beside it, instead of into it.
    #[arg(short, long, value_name = "FILE.rs")]
    pub(crate) out: Option<PathBuf>,

    /// Where to write an example of a message, instead of to `fixtures/LABEL` in the crate of the module.
    #[arg(long, value_name = "DIR")]
    pub(crate) fixtures: Option<PathBuf>,

    /// The name of the type, instead of the schema's own.
    #[arg(long, value_name = "TYPE")]
    pub(crate) name: Option<String>,

    /// Print one JSON object: the type, what was written, and the crates that it needs; the code, where no file is named.
    #[arg(short, long)]
    pub(crate) json: bool,
}

pub(crate) fn run(options: &Generate) -> Result<ExitCode, Failure> {
    label::check(&options.format).map_err(Failure::Usage)?;
    if options.format.bytes().all(|byte| byte == b'.') {
        // Fixtures are kept in a folder of that name.
        return Err(Failure::Usage(format!("`{}` names another folder; give the format a label", options.format)));
    }
    if let Some(name) = &options.name {
        check_type_name(name).map_err(Failure::Usage)?;
    }
    let schema_path = options.out.as_ref().map(|out| out.with_extension("avsc"));
    let schema_file = schema_path.as_ref().and_then(|path| path.file_name()).map(|name| name.to_string_lossy());
    let generated = generate(&Wanted {
        from: &options.from,
        format: &options.format,
        name: options.name.as_deref(),
        schema_file: schema_file.as_deref(),
    })?;
    let Some(out) = &options.out else {
        let case = options.fixtures.as_ref().map(|fixtures| fixtures.join(CASE));
        if let (Some(case), Some(fixture)) = (&case, &generated.fixture) {
            write_fixture(case, &options.format, fixture)?;
        }
        if options.json {
            output::line(as_json(options, &generated, case.as_deref()))?;
        } else {
            output::bytes(generated.module.as_bytes(), b"\n")?;
        }
        return Ok(ExitCode::SUCCESS);
    };
    let own = may_be_written(out)?;
    let regenerated = own.is_some();
    if let (Some(schema), Some(path)) = (&generated.schema, &schema_path) {
        write_schema(path, schema, options, regenerated)?;
    }
    let end = format!("{END}{:016x}\n", digest(&generated.module));
    write(out, format!("{}{end}{}", generated.module, own.unwrap_or_default()).as_bytes())?;
    let fixtures = options.fixtures.clone().unwrap_or_else(|| home(out).join("fixtures").join(&options.format));
    let case = fixtures.join(CASE);
    if let Some(fixture) = &generated.fixture {
        write_fixture(&case, &options.format, fixture)?;
    }
    if options.json {
        output::line(as_json(options, &generated, Some(&case)))?;
    } else {
        report(out, &case, &generated)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The folder of the example among the fixtures of its format.
const CASE: &str = "generated";

fn report(out: &Path, case: &Path, generated: &Generated) -> io::Result<()> {
    let Generated { name, types, .. } = generated;
    let made_of = match types - 1 {
        0 => String::new(),
        1 => ", and 1 type that it is made of".to_owned(),
        others => format!(", and {others} types that it is made of"),
    };
    output::line(format_args!("{}: {name}{made_of}", output::path(out)))?;
    if generated.schema.is_some() {
        output::line(format_args!("{}: its schema", output::path(&out.with_extension("avsc"))))?;
    }
    if generated.fixture.is_some() {
        output::line(format_args!("{}: an example", output::path(case)))?;
    } else {
        output::line("no example: none was found that the schema takes; put a message of yours among the fixtures")?;
    }
    let needs = needs(generated).into_iter().map(|(name, feature)| match feature {
        Some(feature) => format!("{name} (feature {feature})"),
        None => name.to_owned(),
    });
    output::line(format_args!("It needs {}.", needs.collect::<Vec<_>>().join(", ")))
}

/// Returns the crates that the module needs, with the feature of each.
fn needs(generated: &Generated) -> Vec<(&'static str, Option<&'static str>)> {
    let mut crates = vec![("hop-core", Some("derive")), ("serde", Some("derive"))];
    if generated.schema.is_some() {
        crates.insert(1, ("hop-models", None));
    }
    if generated.bytes {
        crates.push(("serde_bytes", None));
    }
    crates
}

/// Returns what was made; with the code where it is in no file.
fn as_json(options: &Generate, generated: &Generated, case: Option<&Path>) -> Value {
    let crates = needs(generated).into_iter().map(|(name, feature)| {
        let features = Value::Array(feature.into_iter().map(Into::into).collect());
        Value::object([("crate", name.into()), ("features", features)])
    });
    let schema = options.out.as_ref().filter(|_| generated.schema.is_some()).map(|out| out.with_extension("avsc"));
    let example = case.filter(|_| generated.fixture.is_some());
    let code = if options.out.is_none() { generated.module.as_str().into() } else { Value::Null };
    Value::object([
        ("format", options.format.as_str().into()),
        ("type", generated.name.as_str().into()),
        ("types", Value::Int(i64::try_from(generated.types).unwrap_or(i64::MAX))),
        ("path", options.out.as_deref().map_or(Value::Null, output::path_as_json)),
        ("schema", schema.as_deref().map_or(Value::Null, output::path_as_json)),
        ("example", example.map_or(Value::Null, output::path_as_json)),
        ("needs", Value::Array(crates.collect())),
        ("code", code),
    ])
}

/// What ends the generated part of a file, before the digest of it; what stands behind is the author's, and kept.
const END: &str = "// The end of what `hop generate` wrote; what follows is kept. ";

/// A number that changes with the text, but not with how it is wrapped.
fn digest(text: &str) -> u64 {
    // FNV-1a: no more is asked of it than to notice that somebody wrote something.
    let code = text.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b',');
    code.fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3))
}

/// What stands behind the generated part of a file that is there already; `None` where there is no file.
fn may_be_written(path: &Path) -> Result<Option<String>, Failure> {
    match fs::read_to_string(path) {
        Ok(text) if text.contains(MARK) => {
            let parts = text.split_once(END).and_then(|(generated, rest)| {
                let (stated, own) = rest.split_once('\n').unwrap_or((rest, ""));
                let unchanged = u64::from_str_radix(stated.trim(), 16).ok() == Some(digest(generated));
                unchanged.then(|| own.to_owned())
            });
            parts.map(Some).ok_or_else(|| taken(path, "was changed by hand, or written by an older version"))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Ok(_) => Err(taken(path, "was not generated")),
        Err(error) => Err(named(path, error)),
    }
}

fn taken(path: &Path, why: &str) -> Failure {
    let advice = "it is left as it is; name another file, or remove it";
    Failure::Usage(format!("{} is there already and {why}: {advice}", output::path(path)))
}

/// The schema beside the module, which may be where it was read from.
fn write_schema(path: &Path, schema: &str, options: &Generate, regenerated: bool) -> Result<(), Failure> {
    let there = match fs::read_to_string(path) {
        Ok(there) => there,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return write(path, schema.as_bytes()),
        Err(error) => return Err(named(path, error)),
    };
    let same = |one: &str, other: &str| Value::from_json(one).ok() == Value::from_json(other).ok();
    if same(&there, schema) {
        return Ok(());
    }
    let is_source = fs::canonicalize(path).ok() == fs::canonicalize(&options.from).ok();
    if regenerated && !is_source {
        return write(path, schema.as_bytes());
    }
    Err(taken(path, "is another schema"))
}

fn write_fixture(case: &Path, format: &str, fixture: &Fixture) -> Result<(), Failure> {
    fs::create_dir_all(case).map_err(|error| named(case, error))?;
    let headers = Value::Array(vec![Value::Array(vec!["_format".into(), format.into()])]);
    let expected =
        Value::object([("format", format.into()), ("route", "header".into()), ("model", fixture.fields.clone())]);
    write(&case.join(fixture.file), &fixture.content)?;
    write(&case.join("headers.json"), format!("{headers}\n").as_bytes())?;
    write(&case.join("model.json"), format!("{expected}\n").as_bytes())
}

fn write(path: &Path, content: &[u8]) -> Result<(), Failure> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| named(folder, error))?;
    }
    fs::write(path, content).map_err(|error| named(path, error))
}

fn named(path: &Path, error: io::Error) -> Failure {
    Failure::Io(output::named(path, &error))
}

/// The crate that a file is of; else its folder.
fn home(file: &Path) -> PathBuf {
    let folder = file.parent().unwrap_or(Path::new(""));
    // Where links and `..` lead, as far as there are folders already.
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let there = absolute.ancestors().find_map(|folder| fs::canonicalize(folder).ok());
    let here = there.unwrap_or(absolute);
    let home = here.ancestors().find(|folder| folder.join("Cargo.toml").is_file());
    home.map_or_else(|| folder.to_owned(), Path::to_owned)
}

fn check_type_name(name: &str) -> Result<(), String> {
    let mut characters = name.chars();
    let starts = characters.next().is_some_and(|first| first.is_ascii_uppercase());
    if starts && name != "Self" && characters.all(|c| c.is_ascii_alphanumeric()) {
        return Ok(());
    }
    Err(format!("`{}` is no name of a type: write it like `SupernovaAlert`", name.escape_debug()))
}
