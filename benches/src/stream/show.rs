//! What was measured, for people and for programs.

use std::collections::BTreeMap;

use serde::Serialize;

use super::job::Report;
use super::ways::{Codec, Kind};
use crate::{Outcome, median};

/// All that one call measured.
#[derive(Debug, Serialize)]
pub(crate) struct Results {
    pub(crate) broker: &'static str,
    pub(crate) rounds: usize,
    pub(crate) rows: Vec<Row>,
}

/// One way of doing the work: medians of the rounds.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) load: &'static str,
    pub(crate) way: String,
    pub(crate) messages: u64,
    /// Messages a second from the first one on, and from before connecting.
    pub(crate) rate: f64,
    pub(crate) rate_connected: f64,
    /// Microseconds of processor time a message, in the process that reads or writes.
    pub(crate) cpu_us: f64,
    /// Of them, what decoding or encoding alone takes.
    pub(crate) codec_us: Option<f64>,
    /// The most memory of the process.
    pub(crate) peak_mib: f64,
    /// Of the time of single messages, in milliseconds.
    pub(crate) p50_ms: Option<f64>,
    pub(crate) p99_ms: Option<f64>,
    /// The rate beside the raw client's in the same round.
    pub(crate) ratio: f64,
    /// The processor time without the codec's, beside the raw client's.
    pub(crate) cpu_ratio: f64,
    /// The times of single messages, beside the raw client's.
    pub(crate) p50_ratio: Option<f64>,
    pub(crate) p99_ratio: Option<f64>,
    /// How many times faster than hop-client.
    pub(crate) peer_ratio: Option<f64>,
    #[serde(skip)]
    pub(crate) codec: Option<Codec>,
    #[serde(skip)]
    pub(crate) reports: Vec<Report>,
}

impl Row {
    pub(crate) fn new(load: &'static str, way: &str, codec: Option<Codec>) -> Self {
        Self {
            load,
            way: way.to_owned(),
            messages: 0,
            rate: 0.0,
            rate_connected: 0.0,
            cpu_us: 0.0,
            codec_us: None,
            peak_mib: 0.0,
            p50_ms: None,
            p99_ms: None,
            ratio: 1.0,
            cpu_ratio: 1.0,
            p50_ratio: None,
            p99_ratio: None,
            peer_ratio: None,
            codec,
            reports: Vec::new(),
        }
    }

    fn middle(&self, of: impl Fn(&Report) -> f64) -> f64 {
        median(self.reports.iter().map(of).collect())
    }

    /// The median of the rounds' own ratios to what another row measured in them.
    fn beside(&self, other: &Self, of: impl Fn(&Report, &Self) -> f64) -> f64 {
        let pairs = self.reports.iter().zip(&other.reports);
        median(pairs.map(|(this, that)| of(this, self) / of(that, other)).collect())
    }
}

/// So much of the times are shorter, in milliseconds.
fn quantile(report: &Report, share: f64) -> f64 {
    let mut times = report.times_us.clone();
    times.sort_by(f64::total_cmp);
    let at = ((times.len() as f64 * share).ceil() as usize).saturating_sub(1);
    times.get(at).copied().unwrap_or(f64::NAN) / 1e3
}

fn round(number: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (number * scale).round() / scale
}

/// Fills in the medians, and the ratios to the first row and to hop-client's.
pub(super) fn compare(rows: &mut [Row], kind: Kind, peer: &str) {
    let rate = |report: &Report, _: &Row| report.rate();
    let cpu = |report: &Report, row: &Row| report.cpu_us() - row.codec_us.unwrap_or_default();
    for at in 0..rows.len() {
        let (row, raw) = (&rows[at], &rows[0]);
        let peer = rows.iter().find(|row| row.way == peer);
        let timed = |share| kind.is_timed().then(|| round(row.middle(|report| quantile(report, share)), 3));
        let timed_ratio =
            |share| kind.is_timed().then(|| round(row.beside(raw, |report, _| quantile(report, share)), 2));
        let mut filled = Row::new(row.load, &row.way, row.codec);
        filled.messages = row.reports.first().map_or(0, |report| report.messages);
        filled.rate = round(row.middle(Report::rate), 0);
        filled.rate_connected = round(row.middle(Report::whole_rate), 0);
        filled.cpu_us = round(row.middle(Report::cpu_us), 2);
        filled.codec_us = row.codec_us.map(|codec| round(codec, 2));
        filled.peak_mib = round(row.middle(|report| report.peak_bytes as f64 / f64::from(1 << 20)), 1);
        (filled.p50_ms, filled.p99_ms) = (timed(0.5), timed(0.99));
        filled.ratio = round(row.beside(raw, rate), 3);
        filled.cpu_ratio = round(row.beside(raw, cpu), 2);
        (filled.p50_ratio, filled.p99_ratio) = (timed_ratio(0.5), timed_ratio(0.99));
        filled.peer_ratio = peer.map(|peer| match kind.is_timed() {
            true => round(1.0 / row.beside(peer, |report, _| quantile(report, 0.5)), 1),
            false => round(row.beside(peer, rate), 1),
        });
        filled.reports = row.reports.clone();
        rows[at] = filled;
    }
}

impl Results {
    /// Of each way but the raw ones, how near it comes to the raw client: its rate beside that one's, or that one's median
    /// time beside its own.
    pub(crate) fn ratios(&self) -> BTreeMap<String, f64> {
        let ours = self.rows.iter().filter(|row| !row.way.contains("-raw"));
        let ratio = |row: &Row| row.p50_ratio.map_or(row.ratio, |ratio| round(1.0 / ratio, 3));
        ours.map(|row| (row.way.clone(), ratio(row))).collect()
    }

    /// One line.
    pub(crate) fn json(&self) -> Outcome<String> {
        Ok(serde_json::to_string(self)? + "\n")
    }

    /// Tables in Markdown: rates, then times.
    pub(crate) fn text(&self) -> String {
        let mut out = format!("On {}, medians of {} rounds.\n", self.broker, self.rounds);
        let (timed, rates): (Vec<&Row>, Vec<&Row>) = self.rows.iter().partition(|row| row.p50_ms.is_some());
        let optional = |number: Option<f64>| number.map_or(String::new(), |number| number.to_string());
        if !rates.is_empty() {
            out += "\n| load     | way             | messages | a second | connecting included | CPU, µs each | codec alone, µs | \
                    peak, MiB | times raw | CPU, times raw | times hop-client |\n\
                    |----------|-----------------|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n";
        }
        for row in rates {
            out += &format!(
                "| {:<8} | {:<15} | {} | {} | {} | {} | {} | {} | {} | {} | {} |\n",
                row.load,
                row.way,
                row.messages,
                row.rate,
                row.rate_connected,
                row.cpu_us,
                optional(row.codec_us.filter(|codec| *codec > 0.0)),
                row.peak_mib,
                row.ratio,
                row.cpu_ratio,
                optional(row.peer_ratio),
            );
        }
        if !timed.is_empty() {
            out += "\n| load     | way             | messages | p50, ms | p99, ms | CPU, µs each | p50, times raw | p99, times raw | \
                    times hop-client |\n|----------|-----------------|--:|--:|--:|--:|--:|--:|--:|\n";
        }
        for row in timed {
            out += &format!(
                "| {:<8} | {:<15} | {} | {} | {} | {} | {} | {} | {} |\n",
                row.load,
                row.way,
                row.messages,
                optional(row.p50_ms),
                optional(row.p99_ms),
                row.cpu_us,
                optional(row.p50_ratio),
                optional(row.p99_ratio),
                optional(row.peer_ratio),
            );
        }
        out
    }
}
