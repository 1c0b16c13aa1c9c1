//! How fast hop is, beside hop-client and librdkafka alone; see `benches/README.md`.

mod compile;
mod decode;
mod dispatch;
mod growth;
mod guard;
mod inputs;
mod instructions;
mod peer;
mod stream;
mod table;

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

const USAGE: &str = "\
usage: hop-bench decode [--json] [--rounds N] [NAME …]
       hop-bench dispatch [--json] [--rounds N]
       hop-bench compile [--json] [--rounds N]
       hop-bench stream [--json] [--rounds N] [--messages N] [NAME …]
       hop-bench growth [--json] [--rounds N] [--messages N] [--plots FOLDER] [NAME …]
       hop-bench guard [--renew]

decode    times decoding, and reading a few fields, beside hop-client; NAME picks rows
dispatch  times finding the model of a label, and making the registry, with 10 models and with 1,000
compile   times building 100 derived models, beside the same structs with serde alone; fails where it takes twice as long
stream    times reading and writing, beside librdkafka alone and hop-client, on the broker that HOP_TEST_BROKER names, or on
          the embedded one; NAME picks loads (circular, alert, mix), kinds (read, group, write, send, latency, paced),
          `hop-client`, and ways, such as read-next
growth    what reading and writing cost with more and more partitions, topics, headers, subscriptions, messages; NAME picks
          some of these
guard     a short `stream`, and a count of instructions by valgrind; fails where these are far from what guard.json states

--json        one line of JSON instead of a table
--rounds N    so many rounds: medians of 51, of 5 for stream, and the shortest of 3 for compile, unless given
--plots       draws the curves of growth into this folder
--renew       states in guard.json what guard has measured
--messages N  so many messages a round of stream: 300,000 circulars, 6,000 alerts or 50,000 of both unless given
";

/// What goes wrong here ends the program with its message.
type Outcome<T> = Result<T, Box<dyn Error>>;

/// What the command line asks for.
struct Options {
    json: bool,
    rounds: Option<usize>,
    messages: Option<u64>,
    renew: bool,
    plots: Option<PathBuf>,
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
    let mut options =
        Options { json: false, rounds: None, messages: None, renew: false, plots: None, names: Vec::new() };
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--json" => options.json = true,
            "--rounds" => options.rounds = Some(arguments.next().unwrap_or_default().parse()?),
            "--messages" => options.messages = Some(arguments.next().unwrap_or_default().parse()?),
            "--renew" => options.renew = true,
            "--plots" => options.plots = Some(arguments.next().unwrap_or_default().into()),
            name if !name.starts_with('-') => options.names.push(argument),
            _ => return usage(),
        }
    }
    if options.rounds == Some(0) || options.messages == Some(0) {
        return usage();
    }
    let rows = match command.as_str() {
        "decode" => decode::rows(&options)?,
        "dispatch" if options.names.is_empty() => dispatch::rows(&options)?,
        "compile" if options.names.is_empty() => {
            let compiled = compile::compare(options.rounds.unwrap_or(3))?;
            let shown = if options.json { compiled.json()? } else { compiled.text() };
            std::io::stdout().write_all(shown.as_bytes())?;
            return Ok(if compiled.is_within_bounds() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        "stream" => {
            let results = stream::compare(&options)?;
            let shown = if options.json { results.json()? } else { results.text() };
            std::io::stdout().write_all(shown.as_bytes())?;
            return Ok(ExitCode::SUCCESS);
        }
        "growth" => {
            let results = growth::measure(&options)?;
            let shown = if options.json { serde_json::to_string(&results)? + "\n" } else { growth::text(&results) };
            std::io::stdout().write_all(shown.as_bytes())?;
            return Ok(ExitCode::SUCCESS);
        }
        "guard" if options.names.is_empty() => {
            let (text, is_good) = guard::run(options.renew)?;
            std::io::stdout().write_all(text.as_bytes())?;
            return Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        // What `guard` has counted, not for people.
        "work" => {
            let [name, times] = options.names.as_slice() else { return usage() };
            instructions::work(name, times.parse()?)?;
            return Ok(ExitCode::SUCCESS);
        }
        // A process of `stream`, not for people.
        "side" => {
            stream::serve()?;
            return Ok(ExitCode::SUCCESS);
        }
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

impl Options {
    /// Of which the median is taken.
    fn rounds(&self) -> usize {
        self.rounds.unwrap_or(51)
    }
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
