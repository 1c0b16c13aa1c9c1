//! A short run against what `guard.json` states: it notices a stall, and code that does more than it did.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{Options, Outcome, instructions, peer, stream};

/// A rate may fall to so much of what is stated: the guard is against a stall, and machines differ.
const LEAST: f64 = 0.5;
/// So many times the instructions are too many.
const MOST: f64 = 1.05;
const WAYS: [&str; 9] = [
    "circular",
    "read-next",
    "read-typed",
    "read-batch",
    "read-until-eos",
    "read-blocking",
    "group-next",
    "write-queue",
    "latency-model",
];
const MESSAGES: u64 = 40_000;

/// What is stated, and what a run came to.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// The rate beside the raw client's; of latencies, the raw client's median beside ours.
    ratios: BTreeMap<String, f64>,
    /// Instructions a message.
    instructions: BTreeMap<String, u64>,
}

impl Figures {
    fn measure() -> Outcome<Self> {
        Ok(Self { ratios: ratios(&WAYS)?, instructions: instructions::count()? })
    }

    fn stated() -> Outcome<Self> {
        Ok(serde_json::from_str(&std::fs::read_to_string(file())?)?)
    }

    /// What is not as it is stated.
    fn faults(&self, stated: &Self) -> Vec<String> {
        let mut faults = Vec::new();
        for (way, stated) in &stated.ratios {
            match self.ratios.get(way) {
                Some(ratio) if *ratio >= stated * LEAST => {}
                Some(ratio) => faults.push(format!("{way}: {ratio} times raw, and {stated} is stated")),
                None => faults.push(format!("{way}: not measured")),
            }
        }
        for (name, stated) in &stated.instructions {
            match self.instructions.get(name) {
                Some(count) if *count as f64 <= *stated as f64 * MOST => {}
                Some(count) => faults.push(format!("{name}: {count} instructions a message, and {stated} are stated")),
                None => faults.push(format!("{name}: not counted")),
            }
        }
        faults
    }

    /// The two tables of the README.
    fn text(&self) -> String {
        let mut out = String::from("| way | times raw |\n|---|--:|\n");
        for (way, ratio) in &self.ratios {
            let _written = writeln!(out, "| {way} | {ratio} |");
        }
        out += "\n| message | instructions |\n|---|--:|\n";
        for (name, count) in &self.instructions {
            let _written = writeln!(out, "| {name} | {count} |");
        }
        out
    }
}

fn file() -> PathBuf {
    peer::root().join("benches/guard.json")
}

fn ratios(names: &[&str]) -> Outcome<BTreeMap<String, f64>> {
    let options = Options {
        json: false,
        rounds: Some(3),
        messages: Some(MESSAGES),
        renew: false,
        plots: None,
        names: names.iter().map(ToString::to_string).collect(),
    };
    if std::env::var_os("HOP_TEST_BROKER").is_none() {
        return Err("the guard measures on Apache Kafka: eval \"$(tests/kafka/up)\"".into());
    }
    Ok(stream::compare(&options)?.ratios())
}

/// The figures of this run, and whether they are as good as those that are stated; with `renew`, states them.
pub(crate) fn run(renew: bool) -> Outcome<(String, bool)> {
    let mut measured = Figures::measure()?;
    if renew {
        std::fs::write(file(), serde_json::to_string_pretty(&measured)? + "\n")?;
        return Ok((measured.text(), true));
    }
    let stated = Figures::stated()?;
    // What else the machine had to do may have been in the way of one side alone: once more.
    let slow = measured.faults(&Figures { instructions: BTreeMap::new(), ..Figures::stated()? });
    if !slow.is_empty() {
        for (way, ratio) in ratios(&WAYS)? {
            let best = measured.ratios.entry(way).or_insert(ratio);
            *best = best.max(ratio);
        }
    }
    let faults = measured.faults(&stated);
    let mut text = measured.text();
    for fault in &faults {
        let _written = writeln!(text, "\nFAILED: {fault}");
    }
    Ok((text, faults.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_states_what_is_guarded() {
        let readme = std::fs::read_to_string(peer::root().join("benches/README.md")).unwrap();
        let text = Figures::stated().unwrap().text();
        assert!(readme.contains(&text), "write this into benches/README.md:\n{text}");
    }

    #[test]
    fn a_stall_and_a_growth_are_faults() {
        let figures = |ratio, count| Figures {
            ratios: [("read-next".to_owned(), ratio)].into(),
            instructions: [("circular".to_owned(), count)].into(),
        };
        let stated = figures(0.9, 1000);
        assert_eq!(figures(0.46, 1049).faults(&stated), Vec::<String>::new());
        assert_eq!(figures(0.44, 1000).faults(&stated).len(), 1);
        assert_eq!(figures(2.0, 1051).faults(&stated).len(), 1);
        assert_eq!(Figures::default().faults(&stated).len(), 2);
    }
}
