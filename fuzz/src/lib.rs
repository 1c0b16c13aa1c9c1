//! The checks that the fuzz targets run: those of the tests of `hop-models`.

#[path = "../../hop-models/tests/checks/mod.rs"]
pub mod checks;
