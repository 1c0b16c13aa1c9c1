//! What was measured, for people and for programs.

use serde::Serialize;

use crate::{Outcome, median};

/// One thing that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) name: String,
    /// Of the content.
    pub(crate) bytes: usize,
    /// Microseconds that one message takes here.
    pub(crate) ours_us: f64,
    /// And in hop-client; null where it has no such thing.
    pub(crate) peer_us: Option<f64>,
    /// How many times faster this is, by the median of the rounds: what slows a round down slows both sides of it.
    pub(crate) ratio: Option<f64>,
}

impl Row {
    /// Of a side alone, which took so many seconds.
    pub(crate) fn alone(name: &str, rounds: Vec<f64>) -> Self {
        Self { name: name.to_owned(), bytes: 0, ours_us: micros(median(rounds)), peer_us: None, ratio: None }
    }

    /// Of both sides, which took so many seconds in each round.
    pub(crate) fn beside(name: &str, bytes: usize, rounds: &[(f64, f64)]) -> Self {
        let middle = |of: fn(&(f64, f64)) -> f64| median(rounds.iter().map(of).collect());
        let ratio = middle(|(ours, peer)| peer / ours);
        Self {
            name: name.to_owned(),
            bytes,
            ours_us: micros(middle(|(ours, _)| *ours)),
            peer_us: Some(micros(middle(|(_, peer)| *peer))),
            ratio: Some((ratio * 10.0).round() / 10.0),
        }
    }
}

fn micros(seconds: f64) -> f64 {
    (seconds * 1e9).round() / 1e3
}

/// One line.
pub(crate) fn json(rows: &[Row]) -> Outcome<String> {
    Ok(serde_json::to_string(&serde_json::json!({ "rows": rows }))? + "\n")
}

/// A table in Markdown.
pub(crate) fn text(rows: &[Row]) -> String {
    let mut out = String::from(
        "| message            |   bytes |  hop (µs) | hop-client (µs) | times |\n\
         |--------------------|--------:|----------:|----------------:|------:|\n",
    );
    for row in rows {
        let optional =
            |number: Option<f64>, digits| number.map_or(String::new(), |number| format!("{number:.digits$}"));
        out += &format!(
            "| {:<18} | {:>7} | {:>9.3} | {:>15} | {:>5} |\n",
            row.name,
            row.bytes,
            row.ours_us,
            optional(row.peer_us, 3),
            optional(row.ratio, 1),
        );
    }
    out
}
