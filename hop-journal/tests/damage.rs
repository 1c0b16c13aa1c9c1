//! Every cut and ten thousand flipped bits: what is whole is read, and the rest is reported.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod common;

use std::collections::BTreeSet;

use bytes::Bytes;
use common::{entry, open, waiting};
use hop_core::{Headers, Outgoing};
use hop_journal::storage::{Simulated, Storage};
use hop_journal::{Entry, Journal, Options};

const FILE: &str = "waiting-000000000001.journal";

/// Where the records begin.
const RECORDS: usize = 4160;

/// A journal of ten messages, of which two are done.
fn written() -> (Vec<u8>, Vec<String>) {
    let disk = Simulated::new();
    let (mut journal, _) = open(disk.clone(), Options::default());
    let numbers: Vec<u64> =
        (0..10).map(|number| journal.append(&entry(&format!("message {number}"))).unwrap()).collect();
    journal.done(&[numbers[2], numbers[7]]);
    let all = waiting(&mut journal);
    (disk.get(FILE).unwrap(), all)
}

fn with(bytes: &[u8]) -> Simulated {
    let disk = Simulated::new();
    disk.set(FILE, bytes);
    disk
}

#[test]
fn every_cut_leaves_what_was_written_before_it() {
    let (bytes, all) = written();
    let mut before = Vec::new();
    for end in 0..=bytes.len() {
        let disk = with(&bytes[..end]);
        let (mut journal, recovery) = open(disk.clone(), Options::default());
        let found = waiting(&mut journal);
        // Message after message comes back; those that are done only once the record at the end is whole.
        let expected: Vec<String> = (0..10).map(|number| format!("message {number}")).take(found.len()).collect();
        assert!(found == expected || found == all, "{end}: {found:?}");
        assert!(found.len() >= before.len() || found == all, "{end}");
        before = found;
        assert!(recovery.damage.is_empty() && recovery.lost.is_empty(), "{end}: {recovery}");
        // What was cut off is reported once, and it can be written to.
        let number = journal.append(&entry("more")).unwrap();
        drop(journal);
        let (journal, recovery) = open(disk, Options::default());
        assert!(recovery.is_clean(), "{end}: {recovery}");
        assert!(journal.is_waiting(number), "{end}");
    }
    assert_eq!(before, all);
}

#[test]
fn ten_thousand_flipped_bits_cost_the_one_message_that_they_are_in() {
    let (bytes, all) = written();
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    for turn in 0..10_000 {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        // Records are few beside what the file begins with: most of the bits are in them.
        let from = if turn % 8 == 0 { 0 } else { RECORDS };
        let bit = from * 8 + (random >> 8) as usize % ((bytes.len() - from) * 8);
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let disk = with(&flipped);
        let (mut journal, recovery) = open(disk.clone(), Options::default());
        let found = waiting(&mut journal);
        let lost: Vec<&String> = all.iter().filter(|text| !found.contains(text)).collect();
        let again: Vec<&String> = found.iter().filter(|text| !all.contains(text)).collect();
        assert!(found.is_sorted(), "bit {bit}: {found:?}");
        if bit / 8 < RECORDS {
            assert!(recovery.is_clean() && found == all, "bit {bit}: {recovery}");
            continue;
        }
        // Either one message is lost, or the two that are done are not known to be.
        assert!(lost.len() <= 1 && again.len() <= 2, "bit {bit}: {found:?}");
        assert!(lost.is_empty() || again.is_empty(), "bit {bit}: {found:?}");
        assert_eq!(recovery.damage.len() + recovery.torn.len(), 1, "bit {bit}: {recovery}");
        assert_eq!(recovery.lost_messages(), lost.len() as u64, "bit {bit}: {recovery}");
        let copies = disk.names().unwrap().into_iter().filter(|name| name.starts_with("damaged-")).count();
        assert_eq!(copies, recovery.damage.len(), "bit {bit}");
        drop(journal);
        // It is reported once.
        assert!(open(disk, Options::default()).1.is_clean(), "bit {bit}");
    }
}

#[test]
fn blocks_of_the_disk_may_be_gone() {
    let (bytes, all) = written();
    for start in (0..bytes.len()).step_by(512) {
        let mut gone = bytes.clone();
        let end = bytes.len().min(start + 512);
        gone[start..end].fill(0);
        let (mut journal, recovery) = open(with(&gone), Options::default());
        let found = waiting(&mut journal);
        assert!(found.len() + 7 >= all.len(), "{start}: {found:?} {recovery}");
        assert!(found.iter().all(|text| text.starts_with("message ")));
    }
}

#[test]
fn a_message_that_is_a_copy_of_a_journal_is_one_message() {
    let disk = Simulated::new();
    let (mut journal, _) = open(disk.clone(), Options::default());
    journal.append(&entry("before")).unwrap();
    let copy = disk.get(FILE).unwrap();
    // Copies at all places that a record may begin at.
    let content: Vec<u8> = (0..64).flat_map(|shift| [vec![0; shift], copy.clone()].concat()).collect();
    let message = Outgoing { content: Bytes::from(content).into(), key: None, headers: Headers::new() };
    journal.append(&Entry::new("alerts", message)).unwrap();
    journal.append(&entry("after")).unwrap();
    drop(journal);
    let mut bytes = disk.get(FILE).unwrap();
    // The head of the message with the copies.
    let second = copy.len();
    bytes[second + 9] ^= 1;
    let (mut journal, recovery) = open(with(&bytes), Options::default());
    assert_eq!(waiting(&mut journal), ["before", "after"]);
    assert_eq!((recovery.damage.len(), recovery.lost_messages()), (1, 1), "{recovery}");
}

#[test]
fn damage_that_appears_while_it_is_open_is_an_error_of_that_message() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("journal");
    let (mut journal, _) = open(hop_journal::Folder::open(&path).unwrap(), Options::default());
    let numbers: Vec<u64> = (0..3).map(|number| journal.append(&entry(&number.to_string())).unwrap()).collect();
    let mut bytes = std::fs::read(path.join(FILE)).unwrap();
    bytes[RECORDS + 40] ^= 1;
    std::fs::write(path.join(FILE), bytes).unwrap();
    let error = journal.read(numbers[0]).unwrap_err();
    assert_eq!(error.kind(), hop_journal::ErrorKind::Damaged);
    assert!(journal.read(numbers[1]).is_ok());
}

#[test]
fn a_journal_of_a_newer_version_is_left_alone() {
    let (mut bytes, _) = written();
    for copy in [0, 4096] {
        bytes[copy + 8] = 2;
        let sum = crc32fast::hash(&bytes[copy..copy + 60]);
        bytes[copy + 60..copy + 64].copy_from_slice(&sum.to_le_bytes());
    }
    let disk = with(&bytes);
    let error = Journal::open(disk.clone(), Options::default()).unwrap_err();
    assert_eq!(error.kind(), hop_journal::ErrorKind::Unsupported);
    assert_eq!(disk.get(FILE).unwrap(), bytes);
}

#[test]
fn numbers_are_never_given_out_twice() {
    let disk = Simulated::new();
    let mut seen = BTreeSet::new();
    for _ in 0..5 {
        let (mut journal, _) = open(disk.clone(), Options::default());
        for _ in 0..3 {
            let number = journal.append(&entry("x")).unwrap();
            assert!(seen.insert(number), "{number} comes twice");
        }
        let two: Vec<u64> = journal.waiting().take(2).collect();
        journal.done(&two);
    }
}
