//! Placeholders in a stream, and the messages that are fetched in their place.
//!
//! Several are fetched beside each other, each on a thread of its own, and each keeps its place in the batch. What is behind
//! a placeholder in its partition waits for it, so that the order stays; other partitions go on.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future as _;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use hop_core::Record;
use tokio::sync::oneshot;

use super::decode::{Item, Outcome};
use crate::archive::{Server, Stored, url_of};
use crate::blocking::{poll_own, spawn};
use crate::counters::Tally;
use crate::http::Failure;
use crate::{Error, Stream, Url};

/// How many messages are fetched, or have been fetched and wait, at once; and how many if each of them is the next of its
/// partition.
const AHEAD: usize = 4;
const MOST: usize = 8;

/// A message on its way from the archive.
pub(super) struct Fetching {
    placeholder: Record,
    answer: oneshot::Receiver<Result<Stored, Failure>>,
}

impl fmt::Debug for Fetching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetching").field("place", &self.placeholder.place).finish_non_exhaustive()
    }
}

impl Fetching {
    /// Gives up the message, and returns the placeholder.
    pub(super) fn into_placeholder(self) -> Record {
        self.placeholder
    }
}

/// Fetches what placeholders stand for.
pub(super) struct Fetcher {
    stream: Stream,
    broker: Url,
    test_messages: bool,
    /// Made when the first placeholder comes: most streams have none.
    server: OnceLock<Arc<Server>>,
}

impl fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetcher").field("broker", &self.broker).finish_non_exhaustive()
    }
}

impl Fetcher {
    pub(super) fn new(stream: Stream, broker: Url, test_messages: bool) -> Self {
        Self { stream, broker, test_messages, server: OnceLock::new() }
    }

    /// Returns true if the record stands for another one that is to be fetched.
    pub(super) fn wants(&self, record: &Record) -> bool {
        self.url(record).is_some()
    }

    fn url(&self, record: &Record) -> Option<String> {
        url_of(record).filter(|_| self.test_messages || !record.headers.is_test())
    }

    /// Ready once the first item is not one that is still to come. Returns also how many of the items are being fetched, or
    /// were and wait; `others` do so elsewhere.
    pub(super) fn poll_first(
        &self,
        context: &mut Context<'_>,
        items: &mut VecDeque<(i64, Item)>,
        others: usize,
        tally: &Tally,
    ) -> (Poll<()>, usize) {
        match items.front() {
            Some((_, Item::Fetching(_))) => {}
            Some((_, Item::Received(record))) if self.wants(record) => {}
            _ => return (Poll::Ready(()), 0),
        }
        let fetching = self.fetch_ahead(items, others, tally);
        let polled = match items.front_mut() {
            Some((_, item)) => Self::poll_item(context, item, tally),
            None => Poll::Ready(()),
        };
        (polled, fetching)
    }

    /// Ready once the item is not one that is still to come.
    fn poll_item(context: &mut Context<'_>, item: &mut Item, tally: &Tally) -> Poll<()> {
        let fetching = match item {
            Item::Fetching(fetching) => fetching,
            // As many as may be are being fetched.
            Item::Received(_) => return Poll::Pending,
            Item::Fetched(_) | Item::Decoded(_) => return Poll::Ready(()),
        };
        let answer = std::task::ready!(poll_own(context, |context| Pin::new(&mut fetching.answer).poll(context)));
        let placeholder = fetching.placeholder.clone();
        *item = match answer {
            Ok(Ok(stored)) => {
                tally.fetched();
                Item::Fetched(replaced(placeholder, stored))
            }
            Ok(Err(failure)) => failed(failure.into(), placeholder, tally),
            Err(_) => {
                failed(Error::new(crate::ErrorKind::Kafka, "the thread that fetched it ended"), placeholder, tally)
            }
        };
        Poll::Ready(())
    }

    /// Starts to fetch the first few messages that are to be fetched, if `others` that are leave room for it; returns how many
    /// are.
    fn fetch_ahead(&self, items: &mut VecDeque<(i64, Item)>, others: usize, tally: &Tally) -> usize {
        let mut count = 0;
        for (_, item) in items.iter_mut() {
            let most = if count == 0 { MOST } else { AHEAD };
            match item {
                Item::Fetching(_) => count += 1,
                Item::Received(record) => {
                    if let Some(url) = self.url(record) {
                        if others + count >= most {
                            return count;
                        }
                        count += 1;
                        *item = self.start(url, record.clone()).unwrap_or_else(|failed_to_start| {
                            let (error, record) = *failed_to_start;
                            failed(error, record, tally)
                        });
                    }
                }
                Item::Fetched(_) | Item::Decoded(_) => {}
            }
            if count >= AHEAD {
                break;
            }
        }
        count
    }

    fn server(&self) -> Result<Arc<Server>, Error> {
        if let Some(server) = self.server.get() {
            return Ok(Arc::clone(server));
        }
        let server = Arc::new(Server::new(&self.stream, &self.broker)?);
        Ok(Arc::clone(self.server.get_or_init(|| server)))
    }

    fn start(&self, url: String, placeholder: Record) -> Result<Item, Box<(Error, Record)>> {
        let start = || {
            let server = self.server()?;
            let (tell, answer) = oneshot::channel();
            spawn("hop-fetch", move || {
                let fetched = server.fetch(&url, &|| tell.is_closed());
                // The reader may be gone meanwhile.
                let _received = tell.send(fetched);
            })?;
            Ok(answer)
        };
        match start() {
            Ok(answer) => Ok(Item::Fetching(Fetching { placeholder, answer })),
            Err(error) => Err(Box::new((error, placeholder))),
        }
    }
}

/// The stored message in the place of the one that stands for it.
fn replaced(placeholder: Record, stored: Stored) -> Record {
    Record {
        content: stored.content.into(),
        key: stored.key,
        headers: stored.headers,
        timestamp: stored.timestamp.or(placeholder.timestamp),
        ..placeholder
    }
}

fn failed(error: Error, placeholder: Record, tally: &Tally) -> Item {
    tally.fetch_failed();
    Item::Decoded(Outcome::Undecodable(Error::not_fetched(error, placeholder)))
}
