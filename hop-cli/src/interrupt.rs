//! The signals that end a command which waits: Ctrl-C, SIGTERM and SIGHUP.

use std::io;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

/// The first of the signals that end the command, for it to commit, leave and say what is left.
///
/// The second one ends the process at once, with the exit code that a shell gives for it: 128 and the signal's number.
/// A SIGHUP that was ignored before, as `nohup` has it, is ignored further.
#[derive(Debug, Clone)]
pub(crate) struct Interrupt {
    received: watch::Receiver<bool>,
    /// At its end once the signal has come, for what waits on files.
    #[cfg(unix)]
    pipe: std::sync::Arc<io::PipeReader>,
}

impl Interrupt {
    /// Listens from now on. A thread of its own does, so that the second signal is also heard while a pipe blocks this one.
    pub(crate) fn listen() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let signals = {
            let _entered = runtime.enter();
            Signals::listen()?
        };
        let (interrupt, received) = watch::channel(false);
        let (pipe, until_then) = io::pipe()?;
        std::thread::Builder::new()
            .name("hop-signals".to_owned())
            .spawn(move || serve(&runtime, signals, &interrupt, until_then))?;
        #[cfg(not(unix))]
        drop(pipe);
        Ok(Self {
            received,
            #[cfg(unix)]
            pipe: std::sync::Arc::new(pipe),
        })
    }

    /// Waits for the first signal; returns at once if it came already.
    pub(crate) async fn received(&mut self) {
        // The thread that sends ends with the process alone.
        let _ended = self.received.wait_for(|received| *received).await;
    }

    /// Returns whether the first signal has come.
    pub(crate) fn has_come(&self) -> bool {
        *self.received.borrow()
    }

    /// Waits until the standard output takes more.
    ///
    /// Fails with kind `Interrupted` if a signal comes, or has come, while it takes nothing.
    #[cfg(unix)]
    pub(crate) fn wait_for_output(&self) -> io::Result<()> {
        use rustix::event::{PollFd, PollFlags, poll};
        let out = io::stdout();
        loop {
            let mut waited = [PollFd::new(&out, PollFlags::OUT), PollFd::new(&*self.pipe, PollFlags::empty())];
            match poll(&mut waited, None) {
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            if !waited[0].revents().is_empty() {
                return Ok(());
            }
            if !waited[1].revents().is_empty() {
                return Err(io::Error::new(io::ErrorKind::Interrupted, "stopped while the output took nothing"));
            }
        }
    }

    /// Returns at once: whether a write has to wait cannot be known here.
    #[cfg(not(unix))]
    #[allow(clippy::unused_self, clippy::unnecessary_wraps)]
    pub(crate) fn wait_for_output(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Passes the first signal on, and ends the process at the second.
fn serve(runtime: &Runtime, mut signals: Signals, interrupt: &watch::Sender<bool>, until_then: io::PipeWriter) {
    runtime.block_on(signals.next());
    interrupt.send_replace(true);
    drop(until_then);
    let signal = runtime.block_on(signals.next());
    std::process::exit(128 + signal);
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hang_up: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let hang_up = if is_ignored(SignalKind::hangup()) { None } else { Some(signal(SignalKind::hangup())?) };
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())?, hang_up })
    }

    /// Waits for the next signal, and returns its number.
    async fn next(&mut self) -> i32 {
        use tokio::signal::unix::SignalKind;
        let hang_up = async {
            match &mut self.hang_up {
                Some(hang_up) => hang_up.recv().await,
                None => std::future::pending().await,
            }
        };
        let kind = tokio::select! {
            _ = self.interrupt.recv() => SignalKind::interrupt(),
            _ = self.terminate.recv() => SignalKind::terminate(),
            _ = hang_up => SignalKind::hangup(),
        };
        kind.as_raw_value()
    }
}

/// Returns whether the process ignores the signal, as it was started to.
#[cfg(unix)]
#[allow(unsafe_code)]
fn is_ignored(kind: tokio::signal::unix::SignalKind) -> bool {
    let mut current = std::mem::MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: without a new action `sigaction` changes nothing; where it returns zero it has written the one in force.
    unsafe {
        libc::sigaction(kind.as_raw_value(), std::ptr::null(), current.as_mut_ptr()) == 0
            && current.assume_init().sa_sigaction == libc::SIG_IGN
    }
}

#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn listen() -> io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    /// Waits for the next Ctrl-C, and returns the number that SIGINT has elsewhere.
    async fn next(&mut self) -> i32 {
        self.0.recv().await;
        2
    }
}
