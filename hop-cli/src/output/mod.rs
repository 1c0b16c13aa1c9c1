//! The two outputs: results on the standard output, and what went wrong on the standard error.

pub(crate) mod fields;
pub(crate) mod ndjson;
pub(crate) mod people;
pub(crate) mod progress;
pub(crate) mod save;
pub(crate) mod sink;
pub(crate) mod stderr;
pub(crate) mod table;
pub(crate) mod template;

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

/// Writes bytes to the standard output, and `end` after them unless they end with it already; to a terminal without what
/// steers it.
pub(crate) fn bytes(bytes: &[u8], end: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let harmless;
    let bytes = if out.is_terminal() {
        harmless = people::harmless(bytes);
        harmless.as_bytes()
    } else {
        bytes
    };
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

/// Says of each message that was not delivered why; returns how many they are.
pub(crate) fn undelivered(error: &hop_kafka::Error) -> usize {
    for lost in error.undelivered() {
        complain(format_args!("not delivered to `{}`: {}", lost.topic, lost.reason));
    }
    error.undelivered().len()
}

/// Writes to the standard error how many messages were sent, and how many were not, unless `--quiet` is set.
pub(crate) fn outcome(total: usize, unsent: usize) {
    if unsent > 0 || tracing::enabled!(target: "hop::outcome", tracing::Level::INFO) {
        complain(format_args!("{} sent, {unsent} not", total - unsent));
    }
}

/// Writes a path to the standard output: as it is for a program, with control characters escaped for people.
pub(crate) fn located(path: &Path) -> io::Result<()> {
    if io::stdout().is_terminal() { line(self::path(path)) } else { line(path.display()) }
}

/// Adds the path to an error of its file.
pub(crate) fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", self::path(path)))
}

/// A path, fit for a terminal.
pub(crate) fn path(path: &Path) -> String {
    escape_controls(&path.to_string_lossy()).into_owned()
}

/// Returns a path as JSON has it.
pub(crate) fn path_as_json(path: &Path) -> Value {
    (*path.to_string_lossy()).into()
}

/// The bytes that text with escapes such as `\n` stands for.
pub(crate) fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut out = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let digits = |count: usize, rest: &mut std::str::Chars<'_>| {
            let digits: String = rest.by_ref().take(count).collect();
            u32::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == count).and_then(char::from_u32)
        };
        let escaped = match rest.next() {
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some('0') => Some('\0'),
            Some('\\') => Some('\\'),
            Some('x') => digits(2, &mut rest),
            Some('u') => digits(4, &mut rest),
            _ => None,
        };
        out.push(escaped.ok_or_else(|| format!(r"`{text}` has an escape other than \n \r \t \0 \\ \xNN \uNNNN"))?);
    }
    Ok(out.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_read() {
        assert_eq!(unescape(r"\n--\t\x41\u00e9\\"), Ok("\n--\tA\u{e9}\\".as_bytes().to_vec()));
        assert_eq!(unescape(""), Ok(Vec::new()));
        for bad in [r"\", r"\q", r"\x4", r"\ud800"] {
            assert!(unescape(bad).is_err(), "{bad}");
        }
    }
}
