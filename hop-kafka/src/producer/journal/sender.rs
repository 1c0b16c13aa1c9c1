//! The thread that queues messages of the journal in a plain publisher, one after the other.

use std::collections::HashMap;
use std::future::{Future as _, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::task::Poll;
use std::time::Duration;

use hop_journal::Entry;
use tokio::sync::oneshot;

use super::super::Publisher;
use super::super::delivery::DeliveryResult;
use super::requests::{Report, Request};
use crate::blocking::{block_on, block_on_within, spawn};
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

/// The way to the thread, which ends when this is dropped: a message that is being stored in the archive just then is left
/// to whoever opens the journal next.
#[derive(Debug)]
pub(super) struct Outlet {
    messages: Sender<Handed>,
    _ends: oneshot::Sender<()>,
}

impl Outlet {
    pub(super) fn send(&self, message: Handed) {
        // The thread ends only with this.
        let _sent = self.messages.send(message);
    }
}

/// Starts the thread.
pub(super) fn start(publisher: Arc<Publisher>, reports: Sender<Request>) -> Result<Outlet, Error> {
    let ((messages, incoming), (ends, end)) = (mpsc::channel(), oneshot::channel());
    spawn("hop-journal-send", move || run(&publisher, &incoming, &reports, end))?;
    Ok(Outlet { messages, _ends: ends })
}

fn run(publisher: &Publisher, incoming: &Receiver<Handed>, reports: &Sender<Request>, mut end: oneshot::Receiver<()>) {
    // The order holds as long as the journal itself decides what is sent again.
    publisher.context().report_too_large(true);
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
        if alone {
            // What is refused now is this message, which is stored before the next one is sent.
            let _flushed = block_on(publisher.flush());
            publisher.context().report_too_large(false);
        }
        let mut queuing = pin!(publisher.outlet.queue(topic, entry.message, Some(callback)));
        let queued = block_on(poll_fn(|context| match Pin::new(&mut end).poll(context) {
            Poll::Ready(_) => Poll::Ready(None),
            Poll::Pending => queuing.as_mut().poll(context).map(Some),
        }));
        match queued {
            None => return,
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                let (kind, reason) = (error.kind(), error.to_string());
                let Some(undelivered) = error.into_undelivered().pop() else { continue };
                let undelivered = Undelivered { kind, reason, ..undelivered };
                let _told = reports.send(Request::Report(Report { number, result: Err(undelivered), is_own: true }));
            }
        }
        if alone {
            let _flushed = block_on(publisher.flush());
            publisher.context().report_too_large(true);
        }
    }
}
