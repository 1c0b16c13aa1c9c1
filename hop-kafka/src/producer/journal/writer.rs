//! The thread that has the journal: it accepts messages, hands them out in order, and notes what the broker has.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use hop_core::{Headers, Outgoing, Payload};
use hop_journal::{Entry, Journal, Refusal, WhenFull};

use super::super::Publisher;
use super::super::delivery::InFlight;
use super::failures::{Failures, Verdict};
use super::publisher::Shared;
use super::requests::{Accepting, OnItsWay, Report, Request};
use super::sender::{Handed, Outlet};
use crate::{Delivered, Error, ErrorKind, Undelivered};

/// How many requests are dealt with together, and written together: their number, and bytes of messages.
const TOGETHER: usize = 1000;
const TOGETHER_BYTES: usize = 4 << 20;
/// How long the thread sleeps if nothing is due.
const IDLE: Duration = Duration::from_secs(60);
/// How long what is on its way may still be confirmed when the publisher ends.
const GRACE: Duration = Duration::from_secs(1);

pub(super) struct Writer {
    journal: Journal,
    shared: Arc<Shared>,
    outlet: Outlet,
    publisher: Arc<Publisher>,
    /// Those who wait for the results, by message; messages from before this process have none.
    results: HashMap<u64, Arc<InFlight>>,
    on_its_way: OnItsWay,
    /// The last message that was handed out.
    handed: u64,
    /// Nothing is handed out while this is set: until all that is on its way is reported, then until this time.
    pause: Option<Pause>,
    failures: Failures,
    /// Messages that are damaged, and were reported.
    unreadable: HashSet<u64>,
    /// Topics of which a batch was too large.
    one_at_a_time: HashSet<String>,
    /// Messages that wait for room in the journal.
    parked: VecDeque<Accepting>,
}

#[derive(Debug, Clone, Copy)]
struct Pause {
    wait: Duration,
    /// When all that was on its way had been reported.
    since: Option<Instant>,
}

impl Writer {
    pub(super) fn new(journal: Journal, shared: Arc<Shared>, outlet: Outlet, publisher: Arc<Publisher>) -> Self {
        Self {
            journal,
            shared,
            outlet,
            publisher,
            results: HashMap::new(),
            on_its_way: OnItsWay::default(),
            handed: 0,
            pause: None,
            failures: Failures::default(),
            unreadable: HashSet::new(),
            one_at_a_time: HashSet::new(),
            parked: VecDeque::new(),
        }
    }

    pub(super) fn run(mut self, requests: &Receiver<Request>) {
        loop {
            self.hand_out();
            let first = match requests.recv_timeout(self.next_due()) {
                Ok(request) => Some(request),
                Err(RecvTimeoutError::Timeout) => {
                    self.check();
                    None
                }
                Err(RecvTimeoutError::Disconnected) => break,
            };
            if self.serve(first, requests) {
                break;
            }
            if let Err(error) = self.journal.sync_if_due() {
                tracing::error!(target: "hop", %error, "what the journal accepted last would not survive a loss of power");
            }
        }
        self.end(requests);
    }

    /// Makes sure that the journal is where it should be, while nothing is accepted that would show it.
    fn check(&mut self) {
        let checked = self.journal.check();
        if let Err(error) = &checked {
            tracing::error!(target: "hop", %error, "a journal in use was changed by another program");
        }
        self.note_place(checked.err().as_ref());
    }

    /// Notes whether the journal is where others will look for it.
    fn note_place(&self, error: Option<&hop_journal::Error>) {
        let is_moved = error.is_some_and(|error| error.kind() == hop_journal::ErrorKind::Moved);
        self.shared.is_moved.store(is_moved, Ordering::Relaxed);
    }

    /// How long nothing has to be done.
    fn next_due(&self) -> Duration {
        let resume = self.pause.and_then(|pause| Some(pause.wait.saturating_sub(pause.since?.elapsed())));
        [self.journal.sync_due(), resume].into_iter().flatten().fold(IDLE, Duration::min)
    }

    /// Deals with what is there; returns true if it is to end.
    fn serve(&mut self, first: Option<Request>, requests: &Receiver<Request>) -> bool {
        let (mut accepting, mut reports, mut bytes) = (Vec::new(), Vec::new(), 0);
        let mut next = first;
        let mut ends = false;
        while let Some(request) = next {
            match request {
                Request::Accept(message) => {
                    bytes += message.entry.message.content.len();
                    accepting.push(message);
                }
                Request::Report(report) => reports.push(report),
                Request::RetryRefused(reply) => {
                    // Whoever asked may have given up meanwhile.
                    let _told = reply.send(self.retry_refused());
                }
                Request::End => {
                    ends = true;
                    break;
                }
            }
            let is_enough = accepting.len() + reports.len() >= TOGETHER || bytes >= TOGETHER_BYTES;
            next = if is_enough { None } else { requests.try_recv().ok() };
        }
        self.note(reports);
        // Those who have waited longest come first.
        let waiting: Vec<Accepting> = self.parked.drain(..).chain(accepting).collect();
        self.accept(waiting);
        ends
    }

    /// Accepts messages: all of them in one write, as far as there is room.
    fn accept(&mut self, accepting: Vec<Accepting>) {
        let mut staged: Vec<(u64, Accepting)> = Vec::with_capacity(accepting.len());
        for message in accepting {
            if message.reply.is_closed() {
                continue;
            }
            // The order holds among those that wait for room.
            if !self.parked.is_empty() {
                self.parked.push_back(message);
                continue;
            }
            if !self.journal.has_room(&message.entry) {
                self.commit(std::mem::take(&mut staged));
                if self.journal.when_full() == WhenFull::DropOldest {
                    self.drop_oldest(&message.entry);
                }
            }
            match self.journal.stage(&message.entry) {
                Ok(number) => staged.push((number, message)),
                Err(error)
                    if error.kind() == hop_journal::ErrorKind::Full && self.journal.when_full() != WhenFull::Refuse =>
                {
                    self.parked.push_back(message);
                }
                Err(error) => {
                    self.note_place(Some(&error));
                    refuse(message, error);
                }
            }
        }
        self.commit(staged);
    }

    fn commit(&mut self, mut staged: Vec<(u64, Accepting)>) {
        match self.journal.commit() {
            Ok(()) if staged.is_empty() => {}
            Ok(()) => {
                self.note_place(None);
                staged.into_iter().for_each(|(number, message)| self.confirm_accepted(number, message));
            }
            Err(error) if staged.len() == 1 => {
                if let Some((_, message)) = staged.pop() {
                    refuse(message, error);
                }
            }
            // Some of them may fit.
            Err(_) => {
                for (_, message) in staged {
                    match self.journal.append(&message.entry) {
                        Ok(number) => self.confirm_accepted(number, message),
                        Err(error) => refuse(message, error),
                    }
                }
            }
        }
    }

    fn confirm_accepted(&mut self, number: u64, message: Accepting) {
        self.shared.unsent.begin();
        let in_flight = InFlight::new(&self.shared.failures, number, None, message.callback);
        let delivery = in_flight.delivery();
        self.results.insert(number, in_flight);
        // Whoever gave up has a message that is sent all the same.
        let _told = message.reply.send(Ok(delivery));
        // In the usual case it is on its way without having been read back.
        if self.is_next(number) {
            self.hand(number, message.entry);
        }
    }

    fn is_next(&self, number: u64) -> bool {
        self.pause.is_none() && self.on_its_way.has_room() && self.journal.next_after(self.handed) == Some(number)
    }

    fn hand(&mut self, number: u64, entry: Entry) {
        self.handed = number;
        self.on_its_way.add(number, entry.message.content.len() + 200);
        let alone = self.one_at_a_time.contains(&entry.topic);
        self.outlet.send(Handed { number, entry, alone });
    }

    /// Hands out as much as may be on its way, in order.
    fn hand_out(&mut self) {
        if let Some(pause) = &mut self.pause {
            if !self.on_its_way.sizes.is_empty() {
                return;
            }
            let since = *pause.since.get_or_insert_with(Instant::now);
            if since.elapsed() < pause.wait {
                return;
            }
            self.pause = None;
            // From the oldest message on: what came after the one that failed follows it.
            self.handed = 0;
        }
        while self.on_its_way.has_room() {
            let Some(number) = self.journal.next_after(self.handed) else { break };
            match self.journal.read(number) {
                Ok(entry) => self.hand(number, entry),
                Err(error) if error.kind() == hop_journal::ErrorKind::Damaged => {
                    self.handed = number;
                    self.give_up(number, &error);
                }
                Err(error) if error.kind() == hop_journal::ErrorKind::NotFound => {
                    self.give_up(number, &error);
                    self.journal.forget(number);
                }
                Err(error) => {
                    let wait = self.failures.back_off();
                    tracing::error!(target: "hop", number, %error, ?wait, "the journal cannot be read; it is tried again");
                    self.pause = Some(Pause { wait, since: None });
                    break;
                }
            }
        }
    }

    /// Passes over a message that is damaged. It stays in the journal, and is put aside when that is opened again.
    fn give_up(&mut self, number: u64, error: &hop_journal::Error) {
        if self.unreadable.insert(number) {
            tracing::error!(target: "hop", number, %error, "a message of the journal cannot be read and is not sent");
            self.fail(number, unreadable(error));
        }
    }

    /// Notes what became of messages.
    fn note(&mut self, reports: Vec<Report>) {
        let mut delivered = Vec::with_capacity(reports.len());
        let mut results: Vec<(u64, Delivered)> = Vec::with_capacity(reports.len());
        for Report { number, result, is_own } in reports {
            self.on_its_way.remove(number);
            // It was dropped while it was on its way.
            if !self.journal.is_waiting(number) {
                continue;
            }
            match result {
                Ok(place) => {
                    self.failures.note_delivered(number);
                    delivered.push(number);
                    results.push((number, place));
                }
                Err(undelivered) => self.note_failure(number, undelivered, is_own),
            }
        }
        if !delivered.is_empty() {
            self.journal.done(&delivered);
        }
        for (number, place) in results {
            if let Some(in_flight) = self.results.remove(&number) {
                in_flight.report(Ok(place));
            }
            self.shared.unsent.end();
        }
    }

    fn note_failure(&mut self, number: u64, undelivered: Undelivered, is_own: bool) {
        let Undelivered { topic, kind, reason, .. } = &undelivered;
        if self.failures.judge(number, topic, *kind, is_own) == Verdict::Aside {
            match self.journal.refuse(number, Refusal::new(kind.as_str(), reason.as_str())) {
                Ok(()) => {
                    tracing::error!(target: "hop", number, topic, reason, "a message was put aside in the journal");
                    self.shared.refused.fetch_add(1, Ordering::Relaxed);
                    self.fail(number, undelivered);
                    return;
                }
                // It waits on, and is tried again.
                Err(error) => tracing::error!(target: "hop", number, %error, "a message could not be put aside"),
            }
        }
        if *kind == ErrorKind::TooLarge && !is_own {
            self.one_at_a_time.insert(topic.clone());
        }
        if self.pause.is_none() {
            let is_batch = *kind == ErrorKind::TooLarge && !is_own;
            let wait = if is_batch { Duration::ZERO } else { self.failures.back_off() };
            tracing::warn!(
                target: "hop", topic, reason, waiting = self.shared.unsent.count(), ?wait,
                "messages of the journal were not delivered; they are sent again"
            );
            self.pause = Some(Pause { wait, since: None });
        }
    }

    /// Returns a message to the program as undelivered.
    fn fail(&mut self, number: u64, undelivered: Undelivered) {
        let failures = &self.shared.failures;
        let in_flight = self.results.remove(&number).unwrap_or_else(|| InFlight::new(failures, number, None, None));
        in_flight.report(Err(undelivered));
        self.shared.unsent.end();
    }

    fn drop_oldest(&mut self, entry: &Entry) {
        for (number, dropped) in self.journal.drop_oldest(entry) {
            self.failures.forget(number);
            let dropped = match dropped {
                Ok(dropped) => dropped,
                Err(error) => {
                    self.give_up(number, &error);
                    continue;
                }
            };
            let topic = dropped.topic;
            tracing::error!(target: "hop", number, topic, "a message was dropped, since the journal is full");
            let reason = format!("writing to `{topic}`: dropped from the journal, which is full, for newer messages");
            self.fail(number, Undelivered { topic, message: dropped.message, kind: ErrorKind::Journal, reason });
        }
    }

    fn retry_refused(&mut self) -> Result<usize, Error> {
        // Whoever asks may know better: each is tried as often as the first one was.
        self.failures.forget_topics();
        let refused: Vec<u64> = self.journal.refused().collect();
        for number in &refused {
            self.journal.retry(*number).map_err(Error::journal)?;
            self.shared.refused.fetch_sub(1, Ordering::Relaxed);
            self.shared.unsent.begin();
        }
        Ok(refused.len())
    }

    /// Gives what is on its way a moment to be confirmed, and closes the journal.
    fn end(mut self, requests: &Receiver<Request>) {
        let until = Instant::now() + GRACE;
        while !self.on_its_way.sizes.is_empty() {
            match requests.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(Request::Report(report)) => self.note(vec![report]),
                // Nobody is there to hear the answer.
                Ok(_) => {}
                Err(_) => break,
            }
        }
        self.publisher.worker.purge();
        self.report_left();
        let left = self.shared.unsent.count();
        if left > 0 {
            tracing::info!(target: "hop", left, "messages stay in the journal, for whoever opens it next");
        }
        if let Err(error) = self.journal.close() {
            tracing::error!(target: "hop", %error, left, "what the journal accepted last may be lost");
        }
    }
}

impl Writer {
    /// Tells those who still wait for a result that there will be none now.
    fn report_left(&mut self) {
        for (number, in_flight) in std::mem::take(&mut self.results) {
            if !in_flight.is_awaited() {
                continue;
            }
            let undelivered = match self.journal.read(number) {
                Ok(Entry { topic, message, .. }) => {
                    let reason =
                        format!("writing to `{topic}`: the publisher ended before; the message waits in the journal");
                    Undelivered { topic, message, kind: ErrorKind::Journal, reason }
                }
                Err(error) => unreadable(&error),
            };
            in_flight.report(Err(undelivered));
        }
    }
}

/// What is returned for a message that cannot be read back.
fn unreadable(error: &hop_journal::Error) -> Undelivered {
    let message = Outgoing { content: Payload::NULL, key: None, headers: Headers::new() };
    Undelivered { topic: String::new(), message, kind: ErrorKind::Journal, reason: error.to_string() }
}

/// Tells whoever writes a message that the journal did not accept it.
fn refuse(message: Accepting, error: hop_journal::Error) {
    let Entry { topic, message: content, .. } = message.entry;
    // Whoever gave up does not want to know.
    let _told = message.reply.send(Err(Error::journal(error).hand_back(topic, content)));
}
