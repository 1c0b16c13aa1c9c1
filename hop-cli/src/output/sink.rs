//! The standard output of a command that writes many messages.

use std::io::{self, Write};

use tokio::sync::watch;

use crate::interrupt::Interrupt;

/// How many bytes are gathered before they are written, unless there is nothing else to do.
const ENOUGH: usize = 64 << 10;

/// The standard output, gathered into large writes, and never waited for without an end: a reader that is stuck does not
/// keep Ctrl-C from ending the command.
pub(crate) struct Sink {
    waiting: Vec<u8>,
    interrupt: Interrupt,
    /// How many bytes the standard output takes without waiting, when it takes anything.
    at_once: usize,
}

impl Sink {
    pub(crate) fn new(interrupt: Interrupt) -> Self {
        Self { waiting: Vec::new(), interrupt, at_once: at_once() }
    }

    /// Adds bytes, and `end` after them unless they end with it already.
    pub(crate) fn push(&mut self, bytes: &[u8], end: &[u8]) {
        self.waiting.extend_from_slice(bytes);
        if !bytes.ends_with(end) {
            self.waiting.extend_from_slice(end);
        }
    }

    /// Returns whether so much has been added that it should be written.
    pub(crate) fn is_full(&self) -> bool {
        self.waiting.len() >= ENOUGH
    }

    /// Writes what was added.
    ///
    /// Fails with kind `Interrupted` if a signal comes while the reader takes nothing, and with `BrokenPipe` if there is
    /// none.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        let mut out = io::stdout().lock();
        let mut rest = &waiting[..];
        while !rest.is_empty() {
            self.interrupt.wait_for_output()?;
            let (now, later) = rest.split_at(self.at_once.min(rest.len()));
            out.write_all(now)?;
            out.flush()?;
            rest = later;
        }
        // Its memory serves the next ones.
        self.waiting = waiting;
        self.waiting.clear();
        Ok(())
    }
}

/// How many bytes the standard output takes without waiting, when it takes anything.
#[cfg(unix)]
fn at_once() -> usize {
    use std::io::IsTerminal as _;

    use rustix::fs::{FileType, fstat};
    const PIPE: usize = 4096;
    const TERMINAL: usize = 256;
    let out = io::stdout();
    match fstat(&out).map(|stat| FileType::from_raw_mode(stat.st_mode)) {
        Ok(FileType::CharacterDevice) if out.is_terminal() => TERMINAL,
        // Files, and devices such as `/dev/null`.
        Ok(FileType::RegularFile | FileType::CharacterDevice) => usize::MAX,
        _ => PIPE,
    }
}

/// Whether a write has to wait cannot be known here.
#[cfg(not(unix))]
fn at_once() -> usize {
    usize::MAX
}

/// Whether whoever reads the standard output has gone, as in `hop subscribe … | head -1`.
pub(crate) struct Closed(watch::Receiver<bool>);

impl Closed {
    /// Watches from now on, on a thread of its own.
    pub(crate) fn watch() -> io::Result<Self> {
        let (closed, watched) = watch::channel(false);
        std::thread::Builder::new().name("hop-output".to_owned()).spawn(move || {
            if wait_until_closed() {
                closed.send_replace(true);
            }
            // Whoever waits goes on waiting.
            std::mem::forget(closed);
        })?;
        Ok(Self(watched))
    }

    /// Waits until the reader has gone.
    pub(crate) async fn closed(&mut self) {
        if self.0.wait_for(|closed| *closed).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Waits until nobody reads the standard output any more; returns false if that cannot be known.
#[cfg(unix)]
fn wait_until_closed() -> bool {
    use rustix::event::{PollFd, PollFlags, poll};
    let out = io::stdout();
    loop {
        // Without any event requested, an error or a hang-up is still reported.
        let mut watched = [PollFd::new(&out, PollFlags::empty())];
        match poll(&mut watched, None) {
            Ok(_) => return watched[0].revents().intersects(PollFlags::ERR | PollFlags::HUP),
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}

#[cfg(not(unix))]
fn wait_until_closed() -> bool {
    false
}
