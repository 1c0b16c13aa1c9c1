//! The thread that queues messages of the journal in a plain publisher, one after the other.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use hop_journal::Entry;

use super::super::Publisher;
use super::super::delivery::DeliveryResult;
use super::writer::{Report, Request};
use crate::blocking::{block_on_within, spawn};
use crate::{Error, Undelivered};

/// How long the broker may take to say how large a message may be.
const ASKING: Duration = Duration::from_secs(10);
/// How large batches may become: a topic that takes less gets one message at a time.
const BATCH: usize = 128 << 10;

/// A message that is to be sent.
pub(super) struct Handed {
    pub(super) number: u64,
    pub(super) entry: Entry,
    /// No other message may be in its batch.
    pub(super) alone: bool,
}

/// Starts the thread; it ends when the sender that is returned is dropped.
pub(super) fn start(publisher: Arc<Publisher>, reports: Sender<Request>) -> Result<Sender<Handed>, Error> {
    let (outlet, incoming) = mpsc::channel();
    spawn("hop-journal-send", move || run(&publisher, &incoming, &reports))?;
    Ok(outlet)
}

fn run(publisher: &Publisher, incoming: &Receiver<Handed>, reports: &Sender<Request>) {
    // Topics whose batches have to be of one message.
    let mut is_small: HashMap<String, bool> = HashMap::new();
    while let Ok(Handed { number, entry, alone }) = incoming.recv() {
        let topic = entry.topic.as_str();
        let small = match is_small.get(topic) {
            Some(small) => *small,
            None => {
                // All messages of a batch are refused if it is too large. Where the limit is not known, that is seen then.
                let limit = block_on_within(publisher.max_message_bytes(topic), ASKING);
                let small = limit.is_ok_and(|limit| limit < BATCH);
                is_small.insert(topic.to_owned(), small);
                small
            }
        };
        let alone = alone || small;
        let tell = reports.clone();
        let callback = Box::new(move |result: DeliveryResult| {
            // The writer ends only when it no longer wants to know.
            let _told = tell.send(Request::Report(Report { number, result, is_own: alone }));
        });
        let queued = crate::blocking::block_on(publisher.queue(topic, entry.message, Some(callback)));
        match queued {
            Ok(_) if alone => _ = crate::blocking::block_on(publisher.flush()),
            Ok(_) => {}
            Err(error) => {
                let (kind, reason) = (error.kind(), error.to_string());
                let Some(undelivered) = error.into_undelivered().pop() else { continue };
                let undelivered = Undelivered { kind, reason, ..undelivered };
                let _told = reports.send(Request::Report(Report { number, result: Err(undelivered), is_own: true }));
            }
        }
    }
}
