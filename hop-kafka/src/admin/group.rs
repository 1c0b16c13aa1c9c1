use std::collections::HashMap;
use std::time::UNIX_EPOCH;

use rdkafka::TopicPartitionList;
use rdkafka::consumer::{CommitMode, Consumer as _};
use rdkafka::error::RDKafkaErrorCode as Code;
use rdkafka::topic_partition_list::Offset;

use super::rights::Right;
use super::{Client, describe, on_thread};
use crate::{Broker, Error, ErrorKind, StartPosition, Stream, Topic, Url};

const LOOKING: &str = "asking how far the group is";
const MOVING: &str = "moving the group";

/// A topic and a partition of it.
type Partition = (String, i32);

/// A consumer group, seen from outside: how far it is, who is in it, and where it is to go on.
///
/// ```no_run
/// # async fn demo(hop: hop_kafka::Stream) -> Result<(), hop_kafka::Error> {
/// use std::time::{Duration, SystemTime};
/// use hop_kafka::StartPosition;
///
/// let group = hop.group("kafka://kafka.scimma.org/gcn.circular", "ada-night-watch");
/// for partition in group.progress().await? {
///     println!("{}[{}]: {} to read", partition.topic, partition.partition, partition.lag());
/// }
/// // To read the last two hours again: where it would go, and then there.
/// let moves = group.plan(&StartPosition::Time(SystemTime::now() - Duration::from_secs(7200))).await?;
/// group.commit(&moves).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Group {
    stream: Stream,
    url: String,
    name: String,
}

/// How far a group is in one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupProgress {
    /// The topic.
    pub topic: String,
    /// The partition, from zero.
    pub partition: i32,
    /// The offset that the group goes on with; `None` where it has committed nothing.
    pub committed: Option<i64>,
    /// The offset of the oldest message that is there.
    pub first: i64,
    /// The offset after the newest message.
    pub end: i64,
}

impl GroupProgress {
    /// Returns how many offsets are still to be read: at most so many messages. Where nothing is committed, all that are there.
    pub fn lag(&self) -> u64 {
        let from = self.committed.unwrap_or(self.first).max(self.first);
        u64::try_from(self.end - from).unwrap_or(0)
    }

    /// Returns how many offsets were not read before their messages were deleted.
    pub fn lost(&self) -> u64 {
        self.committed.map_or(0, |committed| u64::try_from(self.first - committed).unwrap_or(0))
    }
}

/// Where a group is to go on in one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupMove {
    /// The topic.
    pub topic: String,
    /// The partition, from zero.
    pub partition: i32,
    /// What the group has committed; `None` where it has nothing.
    pub from: Option<i64>,
    /// The offset to go on with.
    pub to: i64,
}

/// What a broker says of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupDescription {
    /// Its state in Kafka's words, such as `Stable` with members, `Empty` without, `Dead` where the broker does not know it.
    pub state: String,
    /// How many members it has.
    pub members: usize,
    /// What the credential may do with it; `None` where the broker does not tell.
    pub rights: Option<Vec<Right>>,
}

impl Stream {
    /// Returns the group called `name` on the broker of `url`, in the topics that the URL names, or in all where it names none.
    /// Nothing is asked yet.
    pub fn group(&self, url: impl Into<String>, name: impl Into<String>) -> Group {
        Group { stream: self.clone(), url: url.into(), name: name.into() }
    }
}

impl Group {
    /// Returns how far the group is in each partition of the URL's topics; in those that it has committed in, where the URL
    /// names none. Sorted by topic and partition.
    ///
    /// # Errors
    /// Those of [`Stream::list_topics`]; kind `UnknownTopic` for a topic that is not there, `Authorization` for a group or a
    /// topic that the credential may not see, and what the broker says.
    pub async fn progress(&self) -> Result<Vec<GroupProgress>, Error> {
        let (url, topics) = self.topics().await?;
        let (group, all) = (self.clone(), url.topics().is_empty());
        let within = self.stream.shared.connect_timeout;
        on_thread(LOOKING, within.saturating_mul(4), move || {
            let client = Client::new(&group.stream, &url, Some(&group.name))?;
            progress(&client, &topics, all)
        })
        .await
    }

    /// Returns what the broker says of the group.
    ///
    /// # Errors
    /// Those of [`Stream::list_topics`], kind `Authorization` for a group that the credential may not see, and what the broker
    /// says. [`EmbeddedBroker`](crate::EmbeddedBroker) does not answer this.
    pub async fn describe(&self) -> Result<GroupDescription, Error> {
        let (url, _topics) = self.topics().await?;
        let group = self.clone();
        let within = self.stream.shared.connect_timeout;
        on_thread("asking for the group", within.saturating_mul(2), move || {
            let client = Client::new(&group.stream, &url, Some(&group.name))?;
            let described = describe::group(&client, &group.name)?;
            Ok(GroupDescription {
                state: described.state.unwrap_or_default(),
                members: described.members,
                rights: described.rights,
            })
        })
        .await
    }

    /// Returns where the group would go on if it were moved there, in each partition of the URL's topics. Nothing is changed.
    ///
    /// Of [`StartPosition::Offsets`], only the partitions that are listed.
    ///
    /// # Errors
    /// Those of [`progress`](Self::progress); kind `Usage` for offsets that are not there.
    pub async fn plan(&self, to: &StartPosition) -> Result<Vec<GroupMove>, Error> {
        let (url, topics) = self.topics().await?;
        let (group, to, all) = (self.clone(), to.clone(), url.topics().is_empty());
        let within = self.stream.shared.connect_timeout;
        on_thread(LOOKING, within.saturating_mul(6), move || {
            let client = Client::new(&group.stream, &url, Some(&group.name))?;
            plan(&client, progress(&client, &topics, all)?, &to)
        })
        .await
    }

    /// Moves the group: its members go on there. It may have none meanwhile; [`EmbeddedBroker`](crate::EmbeddedBroker) takes this
    /// for no group that ever had one.
    ///
    /// # Errors
    /// Kind `Usage` when the group has members, or is not one that the broker accepts; those of [`progress`](Self::progress),
    /// and what the broker says.
    pub async fn commit(&self, moves: &[GroupMove]) -> Result<(), Error> {
        let (url, _topics) = self.topics().await?;
        let username = self.stream.username(&url)?;
        if let Some(broker) = Broker::of(&url)? {
            broker.check_group(&self.name, username.as_deref())?;
        }
        if moves.is_empty() {
            return Ok(());
        }
        let (group, moves) = (self.clone(), moves.to_vec());
        let within = self.stream.shared.connect_timeout;
        on_thread(MOVING, within.saturating_mul(4), move || {
            let client = Client::new(&group.stream, &url, Some(&group.name))?;
            // A broker that does not say who is in the group refuses the commit if anybody is.
            if let Ok(described) = describe::group(&client, &group.name)
                && described.members > 0
            {
                return Err(has_members(&group.name, Some(described.members)));
            }
            let mut list = TopicPartitionList::with_capacity(moves.len());
            for GroupMove { topic, partition, to, .. } in &moves {
                list.add_partition_offset(topic, *partition, Offset::Offset(*to))
                    .map_err(|error| Error::kafka(MOVING, error))?;
            }
            client.consumer.commit(&list, CommitMode::Sync).map_err(|error| match error.rdkafka_error_code() {
                Some(Code::UnknownMemberId | Code::IllegalGeneration | Code::RebalanceInProgress) => {
                    has_members(&group.name, None)
                }
                _ => client.error(MOVING, error),
            })
        })
        .await
    }

    /// The URL, and its topics as far as they are there.
    async fn topics(&self) -> Result<(Url, Vec<Topic>), Error> {
        let url: Url = self.url.parse()?;
        if self.name.is_empty() {
            return Err(Error::new(ErrorKind::Usage, "the name of the group is empty"));
        }
        // What is wrong with the connection is said by this.
        let topics = self.stream.list_topics(&self.url).await?;
        let is_there = |named: &String| named.contains('{') || topics.iter().any(|topic| topic.name == *named);
        if let Some(missing) = url.topics().iter().find(|named| !is_there(named)) {
            return Err(Error::of_code(
                LOOKING,
                Some(Code::UnknownTopicOrPartition),
                &format!("there is no topic `{missing}`"),
            ));
        }
        Ok((url, topics))
    }
}

fn has_members(group: &str, members: Option<usize>) -> Error {
    let members = match members {
        Some(1) => "1 member".to_owned(),
        Some(members) => format!("{members} members"),
        None => "members".to_owned(),
    };
    Error::new(ErrorKind::Usage, format!("{MOVING}: `{group}` has {members}, who would go on where they are"))
        .help("stop all of them first")
}

/// Asks for what is committed, and for the ends.
fn progress(client: &Client, topics: &[Topic], only_committed: bool) -> Result<Vec<GroupProgress>, Error> {
    let partitions: Vec<Partition> = topics
        .iter()
        .flat_map(|topic| (0..topic.partitions).map(|id| (topic.name.clone(), i32::try_from(id).unwrap_or(i32::MAX))))
        .collect();
    if partitions.is_empty() {
        return Ok(Vec::new());
    }
    let mut list = TopicPartitionList::with_capacity(partitions.len());
    for (topic, partition) in &partitions {
        list.add_partition(topic, *partition);
    }
    let answer =
        client.consumer.committed_offsets(list, client.within).map_err(|error| client.error(LOOKING, error))?;
    let mut committed = HashMap::new();
    for element in answer.elements() {
        element.error().map_err(|error| client.error(LOOKING, error))?;
        if let Offset::Offset(offset) = element.offset() {
            committed.insert((element.topic().to_owned(), element.partition()), offset);
        }
    }
    let wanted: Vec<Partition> =
        partitions.into_iter().filter(|partition| !only_committed || committed.contains_key(partition)).collect();
    let first = offsets(client, &wanted, Offset::Beginning)?;
    let end = offsets(client, &wanted, Offset::End)?;
    let of = |partition: Partition| {
        let low = first.get(&partition).copied().unwrap_or(0).max(0);
        let high = end.get(&partition).copied().unwrap_or(low).max(low);
        let committed = committed.get(&partition).copied();
        let (topic, partition) = partition;
        GroupProgress { topic, partition, committed, first: low, end: high }
    };
    Ok(wanted.into_iter().map(of).collect())
}

/// Asks for the offset of each partition at its beginning, its end, or a time in milliseconds; below zero where there is none.
fn offsets(client: &Client, partitions: &[Partition], at: Offset) -> Result<HashMap<Partition, i64>, Error> {
    if partitions.is_empty() {
        return Ok(HashMap::new());
    }
    let mut list = TopicPartitionList::with_capacity(partitions.len());
    for (topic, partition) in partitions {
        list.add_partition_offset(topic, *partition, at).map_err(|error| Error::kafka(LOOKING, error))?;
    }
    let answer =
        client.consumer.offsets_for_times(list, client.within).map_err(|error| client.error(LOOKING, error))?;
    answer
        .elements()
        .iter()
        .map(|element| {
            element.error().map_err(|error| client.error(LOOKING, error))?;
            let offset = if let Offset::Offset(offset) = element.offset() { offset } else { -1 };
            Ok(((element.topic().to_owned(), element.partition()), offset))
        })
        .collect()
}

/// Settles where to go on.
fn plan(client: &Client, progress: Vec<GroupProgress>, to: &StartPosition) -> Result<Vec<GroupMove>, Error> {
    let by_time = match to {
        StartPosition::Time(time) => {
            let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
            let time = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
            let partitions: Vec<Partition> = progress.iter().map(|of| (of.topic.clone(), of.partition)).collect();
            let found = offsets(client, &partitions, Offset::Offset(time))?;
            // Every message is of 1970 or later: a broker that looks up times finds the first one.
            let since_ever = offsets(client, &partitions, Offset::Offset(0))?;
            let unanswered = |of: &&GroupProgress| {
                of.first < of.end && since_ever.get(&(of.topic.clone(), of.partition)).is_none_or(|offset| *offset < 0)
            };
            if progress.iter().find(unanswered).is_some() {
                return Err(Error::new(ErrorKind::Kafka, format!("{LOOKING}: this broker does not look up times"))
                    .help("name offsets, or a number of messages before the end"));
            }
            found
        }
        _ => HashMap::new(),
    };
    if let StartPosition::Offsets(places) = to {
        for place in places {
            let partition = progress.iter().find(|of| *of.topic == *place.topic && of.partition == place.partition);
            let what = match partition {
                None => "there is no such partition among the topics".to_owned(),
                Some(of) if place.offset < of.first || place.offset > of.end => {
                    format!("the partition goes from {} to {}", of.first, of.end)
                }
                Some(_) => continue,
            };
            return Err(Error::new(ErrorKind::Usage, format!("the group cannot go on at {place}: {what}")));
        }
    }
    let settle = |of: GroupProgress| {
        let to = match to {
            StartPosition::Earliest => Some(of.first),
            StartPosition::Latest => Some(of.end),
            StartPosition::Last(count) => {
                Some(of.end.saturating_sub(i64::try_from(*count).unwrap_or(i64::MAX)).max(of.first))
            }
            StartPosition::Time(_) => {
                let found = by_time.get(&(of.topic.clone(), of.partition)).copied();
                Some(found.filter(|offset| *offset >= 0).unwrap_or(of.end))
            }
            StartPosition::Offsets(places) => places
                .iter()
                .find(|place| *place.topic == *of.topic && place.partition == of.partition)
                .map(|place| place.offset),
        };
        to.map(|to| GroupMove { topic: of.topic, partition: of.partition, from: of.committed, to })
    };
    Ok(progress.into_iter().filter_map(settle).collect())
}
