//! What the worker asks of a Kafka client, and how librdkafka does it.
//!
//! The worker knows this trait alone, so that it is tested with clients that need no broker.

use std::time::Duration;

use hop_core::{Place, Record};
use rdkafka::TopicPartitionList;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _, RebalanceProtocol};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::Offset;

use super::context::Context;
use super::native::Events;
use crate::record::Shared;
use crate::time::for_librdkafka;

/// A topic and a partition of it.
pub(super) type Partition = (String, i32);

/// Partitions with an offset each.
pub(super) type Offsets = Vec<(Partition, Offset)>;

/// What the broker answered for each partition: an offset, or `None` where it has none.
pub(super) type Answers = Vec<(Partition, Result<Option<i64>, KafkaError>)>;

type Outcome<T> = Result<T, KafkaError>;

/// A message as it was received. Its record has no place yet.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) record: Record,
    pub(super) place: Place,
}

/// What happened at the client.
#[derive(Debug)]
pub(super) enum Event {
    /// A message of an assigned partition.
    Message(Received),
    /// The end of a partition is reached; the offset is that of the next message there will be.
    End(Partition, i64),
    /// The group gives partitions.
    Assigned(Vec<Partition>),
    /// The group takes partitions away.
    Revoked(Vec<Partition>),
    /// A commit in the background ended.
    Committed(Outcome<()>),
    /// Reading met an error, in a partition where it is of one.
    Failed {
        /// Where.
        partition: Option<(Partition, i64)>,
        /// What.
        error: KafkaError,
        /// In librdkafka's words.
        reason: String,
    },
    /// A line of librdkafka's log.
    Logged(RDKafkaLogLevel, String, String),
    /// Something of no interest.
    Nothing,
}

/// A Kafka client that reads.
pub(super) trait Client: Send + Sync + 'static {
    /// Waits for the next event, at most for this time.
    fn poll(&self, shared: &mut Shared, timeout: Duration) -> Option<Event>;

    /// Has `poll` return at once.
    fn wake(&self);

    /// Joins the group.
    fn subscribe(&self, topics: &[String]) -> Outcome<()>;

    /// Whether the group's changes name only what changes.
    fn is_cooperative(&self) -> bool;

    /// Reads these partitions from these offsets: besides what is assigned, or in its place.
    fn assign(&self, starts: &Offsets, besides: bool) -> Outcome<()>;

    /// Reads these partitions no longer: the others stay, or there are none.
    fn unassign(&self, partitions: &[Partition], others_stay: bool) -> Outcome<()>;

    /// Pauses or resumes partitions; all that are assigned where none are named.
    fn pause(&self, paused: bool, partitions: Option<&[Partition]>) -> Outcome<()>;

    /// Reads on from elsewhere in an assigned partition.
    fn seek(&self, place: &Place, within: Duration) -> Outcome<()>;

    /// Notes the offsets that the next commit in the background has.
    fn store(&self, offsets: &Offsets) -> Outcome<()>;

    /// Commits, and waits for the broker's answer.
    fn commit(&self, offsets: &Offsets) -> Outcome<()>;

    /// Asks for what the group has committed.
    fn committed(&self, partitions: &[Partition], timeout: Duration) -> Outcome<Answers>;

    /// Asks for the partitions of a topic.
    fn partitions(&self, topic: &str, timeout: Duration) -> Outcome<Vec<i32>>;

    /// Asks for the offsets at the beginning, at the end, or of a time in milliseconds.
    fn offsets(&self, at: &Offsets, timeout: Duration) -> Outcome<Answers>;

    /// Returns the offset of the next message to receive in each assigned partition.
    fn positions(&self) -> Outcome<Vec<(Partition, Option<i64>)>>;

    /// Returns the first offset of an assigned partition, and the one after the last, as the last fetch had them.
    fn ends(&self, partition: &Partition) -> Option<(i64, i64)>;
}

/// librdkafka.
pub(super) struct Librdkafka {
    // It goes before the consumer that it is of.
    events: Events,
    pub(super) consumer: BaseConsumer<Context>,
}

impl Librdkafka {
    pub(super) fn new(consumer: BaseConsumer<Context>) -> Option<Self> {
        Some(Self { events: Events::of(consumer.client())?, consumer })
    }
}

fn list(offsets: &Offsets) -> Outcome<TopicPartitionList> {
    let mut list = TopicPartitionList::with_capacity(offsets.len());
    for ((topic, partition), offset) in offsets {
        list.add_partition_offset(topic, *partition, *offset)?;
    }
    Ok(list)
}

fn unplaced(partitions: &[Partition]) -> TopicPartitionList {
    let mut list = TopicPartitionList::with_capacity(partitions.len());
    for (topic, partition) in partitions {
        list.add_partition(topic, *partition);
    }
    list
}

fn answers(list: &TopicPartitionList) -> Answers {
    let answer = |offset| match offset {
        Offset::Offset(offset) => Some(offset),
        _ => None,
    };
    let elements = list.elements();
    let elements = elements.iter();
    elements
        .map(|element| {
            let partition = (element.topic().to_owned(), element.partition());
            (partition, element.error().map(|()| answer(element.offset())))
        })
        .collect()
}

impl Client for Librdkafka {
    fn poll(&self, shared: &mut Shared, timeout: Duration) -> Option<Event> {
        self.events.poll(shared, timeout)
    }

    fn wake(&self) {
        self.events.wake();
    }

    fn subscribe(&self, topics: &[String]) -> Outcome<()> {
        let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
        self.consumer.subscribe(&topics)
    }

    fn is_cooperative(&self) -> bool {
        matches!(self.consumer.rebalance_protocol(), RebalanceProtocol::Cooperative)
    }

    fn assign(&self, starts: &Offsets, besides: bool) -> Outcome<()> {
        let list = list(starts)?;
        if besides { self.consumer.incremental_assign(&list) } else { self.consumer.assign(&list) }
    }

    fn unassign(&self, partitions: &[Partition], others_stay: bool) -> Outcome<()> {
        if others_stay { self.consumer.incremental_unassign(&unplaced(partitions)) } else { self.consumer.unassign() }
    }

    fn pause(&self, paused: bool, partitions: Option<&[Partition]>) -> Outcome<()> {
        let list = partitions.map_or_else(|| self.consumer.assignment(), |partitions| Ok(unplaced(partitions)))?;
        if paused { self.consumer.pause(&list) } else { self.consumer.resume(&list) }
    }

    fn seek(&self, place: &Place, within: Duration) -> Outcome<()> {
        self.consumer.seek(&place.topic, place.partition, Offset::Offset(place.offset), for_librdkafka(within))
    }

    fn store(&self, offsets: &Offsets) -> Outcome<()> {
        self.consumer.store_offsets(&list(offsets)?)
    }

    fn commit(&self, offsets: &Offsets) -> Outcome<()> {
        self.consumer.commit(&list(offsets)?, CommitMode::Sync)
    }

    fn committed(&self, partitions: &[Partition], timeout: Duration) -> Outcome<Answers> {
        Ok(answers(&self.consumer.committed_offsets(unplaced(partitions), timeout)?))
    }

    fn partitions(&self, topic: &str, timeout: Duration) -> Outcome<Vec<i32>> {
        let metadata = self.consumer.fetch_metadata(Some(topic), timeout)?;
        let found = metadata.topics().iter().find(|found| found.name() == topic);
        let found = found.ok_or(KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownTopicOrPartition))?;
        match found.error() {
            Some(code) => Err(KafkaError::MetadataFetch(RDKafkaErrorCode::from(code))),
            None => Ok(found.partitions().iter().map(|partition| partition.id()).collect()),
        }
    }

    fn offsets(&self, at: &Offsets, timeout: Duration) -> Outcome<Answers> {
        Ok(answers(&self.consumer.offsets_for_times(list(at)?, for_librdkafka(timeout))?))
    }

    fn positions(&self) -> Outcome<Vec<(Partition, Option<i64>)>> {
        let positions = self.consumer.position()?;
        Ok(answers(&positions).into_iter().map(|(partition, position)| (partition, position.ok().flatten())).collect())
    }

    fn ends(&self, (topic, partition): &Partition) -> Option<(i64, i64)> {
        self.events.ends(topic, *partition)
    }
}
