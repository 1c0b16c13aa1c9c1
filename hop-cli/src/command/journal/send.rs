//! Sending what is in a journal, and publishing by way of one.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use hop_core::Registry;
use hop_kafka::{ErrorKind, JournaledPublisher, Write};

use super::{Send, contents};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::output;

pub(crate) async fn run(registry: Registry, options: Send) -> Result<ExitCode, Failure> {
    super::require(&options.journal)?;
    let hop = crate::stream(registry, options.no_auth).build()?;
    let mut interrupt = Interrupt::listen()?;
    let out = hop.publish(&options.url).journal(&options.journal).await?;
    contents::note(out.recovery());
    if options.refused {
        out.retry_refused().await?;
    }
    let total = out.unsent();
    finish(out, &mut interrupt, options.timeout, total, &options.journal).await
}

/// Has a journal accept messages; returns how many it refused, or `None` if it was stopped.
pub(crate) async fn accept<'a>(
    writes: impl Iterator<Item = Write<'a>>,
    interrupt: &mut Interrupt,
) -> Option<Result<usize, hop_kafka::Error>> {
    let accept = async {
        let mut refused = 0;
        for write in writes {
            match write.queue().await {
                Ok(_delivery) => {}
                Err(error) if error.undelivered().is_empty() => return Err(error),
                // The others are smaller, or there is room again.
                Err(error) => {
                    output::complain(format_args!("not accepted by the journal: {error}"));
                    refused += 1;
                }
            }
        }
        Ok(refused)
    };
    tokio::select! {
        biased;
        () = interrupt.received() => None,
        accepted = accept => Some(accepted),
    }
}

/// Sends what a journal has accepted.
pub(crate) async fn publish(
    out: JournaledPublisher,
    accepted: Option<Result<usize, hop_kafka::Error>>,
    interrupt: &mut Interrupt,
    patience: Duration,
    total: usize,
    journal: &Path,
) -> Result<ExitCode, Failure> {
    match accepted {
        Some(Ok(0)) => finish(out, interrupt, patience, total, journal).await,
        Some(Ok(refused)) => {
            finish(out, interrupt, patience, total - refused, journal).await?;
            Ok(ExitCode::FAILURE)
        }
        Some(Err(error)) => {
            // What was accepted is sent in the moment that closing takes, or stays.
            let _left = out.close_within(Duration::ZERO).await;
            Err(error.into())
        }
        None => {
            let waiting = out.unsent();
            let _left = out.close_within(Duration::ZERO).await;
            output::complain(format_args!("stopped; about {waiting} messages wait in {}", output::path(journal)));
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Waits until all is sent, and says what is not.
async fn finish(
    out: JournaledPublisher,
    interrupt: &mut Interrupt,
    patience: Duration,
    total: usize,
    journal: &Path,
) -> Result<ExitCode, Failure> {
    let patience = if patience.is_zero() { Duration::MAX } else { patience };
    let flushed = tokio::select! {
        biased;
        () = interrupt.received() => None,
        flushed = out.flush_within(patience) => Some(flushed),
    };
    let left = out.unsent();
    let aside = out.refused();
    let _left = out.close_within(Duration::ZERO).await;
    let path = output::path(journal);
    match flushed {
        Some(Err(error)) if !error.undelivered().is_empty() => {
            for lost in error.undelivered() {
                output::complain(format_args!("put aside, for `{}`: {}", lost.topic, lost.reason));
            }
        }
        Some(Err(error)) if error.kind() != ErrorKind::TimedOut => return Err(error.into()),
        _ => {}
    }
    if left > 0 {
        output::complain(format_args!(
            "{left} of {total} messages wait in {path}; `hop journal send {path} URL` sends them"
        ));
    }
    if aside > 0 {
        output::complain(format_args!("{aside} messages are put aside; `hop journal list {path}` says why"));
    }
    Ok(if left == 0 && aside == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
