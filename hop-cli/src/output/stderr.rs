//! The standard error, which the screen of `hop watch` takes over while it is shown.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

/// The lines since the screen looked last; `None` while they go to the standard error.
static TAKEN: Mutex<Option<VecDeque<String>>> = Mutex::new(None);
/// The most lines that are kept for the screen.
const MOST: usize = 50;

/// The standard error gets its lines back when this is dropped.
#[derive(Debug)]
pub(crate) struct Taken(());

/// Keeps what is written from now on, for [`taken`].
pub(crate) fn take() -> Taken {
    *TAKEN.lock().unwrap_or_else(PoisonError::into_inner) = Some(VecDeque::new());
    Taken(())
}

/// Returns the lines that were written since the last call.
pub(crate) fn taken() -> Vec<String> {
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    taken.as_mut().map(|lines| lines.drain(..).collect()).unwrap_or_default()
}

impl Drop for Taken {
    fn drop(&mut self) {
        *TAKEN.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Writes to the standard error, or to the screen that has taken it over.
pub(crate) fn writer() -> impl Write {
    Stderr
}

struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(lines) = taken.as_mut() else { return io::stderr().write(bytes) };
        let text = String::from_utf8_lossy(bytes);
        lines.extend(text.lines().map(without_colours).filter(|line| !line.trim().is_empty()));
        while lines.len() > MOST {
            lines.pop_front();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// A line without the sequences that set colours.
fn without_colours(line: &str) -> String {
    let mut out = String::new();
    let mut parts = line.split("\x1b[");
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        out.push_str(
            part.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').strip_prefix('m').unwrap_or(part),
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_over_comes_back_as_lines() {
        assert!(taken().is_empty());
        let until_then = take();
        writer().write_all(b"\x1b[2mtime\x1b[0m \x1b[33m WARN\x1b[0m lost\n\nagain\n").unwrap();
        assert_eq!(taken(), ["time  WARN lost", "again"]);
        for number in 0..1_000 {
            writeln!(writer(), "{number}").unwrap();
        }
        assert_eq!(taken().len(), MOST);
        drop(until_then);
        assert!(TAKEN.lock().unwrap().is_none());
    }
}
