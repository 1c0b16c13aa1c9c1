//! Derive (in the making).
