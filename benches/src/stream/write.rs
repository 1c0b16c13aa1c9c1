//! Our writers, and how long a message takes from a writer to a reader.

use std::time::{Duration, Instant};

use hop_kafka::StartPosition;
use hop_kafka::journal::Durability;
use tokio::runtime::Runtime;

use super::job::{Job, Meter, Report};
use super::load::Messages;
use super::read::{reader, stream};
use crate::Outcome;

type Failure = Box<dyn std::error::Error>;

/// Queues all of them, then waits until they are confirmed.
pub(super) fn queue(job: &Job) -> Outcome<Report> {
    let (messages, runtime) = (Messages::new(job.load)?, Runtime::new()?);
    let more: Vec<(String, &str)> = (0..job.headers).map(|more| (format!("header-{more}"), "some value")).collect();
    let mut meter = Meter::start(job);
    runtime.block_on(async {
        let out = stream()?.publish(job.url()).await?;
        meter.writes();
        for number in 0..job.messages {
            let mut write = out.write(messages.model(number));
            for (name, value) in &more {
                write = write.header(name.as_str(), value);
            }
            // `flush` says whether all have arrived.
            let _delivery = write.queue().await?;
        }
        out.flush().await?;
        meter.wrote(job.messages);
        Ok::<(), Failure>(())
    })?;
    meter.report()
}

/// How many messages are queued at the same time, by as many tasks of a program.
const AT_ONCE: u64 = 64;

/// Queues all of them by way of a journal, each of which is on the disk before it is accepted.
pub(super) fn journal_each(job: &Job) -> Outcome<Report> {
    journal(job, Durability::Each)
}

/// The same, where they are on the disk a tenth of a second later.
pub(super) fn journal_within(job: &Job) -> Outcome<Report> {
    journal(job, Durability::Within(Duration::from_millis(100)))
}

/// The same, where the operating system writes them to the disk when it likes.
pub(super) fn journal_system(job: &Job) -> Outcome<Report> {
    journal(job, Durability::OperatingSystem)
}

fn journal(job: &Job, durability: Durability) -> Outcome<Report> {
    let (messages, runtime) = (Messages::new(job.load)?, Runtime::new()?);
    // On the disk of the target folder: that of temporary files may be memory.
    let beside = std::env::current_exe()?;
    let home = tempfile::tempdir_in(beside.parent().ok_or("no folder")?)?;
    let mut meter = Meter::start(job);
    runtime.block_on(async {
        let out = stream()?.publish(job.url()).journal(home.path().join("journal")).durability(durability).await?;
        meter.writes();
        let mut number = 0;
        while number < job.messages {
            let end = job.messages.min(number + AT_ONCE);
            let together = (number..end).map(|number| out.write(messages.model(number)).queue());
            for queued in futures_util::future::join_all(together).await {
                let _delivery = queued?;
            }
            number = end;
        }
        out.flush().await?;
        meter.wrote(job.messages);
        Ok::<(), Failure>(())
    })?;
    meter.report()
}

/// Waits for each message to be confirmed before it sends the next one.
pub(super) fn send(job: &Job) -> Outcome<Report> {
    let (messages, runtime) = (Messages::new(job.load)?, Runtime::new()?);
    let mut meter = Meter::start(job);
    runtime.block_on(async {
        let out = stream()?.publish(job.url()).await?;
        meter.writes();
        for number in 0..job.messages {
            let sent = Instant::now();
            out.write(messages.model(number)).send().await?;
            meter.time(sent.elapsed());
        }
        meter.wrote(job.messages);
        Ok::<(), Failure>(())
    })?;
    meter.report()
}

/// Writes a message and waits for its model, then the next one.
pub(super) fn latency(job: &Job) -> Outcome<Report> {
    let (messages, runtime) = (Messages::new(job.load)?, Runtime::new()?);
    let mut meter = Meter::start(job);
    runtime.block_on(async {
        let mut alerts = reader(job)?.start_at(StartPosition::Latest).await?;
        let out = stream()?.publish(job.url()).await?;
        meter.writes();
        let mut due = Instant::now();
        for number in 0..job.messages {
            tokio::time::sleep_until(due.into()).await;
            let sent = Instant::now();
            let delivery = out.write(messages.model(number)).queue().await?;
            let alert = alerts.next().await.ok_or("the reader ended too early")??;
            meter.time(sent.elapsed());
            let place = alert.record.place.as_ref().ok_or("a record without its place")?;
            meter.count(&alert.record.content, place.offset, job.messages);
            delivery.await?;
            due = sent + Duration::from_millis(job.pace_ms);
        }
        meter.wrote(job.messages);
        Ok::<(), Failure>(())
    })?;
    meter.report()
}
