//! The reader: walks through what the worker received, decodes it, and says which messages are done.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use hop_core::{MessageModel, Record};

use super::dead_letters::{Sending, Undecodable};
use super::decode::{Decoder, Item, Outcome};
use super::options::Commit;
use super::progress::Tenure;
use super::session::{Arrival, Session};
use super::walk::{Waiting, Walk};
use super::{Alert, Control, Lag, Start, Typed};
use crate::blocking::{block_on, poll_own};
use crate::counters::ReadCounters;
use crate::time::timeout;
use crate::{Error, ErrorKind, Publisher};

/// How long [`Subscription::close`] waits for a broker that does not answer.
const CLOSE_PATIENCE: Duration = Duration::from_secs(10);
/// The most messages that are handed over before other work of the same task has its turn.
const TURN: u32 = 128;

/// A reader: alerts, one after another.
///
/// It is an asynchronous stream ([`next`](Self::next), or `futures`' `Stream`) and a blocking iterator
/// ([`blocking`](Self::blocking)). A message that does not decode is an `Err` of kind `Decode` that carries the record, unless
/// the reader was told [otherwise](crate::Subscribe::on_undecodable); the messages after it follow. A panic in a model or a
/// filter is such an error too.
///
/// It needs no particular executor. A full queue lets other work of its task have a turn after every 128 messages.
///
/// In a group, a message counts as done when the next one is asked for, unless [`Commit`](crate::Commit) says otherwise.
/// What is done is committed in the background, and by [`close`](Self::close). A program that dies while it works on a
/// message gets it again.
///
/// Dropping it stops the reading thread, which leaves the group by itself.
pub struct Subscription {
    session: Arc<Session>,
    decoder: Decoder,
    undecodable: Undecodable,
    /// Where undecodable messages go, if they go to a topic.
    dead_letters: Option<Arc<Publisher>>,
    /// An undecodable message on its way there. The lock is never waited for: it is there for `Sync`.
    sending: Mutex<Option<(Sending, Arc<Tenure>, i64)>>,
    /// The batch that is walked through.
    current: Option<Walk>,
    /// Batches of other partitions, whose next message is still being fetched.
    waiting: Waiting,
    /// The last message of each other partition that the caller works on.
    earlier: Vec<(Arc<Tenure>, i64)>,
    /// Messages handed over since other work had its turn.
    turn: u32,
    /// An error ended the reading.
    over: bool,
    /// Placeholders are handed over as they are.
    leaves_placeholders: bool,
}

impl Subscription {
    pub(super) fn new(
        session: Arc<Session>,
        decoder: Decoder,
        undecodable: Undecodable,
        dead_letters: Option<Arc<Publisher>>,
    ) -> Self {
        Self {
            session,
            decoder,
            undecodable,
            dead_letters,
            sending: Mutex::new(None),
            current: None,
            waiting: Waiting::default(),
            earlier: Vec::new(),
            turn: 0,
            over: false,
            leaves_placeholders: false,
        }
    }

    pub(super) fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    /// Returns the next alert; `None` at the end, which only comes with `until_eos`, when the reader is stopped, or after an
    /// error that ends the stream.
    ///
    /// It may be cancelled at any await: no message is lost by that.
    pub async fn next(&mut self) -> Option<Result<Alert, Error>> {
        std::future::poll_fn(|context| self.poll_next_with(context, Decoder::alert)).await
    }

    /// Returns the next record as it was received, not decoded; filters count, and test messages are skipped unless asked
    /// for.
    ///
    /// Otherwise the same as [`next`](Self::next).
    pub async fn next_record(&mut self) -> Option<Result<Record, Error>> {
        std::future::poll_fn(|context| {
            self.leaves_placeholders = true;
            let polled = self.poll_next_with(context, Decoder::record);
            self.leaves_placeholders = false;
            polled
        })
        .await
    }

    /// Returns up to `most` alerts at once: waits until so many have been received, the buffer is full, or `within` is over,
    /// and takes what is there. Empty at the end, and when nothing came in time.
    ///
    /// In a group with [`Commit::Auto`](crate::Commit::Auto), all of them count as done when the next message or batch is
    /// asked for. It may be cancelled at any await: no message is lost by that.
    pub async fn next_batch(&mut self, most: usize, within: Duration) -> Vec<Result<Alert, Error>> {
        self.finish_in_hand();
        let started = Instant::now();
        // However many are ready, other work of the task has its turn between two batches.
        yield_once().await;
        loop {
            let left = within.saturating_sub(started.elapsed());
            let gathered =
                std::future::poll_fn(|context| poll_own(context, |context| self.poll_gathered(context, most)));
            let in_time = timeout(left, gathered).await.is_some();
            let mut batch = Vec::new();
            // Nothing that was taken is waited with, so that nothing is lost when the call is cancelled.
            let ended = std::future::poll_fn(|context| Poll::Ready(self.take_batch(context, most, &mut batch))).await;
            if ended || !in_time || !batch.is_empty() || most == 0 {
                return batch;
            }
            // All that was gathered was skipped, is being decoded, or is on its way to the dead-letter topic.
            let left = within.saturating_sub(started.elapsed());
            let more = std::future::poll_fn(|context| poll_own(context, |context| self.poll_more(context)));
            match timeout(left, more).await {
                Some(None) => {}
                Some(Some(error)) => return vec![Err(error)],
                None => return Vec::new(),
            }
        }
    }

    /// Takes what is there without waiting; returns whether the stream has ended.
    fn take_batch(&mut self, context: &mut Context<'_>, most: usize, batch: &mut Vec<Result<Alert, Error>>) -> bool {
        while batch.len() < most {
            match self.poll_more_with(context, Decoder::alert) {
                Poll::Ready(Some(alert)) => batch.push(alert),
                Poll::Ready(None) => return true,
                Poll::Pending => return false,
            }
        }
        false
    }

    /// Ready once so many messages wait, or waiting for them makes no sense.
    fn poll_gathered(&mut self, context: &mut Context<'_>, most: usize) -> Poll<()> {
        if self.over || self.session.is_stopped() || self.is_sending() {
            return Poll::Ready(());
        }
        std::task::ready!(self.poll_open(context));
        let here = self.current.as_ref().map_or(0, |walk| walk.items.len());
        if here >= most { Poll::Ready(()) } else { self.session.queue.poll_gathered(context, most) }
    }

    /// Puts the current batch by while its next message is still to be fetched from the archive.
    fn put_by(&mut self, context: &mut Context<'_>) {
        let Some(fetcher) = self.decoder.fetcher().filter(|_| !self.leaves_placeholders) else { return };
        let in_hand = self.waiting.put_by(&mut self.current, fetcher, &self.session.counters, context);
        if let Some((tenure, offset)) = in_hand {
            self.note_earlier(tenure, offset);
        }
    }

    /// Ready once there may be a message that was not there before, or with the error of a dead letter.
    fn poll_more(&mut self, context: &mut Context<'_>) -> Poll<Option<Error>> {
        if self.is_sending() {
            return self.poll_sending(context);
        }
        if self.over || self.session.is_stopped() {
            return Poll::Ready(None);
        }
        std::task::ready!(self.poll_open(context));
        self.put_by(context);
        if self.current.as_ref().is_some_and(|walk| !walk.items.is_empty()) || self.is_any_ready(context) {
            return Poll::Ready(None);
        }
        std::task::ready!(self.session.queue.poll_first(context));
        if !self.waiting.is_empty() && self.session.queue.is_taken() {
            return self.wait_for_change(context).map(|()| None);
        }
        Poll::Ready(None)
    }

    /// Whether one of the batches that were put by can go on.
    fn is_any_ready(&mut self, context: &mut Context<'_>) -> bool {
        let fetcher = self.decoder.fetcher();
        fetcher.is_some_and(|fetcher| self.waiting.is_any_ready(fetcher, &self.session.counters, context))
    }

    /// Whoever stops the reader, and a partition that goes away, end the wait for what is being fetched.
    fn wait_for_change(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.session.queue.register(context);
        if self.session.is_stopped() || self.is_any_ready(context) { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Ready unless the reader is paused.
    fn poll_open(&self, context: &mut Context<'_>) -> Poll<()> {
        if self.session.is_paused() {
            self.session.queue.register(context);
            // It may have gone on before it was registered.
            if self.session.is_paused() && !self.session.is_stopped() {
                return Poll::Pending;
            }
        }
        Poll::Ready(())
    }

    fn is_sending(&mut self) -> bool {
        self.sending.get_mut().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Returns the alerts as a blocking iterator, which may be used anywhere: without an asynchronous runtime, and in a task
    /// of one.
    pub fn blocking(&mut self) -> impl Iterator<Item = Result<Alert, Error>> {
        std::iter::from_fn(|| self.block_for(Decoder::alert))
    }

    /// Waits on this thread for the next message.
    fn block_for<T>(&mut self, open: impl Fn(&Decoder, Item) -> Outcome<T>) -> Option<Result<T, Error>> {
        // Most often there is one, and nothing to prepare for a wait.
        match self.poll_next_with(&mut Context::from_waker(Waker::noop()), &open) {
            Poll::Ready(next) => next,
            Poll::Pending => block_on(std::future::poll_fn(|context| self.poll_next_with(context, &open))),
        }
    }

    /// Returns the same reader for one format: models of type `M`, and every other message skipped.
    pub fn typed<M: MessageModel>(self) -> TypedSubscription<M> {
        TypedSubscription { subscription: self, model: PhantomData }
    }

    fn poll_next_with<T>(
        &mut self,
        context: &mut Context<'_>,
        open: impl Fn(&Decoder, Item) -> Outcome<T>,
    ) -> Poll<Option<Result<T, Error>>> {
        self.finish_in_hand();
        if self.turn >= TURN {
            self.turn = 0;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let polled = poll_own(context, |context| self.poll_more_with(context, open));
        self.turn = if polled.is_pending() { 0 } else { self.turn + 1 };
        polled
    }

    /// The next message, without saying that those before it are done with.
    fn poll_more_with<T>(
        &mut self,
        context: &mut Context<'_>,
        open: impl Fn(&Decoder, Item) -> Outcome<T>,
    ) -> Poll<Option<Result<T, Error>>> {
        let mut skipped = 0;
        loop {
            if let Some(failed) = std::task::ready!(self.poll_sending(context)) {
                return Poll::Ready(Some(Err(failed)));
            }
            if self.over || self.session.is_stopped() {
                return Poll::Ready(None);
            }
            // A long row of messages that nobody asked for must not keep the task from other work.
            if skipped >= TURN {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            self.put_by(context);
            let Some((offset, item)) = self.take() else {
                match std::task::ready!(self.poll_batch(context)) {
                    Some(Ok(())) => continue,
                    Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                    None => return Poll::Ready(None),
                }
            };
            match open(&self.decoder, item) {
                Outcome::Alert(message) => {
                    self.hand_over(offset);
                    return Poll::Ready(Some(Ok(message)));
                }
                Outcome::Failed(error) => return Poll::Ready(Some(Err(error))),
                Outcome::Skipped => {
                    self.session.counters.skipped();
                    self.pass(offset);
                    skipped += 1;
                }
                Outcome::Undecodable(error) => {
                    skipped += 1;
                    if let Some(error) = self.put_aside(error, offset) {
                        return Poll::Ready(Some(Err(error)));
                    }
                }
            }
        }
    }

    /// Takes the next message of the current batch, unless its partition went away, and none while the reader is paused.
    fn take(&mut self) -> Option<(i64, Item)> {
        let walk = self.current.as_mut()?;
        if !self.session.is_open() {
            return None;
        }
        if walk.tenure.is_over() && !walk.items.is_empty() {
            walk.items.clear();
            self.session.queue.release(walk.size, self.waiting.walked());
            return None;
        }
        let taken = walk.items.pop_front()?;
        walk.walked += 1;
        match walk.items.is_empty() {
            true => self.session.queue.release(walk.size, self.waiting.walked()),
            false => self.session.queue.walked(self.waiting.walked() + walk.walked),
        }
        Some(taken)
    }

    /// Makes another batch the current one: one that was put by and can go on, or the next of the queue. Ready with an error
    /// that came in the place of one, and with `None` at the end.
    fn poll_batch(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<(), Error>>> {
        std::task::ready!(self.poll_open(context));
        // A paused reader that goes on may have some of its batch left.
        if self.current.as_ref().is_some_and(|walk| !walk.items.is_empty()) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if !self.waiting.is_empty()
            && let Some(fetcher) = self.decoder.fetcher()
            && let Some(walk) = self.waiting.take(fetcher, &self.session.counters, context)
        {
            self.begin(walk);
            return Poll::Ready(Some(Ok(())));
        }
        loop {
            match self.session.queue.poll_take(context) {
                Poll::Ready(Some((Arrival::Batch(batch), size))) => {
                    // Behind one of the same partition that was put by it waits as well.
                    if let Some((batch, size)) = self.waiting.follow(batch, size) {
                        self.begin(Walk::new(batch, size));
                        return Poll::Ready(Some(Ok(())));
                    }
                }
                Poll::Ready(Some((Arrival::Failed(error), size))) => {
                    self.session.queue.release(size, self.waiting.walked());
                    return Poll::Ready(Some(Err(error)));
                }
                Poll::Ready(None) if self.waiting.is_empty() => return Poll::Ready(None),
                Poll::Pending if self.waiting.is_empty() => return Poll::Pending,
                Poll::Ready(None) | Poll::Pending => {
                    std::task::ready!(self.wait_for_change(context));
                    // It is looked at once more.
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
            }
        }
    }

    /// Walks through this batch from now on.
    fn begin(&mut self, walk: Walk) {
        if let Some(Walk { tenure, in_hand: Some(offset), .. }) = self.current.replace(walk) {
            self.note_earlier(tenure, offset);
        }
    }

    /// Sends the dead letter that is on its way; ready with the error to hand over if it cannot be sent.
    fn poll_sending(&mut self, context: &mut Context<'_>) -> Poll<Option<Error>> {
        let slot = self.sending.get_mut().unwrap_or_else(PoisonError::into_inner);
        let Some((sending, ..)) = slot else { return Poll::Ready(None) };
        let sent = std::task::ready!(sending.poll(context));
        let Some((_, tenure, offset)) = slot.take() else { return Poll::Ready(None) };
        match sent {
            Ok(()) => {
                self.session.counters.dead_letter();
                self.pass_in(&tenure, offset);
                Poll::Ready(None)
            }
            Err(error) => {
                self.hand_over_in(&tenure, offset);
                Poll::Ready(Some(error))
            }
        }
    }

    /// Deals with a message that does not decode; gives the error to hand over, if that is how.
    fn put_aside(&mut self, error: Error, offset: i64) -> Option<Error> {
        self.session.counters.undecodable();
        match (&self.undecodable, &self.dead_letters) {
            (Undecodable::Skip, _) => {
                tracing::warn!(target: "hop", %error, "skipped");
                self.pass(offset);
                None
            }
            (Undecodable::Stop, _) => {
                self.over = true;
                self.session.stop();
                Some(error)
            }
            (Undecodable::DeadLetter(topic), Some(publisher)) => {
                tracing::warn!(target: "hop", %error, dead_letter_topic = topic, "put aside");
                let tenure = self.current.as_ref().map(|walk| Arc::clone(&walk.tenure));
                match (Sending::new(Arc::clone(publisher), topic.clone(), error), tenure) {
                    (Ok(sending), Some(tenure)) => {
                        *self.sending.get_mut().unwrap_or_else(PoisonError::into_inner) =
                            Some((sending, tenure, offset));
                        None
                    }
                    (Ok(_), None) => None,
                    (Err(error), _) => {
                        self.hand_over(offset);
                        Some(error)
                    }
                }
            }
            (Undecodable::Yield | Undecodable::DeadLetter(_), _) => {
                self.hand_over(offset);
                Some(error)
            }
        }
    }

    /// A message of the current batch is handed over.
    fn hand_over(&mut self, offset: i64) {
        if let Some(walk) = &mut self.current {
            self.session.hand_over(&walk.tenure, offset);
            walk.in_hand = Some(offset);
        }
    }

    fn hand_over_in(&mut self, tenure: &Arc<Tenure>, offset: i64) {
        match &self.current {
            Some(walk) if Arc::ptr_eq(&walk.tenure, tenure) => self.hand_over(offset),
            _ => {
                self.session.hand_over(tenure, offset);
                self.note_earlier(Arc::clone(tenure), offset);
            }
        }
    }

    /// Nobody has to work on a message of the current batch.
    fn pass(&mut self, offset: i64) {
        if let Some(walk) = &self.current {
            let tenure = Arc::clone(&walk.tenure);
            self.pass_in(&tenure, offset);
        }
    }

    /// Nobody has to work on it. In a batch it must not overtake the messages before it.
    fn pass_in(&mut self, tenure: &Arc<Tenure>, offset: i64) {
        if self.session.settings.commit == Some(Commit::Auto) {
            if let Some(walk) = &mut self.current
                && Arc::ptr_eq(&walk.tenure, tenure)
                && walk.in_hand.is_some()
            {
                walk.in_hand = Some(offset);
                return;
            }
            if let Some((_, last)) = self.earlier.iter_mut().find(|(of, _)| Arc::ptr_eq(of, tenure)) {
                *last = offset;
                return;
            }
        }
        self.session.pass(tenure, offset);
    }

    fn note_earlier(&mut self, tenure: Arc<Tenure>, offset: i64) {
        match self.earlier.iter_mut().find(|(of, _)| Arc::ptr_eq(of, &tenure)) {
            Some((_, last)) => *last = offset,
            None => self.earlier.push((tenure, offset)),
        }
    }

    /// The messages handed over last are done with, since the next one is asked for.
    fn finish_in_hand(&mut self) {
        let is_auto = self.session.settings.commit == Some(Commit::Auto);
        for (tenure, offset) in self.earlier.drain(..) {
            if is_auto {
                self.session.pass(&tenure, offset);
            }
        }
        if let Some(walk) = &mut self.current
            && let Some(offset) = walk.in_hand.take()
            && is_auto
        {
            self.session.pass(&walk.tenure, offset);
        }
    }

    /// Returns what can be done with this reader from elsewhere, while someone waits for the next message here.
    pub fn control(&self) -> Control {
        Control::new(Arc::clone(&self.session))
    }

    /// Marks a record as done: [`Control::mark_done`].
    ///
    /// # Errors
    /// Those of [`Control::mark_done`].
    pub fn mark_done(&self, record: &Record) -> Result<(), Error> {
        self.control().mark_done(record)
    }

    /// Marks a record as done and commits it: [`Control::mark_done_now`].
    ///
    /// # Errors
    /// Those of [`Control::mark_done_now`].
    pub async fn mark_done_now(&self, record: &Record) -> Result<(), Error> {
        self.control().mark_done_now(record).await
    }

    /// Returns where reading began: [`Control::starts`].
    pub fn starts(&self) -> Vec<Start> {
        self.control().starts()
    }

    /// Returns how far reading is from the ends: [`Control::lag`].
    ///
    /// # Errors
    /// Those of [`Control::lag`].
    pub async fn lag(&self, within: Duration) -> Result<Vec<Lag>, Error> {
        self.control().lag(within).await
    }

    /// Returns what the reader has done so far: [`Control::counters`].
    pub fn counters(&self) -> ReadCounters {
        self.session.counters.read()
    }

    /// Stops, commits what is done, leaves the group, and returns how many messages had been received and not handed over.
    ///
    /// The message handed over last is not counted as done unless it was marked so; it comes again.
    ///
    /// # Errors
    /// Kind `TimedOut` when the broker has not confirmed it within ten seconds: what was done last may come again.
    pub async fn close(self) -> Result<usize, Error> {
        self.close_within(CLOSE_PATIENCE).await
    }

    /// Closes the reader, and waits for the broker at most for this time.
    ///
    /// Otherwise the same as [`close`](Self::close).
    ///
    /// # Errors
    /// Those of [`close`](Self::close).
    pub async fn close_within(self, within: Duration) -> Result<usize, Error> {
        self.session.close();
        let ended = std::future::poll_fn(|context| poll_own(context, |context| self.session.queue.poll_ended(context)));
        timeout(within, ended).await.ok_or_else(|| {
            let waiting = self.session.queue.waiting();
            Error::new(
                ErrorKind::TimedOut,
                format!("closing the reader: the broker did not answer within {within:?}; {waiting} messages are left"),
            )
            .help("in a group, what was done last may come again")
        })
    }
}

/// Lets other work of the task have its turn.
async fn yield_once() {
    let mut yielded = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("session", &self.session).finish_non_exhaustive()
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.session.stop();
        self.session.close();
        self.session.queue.abandon();
    }
}

impl futures_core::Stream for Subscription {
    type Item = Result<Alert, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_next_with(context, Decoder::alert)
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
    /// Returns the next message of this format: [`Subscription::next`].
    pub async fn next(&mut self) -> Option<Result<Typed<M>, Error>> {
        std::future::poll_fn(|context| self.subscription.poll_next_with(context, Decoder::typed::<M>)).await
    }

    /// Returns the messages as a blocking iterator: [`Subscription::blocking`].
    pub fn blocking(&mut self) -> impl Iterator<Item = Result<Typed<M>, Error>> {
        std::iter::from_fn(|| self.subscription.block_for(Decoder::typed::<M>))
    }

    /// Returns what can be done with this reader from elsewhere: [`Subscription::control`].
    pub fn control(&self) -> Control {
        self.subscription.control()
    }

    /// Returns the reader of every format again.
    pub fn into_inner(self) -> Subscription {
        self.subscription
    }
}

impl<M: MessageModel> futures_core::Stream for TypedSubscription<M> {
    type Item = Result<Typed<M>, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().subscription.poll_next_with(context, Decoder::typed::<M>)
    }
}
