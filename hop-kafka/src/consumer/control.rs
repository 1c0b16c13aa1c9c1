//! What can be done with a reader from elsewhere: another task, another thread, a signal handler.

use std::sync::Arc;
use std::time::Duration;

use hop_core::{Place, Record};
use rdkafka::topic_partition_list::Offset;
use tokio::sync::oneshot;

use super::client::{Client, Offsets};
use super::offsets::Start;
use super::progress::Marked;
use super::session::{Request, Session, ended};
use crate::blocking::own;
use crate::counters::ReadCounters;
use crate::time::timeout;
use crate::{Error, ErrorKind};

/// How far one partition is read, and how far it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lag {
    /// The topic.
    pub topic: String,
    /// The partition, from zero.
    pub partition: i32,
    /// The offset of the next message to receive; `None` where none has been received yet.
    pub position: Option<i64>,
    /// The offset after the last message there is.
    pub end: i64,
}

impl Lag {
    /// Returns how many offsets lie between the two: at most so many messages are still to be received.
    pub fn messages(&self) -> Option<u64> {
        self.position.map(|position| u64::try_from(self.end - position).unwrap_or(0))
    }
}

/// Controls a [`Subscription`](crate::Subscription) from anywhere, while another task waits for its next message: stops,
/// pauses and moves it, marks messages as done, and says how far it is. It may be cloned.
#[derive(Debug, Clone)]
pub struct Control {
    session: Arc<Session>,
}

impl Control {
    pub(super) fn new(session: Arc<Session>) -> Self {
        Self { session }
    }

    /// Ends the reading: whoever waits for the next message gets `None`. What was received and not handed over is not
    /// counted as done; in a group it comes again.
    ///
    /// It may be called in a signal handler: it sets an atomic flag, and nothing else. A reader that waits sees the flag
    /// within a tenth of a second, and later only while its thread waits for an answer of the broker.
    ///
    /// What is done with can still be marked, until the subscription is closed or dropped.
    pub fn stop(&self) {
        self.session.stop();
    }

    /// Hands nothing over, and fetches nothing, until [`resume`](Self::resume); the place in the group is kept.
    pub fn pause(&self) {
        self.session.pause(true);
    }

    /// Goes on after [`pause`](Self::pause).
    pub fn resume(&self) {
        self.session.pause(false);
    }

    /// Reads on from this offset in its partition; what was received from there and not handed over is forgotten.
    ///
    /// What is committed moves with the messages that are done with from then on.
    ///
    /// # Errors
    /// Kind `Usage` when the reader has ended; kind `Kafka` when the partition is not this reader's; `TimedOut` when it took
    /// longer than `within`.
    pub async fn seek(&self, place: &Place, within: Duration) -> Result<(), Error> {
        let (answer, answered) = oneshot::channel();
        self.session.request(Request::Seek { place: place.clone(), within, answer });
        wait(&format!("going to {place}"), within, answered).await
    }

    /// Returns how many messages have been received and wait to be asked for.
    pub fn waiting(&self) -> usize {
        self.session.queue.waiting()
    }

    /// Returns what the reader has done so far, in numbers.
    pub fn counters(&self) -> ReadCounters {
        self.session.counters.read()
    }

    /// Returns where reading began in each partition that this reader has, and why there; nothing after the end.
    pub fn starts(&self) -> Vec<Start> {
        if self.session.is_closed() { Vec::new() } else { self.session.assignment.starts() }
    }

    /// Returns how far each partition of this reader is read, and where it ends now, asked of the broker.
    ///
    /// # Errors
    /// Kind `Usage` when the reader has ended; kind `TimedOut` or what the broker says when it does not answer `within` this
    /// time.
    pub async fn lag(&self, within: Duration) -> Result<Vec<Lag>, Error> {
        let (answer, answered) = oneshot::channel();
        self.session.request(Request::Lag { within, answer });
        wait(ENDS, within, answered).await
    }

    /// Marks this record as done; the commit follows in the background.
    ///
    /// All before it in its partition count as done as well, unless messages are [marked one by
    /// one](crate::Commit::Each): then the commit stays before the first one that is not marked. A mark before an earlier
    /// one changes nothing.
    ///
    /// # Errors
    /// Kind `Usage` without a group, or when the reader is closed; kind `Kafka` when the partition is no longer this
    /// reader's.
    pub fn mark_done(&self, record: &Record) -> Result<(), Error> {
        self.session.mark(place(record)?).map(|_| ())
    }

    /// Marks this record as done and commits it now: returns once the broker has confirmed it.
    ///
    /// Otherwise the same as [`mark_done`](Self::mark_done).
    ///
    /// # Errors
    /// Those of [`mark_done`](Self::mark_done), and what the broker says; kind `TimedOut` when it has not answered within
    /// the stream's time-out. The message may be committed all the same.
    pub async fn mark_done_now(&self, record: &Record) -> Result<(), Error> {
        let place = place(record)?;
        let Marked::UpTo(offset) = self.session.mark(place)? else { return Ok(()) };
        let operation = format!("committing {place}");
        let (answer, answered) = oneshot::channel();
        let partition = (place.topic.to_string(), place.partition);
        self.session.request(Request::Commit { operation: operation.clone(), partition, offset, answer });
        wait(&operation, self.session.settings.timeout, answered).await
    }
}

const ENDS: &str = "asking for the ends of the partitions";

fn place(record: &Record) -> Result<&Place, Error> {
    record.place.as_ref().ok_or_else(|| Error::new(ErrorKind::Usage, "the record was not read from a topic"))
}

/// Waits for what the worker answers, at most for this time.
async fn wait<T>(operation: &str, within: Duration, answered: oneshot::Receiver<Result<T, Error>>) -> Result<T, Error> {
    match timeout(within, own(answered)).await {
        Some(Ok(answer)) => answer,
        Some(Err(_)) => Err(ended(operation)),
        None => Err(Error::new(ErrorKind::TimedOut, format!("{operation}: no answer within {within:?}"))
            .help("check the connection to the broker, or allow more time")),
    }
}

/// Asks for the ends of the assigned partitions.
pub(super) fn lag(client: &impl Client, within: Duration) -> Result<Vec<Lag>, Error> {
    let kafka = |error| Error::kafka(ENDS, error);
    let positions = client.positions().map_err(kafka)?;
    if positions.is_empty() {
        return Ok(Vec::new());
    }
    let ends: Offsets = positions.iter().map(|(partition, _)| (partition.clone(), Offset::End)).collect();
    let ends = client.offsets(&ends, within).map_err(kafka)?;
    let lag = |((topic, partition), position): ((String, i32), Option<i64>)| {
        let end = ends.iter().find(|(of, _)| of.0 == topic && of.1 == partition);
        let end = end.and_then(|(_, end)| end.as_ref().ok().copied().flatten()).unwrap_or(0);
        Lag { topic, partition, position, end }
    };
    Ok(positions.into_iter().map(lag).collect())
}
