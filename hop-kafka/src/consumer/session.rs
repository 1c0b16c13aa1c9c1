//! What the worker, the reader and its controls share: one subscription, in one place.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use hop_core::Place;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::Offset;
use tokio::sync::oneshot;

use super::assignment::Assignment;
use super::client::{Offsets, Partition};
use super::control::Lag;
use super::decode::Item;
use super::nightly::Topics;
use super::offsets::StartPosition;
use super::options::Commit;
use super::progress::{Marked, Tenure};
use super::queue::{Bound, Queue};
use crate::complaint::Complaint;
use crate::counters::Tally;
use crate::error::{Loss, Lost};
use crate::{Error, ErrorKind};
use std::sync::Arc;

/// Messages of one partition, in order, each with its offset.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) tenure: Arc<Tenure>,
    pub(super) items: Vec<(i64, Item)>,
}

/// What comes to the reader.
#[derive(Debug)]
pub(super) enum Arrival {
    /// Messages.
    Batch(Batch),
    /// Reading met an error.
    Failed(Error),
}

/// What a control asks of the worker.
#[derive(Debug)]
pub(super) enum Request {
    /// To read on from elsewhere.
    Seek { place: Place, within: Duration, answer: oneshot::Sender<Result<(), Error>> },
    /// To commit, and wait for the broker.
    Commit { operation: String, partition: Partition, offset: i64, answer: oneshot::Sender<Result<(), Error>> },
    /// To ask for the ends of the partitions.
    Lag { within: Duration, answer: oneshot::Sender<Result<Vec<Lag>, Error>> },
}

/// The settings of a subscription that stay as they are.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) topics: Topics,
    pub(super) start_at: StartPosition,
    pub(super) until_eos: bool,
    /// The time whose first message is where each partition ends.
    pub(super) until: Option<SystemTime>,
    /// How messages are done; `None` without a group.
    pub(super) commit: Option<Commit>,
    /// How often new partitions are looked for, if at all, without a group; in one, librdkafka does.
    pub(super) discovery: Option<Duration>,
    /// How long the first contact with the broker may take, and any single request.
    pub(super) timeout: Duration,
    /// Whether the loss of messages is an item of the stream.
    pub(super) report_loss: bool,
    /// Whether a batch that cannot be unpacked is passed.
    pub(super) pass_unreadable: bool,
    /// The most messages in one batch.
    pub(super) batch: usize,
}

impl Settings {
    pub(super) fn is_in_group(&self) -> bool {
        self.commit.is_some()
    }
}

/// The reader hands nothing over until further notice.
const PAUSED: u8 = 1;
/// The reader hands nothing over any more.
const STOPPED: u8 = 2;

/// One subscription.
pub(super) struct Session {
    pub(super) settings: Settings,
    pub(super) queue: Queue<Arrival>,
    pub(super) assignment: Assignment,
    /// The topics that are read now: those of other nights come and go.
    topics: Mutex<Vec<String>>,
    pub(super) counters: Tally,
    pub(super) complaint: Complaint,
    /// `PAUSED` and `STOPPED`.
    gate: AtomicU8,
    /// The subscription is closed or dropped.
    closed: AtomicBool,
    /// What the worker has not seen yet; `None` once it serves nothing any more.
    requests: Mutex<Option<Vec<Request>>>,
    /// Whether there is something in `requests`.
    requested: AtomicBool,
    /// Interrupts the wait of the worker.
    waker: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Session {
    pub(super) fn new(settings: Settings, bound: Bound, complaint: Complaint) -> Self {
        Self {
            settings,
            queue: Queue::new(bound),
            assignment: Assignment::default(),
            topics: Mutex::default(),
            counters: Tally::default(),
            complaint,
            gate: AtomicU8::new(0),
            closed: AtomicBool::new(false),
            requests: Mutex::new(Some(Vec::new())),
            requested: AtomicBool::new(false),
            waker: OnceLock::new(),
        }
    }

    /// Returns the topics that are read now.
    pub(super) fn topics(&self) -> Vec<String> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_topics(&self, topics: Vec<String>) {
        *self.topics.lock().unwrap_or_else(PoisonError::into_inner) = topics;
    }

    /// Sets what interrupts the wait of the worker. Only the first call counts.
    pub(super) fn set_waker(&self, wake: impl Fn() + Send + Sync + 'static) {
        let _first = self.waker.set(Box::new(wake));
    }

    fn wake_worker(&self) {
        if let Some(wake) = self.waker.get() {
            wake();
        }
        self.queue.wake_all();
    }

    pub(super) fn is_paused(&self) -> bool {
        self.gate.load(Ordering::Acquire) & PAUSED != 0
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.gate.load(Ordering::Acquire) & STOPPED != 0 || self.is_closed()
    }

    /// Whether messages may be handed over.
    pub(super) fn is_open(&self) -> bool {
        self.gate.load(Ordering::Acquire) == 0
    }

    /// Hands nothing over, or goes on.
    pub(super) fn pause(&self, paused: bool) {
        match paused {
            true => self.gate.fetch_or(PAUSED, Ordering::AcqRel),
            false => self.gate.fetch_and(!PAUSED, Ordering::AcqRel),
        };
        self.wake_worker();
    }

    /// Hands nothing over any more. Safe in a signal handler: it sets a flag, and nothing else.
    pub(super) fn stop(&self) {
        self.gate.fetch_or(STOPPED, Ordering::AcqRel);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Ends the worker.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.wake_worker();
    }

    /// Puts a request before the worker; it is dropped, and with it its answer, once the worker serves nothing any more.
    pub(super) fn request(&self, request: Request) {
        if let Some(waiting) = self.requests.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            waiting.push(request);
            self.requested.store(true, Ordering::Release);
        }
        self.wake_worker();
    }

    /// Takes the requests that the worker has not seen.
    pub(super) fn take_requests(&self) -> Vec<Request> {
        if !self.requested.swap(false, Ordering::AcqRel) {
            return Vec::new();
        }
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Serves no more requests: whoever waits for an answer gets an error.
    pub(super) fn end_requests(&self) {
        *self.requests.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Returns true for a group-authorization error on a reader without a group. librdkafka looks up a coordinator for the
    /// placeholder group name anyway, and many users may read topics but not join groups.
    pub(super) fn is_of_no_group(&self, error: &KafkaError) -> bool {
        !self.settings.is_in_group() && error.rdkafka_error_code() == Some(RDKafkaErrorCode::GroupAuthorizationFailed)
    }

    /// Counts an error of the client, and keeps what librdkafka said of it.
    pub(super) fn note_error(&self, error: &KafkaError, reason: &str) {
        let is_end = matches!(error.rdkafka_error_code(), Some(RDKafkaErrorCode::PartitionEOF));
        if !is_end && !self.is_of_no_group(error) {
            self.counters.error();
            #[cfg(feature = "metrics")]
            crate::metrics::read_error(Error::kind_of(error));
            self.complaint.hear(error, reason);
        }
    }

    /// Returns an error in the words of librdkafka, where these are of the same layer; they say more than its code.
    pub(super) fn error(&self, operation: &str, error: KafkaError) -> Error {
        let error = Error::kafka(operation, error);
        self.complaint.error(operation).filter(|said| said.kind() == error.kind()).unwrap_or(error)
    }

    /// Hands an error over to the reader.
    pub(super) fn fail(&self, error: Error) {
        self.queue.put([(Arrival::Failed(error), super::queue::Size::default())]);
    }

    /// Messages are not read.
    pub(super) fn note_lost(&self, (topic, partition): &Partition, from: i64, to: i64, why: Loss) {
        self.counters.lost(u64::try_from(to - from).unwrap_or(0));
        let lost = Lost { topic: topic.clone(), partition: *partition, from, to, why };
        let error = Error::lost_messages(lost);
        tracing::warn!(target: "hop", topic, partition, from, to, "{error}");
        if self.settings.report_loss {
            self.fail(error);
        }
    }

    /// Messages of this partition are forgotten: whichever reader has it now reads them again.
    pub(super) fn forget_ended(&self) {
        self.queue.discard(|arrival| matches!(arrival, Arrival::Batch(batch) if batch.tenure.is_over()));
    }

    /// Someone works on a message from now on.
    pub(super) fn hand_over(&self, tenure: &Tenure, offset: i64) {
        if self.settings.commit == Some(Commit::Each) {
            tenure.hand_over(offset);
        }
    }

    /// A message is done without a mark: the next one was asked for, or nobody wanted it.
    pub(super) fn pass(&self, tenure: &Tenure, offset: i64) {
        match self.settings.commit {
            Some(Commit::Auto) => {
                tenure.done(offset);
            }
            Some(Commit::Each) => tenure.skip(offset),
            Some(Commit::Marked) | None => {}
        }
    }

    /// Marks a message as done. Returns how far its partition can be committed now.
    pub(super) fn mark(&self, place: &Place) -> Result<Marked, Error> {
        let Some(commit) = self.settings.commit else {
            return Err(
                Error::new(ErrorKind::Usage, "nothing can be committed without a group").help("subscribe with a group")
            );
        };
        if self.is_closed() {
            return Err(ended(&format!("marking {place} done")));
        }
        let tenure = self.assignment.tenure(&place.topic, place.partition).ok_or_else(|| not_ours(place))?;
        Ok(match commit {
            Commit::Auto | Commit::Marked => Marked::UpTo(tenure.done(place.offset)),
            // A partition that went away and came back hands its messages over again; only then can they be marked.
            Commit::Each => tenure.mark(place.offset).ok_or_else(|| not_ours(place))?,
        })
    }

    /// Returns the offsets that moved since the last call, for the next commit in the background.
    pub(super) fn to_store(&self) -> Offsets {
        if self.settings.commit.is_none() {
            return Offsets::new();
        }
        let tenures = self.assignment.tenures();
        let moved = tenures.iter().filter_map(|tenure| {
            let partition = (tenure.topic.to_string(), tenure.partition);
            tenure.to_store().map(|offset| (partition, Offset::Offset(offset)))
        });
        moved.collect()
    }
}

fn not_ours(place: &Place) -> Error {
    Error::new(
        ErrorKind::Kafka,
        format!("marking {place} done: the message was not handed over since this reader got the partition"),
    )
    .help("another member of the group has the partition, or hands the message over again")
}

pub(super) fn ended(operation: &str) -> Error {
    Error::new(ErrorKind::Usage, format!("{operation}: the reader has ended"))
}
