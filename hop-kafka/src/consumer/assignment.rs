//! Which partitions a reader has, and how they are given and taken away.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::Offset;

use super::client::{Client, Offsets, Partition};
use super::offsets::{Ends, Retry, Start, StartReason, partitions_of, snapshot};
use super::progress::Tenure;
use super::session::Session;
use crate::error::Loss;
use crate::{Error, ErrorKind};

/// How long the committed offsets may take to come when partitions are assigned.
const COMMITTED_TIMEOUT: Duration = Duration::from_secs(10);
/// How long one look for new partitions may take, without a group.
const DISCOVERY_TIMEOUT: Duration = Duration::from_secs(1);

/// Where reading a partition starts, and why there. The broker finds the offset where there is none.
pub(super) type From = (Option<i64>, StartReason);

/// What is assigned now.
#[derive(Debug, Default)]
pub(super) struct Assignment {
    /// The ends as they stood when the reader started.
    ends: OnceLock<HashMap<Partition, Ends>>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Counts the changes; zero before the first.
    generation: u64,
    /// Whether the last change gave partitions, if only none; false between a revocation and what follows it.
    settled: bool,
    /// Whether any partition was ever assigned.
    begun: bool,
    partitions: HashMap<Partition, Held>,
}

#[derive(Debug)]
struct Held {
    from: From,
    tenure: Arc<Tenure>,
}

impl Assignment {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a number that is another one after each change.
    pub(super) fn generation(&self) -> u64 {
        self.lock().generation
    }

    /// Whether the partitions are given, and none is about to change.
    pub(super) fn is_settled(&self) -> bool {
        self.lock().settled
    }

    pub(super) fn ends(&self, partition: &Partition) -> Option<Ends> {
        self.ends.get()?.get(partition).copied()
    }

    /// Returns the partition as it is read now; `None` where it is not this reader's.
    pub(super) fn tenure(&self, topic: &str, partition: i32) -> Option<Arc<Tenure>> {
        let key = (topic.to_owned(), partition);
        self.lock().partitions.get(&key).map(|held| Arc::clone(&held.tenure))
    }

    pub(super) fn tenures(&self) -> Vec<Arc<Tenure>> {
        self.lock().partitions.values().map(|held| Arc::clone(&held.tenure)).collect()
    }

    /// Returns the assigned partitions, with where each starts.
    pub(super) fn partitions(&self) -> Vec<(Partition, From)> {
        self.lock().partitions.iter().map(|(partition, held)| (partition.clone(), held.from)).collect()
    }

    /// Returns where each assigned partition began, by topic and partition.
    pub(super) fn starts(&self) -> Vec<Start> {
        let start = |(partition, (offset, why)): (Partition, From)| Start {
            topic: partition.0,
            partition: partition.1,
            offset,
            why,
        };
        let mut starts: Vec<Start> = self.partitions().into_iter().map(start).collect();
        starts.sort_by(|a, b| (&a.topic, a.partition).cmp(&(&b.topic, b.partition)));
        starts
    }

    /// Keeps what was assigned, and logs it.
    pub(super) fn note(&self, starts: &HashMap<Partition, From>) {
        for ((topic, partition), (offset, why)) in starts {
            tracing::info!(target: "hop", topic, partition, offset, ?why, "partition assigned");
        }
        let mut state = self.lock();
        state.generation += 1;
        state.settled = true;
        state.begun |= !starts.is_empty();
        for (partition, from) in starts {
            let tenure = Tenure::new(partition.0.as_str().into(), partition.1, from.0);
            if let Some(before) = state.partitions.insert(partition.clone(), Held { from: *from, tenure }) {
                before.tenure.end();
            }
        }
    }

    fn note_revoked(&self, partitions: &[Partition]) {
        let mut state = self.lock();
        state.generation += 1;
        state.settled = false;
        for partition in partitions {
            tracing::info!(target: "hop", topic = partition.0, partition = partition.1, "partition taken away");
            if let Some(held) = state.partitions.remove(partition) {
                held.tenure.end();
            }
        }
    }

    /// A partition is read from elsewhere: what is on its way to the reader no longer counts.
    pub(super) fn note_moved(&self, partition: &Partition, offset: i64, why: StartReason) {
        if let Some(held) = self.lock().partitions.get_mut(partition) {
            held.tenure.end();
            held.tenure = Tenure::new(partition.0.as_str().into(), partition.1, Some(offset));
            held.from = (Some(offset), why);
        }
    }
}

/// Asks for the ends of the topics' partitions, and keeps them.
pub(super) fn connect(session: &Session, client: &impl Client) -> Result<(), Error> {
    let retry = || Retry::new(session, session.settings.timeout).reading_events();
    let mut topics: Vec<String> = session.settings.topics.fixed().cloned().collect();
    let nights = session.settings.topics.of_these_nights();
    let mut found = false;
    for topic in &nights {
        // Each has the whole time, so that nights that are not there take none from those that are.
        if exists(client, topic, &retry())? {
            found = true;
            // A name may be written in full, too.
            if !topics.contains(topic) {
                topics.push(topic.clone());
            }
        }
    }
    if !nights.is_empty() && !found {
        tracing::warn!(
            target: "hop",
            looked_for = ?nights,
            "no topic of these nights is there yet; check the name if one should be"
        );
    }
    let ends = snapshot(client, &topics, (&session.settings.start_at, session.settings.until), &retry())?;
    session.set_topics(topics);
    session.complaint.note_served();
    // It is set once, here.
    let _first = session.assignment.ends.set(ends);
    Ok(())
}

/// Whether a topic of some night is there.
fn exists(client: &impl Client, topic: &str, retry: &Retry<'_>) -> Result<bool, Error> {
    match partitions_of(client, topic, retry) {
        Ok(partitions) => Ok(!partitions.is_empty()),
        Err(error) if error.kind() == ErrorKind::UnknownTopic => Ok(false),
        Err(error) => Err(error),
    }
}

/// Goes on to the topics of the present nights: takes those that are there now, and lets go of those that `is_over` says.
/// Returns true if the topics changed.
pub(super) fn roll_over(session: &Session, client: &impl Client, is_over: impl Fn(&str) -> bool) -> bool {
    let before = session.topics();
    let window = session.settings.topics.of_these_nights();
    let is_fixed = |topic: &String| session.settings.topics.fixed().any(|fixed| fixed == topic);
    let stays = |topic: &&String| is_fixed(topic) || window.contains(topic) || !is_over(topic);
    let mut topics: Vec<String> = before.iter().filter(stays).cloned().collect();
    let mut fresh = Vec::new();
    // The newest first: it is the one that matters, and older ones that are gone may take a second each.
    for topic in window.into_iter().rev().filter(|topic| !before.contains(topic)) {
        match exists(client, &topic, &Retry::new(session, DISCOVERY_TIMEOUT)) {
            Ok(true) => fresh.push(topic),
            Ok(false) => {}
            Err(error) => tracing::warn!(target: "hop", topic, %error, "a nightly topic could not be looked for"),
        }
    }
    topics.extend(fresh.into_iter().rev());
    if topics == before {
        return false;
    }
    tracing::info!(target: "hop", ?topics, "the topics of other nights");
    if session.settings.is_in_group() {
        let changed = if topics.is_empty() { Ok(()) } else { client.subscribe(&topics) };
        match changed {
            Ok(()) => session.set_topics(topics),
            Err(error) => tracing::error!(target: "hop", %error, "the topics of tonight could not be taken"),
        }
        return true;
    }
    let gone = |partition: &Partition| !topics.contains(&partition.0);
    let gone: Vec<Partition> =
        session.assignment.partitions().into_iter().map(|(partition, _)| partition).filter(gone).collect();
    session.set_topics(topics);
    if !gone.is_empty() {
        session.assignment.note_revoked(&gone);
        if let Err(error) = client.unassign(&gone, true) {
            tracing::error!(target: "hop", %error, "the topics of earlier nights could not be let go");
        }
        session.assignment.note(&HashMap::new());
    }
    assign_new(session, client);
    true
}

/// Takes every partition that there was when the reader started, without a group.
pub(super) fn assign_all(session: &Session, client: &impl Client) -> Result<(), Error> {
    let ends = session.assignment.ends.get().into_iter().flatten();
    let starts: HashMap<Partition, From> =
        ends.map(|(partition, ends)| (partition.clone(), (Some(ends.start), ends.why))).collect();
    client.assign(&offsets(&starts), false).map_err(|error| Error::kafka("assigning partitions", error))?;
    session.assignment.note(&starts);
    Ok(())
}

/// Takes the partitions that the topics got meanwhile, without a group; from their beginning, as all in them is new.
pub(super) fn assign_new(session: &Session, client: &impl Client) {
    let retry = Retry::new(session, DISCOVERY_TIMEOUT);
    let mut fresh = HashMap::new();
    for topic in &session.topics() {
        match partitions_of(client, topic, &retry) {
            Err(error) => tracing::debug!(target: "hop", %error, "new partitions could not be looked for"),
            Ok(ids) => {
                let state = session.assignment.lock();
                let new = ids.into_iter().map(|id| (topic.clone(), id));
                let new = new.filter(|partition| !state.partitions.contains_key(partition));
                fresh.extend(new.map(|partition| (partition, (None, StartReason::New))));
            }
        }
    }
    if fresh.is_empty() {
        return;
    }
    match client.assign(&offsets(&fresh), true) {
        Ok(()) => session.assignment.note(&fresh),
        Err(error) => tracing::error!(target: "hop", %error, "new partitions could not be taken"),
    }
}

/// Takes what the group gives.
pub(super) fn take(session: &Session, client: &impl Client, partitions: &[Partition]) {
    session.counters.rebalance();
    let starts = starts_of(session, client, partitions);
    let given = offsets(&starts);
    let done = client.assign(&given, client.is_cooperative());
    commit_starts(client, &starts);
    session.assignment.note(&starts);
    // A partition that went away while it was paused for a slow reader comes back paused.
    let given: Vec<Partition> = starts.into_keys().collect();
    let done = done.and_then(|()| if given.is_empty() { Ok(()) } else { client.pause(false, Some(&given)) });
    if let Err(error) = done {
        tracing::error!(target: "hop", %error, "the group's assignment could not be taken over");
    }
}

/// Lets go of what the group takes away.
pub(super) fn let_go(session: &Session, client: &impl Client, partitions: &[Partition]) {
    session.counters.rebalance();
    session.assignment.note_revoked(partitions);
    // They are not handed over yet, and not committed: the partition's next reader gets them.
    session.forget_ended();
    if let Err(error) = client.unassign(partitions, client.is_cooperative()) {
        tracing::error!(target: "hop", %error, "the group's assignment could not be taken over");
    }
}

/// Where each partition that the group gives is to start.
fn starts_of(session: &Session, client: &impl Client, partitions: &[Partition]) -> HashMap<Partition, From> {
    let insists = session.settings.start_at.insists() && !session.assignment.lock().begun;
    let committed =
        if partitions.is_empty() { Ok(Vec::new()) } else { client.committed(partitions, COMMITTED_TIMEOUT) };
    if let Err(error) = &committed {
        tracing::warn!(target: "hop", %error, "the committed offsets did not come in time");
    }
    let unknown = || partitions.iter().map(|partition| (partition.clone(), Err(KafkaError::Canceled))).collect();
    let start = |(partition, committed): (Partition, Result<Option<i64>, KafkaError>)| {
        let start = match (committed, session.assignment.ends(&partition)) {
            (_, Some(ends)) if insists => (Some(ends.start), ends.why),
            (Err(_), _) => (None, StartReason::Unknown),
            (Ok(Some(committed)), Some(ends)) if committed < ends.low => {
                session.note_lost(&partition, committed, ends.low, Loss::Deleted);
                (Some(ends.low), StartReason::Reset)
            }
            (Ok(Some(committed)), _) => (Some(committed), StartReason::Committed),
            (Ok(None), Some(ends)) => (Some(ends.start), ends.why),
            (Ok(None), None) => (None, StartReason::New),
        };
        (partition, start)
    };
    committed.unwrap_or_else(|_| unknown()).into_iter().map(start).collect()
}

/// Commits where a group starts for the first time. Were it left open, the group's next reader would start at the end as
/// that one finds it, and skip what this one did not get done.
fn commit_starts(client: &impl Client, starts: &HashMap<Partition, From>) {
    let fresh = starts.iter().filter_map(|(partition, (offset, why))| {
        let committed = matches!(why, StartReason::Committed | StartReason::Reset);
        let offset = offset.filter(|_| !committed)?;
        Some((partition.clone(), Offset::Offset(offset)))
    });
    let fresh: Offsets = fresh.collect();
    if fresh.is_empty() {
        return;
    }
    if let Err(error) = client.commit(&fresh) {
        tracing::warn!(target: "hop", %error, "where the group starts could not be committed");
    }
}

/// The partitions at their starts, as the client takes them.
fn offsets(starts: &HashMap<Partition, From>) -> Offsets {
    let offset = |(partition, (offset, why)): (&Partition, &From)| {
        let offset = match (offset, why) {
            (Some(offset), _) => Offset::Offset(*offset),
            // Left open, librdkafka asks for the committed offset by itself, and starts at the oldest where there is none.
            (None, StartReason::Unknown) => Offset::Invalid,
            (None, _) => Offset::Beginning,
        };
        (partition.clone(), offset)
    };
    starts.iter().map(offset).collect()
}
