//! What reading and writing cost with more of each: partitions, topics, headers, subscriptions, messages.

mod plot;

use std::fmt::Write as _;

use serde::Serialize;

use crate::stream::{Broker, Job, Load, Messages, Report};
use crate::{Options, Outcome, median};

const ROUNDS: usize = 3;
/// Messages of a point, and of the long run.
const MESSAGES: u64 = 100_000;
const LONG: u64 = 2_000_000;
/// How often the memory is looked at in the long run.
const SAMPLES: u64 = 40;
/// From here on the memory of the long run must not grow.
const SETTLED: u64 = 50_000;
/// Subscriptions that are open beside the one that reads, in one of the long runs.
const OPEN: usize = 199;

/// What grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Axis {
    Partitions,
    Topics,
    Headers,
    Subscriptions,
    Messages,
}

impl Axis {
    const ALL: [Self; 5] = [Self::Partitions, Self::Topics, Self::Headers, Self::Subscriptions, Self::Messages];

    const fn name(self) -> &'static str {
        match self {
            Self::Partitions => "partitions",
            Self::Topics => "topics",
            Self::Headers => "headers",
            Self::Subscriptions => "subscriptions",
            Self::Messages => "messages",
        }
    }

    const fn points(self) -> &'static [u64] {
        match self {
            Self::Partitions => &[1, 4, 16, 64],
            Self::Topics => &[1, 5, 20, 50],
            Self::Headers => &[0, 10, 30, 100],
            Self::Subscriptions => &[1, 10, 25, 50],
            Self::Messages => &[],
        }
    }

    const fn ways(self) -> &'static [&'static str] {
        match self {
            Self::Partitions | Self::Topics => &["read-raw", "read-next", "read-until-eos"],
            Self::Headers => &["read-raw", "read-next", "write-raw", "write-queue"],
            Self::Subscriptions => &["read-raw", "read-next"],
            Self::Messages => &[],
        }
    }
}

/// One curve.
#[derive(Debug, Serialize)]
pub(crate) struct Line {
    name: String,
    points: Vec<Point>,
}

#[derive(Debug, Clone, Serialize)]
struct Point {
    x: u64,
    /// Messages a second.
    rate: Option<f64>,
    /// Microseconds of processor time a message.
    cpu_us: Option<f64>,
    /// The most memory of the process; in the long run, what it had then.
    mib: f64,
}

/// All curves of what grows.
#[derive(Debug, Serialize)]
pub(crate) struct Growth {
    axis: &'static str,
    broker: &'static str,
    messages: u64,
    lines: Vec<Line>,
}

/// Measures what the options pick, and draws it where they say.
pub(crate) fn measure(options: &Options) -> Outcome<Vec<Growth>> {
    if let Some(name) = options.names.iter().find(|name| Axis::ALL.iter().all(|axis| axis.name() != **name)) {
        let names = Axis::ALL.map(Axis::name).join(", ");
        return Err(format!("`{name}` is none of what grows: {names}").into());
    }
    let broker = Broker::new()?;
    let mut all = Vec::new();
    for axis in Axis::ALL {
        if options.names.is_empty() || options.names.iter().any(|name| name == axis.name()) {
            let growth = match axis {
                Axis::Messages => long(&broker, options)?,
                _ => grow(&broker, axis, options)?,
            };
            if let Some(folder) = &options.plots {
                std::fs::create_dir_all(folder)?;
                std::fs::write(folder.join(format!("{}.svg", axis.name())), growth.plot())?;
            }
            all.push(growth);
        }
    }
    Ok(all)
}

/// One point after another, all ways in turn, round by round.
fn grow(broker: &Broker, axis: Axis, options: &Options) -> Outcome<Growth> {
    let messages = Messages::new(Load::Circular)?;
    let rounds = options.rounds.unwrap_or(ROUNDS);
    let wanted = options.messages.unwrap_or(MESSAGES);
    let line = |name: &&str| Line { name: (*name).to_owned(), points: Vec::new() };
    let mut lines: Vec<Line> = axis.ways().iter().map(line).collect();
    for x in axis.points().iter().copied() {
        let partitions = if axis == Axis::Partitions { x as i32 } else { 1 };
        let headers = if axis == Axis::Headers { x as usize } else { 0 };
        let readers = if axis == Axis::Subscriptions { x } else { 1 };
        let topics = broker.topics(if axis == Axis::Topics { x as usize } else { 1 }, partitions)?;
        // The embedded broker keeps little of one partition, whatever there are; fewer for each reader make as much work.
        let count = broker.keeps(wanted / readers, &messages, 1).max(1);
        let sum = broker.fill(&topics, partitions, Load::Circular, count, headers)?;
        let mut reports: Vec<Vec<Report>> = lines.iter().map(|_| Vec::new()).collect();
        for _ in 0..rounds {
            for (line, reports) in lines.iter().zip(&mut reports) {
                let writes = line.name.starts_with("write");
                let own = if writes { Some(vec![broker.topic(1)?]) } else { None };
                let named = own.clone().unwrap_or_else(|| topics.clone());
                let job = Job::new(&line.name, &broker.address, named, Load::Circular, count);
                let report = Job { partitions, headers, readers: readers as usize, ..job }.run()?;
                if !writes && report.sum != sum.wrapping_mul(readers) {
                    return Err(format!("{} with {x} {}: not what was written", line.name, axis.name()).into());
                }
                reports.push(report);
                if let Some(own) = own {
                    broker.delete(&own)?;
                }
            }
        }
        broker.delete(&topics)?;
        for (line, reports) in lines.iter_mut().zip(&reports) {
            let middle = |of: fn(&Report) -> f64| median(reports.iter().map(of).collect());
            line.points.push(Point {
                x,
                rate: Some(middle(Report::rate).round()),
                cpu_us: Some(hundredths(middle(Report::cpu_us))),
                mib: hundredths(middle(|report| report.peak_bytes as f64 / f64::from(1 << 20))),
            });
        }
    }
    Ok(Growth { axis: axis.name(), broker: broker.name(), messages: wanted, lines })
}

/// The memory of one reader over a long run.
fn long(broker: &Broker, options: &Options) -> Outcome<Growth> {
    let wanted = options.messages.unwrap_or(LONG);
    let mut lines = Vec::new();
    let mut counted = 0;
    for (load, open) in [(Load::Circular, 0), (Load::Broken, 0), (Load::Circular, OPEN)] {
        let messages = Messages::new(load)?;
        let count = broker.keeps(wanted, &messages, 1);
        counted = count;
        let topics = broker.topics(1, 1)?;
        let sum = broker.fill(&topics, 1, load, count, 0)?;
        for way in ["read-raw", "read-next"] {
            // Idle readers are ours alone.
            if way == "read-raw" && open > 0 {
                continue;
            }
            let job = Job::new(way, &broker.address, topics.clone(), load, count);
            let report = Job { sample_every: (count / SAMPLES).max(1), open, ..job }.run()?;
            if report.sum != sum {
                return Err(format!("{way} of {}: not what was written", load.name()).into());
            }
            let point = |(x, bytes): &(u64, u64)| Point {
                x: *x,
                rate: None,
                cpu_us: None,
                mib: hundredths(*bytes as f64 / f64::from(1 << 20)),
            };
            let mut name = format!("{way}, {}", load.name());
            if open > 0 {
                name += &format!(", {} subscriptions", open + 1);
            }
            lines.push(Line { name, points: report.samples.iter().map(point).collect() });
        }
        broker.delete(&topics)?;
    }
    Ok(Growth { axis: Axis::Messages.name(), broker: broker.name(), messages: counted, lines })
}

fn hundredths(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

impl Growth {
    /// The curves of what this is about: memory with more subscriptions or messages, else processor time.
    fn plot(&self) -> String {
        let is_memory = self.axis == Axis::Messages.name() || self.axis == Axis::Subscriptions.name();
        let of = |point: &Point| if is_memory { point.mib } else { point.cpu_us.unwrap_or_default() };
        let curves: Vec<(&str, Vec<(f64, f64)>)> = self
            .lines
            .iter()
            .map(|line| (line.name.as_str(), line.points.iter().map(|point| (point.x as f64, of(point))).collect()))
            .collect();
        let unit = if is_memory { "memory of the process, MiB" } else { "processor time a message, µs" };
        plot::svg(self.axis, unit, &curves)
    }
}

/// Tables in Markdown.
pub(crate) fn text(all: &[Growth]) -> String {
    let mut out = String::new();
    for growth in all {
        let _written = writeln!(out, "On {}, {} messages.\n", growth.broker, growth.messages);
        if growth.axis == Axis::Messages.name() {
            out += "| | MiB after the first 50,000 | most afterwards | at the end |\n|---|--:|--:|--:|\n";
            for line in &growth.lines {
                let later: Vec<&Point> = line.points.iter().filter(|point| point.x >= SETTLED).collect();
                let first = later.first().or(line.points.first().as_ref()).map_or(f64::NAN, |point| point.mib);
                let most = later.iter().map(|point| point.mib).fold(first, f64::max);
                let last = line.points.last().map_or(f64::NAN, |point| point.mib);
                let _written = writeln!(out, "| {} | {first:.1} | {most:.1} | {last:.1} |", line.name);
            }
        } else {
            let _written =
                writeln!(out, "| {} | way | a second | CPU, µs each | peak, MiB |\n|--:|---|--:|--:|--:|", growth.axis);
            for line in &growth.lines {
                for Point { x, rate, cpu_us, mib } in &line.points {
                    let (rate, cpu_us) = (rate.unwrap_or_default(), cpu_us.unwrap_or_default());
                    let _written = writeln!(out, "| {x} | {} | {rate} | {cpu_us} | {mib} |", line.name);
                }
            }
        }
        out.push('\n');
    }
    out
}
