//! Durations and time-outs: without a runtime, and of any length.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use futures_timer::Delay;

use crate::blocking::poll_own;

/// The longest wait: some 68 years, which every platform's clock can add to the present.
const LONGEST: Duration = Duration::from_secs(i32::MAX as u64);

/// Returns the moment that lies so far ahead; at most [`LONGEST`].
pub(crate) fn deadline(within: Duration) -> Instant {
    Instant::now() + within.min(LONGEST)
}

/// Shortens a duration to what librdkafka can count: milliseconds in 32 bits, 24.8 days.
pub(crate) fn for_librdkafka(within: Duration) -> Duration {
    within.min(Duration::from_millis(i32::MAX as u64))
}

/// Awaits the future for at most the duration given; `None` when it is not ready by then.
///
/// The timer is a thread of the process, not of a runtime, so that it fires on any executor.
pub(crate) async fn timeout<F: Future>(within: Duration, future: F) -> Option<F::Output> {
    let (mut future, mut delay) = (pin!(future), None);
    std::future::poll_fn(|context| {
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(Some(output));
        }
        // Only made once there is something to wait for.
        let delay = delay.get_or_insert_with(|| Delay::new(within.min(LONGEST)));
        poll_own(context, |context| std::pin::Pin::new(delay).poll(context)).map(|()| None)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_of_any_length_are_possible() {
        for within in [Duration::ZERO, Duration::from_secs(3_000_000), Duration::from_secs(u64::MAX / 2), Duration::MAX]
        {
            assert!(deadline(within) + Duration::from_secs(1) > Instant::now());
            assert!(i32::try_from(for_librdkafka(within).as_millis()).is_ok());
            assert_eq!(pollster::block_on(timeout(within, std::future::ready(7))), Some(7));
        }
    }

    #[test]
    fn time_runs_out_without_a_runtime() {
        let started = Instant::now();
        assert_eq!(pollster::block_on(timeout(Duration::from_millis(50), std::future::pending::<()>())), None);
        assert!((50..1000).contains(&started.elapsed().as_millis()), "{:?}", started.elapsed());
    }
}
