//! The first message of a time, in each partition.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rdkafka::topic_partition_list::Offset;

use super::client::{Client, Event, Offsets, Partition};
use super::offsets::{Retry, offsets};
use crate::error::is_transient;
use crate::record::Shared;
use crate::{Error, ErrorKind};

const OPERATION: &str = "looking for the first message of the time to start at";
/// How long one poll waits.
const POLL: Duration = Duration::from_millis(100);

/// Returns the offset of the first message of this time or later by partition; below zero, or missing, where there is none.
///
/// `ends` are the first offset of each partition, and the one after the last. A broker that does not look up times gives the
/// same answer as one that finds nothing. There the partitions are read instead, so nothing may be assigned.
pub(super) fn look_up_time<C: Client>(
    client: &C,
    partitions: &[Partition],
    time: SystemTime,
    ends: (&HashMap<Partition, i64>, &HashMap<Partition, i64>),
    retry: &Retry<'_>,
) -> Result<HashMap<Partition, i64>, Error> {
    let time = milliseconds(time);
    let mut found = offsets(client, partitions, Offset::Offset(time), retry)?;
    let end = |of: &HashMap<Partition, i64>, partition: &Partition| of.get(partition).copied().unwrap_or(0).max(0);
    let unanswered: Vec<Partition> = partitions
        .iter()
        .filter(|partition| found.get(*partition).is_none_or(|offset| *offset < 0))
        .filter(|partition| end(ends.0, partition) < end(ends.1, partition))
        .cloned()
        .collect();
    if unanswered.is_empty() {
        return Ok(found);
    }
    // Every message is of 1970 or later: a broker that looks up times finds the first one.
    let since_ever = offsets(client, &unanswered, Offset::Offset(0), retry)?;
    let to_read: HashMap<Partition, (i64, i64)> = unanswered
        .into_iter()
        .filter(|partition| since_ever.get(partition).is_none_or(|offset| *offset < 0))
        .map(|partition| (end(ends.0, &partition), end(ends.1, &partition), partition))
        .map(|(low, high, partition)| (partition, (low, high)))
        .collect();
    if !to_read.is_empty() {
        tracing::debug!(target: "hop", "the broker does not look up times; the partitions are read instead");
        let read: Vec<Partition> = to_read.keys().cloned().collect();
        let outcome = search(client, to_read, time, retry);
        client.unassign(&read, client.is_cooperative()).map_err(|error| Error::kafka(OPERATION, error))?;
        found.extend(outcome?);
    }
    Ok(found)
}

/// Reads each partition from its first offset, until a message is of this time or later, or the end is reached.
fn search<C: Client>(
    client: &C,
    mut unread: HashMap<Partition, (i64, i64)>,
    time: i64,
    retry: &Retry<'_>,
) -> Result<HashMap<Partition, i64>, Error> {
    let starts: Offsets =
        unread.iter().map(|(partition, (low, _))| (partition.clone(), Offset::Offset(*low))).collect();
    client.assign(&starts, false).map_err(|error| Error::kafka(OPERATION, error))?;
    let (mut found, mut shared) = (HashMap::new(), Shared::default());
    while !unread.is_empty() {
        if retry.is_over()? {
            return Err(Error::new(
                ErrorKind::TimedOut,
                format!("{OPERATION}: the partitions could not be read in time"),
            )
            .help("this broker does not look up times; allow more time to connect, or start at offsets"));
        }
        match client.poll(&mut shared, POLL) {
            Some(Event::Message(received)) => {
                let place = received.place;
                let partition = (place.topic.to_string(), place.partition);
                let Some((_, high)) = unread.get(&partition) else { continue };
                if received.record.timestamp.is_some_and(|at| at >= time) {
                    unread.remove(&partition);
                    found.insert(partition, place.offset);
                } else if place.offset + 1 >= *high {
                    unread.remove(&partition);
                }
            }
            // Not every offset has a message.
            Some(Event::End(partition, _)) => drop(unread.remove(&partition)),
            Some(event @ Event::Failed { .. }) => {
                retry.note(&event);
                // librdkafka goes on by itself from the others, for as long as there is time.
                if let Event::Failed { partition: Some(_), error, .. } = event
                    && !error.rdkafka_error_code().is_some_and(is_transient)
                {
                    return Err(Error::kafka(OPERATION, error));
                }
            }
            Some(event) => retry.note(&event),
            None => {}
        }
    }
    Ok(found)
}

/// Milliseconds since 1970, as Kafka counts time; before that is the same as then.
fn milliseconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
