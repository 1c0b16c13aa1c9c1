//! Which partitions a reader has, and how the group gives them and takes them away.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use rdkafka::TopicPartitionList;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionListElem};
use rdkafka::types::RDKafkaRespErr;

use super::done::{Done, Partition, partition_of};
use super::inbox::Inbox;
use super::start::{Ends, Patience, Start, StartPosition, StartReason, partitions_of, snapshot};
use crate::Error;
use crate::complaint::Complaint;
use crate::counters::Tally;

/// How long the committed offsets may take to come when partitions are assigned.
const COMMITTED_TIMEOUT: Duration = Duration::from_secs(10);
/// How long one look for new partitions may take, without a group.
const DISCOVERY_TIMEOUT: Duration = Duration::from_secs(1);

/// Librdkafka's context of a reader: it hears complaints, and decides where each assigned partition starts.
#[derive(Debug)]
pub(super) struct Assigner {
    start_at: StartPosition,
    in_group: bool,
    pub(super) complaint: Complaint,
    inbox: Arc<Inbox>,
    tally: Arc<Tally>,
    pub(super) done: Done,
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
    /// Whether any partition was ever assigned.
    begun: bool,
    /// Each partition with where it starts.
    pub(super) partitions: HashMap<Partition, (Option<i64>, StartReason)>,
}

impl Assigner {
    pub(super) fn new(
        start_at: StartPosition,
        in_group: bool,
        complaint: Complaint,
        inbox: Arc<Inbox>,
        tally: Arc<Tally>,
    ) -> Self {
        Self {
            start_at,
            in_group,
            complaint,
            inbox,
            tally,
            done: Done::default(),
            ends: OnceLock::new(),
            assignment: Mutex::default(),
        }
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

    /// An error in the words in which it was heard, where they are of the same layer; they say more than its code.
    pub(super) fn told(&self, operation: &str, error: KafkaError) -> Error {
        let error = Error::kafka(operation, error);
        self.complaint.error(operation).filter(|heard| heard.kind() == error.kind()).unwrap_or(error)
    }

    /// Whether it is about the group of a reader that has none: librdkafka asks for the coordinator of the random name all
    /// the same, and many may read topics who may not have groups.
    pub(super) fn is_none_of_ours(&self, error: &KafkaError) -> bool {
        !self.in_group && error.rdkafka_error_code() == Some(RDKafkaErrorCode::GroupAuthorizationFailed)
    }

    /// Where each assigned partition began, by topic and partition.
    pub(super) fn starts(&self) -> Vec<Start> {
        let now = self.lock();
        let start = |(partition, (offset, why)): (&Partition, &(Option<i64>, StartReason))| Start {
            topic: partition.0.clone(),
            partition: partition.1,
            offset: *offset,
            why: *why,
        };
        let mut starts: Vec<Start> = now.partitions.iter().map(start).collect();
        starts.sort_by(|a, b| (&a.topic, a.partition).cmp(&(&b.topic, b.partition)));
        starts
    }

    /// Asks for the ends of the topics' partitions, and keeps them.
    pub(super) fn connect(
        &self,
        consumer: &BaseConsumer<Self>,
        topics: &[String],
        timeout: Duration,
        stopped: &dyn Fn() -> bool,
    ) -> Result<(), Error> {
        let patience = Patience::new(&self.complaint, timeout, stopped).listening_to(consumer);
        let ends = snapshot(consumer, topics, &self.start_at, &patience)?;
        // It is set once, here.
        let _already = self.ends.set(ends);
        Ok(())
    }

    /// Takes every partition of the snapshot, without a group.
    pub(super) fn assign_all(&self, consumer: &BaseConsumer<Self>) -> Result<(), Error> {
        let starts = self.ends.get().into_iter().flatten();
        let starts = starts.map(|(partition, ends)| (partition.clone(), (Some(ends.start), ends.why))).collect();
        let list = offsets(&starts).map_err(|error| Error::kafka("assigning partitions", error))?;
        consumer.assign(&list).map_err(|error| Error::kafka("assigning partitions", error))?;
        self.note(starts);
        Ok(())
    }

    /// Takes the partitions that the topics got meanwhile, without a group; from their beginning, as all in them is new.
    pub(super) fn assign_new(&self, consumer: &BaseConsumer<Self>, topics: &[String], stopped: &dyn Fn() -> bool) {
        let patience = Patience::new(&self.complaint, DISCOVERY_TIMEOUT, stopped);
        let mut fresh = HashMap::new();
        for topic in topics {
            match partitions_of(consumer, topic, &patience) {
                Err(error) => tracing::debug!(target: "hop", %error, "new partitions could not be looked for"),
                Ok(ids) => {
                    let now = self.lock();
                    let new = ids.into_iter().map(|id| (topic.clone(), id));
                    let new = new.filter(|partition| !now.partitions.contains_key(partition));
                    fresh.extend(new.map(|partition| (partition, (None, StartReason::New))));
                }
            }
        }
        if fresh.is_empty() {
            return;
        }
        match offsets(&fresh).and_then(|list| consumer.incremental_assign(&list)) {
            Ok(()) => self.note(fresh),
            Err(error) => tracing::error!(target: "hop", %error, "new partitions could not be taken"),
        }
    }

    /// Keeps what was assigned, and says so.
    fn note(&self, starts: HashMap<Partition, (Option<i64>, StartReason)>) {
        for ((topic, partition), (offset, why)) in &starts {
            tracing::info!(target: "hop", topic, partition, offset, ?why, "partition assigned");
        }
        let mut now = self.lock();
        now.generation += 1;
        now.settled = true;
        now.begun |= !starts.is_empty();
        now.partitions.extend(starts);
    }

    fn note_revoked(&self, list: &TopicPartitionList) {
        let mut now = self.lock();
        now.generation += 1;
        now.settled = false;
        for element in list.elements() {
            let partition = (element.topic().to_owned(), element.partition());
            tracing::info!(target: "hop", topic = partition.0, partition = partition.1, "partition taken away");
            now.partitions.remove(&partition);
            self.done.forget(&partition);
        }
    }

    /// A partition is read from elsewhere: what is on its way to the reader counts no longer.
    pub(super) fn moved(&self, partition: &Partition, offset: i64) {
        self.done.forget(partition);
        self.inbox.forget(|place| partition_of(place) == *partition);
        if let Some(start) = self.lock().partitions.get_mut(partition) {
            *start = (Some(offset), StartReason::Seek);
        }
    }

    /// Where each partition that the group gives is to start.
    fn starts_of(
        &self,
        consumer: &BaseConsumer<Self>,
        list: &TopicPartitionList,
    ) -> HashMap<Partition, (Option<i64>, StartReason)> {
        let insists = self.start_at.insists() && !self.lock().begun;
        let committed = consumer.committed_offsets(list.clone(), COMMITTED_TIMEOUT);
        if let Err(error) = &committed {
            tracing::warn!(target: "hop", %error, "the committed offsets did not come in time");
        }
        let known = committed.is_ok();
        let start = |element: &TopicPartitionListElem<'_>| {
            let partition = (element.topic().to_owned(), element.partition());
            let ends = self.ends(&partition);
            let start = match (element.offset(), ends) {
                (_, Some(ends)) if insists => (Some(ends.start), ends.why),
                _ if !known || element.error().is_err() => (None, StartReason::Unknown),
                (Offset::Offset(committed), Some(ends)) if committed < ends.low => (Some(ends.low), StartReason::Reset),
                (Offset::Offset(committed), _) => (Some(committed), StartReason::Committed),
                (_, Some(ends)) => (Some(ends.start), ends.why),
                (_, None) => (None, StartReason::New),
            };
            (partition, start)
        };
        let committed = committed.as_ref().unwrap_or(list);
        committed.elements().iter().map(start).collect()
    }

    /// Commits where a group starts for the first time. Were it left open, the group's next reader would start at the
    /// end as that one finds it, and skip what this one did not get done.
    fn commit_starts(consumer: &BaseConsumer<Self>, starts: &HashMap<Partition, (Option<i64>, StartReason)>) {
        let asked = |why| !matches!(why, StartReason::Committed | StartReason::Reset);
        let fresh: HashMap<_, _> = starts
            .iter()
            .filter(|(_, (offset, why))| offset.is_some() && asked(*why))
            .map(|(partition, start)| (partition.clone(), *start))
            .collect();
        if fresh.is_empty() {
            return;
        }
        if let Err(error) = offsets(&fresh).and_then(|list| consumer.commit(&list, CommitMode::Sync)) {
            tracing::warn!(target: "hop", %error, "where the group starts could not be committed");
        }
    }
}

/// The list of these partitions at their starts.
fn offsets(starts: &HashMap<Partition, (Option<i64>, StartReason)>) -> Result<TopicPartitionList, KafkaError> {
    let mut list = TopicPartitionList::with_capacity(starts.len());
    for ((topic, partition), (offset, why)) in starts {
        let offset = match (offset, why) {
            (Some(offset), _) => Offset::Offset(*offset),
            // Left open, librdkafka asks for the committed offset by itself, and starts at the oldest where there is none.
            (None, StartReason::Unknown) => Offset::Invalid,
            (None, _) => Offset::Beginning,
        };
        list.add_partition_offset(topic, *partition, offset)?;
    }
    Ok(list)
}

impl ClientContext for Assigner {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.complaint.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        // The end of a partition is told on this way too.
        if !matches!(error.rdkafka_error_code(), Some(RDKafkaErrorCode::PartitionEOF)) && !self.is_none_of_ours(&error)
        {
            self.tally.error();
            self.complaint.hear(&error, reason);
        }
    }
}

impl ConsumerContext for Assigner {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, what: RDKafkaRespErr, list: &mut TopicPartitionList) {
        self.tally.rebalance();
        let cooperative = matches!(consumer.rebalance_protocol(), RebalanceProtocol::Cooperative);
        let done = if what == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            let starts = self.starts_of(consumer, list);
            offsets(&starts).and_then(|list| {
                let done = if cooperative { consumer.incremental_assign(&list) } else { consumer.assign(&list) };
                Self::commit_starts(consumer, &starts);
                self.note(starts);
                // A partition that went away while it was paused for a slow reader comes back paused.
                done.and_then(|()| consumer.resume(&list))
            })
        } else {
            self.note_revoked(list);
            // They are not handed over yet, and not committed: the partition's next reader gets them.
            let still_ours = self.assignment().partitions;
            self.inbox.forget(|place| !still_ours.contains_key(&partition_of(place)));
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
