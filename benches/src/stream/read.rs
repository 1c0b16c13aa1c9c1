//! Our readers, each way that a program may read.

use std::time::Duration;

use hop_core::{MessageModel, Record, Registry};
use hop_kafka::{StartPosition, Stream, Subscribe, Subscription};
use hop_models::{AvroBlob, Circular};
use tokio::runtime::Runtime;

use super::job::{Job, Meter, Report};
use super::load::Load;
use crate::Outcome;

const BATCH: usize = 1_000;
const WITHIN: Duration = Duration::from_millis(100);

pub(super) fn stream() -> Outcome<Stream> {
    let registry = Registry::builder().models(hop_models::MODELS).build()?;
    Ok(Stream::builder().registry(registry).no_auth().build()?)
}

/// The reader as a program sets it up, from the beginning.
pub(super) fn reader(job: &Job) -> Outcome<Subscribe> {
    let reader = stream()?.subscribe(job.url()).start_at(StartPosition::Earliest);
    Ok(match &job.group {
        Some(group) => reader.group(group),
        None => reader,
    })
}

/// Counts a record; whether it was the last one.
fn count(meter: &mut Meter, record: &Record, of: u64) -> Outcome<bool> {
    let place = record.place.as_ref().ok_or("a record without its place")?;
    Ok(meter.count(&record.content, place.offset, of))
}

fn ended() -> Box<dyn std::error::Error> {
    "the reader ended too early".into()
}

/// Alerts, one after another, until there are as many as the job has, or none follow.
async fn read_all(job: &Job, meter: &mut Meter, alerts: &mut Subscription) -> Outcome<()> {
    while let Some(alert) = alerts.next().await {
        meter.arrived(1);
        let record = match alert {
            Ok(alert) => alert.record,
            Err(error) if job.load == Load::Broken && error.record().is_some() => {
                error.into_record().ok_or_else(ended)?
            }
            Err(error) => return Err(error.into()),
        };
        if count(meter, &record, job.messages)? {
            return Ok(());
        }
    }
    Err(ended())
}

/// As many readers as the job has, each in a task, beside those that are open and have nothing to read.
pub(super) fn next(job: &Job) -> Outcome<Report> {
    let runtime = Runtime::new()?;
    let mut meter = Meter::start(job);
    let mut open = Vec::new();
    for _ in 0..job.open {
        open.push(runtime.block_on(async {
            reader(job)?.start_at(StartPosition::Latest).await.map_err(Box::from) as Outcome<Subscription>
        })?);
    }
    let others: Vec<_> = (1..job.readers)
        .map(|_| {
            let job = job.clone();
            runtime.spawn(async move {
                let mut meter = Meter::start(&job);
                let subscribe = reader(&job).map_err(|error| error.to_string())?;
                let mut alerts = subscribe.await.map_err(|error| error.to_string())?;
                read_all(&job, &mut meter, &mut alerts).await.map_err(|error| error.to_string())?;
                Ok::<Meter, String>(meter)
            })
        })
        .collect();
    runtime.block_on(async {
        let mut alerts = reader(job)?.await?;
        read_all(job, &mut meter, &mut alerts).await?;
        for other in others {
            meter.add(other.await??);
        }
        Ok::<(), Box<dyn std::error::Error>>(())
    })?;
    meter.report()
}

pub(super) fn threads(job: &Job) -> Outcome<Report> {
    let runtime = Runtime::new()?;
    let mut meter = Meter::start(job);
    runtime.block_on(async {
        let mut alerts = reader(job)?.decoding_threads(2).await?;
        read_all(job, &mut meter, &mut alerts).await
    })?;
    meter.report()
}

/// To the end and not only to the last message, which is when the program may go on.
pub(super) fn until_eos(job: &Job) -> Outcome<Report> {
    let runtime = Runtime::new()?;
    let mut meter = Meter::start(job);
    runtime.block_on(async {
        let mut alerts = reader(job)?.until_eos(true).await?;
        while let Some(alert) = alerts.next().await {
            meter.arrived(1);
            count(&mut meter, &alert?.record, job.messages)?;
        }
        meter.ended();
        Ok::<(), Box<dyn std::error::Error>>(())
    })?;
    meter.report()
}

pub(super) fn batch(job: &Job) -> Outcome<Report> {
    let runtime = Runtime::new()?;
    let mut meter = Meter::start(job);
    runtime.block_on(async {
        let mut alerts = reader(job)?.await?;
        loop {
            let batch = alerts.next_batch(BATCH, WITHIN).await;
            if !batch.is_empty() {
                meter.arrived(batch.len());
            }
            for alert in batch {
                if count(&mut meter, &alert?.record, job.messages)? {
                    return Ok::<(), Box<dyn std::error::Error>>(());
                }
            }
        }
    })?;
    meter.report()
}

pub(super) fn record(job: &Job) -> Outcome<Report> {
    let runtime = Runtime::new()?;
    let mut meter = Meter::start(job);
    runtime.block_on(async {
        let mut alerts = reader(job)?.await?;
        while let Some(record) = alerts.next_record().await {
            meter.arrived(1);
            if count(&mut meter, &record?, job.messages)? {
                return Ok(());
            }
        }
        Err(ended())
    })?;
    meter.report()
}

pub(super) fn blocking(job: &Job) -> Outcome<Report> {
    let mut meter = Meter::start(job);
    let mut alerts = hop_kafka::block_on(reader(job)?)?;
    for alert in alerts.blocking() {
        meter.arrived(1);
        if count(&mut meter, &alert?.record, job.messages)? {
            return meter.report();
        }
    }
    Err(ended())
}

pub(super) fn typed(job: &Job) -> Outcome<Report> {
    match job.load {
        Load::Circular | Load::Broken => typed_as::<Circular>(job),
        Load::Alert => typed_as::<AvroBlob>(job),
        Load::Mix => Err("a mix is not of one type".into()),
    }
}

fn typed_as<M: MessageModel>(job: &Job) -> Outcome<Report> {
    let runtime = Runtime::new()?;
    let mut meter = Meter::start(job);
    runtime.block_on(async {
        let mut alerts = reader(job)?.await?.typed::<M>();
        while let Some(alert) = alerts.next().await {
            meter.arrived(1);
            if count(&mut meter, &alert?.record, job.messages)? {
                return Ok(());
            }
        }
        Err(ended())
    })?;
    meter.report()
}
