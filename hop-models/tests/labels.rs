//! The derive refuses hop's own labels, from a list of its own: it cannot ask this crate. The two lists are one here.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use hop_core::Registry;

#[test]
fn the_derive_refuses_the_labels_of_this_crate_and_no_others() {
    let registry = Registry::builder().models(hop_models::MODELS).build().unwrap();
    let labels: Vec<_> = registry.labels().collect();
    // What the derive says to who takes one, which its own tests hold it to.
    let said = Path::new(env!("CARGO_MANIFEST_DIR")).join("../hop-derive/tests/ui/label-built-in.stderr");
    let said = std::fs::read_to_string(said).unwrap();
    let listed = format!("is one of hop's own labels ({}): choose another", labels.join(", "));
    assert!(said.contains(&listed), "`BUILT_IN` in hop-derive/src/label.rs is not {labels:?}:\n{said}");
    for label in labels {
        assert!(
            said.contains(&format!("error: `{label}` is one")),
            "no case of hop-derive's label-built-in.rs takes `{label}`"
        );
    }
}
