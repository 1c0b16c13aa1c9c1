//! Which partitions a reader has, and where it starts in each.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::TopicPartitionList;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::Offset;
use rdkafka::types::RDKafkaRespErr;

use super::inbox::Inbox;
use crate::config::{Complaint, log};
use crate::error::is_transient;
use crate::{Error, ErrorKind, StartPosition};

/// How long the committed offsets may take to come when partitions are assigned.
const COMMITTED_TIMEOUT: Duration = Duration::from_secs(10);

/// A topic and a partition.
pub(super) type Partition = (String, i32);

/// The first offset that is there, and the one after the last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    pub(super) low: i64,
    pub(super) high: i64,
}

/// Librdkafka's context of a reader: it hears complaints, and decides where each assigned partition starts.
#[derive(Debug)]
pub(super) struct Assigner {
    start_at: StartPosition,
    complaint: Complaint,
    inbox: Arc<Inbox>,
    /// The ends as they stood when the reader started.
    ends: OnceLock<HashMap<Partition, Ends>>,
    assignment: Mutex<Assignment>,
}

/// What is assigned now.
#[derive(Debug, Default, Clone)]
pub(super) struct Assignment {
    /// Counts the changes; zero before the first.
    pub(super) generation: u64,
    /// Whether the last change gave partitions, if only none; false between a revocation and what follows it.
    pub(super) settled: bool,
    /// Each partition with the offset it starts at, where that is known.
    pub(super) partitions: HashMap<Partition, Option<i64>>,
}

impl Assigner {
    pub(super) fn new(start_at: StartPosition, inbox: Arc<Inbox>) -> Self {
        Self { start_at, complaint: Complaint::default(), inbox, ends: OnceLock::new(), assignment: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Assignment> {
        self.assignment.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn assignment(&self) -> Assignment {
        self.lock().clone()
    }

    pub(super) fn generation(&self) -> u64 {
        self.lock().generation
    }

    pub(super) fn ends(&self, partition: &Partition) -> Option<Ends> {
        self.ends.get()?.get(partition).copied()
    }

    /// Where a partition starts for which nothing is committed.
    fn start(&self, partition: &Partition) -> Offset {
        match (self.ends(partition), self.start_at) {
            (Some(ends), StartPosition::Earliest) => Offset::Offset(ends.low),
            (Some(ends), StartPosition::Latest) => Offset::Offset(ends.high),
            // It was not there when the reader started: all of it is new.
            (None, _) => Offset::Beginning,
        }
    }

    /// Takes every partition of the snapshot, without a group.
    pub(super) fn assign_all(&self, consumer: &BaseConsumer<Self>) -> Result<(), Error> {
        let mut list = TopicPartitionList::new();
        for partition in self.ends.get().into_iter().flat_map(HashMap::keys) {
            list.add_partition_offset(&partition.0, partition.1, self.start(partition))
                .map_err(|error| Error::kafka("assigning partitions", error))?;
        }
        consumer.assign(&list).map_err(|error| Error::kafka("assigning partitions", error))?;
        self.note(&list, true);
        Ok(())
    }

    /// Asks for the partitions of each topic and for their ends, and keeps them.
    pub(super) fn snapshot(
        &self,
        consumer: &BaseConsumer<Self>,
        topics: &[String],
        timeout: Duration,
        stopped: impl Fn() -> bool,
    ) -> Result<(), Error> {
        let mut patience = Patience { complaint: &self.complaint, deadline: Instant::now() + timeout, timeout };
        let mut ends = HashMap::new();
        for topic in topics {
            let operation = format!("asking for the topic `{topic}`");
            let partitions = loop {
                if stopped() {
                    return Err(Error::new(ErrorKind::Usage, "the reader was closed while it connected"));
                }
                let asked = consumer.fetch_metadata(Some(topic), patience.slice());
                // Serves librdkafka's complaints; nothing is assigned yet, so no message comes.
                let _nothing = consumer.poll(Duration::ZERO);
                match asked {
                    Err(error) => patience.bear(&operation, error)?,
                    Ok(metadata) => {
                        let found = metadata.topics().iter().find(|found| found.name() == topic);
                        let found =
                            found.ok_or_else(|| Error::new(ErrorKind::Kafka, format!("{operation}: no answer")))?;
                        match found.error() {
                            Some(code) => {
                                patience.bear(&operation, KafkaError::MetadataFetch(RDKafkaErrorCode::from(code)))?;
                                std::thread::sleep(Duration::from_millis(100));
                            }
                            None => {
                                break found.partitions().iter().map(|partition| partition.id()).collect::<Vec<_>>();
                            }
                        }
                    }
                }
            };
            for partition in partitions {
                let operation = format!("asking for the ends of {topic}[{partition}]");
                let (low, high) = loop {
                    match consumer.fetch_watermarks(topic, partition, patience.slice()) {
                        Ok(found) => break found,
                        Err(error) => patience.bear(&operation, error)?,
                    }
                };
                ends.insert((topic.clone(), partition), Ends { low, high });
            }
        }
        // It is set once, here.
        let _already = self.ends.set(ends);
        Ok(())
    }

    fn note(&self, list: &TopicPartitionList, assigned: bool) {
        let mut now = self.lock();
        now.generation += 1;
        now.settled = assigned;
        for element in list.elements() {
            let partition = (element.topic().to_owned(), element.partition());
            if assigned {
                let start = match element.offset() {
                    Offset::Offset(offset) => Some(offset),
                    _ => None,
                };
                now.partitions.insert(partition, start);
            } else {
                now.partitions.remove(&partition);
            }
        }
    }

    /// The list with an offset for each partition: the committed one, else where the reader is to start.
    ///
    /// Beside it stand the partitions for which nothing was committed, and their starts.
    fn with_starts(
        &self,
        consumer: &BaseConsumer<Self>,
        list: &TopicPartitionList,
    ) -> (TopicPartitionList, Vec<(Partition, Offset)>) {
        let mut fresh = Vec::new();
        let committed = match consumer.committed_offsets(list.clone(), COMMITTED_TIMEOUT) {
            Ok(committed) => committed,
            Err(error) => {
                // Left without offsets, librdkafka asks again by itself, and starts at the oldest where there is none.
                tracing::warn!(target: "hop", %error, "the committed offsets did not come in time");
                return (list.clone(), fresh);
            }
        };
        let mut out = TopicPartitionList::new();
        for element in committed.elements() {
            let partition = (element.topic().to_owned(), element.partition());
            let start = match (element.error(), element.offset()) {
                // Not known whether there is one: librdkafka asks again, as above.
                (Err(_), _) => Offset::Invalid,
                (Ok(()), found @ Offset::Offset(_)) => found,
                (Ok(()), _) => {
                    let start = self.start(&partition);
                    fresh.push((partition.clone(), start));
                    start
                }
            };
            tracing::info!(target: "hop", topic = %partition.0, partition = partition.1, ?start, "partition assigned");
            if let Err(error) = out.add_partition_offset(&partition.0, partition.1, start) {
                tracing::error!(target: "hop", %error, "the start of a partition is not possible");
            }
        }
        (out, fresh)
    }

    /// Commits where a group starts for the first time. Were it left open, the group's next reader would start at the
    /// end as that one finds it, and skip what this one did not get done.
    fn commit_starts(consumer: &BaseConsumer<Self>, fresh: &[(Partition, Offset)]) {
        if fresh.is_empty() {
            return;
        }
        let mut list = TopicPartitionList::new();
        let listed = fresh.iter().try_for_each(|((topic, partition), start)| {
            // Only a number can be committed; the beginning is where the next reader starts anyway.
            match start {
                Offset::Offset(_) => list.add_partition_offset(topic, *partition, *start),
                _ => Ok(()),
            }
        });
        if let Err(error) = listed.and_then(|()| consumer.commit(&list, CommitMode::Sync)) {
            tracing::warn!(target: "hop", %error, "where the group starts could not be committed");
        }
    }
}

impl ClientContext for Assigner {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.complaint.hear(&error, reason);
    }
}

impl ConsumerContext for Assigner {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, what: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let cooperative = matches!(consumer.rebalance_protocol(), RebalanceProtocol::Cooperative);
        let done = if what == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            let (list, fresh) = self.with_starts(consumer, list);
            let done = if cooperative { consumer.incremental_assign(&list) } else { consumer.assign(&list) };
            self.note(&list, true);
            Self::commit_starts(consumer, &fresh);
            // A partition that went away while it was paused for a slow reader comes back paused.
            done.and_then(|()| consumer.resume(&list))
        } else {
            self.note(list, false);
            // They are not handed over yet, and not committed: the partition's next reader gets them.
            let still_ours = self.assignment().partitions;
            self.inbox.forget(|record| {
                let place = record.place.as_ref();
                place.is_some_and(|place| !still_ours.contains_key(&(place.topic.to_string(), place.partition)))
            });
            if cooperative { consumer.incremental_unassign(list) } else { consumer.unassign() }
        };
        if let Err(error) = done {
            tracing::error!(target: "hop", %error, "the group's assignment could not be taken over");
        }
    }

    fn commit_callback(&self, result: Result<(), KafkaError>, _offsets: &TopicPartitionList) {
        match result {
            Ok(()) | Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset)) => {}
            Err(error) => tracing::warn!(target: "hop", %error, "a commit failed; it is tried again with the next one"),
        }
    }
}

/// Trying again until the time is over, or it is clear that it will not help.
struct Patience<'a> {
    complaint: &'a Complaint,
    deadline: Instant,
    timeout: Duration,
}

impl Patience<'_> {
    /// How long to wait for one answer.
    fn slice(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now()).clamp(Duration::from_millis(10), Duration::from_secs(1))
    }

    /// Returns to try again; or the error to end with.
    fn bear(&mut self, operation: &str, error: KafkaError) -> Result<(), Error> {
        if let Some(hopeless) = self.complaint.hopeless(operation) {
            return Err(hopeless);
        }
        let worth_trying = error.rdkafka_error_code().is_some_and(is_transient);
        if !worth_trying {
            return Err(Error::kafka(operation, error));
        }
        if Instant::now() < self.deadline {
            return Ok(());
        }
        Err(self.complaint.error(operation).unwrap_or_else(|| {
            Error::new(ErrorKind::TimedOut, format!("{operation}: no answer within {:?}", self.timeout))
                .help("check the broker's host and port, and the connection to it")
        }))
    }
}
