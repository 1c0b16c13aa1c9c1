//! Messages that are too large for their topic: stored in the archive, with a placeholder sent in their place.
//!
//! A message that is known to be too large is stored before it is queued, so that the order of a writer's messages stays.
//! One that the broker alone finds too large is sent again by itself, since it may have been its batch that was too large, and
//! is stored when the broker refuses that as well; it then comes after messages that were queued meanwhile.

use std::ffi::CString;
use std::fmt;
use std::sync::{Arc, OnceLock, Weak, mpsc};
use std::time::{Duration, Instant};

use hop_core::{Outgoing, header};
use rdkafka::producer::{BaseProducer, Producer as _};
use tokio::sync::oneshot;

use super::context::WriterContext;
use super::delivery::InFlight;
use super::publish::BATCH;
use super::send::send;
use super::unsent::Unsent;
use crate::archive::{Server, placeholder};
use crate::blocking::{own, spawn};
use crate::http::Failure;
use crate::pool::Pool;
use crate::record::{native_headers, size_as_sent};
use crate::{Error, ErrorKind, Offload, Stream, Undelivered, Url};

/// How long a message may take to be stored, all attempts together.
const PATIENCE: Duration = Duration::from_secs(300);
/// The longest URL of a stored message that is reckoned with, in bytes.
const LONGEST_URL: usize = 512;
/// How many messages may wait for being stored after the broker has refused them.
const BEHIND: usize = 100;
/// How often a message may be refused with others in its batch.
const TRIES: u32 = 10;
/// How long nothing else is queued for a message that is to be sent by itself.
const ALONE: Duration = Duration::from_secs(2);
/// How often a message that is sent again is looked after.
const GLANCE: Duration = Duration::from_millis(2);

/// Stores the messages of one writer.
pub(super) struct Offloader {
    stream: Stream,
    broker: Url,
    mode: Offload,
    sender: Option<String>,
    patience: Duration,
    /// Made when it is needed first: most writers never do.
    server: OnceLock<Server>,
    /// To the thread that stores what the broker has refused; made when there is something.
    refused: OnceLock<mpsc::Sender<Refused>>,
    behind: Unsent,
    /// Messages that are to be sent by themselves: meanwhile nothing is queued.
    alone: Unsent,
    pool: Pool,
}

impl fmt::Debug for Offloader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Offloader").field("mode", &self.mode).finish_non_exhaustive()
    }
}

impl Offloader {
    pub(super) fn new(
        stream: Stream,
        broker: Url,
        mode: Offload,
        sender: Option<String>,
        produce_timeout: Duration,
    ) -> Self {
        let patience = if produce_timeout.is_zero() { PATIENCE } else { produce_timeout.min(PATIENCE) };
        Self {
            stream,
            broker,
            mode,
            sender,
            patience,
            server: OnceLock::new(),
            pool: Pool::new("hop-offload"),
            refused: OnceLock::new(),
            behind: Unsent::default(),
            alone: Unsent::default(),
        }
    }

    /// Returns true if every message is stored.
    pub(super) fn is_for_all(&self) -> bool {
        self.mode == Offload::Always
    }

    /// Returns true if it stores messages that are too large.
    pub(super) fn is_on(&self) -> bool {
        self.mode != Offload::Off
    }

    /// Returns true if it stores messages that are too large, and this is not a placeholder itself.
    pub(super) fn may_store(&self, message: &Outgoing) -> bool {
        let is_placeholder =
            message.headers.get(header::FORMAT).is_some_and(|label| label.eq_ignore_ascii_case(b"external"));
        self.is_on() && !is_placeholder
    }

    /// Returns true if the topic takes the placeholder of this message.
    pub(super) fn fits(&self, message: &Outgoing, limit: usize) -> bool {
        let url = "x".repeat(LONGEST_URL);
        size_as_sent(&placeholder(message, &url, self.sender.as_deref())) <= limit
    }

    fn server(&self) -> Result<&Server, Failure> {
        if let Some(server) = self.server.get() {
            return Ok(server);
        }
        let server = Server::new(&self.stream, &self.broker)
            .map_err(|error| Failure::new(error.kind(), error.to_string(), "nothing was stored"))?;
        Ok(self.server.get_or_init(|| server))
    }

    /// Returns whether the broker has an archive.
    fn has_archive(&self) -> Result<bool, Failure> {
        self.server()?.is_there()
    }

    /// Stores the message, and returns its placeholder; waits on this thread.
    fn store(&self, topic: &str, message: &Outgoing, nobody_waits: &dyn Fn() -> bool) -> Result<Outgoing, Failure> {
        let deadline = Instant::now() + self.patience;
        let url = self.server()?.store(topic, message, deadline, nobody_waits)?;
        Ok(placeholder(message, &url, self.sender.as_deref()))
    }

    /// Stores the message on a thread of the pool, and returns its placeholder; `None` where the broker has no archive.
    pub(super) async fn replace(self: &Arc<Self>, topic: &str, message: &Outgoing) -> Result<Option<Outgoing>, Error> {
        let (tell, stored) = oneshot::channel();
        let (offloader, for_topic, message) = (Arc::clone(self), topic.to_owned(), message.clone());
        self.pool.run(None, move || {
            // The writer may have given up meanwhile.
            if tell.is_closed() {
                return;
            }
            let stored = offloader.has_archive().and_then(|has_archive| match has_archive {
                true => offloader.store(&for_topic, &message, &|| tell.is_closed()).map(Some),
                false => Ok(None),
            });
            let _received = tell.send(stored);
        })?;
        let ended = || Failure::new(ErrorKind::Kafka, "the thread that stored it ended", "write the message again");
        let stored = own(stored).await.unwrap_or_else(|_| Err(ended()));
        stored.map_err(|failure| {
            let what = format!("writing to `{topic}`: the message is too large, and was not stored: {}", failure.what);
            Error::from(Failure { what, ..failure })
        })
    }

    /// Has a message stored that the broker has refused as too large, and its placeholder queued in the place of it. They are
    /// dealt with one after the other, on a thread of their own; gives the message back where there can be none.
    pub(super) fn replace_refused(
        self: &Arc<Self>,
        producer: &Weak<BaseProducer<WriterContext>>,
        undelivered: Undelivered,
        in_flight: &Arc<InFlight>,
    ) -> Option<Undelivered> {
        let refusals = in_flight.refuse();
        let refused = Refused { undelivered, in_flight: Arc::clone(in_flight), refusals };
        let outlet = match self.refused.get() {
            Some(outlet) => outlet,
            None => {
                let (outlet, incoming) = mpsc::channel();
                let (offloader, producer) = (Arc::downgrade(self), Weak::clone(producer));
                if spawn("hop-offload", move || run(&offloader, &producer, &incoming)).is_err() {
                    return Some(refused.undelivered);
                }
                self.refused.get_or_init(|| outlet)
            }
        };
        self.behind.begin();
        outlet.send(refused).err().map(|back| {
            self.behind.end();
            back.0.undelivered
        })
    }

    /// Returns true if so many messages wait to be stored that no more are to be queued, or if one is to be sent by itself.
    pub(super) fn is_behind(&self) -> bool {
        self.behind.count() > BEHIND || self.alone.count() > 0
    }

    /// Waits until more are to be queued.
    pub(super) async fn catch_up(&self) {
        self.behind.at_most(BEHIND / 2).await;
        self.alone.at_most(0).await;
    }

    fn settle(&self, producer: &Weak<BaseProducer<WriterContext>>, refused: Refused) {
        let Refused { undelivered, in_flight, refusals } = refused;
        let Undelivered { topic, message, .. } = &undelivered;
        // It may have been the batch that was too large, and not this message.
        let is_its_own = in_flight.is_alone() || size_as_sent(message) > BATCH || refusals >= TRIES;
        let queued = match is_its_own {
            false => self.send_alone(producer, topic, message, &in_flight, refusals),
            true => self.send_stored(producer, &undelivered, &in_flight),
        };
        match (queued, producer.upgrade()) {
            (Some(Ok(())), _) => {}
            (Some(Err((kind, reason))), Some(client)) => {
                client.context().tally.failed();
                in_flight.report(Err(Undelivered { kind, reason, ..undelivered }));
                client.context().unsent.end();
            }
            _ => give_up(undelivered, in_flight),
        }
    }

    /// Sends a message again when nothing else is on its way, and waits for what becomes of it; `None` if the writer is gone.
    ///
    /// What is on its way may not arrive for long: then the message may have others in its batch, and is sent once more if that
    /// is refused.
    fn send_alone(
        &self,
        producer: &Weak<BaseProducer<WriterContext>>,
        topic: &str,
        message: &Outgoing,
        in_flight: &Arc<InFlight>,
        refusals: u32,
    ) -> Option<Result<(), (ErrorKind, String)>> {
        let until = Instant::now() + ALONE;
        let mut nothing_is_queued = Some(Counted::new(&self.alone));
        while producer.upgrade()?.in_flight_count() > 0 && Instant::now() < until {
            std::thread::sleep(GLANCE);
        }
        let client = producer.upgrade()?;
        in_flight.set_alone(client.in_flight_count() == 0);
        if let Err(failed) = queue(&client, topic, message, in_flight) {
            return Some(Err(failed));
        }
        drop(client);
        while in_flight.is_pending(refusals + 1) && producer.strong_count() > 0 {
            if nothing_is_queued.is_some() && Instant::now() >= until {
                in_flight.set_alone(false);
                nothing_is_queued = None;
            }
            std::thread::sleep(GLANCE);
        }
        Some(Ok(()))
    }

    /// Stores a message, and sends its placeholder; `None` if the writer is gone.
    fn send_stored(
        &self,
        producer: &Weak<BaseProducer<WriterContext>>,
        undelivered: &Undelivered,
        in_flight: &Arc<InFlight>,
    ) -> Option<Result<(), (ErrorKind, String)>> {
        let Undelivered { topic, message, kind, reason } = undelivered;
        let stored = match self.may_store(message) {
            true => self.stored(topic, message, &|| producer.strong_count() == 0, undelivered),
            // Not even its placeholder fits; the broker's own words say enough.
            false => Err((*kind, reason.clone())),
        };
        let client = producer.upgrade()?;
        Some(stored.and_then(|placeholder| {
            client.context().tally.offloaded();
            // It may get into a batch that is too large.
            in_flight.set_alone(false);
            queue(&client, topic, &placeholder, in_flight)
        }))
    }

    fn stored(
        &self,
        topic: &str,
        message: &Outgoing,
        nobody_waits: &dyn Fn() -> bool,
        refused: &Undelivered,
    ) -> Result<Outgoing, (ErrorKind, String)> {
        match self.has_archive() {
            // The broker's own words say enough.
            Ok(false) => Err((refused.kind, refused.reason.clone())),
            Ok(true) => self.store(topic, message, nobody_waits).map_err(reason),
            Err(failure) => Err(reason(failure)),
        }
    }
}

/// A message that the broker has refused as too large.
struct Refused {
    undelivered: Undelivered,
    in_flight: Arc<InFlight>,
    /// How often it was before.
    refusals: u32,
}

/// Counts as one for as long as it is there.
struct Counted<'a>(&'a Unsent);

impl<'a> Counted<'a> {
    fn new(count: &'a Unsent) -> Self {
        count.begin();
        Self(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Deals with what is refused until the writer is gone.
fn run(offloader: &Weak<Offloader>, producer: &Weak<BaseProducer<WriterContext>>, incoming: &mpsc::Receiver<Refused>) {
    while let Ok(refused) = incoming.recv() {
        match offloader.upgrade() {
            Some(offloader) => {
                offloader.settle(producer, refused);
                offloader.behind.end();
            }
            None => give_up(refused.undelivered, refused.in_flight),
        }
    }
}

/// Reports a message whose writer is gone.
fn give_up(undelivered: Undelivered, in_flight: Arc<InFlight>) {
    let reason = format!("writing to `{}`: the writer ended before the message was stored", undelivered.topic);
    in_flight.report(Err(Undelivered { kind: ErrorKind::TimedOut, reason, ..undelivered }));
}

fn reason(failure: Failure) -> (ErrorKind, String) {
    (failure.kind, Error::from(failure).to_string())
}

/// Queues the placeholder; the message's delivery is that of its placeholder.
fn queue(
    producer: &BaseProducer<WriterContext>,
    topic: &str,
    placeholder: &Outgoing,
    in_flight: &Arc<InFlight>,
) -> Result<(), (ErrorKind, String)> {
    let unsendable =
        |why: &str| (ErrorKind::Kafka, format!("writing to `{topic}`: the placeholder cannot be sent: {why}"));
    let name = CString::new(topic).map_err(|_| unsendable("the topic's name"))?;
    let mut headers = Some(native_headers(&placeholder.headers).ok_or_else(|| unsendable("there is no memory"))?);
    let mut in_flight = Arc::clone(in_flight);
    loop {
        match send(producer, &name, placeholder, &mut headers, in_flight) {
            Ok(()) => return Ok(()),
            // There will be room: what is queued is sent or given up.
            Err((rdkafka::error::RDKafkaErrorCode::QueueFull, back)) => {
                in_flight = back;
                std::thread::sleep(Duration::from_millis(10));
            }
            Err((code, _)) => return Err(unsendable(&code.to_string())),
        }
    }
}
