//! Where reading starts, and why there.

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime};

use hop_core::Place;
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::Offset;

use super::client::{Client, Event, Offsets, Partition};
use super::session::Session;
use super::times::look_up_time;
use crate::error::is_transient;
use crate::record::Shared;
use crate::{Error, ErrorKind};

/// How long the client's events are read after an attempt that failed.
const LISTENING: Duration = Duration::from_millis(20);
/// The pause before the next attempt.
const PAUSE: Duration = Duration::from_millis(100);

/// Where reading starts.
///
/// A group goes on where it was: `Earliest` and `Latest` count only in partitions for which it has committed nothing. The
/// last so many, a time and offsets are asked for on purpose: they come before what is committed, in the partitions that a
/// reader is given first. What comes to it later, because another member went away, goes on from the commit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum StartPosition {
    /// At the oldest message that is still there.
    Earliest,
    /// After the newest message that was there when `subscribe` was called.
    #[default]
    Latest,
    /// At this number of messages before the end of each partition, as it stood when `subscribe` was called; at the oldest
    /// message where there are fewer.
    ///
    /// Messages are counted by their offsets: in a compacted topic, and in one that is written to in transactions, some
    /// offsets have no message, and fewer are read.
    Last(u64),
    /// At the first message of this time or later, by the timestamps of the messages, in milliseconds; after the newest
    /// one where there is none.
    ///
    /// A broker that cannot look up times, such as [`EmbeddedBroker`](crate::EmbeddedBroker), has its partitions read from
    /// their beginning to find that message, within the stream's connect time-out.
    Time(SystemTime),
    /// At these offsets; partitions that are not listed start at the oldest message.
    Offsets(Vec<Place>),
}

impl StartPosition {
    /// Whether it comes before what a group has committed.
    pub(super) fn insists(&self) -> bool {
        matches!(self, Self::Last(_) | Self::Time(_) | Self::Offsets(_))
    }
}

/// Where reading a partition began.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Start {
    /// The topic.
    pub topic: String,
    /// The partition, from zero.
    pub partition: i32,
    /// The offset of the first message to read, from zero; `None` where the broker finds it: at the oldest message of a
    /// partition that was not there before, or when it did not say in time what is committed.
    pub offset: Option<i64>,
    /// Why there.
    pub why: StartReason,
}

/// Why reading a partition began where it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StartReason {
    /// The group had committed this offset.
    Committed,
    /// [`StartPosition::Earliest`], and nothing was committed.
    Earliest,
    /// [`StartPosition::Latest`], and nothing was committed.
    Latest,
    /// [`StartPosition::Last`].
    Last,
    /// [`StartPosition::Time`].
    Time,
    /// [`StartPosition::Offsets`].
    Offset,
    /// The messages at the offset that was committed or asked for are no longer there: the oldest that is.
    Reset,
    /// The partition was not there when the reader started: all of it is new.
    New,
    /// The broker did not say in time what is committed; librdkafka asks again, and begins there or at the oldest message.
    Unknown,
    /// [`Control::seek`](crate::Control::seek).
    Seek,
}

/// The first offset that is there, the one after the last, and where reading starts if nothing is committed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    pub(super) low: i64,
    pub(super) high: i64,
    pub(super) start: i64,
    pub(super) why: StartReason,
}

/// Asks for the ends of each partition of the topics, and settles where each is to start, and where it ends.
pub(super) fn snapshot<C: Client>(
    client: &C,
    topics: &[String],
    (start_at, until): (&StartPosition, Option<SystemTime>),
    retry: &Retry<'_>,
) -> Result<HashMap<Partition, Ends>, Error> {
    let mut partitions = Vec::new();
    for topic in topics {
        partitions.extend(partitions_of(client, topic, retry)?.into_iter().map(|id| (topic.clone(), id)));
    }
    let low = offsets(client, &partitions, Offset::Beginning, retry)?;
    let high = offsets(client, &partitions, Offset::End, retry)?;
    let by_time = match start_at {
        StartPosition::Time(time) => look_up_time(client, &partitions, *time, (&low, &high), retry)?,
        _ => HashMap::new(),
    };
    let until = match until {
        Some(time) => look_up_time(client, &partitions, time, (&low, &high), retry)?,
        None => HashMap::new(),
    };
    if let StartPosition::Offsets(places) = start_at {
        check_offsets(places, &high)?;
    }
    let known = |of: &HashMap<Partition, i64>, partition: &Partition| of.get(partition).copied().filter(|at| *at >= 0);
    let settle = |partition: Partition| {
        let low = known(&low, &partition).unwrap_or(0);
        let end = known(&high, &partition).unwrap_or(low).max(low);
        let high = known(&until, &partition).map_or(end, |until| until.clamp(low, end));
        let (start, why) = match start_at {
            StartPosition::Earliest => (low, StartReason::Earliest),
            StartPosition::Latest => (high, StartReason::Latest),
            StartPosition::Last(count) => {
                let count = i64::try_from(*count).unwrap_or(i64::MAX);
                (high.saturating_sub(count).max(low), StartReason::Last)
            }
            StartPosition::Time(_) => (known(&by_time, &partition).unwrap_or(high), StartReason::Time),
            StartPosition::Offsets(places) => match places.iter().find(|place| is_in(place, &partition)) {
                None => (low, StartReason::Earliest),
                Some(place) if place.offset < low => (low, StartReason::Reset),
                Some(place) => (place.offset, StartReason::Offset),
            },
        };
        (partition, Ends { low, high, start, why })
    };
    Ok(partitions.into_iter().map(settle).collect())
}

fn is_in(place: &Place, partition: &Partition) -> bool {
    *place.topic == *partition.0 && place.partition == partition.1
}

/// Refuses offsets that reading would never come to.
fn check_offsets(places: &[Place], high: &HashMap<Partition, i64>) -> Result<(), Error> {
    for place in places {
        let end = high.iter().find(|(partition, _)| is_in(place, partition)).map(|(_, end)| *end);
        let what = match end {
            None => "there is no such partition among the topics to read".to_owned(),
            Some(end) if place.offset > end => format!("the partition ends at {end}"),
            Some(_) if place.offset < 0 => "offsets count from zero".to_owned(),
            Some(_) => continue,
        };
        return Err(Error::new(ErrorKind::Usage, format!("cannot start at {place}: {what}")));
    }
    Ok(())
}

/// Asks for the partitions of a topic.
pub(super) fn partitions_of<C: Client>(client: &C, topic: &str, retry: &Retry<'_>) -> Result<Vec<i32>, Error> {
    let operation = format!("asking for the topic `{topic}`");
    retry.until(client, &operation, |slice| client.partitions(topic, slice))
}

/// The offset of each partition that stands at `at`: its first, its end, or the first of a time. Below zero where a
/// partition has none. One request to each broker, however many partitions there are.
pub(super) fn offsets<C: Client>(
    client: &C,
    partitions: &[Partition],
    at: Offset,
    retry: &Retry<'_>,
) -> Result<HashMap<Partition, i64>, Error> {
    if partitions.is_empty() {
        return Ok(HashMap::new());
    }
    let wanted: Offsets = partitions.iter().map(|partition| (partition.clone(), at)).collect();
    retry.until(client, "asking for the ends of the partitions", |slice| {
        let answers = client.offsets(&wanted, slice)?;
        answers.into_iter().map(|(partition, answer)| Ok((partition, answer?.unwrap_or(-1)))).collect()
    })
}

/// Trying again until the time is over, or it is clear that trying again will not help.
pub(super) struct Retry<'a> {
    session: &'a Session,
    /// Whether the client's events may be read meanwhile: not once partitions are assigned, when one may be a message.
    reads_events: bool,
    deadline: Instant,
    timeout: Duration,
}

impl<'a> Retry<'a> {
    pub(super) fn new(session: &'a Session, timeout: Duration) -> Self {
        // A time-out without end is a long one.
        let timeout = timeout.min(Duration::from_secs(u32::MAX.into()));
        Self { session, reads_events: false, deadline: Instant::now() + timeout, timeout }
    }

    /// Reads the client's events meanwhile, which say why there is no answer; nothing may be assigned.
    pub(super) fn reading_events(self) -> Self {
        Self { reads_events: true, ..self }
    }

    fn until<T>(
        &self,
        client: &impl Client,
        operation: &str,
        attempt: impl Fn(Duration) -> Result<T, KafkaError>,
    ) -> Result<T, Error> {
        loop {
            match attempt(self.slice()?) {
                Ok(answer) => return Ok(answer),
                Err(error) => {
                    let came_from_broker = !is_unanswered(&error);
                    self.retry_or_fail(client, operation, error)?;
                    if came_from_broker {
                        std::thread::sleep(PAUSE);
                    }
                }
            }
        }
    }

    fn read_events(&self, client: &impl Client) {
        if !self.reads_events {
            return;
        }
        let until = Instant::now() + LISTENING;
        let mut shared = Shared::default();
        while Instant::now() < until {
            if let Some(event) = client.poll(&mut shared, until.saturating_duration_since(Instant::now())) {
                self.note(&event);
            }
        }
    }

    /// Whether the time is over; the error to end with when the reader was closed meanwhile.
    pub(super) fn is_over(&self) -> Result<bool, Error> {
        self.slice().map(|_| Instant::now() >= self.deadline)
    }

    /// Notes an event that is not of a partition, which may say why there is no answer.
    pub(super) fn note(&self, event: &Event) {
        match event {
            Event::Failed { error, reason, .. } => self.session.note_error(error, reason),
            Event::Logged(level, facility, line) => self.session.complaint.log(*level, facility, line),
            _ => {}
        }
    }

    /// How long to wait for one answer; the error to end with when the reader was closed meanwhile.
    fn slice(&self) -> Result<Duration, Error> {
        if self.session.is_stopped() {
            return Err(Error::new(ErrorKind::Usage, "the reader was closed while it connected"));
        }
        let left = self.deadline.saturating_duration_since(Instant::now());
        Ok(left.clamp(Duration::from_millis(10), Duration::from_secs(1)))
    }

    /// Returns to try again; or the error to end with.
    fn retry_or_fail(&self, client: &impl Client, operation: &str, error: KafkaError) -> Result<(), Error> {
        self.read_events(client);
        if let Some(permanent) = self.session.complaint.hopeless(operation) {
            return Err(permanent);
        }
        let worth_trying = error.rdkafka_error_code().is_some_and(is_transient);
        if !worth_trying {
            return Err(Error::kafka(operation, error));
        }
        if Instant::now() < self.deadline {
            return Ok(());
        }
        Err(self.session.complaint.error(operation).unwrap_or_else(|| Error::timed_out(operation, self.timeout)))
    }
}

/// Whether the attempt itself took its time, so that the next one need not wait.
fn is_unanswered(error: &KafkaError) -> bool {
    use rdkafka::error::RDKafkaErrorCode as Code;
    matches!(error.rdkafka_error_code(), Some(Code::OperationTimedOut | Code::RequestTimedOut))
}
