//! Which crate may know which: what a library needs is what its users build.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};

use hop_tests::process::Program;
use serde_json::Value;

/// The crates that belong to hop, the ones of the tests and the examples aside.
const HOP: [&str; 6] = ["hop-core", "hop-derive", "hop-models", "hop-journal", "hop-kafka", "hop-cli"];
const LIBRARIES: [&str; 5] = ["hop-core", "hop-derive", "hop-models", "hop-journal", "hop-kafka"];

/// What each package needs to be built and run, tests and build scripts aside, every feature turned on,
/// on this platform.
struct Graph(BTreeMap<String, BTreeSet<String>>);

impl Graph {
    fn read() -> Self {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let metadata = Program::new(cargo)
            .args(["metadata", "--format-version", "1", "--offline", "--all-features"])
            // What other platforms need is not on this machine.
            .args(["--filter-platform", "host-tuple"])
            .folder(&hop_tests::root())
            .run();
        let metadata: Value = serde_json::from_str(metadata.expect(0)).unwrap();
        let names: BTreeMap<&str, &str> =
            array(&metadata["packages"]).iter().map(|package| (text(&package["id"]), text(&package["name"]))).collect();
        let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for node in array(&metadata["resolve"]["nodes"]) {
            let needs = graph.entry(names[text(&node["id"])].to_owned()).or_default();
            for dependency in array(&node["deps"]) {
                if array(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"].is_null()) {
                    needs.insert(names[text(&dependency["pkg"])].to_owned());
                }
            }
        }
        for name in HOP {
            assert!(graph.contains_key(name), "{name} is not in the workspace");
        }
        Self(graph)
    }

    fn direct(&self, name: &str) -> &BTreeSet<String> {
        &self.0[name]
    }

    /// By which way `from` comes to need `to`, if it does.
    fn way(&self, from: &str, to: &str) -> Option<String> {
        let mut ways = vec![vec![from]];
        let mut seen = BTreeSet::from([from]);
        while let Some(way) = ways.pop() {
            for next in &self.0[*way.last().unwrap()] {
                let longer: Vec<&str> = way.iter().copied().chain([next.as_str()]).collect();
                if next == to {
                    return Some(longer.join(" -> "));
                }
                if seen.insert(next) {
                    ways.push(longer);
                }
            }
        }
        None
    }

    #[track_caller]
    fn forbid(&self, from: &str, to: &str) {
        if let Some(way) = self.way(from, to) {
            panic!("{from} must not need {to}, and does: {way}");
        }
    }
}

fn array(value: &Value) -> &[Value] {
    value.as_array().expect("an array")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

#[test]
fn the_core_needs_no_broker_no_runtime_and_no_format() {
    let graph = Graph::read();
    // That the graph is one, and reaches through several crates.
    assert_eq!(graph.way("hop-kafka", "rdkafka-sys").as_deref(), Some("hop-kafka -> rdkafka -> rdkafka-sys"));
    for unwanted in ["rdkafka", "tokio", "quick-xml", "apache-avro", "clap", "anyhow"] {
        graph.forbid("hop-core", unwanted);
    }
    for other in ["hop-models", "hop-journal", "hop-kafka", "hop-cli"] {
        graph.forbid("hop-core", other);
    }
}

#[test]
fn formats_and_streams_do_not_know_each_other() {
    let graph = Graph::read();
    graph.forbid("hop-models", "hop-kafka");
    graph.forbid("hop-kafka", "hop-models");
    graph.forbid("hop-models", "rdkafka");
    graph.forbid("hop-models", "tokio");
}

#[test]
fn the_journal_knows_files_and_no_broker() {
    let graph = Graph::read();
    for unwanted in ["hop-models", "hop-kafka", "rdkafka", "tokio"] {
        graph.forbid("hop-journal", unwanted);
    }
}

#[test]
fn only_the_command_needs_what_commands_need() {
    let graph = Graph::read();
    for library in LIBRARIES {
        graph.forbid(library, "clap");
        graph.forbid(library, "anyhow");
        graph.forbid(library, "hop-cli");
    }
    assert!(graph.direct("hop-cli").contains("clap"));
}

#[test]
fn the_derive_needs_no_crate_of_hop() {
    let graph = Graph::read();
    for other in HOP.into_iter().filter(|name| *name != "hop-derive") {
        graph.forbid("hop-derive", other);
    }
}

#[test]
fn no_crate_of_hop_needs_a_test_or_an_example() {
    let graph = Graph::read();
    for name in HOP {
        for other in ["hop-tests", "donut-model", "donut-hop"] {
            graph.forbid(name, other);
        }
    }
}
