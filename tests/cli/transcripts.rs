//! The transcripts of README and the book: what is typed after `$` is run, and has to print what stands below it.
//!
//! `[..]` stands for a part of a line, and `...` for lines, that differ from run to run. `kafka://localhost/` is a broker of
//! the test; the folder has `fixtures`, and `hop` is this `hop`.

use std::fs;
use std::path::Path;

use hop_tests::process::Program;
use hop_tests::root;

use crate::streams::Broker;
use crate::{empty_home, hop};

/// One command, and what it has to print.
#[derive(Debug, PartialEq)]
struct Step {
    line: usize,
    command: String,
    expected: String,
}

/// The commands of all transcripts in a text.
fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    for (at, line) in text.lines().enumerate() {
        match line {
            "```console" => inside = true,
            "```" => inside = false,
            _ if !inside => {}
            _ => match (line.strip_prefix("$ "), steps.last_mut()) {
                (Some(command), _) => {
                    steps.push(Step { line: at + 1, command: command.to_owned(), expected: String::new() });
                }
                (None, Some(step)) if step.expected.is_empty() && step.command.ends_with('\\') => {
                    step.command.push('\n');
                    step.command.push_str(line);
                }
                (None, Some(step)) => {
                    step.expected.push_str(line);
                    step.expected.push('\n');
                }
                (None, None) => panic!("line {}: output of no command", at + 1),
            },
        }
    }
    steps
}

/// Runs the transcripts of a file, one after another in one folder.
fn run(file: &Path, least: usize) {
    let broker = Broker::start(&["alerts"]);
    let folder = tempfile::tempdir().unwrap();
    let bin = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_plain-hop"), bin.path().join("hop")).unwrap();
    std::os::unix::fs::symlink(root().join("fixtures"), folder.path().join("fixtures")).unwrap();
    let path = format!("{}:{}", bin.path().display(), std::env::var("PATH").unwrap());
    let steps = steps(&fs::read_to_string(file).unwrap());
    assert!(steps.len() >= least, "{}: {} commands", file.display(), steps.len());
    let mut wrong = String::new();
    for Step { line, command, expected } in steps {
        let command = command.replace("kafka://localhost/", &broker.url(""));
        let finished = Program::new("sh")
            .args(["-c", &format!("exec 2>&1\n{command}")])
            .env("PATH", &path)
            .env("HOME", empty_home())
            .env("XDG_CONFIG_HOME", empty_home().join(".config"))
            // Where reading starts is not shown.
            .env("RUST_LOG", "hop=warn,hop::outcome=info")
            .folder(folder.path())
            .run();
        let mut printed = String::from_utf8_lossy(&finished.out).replace(&broker.url(""), "kafka://localhost/");
        printed = printed.replace(&empty_home().display().to_string(), "/home/ada");
        if let Some(code @ 1..) = finished.status.code() {
            printed.push_str(&format!("[exit code {code}]\n"));
        }
        if snapbox::Assert::new().try_eq(None, printed.clone().into(), expected.clone().into()).is_err() {
            wrong.push_str(&format!("{}:{line}: {command}\n{printed}\ninstead of\n{expected}\n", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_readme_shows_what_is_printed() {
    run(&root().join("README.md"), 3);
}

#[test]
fn the_chapter_on_the_command_shows_what_is_printed() {
    run(&root().join("docs/src/command.md"), 30);
}

#[test]
fn a_transcript_is_read_with_its_commands_and_what_they_print() {
    let text = "text\n```console\n$ a\nb\nc\n$ d \\\n  e\nf\n```\n$ no\n```sh\n$ no\n```\n";
    let step =
        |line, command: &str, expected: &str| Step { line, command: command.to_owned(), expected: expected.to_owned() };
    assert_eq!(steps(text), [step(3, "a", "b\nc\n"), step(6, "d \\\n  e", "f\n")]);
}

#[test]
fn every_help_fits_a_screen_and_has_an_example() {
    let listed = hop(["--help"]).run();
    let commands: Vec<String> = listed
        .expect(0)
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .map(|line| line.split_whitespace().next().unwrap().to_owned())
        .collect();
    assert!(commands.len() > 15, "{commands:?}");
    for command in commands {
        let finished = hop([command.as_str(), "-h"]).run();
        let help = finished.expect(0);
        let lines = help.lines().count();
        assert!(lines <= 48, "hop {command} -h has {lines} lines:\n{help}");
        assert!(help.contains("Example"), "hop {command} -h has no example:\n{help}");
        assert!(help.contains(&format!("  hop {command}")), "{help}");
        // A line that is wrapped cannot be copied.
        let examples = help.lines().skip_while(|line| !line.starts_with("Example")).skip(1);
        for line in examples.take_while(|line| !line.is_empty()) {
            assert!(line.starts_with("  ") && line.chars().count() <= 80, "hop {command} -h: {line}");
        }
    }
    // What cannot be written is a failure.
    for help in ["--help", "subscribe -h", "help topics", "models", "man"] {
        let script = format!("'{}' {help} > /dev/full", env!("CARGO_BIN_EXE_plain-hop"));
        let finished = Program::new("sh").args(["-c", &script]).run();
        finished.expect(1);
        assert!(finished.err.contains("No space left"), "{help}: {}", finished.err);
    }
}

#[test]
fn completions_and_manual_pages_are_made_for_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let finished = hop(["completions", shell]).run();
        assert!(finished.expect(0).contains("subscribe"), "{shell}");
    }
    let folder = tempfile::tempdir().unwrap();
    hop(["man".as_ref(), "--dir".as_ref(), folder.path().as_os_str()]).run().expect(0);
    for page in ["hop.1", "hop-subscribe.1", "hop-auth-add.1", "hop-list-topics.1"] {
        let text = fs::read_to_string(folder.path().join(page)).unwrap();
        assert!(text.starts_with(".ie") && text.contains(".SH NAME"), "{page}: {text:.100}");
    }
    let page = fs::read_to_string(folder.path().join("hop-auth-add.1")).unwrap();
    assert!(page.contains("hop auth add") && page.contains("CSV"), "{page}");
}
