//! What was measured, for people and for programs.

use serde::Serialize;

use crate::Outcome;

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
    /// How many times faster this is.
    pub(crate) ratio: Option<f64>,
}

impl Row {
    pub(crate) fn new(name: impl Into<String>, bytes: usize, ours: f64, peer: Option<f64>) -> Self {
        let micros = |seconds: f64| (seconds * 1e9).round() / 1e3;
        let ratio = peer.map(|peer| (peer / ours * 10.0).round() / 10.0);
        Self { name: name.into(), bytes, ours_us: micros(ours), peer_us: peer.map(micros), ratio }
    }
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
