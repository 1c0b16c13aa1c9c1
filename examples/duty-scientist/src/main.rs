//! What a duty scientist starts from: gamma-ray bursts whose error radius is under 3 degrees, and gravitational waves, each a
//! line in a file and on the terminal.
//!
//! `duty-scientist [--no-auth] [URL [FILE]]`
//!
//! A message is marked done after its line is on the disk: whatever happens, the next run starts with the first message that
//! is not written down. A line may come twice, and none is missing. Ctrl-C and SIGTERM commit what is done, and leave the group.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is a command")]

use std::fs::{File, OpenOptions};
use std::future::IntoFuture as _;
use std::io::Write as _;

use hop_core::{Record, Summary};
use hop_kafka::{Commit, ErrorKind, StartPosition, Stream, Subscription};
use hop_models::{GwAlert, summary};

/// GCN's topics of gamma-ray bursts, and the alerts of LIGO, Virgo and KAGRA.
const URL: &str = "kafka://kafka.gcn.nasa.gov/gcn.classic.voevent.FERMI_GBM_FIN_POS,\
                   gcn.classic.voevent.SWIFT_BAT_GRB_POS_ACK,gcn.notices.svom.voevent.eclairs,\
                   gcn.notices.einstein_probe.wxt.alert,gcn.notices.swift.bat.guano,igwn.gwalert";

/// In degrees.
const LARGEST_RADIUS: f64 = 3.0;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (options, places): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(|argument| argument == "--no-auth");
    let url = places.first().map_or(URL, String::as_str);
    let path = places.get(1).map_or("alerts.txt", String::as_str);
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;

    let mut hop = Stream::builder().start_at(StartPosition::Earliest);
    if !options.is_empty() {
        hop = hop.no_auth();
    }
    let mut stopped = std::pin::pin!(stopped());
    let subscribe = hop.build()?.subscribe(url).group("duty-scientist").commit(Commit::Marked);
    let mut alerts = tokio::select! {
        signal = &mut stopped => return Ok(signal?),
        alerts = subscribe.into_future() => alerts?,
    };
    let watched = tokio::select! {
        signal = &mut stopped => signal.map_err(Into::into),
        watched = watch(&mut alerts, &mut file) => watched,
    };
    // Whatever ended the watch, what is written down is done.
    alerts.close().await?;
    watched
}

/// Waits for Ctrl-C or SIGTERM.
async fn stopped() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            signal = tokio::signal::ctrl_c() => signal,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

/// Writes a line for each alert that is worth one, until there are no more.
async fn watch(alerts: &mut Subscription, file: &mut File) -> Result<(), Box<dyn std::error::Error>> {
    loop {
        let record: Record = match alerts.next().await {
            None => return Ok(()),
            Some(Ok(alert)) => {
                let is_wave = alert.get::<GwAlert>().is_some();
                if let Some(line) = line(&summary::of(&*alert.model), is_wave) {
                    write_down(file, &line)?;
                }
                alert.record
            }
            // One message that does not decode: the others follow.
            Some(Err(error)) if error.kind() == ErrorKind::Decode => {
                eprintln!("{error}");
                let Some(record) = error.into_record() else { continue };
                record
            }
            Some(Err(error)) => return Err(error.into()),
        };
        if let Err(error) = alerts.mark_done(&record) {
            // Another member of the group has the partition now, and reads the message again.
            eprintln!("{error}");
        }
    }
}

/// Name, time and position, if the message is worth a line.
fn line(summary: &Summary, is_wave: bool) -> Option<String> {
    let place = match summary.direction.position() {
        Some(at) => {
            let radius = at.radius().filter(|radius| *radius < LARGEST_RADIUS)?;
            format!("{:9.4} {:+9.4} +- {radius:.4} deg", at.ra(), at.dec())
        }
        // Gravitational waves have a map in the place of a position, and are never left out.
        None if is_wave => match &summary.sky_map {
            Some(map) => format!("sky map: {map}"),
            None => "no sky map".to_owned(),
        },
        // Whoever acted on the alert has to know that it is withdrawn.
        None if summary.is_retraction => "no position".to_owned(),
        None => return None,
    };
    let what = [(summary.is_test, "TEST "), (summary.is_retraction, "RETRACTION ")];
    let what: String = what.iter().filter(|(is, _)| *is).map(|(_, word)| *word).collect();
    let name = summary.names.first().map_or("-", String::as_str);
    let time = summary.time.map_or_else(|| "-".to_owned(), |time| time.to_string());
    Some(format!("{what}{name}  {time}  {place}  {}", summary.kind))
}

/// Puts the line on the disk, then on the terminal.
fn write_down(file: &mut File, line: &str) -> std::io::Result<()> {
    writeln!(file, "{line}")?;
    file.sync_data()?;
    println!("{line}");
    Ok(())
}
