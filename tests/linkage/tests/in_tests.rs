//! A test is a program like any other: it has the models of the crates that it names.

#![allow(clippy::unwrap_used)]

hop_core::plugins!(linkage_named);

#[test]
fn a_test_has_the_models_of_the_crates_it_names() {
    let registry = hop_core::Registry::linked().unwrap();
    assert_eq!(registry.require("linkage-named").unwrap().crate_name(), "linkage-named");
    assert!(registry.get("linkage-listed").is_none());
}
