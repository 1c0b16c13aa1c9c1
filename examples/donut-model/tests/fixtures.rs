//! The models of this crate, held to messages kept as files.

use donut_model::{Donut, SnewsAlert};
use hop_core::{Registry, Route};

hop_core::fixtures!(Donut, "../../fixtures/donut");
hop_core::fixtures!(SnewsAlert, "../../fixtures/snews");

#[test]
fn a_program_without_this_crate_sees_a_blob_and_the_label() -> Result<(), hop_core::Error> {
    let headers = [("_format", Some("donut"))].into_iter().collect();
    let decoded = Registry::builder().build()?.decode(&headers, "{}".into())?;
    assert_eq!(decoded.model.format(), "blob");
    assert_eq!(decoded.route, Route::UnknownFormat { label: "donut".into() });
    Ok(())
}
