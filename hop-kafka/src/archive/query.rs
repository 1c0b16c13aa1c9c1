//! Queries: which messages, and page after page of them.

use std::collections::VecDeque;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use hop_core::Record;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::client::{Archive, Archived, Entry, record};
use super::document::{self, Page, Stored};
use super::server;
use crate::{Error, ErrorKind};

/// What a value in a query keeps as it is.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// How many messages a page has at most, and how many entries without content.
const PAGE: usize = 64;
const LISTING: usize = 1024;
/// The most pages in a row without a message; an archive that sends more of them would never come to an end.
const MOST_EMPTY: usize = 100;

/// A query for messages of the archive.
///
/// ```no_run
/// # async fn demo(archive: hop_kafka::Archive) -> Result<(), hop_kafka::Error> {
/// use std::time::{Duration, SystemTime};
///
/// let last_week = SystemTime::now() - Duration::from_secs(7 * 86_400);
/// let mut messages = archive.query().topic("gcn.circular").since(last_week).text("GRB 250101A").messages();
/// while let Some(message) = messages.next().await {
///     println!("{:?}", message?.model);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a query is sent by `messages`, `entries` or `count`"]
pub struct Query {
    archive: Archive,
    topics: Vec<String>,
    since: Option<i64>,
    until: Option<i64>,
    text: Option<String>,
    is_newest_first: bool,
    is_without_retracted: bool,
}

impl Query {
    pub(super) fn new(archive: Archive) -> Self {
        Self {
            archive,
            topics: Vec::new(),
            since: None,
            until: None,
            text: None,
            is_newest_first: false,
            is_without_retracted: false,
        }
    }

    /// Adds a topic; without any, all that the credential may read are searched.
    pub fn topic(mut self, topic: impl Into<String>) -> Self {
        self.topics.push(topic.into());
        self
    }

    /// Leaves out what was published before this time.
    pub fn since(mut self, since: SystemTime) -> Self {
        self.since = Some(milliseconds(since));
        self
    }

    /// Leaves out what was published at this time or later.
    pub fn until(mut self, until: SystemTime) -> Self {
        self.until = Some(milliseconds(until));
        self
    }

    /// Searches the texts of messages: words, `"a phrase"`, `or`, `-without`.
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }

    /// Returns the newest messages first, not the oldest.
    pub fn newest_first(mut self, newest_first: bool) -> Self {
        self.is_newest_first = newest_first;
        self
    }

    /// Whether messages that their senders have withdrawn are returned as well, marked as such; true unless set.
    pub fn retracted(mut self, retracted: bool) -> Self {
        self.is_without_retracted = !retracted;
        self
    }

    /// Returns the messages, page after page as they are asked for.
    pub fn messages(self) -> Messages {
        Messages { pages: Pages::new(self, PAGE, false) }
    }

    /// Returns what the archive says of each message, without the messages.
    pub fn entries(self) -> Entries {
        Entries { pages: Pages::new(self, LISTING, true) }
    }

    /// Returns how many messages there are.
    ///
    /// # Errors
    /// Those of [`Archive::get`], but `NotFound` and `Decode`.
    pub async fn count(self) -> Result<u64, Error> {
        let path = format!("messages/count?{}", self.parameters());
        self.archive
            .ask(move |server, is_given_up| server::read(document::count(&server.get(&path, is_given_up)?), "count"))
            .await
    }

    fn parameters(&self) -> String {
        let mut pairs: Vec<(&str, String)> = self.topics.iter().map(|topic| ("topic", topic.clone())).collect();
        pairs.extend(self.since.map(|time| ("start_time", time.to_string())));
        pairs.extend(self.until.map(|time| ("end_time", time.to_string())));
        pairs.extend(self.text.clone().map(|text| ("search_query", text)));
        pairs.push(("asc", (!self.is_newest_first).to_string()));
        pairs.push(("include_retracted", (!self.is_without_retracted).to_string()));
        let pairs = pairs.iter().map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, VALUE)));
        pairs.collect::<Vec<_>>().join("&")
    }
}

fn milliseconds(time: SystemTime) -> i64 {
    let whole = |duration: std::time::Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    time.duration_since(UNIX_EPOCH).map_or_else(|before| -whole(before.duration()), whole)
}

#[derive(Debug)]
struct Pages {
    query: Query,
    limit: usize,
    without_content: bool,
    /// The bookmark of the next page; an empty one is that of the first.
    next: Option<String>,
    page: VecDeque<Result<Stored, document::Fault>>,
    empty: usize,
}

impl Pages {
    fn new(query: Query, limit: usize, without_content: bool) -> Self {
        Self { query, limit, without_content, next: Some(String::new()), page: VecDeque::new(), empty: 0 }
    }

    /// Returns the next message; an error of a page is the last item.
    async fn next(&mut self) -> Option<Result<Stored, Error>> {
        loop {
            if let Some(stored) = self.page.pop_front() {
                return Some(server::read(stored, "messages").map_err(Error::from));
            }
            let bookmark = self.next.clone()?;
            match self.fetch(&bookmark).await {
                Ok(page) => {
                    self.empty = if page.messages.is_empty() { self.empty + 1 } else { 0 };
                    let is_stuck = page.next.as_ref() == Some(&bookmark) || self.empty > MOST_EMPTY;
                    (self.next, self.page) = (page.next, page.messages.into());
                    if is_stuck {
                        self.next = None;
                        self.page.push_back(Err("pages that do not come to an end".to_owned()));
                    }
                }
                // The messages of a page may be too large together.
                Err(error) if error.kind() == ErrorKind::TooLarge && self.limit > 1 => self.limit /= 2,
                Err(error) => {
                    self.next = None;
                    return Some(Err(error));
                }
            }
        }
    }

    async fn fetch(&self, bookmark: &str) -> Result<Page, Error> {
        let mut path = format!("messages?{}&limit={}", self.query.parameters(), self.limit);
        if self.without_content {
            path.push_str("&meta=true");
        }
        if !bookmark.is_empty() {
            path.push_str(&format!("&page={}", utf8_percent_encode(bookmark, VALUE)));
        }
        let read = move |server: &server::Server, is_given_up: &dyn Fn() -> bool| {
            let ask = || -> Result<Page, crate::http::Failure> {
                let body: Bytes = server.get(&path, is_given_up)?;
                server::read(document::page(&body), "messages")
            };
            // A page that was cut off on its way comes whole the second time.
            ask().or_else(|failure| if failure.kind == ErrorKind::Protocol { ask() } else { Err(failure) })
        };
        self.query.archive.ask(read).await
    }
}

/// The messages that a [`Query`] finds.
#[derive(Debug)]
pub struct Messages {
    pages: Pages,
}

impl Messages {
    /// Returns the next message; `None` at the end, and after an error of the archive. A message that does not decode is an
    /// error of kind `Decode` with its record, and one that is damaged in the archive of kind `Protocol`; the next ones follow.
    ///
    /// It may be cancelled at any await; a page that was on its way is then asked for again.
    ///
    /// # Errors
    /// Those of [`Archive::get`].
    pub async fn next(&mut self) -> Option<Result<Archived, Error>> {
        let stored = self.pages.next().await?;
        Some(stored.and_then(|stored| self.pages.query.archive.archived(stored)))
    }

    /// Returns the next message as it is stored, and the archive it is from.
    pub(crate) async fn next_record(&mut self) -> Option<Result<(Record, Entry), Error>> {
        Some(self.pages.next().await?.map(record))
    }

    pub(crate) fn archive(&self) -> &Archive {
        &self.pages.query.archive
    }
}

/// What the archive says of the messages that a [`Query`] finds.
#[derive(Debug)]
pub struct Entries {
    pages: Pages,
}

impl Entries {
    /// Returns the next entry; `None` at the end, and after an error.
    ///
    /// # Errors
    /// Those of [`Query::count`].
    pub async fn next(&mut self) -> Option<Result<Entry, Error>> {
        let stored = self.pages.next().await?;
        Some(stored.map(|Stored { topic, timestamp, notes, .. }| Entry::new(topic, timestamp, notes)))
    }
}
