//! Our writers, and how long a message takes from a writer to a reader.

use std::time::{Duration, Instant};

use hop_kafka::StartPosition;
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
