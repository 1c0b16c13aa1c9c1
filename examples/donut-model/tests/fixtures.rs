//! The models of this crate, held to messages kept as files.

use donut_model as _;
use hop_core::testing::{self, Failures};
use hop_core::{Registry, Route};

const FOLDERS: [&str; 2] = [
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/donut"),
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/snews"),
];

#[test]
fn every_fixture_comes_round() -> Result<(), Failures> {
    for folder in FOLDERS {
        testing::round_trips(folder, Registry::linked()?)?;
    }
    Ok(())
}

#[test]
fn no_broken_content_panics() -> Result<(), Failures> {
    for folder in FOLDERS {
        testing::survives(folder, Registry::linked()?)?;
    }
    Ok(())
}

#[test]
fn a_program_without_this_crate_sees_a_blob_and_the_label() -> Result<(), hop_core::Error> {
    let headers = [("_format", Some("donut"))].into_iter().collect();
    let decoded = Registry::builder().build()?.decode(&headers, "{}".into())?;
    assert_eq!(decoded.model.format(), "blob");
    assert_eq!(decoded.route, Route::UnknownFormat { label: "donut".into() });
    Ok(())
}
