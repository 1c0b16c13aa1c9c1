//! `hop show`: files with alerts, for people.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use hop_core::{Record, Registry, Value};
use jiff::Timestamp;

use super::decode::{self, Decode, Decoded};
use crate::chart::{self, Chart, Mark};
use crate::failure::Failure;
use crate::output::fields::Fields;
use crate::output::people::{self, Colours};
use crate::output::{self, save};

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
        output::complain("none of the files states a position, so no picture was drawn");
        return Ok(false);
    }
    let title = match titles {
        [one] => one.clone(),
        several => format!("{} alerts", several.len()),
    };
    if let Some(path) = &options.svg {
        save::replace(path, chart::svg::draw(sky, &title).as_bytes())?;
    }
    if let Some(path) = &options.png {
        let picture = chart::png::draw(sky, &title);
        let picture = picture.ok_or_else(|| io::Error::other("the picture could not be drawn"))?;
        save::replace(path, &picture)?;
    }
    Ok(true)
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
