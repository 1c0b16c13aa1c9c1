//! The two outputs: results, and complaints.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use hop_core::{Value, escape_controls};

/// Writes a line to the standard output, at once.
pub(crate) fn line(text: impl Display) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

/// The value as JSON for people: an entry or an element a line, and what is short in one.
pub(crate) fn indented(value: &Value) -> String {
    let mut out = String::new();
    indent(value, 0, &mut out);
    out
}

fn indent(value: &Value, depth: usize, out: &mut String) {
    const WIDTH: usize = 100;
    const STEP: usize = 2;
    let line = value.to_string();
    let parts: Vec<(String, &Value)> = match value {
        _ if depth * STEP + line.len() <= WIDTH && depth > 0 => Vec::new(),
        Value::Array(values) => values.iter().map(|value| (String::new(), value)).collect(),
        Value::Object(object) => {
            object.iter().map(|(key, value)| (format!("{}: ", Value::from(key.clone())), value)).collect()
        }
        _ => Vec::new(),
    };
    if parts.is_empty() {
        out.push_str(&line);
        return;
    }
    let (open, close) = if matches!(value, Value::Array(_)) { ("[", "]") } else { ("{", "}") };
    out.push_str(open);
    for (at, (key, part)) in parts.iter().enumerate() {
        out.push_str(if at == 0 { "\n" } else { ",\n" });
        out.push_str(&" ".repeat((depth + 1) * STEP));
        out.push_str(key);
        indent(part, depth + 1, out);
    }
    out.push('\n');
    out.push_str(&" ".repeat(depth * STEP));
    out.push_str(close);
}

/// Writes bytes to the standard output, and `end` after them unless they end with it already.
pub(crate) fn bytes(bytes: &[u8], end: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    if !bytes.ends_with(end) {
        out.write_all(end)?;
    }
    out.flush()
}

/// Writes a line to the standard error, with control characters escaped: what is quoted in it may come from anywhere.
pub(crate) fn complain(what: impl Display) {
    let text = format!("hop: {what}\n");
    let lines = text.split_inclusive(['\n', '\t']).map(|line| {
        let end = line.len() - usize::from(line.ends_with(['\n', '\t']));
        format!("{}{}", escape_controls(&line[..end]), &line[end..])
    });
    // Where the standard error is gone there is nobody to tell.
    let _written = io::stderr().write_all(lines.collect::<String>().as_bytes());
}

/// Writes a path to the standard output: as it is for a program, with control characters escaped for people.
pub(crate) fn located(path: &Path) -> io::Result<()> {
    if io::stdout().is_terminal() { line(self::path(path)) } else { line(path.display()) }
}

/// A path, fit for a terminal.
pub(crate) fn path(path: &Path) -> String {
    escape_controls(&path.to_string_lossy()).into_owned()
}
