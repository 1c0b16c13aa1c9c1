//! The reader: takes what the polling thread received, opens it, and keeps what is done with.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use hop_core::{MessageModel, Place, Record};

use super::control::Commits;
use super::inbox::Item;
use super::open::{Opened, Opener, What};
use super::undecodable::{Sending, Undecodable};
use super::{Alert, Control, Lag, Start, Typed};
use crate::blocking::{block_on, poll_own};
use crate::counters::ReadCounters;
use crate::time::timeout;
use crate::{Error, ErrorKind, Publisher};

/// How long [`Subscription::close`] waits for a broker that does not answer.
const CLOSE_PATIENCE: Duration = Duration::from_secs(10);

/// A reader: alerts, one after another.
///
/// It is an asynchronous stream ([`next`](Self::next), or `futures`' `Stream`) and a blocking iterator
/// ([`blocking`](Self::blocking)). A message that does not decode is an `Err` of kind `Decode` that carries the record, unless
/// the reader was told [otherwise](crate::Subscribe::on_undecodable); the messages after it follow.
///
/// In a group, a message counts as done when the next one is asked for, unless `auto_commit` is off. What is done is
/// committed in the background, and by [`close`](Self::close). A program that dies while it works on a message gets it
/// again.
///
/// Dropping it stops the reading thread, which leaves the group by itself.
pub struct Subscription {
    control: Control,
    opener: Opener,
    undecodable: Undecodable,
    /// Where undecodable messages go, if they go to a topic.
    dead_letters: Option<Arc<Publisher>>,
    sending: Option<(Sending, Option<Place>)>,
    /// The messages that the caller works on: the last one of each partition.
    handed_over: Vec<Place>,
    /// An error ended the reading.
    over: bool,
}

impl Subscription {
    pub(super) fn new(
        control: Control,
        opener: Opener,
        undecodable: Undecodable,
        dead_letters: Option<Arc<Publisher>>,
    ) -> Self {
        Self { control, opener, undecodable, dead_letters, sending: None, handed_over: Vec::new(), over: false }
    }

    /// The next alert; `None` at the end, which only comes with `until_eos`, when the reader is stopped, or after an error
    /// that ends the stream.
    ///
    /// It may be cancelled at any await: no message is lost by that.
    pub async fn next(&mut self) -> Option<Result<Alert, Error>> {
        std::future::poll_fn(|context| self.poll_next_with(context, Opener::alert)).await
    }

    /// The next record as it was received, not decoded; filters count, and test messages are skipped unless asked for.
    ///
    /// Otherwise as [`next`](Self::next).
    pub async fn next_record(&mut self) -> Option<Result<Record, Error>> {
        std::future::poll_fn(|context| self.poll_next_with(context, Opener::record)).await
    }

    /// Up to `most` alerts at once: waits until so many have been received, the buffer is full, or `within` is over, and
    /// takes what is there. Empty at the end, and when nothing came in time.
    ///
    /// In a group with auto commit, all of them count as done when the next message or batch is asked for. It may be
    /// cancelled at any await: no message is lost by that.
    pub async fn next_batch(&mut self, most: usize, within: Duration) -> Vec<Result<Alert, Error>> {
        self.finish_handed_over();
        let gathered = std::future::poll_fn(|context| {
            poll_own(context, |context| self.control.inbox.poll_gathered(context, most))
        });
        // Whichever it was, what is there is taken.
        let _in_time = timeout(within, gathered).await;
        let mut batch = Vec::new();
        // No waiting from here on, so that nothing that was taken can be lost by it.
        let mut take = |context: &mut Context<'_>| Poll::Ready(self.poll_more_with(context, Opener::alert));
        while batch.len() < most {
            match std::future::poll_fn(&mut take).await {
                Poll::Ready(Some(alert)) => batch.push(alert),
                Poll::Ready(None) | Poll::Pending => break,
            }
        }
        batch
    }

    /// The alerts as a blocking iterator, for programs without an asynchronous runtime.
    pub fn blocking(&mut self) -> impl Iterator<Item = Result<Alert, Error>> {
        std::iter::from_fn(|| block_on(self.next()))
    }

    /// The same reader for one format: models of type `M`, and every other message skipped.
    pub fn typed<M: MessageModel>(self) -> TypedSubscription<M> {
        TypedSubscription { subscription: self, model: PhantomData }
    }

    fn poll_next_with<T>(
        &mut self,
        context: &mut Context<'_>,
        open: impl Fn(&Opener, Item) -> Opened<T>,
    ) -> Poll<Option<Result<T, Error>>> {
        self.finish_handed_over();
        self.poll_more_with(context, open)
    }

    /// The next message, without saying that those before it are done with.
    fn poll_more_with<T>(
        &mut self,
        context: &mut Context<'_>,
        open: impl Fn(&Opener, Item) -> Opened<T>,
    ) -> Poll<Option<Result<T, Error>>> {
        loop {
            if let Some((sending, _)) = &mut self.sending {
                let sent = std::task::ready!(sending.poll(context));
                let place = self.sending.take().and_then(|(_, place)| place);
                match sent {
                    Ok(()) => {
                        self.control.tally.dead_letter();
                        self.pass(place);
                    }
                    Err(error) => {
                        self.hand_over(place);
                        return Poll::Ready(Some(Err(error)));
                    }
                }
            }
            if self.over {
                return Poll::Ready(None);
            }
            // A full inbox must not keep time-outs and signals of the same task waiting.
            let turn = std::task::ready!(tokio::task::coop::poll_proceed(context));
            let Some(item) = std::task::ready!(poll_own(context, |context| self.control.inbox.poll_take(context)))
            else {
                return Poll::Ready(None);
            };
            turn.made_progress();
            let Opened { place, what } = open(&self.opener, item);
            match what {
                What::Message(message) => {
                    self.hand_over(place);
                    return Poll::Ready(Some(Ok(message)));
                }
                What::Failed(error) => return Poll::Ready(Some(Err(error))),
                What::Skipped => {
                    self.control.tally.skipped();
                    self.pass(place);
                }
                What::Undecodable(error) => {
                    if let Some(error) = self.put_aside(error, place) {
                        return Poll::Ready(Some(Err(error)));
                    }
                }
            }
        }
    }

    /// Deals with a message that does not decode; gives the error to hand over, if that is how.
    fn put_aside(&mut self, error: Error, place: Option<Place>) -> Option<Error> {
        self.control.tally.undecodable();
        match (&self.undecodable, &self.dead_letters) {
            (Undecodable::Skip, _) => {
                tracing::warn!(target: "hop", %error, "skipped");
                self.pass(place);
                None
            }
            (Undecodable::Stop, _) => {
                self.over = true;
                self.control.stop();
                Some(error)
            }
            (Undecodable::DeadLetter(topic), Some(publisher)) => {
                tracing::warn!(target: "hop", %error, dead_letter_topic = topic, "put aside");
                match Sending::new(Arc::clone(publisher), topic.clone(), error) {
                    Ok(sending) => {
                        self.sending = Some((sending, place));
                        None
                    }
                    Err(error) => {
                        self.hand_over(place);
                        Some(error)
                    }
                }
            }
            (Undecodable::Yield | Undecodable::DeadLetter(_), _) => {
                self.hand_over(place);
                Some(error)
            }
        }
    }

    fn hand_over(&mut self, place: Option<Place>) {
        let Some(place) = place else { return };
        self.control.hand_over(&place);
        // Of a batch only the last message of each partition counts.
        match self.handed_over.iter_mut().find(|of| of.partition == place.partition && of.topic == place.topic) {
            Some(last) => *last = place,
            None => self.handed_over.push(place),
        }
    }

    /// Nobody has to work on it. In a batch it must not overtake the messages before it.
    fn pass(&mut self, place: Option<Place>) {
        let Some(place) = place else { return };
        match self.handed_over.iter_mut().find(|of| of.partition == place.partition && of.topic == place.topic) {
            Some(last) if self.control.commits == Commits::Auto => *last = place,
            _ => self.control.pass(&place),
        }
    }

    /// The messages handed over last are done with, since the next one is asked for.
    fn finish_handed_over(&mut self) {
        let auto = self.control.commits == Commits::Auto;
        for place in self.handed_over.drain(..) {
            if auto {
                self.control.pass(&place);
            }
        }
    }

    /// What can be done with this reader from elsewhere, while someone waits for the next message here.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// As [`Control::mark_done`].
    ///
    /// # Errors
    /// As there.
    pub fn mark_done(&self, record: &Record) -> Result<(), Error> {
        self.control.mark_done(record)
    }

    /// As [`Control::mark_done_now`].
    ///
    /// # Errors
    /// As there.
    pub async fn mark_done_now(&self, record: &Record) -> Result<(), Error> {
        self.control.mark_done_now(record).await
    }

    /// As [`Control::starts`].
    pub fn starts(&self) -> Vec<Start> {
        self.control.starts()
    }

    /// As [`Control::lag`].
    ///
    /// # Errors
    /// As there.
    pub async fn lag(&self, within: Duration) -> Result<Vec<Lag>, Error> {
        self.control.lag(within).await
    }

    /// As [`Control::counters`].
    pub fn counters(&self) -> ReadCounters {
        self.control.counters()
    }

    /// Stops, commits what is done, leaves the group, and says how many messages had been received and not handed over.
    ///
    /// The message handed over last is not counted as done unless it was marked so; it comes again.
    ///
    /// # Errors
    /// Kind `TimedOut` when the broker has not confirmed it within ten seconds: what was done last may come again.
    pub async fn close(self) -> Result<usize, Error> {
        self.close_within(CLOSE_PATIENCE).await
    }

    /// The same, waiting for the broker so long at most.
    ///
    /// # Errors
    /// As [`close`](Self::close).
    pub async fn close_within(self, patience: Duration) -> Result<usize, Error> {
        self.control.stop.store(true, Ordering::Release);
        let ended = std::future::poll_fn(|context| poll_own(context, |context| self.control.inbox.poll_ended(context)));
        timeout(patience, ended).await.ok_or_else(|| self.not_closed(patience))
    }

    /// The same, waiting on this thread.
    ///
    /// # Errors
    /// As [`close`](Self::close).
    pub fn close_blocking(self) -> Result<usize, Error> {
        self.control.stop.store(true, Ordering::Release);
        match self.control.inbox.wait_ended(CLOSE_PATIENCE) {
            Some(left) => Ok(left),
            None => Err(self.not_closed(CLOSE_PATIENCE)),
        }
    }

    fn not_closed(&self, patience: Duration) -> Error {
        let waiting = self.control.waiting();
        Error::new(
            ErrorKind::TimedOut,
            format!("closing the reader: the broker did not answer within {patience:?}; {waiting} messages are left"),
        )
        .help("in a group, what was done last may come again")
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("working_on", &self.handed_over).finish_non_exhaustive()
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.control.stop.store(true, Ordering::Release);
        self.control.inbox.stop();
        self.control.inbox.abandon();
    }
}

impl futures_core::Stream for Subscription {
    type Item = Result<Alert, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_next_with(context, Opener::alert)
    }
}

/// A reader of one format, [`Subscription::typed`]: the models themselves, without a box around them.
///
/// Messages of other formats are skipped, and count as done in a group. A message without a label is decoded first, and is
/// handed over if it turns out to be an `M`.
#[derive(Debug)]
pub struct TypedSubscription<M> {
    subscription: Subscription,
    model: PhantomData<fn() -> M>,
}

impl<M: MessageModel> TypedSubscription<M> {
    /// As [`Subscription::next`].
    pub async fn next(&mut self) -> Option<Result<Typed<M>, Error>> {
        std::future::poll_fn(|context| self.subscription.poll_next_with(context, Opener::typed::<M>)).await
    }

    /// As [`Subscription::blocking`].
    pub fn blocking(&mut self) -> impl Iterator<Item = Result<Typed<M>, Error>> {
        std::iter::from_fn(|| block_on(self.next()))
    }

    /// As [`Subscription::control`].
    pub fn control(&self) -> Control {
        self.subscription.control()
    }

    /// The reader of every format again.
    pub fn into_inner(self) -> Subscription {
        self.subscription
    }
}

impl<M: MessageModel> futures_core::Stream for TypedSubscription<M> {
    type Item = Result<Typed<M>, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().subscription.poll_next_with(context, Opener::typed::<M>)
    }
}
