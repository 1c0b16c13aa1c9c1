//! The journal: messages that wait, and messages that were put aside.

use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::entry::{Entry, Refusal};
use crate::error::{Error, ErrorKind};
use crate::frame;
use crate::log::{Found, Log, Manner, load};
use crate::options::{Durability, Options, WhenFull};
use crate::recovery::Recovery;
use crate::segment::{List, RECORDS};
use crate::storage::Storage;

/// A journal that is open to be written to, by this process alone.
///
/// Messages have numbers, which go up in the order in which they were accepted. A message is accepted by
/// [`append`](Self::append), or by [`stage`](Self::stage) and [`commit`](Self::commit), which write several at once. It waits
/// until it is [`done`](Self::done), or is put aside by [`refuse`](Self::refuse).
#[derive(Debug)]
pub struct Journal {
    storage: Box<dyn Storage>,
    options: Options,
    waiting: Log,
    refused: Log,
    /// The number of the next message.
    next: u64,
    /// The number of the first message that is staged.
    staged: Option<u64>,
    /// When something was first written that is not synced.
    unsynced_since: Option<Instant>,
}

impl Journal {
    /// Opens a journal, which is empty if the folder is. Torn ends are cut off, and damage is put aside.
    ///
    /// # Errors
    /// Kind `Unsupported` for a journal of a newer version, and `Storage`.
    pub fn open(storage: impl Storage + 'static, options: Options) -> Result<(Self, Recovery), Error> {
        let (mut journal, recovery) = Self::load(Box::new(storage), options, true)?;
        // A message is written as refused before it is done: it may be both after a crash.
        let both: Vec<u64> = journal.refused.numbers().filter(|number| journal.waiting.contains(*number)).collect();
        journal.waiting.done(&both);
        report(journal.settle());
        let recovery = Recovery { waiting: journal.waiting.len(), refused: journal.refused.len(), ..recovery };
        Ok((journal, recovery))
    }

    fn load(storage: Box<dyn Storage>, options: Options, repair: bool) -> Result<(Self, Recovery), Error> {
        let mut recovery = Recovery::default();
        let waiting = Found::read_all(&*storage, List::Waiting)?;
        let refused = Found::read_all(&*storage, List::Refused)?;
        let mut journals: Vec<Uuid> = waiting.iter().chain(&refused).filter_map(Found::journal).collect();
        journals.sort_unstable();
        journals.dedup();
        let (waiting, next) = load(&*storage, List::Waiting, waiting, &journals, repair, &mut recovery)?;
        let (refused, next_refused) = load(&*storage, List::Refused, refused, &journals, repair, &mut recovery)?;
        recovery.waiting = waiting.len();
        recovery.refused = refused.len();
        let next = next.max(next_refused);
        Ok((Self { storage, options, waiting, refused, next, staged: None, unsynced_since: None }, recovery))
    }

    fn manner(&self, now: bool) -> Manner {
        let syncs = self.options.durability.syncs();
        Manner { syncs, now: syncs && now, segment_size: self.options.segment_size() }
    }

    /// Returns what is to happen when the bound is reached, which is for whoever appends to decide on.
    pub fn when_full(&self) -> WhenFull {
        self.options.when_full
    }

    /// Returns the numbers of the messages that wait, in the order in which they were accepted.
    pub fn waiting(&self) -> impl DoubleEndedIterator<Item = u64> + '_ {
        self.waiting.numbers()
    }

    /// Returns the numbers of the messages that were put aside, in order.
    pub fn refused(&self) -> impl DoubleEndedIterator<Item = u64> + '_ {
        self.refused.numbers()
    }

    /// Returns the first waiting message after this number.
    pub fn next_after(&self, number: u64) -> Option<u64> {
        self.waiting.next_after(number)
    }

    /// Returns true if the message waits.
    pub fn is_waiting(&self, number: u64) -> bool {
        self.waiting.contains(number)
    }

    /// Returns how many messages wait or are put aside.
    pub fn len(&self) -> usize {
        self.waiting.len() + self.refused.len()
    }

    /// Returns true if no message waits or is put aside.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the bytes of the journal's files.
    pub fn bytes(&self) -> u64 {
        self.waiting.bytes() + self.refused.bytes()
    }

    /// Returns the bytes of the messages that wait or are put aside.
    pub fn live_bytes(&self) -> u64 {
        self.waiting.live_bytes() + self.refused.live_bytes()
    }

    /// Reads a message that waits or was put aside.
    ///
    /// # Errors
    /// Kind `NotFound`, `Damaged` and `Storage`.
    pub fn read(&mut self, number: u64) -> Result<Entry, Error> {
        let log = if self.waiting.contains(number) { &mut self.waiting } else { &mut self.refused };
        log.read(&*self.storage, number)
    }

    /// Returns true if the bound leaves room for this message.
    pub fn has_room(&self, entry: &Entry) -> bool {
        let staged = self.staged.map_or(0, |first| usize::try_from(self.next - first).unwrap_or(usize::MAX));
        let bytes = frame::size(entry.size()) as u64 + RECORDS as u64;
        self.len().saturating_add(staged) < self.options.max_messages
            && self.bytes().saturating_add(bytes) <= self.options.max_bytes
    }

    /// Makes the record of a message, which the next [`commit`](Self::commit) writes; returns the message's number.
    ///
    /// # Errors
    /// Kind `Full` if there is no room, and `TooLarge` if there never will be; those of [`check`](Self::check).
    pub fn stage(&mut self, entry: &Entry) -> Result<u64, Error> {
        let size = (frame::size(entry.size()) + RECORDS) as u64;
        if size > self.options.max_bytes {
            let bound = self.options.max_bytes;
            return Err(Error::new(
                ErrorKind::TooLarge,
                format!("a message for `{}` takes {size} bytes, and the journal may have {bound} in all", entry.topic),
            )
            .help("raise the journal's bound"));
        }
        if !self.has_room(entry) {
            return Err(Error::new(
                ErrorKind::Full,
                format!("the journal is full: it has {} messages and {} bytes", self.len(), self.bytes()),
            )
            .help("check why the broker does not take them, or raise the journal's bound"));
        }
        if self.staged.is_none() {
            self.check()?;
        }
        let number = self.next;
        self.waiting.stage(entry, number)?;
        self.staged.get_or_insert(number);
        self.next += 1;
        Ok(number)
    }

    /// Accepts what is staged: writes it, and syncs it as the [`Durability`] says.
    ///
    /// # Errors
    /// Kind `Storage`; nothing of what was staged is accepted then.
    pub fn commit(&mut self) -> Result<(), Error> {
        let Some(first) = self.staged.take() else { return Ok(()) };
        let each = self.options.durability == Durability::Each;
        match self.waiting.commit(&*self.storage, self.manner(each)) {
            Ok(()) => {
                if !each && self.options.durability.syncs() {
                    self.unsynced_since.get_or_insert_with(Instant::now);
                }
                self.sync_if_due()
            }
            Err(error) => {
                // Numbers that may be on the disk are not given out again.
                if !self.waiting.has_unwritten() {
                    self.next = first;
                }
                // A file in which all is done goes, and makes room.
                report(self.settle());
                Err(Error::storage("writing to the journal", error))
            }
        }
    }

    /// Makes sure that the journal is where it was opened, as it was left, and this process's alone: what is written elsewhere
    /// would be lost with this process. Called before a message is accepted.
    ///
    /// A lock that was removed is taken again, and messages of the last file, if that was removed, are written to another one.
    ///
    /// # Errors
    /// Kind `Moved`, `Locked` and `Storage`.
    pub fn check(&mut self) -> Result<(), Error> {
        self.storage.check()?;
        // What is staged is for the file as it was then.
        if self.staged.is_some() {
            return Ok(());
        }
        let manner = self.manner(self.options.durability == Durability::Each);
        let checked = self.waiting.check(&*self.storage, manner);
        checked.and_then(|()| self.refused.check(&*self.storage, manner)).map_err(|error| {
            Error::storage("writing the messages of a file that was removed or cut off to another one", error)
        })
    }

    /// Accepts one message: writes it, and syncs it as the [`Durability`] says; returns its number.
    ///
    /// # Errors
    /// Those of [`stage`](Self::stage) and [`commit`](Self::commit); the message is not accepted then.
    pub fn append(&mut self, entry: &Entry) -> Result<u64, Error> {
        let number = self.stage(entry)?;
        self.commit()?;
        Ok(number)
    }

    /// Returns in what time [`sync_if_due`](Self::sync_if_due) has something to do; `None` if nothing waits for it.
    pub fn sync_due(&self) -> Option<Duration> {
        let Durability::Within(within) = self.options.durability else { return None };
        self.unsynced_since.map(|since| within.saturating_sub(since.elapsed()))
    }

    /// Syncs what was accepted, if the [`Durability`] wants it by now.
    ///
    /// # Errors
    /// As [`sync`](Self::sync).
    pub fn sync_if_due(&mut self) -> Result<(), Error> {
        match self.sync_due() {
            Some(Duration::ZERO) => self.sync(),
            _ => Ok(()),
        }
    }

    /// Returns once all that was accepted survives a loss of power.
    ///
    /// # Errors
    /// Kind `Storage`. What was accepted since the last sync may not be on the disk, and the next messages go to another
    /// file.
    pub fn sync(&mut self) -> Result<(), Error> {
        self.unsynced_since = None;
        let synced = self.waiting.sync().inspect_err(|_| self.waiting.abandon());
        synced.map_err(|error| Error::storage("writing the journal to the disk", error))
    }

    /// Notes that messages are done: the broker has them, or they are no longer wanted.
    ///
    /// If this cannot be written now, it is written later; until then a crash has them sent again.
    pub fn done(&mut self, numbers: &[u64]) {
        self.waiting.done(numbers);
        self.refused.done(numbers);
        report(self.settle());
    }

    /// Writes which messages are done, and removes files in which all are.
    fn settle(&mut self) -> Result<(), Error> {
        // Nothing is written to a folder that is another one by now.
        self.check()?;
        let manner = self.manner(false);
        let waiting = self.waiting.settle(&*self.storage, manner);
        let refused = self.refused.settle(&*self.storage, manner);
        let settled = waiting.and(refused).and(self.make_room());
        settled.map_err(|error| Error::storage("noting in the journal which messages are done", error))
    }

    /// Forgets a message that cannot be read, because its file was removed or cut off.
    pub fn forget(&mut self, number: u64) {
        self.waiting.forget_one(number);
        self.refused.forget_one(number);
    }

    /// Begins a new file early, if only messages that are done fill the journal.
    fn make_room(&mut self) -> std::io::Result<()> {
        if self.waiting.len() == 0 && self.staged.is_none() && self.bytes() > self.options.max_bytes / 2 {
            return self.waiting.remove_if_empty(&*self.storage, self.manner(false));
        }
        Ok(())
    }

    /// Puts a waiting message aside.
    ///
    /// # Errors
    /// Kind `Storage` and those of [`read`](Self::read); the message still waits then.
    pub fn refuse(&mut self, number: u64, refusal: Refusal) -> Result<(), Error> {
        self.check()?;
        let entry = Entry { refusal: Some(refusal), ..self.waiting.read(&*self.storage, number)? };
        self.refused.stage(&entry, number)?;
        let written = self.refused.commit(&*self.storage, self.manner(true));
        written.map_err(|error| Error::storage(format_args!("putting message {number} aside"), error))?;
        self.waiting.done(&[number]);
        report(self.settle());
        Ok(())
    }

    /// Lets a message that was put aside wait again, behind all others; returns its new number.
    ///
    /// # Errors
    /// Those of [`read`](Self::read) and [`append`](Self::append); the message is still aside then.
    pub fn retry(&mut self, number: u64) -> Result<u64, Error> {
        let entry = Entry { refusal: None, ..self.refused.read(&*self.storage, number)? };
        let again = self.append(&entry)?;
        self.done(&[number]);
        Ok(again)
    }

    /// Drops the oldest waiting messages until there is room for `entry`, those of one file at a time; returns what was
    /// dropped, or why it could not be read. There is no room afterwards if messages that were put aside or are staged take
    /// it.
    pub fn drop_oldest(&mut self, entry: &Entry) -> Vec<(u64, Result<Entry, Error>)> {
        let mut dropped = Vec::new();
        while self.staged.is_none() && !self.has_room(entry) {
            let oldest = self.waiting.oldest_segment();
            if oldest.is_empty() {
                break;
            }
            dropped.extend(oldest.iter().map(|number| (*number, self.waiting.read(&*self.storage, *number))));
            self.waiting.close();
            self.done(&oldest);
        }
        dropped
    }

    /// Ends: syncs what was accepted, as the [`Durability`] says, and removes the files if no message is left.
    ///
    /// # Errors
    /// Those of [`sync`](Self::sync) and [`check`](Self::check); kind `Storage` also if it could not be noted which messages are
    /// done.
    pub fn close(mut self) -> Result<(), Error> {
        let failed = |error| Error::storage("closing the journal", error);
        let manner = self.manner(false);
        if self.options.durability.syncs() {
            self.sync()?;
        }
        self.check()?;
        let settled = self.settle();
        self.waiting.remove_if_empty(&*self.storage, manner).map_err(failed)?;
        self.refused.remove_if_empty(&*self.storage, manner).map_err(failed)?;
        // Of messages whose files are gone there is nothing to note.
        if self.waiting.has_unwritten() || self.refused.has_unwritten() { settled } else { Ok(()) }
    }
}

/// Logs that it is not on the disk yet which messages are done: a crash now would have them sent again, and no more.
fn report(noted: Result<(), Error>) {
    if let Err(error) = noted {
        tracing::warn!(target: "hop", %error, "messages of a journal that are done may be sent again");
    }
}

/// What a journal holds, while another process may be writing to it. Nothing is changed.
#[derive(Debug)]
pub struct Contents(Journal);

impl Contents {
    /// Reads a journal as it is at this moment. Records that are being written are reported as torn.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn read(storage: impl Storage + 'static) -> Result<(Self, Recovery), Error> {
        let (journal, recovery) = Journal::load(Box::new(storage), Options::default(), false)?;
        Ok((Self(journal), recovery))
    }

    /// Returns the numbers of the messages that wait, in the order in which they were accepted.
    pub fn waiting(&self) -> impl DoubleEndedIterator<Item = u64> + '_ {
        self.0.waiting()
    }

    /// Returns the numbers of the messages that were put aside, in order.
    pub fn refused(&self) -> impl DoubleEndedIterator<Item = u64> + '_ {
        self.0.refused()
    }

    /// Returns a message.
    ///
    /// # Errors
    /// As [`Journal::read`].
    pub fn get(&mut self, number: u64) -> Result<Entry, Error> {
        self.0.read(number)
    }

    /// Returns the bytes of the journal's files.
    pub fn bytes(&self) -> u64 {
        self.0.bytes()
    }
}
