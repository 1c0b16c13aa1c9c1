//! Messages, and what a journal holds.

#![allow(clippy::unwrap_used, missing_docs, dead_code, unreachable_pub)]

use hop_core::{Blob, Encoder};
use hop_journal::storage::Storage;
use hop_journal::{Entry, Journal, Options, Recovery};

/// A message with this text, which is its key too.
pub fn entry(text: &str) -> Entry {
    let message = Encoder::new().key(text).header("n", text).encode(&Blob::from(text.as_bytes())).unwrap();
    Entry::new("alerts", message)
}

pub fn open(storage: impl Storage + 'static, options: Options) -> (Journal, Recovery) {
    Journal::open(storage, options).unwrap()
}

/// The texts of the messages that wait, in order.
pub fn waiting(journal: &mut Journal) -> Vec<String> {
    let numbers: Vec<u64> = journal.waiting().collect();
    numbers.into_iter().map(|number| text(&journal.read(number).unwrap())).collect()
}

pub fn refused(journal: &mut Journal) -> Vec<String> {
    let numbers: Vec<u64> = journal.refused().collect();
    numbers.into_iter().map(|number| text(&journal.read(number).unwrap())).collect()
}

pub fn text(entry: &Entry) -> String {
    String::from_utf8(entry.message.content.to_vec()).unwrap()
}
