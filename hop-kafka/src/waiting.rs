//! Threads, and waiting on them without an asynchronous runtime.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Instant;

use crate::{Error, ErrorKind};

/// A thread that nobody waits for.
pub(crate) fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), Error> {
    let spawned = std::thread::Builder::new().name(name.to_owned()).spawn(run);
    spawned.map(drop).map_err(|error| Error::new(ErrorKind::Kafka, format!("starting the thread {name}: {error}")))
}

/// Waits on this thread until the future is ready.
///
/// A task of tokio that calls this may have used up its turn, and tokio's own futures would then never be ready.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    pollster::block_on(tokio::task::coop::unconstrained(future))
}

/// The same, until this moment at most; `None` when it was not ready by then.
pub(crate) fn block_on_until<F: Future>(future: F, deadline: Instant) -> Option<F::Output> {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(tokio::task::coop::unconstrained(future));
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Some(output);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        std::thread::park_timeout(left);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn it_is_not_waited_for_longer_than_said() {
        let started = Instant::now();
        let waited = block_on_until(std::future::pending::<()>(), started + Duration::from_millis(50));
        assert!(waited.is_none());
        assert!((50..1000).contains(&started.elapsed().as_millis()), "{:?}", started.elapsed());
    }

    #[tokio::test]
    async fn a_task_whose_turn_is_used_up_still_gets_its_answer() {
        while tokio::task::coop::has_budget_remaining() {
            tokio::task::coop::poll_proceed(&mut Context::from_waker(Waker::noop()))
                .map(|turn| turn.made_progress())
                .is_ready();
        }
        let (tell, told) = tokio::sync::oneshot::channel();
        spawn("teller", move || {
            std::thread::sleep(Duration::from_millis(50));
            let _told = tell.send(7);
        })
        .unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        assert_eq!(block_on_until(told, deadline), Some(Ok(7)));
        assert!(Instant::now() < deadline);
    }
}
