//! How fast hop decodes, beside hop-client; see `benches/README.md`.

mod decode;
mod dispatch;
mod inputs;
mod peer;
mod table;

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;

const USAGE: &str = "\
usage: hop-bench decode [--json] [--rounds N] [NAME …]
       hop-bench dispatch [--json] [--rounds N]

decode    times decoding, and reading a few fields, beside hop-client; NAME picks rows
dispatch  times finding the model of a label, among 10 models and among 1,000

--json      one line of JSON instead of a table
--rounds N  medians of so many rounds (21)
";

/// What goes wrong here ends the program with its message.
type Outcome<T> = Result<T, Box<dyn Error>>;

/// What the command line asks for.
struct Options {
    json: bool,
    rounds: usize,
    names: Vec<String>,
}

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            // Nothing is left to be done where stderr is closed.
            let _written = writeln!(std::io::stderr(), "hop-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Outcome<ExitCode> {
    let mut options = Options { json: false, rounds: 21, names: Vec::new() };
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--json" => options.json = true,
            "--rounds" => options.rounds = arguments.next().unwrap_or_default().parse()?,
            name if !name.starts_with('-') => options.names.push(argument),
            _ => return usage(),
        }
    }
    if options.rounds == 0 {
        return usage();
    }
    let rows = match command.as_str() {
        "decode" => decode::rows(&options)?,
        "dispatch" if options.names.is_empty() => dispatch::rows(&options)?,
        _ => return usage(),
    };
    let shown = if options.json { table::json(&rows)? } else { table::text(&rows) };
    std::io::stdout().write_all(shown.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn usage() -> Outcome<ExitCode> {
    std::io::stderr().write_all(USAGE.as_bytes())?;
    Ok(ExitCode::from(2))
}

/// The seconds that `work` takes when it is done `times` over, and what it came to each time, added up.
fn time(times: u64, mut work: impl FnMut() -> Outcome<f64>) -> Outcome<(f64, f64)> {
    let start = Instant::now();
    let mut sum = 0.0;
    for _ in 0..times {
        sum += std::hint::black_box(work()?);
    }
    Ok((start.elapsed().as_secs_f64(), sum))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() % 2 {
        0 => (values[middle - 1] + values[middle]) / 2.0,
        _ => values[middle],
    }
}
