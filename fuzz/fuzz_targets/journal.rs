#![no_main]

//! The journal's records, its files, and those of hop-client: any bytes open, and what opens is written as it was read.

use bytes::Bytes;
use hop_journal::hop_client::HopClientJournal;
use hop_journal::storage::Simulated;
use hop_journal::{Entry, Journal, Options};

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    let Some((choice, rest)) = content.split_first() else { return };
    let rest = Bytes::copy_from_slice(rest);
    match choice % 3 {
        0 => {
            if let Ok(entry) = Entry::decode(&rest) {
                let mut written = Vec::new();
                entry.encode(&mut written).unwrap();
                assert_eq!(written, rest);
            }
        }
        1 => {
            if let Some(journal) = HopClientJournal::read(&rest) {
                assert!(journal.messages.len() <= rest.len() / 24);
            }
        }
        _ => damaged(&rest),
    }
});

/// Writes over parts of a journal: places and bytes come in turn. It opens, and the second time nothing is wrong.
fn damaged(changes: &[u8]) {
    const FILE: &str = "waiting-000000000001.journal";
    let disk = Simulated::new();
    let (mut journal, _) = Journal::open(disk.clone(), Options::default()).unwrap();
    for text in ["one", "two", "three"] {
        let message = hop_core::Encoder::new().key(text).encode(&hop_core::Blob::from(text.as_bytes())).unwrap();
        journal.append(&Entry::new("alerts", message)).unwrap();
    }
    drop(journal);
    let mut bytes = disk.get(FILE).unwrap();
    for change in changes.chunks_exact(3) {
        let place = usize::from(u16::from_le_bytes([change[0], change[1]])) % bytes.len();
        bytes[place] = change[2];
    }
    disk.set(FILE, &bytes);
    let (mut journal, _) = Journal::open(disk.clone(), Options::default()).unwrap();
    let waiting: Vec<u64> = journal.waiting().collect();
    assert!(waiting.len() <= 3);
    for number in waiting {
        journal.read(number).unwrap();
    }
    drop(journal);
    let (_, recovery) = Journal::open(disk, Options::default()).unwrap();
    assert!(recovery.is_clean(), "{recovery}");
}
