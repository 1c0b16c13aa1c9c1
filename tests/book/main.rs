//! What the book and the README show: commands that there are, and links that lead somewhere. Their Rust is run as examples.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use hop_tests::process::Program;
use hop_tests::root;

/// The chapters, in any order.
fn chapters() -> Vec<PathBuf> {
    let files = fs::read_dir(root().join("docs/src")).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|end| end == "md") && !path.ends_with("SUMMARY.md")).collect()
}

/// The arguments of each `hop` in the shell blocks of a file.
fn commands(text: &str) -> Vec<Vec<String>> {
    let blocks = text.split("\n```sh\n").skip(1).filter_map(|rest| rest.split("\n```").next());
    let command = |line: &str| {
        let starts = ["hop ", "target/debug/hop ", "cargo run --features hop -- ", "cargo run -- "];
        let arguments =
            starts.iter().find_map(|start| line.strip_prefix(start))?.split(" <<").next()?.split(" > ").next()?;
        Some(arguments.split(' ').map(str::to_owned).collect())
    };
    blocks.flat_map(str::lines).filter_map(command).collect()
}

/// Whether the command understands these arguments, without doing as they say.
fn is_understood(arguments: &[String]) -> Result<(), String> {
    let finished = Program::new(env!("CARGO_BIN_EXE_plain-hop")).args(arguments).args(["--help"]).run();
    if finished.status.success() { Ok(()) } else { Err(format!("hop {}: {}", arguments.join(" "), finished.err)) }
}

#[test]
fn the_commands_shown_are_those_that_there_are() {
    let files = [chapters(), vec![root().join("README.md")]].concat();
    let shown: Vec<_> = files.iter().flat_map(|file| commands(&fs::read_to_string(file).unwrap())).collect();
    for name in ["demo", "publish", "subscribe", "replay", "auth", "models", "generate", "validate", "new", "broker"] {
        assert!(shown.iter().any(|arguments| arguments[0] == name), "no command `{name}` is found in the book");
    }
    for arguments in shown {
        is_understood(&arguments).unwrap();
    }
    assert!(is_understood(&["models".to_owned(), "--sold-out".to_owned()]).is_err());
}

#[test]
fn the_module_shown_is_what_generate_writes_for_the_schema_before_it() {
    let text = fs::read_to_string(root().join("docs/src/schemas.md")).unwrap();
    let block = |from: &str, language: &str| {
        let (_, rest) = from.split_once(&format!("\n```{language}\n")).unwrap();
        let (block, rest) = rest.split_once("\n```").unwrap();
        (block.to_owned(), rest.to_owned())
    };
    let (schema, rest) = block(&text, "json");
    let shown: Vec<_> =
        block(&rest, "rust").0.lines().filter(|line| !line.starts_with("# ")).map(str::to_owned).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flare.schema.json");
    fs::write(&path, schema).unwrap();
    let arguments = ["generate".as_ref(), "--from".as_ref(), path.as_os_str(), "--format".as_ref(), "flare".as_ref()];
    let finished = Program::new(env!("CARGO_BIN_EXE_plain-hop")).args(arguments).run();
    assert!(finished.expect(0).contains(&shown.join("\n")), "{finished:?}");
}

#[test]
fn every_chapter_is_in_the_summary_and_has_its_code_run() {
    let summary = fs::read_to_string(root().join("docs/src/SUMMARY.md")).unwrap();
    let tested = fs::read_to_string(root().join("tests/support/book.rs")).unwrap();
    for chapter in chapters() {
        let name = chapter.file_name().unwrap().to_str().unwrap();
        assert!(summary.contains(&format!("({name})")), "{name} is not in SUMMARY.md");
        assert!(tested.contains(&format!("\"{name}\"")), "{name} is not in tests/support/book.rs");
    }
}

#[test]
fn links_to_files_lead_somewhere() {
    let mut count = 0;
    for file in [chapters(), vec![root().join("docs/src/SUMMARY.md"), root().join("README.md")]].concat() {
        let text = fs::read_to_string(&file).unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.contains("://") {
                continue;
            }
            let path = target.split('#').next().unwrap_or_default();
            let found = file.parent().unwrap_or(Path::new("")).join(path);
            assert!(found.exists(), "{}: {target}", file.display());
            count += 1;
        }
    }
    assert!(count > 20, "{count} links");
}
