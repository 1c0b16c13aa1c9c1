//! Which models a program has: those of the crates that it names.

#![allow(clippy::unwrap_used)]

use std::process::Command;

/// What a probe says: its models by label, or its error.
fn run(probe: &str) -> Result<Vec<String>, String> {
    let output = Command::new(probe).output().unwrap();
    if output.status.success() {
        Ok(String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect())
    } else {
        Err(String::from_utf8(output.stderr).unwrap())
    }
}

/// The models beyond those of hop-core.
fn beyond_core(models: Vec<String>) -> Vec<String> {
    models.into_iter().filter(|line| !line.contains("(hop-core ")).collect()
}

#[test]
fn a_crate_that_is_named_is_linked_with_its_name_and_version() {
    let models = run(env!("CARGO_BIN_EXE_linkage-one")).unwrap();
    assert!(models.contains(&"linkage-named: Named (linkage-named 0.2.0)".to_owned()), "{models:?}");
}

#[test]
fn a_crate_that_is_only_listed_is_absent() {
    // `linkage-listed` is a dependency of the probe, and has a model; nothing says that it is missing.
    let models = beyond_core(run(env!("CARGO_BIN_EXE_linkage-one")).unwrap());
    assert_eq!(models, ["linkage-named: Named (linkage-named 0.2.0)"]);
    let models = beyond_core(run(env!("CARGO_BIN_EXE_linkage-none")).unwrap());
    assert_eq!(models, [""; 0]);
}

#[test]
fn the_models_of_hop_core_are_there_without_a_word() {
    let models = run(env!("CARGO_BIN_EXE_linkage-none")).unwrap();
    let labels: Vec<_> = models.iter().filter_map(|line| line.split(':').next()).collect();
    assert_eq!(labels, ["blob", "json"]);
}

#[test]
fn two_crates_with_one_label_are_an_error_that_names_both_in_any_order() {
    let error = run(env!("CARGO_BIN_EXE_linkage-twins-ab")).unwrap_err();
    assert_eq!(
        error,
        "registry: expected one model labelled `linkage-twin`, \
         found two: Apple (linkage-twin-a 1.0.0) and Pear (linkage-twin-b 2.0.0); \
         give one of them another label, link only one of the crates, or choose with `Registry::builder().replace`\n"
    );
    assert_eq!(run(env!("CARGO_BIN_EXE_linkage-twins-ba")).unwrap_err(), error);
}

#[test]
fn a_plugin_is_linked() {
    let models = beyond_core(run(env!("CARGO_BIN_EXE_linkage-plugins")).unwrap());
    assert_eq!(models, ["linkage-named: Named (linkage-named 0.2.0)"]);
    let models = beyond_core(run(env!("CARGO_BIN_EXE_linkage-renamed")).unwrap());
    assert_eq!(models, ["linkage-apart: Apart (linkage-apart 0.4.0)"]);
}

#[test]
fn a_plugin_that_registers_nothing_is_an_error_that_names_it() {
    assert_eq!(
        run(env!("CARGO_BIN_EXE_linkage-empty-plugin")).unwrap_err(),
        "plugins: expected models of `linkage_empty`, which `linkage-tests` names, found none registered; \
         see that the crate derives `HopModel` or calls `register!`, that the features with its models are on, \
         and, where it is renamed, write `plugins!(name = \"package\")`\n"
    );
}
