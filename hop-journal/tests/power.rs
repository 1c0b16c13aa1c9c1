//! Losses of power at any moment: each durability loses what it says, and no more.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod common;

use std::time::{Duration, Instant};

use common::{entry, open, refused, waiting};
use hop_journal::storage::{Loss, Simulated};
use hop_journal::{Durability, Options, Refusal};

/// What a run of a journal had accepted at the moment of the loss, and since when.
struct Run {
    disk: Simulated,
    accepted: Vec<(u64, String, Instant)>,
    done: Vec<u64>,
    aside: Vec<String>,
}

/// Writes, confirms and puts aside, as the seed says.
fn run(durability: Durability, seed: u64) -> Run {
    let disk = Simulated::new();
    let (mut journal, _) = open(disk.clone(), Options::default().durability(durability).segment_bytes(0));
    let mut run = Run { disk, accepted: Vec::new(), done: Vec::new(), aside: Vec::new() };
    let mut random = seed | 1;
    for number in 0..40 + seed % 200 {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let text = format!("{number} {}", "x".repeat((random >> 8) as usize % 400));
        let accepted = journal.append(&entry(&text)).unwrap();
        run.accepted.push((accepted, text.clone(), Instant::now()));
        match random % 10 {
            0 => {
                journal.refuse(accepted, Refusal::new("too-large", "no")).unwrap();
                run.accepted.pop();
                run.aside.push(text);
            }
            1..=4 => {
                journal.done(&[accepted]);
                run.done.push(accepted);
            }
            _ => {}
        }
        journal.sync_if_due().unwrap();
    }
    // The loss comes while it is open.
    std::mem::forget(journal);
    run
}

/// Opens what is left, and returns the texts of accepted messages that are not there.
fn lost(run: &Run, loss: Loss) -> Vec<Instant> {
    let disk = run.disk.lose_power(loss);
    let (mut journal, recovery) = open(disk, Options::default());
    let found = waiting(&mut journal);
    // Nothing comes back that never was, and the order holds.
    let all: Vec<&str> = run.accepted.iter().map(|(_, text, _)| text.as_str()).collect();
    let places: Vec<usize> = found
        .iter()
        .filter(|text| !run.aside.contains(text))
        .map(|text| all.iter().position(|known| known == text).unwrap_or_else(|| panic!("`{text}` never was")))
        .collect();
    assert!(places.is_sorted());
    let aside = refused(&mut journal);
    assert!(aside.iter().all(|text| run.aside.contains(text)), "{recovery}");
    let is_gone = |number: &u64, text: &String| !run.done.contains(number) && !found.contains(text);
    run.accepted.iter().filter(|(number, text, _)| is_gone(number, text)).map(|(.., at)| *at).collect()
}

fn losses() -> impl Iterator<Item = Loss> {
    [Loss::Unsynced].into_iter().chain((1..20).map(|seed| Loss::Any(seed * 7919)))
}

#[test]
fn each_loses_nothing() {
    for seed in 0..40 {
        let run = run(Durability::Each, seed);
        for loss in losses() {
            assert_eq!(lost(&run, loss), [], "{seed} {loss:?}");
            let (mut journal, _) = open(run.disk.lose_power(loss), Options::default());
            let (waiting, aside) = (waiting(&mut journal), refused(&mut journal));
            for text in &run.aside {
                assert!(aside.contains(text) || waiting.contains(text), "{seed} {loss:?}: `{text}` is lost");
            }
        }
    }
}

#[test]
fn within_loses_at_most_what_was_accepted_in_that_time() {
    let within = Duration::from_millis(2);
    let mut losses_seen = 0;
    for seed in 0..40 {
        let run = run(Durability::Within(within), seed);
        let moment = run.accepted.last().map(|(.., at)| *at);
        for loss in losses() {
            let lost = lost(&run, loss);
            losses_seen += lost.len();
            for accepted in lost {
                // The loss is after the last message; the one that was due to be synced is the last before it.
                let age = moment.unwrap().saturating_duration_since(accepted);
                assert!(age <= within * 2, "{seed} {loss:?}: accepted {age:?} before");
            }
        }
    }
    assert!(losses_seen > 0, "the simulated disk loses nothing");
}

#[test]
fn the_operating_system_may_lose_all_and_the_rest_opens() {
    let mut losses_seen = 0;
    for seed in 0..40 {
        let run = run(Durability::OperatingSystem, seed);
        losses_seen += losses().map(|loss| lost(&run, loss).len()).sum::<usize>();
        // The end of the process alone takes nothing.
        let (mut journal, recovery) = open(run.disk.clone(), Options::default());
        assert!(recovery.is_clean(), "{recovery}");
        let there = waiting(&mut journal);
        assert!(run.accepted.iter().all(|(number, text, _)| run.done.contains(number) || there.contains(text)));
    }
    assert!(losses_seen > 0, "the simulated disk loses nothing");
}
