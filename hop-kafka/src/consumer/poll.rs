//! The thread that polls librdkafka.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rdkafka::consumer::base_consumer::PartitionQueue;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Message as _};
use rdkafka::topic_partition_list::Offset;
use tokio::sync::oneshot;

use super::assign::Assigner;
use super::control::{Seek, Seeks};
use super::done::{Partition, partition_of};
use super::inbox::{Inbox, Item};
use super::start::StartReason;
use crate::auth::token::Refresher;
use crate::counters::Tally;
use crate::error::is_transient;
use crate::record::{Topics, record};
use crate::time::for_librdkafka;
use crate::{Error, ErrorKind};

/// How long one poll waits: the delay with which the thread sees that it is to stop.
const POLL: Duration = Duration::from_millis(100);
/// How long the thread waits for a slow reader before it pauses the partitions and goes on polling, as a member of a
/// group must.
const SLOW_READER: Duration = Duration::from_secs(5);
/// Messages taken from one partition before the next one has its turn.
const TURN: usize = 100;

type Consumer = BaseConsumer<Assigner>;

pub(super) struct Poller {
    pub(super) topics: Vec<String>,
    pub(super) in_group: bool,
    pub(super) until_eos: bool,
    pub(super) connect_timeout: Duration,
    /// How often new partitions are looked for, if at all, without a group; in one, librdkafka does.
    pub(super) discovery: Option<Duration>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) seeks: Arc<Seeks>,
    pub(super) tally: Arc<Tally>,
    pub(super) stop: Arc<AtomicBool>,
    /// Gives the consumer its tokens.
    pub(super) tokens: Option<Refresher>,
}

/// Ends the inbox when the thread ends, however it does.
struct EndOnDrop(Arc<Inbox>);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0
                .put(Item::Failed(Error::new(ErrorKind::Kafka, "the reader's thread panicked; this is a bug in hop")));
        }
        self.0.end();
    }
}

impl Poller {
    pub(super) fn run(self, consumer: Arc<Consumer>, started: oneshot::Sender<Result<(), Error>>) {
        let _end = EndOnDrop(Arc::clone(&self.inbox));
        let outcome = self.connect(&consumer);
        let connected = outcome.is_ok();
        // Where nobody waits for the connection, the one who reads is told.
        if let Err(Err(error)) = started.send(outcome) {
            self.inbox.put(Item::Failed(error));
        }
        if connected {
            // Why reading ended makes no difference here: the reader has been told.
            let _ended = if self.until_eos { self.read_to_the_ends(&consumer) } else { self.read_for_ever(&consumer) };
            self.inbox.complete();
            self.serve_until_closed(&consumer);
        }
        self.seeks.end();
        self.inbox.count();
        // Closing leaves the group and commits what is stored; it may take a while, and is over before `_end` says so.
        // It holds the consumer too.
        drop(self.tokens);
        close(consumer);
    }

    fn connect(&self, consumer: &Consumer) -> Result<(), Error> {
        let assigner = consumer.context();
        assigner.connect(consumer, &self.topics, self.connect_timeout, &|| self.is_stopped())?;
        if self.in_group {
            let topics: Vec<&str> = self.topics.iter().map(String::as_str).collect();
            consumer.subscribe(&topics).map_err(|error| Error::kafka("joining the group", error))
        } else {
            assigner.assign_all(consumer)
        }
    }

    /// Whether the subscription is closed or dropped.
    fn is_closed(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// Whether nothing more is to be read.
    fn is_stopped(&self) -> bool {
        self.is_closed() || self.inbox.is_stopped()
    }

    /// Nothing more is read, and the reader still works on what it has: offsets are stored and committed, and the place
    /// in the group is kept, until it is done.
    fn serve_until_closed(&self, consumer: &Consumer) {
        let paused = consumer.assignment().and_then(|list| consumer.pause(&list));
        if let Err(error) = paused {
            tracing::debug!(target: "hop", %error, "the partitions could not be paused at the end");
        }
        self.seeks.end();
        while !self.is_closed() {
            // What comes in spite of the pause is not handed over, so it is not stored as done either.
            let _event = consumer.poll(POLL);
        }
    }

    fn read_for_ever(&self, consumer: &Consumer) -> ControlFlow<()> {
        let mut topics = Topics::default();
        let mut looked = Instant::now();
        while !self.is_stopped() {
            self.make_space(consumer, &mut topics)?;
            self.seek_where_asked(consumer);
            if !self.in_group && self.discovery.is_some_and(|interval| looked.elapsed() >= interval) {
                consumer.context().assign_new(consumer, &self.topics, &|| self.is_stopped());
                looked = Instant::now();
            }
            match consumer.poll(POLL) {
                None => {}
                Some(Ok(message)) => self.receive(consumer, &message, &mut topics),
                Some(Err(error)) => self.report(consumer, error)?,
            }
        }
        ControlFlow::Break(())
    }

    /// Every partition has a queue of its own here: the end of a partition is told without the topic's name, and only the
    /// queue says which one it is.
    fn read_to_the_ends(&self, consumer: &Arc<Consumer>) -> ControlFlow<()> {
        let mut topics = Topics::default();
        let (mut generation, mut settled) = (0, false);
        let mut queues: Vec<(Partition, PartitionQueue<Assigner>)> = Vec::new();
        let mut unread: HashMap<Partition, i64> = HashMap::new();
        // How many events to serve before the messages. While there are none, errors must not wait behind log lines, which
        // come through the same queue.
        let mut events = TURN;
        while !self.is_stopped() {
            self.make_space(consumer, &mut topics)?;
            for partition in self.seek_where_asked(consumer) {
                if let Some(ends) = consumer.context().ends(&partition) {
                    unread.insert(partition, ends.high);
                }
            }
            let (mut idle, mut end_of_some) = (true, false);
            for _ in 0..events {
                match consumer.poll(Duration::ZERO) {
                    None => {}
                    Some(Ok(message)) => {
                        idle = false;
                        self.take(consumer, &message, &mut topics, &mut unread);
                    }
                    // The end of a partition that is not in its own queue, so that it cannot be told of which: all are given
                    // their queues anew, and the end is told again.
                    Some(Err(KafkaError::PartitionEOF(_))) => end_of_some = true,
                    Some(Err(error)) => self.report(consumer, error)?,
                }
            }
            let changed = consumer.context().generation() != generation;
            if changed || end_of_some {
                let assignment = consumer.context().assignment();
                if changed {
                    generation = assignment.generation;
                    settled = assignment.settled;
                    unread = still_unread(consumer.context(), &assignment.partitions);
                }
                queues.clear();
                queues = split(consumer, assignment.partitions.keys());
            }
            for (partition, queue) in &queues {
                for _ in 0..TURN {
                    if !self.inbox.wait_for_space(Duration::ZERO) {
                        break;
                    }
                    match queue.poll(Duration::ZERO) {
                        None => break,
                        Some(Ok(message)) => {
                            idle = false;
                            self.take(consumer, &message, &mut topics, &mut unread);
                        }
                        Some(Err(KafkaError::PartitionEOF(_))) => {
                            unread.remove(partition);
                        }
                        Some(Err(error)) => self.report(consumer, error)?,
                    }
                }
            }
            events = if idle { TURN } else { 1 };
            if settled && unread.is_empty() {
                // A change of the group takes back what is not handed over; then there is more to read.
                if self.inbox.wait_until_empty(POLL) {
                    break;
                }
            } else if idle {
                std::thread::park_timeout(POLL);
            }
        }
        ControlFlow::Break(())
    }

    /// Puts the message into the inbox; unless it came after the reader started, and reading ends before it.
    fn receive(&self, consumer: &Consumer, message: &BorrowedMessage<'_>, topics: &mut Topics) {
        if self.until_eos {
            let partition = (message.topic().to_owned(), message.partition());
            if consumer.context().ends(&partition).is_none_or(|ends| message.offset() >= ends.high) {
                return;
            }
        }
        let record = record(message, topics);
        self.tally.received(record.content.len());
        self.inbox.put(Item::Record(record));
    }

    /// Reads on from elsewhere in the partitions that a control asked for; returns them.
    fn seek_where_asked(&self, consumer: &Consumer) -> Vec<Partition> {
        let seek = |Seek { place, within, tell }| {
            let partition = partition_of(&place);
            let sought =
                consumer.seek(&place.topic, place.partition, Offset::Offset(place.offset), for_librdkafka(within));
            if sought.is_ok() {
                consumer.context().moved(&partition, place.offset);
            }
            // Whoever asked may have given up waiting for the answer.
            let _told = tell.send(sought.map_err(|error| Error::kafka(&format!("going to {place}"), error)));
            partition
        };
        self.seeks.take().into_iter().map(seek).collect()
    }

    fn take(
        &self,
        consumer: &Consumer,
        message: &BorrowedMessage<'_>,
        topics: &mut Topics,
        unread: &mut HashMap<Partition, i64>,
    ) {
        self.receive(consumer, message, topics);
        let partition = (message.topic().to_owned(), message.partition());
        if unread.get(&partition).is_some_and(|end| message.offset() + 1 >= *end) {
            unread.remove(&partition);
        }
    }

    /// Hands an error over, unless librdkafka mends it by itself; ends the reading where it cannot go on.
    fn report(&self, consumer: &Consumer, error: KafkaError) -> ControlFlow<()> {
        let (worth_telling, fatal) = match &error {
            KafkaError::PartitionEOF(_) => (false, false),
            error if consumer.context().is_none_of_ours(error) => (false, false),
            KafkaError::MessageConsumptionFatal(_) => (true, true),
            // The client logged a transient one as it heard of it.
            _ => (!error.rdkafka_error_code().is_some_and(is_transient), false),
        };
        if worth_telling {
            self.tally.error();
            self.inbox.put(Item::Failed(consumer.context().told("reading", error)));
        }
        if fatal { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Waits for a slow reader; ends the reading where there is no reader any more.
    fn make_space(&self, consumer: &Consumer, topics: &mut Topics) -> ControlFlow<()> {
        let waiting_since = Instant::now();
        while !self.inbox.wait_for_space(POLL) {
            if self.is_stopped() {
                return ControlFlow::Break(());
            }
            if self.inbox.is_paused() || waiting_since.elapsed() >= SLOW_READER {
                return self.poll_while_paused(consumer, topics);
            }
        }
        ControlFlow::Continue(())
    }

    /// Keeps the membership in the group alive while the reader works on what it has: polls, and fetches nothing.
    fn poll_while_paused(&self, consumer: &Consumer, topics: &mut Topics) -> ControlFlow<()> {
        let mut paused_in = None;
        while !self.inbox.wait_for_space(Duration::ZERO) {
            if self.is_stopped() {
                return ControlFlow::Break(());
            }
            self.seek_where_asked(consumer);
            // Partitions that are assigned meanwhile come unpaused.
            let generation = consumer.context().generation();
            if paused_in != Some(generation) {
                paused_in = Some(generation);
                if let Err(error) = consumer.assignment().and_then(|list| consumer.pause(&list)) {
                    tracing::warn!(target: "hop", %error, "the partitions could not be paused for a slow reader");
                }
            }
            match consumer.poll(POLL) {
                None => {}
                // It was on its way when the partitions were paused.
                Some(Ok(message)) => self.receive(consumer, &message, topics),
                Some(Err(error)) => self.report(consumer, error)?,
            }
        }
        let resumed = consumer.assignment().and_then(|list| consumer.resume(&list));
        if let Err(error) = resumed {
            self.inbox.put(Item::Failed(Error::kafka("going on after a pause for a slow reader", error)));
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}

/// Closes the consumer on this thread: not before those are through who still wait for a commit, so that the end that is
/// told afterwards is one.
fn close(mut consumer: Arc<Consumer>) {
    while let Err(shared) = Arc::try_unwrap(consumer) {
        consumer = shared;
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The assigned partitions whose end, as it stood at the start, is not reached, with that end.
fn still_unread(
    assigner: &Assigner,
    assigned: &HashMap<Partition, (Option<i64>, StartReason)>,
) -> HashMap<Partition, i64> {
    assigned
        .iter()
        .filter_map(|(partition, (start, _))| {
            let ends = assigner.ends(partition)?;
            (start.unwrap_or(ends.low).max(ends.low) < ends.high).then(|| (partition.clone(), ends.high))
        })
        .collect()
}

/// A queue for each partition. They are paused meanwhile, so that what was fetched into the common queue is dropped there
/// and fetched again into their own.
fn split<'a>(
    consumer: &Arc<Consumer>,
    partitions: impl Iterator<Item = &'a Partition>,
) -> Vec<(Partition, PartitionQueue<Assigner>)> {
    let assignment = consumer.assignment();
    let paused = assignment.as_ref().map_err(Clone::clone).and_then(|list| consumer.pause(list));
    let this_thread = std::thread::current();
    let queues = partitions
        .filter_map(|partition| {
            let mut queue = consumer.split_partition_queue(&partition.0, partition.1)?;
            let thread = this_thread.clone();
            queue.set_nonempty_callback(move || thread.unpark());
            Some((partition.clone(), queue))
        })
        .collect();
    let resumed = assignment.as_ref().map_err(Clone::clone).and_then(|list| consumer.resume(list));
    if let Err(error) = paused.and(resumed) {
        tracing::error!(target: "hop", %error, "the partitions could not be given queues of their own");
    }
    queues
}
