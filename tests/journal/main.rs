//! Publishing by way of a journal: what is accepted arrives, whatever happens to the process and the broker.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, missing_docs)]

mod full;
mod killed;
mod large;
mod others;
mod publishing;
