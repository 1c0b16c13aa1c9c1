//! hop-client's journal files: both versions, torn, damaged, and written by two processes.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use bytes::Bytes;
use hop_journal::hop_client::HopClientJournal;

fn integer(value: usize) -> [u8; 8] {
    (value as u64).to_be_bytes()
}

fn text(out: &mut Vec<u8>, text: &[u8]) {
    out.extend_from_slice(&integer(text.len()));
    out.extend_from_slice(text);
}

fn record(kind: usize, body: &[u8]) -> Vec<u8> {
    let mut out = [integer(kind), integer(body.len())].concat();
    out.extend_from_slice(&crc32fast::hash(body).to_be_bytes());
    out.extend_from_slice(&crc32fast::hash(&out).to_be_bytes());
    out.extend_from_slice(body);
    out
}

fn message(number: usize, topic: Option<&str>, content: &str, key: &str) -> Vec<u8> {
    let mut body = integer(number).to_vec();
    if let Some(topic) = topic {
        text(&mut body, topic.as_bytes());
    }
    text(&mut body, content.as_bytes());
    if topic.is_some() {
        text(&mut body, key.as_bytes());
    }
    body.extend_from_slice(&integer(1));
    text(&mut body, b"_id");
    text(&mut body, &[7; 16]);
    record(if topic.is_some() { 2 } else { 0 }, &body)
}

fn sent(number: usize) -> Vec<u8> {
    record(1, &integer(number))
}

fn contents(file: &[u8]) -> Vec<String> {
    let journal = HopClientJournal::read(&Bytes::copy_from_slice(file)).unwrap();
    journal.messages.iter().map(|message| String::from_utf8(message.message.content.to_vec()).unwrap()).collect()
}

fn example() -> Vec<Vec<u8>> {
    vec![
        message(0, Some("ada.events"), "a", ""),
        message(1, Some("ada.events"), "b", "GRB 1"),
        sent(0),
        message(2, None, "c", ""),
    ]
}

#[test]
fn both_versions_are_read() {
    let file = Bytes::from(example().concat());
    let journal = HopClientJournal::read(&file).unwrap();
    assert_eq!((journal.sent, &journal.torn, journal.damage.len()), (1, &None, 0));
    let [b, c] = &journal.messages[..] else { panic!("{journal:?}") };
    assert_eq!((b.topic.as_deref(), b.message.key.as_deref()), (Some("ada.events"), Some(&b"GRB 1"[..])));
    assert_eq!(b.message.headers.get("_id"), Some(&[7; 16][..]));
    assert_eq!((c.number, &c.topic, &c.message.key, &c.message.content[..]), (2, &None, &None, &b"c"[..]));
}

#[test]
fn a_torn_end_and_damage_cost_no_more_than_what_they_hit() {
    let parts = example();
    let file = parts.concat();
    for end in 1..file.len() {
        let whole = parts.iter().scan(0, |sum, part| {
            *sum += part.len();
            Some(*sum)
        });
        let count = whole.filter(|sum| *sum <= end).count();
        let journal = HopClientJournal::read(&Bytes::copy_from_slice(&file[..end])).unwrap();
        let expected = [&[][..], &["a"], &["a", "b"], &["b"], &["b", "c"]][count];
        assert_eq!(journal.messages.len(), expected.len(), "{end}");
        assert_eq!(journal.torn.is_some(), end != parts[..count].concat().len(), "{end}");
    }
    for bit in 0..file.len() * 8 {
        let mut flipped = file.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let journal = HopClientJournal::read(&Bytes::from(flipped)).unwrap();
        assert!(journal.damage.len() + usize::from(journal.torn.is_some()) == 1, "{bit}");
        assert!(journal.messages.len() + journal.sent >= 2, "{bit}");
    }
}

#[test]
fn two_processes_with_one_file_lose_nothing_here() {
    let file = [example(), example()].concat().concat();
    assert_eq!(contents(&file), ["b", "c", "b", "c"]);
}

#[test]
fn another_file_is_not_a_journal() {
    let text = Bytes::from_static(b"%PDF-1.7 and so on, for more than a record takes up");
    assert_eq!(HopClientJournal::read(&text), None);
    assert_eq!(HopClientJournal::read(&Bytes::from(vec![0; 1000])), None);
    assert_eq!(HopClientJournal::read(&Bytes::from_static(b"not one\n")), None);
    // Two bytes of the first record, which was being written.
    let begun = HopClientJournal::read(&Bytes::from(vec![0; 2])).unwrap();
    assert_eq!((begun.torn, begun.damage.len()), (Some(0..2), 0));
    assert_eq!(HopClientJournal::read(&Bytes::new()), Some(HopClientJournal::default()));
}

#[test]
fn many_messages_take_no_time() {
    let count = 100_000;
    let mut file = Vec::new();
    (0..count).for_each(|number| file.extend(message(number, Some("t"), "x", "")));
    (0..count).rev().for_each(|number| file.extend(sent(number)));
    let started = std::time::Instant::now();
    assert_eq!(contents(&file), [""; 0]);
    assert!(started.elapsed().as_secs() < 5);
}
