//! What can be done with a reader from elsewhere: another task, another thread, a signal handler.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use hop_core::{Place, Record};
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::Offset;
use tokio::sync::oneshot;

use super::assign::Assigner;
use super::inbox::Inbox;
use super::start::Start;
use crate::blocking::own;
use crate::counters::{ReadCounters, Tally};
use crate::time::{for_librdkafka, timeout};
use crate::{Error, ErrorKind};

/// A request to read on from elsewhere, for the polling thread.
#[derive(Debug)]
pub(super) struct Seek {
    pub(super) place: Place,
    pub(super) within: Duration,
    pub(super) tell: oneshot::Sender<Result<(), Error>>,
}

/// The requests that the polling thread has not seen; `None` once it reads no more.
#[derive(Debug)]
pub(super) struct Seeks(Mutex<Option<Vec<Seek>>>);

impl Default for Seeks {
    fn default() -> Self {
        Self(Mutex::new(Some(Vec::new())))
    }
}

impl Seeks {
    fn put(&self, seek: Seek) {
        if let Some(waiting) = self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            waiting.push(seek);
        }
    }

    pub(super) fn take(&self) -> Vec<Seek> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Those who wait learn that nobody answers any more.
    pub(super) fn end(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// How a message comes to count as done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Commits {
    /// There is no group to commit for.
    Never,
    /// Once the next message is asked for.
    Auto,
    /// When it, or a later one of its partition, is marked.
    Marked,
    /// When it and all before it in its partition are marked.
    MarkedEach,
}

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
    /// How many offsets lie between the two: at most so many messages are still to be received.
    pub fn messages(&self) -> Option<u64> {
        self.position.map(|position| u64::try_from(self.end - position).unwrap_or(0))
    }
}

/// The other end of a [`Subscription`](crate::Subscription): stops, pauses and moves it, marks messages as done, and says
/// how far it is. It may be cloned and used from anywhere, while someone else waits for the next message.
#[derive(Debug, Clone)]
pub struct Control {
    pub(super) consumer: Weak<BaseConsumer<Assigner>>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) seeks: Arc<Seeks>,
    pub(super) tally: Arc<Tally>,
    pub(super) commits: Commits,
    /// How long one call may wait for the broker.
    pub(super) timeout: Duration,
}

/// Runs what blocks on a thread of its own, and waits for it so long at most. A thread of the runtime would keep the whole
/// program from ending for as long as the broker does not answer.
async fn aside<T: Send + 'static>(
    operation: &str,
    within: Duration,
    run: impl FnOnce() -> Result<T, KafkaError> + Send + 'static,
) -> Result<T, Error> {
    let (tell, told) = oneshot::channel();
    super::spawn("hop-request", move || {
        // Whoever asked may have given up meanwhile.
        let _told = tell.send(run());
    })?;
    answer(operation, within, told).await?.map_err(|error| Error::kafka(operation, error))
}

/// What another thread tells, if it does so within this time.
async fn answer<T>(operation: &str, within: Duration, told: oneshot::Receiver<T>) -> Result<T, Error> {
    match timeout(within, own(told)).await {
        Some(Ok(told)) => Ok(told),
        Some(Err(_)) => Err(ended(operation)),
        None => Err(Error::new(ErrorKind::TimedOut, format!("{operation}: no answer within {within:?}"))
            .help("check the connection to the broker, or allow more time")),
    }
}

impl Control {
    /// Ends the reading: whoever waits for the next message gets `None`. What was received and not handed over is not
    /// counted as done; in a group it comes again.
    ///
    /// What is done with can still be marked, until the subscription is closed or dropped.
    pub fn stop(&self) {
        self.inbox.stop();
    }

    /// Hands nothing over, and fetches nothing, until [`resume`](Self::resume); the place in the group is kept.
    pub fn pause(&self) {
        self.inbox.pause(true);
    }

    /// Goes on after [`pause`](Self::pause).
    pub fn resume(&self) {
        self.inbox.pause(false);
    }

    /// Reads on from this offset in its partition; what was received from there and not handed over is forgotten.
    ///
    /// What is committed moves with the messages that are done with from then on.
    ///
    /// # Errors
    /// Kind `Usage` when the reader has ended; kind `Kafka` when the partition is not this reader's; `TimedOut` when it took
    /// longer than `within`.
    pub async fn seek(&self, place: &Place, within: Duration) -> Result<(), Error> {
        let (tell, told) = oneshot::channel();
        self.seeks.put(Seek { place: place.clone(), within, tell });
        answer(&format!("going to {place}"), within, told).await?
    }

    /// How many messages have been received and wait to be asked for.
    pub fn waiting(&self) -> usize {
        self.inbox.waiting()
    }

    /// What the reader has done so far.
    pub fn counters(&self) -> ReadCounters {
        self.tally.read()
    }

    /// Where reading began in each partition that this reader has, and why there.
    pub fn starts(&self) -> Vec<Start> {
        self.consumer.upgrade().map(|consumer| consumer.context().starts()).unwrap_or_default()
    }

    /// How far each partition of this reader is read, and where it ends now, asked of the broker.
    ///
    /// # Errors
    /// Kind `Usage` when the reader has ended; kind `TimedOut` or what the broker says when it does not answer `within` this
    /// time.
    pub async fn lag(&self, within: Duration) -> Result<Vec<Lag>, Error> {
        const OPERATION: &str = "asking for the ends of the partitions";
        let consumer = self.consumer.upgrade().ok_or_else(|| ended(OPERATION))?;
        aside(OPERATION, within, move || {
            let positions = consumer.position()?;
            let mut ends = TopicPartitionList::with_capacity(positions.count());
            for element in positions.elements() {
                ends.add_partition_offset(element.topic(), element.partition(), Offset::End)?;
            }
            if ends.count() == 0 {
                return Ok(Vec::new());
            }
            let ends = consumer.offsets_for_times(ends, for_librdkafka(within))?.to_topic_map();
            let lag = |element: rdkafka::topic_partition_list::TopicPartitionListElem<'_>| {
                let number = |offset: &Offset| match offset {
                    Offset::Offset(offset) => Some(*offset),
                    _ => None,
                };
                let partition = (element.topic().to_owned(), element.partition());
                let end = ends.get(&partition).and_then(number).unwrap_or(0);
                Lag { position: number(&element.offset()), end, topic: partition.0, partition: partition.1 }
            };
            Ok(positions.elements().into_iter().map(lag).collect())
        })
        .await
    }

    /// Says that this record is done with; the commit follows in the background.
    ///
    /// All before it in its partition count as done as well, unless the subscription was told that each message is
    /// [marked by itself](crate::Subscribe::mark_each): then the commit stays before the first one that is not marked.
    ///
    /// # Errors
    /// Kind `Usage` without a group; kind `Kafka` when the partition is no longer this reader's.
    pub fn mark_done(&self, record: &Record) -> Result<(), Error> {
        let place = self.place(record)?;
        let operation = || format!("marking {place} done");
        match self.safe(place).map_err(|error| Error::kafka(&operation(), error))? {
            None => Ok(()),
            Some(offset) => self.store(place, offset).map_err(|error| Error::kafka(&operation(), error)),
        }
    }

    /// The same, committed now: returns once the broker has confirmed it.
    ///
    /// # Errors
    /// As [`mark_done`](Self::mark_done), and what the broker says; kind `TimedOut` when it has not answered within the
    /// stream's time-out. The message may be committed all the same.
    pub async fn mark_done_now(&self, record: &Record) -> Result<(), Error> {
        let place = self.place(record)?.clone();
        let operation = format!("committing {place}");
        let Some(offset) = self.safe(&place).map_err(|error| Error::kafka(&operation, error))? else { return Ok(()) };
        let consumer = self.consumer.upgrade().ok_or_else(|| ended(&operation))?;
        aside(&operation, self.timeout, move || {
            let mut offsets = TopicPartitionList::new();
            offsets.add_partition_offset(&place.topic, place.partition, Offset::Offset(offset + 1))?;
            consumer.commit(&offsets, CommitMode::Sync)
        })
        .await
    }

    fn place<'a>(&self, record: &'a Record) -> Result<&'a Place, Error> {
        if self.commits == Commits::Never {
            return Err(
                Error::new(ErrorKind::Usage, "nothing can be committed without a group").help("subscribe with a group")
            );
        }
        record.place.as_ref().ok_or_else(|| Error::new(ErrorKind::Usage, "the record was not read from a topic"))
    }

    /// The offset up to which all is done once this place is; `None` when nothing is.
    fn safe(&self, place: &Place) -> Result<Option<i64>, KafkaError> {
        if self.commits != Commits::MarkedEach {
            return Ok(Some(place.offset));
        }
        let consumer = self.consumer.upgrade().ok_or(KafkaError::Canceled)?;
        // A partition that went away and came back hands its messages over again; only then can they be marked.
        consumer.context().done.finish(place).ok_or(KafkaError::StoreOffset(RDKafkaErrorCode::State))
    }

    /// Stores the offset for the next commit in the background.
    fn store(&self, place: &Place, offset: i64) -> Result<(), KafkaError> {
        match self.consumer.upgrade() {
            // Stored is the offset after it, the next one to read: librdkafka adds the one by itself.
            Some(consumer) => consumer.store_offset(&place.topic, place.partition, offset),
            None => Err(KafkaError::Canceled),
        }
    }

    /// Someone works on it from now on.
    pub(super) fn hand_over(&self, place: &Place) {
        if self.commits == Commits::MarkedEach
            && let Some(consumer) = self.consumer.upgrade()
        {
            consumer.context().done.hand_over(place);
        }
    }

    /// It is done with without anyone marking it: the next one was asked for, or nobody wanted it.
    pub(super) fn pass(&self, place: &Place) {
        let offset = match self.commits {
            Commits::Never | Commits::Marked => None,
            Commits::Auto => Some(place.offset),
            Commits::MarkedEach => self.consumer.upgrade().and_then(|consumer| consumer.context().done.skip(place)),
        };
        if let Some(offset) = offset
            && let Err(error) = self.store(place, offset)
        {
            // The partition went to another member, which reads from the last commit: the message comes twice.
            tracing::debug!(target: "hop", %place, %error, "the offset is not stored");
        }
    }
}

fn ended(operation: &str) -> Error {
    Error::new(ErrorKind::Usage, format!("{operation}: the reader has ended"))
}
