//! Dead letters, back to the topics that they came from.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use hop_core::{Content, Outgoing, Record, Registry};
use hop_kafka::{Commit, Error, ErrorKind, Lag, Publisher, StartPosition, Subscription, Url, restore};

use super::{PATIENCE, Replay};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::output;

/// Sends dead letters back, from their topic at `source`.
pub(super) async fn run(registry: Registry, options: Replay) -> Result<ExitCode, Failure> {
    let url: Url = options.source.parse()?;
    let [dead_letters] = url.topics() else {
        return Err(Failure::Usage("name the one topic that holds the dead letters".to_owned()));
    };
    let registry = Arc::new(registry);
    let hop = crate::stream(Arc::clone(&registry), options.no_auth).build()?;
    let group = match (options.group_id, hop.username(&url)?) {
        (Some(group), _) => group,
        // Rules of access usually want the username in front.
        (None, Some(username)) => format!("{username}-hop-replay"),
        (None, None) => "hop-replay".to_owned(),
    };
    let mut letters = hop
        .subscribe(&options.source)
        .group(group)
        .start_at(StartPosition::Earliest)
        .until_eos(true)
        .test_messages(true)
        // One that can neither be sent nor put back stays where it is: the commit never passes it.
        .commit(Commit::Each)
        .await?;
    let out = hop.publish(&options.source).produce_timeout(PATIENCE).await?;
    let sending = Sending { registry, out, to: options.to, all: options.all, dead_letters };
    let mut interrupt = Interrupt::listen()?;
    let mut counts = Counts::default();
    let outcome = loop {
        // One that was sent, and not marked before an interruption, is sent again: at least once.
        let step = async {
            match letters.next_record().await? {
                Ok(record) => Some(sending.send(&record).await.map(|outcome| (record, outcome))),
                Err(error) => Some(Err(error.into())),
            }
        };
        let (record, outcome) = tokio::select! {
            biased;
            () = interrupt.received() => { counts.stopped = true; break Ok(()) }
            step = step => match step {
                Some(Ok(step)) => step,
                Some(Err(failure)) => break Err(failure),
                None => break Ok(()),
            },
        };
        counts.add(&outcome);
        if !matches!(outcome, Outcome::Unsent { put_back: false })
            && let Err(error) = letters.mark_done(&record)
        {
            break Err(error.into());
        }
    };
    let left = if counts.stopped { left(&letters).await } else { None };
    let closed = letters.close().await;
    let left = left.map(|left| left + *closed.as_ref().unwrap_or(&0) as u64);
    counts.report(left, dead_letters)?;
    outcome?;
    closed?;
    Ok(if counts.is_complete() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Returns how many letters are still to be received, if the broker says so soon.
async fn left(letters: &Subscription) -> Option<u64> {
    const SOON: Duration = Duration::from_secs(2);
    letters.lag(SOON).await.ok()?.iter().map(Lag::messages).sum()
}

/// What became of one letter.
enum Outcome {
    Replayed,
    /// It still does not decode; it is at the end of its topic again.
    Undecodable,
    /// The topic does not take it. It is at the end of its own topic again, or stays where it is.
    Unsent {
        put_back: bool,
    },
}

#[derive(Default)]
struct Counts {
    replayed: usize,
    undecodable: usize,
    unsent: usize,
    in_place: usize,
    stopped: bool,
}

impl Counts {
    fn add(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Replayed => self.replayed += 1,
            Outcome::Undecodable => self.undecodable += 1,
            Outcome::Unsent { put_back } => {
                self.unsent += 1;
                self.in_place += usize::from(!put_back);
            }
        }
    }

    fn is_complete(&self) -> bool {
        self.undecodable == 0 && self.unsent == 0
    }

    fn report(&self, left: Option<u64>, dead_letters: &str) -> Result<(), Failure> {
        output::line(format_args!("{} messages replayed, {} still do not decode", self.replayed, self.undecodable))?;
        if self.unsent > 0 {
            output::complain(format_args!("{} messages could not be sent; `{dead_letters}` keeps them", self.unsent));
        }
        if self.in_place > 0 {
            output::complain(format_args!(
                "{} of them could not be put at its end either; the next run sends those after them again",
                self.in_place
            ));
        }
        if self.stopped {
            match left {
                Some(left) => output::complain(format_args!("stopped; {left} messages are left for the next run")),
                None => output::complain("stopped; the rest is left for the next run"),
            }
        }
        Ok(())
    }
}

/// Where messages go, and which.
struct Sending<'a> {
    registry: Arc<Registry>,
    out: Publisher,
    to: Option<String>,
    all: bool,
    dead_letters: &'a str,
}

impl Sending<'_> {
    /// Sends one message on its way, and waits until the broker has it.
    ///
    /// Fails where no message can be sent; of one that its topic alone does not take, the outcome says so.
    async fn send(&self, record: &Record) -> Result<Outcome, Failure> {
        let place = record.place.as_ref().map(ToString::to_string).unwrap_or_default();
        let keep = |problem: &dyn std::fmt::Display| output::complain(format_args!("kept: {place}: {problem}"));
        let (from, message) = restore(record);
        let Some(topic) = self.to.as_ref().or(from.as_ref()) else {
            keep(&"its headers do not say where it came from; say where to with `--to`");
            return self.put_back(record).await.map(|put_back| Outcome::Unsent { put_back });
        };
        if !self.all
            && let Err(error) = self.registry.decode(&message.headers, Content::from(&message.content))
        {
            keep(&error);
            return Ok(match self.put_back(record).await? {
                true => Outcome::Undecodable,
                false => Outcome::Unsent { put_back: false },
            });
        }
        match self.forward(topic, message).await {
            Ok(()) => Ok(Outcome::Replayed),
            Err(error) if ends_all(&error) => Err(error.into()),
            Err(error) => {
                keep(&reason(&error));
                self.put_back(record).await.map(|put_back| Outcome::Unsent { put_back })
            }
        }
    }

    async fn forward(&self, topic: &str, message: Outgoing) -> Result<(), Error> {
        self.out.forward(topic, message).await?.await.map(drop)
    }

    /// Puts the letter at the end of its topic, so that the next run meets it, and not what is replayed already; returns
    /// whether the topic took it.
    async fn put_back(&self, record: &Record) -> Result<bool, Failure> {
        let (content, key, headers) = (record.content.clone(), record.key.clone(), record.headers.clone());
        match self.forward(self.dead_letters, Outgoing { content, key, headers }).await {
            Ok(()) => Ok(true),
            Err(error) if ends_all(&error) => Err(error.into()),
            Err(error) => {
                output::complain(format_args!("it stays where it is: {}", reason(&error)));
                Ok(false)
            }
        }
    }
}

/// Returns the layer of a message's failure.
fn layer(error: &Error) -> ErrorKind {
    error.undelivered().first().map_or(error.kind(), |undelivered| undelivered.kind)
}

/// Returns why a message was not sent, without how many they are.
fn reason(error: &Error) -> String {
    error.undelivered().first().map_or_else(|| error.to_string(), |undelivered| undelivered.reason.clone())
}

/// Returns whether the failure is of the connection, so that no other message can be sent either.
fn ends_all(error: &Error) -> bool {
    use ErrorKind::{Authentication, Connection, Credential, TimedOut, Tls};
    matches!(layer(error), Connection | Tls | Authentication | TimedOut | Credential)
}
