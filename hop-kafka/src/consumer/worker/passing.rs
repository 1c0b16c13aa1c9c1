//! Going on after a batch that librdkafka cannot unpack.

use std::sync::Arc;

use hop_core::Place;

use super::super::client::{Client, Partition};
use super::super::unreadable::{Met, Search, Step};
use super::Worker;
use crate::Error;
use crate::error::Loss;

impl<C: Client> Worker<C> {
    /// Passes the batch that begins at `base`, or goes on with the search for its end.
    pub(super) fn pass_unreadable(&mut self, partition: &Partition, base: i64, reason: &str) {
        self.flush();
        let Some(tenure) = self.session.assignment.tenure(&partition.0, partition.1) else { return };
        let known = self.searches.remove(partition).filter(|search| Arc::ptr_eq(&search.tenure, &tenure));
        let mut search = known.unwrap_or_else(|| {
            let (topic, id) = partition;
            tracing::warn!(target: "hop", topic, partition = id, offset = base, reason, "a batch cannot be unpacked");
            let from = tenure.position().unwrap_or(base);
            Search::new(tenure, base, from, reason.to_owned())
        });
        match search.next(Met::Unreadable(base), self.end_of(partition)) {
            Step::Try(offset) => self.read_from(partition, search, offset),
            Step::Beyond(offset) => {
                self.note_passed(partition, &search, offset);
                // This is the next one.
                self.pass_unreadable(partition, base, reason);
            }
        }
    }

    /// Returns whether a message, or the end of the partition, counts: it is not one that the search tried alone.
    pub(super) fn is_after_search(&mut self, partition: &Partition) -> bool {
        let Some(mut search) = self.searches.remove(partition) else { return true };
        if search.tenure.is_over() {
            return true;
        }
        match search.next(Met::Readable, self.end_of(partition)) {
            Step::Try(offset) => {
                self.read_from(partition, search, offset);
                false
            }
            Step::Beyond(offset) => {
                self.note_passed(partition, &search, offset);
                true
            }
        }
    }

    fn end_of(&self, partition: &Partition) -> i64 {
        self.client.ends(partition).map_or(0, |(_, end)| end)
    }

    fn read_from(&mut self, partition: &Partition, search: Search, offset: i64) {
        let place = Place { topic: partition.0.as_str().into(), partition: partition.1, offset };
        match self.client.seek(&place, self.session.settings.timeout) {
            Ok(()) => {
                self.searches.insert(partition.clone(), search);
            }
            // The batch is met once more, and the search begins anew.
            Err(error) => self.session.fail(Error::kafka(&format!("going to {place}"), error)),
        }
    }

    fn note_passed(&self, partition: &Partition, search: &Search, beyond: i64) {
        search.tenure.advance_to(beyond, beyond);
        self.session.note_lost(partition, search.from, beyond, Loss::Unreadable { reason: search.reason.clone() });
    }
}
