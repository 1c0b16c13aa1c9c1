//! `hop show`: files with alerts, for people.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use hop_core::{Record, Registry, Text, Value, escape_controls};
use jiff::Timestamp;

use super::decode::{self, Decode, Decoded};
use crate::chart::{self, Chart, Mark};
use crate::failure::Failure;
use crate::output;
use crate::output::people::{self, Colours};

/// When to draw the sky in the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Map {
    /// On a terminal.
    Auto,
    Always,
    Never,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hop show alert.xml circular.txt --png sky.png")]
pub(crate) struct Show {
    /// Files to show; `-` for standard input.
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,

    /// The format, in any case. Without it, it is found as `hop decode` finds it.
    #[arg(short, long)]
    pub(crate) format: Option<String>,

    /// The files hold what travels on the wire, not what people keep on disk.
    #[arg(short, long)]
    pub(crate) wire: bool,

    /// Draw the sky, with the position of the alert, in the output.
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) map: Map,

    /// Draw the sky, with the positions of all files, as a picture into this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) png: Option<PathBuf>,

    /// The same in SVG.
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
}

pub(crate) fn run(registry: &Registry, options: &Show) -> Result<ExitCode, Failure> {
    if let Some(label) = &options.format {
        registry.require(label).map_err(|error| Failure::Usage(error.to_string()))?;
    }
    let decoding =
        Decode { files: Vec::new(), format: options.format.clone(), wire: options.wire, headers: None, json: false };
    let colours = Colours::of_stdout();
    let draws = match options.map {
        Map::Auto => io::stdout().is_terminal(),
        Map::Always => true,
        Map::Never => false,
    };
    let (mut all_shown, mut sky, mut titles) = (true, Chart::default(), Vec::new());
    for path in &options.files {
        let decoded = match decode::open(registry, &decoding, None, path) {
            Ok(decoded) => decoded,
            Err(problem) => {
                output::complain(format_args!("{}: {}", output::path(path), problem.message()));
                all_shown = false;
                continue;
            }
        };
        let summary = people::summary(&*decoded.model);
        output::line(shown(path, &decoded, colours))?;
        titles.push(summary.title());
        if let Some(position) = summary.direction.position() {
            let label = summary.names.first().unwrap_or(&summary.kind).clone();
            let mark = Mark { position, label };
            if draws {
                let here = Chart { marks: vec![mark.clone()] };
                for line in chart::text::lines(&here, width()) {
                    output::line(line)?;
                }
                output::line("")?;
            }
            sky.marks.push(mark);
        }
    }
    if options.png.is_some() || options.svg.is_some() {
        all_shown &= draw(options, &sky, &titles)?;
    }
    Ok(if all_shown { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Writes the pictures; false where there is no position to show.
fn draw(options: &Show, sky: &Chart, titles: &[String]) -> Result<bool, Failure> {
    if sky.marks.is_empty() {
        output::complain("none of the files states a position, so that there is no picture of it");
        return Ok(false);
    }
    let title = match titles {
        [one] => one.clone(),
        several => format!("{} alerts", several.len()),
    };
    if let Some(path) = &options.svg {
        replace(path, chart::svg::draw(sky, &title).as_bytes())?;
    }
    if let Some(path) = &options.png {
        let picture = chart::png::draw(sky, &title);
        let picture = picture.ok_or_else(|| io::Error::other("the picture could not be drawn"))?;
        replace(path, &picture)?;
    }
    Ok(true)
}

/// Writes a file that is whole or not there; the one before it stays until then.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", output::path(path)));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new();
    #[cfg(unix)]
    file.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = file.prefix(".hop-").suffix(".part").tempfile_in(folder).map_err(named)?;
    file.write_all(content).and_then(|()| file.as_file().sync_all()).map_err(named)?;
    file.persist(path).map_err(|error| named(error.error))?;
    Ok(())
}

/// As wide as the terminal, but no wider than what one sees at once.
fn width() -> u16 {
    const MOST: u16 = 100;
    ratatui::crossterm::terminal::size().map_or(80, |(columns, _)| columns).min(MOST)
}

/// Returns the file's name, what the alert says in one glance, and its contents.
fn shown(path: &Path, decoded: &Decoded, colours: Colours) -> String {
    let mut out = format!("{}\n", colours.dim(&output::path(path)));
    out += &people::block(&*decoded.model, &Record::default(), Timestamp::now(), colours);
    out + &contents(&decoded.fields, colours)
}

/// Returns the fields as a table, and longer texts below it.
fn contents(fields: &Value, colours: Colours) -> String {
    let Fields { rows, texts } = Fields::of(fields);
    let widest = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default().min(40);
    let mut out = String::new();
    for (name, value) in rows {
        let space = " ".repeat(widest.saturating_sub(name.chars().count()));
        out += &format!("  {}{space}  {value}\n", colours.dim(&name));
    }
    for (name, text) in texts {
        out += &format!("\n  {}\n\n{}\n", colours.bold(&name), people::harmless(text.trim_end().as_bytes()));
    }
    out
}

/// The fields of a model as lines: where each value is in the model, and the value.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    pub(crate) rows: Vec<(String, String)>,
    /// What has several lines of text.
    pub(crate) texts: Vec<(String, String)>,
}

impl Fields {
    /// The most rows; of a list, the most entries.
    const ROWS: usize = 400;
    const ENTRIES: usize = 20;
    /// The deepest level that has rows of its own.
    const DEEPEST: usize = 12;
    /// The longest value in a row, in characters.
    const LONGEST: usize = 160;

    pub(crate) fn of(value: &Value) -> Self {
        let mut fields = Self::default();
        fields.add(String::new(), value, 0);
        if fields.rows.len() >= Self::ROWS {
            fields.rows.push(("…".to_owned(), "and more; `hop decode --json` prints everything".to_owned()));
        }
        fields
    }

    fn add(&mut self, name: String, value: &Value, depth: usize) {
        if self.rows.len() >= Self::ROWS {
            return;
        }
        let within = |name: &str, part: &str| if name.is_empty() { part.to_owned() } else { format!("{name}.{part}") };
        match value {
            Value::Object(object) if depth < Self::DEEPEST && !object.is_empty() => {
                for (key, value) in object.iter() {
                    self.add(within(&name, &escape_controls(&key.to_string_lossy())), value, depth + 1);
                }
            }
            Value::Array(values) if depth < Self::DEEPEST && values.iter().any(is_nested) => {
                for (index, value) in values.iter().take(Self::ENTRIES).enumerate() {
                    self.add(format!("{name}[{index}]"), value, depth + 1);
                }
                if values.len() > Self::ENTRIES {
                    self.rows.push((format!("{name}[…]"), format!("{} in all", values.len())));
                }
            }
            Value::Bytes(bytes) => self.rows.push((name, format!("{} bytes", bytes.len()))),
            Value::String(text) => self.add_text(name, text),
            value => self.rows.push((name, Self::short(&value.to_string()))),
        }
    }

    fn add_text(&mut self, name: String, text: &Text) {
        let text = text.to_string_lossy();
        if text.trim_end().contains('\n') {
            self.texts.push((name, text.into_owned()));
        } else {
            self.rows.push((name, Self::short(text.trim_end())));
        }
    }

    fn short(text: &str) -> String {
        let short = match text.char_indices().nth(Self::LONGEST) {
            Some((end, _)) => format!("{}… ({} characters)", &text[..end], text.chars().count()),
            None => text.to_owned(),
        };
        escape_controls(&short).into_owned()
    }
}

/// Whether a value has rows of its own.
fn is_nested(value: &Value) -> bool {
    matches!(value, Value::Object(_) | Value::Array(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(json: &str) -> Fields {
        Fields::of(&Value::from_json(json).unwrap())
    }

    #[test]
    fn fields_stand_a_line_each_and_texts_below() {
        let Fields { rows, texts } = fields(
            "{\"a\": {\"b\": 1, \"c\": [1, 2]}, \"d\": [{\"e\": null}, {}], \"t\": \"x\\ny\\n\", \"s\": \"q\\u001b[2J\\n\"}",
        );
        let rows: Vec<_> = rows.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(rows, [("a.b", "1"), ("a.c", "[1, 2]"), ("d[0].e", "null"), ("d[1]", "{}"), ("s", "q\\u{1b}[2J")]);
        assert_eq!(texts, [("t".to_owned(), "x\ny\n".to_owned())]);
    }

    #[test]
    fn what_is_large_or_deep_is_cut() {
        let wide = format!("[{}{{}}]", "{\"a\": [[[1]]]}, ".repeat(100_000));
        assert!(fields(&wide).rows.len() < 100);
        let many = format!("{{{}\"z\": 1}}", (0..10_000).map(|n| format!("\"k{n}\": 1, ")).collect::<String>());
        assert_eq!(fields(&many).rows.len(), Fields::ROWS + 1);
        let deep = format!("{}1{}", "[".repeat(80), "]".repeat(80));
        let rows = fields(&deep).rows;
        assert!(rows.len() == 1 && rows[0].1.starts_with("[[["), "{rows:?}");
        let long = fields(&format!("{{\"a\": \"{}\"}}", "é".repeat(10_000)));
        assert!(long.rows[0].1.ends_with("… (10000 characters)") && long.rows[0].1.len() < 400);
    }
}
