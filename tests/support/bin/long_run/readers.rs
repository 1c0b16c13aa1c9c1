//! Three readers of everything: one of a group with auto commit, one of a group that marks each message, and one without a
//! group. None is ever restarted.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hop_core::{JsonBlob, Record};
use hop_kafka::{Alert, Subscription};
use tokio::sync::watch;

use crate::book::{Book, Reading, Spot};
use crate::writers;

/// The most that a reader gets to read what is left once nothing goes wrong any more.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often a reader without messages looks whether it has read all.
const TICK: Duration = Duration::from_millis(200);
/// How many messages the reader that marks them works on at once.
const AT_ONCE: usize = 8;

/// Reads until the ends, once these are known; with `marks`, marks some messages at a time, the last one first.
pub(crate) async fn read(
    mut alerts: Subscription,
    marks: bool,
    mut reading: Reading,
    book: Arc<Book>,
    ends: watch::Receiver<Option<Vec<u64>>>,
) -> Reading {
    let mut working = Vec::new();
    let mut deadline = None;
    loop {
        match tokio::time::timeout(TICK, alerts.next()).await {
            Ok(Some(Ok(alert))) => {
                note(&mut reading, &alert, &book);
                if marks {
                    working.push(alert.record);
                }
            }
            Ok(Some(Err(error))) => reading.errors.push(format!("{:.1} s: {error}", f64::from(book.now()) / 1e3)),
            Ok(None) => {
                reading.errors.push("the stream ended".to_owned());
                break;
            }
            Err(_) => {
                mark(&alerts, &mut working, &mut reading);
                if let Some(ends) = &*ends.borrow() {
                    let deadline = *deadline.get_or_insert_with(|| Instant::now() + PATIENCE);
                    if reading.has_reached(ends) || Instant::now() > deadline {
                        break;
                    }
                }
            }
        }
        if working.len() == AT_ONCE {
            mark(&alerts, &mut working, &mut reading);
        }
    }
    reading.counters = alerts.counters();
    if let Err(error) = alerts.close().await {
        reading.errors.push(error.to_string());
    }
    reading
}

fn note(reading: &mut Reading, alert: &Alert, book: &Book) {
    let number = alert.get::<JsonBlob>().and_then(writers::number).filter(|number| *number < book.messages());
    let spot = alert.record.place.as_ref().and_then(|place| Spot::new(place.partition, place.offset));
    match (number, spot) {
        (Some(number), Some(spot)) => reading.note(number, spot, book.now()),
        _ => reading.errors.push(format!("this was never written: {:?}", alert.record)),
    }
}

fn mark(alerts: &Subscription, working: &mut Vec<Record>, reading: &mut Reading) {
    for record in working.drain(..).rev() {
        if alerts.mark_done(&record).is_err() {
            reading.marks_refused += 1;
        }
    }
}
