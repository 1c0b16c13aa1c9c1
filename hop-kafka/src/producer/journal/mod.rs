//! A publisher that accepts a message by writing it to a journal on disk, and sends it until the broker has it.
//!
//! `writer` is a thread that alone knows the journal: it accepts messages, hands them to `sender` in order, and notes what
//! the broker has. `sender` is a thread that queues them in a plain [`Publisher`], which may have to wait. `failures` says
//! which failures are for good.

mod failures;
mod publisher;
mod requests;
mod sender;
mod writer;

use std::future::IntoFuture;
use std::path::PathBuf;
use std::pin::Pin;

use hop_journal::{Durability, Folder, Journal, Options, WhenFull};
use tokio::sync::oneshot;

pub use self::publisher::JournaledPublisher;
use super::Publish;
use crate::blocking::{own, spawn};
use crate::{Error, ErrorKind};

/// Settings of a writer with a journal; await it to get the [`JournaledPublisher`].
#[derive(Debug)]
#[must_use = "a publisher starts when it is awaited"]
pub struct JournaledPublish {
    publish: Publish,
    path: PathBuf,
    options: Options,
}

impl JournaledPublish {
    pub(super) fn new(publish: Publish, path: PathBuf) -> Self {
        Self { publish, path, options: Options::default() }
    }

    /// Sets when messages are written to the disk, and so what a loss of power may take; before they are accepted unless set.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.options = self.options.durability(durability);
        self
    }

    /// Bounds the bytes of the journal's files; 1 GiB unless set.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.options = self.options.max_bytes(bytes);
        self
    }

    /// Bounds how many messages wait or are put aside; a million unless set.
    pub fn max_messages(mut self, messages: usize) -> Self {
        self.options = self.options.max_messages(messages);
        self
    }

    /// Sets what happens when the bound is reached; new messages wait unless set.
    pub fn when_full(mut self, when_full: WhenFull) -> Self {
        self.options = self.options.when_full(when_full);
        self
    }

    /// Returns the writer, and begins to send what waits in the journal.
    ///
    /// Reads the whole journal on this thread; awaiting the settings does so on another one.
    ///
    /// # Errors
    /// Those of [`Publish::start`]; kind `Journal` when another process has it, it is not a journal, or it cannot be read.
    pub fn start(self) -> Result<JournaledPublisher, Error> {
        let folder = Folder::open(&self.path).map_err(Error::journal)?;
        let (journal, recovery) = Journal::open(folder, self.options).map_err(Error::journal)?;
        if !recovery.is_clean() {
            tracing::error!(target: "hop", path = %self.path.display(), %recovery, "a journal was damaged");
        }
        JournaledPublisher::start(self.publish.in_order().start()?, journal, recovery)
    }
}

impl IntoFuture for JournaledPublish {
    type Output = Result<JournaledPublisher, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    /// Returns the writer, as [`start`](JournaledPublish::start) does, without blocking this thread.
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async {
            let (tell, opened) = oneshot::channel();
            spawn("hop-journal-open", move || {
                // Nobody waits for it any more where this fails; the writer ends again.
                let _sent = tell.send(self.start());
            })?;
            let ended = || Error::new(ErrorKind::Journal, "the thread that opened the journal ended");
            own(opened).await.unwrap_or_else(|_| Err(ended()))
        })
    }
}
