//! The thread that serves the client: it puts what comes into the queue, and does what the controls ask.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::Offset;
use tokio::sync::oneshot;

use super::assignment::{assign_all, assign_new, connect, let_go, roll_over, take};
use super::client::{Client, Event, Partition, Received};
use super::control::lag;
use super::decode::Item;
use super::offsets::StartReason;
use super::progress::Tenure;
use super::queue::Size;
use super::session::{Arrival, Batch, Request, Session};
use super::unreadable::{Search, is_unreadable};
use crate::auth::token::Refresher;
use crate::blocking::spawn;
use crate::error::{Loss, is_transient};
use crate::record::Shared;
use crate::{Error, ErrorKind};

/// How long one poll waits: the delay with which the thread sees that the reader was stopped.
const POLL: Duration = Duration::from_millis(100);
/// How long the thread waits for a slow reader before it pauses the partitions and goes on polling, as a member of a
/// group must.
const SLOW_READER: Duration = Duration::from_secs(5);
/// The most events that are taken before anything else has its turn.
const TURN: usize = 2_000;
/// The bytes at which a batch is handed over, full or not.
const BATCH_BYTES: usize = 1 << 20;
/// How often topics of the present nights are looked for where new partitions are not.
const NIGHTFALL: Duration = Duration::from_secs(30);
/// How often the offsets of what is done are stored.
const STORE: Duration = Duration::from_millis(20);

const UNREADABLE: &str = "the partition is not read on from here; `pass_unreadable(true)` goes on after the batch. If it is \
                          larger than `receive.message.max.bytes`, a larger value reads it";

/// The worker of one subscription.
pub(super) struct Worker<C> {
    session: Arc<Session>,
    client: Arc<C>,
    shared: Shared,
    /// The partition of the last message.
    run: Option<Run>,
    /// Messages that are not in the queue yet.
    batch: Option<Batch>,
    size: Size,
    /// Since the last count: messages and the bytes of their contents.
    received: Size,
    /// The partitions whose end, as it stood at the start, is not reached, with that end.
    unread: HashMap<Partition, i64>,
    /// The partitions that `unread` was settled for.
    known: Vec<Arc<Tenure>>,
    /// The partitions where the end of a batch that cannot be unpacked is being looked for.
    searches: HashMap<Partition, Search>,
    #[cfg(feature = "metrics")]
    report: crate::metrics::ReaderReport,
    /// Of nightly topics: the partitions that are read to their end, and the last message of each.
    at_end: HashSet<Partition>,
    last: HashMap<Partition, i64>,
    stored: Instant,
    looked: Instant,
    /// Whether nothing more is handed over.
    is_over: bool,
}

/// Messages of one partition in a row.
struct Run {
    tenure: Arc<Tenure>,
    topic: Arc<str>,
    partition: i32,
    /// Where reading ends, with `until_eos`.
    end: Option<i64>,
}

/// Ends the queue when the thread ends, however it does.
struct EndOnDrop(Arc<Session>);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.fail(Error::new(ErrorKind::Kafka, "the reader's thread panicked; this is a bug in hop"));
        }
        self.0.end_requests();
        self.0.queue.end();
    }
}

/// What a record takes up, roughly: its bytes, and what stands around them.
fn bytes(record: &hop_core::Record) -> usize {
    const AROUND: usize = 200;
    let headers = record.headers.iter().map(|header| header.name.len() + header.value.as_ref().map_or(0, |v| v.len()));
    AROUND + record.content.len() + record.key.as_ref().map_or(0, |key| key.len()) + headers.sum::<usize>()
}

impl<C: Client> Worker<C> {
    pub(super) fn new(session: Arc<Session>, client: Arc<C>) -> Self {
        let now = Instant::now();
        Self {
            session,
            client,
            shared: Shared::default(),
            run: None,
            batch: None,
            size: Size::default(),
            received: Size::default(),
            unread: HashMap::new(),
            known: Vec::new(),
            searches: HashMap::new(),
            #[cfg(feature = "metrics")]
            report: crate::metrics::ReaderReport::new(),
            at_end: HashSet::new(),
            last: HashMap::new(),
            stored: now,
            looked: now,
            is_over: false,
        }
    }

    /// Connects, reads until the end, serves until the subscription is closed, and closes the client.
    pub(super) fn run(mut self, tokens: Option<Refresher>, started: oneshot::Sender<Result<(), Error>>) {
        let session = Arc::clone(&self.session);
        let _end = EndOnDrop(Arc::clone(&session));
        let outcome = self.connect();
        let connected = outcome.is_ok();
        // Where nobody waits for the connection, the reader gets the error.
        if let Err(Err(error)) = started.send(outcome) {
            session.fail(error);
        }
        if connected {
            // Why reading ended makes no difference here: the reader knows.
            let _ended = self.read();
            session.queue.complete();
            self.serve_until_closed();
            self.store();
            #[cfg(feature = "metrics")]
            self.report_metrics();
        }
        session.end_requests();
        session.queue.count_left();
        // Closing leaves the group and commits what is stored; it may take a while, and is over before `_end` says so.
        // The thread that fetches tokens has the client too.
        drop(tokens);
        session.complaint.note_closing();
        close(self.client);
    }

    fn connect(&self) -> Result<(), Error> {
        connect(&self.session, &*self.client)?;
        if self.session.settings.is_in_group() {
            let topics = self.session.topics();
            if topics.is_empty() {
                // No topic of these nights is there yet.
                self.session.assignment.note(&HashMap::new());
                return Ok(());
            }
            self.client.subscribe(&topics).map_err(|error| Error::kafka("joining the group", error))
        } else {
            assign_all(&self.session, &*self.client)
        }
    }

    fn read(&mut self) -> ControlFlow<()> {
        self.note_assignment();
        while !self.session.is_stopped() {
            self.make_space()?;
            self.serve();
            self.discover();
            // A change of the group takes back what is not handed over; then there is more to read.
            let is_waiting = self.is_all_read();
            self.turn(if is_waiting { Duration::ZERO } else { POLL })?;
            if self.is_all_read() && self.session.queue.wait_until_empty(if is_waiting { POLL } else { Duration::ZERO })
            {
                break;
            }
        }
        ControlFlow::Break(())
    }

    /// Takes the events that are there, waiting for the first one at most for this time.
    fn turn(&mut self, timeout: Duration) -> ControlFlow<()> {
        let space = self.session.queue.space();
        self.run = None;
        let (mut timeout, mut taken) = (timeout, Size::default());
        let mut flow = ControlFlow::Continue(());
        for _ in 0..TURN {
            let Some(event) = self.client.poll(&mut self.shared, timeout) else { break };
            timeout = Duration::ZERO;
            flow = self.handle(event, &mut taken);
            if flow.is_break() || taken.messages >= space.messages || taken.bytes >= space.bytes {
                break;
            }
        }
        self.flush();
        self.session.counters.received(self.received.messages, self.received.bytes);
        self.received = Size::default();
        flow
    }

    fn handle(&mut self, event: Event, taken: &mut Size) -> ControlFlow<()> {
        match event {
            Event::Message(received) => self.receive(received, taken),
            Event::End(partition, offset) => {
                if !self.is_after_search(&partition) {
                    return ControlFlow::Continue(());
                }
                if let Some(tenure) = self.session.assignment.tenure(&partition.0, partition.1)
                    && let Some(expected) = tenure.advance_to(offset, offset)
                {
                    self.note_jump(&partition, expected, offset);
                }
                self.unread.remove(&partition);
                if self.session.settings.topics.are_nightly() {
                    // What came before the end is noted before it.
                    self.flush();
                    self.at_end.insert(partition);
                }
            }
            Event::Assigned(partitions) => {
                self.flush();
                take(&self.session, &*self.client, &partitions);
                self.note_assignment();
            }
            Event::Revoked(partitions) => {
                self.flush();
                // What is done up to now is committed as the partitions go.
                self.store();
                let_go(&self.session, &*self.client, &partitions);
                self.note_assignment();
            }
            Event::Committed(Err(error)) => {
                use rdkafka::error::RDKafkaErrorCode::NoOffset;
                if error.rdkafka_error_code() != Some(NoOffset) {
                    tracing::warn!(target: "hop", %error, "a commit failed; it is tried again with the next one");
                }
            }
            Event::Failed { partition, error, reason } => return self.report(partition, error, &reason),
            Event::Logged(level, facility, line) => self.session.complaint.log(level, &facility, &line),
            Event::Committed(Ok(())) | Event::Nothing => {}
        }
        ControlFlow::Continue(())
    }

    fn receive(&mut self, Received { mut record, place }: Received, taken: &mut Size) {
        if self.is_over {
            return;
        }
        if !self.searches.is_empty() && !self.is_after_search(&(place.topic.to_string(), place.partition)) {
            return;
        }
        let same = self.run.as_ref().is_some_and(|run| {
            run.partition == place.partition && (Arc::ptr_eq(&run.topic, &place.topic) || run.topic == place.topic)
        });
        if !same && !self.start_run(&place.topic, place.partition) {
            // It came after its partition went.
            return;
        }
        let offset = place.offset;
        let jumped = self.run.as_ref().and_then(|run| run.tenure.advance_to(offset, offset + 1));
        if let Some(expected) = jumped
            && self.note_jump(&(place.topic.to_string(), place.partition), expected, offset)
        {
            if !self.start_run(&place.topic, place.partition) {
                return;
            }
            if let Some(run) = &self.run {
                run.tenure.advance_to(offset, offset + 1);
            }
        }
        let Some(run) = &self.run else { return };
        if let Some(end) = run.end {
            if offset + 1 >= end {
                self.unread.remove(&(place.topic.to_string(), place.partition));
            }
            // It came after the reader started.
            if offset >= end {
                return;
            }
        }
        self.received.messages += 1;
        self.received.bytes += record.content.len();
        record.place = Some(place);
        let size = bytes(&record);
        taken.messages += 1;
        taken.bytes += size;
        let (tenure, most) = (Arc::clone(&run.tenure), self.session.settings.batch);
        let batch = self.batch.get_or_insert_with(|| Batch { tenure, items: Vec::with_capacity(most) });
        batch.items.push((offset, Item::Received(record)));
        self.size.messages += 1;
        self.size.bytes += size;
        if self.size.messages >= most || self.size.bytes >= BATCH_BYTES {
            self.flush();
        }
    }

    /// Reading goes on elsewhere than expected; returns whether the partition begins anew.
    fn note_jump(&mut self, partition: &Partition, expected: i64, offset: i64) -> bool {
        if offset < expected {
            // What the group did with the old messages says nothing of the new ones.
            self.flush();
            self.session.assignment.note_moved(partition, offset, StartReason::Reset);
            self.session.note_lost(partition, expected, offset, Loss::Replaced);
            self.note_assignment();
            return true;
        }
        // Compaction and transactions leave gaps too; only what was deleted moves the beginning.
        if let Some((low, _)) = self.client.ends(partition).filter(|(low, _)| *low > expected) {
            self.flush();
            self.session.note_lost(partition, expected, low.min(offset), Loss::Deleted);
        }
        false
    }

    /// The next messages are of this partition; returns whether it is this reader's.
    fn start_run(&mut self, topic: &Arc<str>, partition: i32) -> bool {
        self.flush();
        let tenure = self.session.assignment.tenure(topic, partition);
        self.run = tenure.map(|tenure| {
            let until_eos = self.session.settings.until_eos;
            let end = until_eos.then(|| {
                // A partition that was not there when the reader started has nothing to read.
                self.session.assignment.ends(&(topic.to_string(), partition)).map_or(i64::MIN, |ends| ends.high)
            });
            Run { tenure, topic: Arc::clone(topic), partition, end }
        });
        self.run.is_some()
    }

    /// Puts the messages that were gathered into the queue.
    fn flush(&mut self) {
        let size = std::mem::take(&mut self.size);
        self.shared.forget_topic();
        if let Some(batch) = self.batch.take() {
            if self.session.settings.topics.are_nightly()
                && let Some((offset, _)) = batch.items.last()
            {
                let partition = (batch.tenure.topic.to_string(), batch.tenure.partition);
                self.at_end.remove(&partition);
                self.last.insert(partition, *offset);
            }
            self.session.queue.put([(Arrival::Batch(batch), size)]);
        }
    }

    /// Settles whose ends are still to be reached, after the partitions changed.
    fn note_assignment(&mut self) {
        self.run = None;
        if !self.session.settings.until_eos {
            return;
        }
        let before = std::mem::take(&mut self.unread);
        let known = std::mem::replace(&mut self.known, self.session.assignment.tenures());
        for (partition, (start, _)) in self.session.assignment.partitions() {
            let Some(ends) = self.session.assignment.ends(&partition) else { continue };
            let is_this = |tenure: &Arc<Tenure>| *tenure.topic == *partition.0 && tenure.partition == partition.1;
            let now = self.known.iter().find(|tenure| is_this(tenure));
            let is_new = now.is_none_or(|now| !known.iter().any(|tenure| Arc::ptr_eq(tenure, now)));
            let is_unread = match is_new {
                true => start.unwrap_or(ends.low).max(ends.low) < ends.high,
                false => before.contains_key(&partition),
            };
            if is_unread {
                self.unread.insert(partition, ends.high);
            }
        }
    }

    /// Whether the ends of all partitions, as they stood when the reader started, are reached.
    fn is_all_read(&self) -> bool {
        self.session.settings.until_eos && self.unread.is_empty() && self.session.assignment.is_settled()
    }

    /// Hands an error over, unless librdkafka mends it by itself; ends the reading where it cannot go on.
    fn report(&mut self, partition: Option<(Partition, i64)>, error: KafkaError, reason: &str) -> ControlFlow<()> {
        self.session.note_error(&error, reason);
        if self.session.is_of_no_group(&error) {
            return ControlFlow::Continue(());
        }
        let unreadable = partition.as_ref().filter(|(_, offset)| *offset >= 0 && is_unreadable(&error));
        if let Some((partition, base)) = unreadable
            && self.session.settings.pass_unreadable
        {
            self.pass_unreadable(partition, *base, reason);
            return ControlFlow::Continue(());
        }
        let is_unreadable = unreadable.is_some();
        let fatal = matches!(error, KafkaError::MessageConsumptionFatal(_));
        // A transient error was logged when it was noted.
        if fatal || !error.rdkafka_error_code().is_some_and(is_transient) {
            self.flush();
            // A batch that cannot be unpacked is found by its place alone.
            let operation = match partition {
                Some(((topic, id), offset)) if offset >= 0 => format!("reading {topic}[{id}]@{offset}"),
                Some(((topic, id), _)) => format!("reading {topic}[{id}]"),
                None => "reading".to_owned(),
            };
            let error = self.session.error(&operation, error);
            self.session.fail(match is_unreadable {
                true => error.help(UNREADABLE),
                false => error,
            });
        }
        if fatal { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Waits for a slow reader; ends the reading where there is no reader any more.
    fn make_space(&mut self) -> ControlFlow<()> {
        let waiting_since = Instant::now();
        loop {
            if self.session.is_stopped() {
                return ControlFlow::Break(());
            }
            let is_paused = self.session.is_paused();
            if !is_paused && self.session.queue.wait_for_space(POLL) {
                return ControlFlow::Continue(());
            }
            self.serve();
            if is_paused || waiting_since.elapsed() >= SLOW_READER {
                return self.poll_while_paused();
            }
        }
    }

    /// Keeps the membership in the group alive while the reader works on what it has: polls, and fetches nothing.
    fn poll_while_paused(&mut self) -> ControlFlow<()> {
        let mut paused_in = None;
        while self.session.is_paused() || !self.session.queue.wait_for_space(Duration::ZERO) {
            if self.session.is_stopped() {
                return ControlFlow::Break(());
            }
            self.serve();
            // Partitions that are assigned meanwhile come unpaused.
            let generation = self.session.assignment.generation();
            if paused_in != Some(generation) {
                paused_in = Some(generation);
                if let Err(error) = self.client.pause(true, None) {
                    tracing::warn!(target: "hop", %error, "the partitions could not be paused for a slow reader");
                }
            }
            // A message that was on its way when the partitions were paused is taken all the same.
            if let Some(event) = self.client.poll(&mut self.shared, POLL) {
                let mut taken = Size::default();
                self.handle(event, &mut taken)?;
                self.flush();
            }
        }
        if let Err(error) = self.client.pause(false, None) {
            self.session.fail(Error::kafka("going on after a pause for a slow reader", error));
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    /// Nothing more is read, and the reader still works on what it has: offsets are stored and committed, and the place
    /// in the group is kept, until it is done.
    fn serve_until_closed(&mut self) {
        self.is_over = true;
        if let Err(error) = self.client.pause(true, None) {
            tracing::debug!(target: "hop", %error, "the partitions could not be paused at the end");
        }
        while !self.session.is_closed() {
            self.serve();
            if let Some(event) = self.client.poll(&mut self.shared, POLL) {
                // What comes in spite of the pause is not handed over, so it is not stored as done either.
                let _over = self.handle(event, &mut Size::default());
            }
        }
    }

    /// Stores what is done from time to time, and does what the controls ask.
    fn serve(&mut self) {
        if self.stored.elapsed() >= STORE {
            self.store();
        }
        for request in self.session.take_requests() {
            self.answer(request);
        }
        #[cfg(feature = "metrics")]
        if self.report.is_due() {
            self.report_metrics();
        }
    }

    #[cfg(feature = "metrics")]
    fn report_metrics(&mut self) {
        let lag = |tenure: &Arc<Tenure>| {
            let (_, end) = self.client.ends(&(tenure.topic.to_string(), tenure.partition))?;
            Some((tenure.topic.to_string(), tenure.partition, (end - tenure.position()?).max(0)))
        };
        let lags = self.session.assignment.tenures().iter().filter_map(lag).collect();
        self.report.report(self.session.counters.read(), self.session.queue.waiting(), lags);
    }

    fn store(&mut self) {
        self.stored = Instant::now();
        let offsets = self.session.to_store();
        if !offsets.is_empty()
            && let Err(error) = self.client.store(&offsets)
        {
            // The partition went to another member, which reads from the last commit: the messages come twice.
            tracing::debug!(target: "hop", %error, "offsets are not stored");
        }
    }

    fn answer(&mut self, request: Request) {
        // Whoever asked may have given up waiting for the answer.
        match request {
            Request::Seek { place, within, answer } => {
                let _received = answer.send(self.seek(&place, within));
            }
            Request::Commit { operation, partition, offset, answer } => {
                aside(&self.client, answer, move |client| {
                    let committed = client.commit(&vec![(partition, Offset::Offset(offset))]);
                    committed.map_err(|error| Error::kafka(&operation, error))
                });
            }
            Request::Lag { within, answer } => aside(&self.client, answer, move |client| lag(client, within)),
        }
    }

    fn seek(&mut self, place: &hop_core::Place, within: Duration) -> Result<(), Error> {
        let operation = || format!("going to {place}");
        if self.is_over {
            return Err(super::session::ended(&operation()));
        }
        self.flush();
        self.client.seek(place, within).map_err(|error| Error::kafka(&operation(), error))?;
        let partition = (place.topic.to_string(), place.partition);
        self.session.assignment.note_moved(&partition, place.offset, StartReason::Seek);
        self.session.forget_ended();
        self.note_assignment();
        Ok(())
    }

    /// Goes on to the topics of the present nights. One of an earlier night goes once all of it is handed over and done.
    fn roll_over(&mut self) {
        self.flush();
        let session = Arc::clone(&self.session);
        let is_idle = session.queue.wait_until_empty(Duration::ZERO);
        let is_done = |tenure: &Tenure, partition: &Partition| {
            !session.settings.is_in_group() || self.last.get(partition).is_none_or(|last| tenure.is_done(*last))
        };
        let is_over = |topic: &str| {
            let own = session.assignment.tenures().into_iter().filter(|tenure| *tenure.topic == *topic);
            is_idle
                && own.into_iter().all(|tenure| {
                    let partition = (tenure.topic.to_string(), tenure.partition);
                    self.at_end.contains(&partition) && is_done(&tenure, &partition)
                })
        };
        if roll_over(&session, &*self.client, is_over) {
            let topics = session.topics();
            self.at_end.retain(|partition| topics.contains(&partition.0));
            self.last.retain(|partition, _| topics.contains(&partition.0));
            self.note_assignment();
        } else if !session.settings.is_in_group() {
            assign_new(&session, &*self.client);
        }
    }

    /// Looks for new partitions, without a group.
    fn discover(&mut self) {
        let settings = &self.session.settings;
        if settings.until_eos {
            return;
        }
        if settings.topics.are_nightly() {
            if self.looked.elapsed() >= settings.discovery.unwrap_or(NIGHTFALL) {
                self.roll_over();
                self.looked = Instant::now();
            }
            return;
        }
        if settings.is_in_group() {
            return;
        }
        if settings.discovery.is_some_and(|interval| self.looked.elapsed() >= interval) {
            assign_new(&self.session, &*self.client);
            self.looked = Instant::now();
        }
    }
}

/// Runs what blocks in librdkafka on a thread of its own, and sends the answer. A thread of the runtime would keep the
/// whole program from ending for as long as the broker does not answer.
fn aside<C: Client, T: Send + 'static>(
    client: &Arc<C>,
    answer: oneshot::Sender<Result<T, Error>>,
    ask: impl FnOnce(&C) -> Result<T, Error> + Send + 'static,
) {
    let client = Arc::clone(client);
    let spawned = spawn("hop-request", move || {
        let answered = ask(&client);
        // Nobody who hears the answer may find the client still in use.
        drop(client);
        let _received = answer.send(answered);
    });
    if let Err(error) = spawned {
        tracing::error!(target: "hop", %error, "a request to the broker could not be made");
    }
}

/// Closes the client on this thread: not before the requests that use it are answered, so that the end that the reader sees
/// afterwards is one.
fn close<C>(mut client: Arc<C>) {
    while let Err(shared) = Arc::try_unwrap(client) {
        client = shared;
        std::thread::sleep(Duration::from_millis(5));
    }
}

mod passing;
#[cfg(test)]
mod tests;
