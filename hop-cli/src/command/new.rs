use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use hop_core::Value;

use crate::failure::Failure;
use crate::generate::type_name;
use crate::{label, output};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hop new donut
  hop new snews-alert --path ~/crates/snews --json")]
pub(crate) struct New {
    /// The name of the crate, which is the label of its messages too: `donut`.
    pub(crate) name: String,

    /// Where to make it, instead of a folder of that name here.
    #[arg(long, value_name = "DIR")]
    pub(crate) path: Option<PathBuf>,

    /// Take hop from this checkout of its sources, instead of the one that this command was built from.
    #[arg(long, value_name = "DIR", env = "HOP_PATH")]
    pub(crate) hop_path: Option<PathBuf>,

    /// Print one JSON object: the crate, its folder, its files, the model's type and label.
    #[arg(short, long)]
    pub(crate) json: bool,
}

/// The files of a new crate. What stands between `@` is filled in.
const FILES: [(&str, &str); 9] = [
    ("Cargo.toml", include_str!("../../templates/new/Cargo.toml.in")),
    ("README.md", include_str!("../../templates/new/README.md.in")),
    (".gitignore", "/target\n"),
    ("src/lib.rs", include_str!("../../templates/new/lib.rs.in")),
    ("src/bin/hop.rs", include_str!("../../templates/new/hop.rs.in")),
    ("tests/fixtures.rs", include_str!("../../templates/new/fixtures.rs.in")),
    ("fixtures/@LABEL@/plain/content.json", CONTENT),
    ("fixtures/@LABEL@/plain/headers.json", "[[\"_format\", \"@LABEL@\"]]\n"),
    ("fixtures/@LABEL@/plain/model.json", "{\"format\": \"@LABEL@\", \"route\": \"header\", \"model\": @CONTENT@}\n"),
];

const CONTENT: &str = include_str!("../../templates/new/content.json.in");

/// Names of crates that the new one depends on, or that every crate does; and what cargo would mix up with its `hop`.
const TAKEN: [&str; 11] =
    ["alloc", "core", "hop", "hop_cli", "hop_core", "hop_derive", "hop_models", "proc_macro", "serde", "std", "test"];

/// Types that the new crate names itself, beside those that all generated code names.
const NAMED: [&str; 3] = ["Encoder", "Registry", "Result"];

pub(crate) fn run(options: &New) -> Result<ExitCode, Failure> {
    let name = &options.name;
    check_name(name).map_err(Failure::Usage)?;
    let folder = options.path.clone().unwrap_or_else(|| PathBuf::from(name));
    check_folder(&folder)?;
    let place = std::path::absolute(&folder).map_err(|error| named(&folder, error))?;
    let within = place.ancestors().skip(1).any(|folder| folder.join("Cargo.toml").is_file());
    let checkout = options.hop_path.clone().or_else(own_checkout).ok_or_else(|| {
        let gone = "the sources that this command was built from are gone: say where hop's are, with `--hop-path DIR`";
        Failure::Usage(gone.to_owned())
    })?;
    let filled = [
        ("@HOP_CORE@", dependency("hop-core", &checkout)?),
        ("@HOP_CLI@", dependency("hop-cli", &checkout)?),
        ("@WORKSPACE@", if within { WORKSPACE } else { "" }.to_owned()),
        ("@CONTENT@", CONTENT.to_owned()),
        ("@CRATE@", name.clone()),
        ("@LIB@", name.replace('-', "_")),
        ("@LABEL@", name.clone()),
        ("@MODEL@", type_name(name)),
    ];
    let fill = |text: &str| filled.iter().fold(text.to_owned(), |text, (mark, value)| text.replace(mark, value));
    let mut files = Vec::new();
    for (path, text) in FILES {
        let path = folder.join(fill(path));
        files.push(output::path_as_json(&path));
        let mut text = fill(text);
        // Content is kept to the byte; other files end with one line's end.
        if !path.ends_with("content.json") {
            text.truncate(text.trim_end().len());
            text.push('\n');
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| named(folder, error))?;
        }
        fs::write(&path, text).map_err(|error| named(&path, error))?;
    }
    if options.json {
        output::line(Value::object([
            ("crate", name.as_str().into()),
            ("path", output::path_as_json(&folder)),
            ("format", name.as_str().into()),
            ("type", type_name(name).into()),
            ("files", Value::Array(files)),
        ]))?;
        return Ok(ExitCode::SUCCESS);
    }
    output::line(format_args!("{}: a crate with the model {}", output::path(&folder), type_name(name)))?;
    output::line(
        "`cargo test` there holds it to its messages; `cargo run --features hop -- models` is a `hop` that knows it.",
    )?;
    Ok(ExitCode::SUCCESS)
}

/// For a crate made within the folder of another, which cargo would else take for its workspace.
const WORKSPACE: &str =
    "\n# It stands in the folder of another crate, and is none of that one's workspace.\n[workspace]\n";

/// Whether a crate, its model and its messages can all have this name.
fn check_name(name: &str) -> Result<(), String> {
    label::check(name)?;
    let shown = name.escape_debug();
    if !name.starts_with(|first: char| first.is_ascii_lowercase()) {
        return Err(format!("`{shown}` is no name of a crate: one starts with a letter"));
    }
    if name.contains('.') {
        return Err(format!(
            "`{shown}` is no name of a crate: write `{}`, and change the label in its `src/lib.rs`",
            name.replace('.', "-").trim_end_matches('-')
        ));
    }
    let lib = name.replace('-', "_");
    if lib.contains("__") || lib.ends_with('_') {
        return Err(format!(
            "`{shown}` is no name of a crate: Rust has words with one `-` or `_` between them, and none at the end"
        ));
    }
    let model = type_name(name);
    if crate::generate::is_taken(&model) || NAMED.contains(&model.as_str()) {
        return Err(format!(
            "`{shown}` makes a type `{model}`, which means something else in the same code: choose another name"
        ));
    }
    if TAKEN.contains(&lib.as_str()) || crate::generate::is_keyword(&lib) {
        return Err(format!("`{shown}` means something else to Rust or to hop already: choose another name"));
    }
    Ok(())
}

/// Nothing is written into a folder that holds anything.
fn check_folder(folder: &Path) -> Result<(), Failure> {
    match fs::read_dir(folder) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(Failure::Usage(format!(
                "{} is there already, and not empty: it is left as it is; name another folder with `--path`",
                output::path(folder)
            ))),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(named(folder, error)),
    }
}

/// The checkout that this command was built from, while it is there.
fn own_checkout() -> Option<PathBuf> {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    checkout.join("hop-core/Cargo.toml").is_file().then(|| checkout.to_owned())
}

/// Where cargo finds a crate of hop. Never the public registry: the crates with these names there belong to others.
fn dependency(name: &str, checkout: &Path) -> Result<String, Failure> {
    let path = checkout.join(name);
    let path = fs::canonicalize(&path).ok().filter(|path| path.join("Cargo.toml").is_file()).ok_or_else(|| {
        Failure::Usage(format!("{} is no checkout of hop: there is no {}", output::path(checkout), output::path(&path)))
    })?;
    Ok(format!("path = {}", toml_string(&path.to_string_lossy())))
}

fn toml_string(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            control if control.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(control))),
            other => out.push(other),
        }
    }
    out + "\""
}

fn named(path: &Path, error: io::Error) -> Failure {
    Failure::Io(output::named(path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_suits_a_crate_and_a_label() {
        for name in ["donut", "donut-2", "snews_alert", "result-set"] {
            assert_eq!(check_name(name), Ok(()));
        }
        for (name, help) in [
            ("Donut", "write `donut`"),
            ("2donuts", "starts with a letter"),
            ("gcn.donut", "write `gcn-donut`"),
            ("do nut", "takes 1 to 64 of"),
            ("avro", "choose another"),
            ("serde", "choose another"),
            ("hop-core", "choose another"),
            ("match", "choose another"),
            ("option", "`Option`, which means something else in the same code: choose another"),
            ("string", "`String`, which means something else in the same code: choose another"),
            ("hop-model", "`HopModel`, which means something else in the same code: choose another"),
            ("donut--2", "one `-` or `_` between"),
            ("donut-_2", "one `-` or `_` between"),
            ("donut-", "none at the end"),
            ("../x", "takes 1 to 64 of"),
        ] {
            let refused = check_name(name).unwrap_err();
            assert!(refused.contains(help), "{refused}");
        }
    }

    #[test]
    fn paths_are_toml() {
        assert_eq!(toml_string("a\"b\\c\u{7}"), "\"a\\\"b\\\\c\\u0007\"");
    }
}
