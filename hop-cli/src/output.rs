//! The two outputs: results, and complaints.

use std::fmt::Display;
use std::io::{self, Write};

/// Writes a line to the standard output, at once.
pub(crate) fn line(text: impl Display) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

/// Writes bytes to the standard output, and `end` after them unless they end with it already.
pub(crate) fn bytes(bytes: &[u8], end: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    if !bytes.ends_with(end) {
        out.write_all(end)?;
    }
    out.flush()
}

/// Writes a line to the standard error.
pub(crate) fn complain(what: impl Display) {
    // Where the standard error is gone there is nobody to tell.
    let _written = writeln!(io::stderr(), "hop: {what}");
}
