//! No model at all, in a crate that the probe wants models of.

/// A struct that nobody derived `HopModel` for.
#[derive(Debug)]
pub struct Forgotten;
