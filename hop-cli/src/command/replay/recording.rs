//! A recording, into a topic or into a broker inside this process.

use std::cell::Cell;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use hop_core::{Outgoing, Record, Registry, header};
use hop_kafka::{EmbeddedBroker, Publisher, Url};
use tokio::time::Instant;

use super::{PATIENCE, Replay};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::output::{self, progress};
use crate::recording::Reader;

pub(super) async fn run(registry: Registry, options: Replay) -> Result<ExitCode, Failure> {
    let path = Path::new(&options.source);
    // All of it is read before anything is sent: what is cut off is known then.
    let (total, cut) = check(path)?;
    if let (Some(cut), false) = (&cut, options.partial) {
        return Err(Failure::Io(std::io::Error::other(format!(
            "{cut}; nothing was sent: `--partial` sends the messages before, {total} of them"
        ))));
    }
    let mut interrupt = Interrupt::listen()?;
    let embedded = match &options.to_url {
        Some(_) => None,
        None => Some(EmbeddedBroker::start()?),
    };
    let (url, topic) = target(&options, embedded.as_ref(), path)?;
    let hop = crate::stream(registry, options.no_auth || embedded.is_some()).build()?;
    let out = hop.publish(&url).produce_timeout(PATIENCE).await?;
    if embedded.is_some() {
        output::line(&url)?;
    }
    let queued = Cell::new(0);
    let work = async {
        tokio::time::sleep(Duration::from_secs(options.after.into())).await;
        send(path, total, &options, topic.as_deref(), &out, &queued).await
    };
    let done = || queued.get() - out.unsent().min(queued.get());
    let sent = progress::until_interrupted(work, total, done, &mut interrupt).await;
    let unsent = match sent {
        Some(Err(Failure::Kafka(error))) if !error.undelivered().is_empty() => {
            total - queued.get() + output::undelivered(&error)
        }
        Some(Err(failure)) => return Err(failure),
        Some(Ok(())) => 0,
        None => {
            let unsent = total - queued.get() + out.unsent();
            let _given_up = out.close_within(Duration::ZERO).await;
            unsent
        }
    };
    output::outcome(total, unsent);
    if embedded.is_some() && unsent == 0 {
        // Its readers have until Ctrl-C.
        interrupt.received().await;
    }
    Ok(if unsent == 0 && cut.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Returns how many messages a recording holds, and where it is cut off, if it is.
fn check(path: &Path) -> Result<(usize, Option<std::io::Error>), Failure> {
    let mut count = 0;
    for record in Reader::open(path)? {
        match record {
            Ok(_) => count += 1,
            Err(error) => return Ok((count, Some(error))),
        }
    }
    Ok((count, None))
}

/// Returns the URL to publish to, and the topic of every message, if it is not the one that each was recorded from.
fn target(
    options: &Replay,
    embedded: Option<&EmbeddedBroker>,
    path: &Path,
) -> Result<(String, Option<String>), Failure> {
    if let Some(broker) = embedded {
        let topics = match &options.to {
            Some(topic) => vec![topic.clone()],
            None => Reader::open(path)?.topics().to_vec(),
        };
        for topic in &topics {
            // In one partition messages keep the order of the recording.
            broker.create_topic(topic, 1)?;
        }
        return Ok((broker.url(&topics.join(",")), options.to.clone()));
    }
    let text = options.to_url.clone().unwrap_or_default();
    let url: Url = text.parse()?;
    match (url.topics(), &options.to) {
        (_, Some(topic)) => Ok((text, Some(topic.clone()))),
        ([], None) => Ok((text, None)),
        ([topic], None) => Ok((text.clone(), Some(topic.clone()))),
        (_, None) => Err(Failure::Usage("name one topic to send to, or none for those of the recording".to_owned())),
    }
}

/// Sends messages as fast as they were published, or faster.
async fn send(
    path: &Path,
    total: usize,
    options: &Replay,
    topic: Option<&str>,
    out: &Publisher,
    queued: &Cell<usize>,
) -> Result<(), Failure> {
    let started = Instant::now();
    let mut first = None;
    for record in Reader::open(path)?.take(total) {
        let record = record?;
        if let (Some(speed), Some(time)) = (options.speed, record.timestamp) {
            let since = time.saturating_sub(*first.get_or_insert(time)).max(0);
            // As precise as timestamps are.
            let since = Duration::from_millis(since.unsigned_abs());
            let wait = Duration::try_from_secs_f64(since.as_secs_f64() / speed).unwrap_or(Duration::MAX);
            if let Some(when) = started.checked_add(wait) {
                tokio::time::sleep_until(when).await;
            }
        }
        let Record { content, key, mut headers, place, .. } = record;
        if options.test && !headers.is_test() {
            headers.push(header::TEST, Some("true".into()));
        }
        let own = place.as_ref().map(|place| &*place.topic).unwrap_or_default();
        // `flush` returns what was not delivered.
        let _delivery = out.forward(topic.unwrap_or(own), Outgoing { content, key, headers }).await?;
        queued.set(queued.get() + 1);
    }
    Ok(out.flush().await?)
}
