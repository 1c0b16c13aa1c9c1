//! Which failures mend with time, and which are for good.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::ErrorKind;

/// How long the first wait is after a failure; each further one is twice as long.
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);
/// How often a message is tried whose failure may or may not mend.
const TRIES: u32 = 5;
/// How long messages for a topic are put aside at the first failure, after one was in spite of several tries.
const REMEMBERED: Duration = Duration::from_secs(600);

/// What is to be done with a message that was not delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Send it again, and all that came after it.
    Retry,
    /// Put it aside.
    Aside,
}

/// Failures since the last success.
#[derive(Debug, Default)]
pub(super) struct Failures {
    in_a_row: u32,
    /// How often each message has failed in a way that may be for good.
    doubtful: HashMap<u64, u32>,
    /// Topics of messages that were put aside after several tries.
    topics: HashMap<String, (ErrorKind, Instant)>,
}

impl Failures {
    pub(super) fn note_delivered(&mut self, number: u64) {
        self.in_a_row = 0;
        self.doubtful.remove(&number);
    }

    /// Decides on a message that failed, on its own or with others of its batch.
    pub(super) fn judge(&mut self, number: u64, topic: &str, kind: ErrorKind, is_own: bool) -> Verdict {
        match kind {
            ErrorKind::Encode | ErrorKind::Usage | ErrorKind::Config | ErrorKind::Refused => Verdict::Aside,
            ErrorKind::TooLarge if is_own => Verdict::Aside,
            // The topic may be made, the permission given, the broker or the archive come to itself.
            ErrorKind::TooLarge
            | ErrorKind::Authorization
            | ErrorKind::UnknownTopic
            | ErrorKind::NotFound
            | ErrorKind::Protocol
            | ErrorKind::Kafka => {
                let is_known =
                    self.topics.get(topic).is_some_and(|(known, since)| *known == kind && since.elapsed() < REMEMBERED);
                let tries = self.doubtful.entry(number).or_default();
                *tries += 1;
                if *tries < TRIES && !(is_known && kind != ErrorKind::TooLarge) {
                    return Verdict::Retry;
                }
                self.doubtful.remove(&number);
                self.topics.insert(topic.to_owned(), (kind, Instant::now()));
                Verdict::Aside
            }
            // A password may be changed, a certificate renewed, a network mended.
            _ => Verdict::Retry,
        }
    }

    /// Returns how long to wait before the next try: about twice as long each time.
    pub(super) fn back_off(&mut self) -> Duration {
        let wait = FIRST.saturating_mul(1 << self.in_a_row.min(10)).min(LONGEST);
        self.in_a_row += 1;
        // Many publishers that lost one broker must not all come back at the same moment.
        let jitter = f64::from(uuid::Uuid::new_v4().as_bytes()[0]) / 255.0;
        wait.mul_f64(0.75 + jitter / 2.0)
    }

    /// Forgets which topics took no messages.
    pub(super) fn forget_topics(&mut self) {
        self.topics.clear();
    }

    /// Forgets a message that was dropped.
    pub(super) fn forget(&mut self, number: u64) {
        self.doubtful.remove(&number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_mend_is_tried_again_and_what_does_not_is_put_aside() {
        let mut failures = Failures::default();
        for _ in 0..100 {
            assert_eq!(failures.judge(1, "a", ErrorKind::Authentication, true), Verdict::Retry);
            assert_eq!(failures.judge(1, "a", ErrorKind::Connection, true), Verdict::Retry);
            assert_eq!(failures.judge(1, "a", ErrorKind::TimedOut, true), Verdict::Retry);
        }
        assert_eq!(failures.judge(1, "a", ErrorKind::TooLarge, true), Verdict::Aside);
        // It was in a batch that was too large.
        assert_eq!(failures.judge(2, "a", ErrorKind::TooLarge, false), Verdict::Retry);
        let verdicts: Vec<_> = (0..5).map(|_| failures.judge(3, "b", ErrorKind::Authorization, true)).collect();
        assert_eq!(verdicts.iter().filter(|verdict| **verdict == Verdict::Retry).count(), 4);
        // The next one for that topic need not wait as long, and other topics are not affected.
        assert_eq!(failures.judge(4, "b", ErrorKind::Authorization, true), Verdict::Aside);
        assert_eq!(failures.judge(5, "c", ErrorKind::Authorization, true), Verdict::Retry);
    }

    #[test]
    fn waits_grow_up_to_half_a_minute_and_begin_anew_after_a_success() {
        let mut failures = Failures::default();
        let waits: Vec<Duration> = (0..50).map(|_| failures.back_off()).collect();
        assert!(waits[0] < Duration::from_secs(1) && waits[5] > waits[1]);
        assert!(waits.iter().all(|wait| *wait <= LONGEST.mul_f64(1.26)));
        failures.note_delivered(1);
        assert!(failures.back_off() < Duration::from_secs(1));
    }
}
