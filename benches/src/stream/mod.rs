//! Reading and writing streams: librdkafka alone, ours, and hop-client, in turns.

mod broker;
mod job;
mod load;
mod raw;
mod read;
mod show;
mod ways;
mod write;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

pub(crate) use self::broker::Broker;
pub(crate) use self::job::{Job, Report, serve};
pub(crate) use self::load::{Load, Messages};
pub(crate) use self::show::Results;
use self::show::Row;
use self::ways::{Codec, Kind, WAYS};
use crate::{Options, Outcome, peer};

/// Messages whose times are taken one by one.
const TIMED: u64 = 500;
/// What hop-client takes longer for gets fewer messages: so many times fewer.
const PEER_READS: u64 = 20;
const PEER_WRITES: u64 = 5;
const PEER_TIMED: u64 = 20;
/// Milliseconds between messages that are paced: 100 a second.
const PACE_MS: u64 = 10;
/// Unless it is said how many.
const ROUNDS: usize = 5;

/// Sleeps until this moment, if it is not there yet.
fn wait_until(due: Instant) {
    let left = due.saturating_duration_since(Instant::now());
    if left > Duration::ZERO {
        std::thread::sleep(left);
    }
}

/// What `options.names` pick: loads, kinds and ways; all of what none is named.
struct Picked {
    loads: Vec<Load>,
    /// Kinds and names of ways.
    ways: Vec<String>,
}

impl Picked {
    fn new(names: &[String]) -> Outcome<Self> {
        let (mut loads, mut ways) = (Vec::new(), Vec::new());
        for name in names {
            let is_way = Kind::ALL.iter().any(|kind| kind.name() == name || *name == peer_name(*kind))
                || WAYS.iter().any(|way| way.name == name);
            match Load::COMPARED.iter().find(|load| load.name() == name) {
                Some(load) => loads.push(*load),
                None if is_way || name == "hop-client" => ways.push(name.clone()),
                None => return Err(unknown(name).into()),
            }
        }
        if loads.is_empty() {
            loads.extend(Load::COMPARED);
        }
        Ok(Self { loads, ways })
    }

    /// Whether this way is wanted. The first of a kind is what the others are compared with.
    fn wants(&self, kind: Kind, name: &str) -> bool {
        let is_first = WAYS.iter().find(|way| way.kind == kind).is_some_and(|way| way.name == name);
        let is_picked = |name: &str| self.ways.iter().any(|picked| picked == name);
        let of_kind = |picked: &String| {
            *picked == peer_name(kind) || WAYS.iter().any(|way| way.kind == kind && way.name == picked)
        };
        self.ways.is_empty()
            || is_picked(name)
            || is_picked(kind.name())
            || (name == peer_name(kind) && is_picked("hop-client"))
            || (is_first && (self.ways.iter().any(of_kind) || is_picked("hop-client")))
    }
}

fn unknown(name: &str) -> String {
    let loads = Load::COMPARED.map(Load::name).join(", ");
    let kinds = Kind::ALL.map(Kind::name).join(", ");
    let ways: Vec<&str> = WAYS.iter().map(|way| way.name).collect();
    format!("`{name}` is none of the loads ({loads}), kinds ({kinds}), `hop-client`, and ways ({})", ways.join(", "))
}

fn peer_name(kind: Kind) -> String {
    format!("{}-hop-client", kind.name())
}

/// Measures what the options pick.
pub(crate) fn compare(options: &Options) -> Outcome<Results> {
    let picked = Picked::new(&options.names)?;
    let broker = Broker::new()?;
    let wants_peer = Kind::ALL.iter().any(|kind| picked.wants(*kind, &peer_name(*kind)));
    let python = if wants_peer { Some(peer::python()?) } else { None };
    let rounds = options.rounds.unwrap_or(ROUNDS);
    let mut results = Results { broker: broker.name(), rounds, rows: Vec::new() };
    for load in &picked.loads {
        for kind in Kind::ALL {
            // How long one message takes has little to do with what others are about.
            if !(kind.is_timed() && *load == Load::Mix) {
                let bench = Bench { picked: &picked, broker: &broker, python: python.as_ref(), load: *load, kind };
                results.rows.extend(bench.rows(options.messages, rounds)?);
            }
        }
    }
    Ok(results)
}

/// One kind of work on one load.
struct Bench<'a> {
    picked: &'a Picked,
    broker: &'a Broker,
    python: Option<&'a PathBuf>,
    load: Load,
    kind: Kind,
}

impl Bench<'_> {
    /// All sides in turn, round by round.
    fn rows(&self, wanted: Option<u64>, rounds: usize) -> Outcome<Vec<Row>> {
        let (kind, load) = (self.kind, self.load);
        let is_possible = |name: &str| !(load == Load::Mix && name.ends_with("-typed"));
        let ways =
            WAYS.iter().filter(|way| way.kind == kind && self.picked.wants(kind, way.name) && is_possible(way.name));
        let mut rows: Vec<Row> = ways.map(|way| Row::new(load.name(), way.name, Some(way.codec))).collect();
        let peer = peer_name(kind);
        if self.python.is_some() && self.picked.wants(kind, &peer) {
            rows.push(Row::new(load.name(), &peer, None));
        }
        if rows.is_empty() {
            return Ok(rows);
        }
        let messages = Messages::new(load)?;
        let wanted = wanted.unwrap_or(load.messages());
        let count = if kind.is_timed() { wanted.min(TIMED) } else { self.broker.keeps(wanted, &messages, 1) };
        let filled = if kind.reads() { Some(self.broker.topic(1)?) } else { None };
        if let Some(topic) = &filled {
            self.broker.fill(std::slice::from_ref(topic), 1, load, count, 0)?;
        }
        let mut sums = BTreeMap::new();
        let mut files = None;
        for round in 0..rounds {
            for row in &mut rows {
                let is_peer = row.way == peer;
                let count = match kind {
                    _ if !is_peer => count,
                    _ if kind.is_timed() => count.min(PEER_TIMED),
                    _ if kind.reads() => (count / PEER_READS).max(1),
                    _ => (count / PEER_WRITES).max(1),
                };
                let topic = match &filled {
                    Some(topic) => topic.clone(),
                    None => self.broker.topic(1)?,
                };
                let mut job = Job::new(&row.way, &self.broker.address, vec![topic.clone()], load, count);
                job.group = (kind == Kind::Group).then(|| format!("hop-bench-{}", uuid::Uuid::new_v4().simple()));
                job.pace_ms = if kind == Kind::Paced { PACE_MS } else { 0 };
                let report = match self.python {
                    Some(python) if is_peer => {
                        job.way = kind.name().to_owned();
                        job.files = Some(match &files {
                            Some(files) => Clone::clone(files),
                            None => files.insert(messages.files()?).clone(),
                        });
                        job.run_peer(python)?
                    }
                    _ => job.run()?,
                };
                let sum = *sums.entry(count).or_insert_with(|| messages.sum(count, 1));
                self.verify(&job, &report, sum, filled.is_none() && round == 0)?;
                row.reports.push(report);
                if filled.is_none() {
                    self.broker.delete(&[topic])?;
                }
            }
        }
        if let Some(topic) = filled {
            self.broker.delete(&[topic])?;
        }
        let codec = [Codec::None, Codec::Decode, Codec::Encode].map(|codec| codec_us(codec, &messages));
        let [none, decode, encode] = codec;
        let (none, decode, encode) = (none?, decode?, encode?);
        for row in &mut rows {
            row.codec_us = row.codec.map(|codec| match codec {
                Codec::None => none,
                Codec::Decode => decode,
                Codec::Encode => encode,
            });
        }
        show::compare(&mut rows, kind, &peer);
        Ok(rows)
    }

    /// Everything has arrived: a reader's sum is that of what was written, and a topic has what a writer wrote.
    fn verify(&self, job: &Job, report: &Report, sum: u64, read_again: bool) -> Outcome<()> {
        let failed = |what: String| Err(format!("`{}` of {}: {what}", job.way, job.load.name()).into());
        if report.messages != job.messages {
            return failed(format!("{} messages in the place of {}", report.messages, job.messages));
        }
        if matches!(self.kind, Kind::Write | Kind::Send) {
            let written = self.broker.written(&job.topics[0], 1)?;
            if written != job.messages {
                return failed(format!("the topic has {written} messages in the place of {}", job.messages));
            }
            if read_again && self.broker.keeps_all() {
                let reader = Job { way: "read-raw".to_owned(), group: None, ..job.clone() };
                // hop-client writes the same contents in other bytes.
                if reader.run()?.sum != sum && job.files.is_none() {
                    return failed("what was written is not what there was to write".to_owned());
                }
            }
        } else if report.sum != sum {
            return failed("what was read is not what was written".to_owned());
        }
        Ok(())
    }
}

/// Microseconds that decoding or encoding takes by itself.
fn codec_us(codec: Codec, messages: &Messages) -> Outcome<f64> {
    const TIMES: u64 = 2_000;
    let registry = hop_core::Registry::builder().models(hop_models::MODELS).build()?;
    let labels: Vec<hop_core::Headers> = (0..10)
        .map(|number| [(hop_core::header::FORMAT, Some(messages.content(number).1))].into_iter().collect())
        .collect();
    let mut number = 0;
    let work = || {
        number = (number + 1) % 10;
        match codec {
            Codec::None => Ok(0.0),
            Codec::Encode => Ok(messages.model(number).encode()?.len() as f64),
            Codec::Decode => {
                let decoded = registry.decode(&labels[number as usize], messages.content(number).0.into())?;
                Ok(decoded.model.format().len() as f64)
            }
        }
    };
    Ok(crate::time(TIMES, work)?.0 / TIMES as f64 * 1e6)
}
