//! Reading from the archive what Kafka no longer has, and going on with what it has and gets.

use std::collections::HashSet;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::time::SystemTime;

use hop_core::Record;

use super::decode::{Item, Outcome};
use super::{Alert, StartPosition, Subscribe, Subscription};
use crate::archive::Messages;
use crate::{Error, ErrorKind};

/// How many messages from the archive are remembered, so that they are not handed over again; 16 bytes each.
const REMEMBERED: usize = 4_000_000;

/// How far a [`Backfill`] has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct BackfillCounters {
    /// Messages that came from the archive.
    pub archived: u64,
    /// Messages that came from Kafka after they had come from the archive; they were handed over once.
    pub repeated: u64,
    /// Messages in the archive that their senders have withdrawn; they were not handed over.
    pub retracted: u64,
    /// Whether the archive has been read to its end.
    pub is_through: bool,
}

/// A reader of the archive first and of Kafka then: [`Subscribe::from_archive`].
pub struct Backfill {
    /// `None` once it is read.
    archive: Option<Messages>,
    live: Subscription,
    seen: Seen,
    counters: BackfillCounters,
    fetches: bool,
}

impl fmt::Debug for Backfill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backfill").field("counters", &self.counters).finish_non_exhaustive()
    }
}

impl Subscribe {
    /// Connects, and returns a reader that starts at this time: with what the broker's archive has, then with what Kafka has
    /// and gets. A message that both have is handed over once, and counted.
    ///
    /// Kafka is connected to first, so that what is published meanwhile is not missed; what it still has since that time is
    /// read from both. The archive's messages have no place, and come in the order of their timestamps. An error of the
    /// archive is handed over, and reading goes on with Kafka: then messages are missing. More than 4,000,000 messages of the
    /// archive are not all remembered, and some may come twice.
    ///
    /// ```no_run
    /// # async fn demo(hop: hop_kafka::Stream) -> Result<(), hop_kafka::Error> {
    /// use std::time::{Duration, SystemTime};
    ///
    /// let last_quarter = SystemTime::now() - Duration::from_secs(90 * 86_400);
    /// let mut alerts = hop.subscribe("kafka://kafka.scimma.org/gcn.circular").from_archive(last_quarter).await?;
    /// while let Some(alert) = alerts.next().await {
    ///     println!("{:?}", alert?.model);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of a reader without the archive. Kind `Usage` with a [`group`](Self::group), whose place the archive does not know.
    pub async fn from_archive(self, since: SystemTime) -> Result<Backfill, Error> {
        if self.is_in_group() {
            return Err(Error::new(ErrorKind::Usage, "a reader in a group cannot read from the archive")
                .help("leave the group out: the archive does not know how far it has read"));
        }
        let (hop, url) = self.target()?;
        let mut query = hop.archive(url.to_string())?.query().since(since).retracted(true);
        for topic in url.topics() {
            query = query.topic(topic);
        }
        let fetches = self.fetches()?;
        let live = self.start_at(StartPosition::Time(since)).await?;
        Ok(Backfill {
            archive: Some(query.messages()),
            live,
            seen: Seen::default(),
            counters: BackfillCounters::default(),
            fetches,
        })
    }
}

impl Backfill {
    /// Returns the next message; `None` as [`Subscription::next`] says.
    ///
    /// It may be cancelled at any await while Kafka is read; while the archive is read, a message that is being fetched is
    /// then missed.
    pub async fn next(&mut self) -> Option<Result<Alert, Error>> {
        while let Some(next) = self.next_archived().await {
            if let Some(alert) = next {
                return Some(alert);
            }
        }
        loop {
            let alert = self.live.next().await?;
            let record = match &alert {
                Ok(alert) => Some(&alert.record),
                Err(error) => error.record(),
            };
            if record.is_some_and(|record| self.seen.forget(record)) {
                self.counters.repeated += 1;
                continue;
            }
            return Some(alert);
        }
    }

    /// Reads on in the archive; `None` at its end, and nothing where a message is not handed over.
    async fn next_archived(&mut self) -> Option<Option<Result<Alert, Error>>> {
        let messages = self.archive.as_mut()?;
        let (record, entry) = match messages.next_record().await {
            Some(Ok(found)) => found,
            Some(Err(error)) => {
                tracing::warn!(target: "hop", %error, "reading the archive failed");
                return Some(Some(Err(error)));
            }
            None => {
                self.counters.is_through = true;
                self.archive = None;
                return None;
            }
        };
        if entry.is_retracted {
            self.counters.retracted += 1;
            return Some(None);
        }
        let fetched = match self.fetches && !record.headers.is_test() {
            true => messages.archive().clone().resolved(record).await,
            false => Ok(record),
        };
        let outcome = match fetched {
            Ok(record) => {
                self.seen.note(&record);
                self.live.decode_elsewhere(record)
            }
            Err(error) => Outcome::Undecodable(error),
        };
        let mut alert = match outcome {
            Outcome::Alert(alert) => Ok(alert),
            Outcome::Undecodable(error) | Outcome::Failed(error) => Err(error),
            Outcome::Skipped => return Some(None),
        };
        self.counters.archived += 1;
        if let Ok(alert) = &mut alert {
            // Partition and offset are not known.
            alert.record.place = None;
        }
        Some(Some(alert))
    }

    /// Returns how far it has come.
    pub fn backfill_counters(&self) -> BackfillCounters {
        self.counters
    }

    /// Returns the reader of Kafka.
    pub fn subscription(&self) -> &Subscription {
        &self.live
    }

    /// Ends reading the archive, and returns the reader of Kafka.
    pub fn into_subscription(self) -> Subscription {
        self.live
    }
}

/// Which messages came from the archive, each as a number that nobody else can foresee.
///
/// An identifier alone would not do: whoever copies another message's `_id` would have it suppressed.
#[derive(Default)]
struct Seen {
    known: HashSet<u128>,
    keys: (RandomState, RandomState),
    is_full: bool,
}

impl Seen {
    fn number(&self, record: &Record) -> u128 {
        let topic = record.place.as_ref().map(|place| &*place.topic);
        let parts = (topic, record.headers.get(hop_core::header::ID), record.key.as_deref(), record.content.as_bytes());
        let (one, other) = (self.keys.0.hash_one(parts), self.keys.1.hash_one(parts));
        u128::from(one) << 64 | u128::from(other)
    }

    fn note(&mut self, record: &Record) {
        if self.known.len() < REMEMBERED {
            self.known.insert(self.number(record));
        } else if !std::mem::replace(&mut self.is_full, true) {
            tracing::warn!(target: "hop", "more than {REMEMBERED} messages came from the archive; some will come twice");
        }
    }

    fn forget(&mut self, record: &Record) -> bool {
        let number = self.number(record);
        self.known.remove(&number)
    }
}

impl Subscription {
    /// Decodes a record that did not come from Kafka.
    fn decode_elsewhere(&self, record: Record) -> Outcome<Alert> {
        self.decoder().alert(Item::Fetched(record))
    }
}
