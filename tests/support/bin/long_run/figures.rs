//! The table of figures, and what has to be true of them.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::time::Duration;

use crate::book::{Book, Reading, Spot};
use crate::writers;

/// By how much the process may be larger in the second half than in the first third.
const GROWTH: u64 = 50 << 10;
/// How long a confirmed message may wait for its reader: longer than any fault lasts.
const LATE: Duration = Duration::from_secs(60);

/// What was held against what has to be true.
#[derive(Default)]
pub(crate) struct Verdict {
    failures: Vec<String>,
}

impl Verdict {
    pub(crate) fn expect(&mut self, holds: bool, otherwise: impl Display) {
        if !holds {
            self.failures.push(otherwise.to_string());
        }
    }

    /// Prints it; whether all holds.
    pub(crate) fn tell(&self) -> bool {
        println!();
        for failure in &self.failures {
            println!("FAILED: {failure}");
        }
        if self.failures.is_empty() {
            println!("every confirmed message was read by every reader, and none was restarted");
        }
        self.failures.is_empty()
    }
}

fn row(name: &str, columns: impl IntoIterator<Item = impl Display>) {
    let columns: Vec<String> = columns.into_iter().map(|column| format!("{column:>24}")).collect();
    println!("{name:<34}{}", columns.concat());
}

/// The median, all but a hundredth, and the longest, in seconds.
fn spread(mut times: Vec<u32>) -> String {
    times.sort_unstable();
    let at = |share: f64| {
        let time = times.get(((times.len().saturating_sub(1)) as f64 * share) as usize).copied().unwrap_or_default();
        f64::from(time) / 1e3
    };
    format!("{:.3} / {:.2} / {:.1}", at(0.5), at(0.99), at(1.0))
}

fn belongs(first: u32) -> impl Fn(&u32) -> bool {
    move |number| number % 2 == first
}

/// What the writers did. `whole` has read everything, and so knows what stands in the log.
pub(crate) fn of_writers(book: &Book, whole: &Reading, verdict: &mut Verdict) {
    let kinds = [("plain", writers::PLAIN), ("idempotent", writers::IDEMPOTENT)];
    let numbers = |first: u32| (first..book.messages()).step_by(2);
    row("writer", kinds.map(|(name, _)| name));
    row("messages", kinds.map(|(_, first)| numbers(first).filter(|n| book.queued(*n).is_some()).count()));
    let confirmed = |first| numbers(first).filter(|n| book.confirmed(*n).is_some()).count();
    row("confirmed", kinds.map(|(_, first)| confirmed(first)));
    let nowhere = |first| numbers(first).filter(|n| book.confirmed(*n).is_some_and(|(_, spot)| spot.is_none()));
    row("  without an offset", kinds.map(|(_, first)| nowhere(first).count()));
    let after = |n| Some(book.confirmed(n)?.0.saturating_sub(book.queued(n)?));
    row("  after, s: median / 99 % / most", kinds.map(|(_, first)| spread(numbers(first).filter_map(after).collect())));
    let twins = |first| whole.twins().values().copied().filter(belongs(first)).count();
    row("stand in the log once more", kinds.map(|(_, first)| twins(first)));
    let disordered = |first| whole.disordered.iter().copied().filter(belongs(first)).count();
    row("stand behind a later one", kinds.map(|(_, first)| disordered(first)));

    for (name, first) in kinds {
        let unconfirmed: Vec<u32> = numbers(first).filter(|n| book.confirmed(*n).is_none()).collect();
        let few = &unconfirmed[..unconfirmed.len().min(20)];
        verdict.expect(unconfirmed.is_empty(), format!("{name} writer: {} not confirmed: {few:?}…", unconfirmed.len()));
    }
    verdict.expect(twins(writers::IDEMPOTENT) == 0, "the idempotent writer wrote some messages twice");
    verdict.expect(disordered(writers::IDEMPOTENT) == 0, "the idempotent writer changed the order within keys");
}

/// What each reader was handed; the partitions have these ends, and the groups have committed up to these offsets.
pub(crate) fn of_readers(
    book: &Book,
    readings: &[Reading],
    ends: &[u64],
    committed: &[Vec<Option<u64>>],
    verdict: &mut Verdict,
) {
    let numbers = || 0..book.messages();
    println!();
    row("reader", readings.iter().map(|reading| reading.name));
    row("messages handed over", readings.iter().map(|reading| reading.messages));
    row("  of these, again", readings.iter().map(|reading| reading.again));
    let unread = |reading: &Reading| -> Vec<u32> {
        let is_unread = |number: &u32| match book.confirmed(*number) {
            None => false,
            Some((_, Some(spot))) => !reading.has_seen(*number, spot),
            Some((_, None)) => reading.time(*number).is_none(),
        };
        numbers().filter(is_unread).collect()
    };
    row("confirmed and not read", readings.iter().map(|reading| unread(reading).len()));
    let unconfirmed =
        |reading: &Reading| numbers().filter(|n| book.confirmed(*n).is_none() && reading.time(*n).is_some()).count();
    row("read and not confirmed", readings.iter().map(unconfirmed));
    row("offsets left out", readings.iter().map(|reading| reading.leaps.len()));
    row("errors handed over", readings.iter().map(|reading| reading.errors.len()));
    row("errors of connections", readings.iter().map(|reading| reading.counters.errors));
    row("partitions given and taken", readings.iter().map(|reading| reading.counters.rebalances));
    row("marks refused", readings.iter().map(|reading| reading.marks_refused));
    let silence = |reading: &Reading| {
        let (length, since) = reading.silence;
        format!("{:.1} (at {:.0})", f64::from(length) / 1e3, f64::from(since) / 1e3)
    };
    row("longest silence, s", readings.iter().map(silence));
    let waits = |reading: &Reading| -> Vec<u32> {
        numbers().filter_map(|n| Some(reading.time(n)?.saturating_sub(book.confirmed(n)?.0))).collect()
    };
    row("read after confirmation, s", readings.iter().map(|reading| spread(waits(reading))));

    for reading in readings {
        let name = reading.name;
        let unread = unread(reading);
        let few = &unread[..unread.len().min(20)];
        verdict.expect(unread.is_empty(), format!("{name}: {} confirmed messages not read: {few:?}…", unread.len()));
        verdict.expect(reading.has_reached(ends), format!("{name}: the ends {ends:?} are not reached"));
        verdict.expect(reading.leaps.is_empty(), format!("{name}: left out {:?}", reading.leaps));
        verdict.expect(reading.errors.is_empty(), format!("{name}: errors {:#?}", reading.errors));
        let late = waits(reading).into_iter().max().unwrap_or_default();
        verdict.expect(u128::from(late) < LATE.as_millis(), format!("{name}: a message waited for {late} ms"));
    }
    let logs: BTreeSet<Vec<(Spot, u32)>> =
        readings.iter().map(|reading| reading.twins().iter().map(|(spot, n)| (*spot, *n)).collect()).collect();
    verdict.expect(logs.len() == 1, "the readers do not agree on what stands in the log twice");
    for (reading, committed) in readings.iter().zip(committed) {
        let all = committed.iter().zip(ends).all(|(committed, end)| committed.unwrap_or(0) == *end);
        verdict.expect(all, format!("{}: committed up to {committed:?}, and the ends are {ends:?}", reading.name));
    }
}

/// The size of the process over the time: of each sample the time in seconds and the kilobytes.
pub(crate) fn of_memory(samples: &[(f64, u64)], lasting: Duration, verdict: &mut Verdict) {
    let most = |from: f64, to: f64| {
        let seconds = lasting.as_secs_f64();
        let within = samples.iter().filter(|(time, _)| (from * seconds..to * seconds).contains(time));
        within.map(|(_, size)| *size).max().unwrap_or_default()
    };
    println!();
    row("memory, MiB, at most", ["first third", "second third", "last third"]);
    row("", [(0.0, 1.0), (1.0, 2.0), (2.0, 3.0)].map(|(from, to)| most(from / 3.0, to / 3.0) >> 10));
    let (early, late) = (most(0.0, 1.0 / 3.0), most(0.5, 1.0));
    verdict.expect(late <= early + GROWTH, format!("the memory grew from {early} to {late} KiB"));
}
