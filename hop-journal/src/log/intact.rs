//! Files that another program removed or cut while they were written to.

use std::convert::Infallible;
use std::io;

use super::{Location, Log, Manner, Staged, record};
use crate::frame::{self, Seal};
use crate::segment::RECORDS;
use crate::storage::Storage;

impl Log {
    /// Makes sure that the file that is written to is as it was left. If it is not, its messages are written to another one,
    /// as far as they can be read: a file that was removed can be as long as it is open.
    pub(crate) fn check(&mut self, storage: &dyn Storage, manner: Manner) -> io::Result<()> {
        let Some(active) = &self.active else { return Ok(()) };
        let Some(segment) = self.segments.get(&active.segment) else { return Ok(()) };
        if active.file.is_intact(segment.size)? {
            return Ok(());
        }
        tracing::error!(
            target: "hop", file = self.list.name(active.segment),
            "a file of a journal was removed or cut off by another program; its messages are written to another one"
        );
        self.replace(storage, manner)
    }

    fn replace(&mut self, storage: &dyn Storage, manner: Manner) -> io::Result<()> {
        let Some(active) = self.active.take() else { return Ok(()) };
        let Some(old) = self.segments.get(&active.segment) else { return Ok(()) };
        let seal = Seal::new(self.journal, self.next_segment);
        let mut staged = Staged::default();
        for (number, location) in self.messages.iter().filter(|(_, location)| location.segment == active.segment) {
            // What cannot be read stays where it is, and is reported when it is to be sent.
            let Ok(Some(body)) = record(&*active.file, *location, *number, &old.seal) else { continue };
            let at = staged.bytes.len();
            let written: Result<(), Infallible> =
                frame::put_message(&mut staged.bytes, RECORDS as u64, &seal, *number, |out| {
                    out.extend_from_slice(&body);
                    Ok(())
                });
            match written {
                Ok(()) => staged.messages.push((*number, at, location.size)),
                Err(never) => match never {},
            }
        }
        if let Some((first, ..)) = staged.messages.first() {
            let begun = self.begin(storage, &staged.bytes, *first, manner);
            let written = match begun {
                Ok(_) if manner.now => self.sync(),
                Ok(_) => Ok(()),
                Err(failure) => Err(failure.error),
            };
            if let Err(error) = written {
                // The messages are read from the old file until this works.
                self.active = Some(active);
                return Err(error);
            }
            self.relocate(active.segment, staged);
        }
        // The file may have been the one that said what is done in others.
        let spans: Vec<(u64, u64)> = self.segments.values().map(|segment| (segment.first, segment.last)).collect();
        for (first, last) in spans {
            let done = self.done_between(first, last);
            self.unwritten.extend(done);
        }
        Ok(())
    }

    /// Notes that messages are in the segment that was just begun.
    fn relocate(&mut self, from: u64, staged: Staged) {
        let Some(to) = self.active.as_ref().map(|active| active.segment) else { return };
        let count = staged.messages.len();
        if let Some(old) = self.segments.get_mut(&from) {
            old.live -= count;
        }
        for (number, at, size) in staged.messages {
            self.messages.insert(number, Location { segment: to, at: (RECORDS + at) as u64, size });
            if let Some(new) = self.segments.get_mut(&to) {
                new.live += 1;
                new.last = new.last.max(number);
            }
        }
    }

    /// Forgets a message that is gone with its file, without a note that it is done: the file may be found again.
    pub(crate) fn forget_one(&mut self, number: u64) {
        if let Some(location) = self.messages.remove(&number)
            && let Some(segment) = self.segments.get_mut(&location.segment)
        {
            segment.live -= 1;
        }
    }
}
