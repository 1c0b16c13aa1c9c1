//! How far a command is that takes more than a moment.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::interrupt::Interrupt;

/// What takes less has no bar.
const MOMENT: Duration = Duration::from_secs(1);
/// Between two looks at how far it is.
const PAUSE: Duration = Duration::from_millis(200);

/// Does the work, and shows how much of it is done; `None` if a signal comes before its end.
pub(crate) async fn until_interrupted<T>(
    work: impl Future<Output = T>,
    total: usize,
    done: impl Fn() -> usize,
    interrupt: &mut Interrupt,
) -> Option<T> {
    let progress = Progress::new(total);
    tokio::select! {
        biased;
        () = interrupt.received() => None,
        outcome = work => Some(outcome),
        () = progress.show(done) => None,
    }
}

/// A bar on the standard error, if that is a terminal and the work takes more than a moment; gone when it is dropped.
struct Progress(ProgressBar);

impl Progress {
    fn new(total: usize) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos} of {len} sent, {per_sec}, {eta} left") {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// Shows how much is done, for ever.
    async fn show(&self, done: impl Fn() -> usize) {
        if !std::io::stderr().is_terminal() {
            return std::future::pending().await;
        }
        tokio::time::sleep(MOMENT).await;
        self.0.set_draw_target(ProgressDrawTarget::stderr());
        loop {
            self.0.set_position(done() as u64);
            tokio::time::sleep(PAUSE).await;
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
