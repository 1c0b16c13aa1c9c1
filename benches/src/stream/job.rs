//! One measurement: a process of its own does it, so that its processor time and its memory are its own.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use super::load::{Load, check};
use crate::{Outcome, peer};

/// A process that takes longer than this hangs.
const LIMIT_S: u64 = 300;

/// What a process is to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Job {
    /// The name of one of the [ways](super::ways::WAYS), or `hop-client`'s `read`, `write` or `latency`.
    pub(crate) way: String,
    /// `host:port`.
    pub(crate) broker: String,
    pub(crate) topics: Vec<String>,
    /// Of each topic.
    pub(crate) partitions: i32,
    pub(crate) load: Load,
    /// How many to read or write.
    pub(crate) messages: u64,
    /// Where readers share a group: its name.
    pub(crate) group: Option<String>,
    /// Milliseconds between one message and the next, where they are paced.
    pub(crate) pace_ms: u64,
    /// Headers of each message beside those that it has to have.
    pub(crate) headers: usize,
    /// How many readers read the same at once.
    pub(crate) readers: usize,
    /// How many readers of what is yet to come are open beside it.
    pub(crate) open: usize,
    /// After how many messages the memory is looked at; zero for never.
    pub(crate) sample_every: u64,
    /// The contents, for hop-client: a circular, an alert.
    pub(crate) files: Option<[PathBuf; 2]>,
    pub(crate) limit_s: u64,
}

impl Job {
    pub(crate) fn new(way: &str, broker: &str, topics: Vec<String>, load: Load, messages: u64) -> Self {
        Self {
            way: way.to_owned(),
            broker: broker.to_owned(),
            topics,
            partitions: 1,
            load,
            messages,
            group: None,
            pace_ms: 0,
            headers: 0,
            readers: 1,
            open: 0,
            sample_every: 0,
            files: None,
            limit_s: LIMIT_S,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("kafka://{}/{}", self.broker, self.topics.join(","))
    }

    /// Does it in a process of this program.
    pub(crate) fn run(&self) -> Outcome<Report> {
        self.run_in(&std::env::current_exe()?, &["side"])
    }

    /// Does it in hop-client's Python.
    pub(crate) fn run_peer(&self, python: &Path) -> Outcome<Report> {
        let script = peer::root().join("benches/stream_peer.py");
        self.run_in(python, &[&script.to_string_lossy()])
    }

    fn run_in(&self, program: &Path, arguments: &[&str]) -> Outcome<Report> {
        let mut process = Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        process.stdin.take().ok_or("no pipe")?.write_all(serde_json::to_string(self)?.as_bytes())?;
        let output = process.wait_with_output()?;
        if !output.status.success() {
            return Err(
                format!("`{}` of {}: {}; its message is above", self.way, self.load.name(), output.status).into()
            );
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}

/// What a process did.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) messages: u64,
    /// Those that were handed over first, at once; the time counts from them.
    pub(crate) head: u64,
    pub(crate) sum: u64,
    /// From the first hand-over to the last one; for a writer, from the first message until all are confirmed.
    pub(crate) seconds: f64,
    /// The same, and connecting before it.
    pub(crate) whole_seconds: f64,
    /// The processor time of the process, connecting included.
    pub(crate) cpu_seconds: f64,
    /// The most memory that the process had.
    pub(crate) peak_bytes: u64,
    /// The times of single messages, in microseconds, where those are measured.
    pub(crate) times_us: Vec<f64>,
    /// The memory in between: messages so far, and bytes.
    pub(crate) samples: Vec<(u64, u64)>,
}

impl Report {
    /// Messages a second.
    pub(crate) fn rate(&self) -> f64 {
        let after = self.messages.saturating_sub(self.head);
        if after == 0 || self.seconds <= 0.0 { self.whole_rate() } else { after as f64 / self.seconds }
    }

    /// Messages a second, connecting included.
    pub(crate) fn whole_rate(&self) -> f64 {
        self.messages as f64 / self.whole_seconds
    }

    /// Microseconds of processor time a message.
    pub(crate) fn cpu_us(&self) -> f64 {
        self.cpu_seconds * 1e6 / self.messages as f64
    }
}

/// Measures what this process does.
pub(crate) struct Meter {
    started: Instant,
    cpu: f64,
    first: Option<Instant>,
    last: Instant,
    /// Where more than the last message was waited for.
    end: Option<Instant>,
    sample_every: u64,
    report: Report,
}

impl Meter {
    pub(crate) fn start(job: &Job) -> Self {
        let now = Instant::now();
        Self {
            started: now,
            cpu: cpu_seconds(),
            first: None,
            last: now,
            end: None,
            sample_every: job.sample_every,
            report: Report::default(),
        }
    }

    /// So many messages are handed over at once.
    pub(crate) fn arrived(&mut self, count: usize) {
        if self.first.is_none() {
            self.first = Some(Instant::now());
            self.report.head = count as u64;
        }
    }

    /// Counts a message of those that arrived; whether it was the last one.
    pub(crate) fn count(&mut self, content: &[u8], offset: i64, of: u64) -> bool {
        self.report.messages += 1;
        self.report.sum = self.report.sum.wrapping_add(check(content, offset));
        if self.sample_every > 0 && self.report.messages.is_multiple_of(self.sample_every) {
            // Without a size there are fewer points of the curve.
            self.report.samples.extend(status("VmRSS:").ok().map(|bytes| (self.report.messages, bytes)));
        }
        if self.report.messages == of {
            self.last = Instant::now();
        }
        self.report.messages >= of
    }

    pub(crate) fn time(&mut self, time: Duration) {
        self.report.times_us.push(time.as_secs_f64() * 1e6);
    }

    /// Adds what another reader of this process has read at the same time.
    pub(crate) fn add(&mut self, other: Self) {
        self.first = self.first.into_iter().chain(other.first).min();
        self.last = self.last.max(other.last);
        self.report.messages += other.report.messages;
        self.report.head += other.report.head;
        self.report.sum = self.report.sum.wrapping_add(other.report.sum);
    }

    /// The reader has come to its end.
    pub(crate) fn ended(&mut self) {
        self.end = Some(Instant::now());
    }

    /// A writer begins.
    pub(crate) fn writes(&mut self) {
        self.first = Some(Instant::now());
    }

    /// A writer has so many messages confirmed.
    pub(crate) fn wrote(&mut self, messages: u64) {
        self.last = Instant::now();
        self.report.messages = messages;
    }

    pub(crate) fn report(mut self) -> Outcome<Report> {
        self.report.seconds = self.last.duration_since(self.first.unwrap_or(self.started)).as_secs_f64();
        self.report.whole_seconds = self.end.unwrap_or(self.last).duration_since(self.started).as_secs_f64();
        self.report.cpu_seconds = cpu_seconds() - self.cpu;
        self.report.peak_bytes = status("VmHWM:")?;
        Ok(self.report)
    }
}

/// The processor time of this process so far.
fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// A line of `/proc/self/status`, in bytes.
fn status(name: &str) -> Outcome<u64> {
    let status =
        std::fs::read_to_string("/proc/self/status").map_err(|error| format!("memory is read on Linux: {error}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).ok_or("no such line")?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kilobytes << 10)
}

/// The whole life of a process that measures.
pub(crate) fn serve() -> Outcome<()> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let job: Job = serde_json::from_str(&text)?;
    let (limit, way) = (Duration::from_secs(job.limit_s), job.way.clone());
    std::thread::spawn(move || {
        std::thread::sleep(limit);
        let _written = writeln!(std::io::stderr(), "hop-bench: `{way}` is not through after {limit:?}");
        std::process::exit(3);
    });
    let way = super::ways::WAYS.iter().find(|way| way.name == job.way).ok_or("no such way")?;
    let report = (way.run)(&job)?;
    std::io::stdout().write_all(serde_json::to_string(&report)?.as_bytes())?;
    std::io::stdout().flush()?;
    // Whatever is still to be closed is not part of the work.
    std::process::exit(0)
}
