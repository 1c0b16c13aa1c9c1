//! What readers and writers report to the `metrics` facade, with the feature `metrics`.
//!
//! Whatever recorder the program installs gets them; install it before the first reader and writer start. Numbers are summed
//! over all readers, and over all writers, of the program. They are reported every second, and once more at the end.
//!
//! | name | kind | labels | what |
//! |---|---|---|---|
//! | `hop_read_messages_total` | counter | | messages received, whether or not they were handed over |
//! | `hop_read_bytes_total` | counter | | bytes of their contents |
//! | `hop_read_skipped_total` | counter | | messages that were filtered out |
//! | `hop_read_undecodable_total` | counter | | messages that did not decode |
//! | `hop_read_dead_letters_total` | counter | | those of them that went to the dead-letter topic |
//! | `hop_read_fetched_total` | counter | | messages fetched from the archive |
//! | `hop_read_fetch_failed_total` | counter | | placeholders whose message could not be fetched |
//! | `hop_read_lost_total` | counter | | offsets that were not read: deleted before, or unreadable |
//! | `hop_read_rebalances_total` | counter | | how often the group gave partitions or took them away |
//! | `hop_read_errors_total` | counter | `kind` | errors by [`ErrorKind`], those that mend by themselves included |
//! | `hop_read_queue_messages` | gauge | | messages that wait to be asked for |
//! | `hop_read_lag_messages` | gauge | `topic`, `partition` | offsets between the last message received and the end |
//! | `hop_read_last_message_seconds` | gauge | | when a message was received last, in seconds of Unix time |
//! | `hop_write_messages_total` | counter | | messages that were queued |
//! | `hop_write_delivered_total` | counter | | messages that the broker confirmed |
//! | `hop_write_bytes_total` | counter | | bytes of their contents |
//! | `hop_write_failed_total` | counter | | messages that were not delivered |
//! | `hop_write_offloaded_total` | counter | | messages stored in the archive |
//! | `hop_write_errors_total` | counter | `kind` | as for readers |
//! | `hop_write_delivery_seconds` | histogram | | from queuing a message to the broker's confirmation |

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};

use crate::counters::{ReadCounters, WriteCounters};
use crate::error::ErrorKind;

/// How often the numbers are reported.
const EVERY: Duration = Duration::from_secs(1);

/// Messages that wait in all readers.
static WAITING: AtomicI64 = AtomicI64::new(0);

fn describe() {
    for (name, unit, text) in [
        ("hop_read_messages_total", Unit::Count, "Messages received, whether or not they were handed over."),
        ("hop_read_bytes_total", Unit::Bytes, "Bytes of the contents of received messages."),
        ("hop_read_skipped_total", Unit::Count, "Messages that were filtered out."),
        ("hop_read_undecodable_total", Unit::Count, "Messages that did not decode."),
        ("hop_read_dead_letters_total", Unit::Count, "Messages that went to the dead-letter topic."),
        ("hop_read_fetched_total", Unit::Count, "Messages fetched from the archive."),
        ("hop_read_fetch_failed_total", Unit::Count, "Placeholders whose message could not be fetched."),
        ("hop_read_lost_total", Unit::Count, "Offsets that were not read: deleted before, or unreadable."),
        ("hop_read_rebalances_total", Unit::Count, "How often the group gave partitions or took them away."),
        ("hop_read_errors_total", Unit::Count, "Errors of readers, by kind."),
        ("hop_write_messages_total", Unit::Count, "Messages that were queued."),
        ("hop_write_delivered_total", Unit::Count, "Messages that the broker confirmed."),
        ("hop_write_bytes_total", Unit::Bytes, "Bytes of the contents of delivered messages."),
        ("hop_write_failed_total", Unit::Count, "Messages that were not delivered."),
        ("hop_write_offloaded_total", Unit::Count, "Messages stored in the archive."),
        ("hop_write_errors_total", Unit::Count, "Errors of writers, by kind."),
    ] {
        describe_counter!(name, unit, text);
    }
    for (name, unit, text) in [
        ("hop_read_queue_messages", Unit::Count, "Messages that wait to be asked for."),
        (
            "hop_read_lag_messages",
            Unit::Count,
            "Offsets between the last message received and the end of the partition.",
        ),
        ("hop_read_last_message_seconds", Unit::Seconds, "When a message was received last, in Unix time."),
    ] {
        describe_gauge!(name, unit, text);
    }
    let text = "From queuing a message to the broker's confirmation.";
    describe_histogram!("hop_write_delivery_seconds", Unit::Seconds, text);
}

/// Counts an error of a reader.
pub(crate) fn read_error(kind: ErrorKind) {
    counter!("hop_read_errors_total", "kind" => kind.as_str()).increment(1);
}

/// Counts an error of a writer.
pub(crate) fn write_error(kind: ErrorKind) {
    counter!("hop_write_errors_total", "kind" => kind.as_str()).increment(1);
}

/// What one reader has reported so far.
pub(crate) struct ReaderReport {
    reported: ReadCounters,
    waiting: i64,
    /// The partitions whose lag is reported.
    partitions: BTreeSet<(String, i32)>,
    at: Instant,
}

impl ReaderReport {
    pub(crate) fn new() -> Self {
        describe();
        Self { reported: ReadCounters::default(), waiting: 0, partitions: BTreeSet::new(), at: Instant::now() }
    }

    /// Returns whether it is time for the next report.
    pub(crate) fn is_due(&self) -> bool {
        self.at.elapsed() >= EVERY
    }

    /// Reports what came since the last report, and the lags: topic, partition and offsets.
    pub(crate) fn report(&mut self, now: ReadCounters, waiting: usize, lags: Vec<(String, i32, i64)>) {
        self.at = Instant::now();
        let before = std::mem::replace(&mut self.reported, now);
        counter!("hop_read_messages_total").increment(now.messages - before.messages);
        counter!("hop_read_bytes_total").increment(now.bytes - before.bytes);
        counter!("hop_read_skipped_total").increment(now.skipped - before.skipped);
        counter!("hop_read_undecodable_total").increment(now.undecodable - before.undecodable);
        counter!("hop_read_dead_letters_total").increment(now.dead_letters - before.dead_letters);
        counter!("hop_read_fetched_total").increment(now.fetched - before.fetched);
        counter!("hop_read_fetch_failed_total").increment(now.fetch_failed - before.fetch_failed);
        counter!("hop_read_lost_total").increment(now.lost - before.lost);
        counter!("hop_read_rebalances_total").increment(now.rebalances - before.rebalances);
        self.note_waiting(i64::try_from(waiting).unwrap_or(i64::MAX));
        if now.messages > before.messages {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            gauge!("hop_read_last_message_seconds").set(since.as_secs_f64());
        }
        let partitions = lags.iter().map(|(topic, partition, _)| (topic.clone(), *partition)).collect();
        let before = std::mem::replace(&mut self.partitions, partitions);
        for (topic, partition, lag) in lags {
            set_lag(topic, partition, lag as f64);
        }
        // What went to another member is its lag now.
        for (topic, partition) in before.difference(&self.partitions) {
            set_lag(topic.clone(), *partition, 0.0);
        }
    }

    fn note_waiting(&mut self, waiting: i64) {
        let change = waiting - std::mem::replace(&mut self.waiting, waiting);
        let all = WAITING.fetch_add(change, Ordering::Relaxed) + change;
        gauge!("hop_read_queue_messages").set(all as f64);
    }
}

fn set_lag(topic: String, partition: i32, lag: f64) {
    gauge!("hop_read_lag_messages", "topic" => topic, "partition" => partition.to_string()).set(lag);
}

impl Drop for ReaderReport {
    fn drop(&mut self) {
        self.note_waiting(0);
        for (topic, partition) in std::mem::take(&mut self.partitions) {
            set_lag(topic, partition, 0.0);
        }
    }
}

/// What one writer has reported so far.
pub(crate) struct WriterReport {
    reported: WriteCounters,
    at: Instant,
}

impl WriterReport {
    pub(crate) fn new() -> Self {
        describe();
        Self { reported: WriteCounters::default(), at: Instant::now() }
    }

    /// Returns whether it is time for the next report.
    pub(crate) fn is_due(&self) -> bool {
        self.at.elapsed() >= EVERY
    }

    /// Reports what came since the last report.
    pub(crate) fn report(&mut self, now: WriteCounters) {
        self.at = Instant::now();
        let before = std::mem::replace(&mut self.reported, now);
        counter!("hop_write_messages_total").increment(now.queued - before.queued);
        counter!("hop_write_delivered_total").increment(now.delivered - before.delivered);
        counter!("hop_write_bytes_total").increment(now.bytes - before.bytes);
        counter!("hop_write_failed_total").increment(now.failed - before.failed);
        counter!("hop_write_offloaded_total").increment(now.offloaded - before.offloaded);
    }
}
