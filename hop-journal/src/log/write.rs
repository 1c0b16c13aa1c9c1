//! Writing to a list, and removing the segments in which everything is done.

use std::io;
use std::ops::RangeInclusive;
use std::time::{SystemTime, UNIX_EPOCH};

use super::{Active, Location, Log, Segment, Staged, ranges};
use crate::entry::Entry;
use crate::error::Error;
use crate::frame::{self, Seal};
use crate::segment::{Opening, RECORDS};
use crate::storage::Storage;

/// How a write is to be done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    /// Names and files are synced at some time.
    pub(crate) syncs: bool,
    /// They are synced before the write returns.
    pub(crate) now: bool,
    pub(crate) segment_size: u64,
}

/// A write that failed.
pub(super) struct Failure {
    pub(super) error: io::Error,
    /// Some of it could not be taken back: records that are whole must not come back when the journal is opened.
    remains: bool,
}

impl Staged {
    fn ranges(&self) -> Vec<RangeInclusive<u64>> {
        ranges(self.messages.iter().map(|(number, ..)| *number))
    }
}

impl Log {
    /// Makes a message's record, which [`commit`](Self::commit) writes.
    pub(crate) fn stage(&mut self, entry: &Entry, number: u64) -> Result<(), Error> {
        let (seal, base) = match self.active.as_ref().and_then(|active| self.segments.get(&active.segment)) {
            Some(segment) => (segment.seal.clone(), segment.size),
            None => (Seal::new(self.journal, self.next_segment), RECORDS as u64),
        };
        let start = self.staged.bytes.len();
        frame::put_message(&mut self.staged.bytes, base, &seal, number, |out| entry.encode(out))?;
        let size = u32::try_from(self.staged.bytes.len() - start).unwrap_or(u32::MAX);
        self.staged.messages.push((number, start, size));
        Ok(())
    }

    /// Writes what is staged: all of it, or after an error nothing.
    pub(crate) fn commit(&mut self, storage: &dyn Storage, manner: Manner) -> io::Result<()> {
        let staged = std::mem::take(&mut self.staged);
        let Some((first, ..)) = staged.messages.first() else { return Ok(()) };
        let before = self.active.as_ref().map(|active| active.segment);
        let size = match self.write(storage, &staged.bytes, *first, manner) {
            Ok(size) => size,
            Err(failure) => {
                if failure.remains {
                    self.unwritten.extend(staged.ranges());
                }
                return Err(failure.error);
            }
        };
        if manner.now
            && let Err(error) = self.sync()
        {
            self.undo(storage, before, size, &staged);
            return Err(error);
        }
        let Some(active) = &self.active else { return Ok(()) };
        let number = active.segment;
        if let Some(segment) = self.segments.get_mut(&number) {
            segment.live += staged.messages.len();
            for (message, at, bytes) in staged.messages {
                segment.last = segment.last.max(message);
                self.messages.insert(message, Location { segment: number, at: size + at as u64, size: bytes });
            }
        }
        self.close_if_full(manner.segment_size);
        Ok(())
    }

    /// Takes back what was written and could not be synced. Such a file is not written to again: what is on the disk of it
    /// is not known.
    fn undo(&mut self, storage: &dyn Storage, before: Option<u64>, size: u64, staged: &Staged) {
        let Some(mut active) = self.active.take() else { return };
        if before != Some(active.segment) && storage.remove(&self.list.name(active.segment)).is_ok() {
            self.segments.remove(&active.segment);
            return;
        }
        if active.file.cut(size).is_err() {
            self.unwritten.extend(staged.ranges());
        } else if let Some(segment) = self.segments.get_mut(&active.segment) {
            segment.size = size;
        }
    }

    /// Writes records to the active segment, which is made if there is none; returns where they begin.
    fn write(&mut self, storage: &dyn Storage, records: &[u8], first: u64, manner: Manner) -> Result<u64, Failure> {
        let Some((active, segment)) = self
            .active
            .as_mut()
            .and_then(|active| Some((self.segments.get_mut(&active.segment)?, active)))
            .map(|(s, a)| (a, s))
        else {
            return self.begin(storage, records, first, manner);
        };
        let at = segment.size;
        if let Err(error) = active.file.append(records) {
            let remains = active.file.cut(at).is_err();
            // There may be room for another file, and for more of them once all is done in this one.
            self.close();
            return Err(Failure { error, remains });
        }
        active.is_synced = false;
        segment.size += records.len() as u64;
        Ok(at)
    }

    pub(super) fn begin(
        &mut self,
        storage: &dyn Storage,
        records: &[u8],
        first: u64,
        manner: Manner,
    ) -> Result<u64, Failure> {
        let number = self.next_segment;
        let made = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let made = u64::try_from(made.as_millis()).unwrap_or(u64::MAX);
        let name = self.list.name(number);
        let mut bytes = Opening { journal: self.journal, segment: number, first, made }.encode();
        bytes.extend_from_slice(records);
        let mut file = storage.create(&name).map_err(|error| Failure { error, remains: false })?;
        let mut written = file.append(&bytes);
        if written.is_ok() && manner.syncs {
            // The name has to be there when the bytes are.
            written = storage.sync_names();
        }
        if let Err(error) = written {
            let remains = storage.remove(&name).is_err();
            if remains {
                // The file keeps its number.
                self.next_segment += 1;
            }
            return Err(Failure { error, remains });
        }
        let seal = Seal::new(self.journal, number);
        self.segments.insert(number, Segment { seal, first, last: 0, live: 0, size: bytes.len() as u64 });
        self.active = Some(Active { segment: number, file, is_synced: false });
        self.next_segment = number + 1;
        Ok(RECORDS as u64)
    }

    fn close_if_full(&mut self, segment_size: u64) {
        let size = |active: &Active| self.segments.get(&active.segment).map_or(0, |segment| segment.size);
        if let Some(active) = self.active.take_if(|active| size(active) >= segment_size)
            && !active.is_synced
        {
            self.unsynced.push(active.file);
        }
    }

    /// Syncs all that was written.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        while let Some(file) = self.unsynced.last() {
            let synced = file.sync();
            // After an error the operating system may have dropped the bytes: trying again would prove nothing.
            self.unsynced.pop();
            synced?;
        }
        if let Some(active) = &mut self.active
            && !active.is_synced
        {
            active.file.sync()?;
            active.is_synced = true;
        }
        Ok(())
    }

    /// Writes to another file from now on, after one could not be synced.
    pub(crate) fn abandon(&mut self) {
        self.active = None;
    }

    /// Writes to another file from now on.
    pub(crate) fn close(&mut self) {
        self.close_if_full(0);
    }

    /// Returns true if some messages are done that the files do not say are.
    pub(crate) fn has_unwritten(&self) -> bool {
        !self.unwritten.is_empty()
    }

    /// Notes in memory that messages are done.
    pub(crate) fn done(&mut self, numbers: &[u64]) {
        let mut known: Vec<u64> = Vec::with_capacity(numbers.len());
        for number in numbers {
            if let Some(location) = self.messages.remove(number)
                && let Some(segment) = self.segments.get_mut(&location.segment)
            {
                segment.live -= 1;
                known.push(*number);
            }
        }
        known.sort_unstable();
        self.unwritten.extend(ranges(known));
    }

    /// Writes which messages are done, and removes segments in which all are. What cannot be written now is written later:
    /// until then a crash has them sent again.
    pub(crate) fn settle(&mut self, storage: &dyn Storage, manner: Manner) -> io::Result<()> {
        // What is staged is for the file as it is now.
        if !self.staged.messages.is_empty() {
            return Ok(());
        }
        // Where files cannot be removed, it can still be noted what is done.
        let swept = self.sweep(storage, manner);
        self.write_done(storage, manner)?;
        self.close_if_full(manner.segment_size);
        swept
    }

    /// Writes which messages are done. There is nothing to say of messages whose segments are gone.
    fn write_done(&mut self, storage: &dyn Storage, manner: Manner) -> io::Result<()> {
        let oldest = self.segments.values().filter(|segment| segment.last > 0).map(|segment| segment.first).min();
        match oldest {
            Some(oldest) => self.unwritten.retain(|range| *range.end() >= oldest),
            None => self.unwritten.clear(),
        }
        if self.unwritten.is_empty() {
            return Ok(());
        }
        let ranges = std::mem::take(&mut self.unwritten);
        let (seal, base) = match self.active.as_ref().and_then(|active| self.segments.get(&active.segment)) {
            Some(segment) => (segment.seal.clone(), segment.size),
            None => (Seal::new(self.journal, self.next_segment), RECORDS as u64),
        };
        let mut record = Vec::new();
        let next = self.segments.values().map(|segment| segment.first.max(segment.last + 1)).max().unwrap_or(1);
        frame::put_done(&mut record, base, &seal, next, &ranges);
        let written = self.write(storage, &record, next, manner);
        match written {
            Ok(_) => Ok(()),
            Err(failure) => {
                self.unwritten.extend(ranges);
                Err(failure.error)
            }
        }
    }

    /// Returns the numbers of done messages from `first` to `last`.
    pub(super) fn done_between(&self, first: u64, last: u64) -> Vec<RangeInclusive<u64>> {
        let mut done = Vec::new();
        let mut from = first;
        if first > last {
            return done;
        }
        for number in self.messages.range(first..=last).map(|(number, _)| *number) {
            if from < number {
                done.push(from..=number - 1);
            }
            from = number + 1;
        }
        if from <= last {
            done.push(from..=last);
        }
        done
    }

    /// Removes the segments in which all is done. Those in the middle may say what is done in older ones: that is written
    /// once more before.
    fn sweep(&mut self, storage: &dyn Storage, manner: Manner) -> io::Result<()> {
        let active = self.active.as_ref().map(|active| active.segment);
        let is_dead = |number: &u64, segment: &Segment| segment.live == 0 && Some(*number) != active;
        let Some(last) = self.segments.iter().rev().find(|(number, segment)| is_dead(number, segment)).map(|(n, _)| *n)
        else {
            return Ok(());
        };
        let older: Vec<u64> = self
            .segments
            .range(..last)
            .filter(|(number, segment)| !is_dead(number, segment))
            .map(|(n, _)| *n)
            .collect();
        if !older.is_empty() {
            for number in &older {
                if let Some(segment) = self.segments.get(number) {
                    let done = self.done_between(segment.first, segment.last);
                    self.unwritten.extend(done);
                }
            }
            self.write_done(storage, manner)?;
        }
        // Not the one that was just begun.
        let dead: Vec<u64> = self
            .segments
            .range(..=last)
            .filter(|(number, segment)| is_dead(number, segment))
            .map(|(n, _)| *n)
            .collect();
        for number in dead {
            match storage.remove(&self.list.name(number)) {
                // Another program has removed it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                removed => removed?,
            }
            self.segments.remove(&number);
            self.reading.take_if(|(open, _)| *open == number);
        }
        Ok(())
    }

    /// Removes all files, if no message is left in them.
    pub(crate) fn remove_if_empty(&mut self, storage: &dyn Storage, manner: Manner) -> io::Result<()> {
        if self.messages.is_empty() {
            self.active = None;
            self.unsynced.clear();
            self.unwritten.clear();
            self.sweep(storage, manner)?;
        }
        Ok(())
    }
}
