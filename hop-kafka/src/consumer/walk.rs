//! The batches that the reader has: the one that it walks through, and those whose next message is still being fetched.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Context;

use super::decode::Item;
use super::external::Fetcher;
use super::progress::Tenure;
use super::queue::Size;
use super::session::Batch;
use crate::counters::Tally;

/// A batch, as far as it is not handed over.
pub(super) struct Walk {
    pub(super) tenure: Arc<Tenure>,
    pub(super) items: VecDeque<(i64, Item)>,
    pub(super) walked: usize,
    /// The last message that the caller works on.
    pub(super) in_hand: Option<i64>,
    /// What it counts in the queue.
    pub(super) size: Size,
    /// How many of its messages are being fetched, or were and wait.
    fetching: usize,
}

impl Walk {
    pub(super) fn new(batch: Batch, size: Size) -> Self {
        let Batch { tenure, items } = batch;
        Self { tenure, items: items.into(), walked: 0, in_hand: None, size, fetching: 0 }
    }

    /// Returns true unless its next message is still to be fetched, which begins here; `others` are being fetched already.
    fn is_ready(&mut self, fetcher: &Fetcher, others: usize, tally: &Tally, context: &mut Context<'_>) -> bool {
        if self.tenure.is_over() {
            return true;
        }
        let (polled, fetching) = fetcher.poll_first(context, &mut self.items, others, tally);
        self.fetching = fetching;
        polled.is_ready()
    }
}

/// Batches that wait for a message to be fetched, each of another partition: so the partitions do not wait for each other.
#[derive(Default)]
pub(super) struct Waiting(Vec<Walk>);

impl Waiting {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many of their messages were handed over.
    pub(super) fn walked(&self) -> usize {
        self.0.iter().map(|walk| walk.walked).sum()
    }

    /// Puts the current batch by if its next message is still to be fetched; returns its message that the caller works on.
    pub(super) fn put_by(
        &mut self,
        current: &mut Option<Walk>,
        fetcher: &Fetcher,
        tally: &Tally,
        context: &mut Context<'_>,
    ) -> Option<(Arc<Tenure>, i64)> {
        let others = self.0.iter().map(|walk| walk.fetching).sum();
        let mut walk = current.take_if(|walk| !walk.is_ready(fetcher, others, tally, context))?;
        let in_hand = walk.in_hand.take().map(|offset| (Arc::clone(&walk.tenure), offset));
        self.0.push(walk);
        in_hand
    }

    /// Returns true if one of them can go on. All that cannot are looked at, so that the task is woken when one can.
    pub(super) fn is_any_ready(&mut self, fetcher: &Fetcher, tally: &Tally, context: &mut Context<'_>) -> bool {
        self.first_ready(fetcher, tally, context).is_some()
    }

    /// Takes one that can go on.
    pub(super) fn take(&mut self, fetcher: &Fetcher, tally: &Tally, context: &mut Context<'_>) -> Option<Walk> {
        self.first_ready(fetcher, tally, context).map(|at| self.0.remove(at))
    }

    fn first_ready(&mut self, fetcher: &Fetcher, tally: &Tally, context: &mut Context<'_>) -> Option<usize> {
        let mut total: usize = self.0.iter().map(|walk| walk.fetching).sum();
        self.0.iter_mut().position(|walk| {
            let others = total - walk.fetching;
            let is_ready = walk.is_ready(fetcher, others, tally, context);
            total = others + walk.fetching;
            is_ready
        })
    }

    /// Adds a batch to the one of the same partition, behind which it waits; gives it back if there is none.
    pub(super) fn follow(&mut self, batch: Batch, size: Size) -> Option<(Batch, Size)> {
        let Some(walk) = self.0.iter_mut().find(|walk| Arc::ptr_eq(&walk.tenure, &batch.tenure)) else {
            return Some((batch, size));
        };
        walk.items.extend(batch.items);
        walk.size.messages += size.messages;
        walk.size.bytes += size.bytes;
        None
    }
}
