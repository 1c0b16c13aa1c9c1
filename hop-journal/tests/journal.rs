//! A journal that is written, closed, opened again, filled up and emptied.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod common;

use std::time::Duration;

use common::{entry, open, refused, text, waiting};
use hop_journal::storage::{Simulated, Storage};
use hop_journal::{Contents, Durability, ErrorKind, Folder, Journal, Options, Refusal};

fn small() -> Options {
    Options::default().segment_bytes(0).max_bytes(1 << 20)
}

/// Appends `0`, `1`, … and returns their numbers.
fn fill(journal: &mut Journal, count: usize) -> Vec<u64> {
    (0..count).map(|number| journal.append(&entry(&number.to_string())).unwrap()).collect()
}

fn segments(disk: &Simulated) -> usize {
    disk.names().unwrap().iter().filter(|name| name.starts_with("waiting-")).count()
}

#[test]
fn what_is_not_done_is_there_again_in_order_with_its_id() {
    let disk = Simulated::new();
    let (mut journal, recovery) = open(disk.clone(), small());
    assert!(recovery.is_clean() && journal.is_empty());
    let numbers = fill(&mut journal, 5);
    let id = journal.read(numbers[1]).unwrap().id().unwrap();
    journal.done(&[numbers[0], numbers[3]]);
    drop(journal);
    let (mut journal, recovery) = open(disk, small());
    assert!(recovery.is_clean(), "{recovery}");
    assert_eq!((recovery.waiting, recovery.refused), (3, 0));
    assert_eq!(waiting(&mut journal), ["1", "2", "4"]);
    assert_eq!(journal.read(numbers[1]).unwrap().id(), Some(id));
    // New numbers follow the old ones.
    assert!(journal.append(&entry("5")).unwrap() > numbers[4]);
    assert_eq!(waiting(&mut journal), ["1", "2", "4", "5"]);
}

#[test]
fn files_go_when_all_in_them_is_done_though_one_message_stays() {
    let disk = Simulated::new();
    let (mut journal, _) = open(disk.clone(), small());
    let first = journal.append(&entry("stays")).unwrap();
    let mut most = 0;
    for _ in 0..50 {
        let numbers = fill(&mut journal, 100);
        journal.done(&numbers);
        most = most.max(journal.bytes());
    }
    assert!(most < 100_000, "{most} bytes for one message");
    assert!(segments(&disk) <= 3);
    drop(journal);
    // What is done is known to be, though the files that said so are gone.
    let (mut journal, recovery) = open(disk.clone(), small());
    assert!(recovery.is_clean());
    assert_eq!(waiting(&mut journal), ["stays"]);
    journal.done(&[first]);
    journal.close().unwrap();
    assert_eq!(disk.names().unwrap(), [""; 0]);
}

#[test]
fn what_is_refused_is_put_aside_with_its_reason_and_can_wait_again() {
    let disk = Simulated::new();
    let (mut journal, _) = open(disk.clone(), small());
    let numbers = fill(&mut journal, 3);
    journal.refuse(numbers[1], Refusal::new("too-large", "the topic takes less")).unwrap();
    assert_eq!(waiting(&mut journal), ["0", "2"]);
    drop(journal);
    let (mut journal, recovery) = open(disk, small());
    assert_eq!((recovery.waiting, recovery.refused), (2, 1));
    let aside = journal.read(numbers[1]).unwrap();
    assert_eq!((text(&aside), aside.refusal.unwrap().reason), ("1".to_owned(), "the topic takes less".to_owned()));
    journal.retry(numbers[1]).unwrap();
    assert_eq!((waiting(&mut journal).join(""), refused(&mut journal).len()), ("021".to_owned(), 0));
}

#[test]
fn what_is_dropped_of_what_was_put_aside_stays_dropped() {
    let disk = Simulated::new();
    let (mut journal, _) = open(disk.clone(), Options::default());
    for number in fill(&mut journal, 2) {
        journal.refuse(number, Refusal::new("authorization", "no")).unwrap();
    }
    drop(journal);
    let (mut journal, _) = open(disk.clone(), Options::default());
    let first = journal.refused().next().unwrap();
    journal.done(&[first]);
    journal.close().unwrap();
    for _ in 0..4 {
        let (mut journal, _) = open(disk.clone(), Options::default());
        assert_eq!(refused(&mut journal), ["1"], "{:?}", disk.names());
        journal.close().unwrap();
    }
}

#[test]
fn a_crash_between_putting_aside_and_noting_it_does_not_make_two_of_one() {
    let disk = Simulated::new();
    let (mut journal, _) = open(disk.clone(), small());
    let numbers = fill(&mut journal, 2);
    let before = disk.get("waiting-000000000001.journal").unwrap();
    journal.refuse(numbers[0], Refusal::new("authorization", "not allowed")).unwrap();
    drop(journal);
    disk.set("waiting-000000000001.journal", &before);
    let (mut journal, recovery) = open(disk, small());
    assert_eq!((recovery.waiting, recovery.refused), (1, 1));
    assert_eq!((waiting(&mut journal), refused(&mut journal)), (vec!["1".to_owned()], vec!["0".to_owned()]));
}

#[test]
fn the_bound_refuses_or_drops_and_leaves_room_when_all_is_done() {
    let disk = Simulated::new();
    let (mut journal, _) = open(disk, small().max_bytes(0).max_messages(1000));
    let text = "x".repeat(1000);
    let mut numbers = Vec::new();
    let error = loop {
        match journal.append(&entry(&text)) {
            Ok(number) => numbers.push(number),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Full);
    assert!(error.to_string().starts_with("the journal is full: it has"), "{error}");
    assert!(journal.bytes() <= 256 << 10 && numbers.len() > 50, "{} in {} bytes", numbers.len(), journal.bytes());
    let dropped = journal.drop_oldest(&entry(&text));
    assert_eq!(dropped[0].0, numbers[0]);
    assert!(dropped.iter().all(|(_, entry)| entry.is_ok()));
    assert!(dropped.len() < numbers.len() / 2, "{}", dropped.len());
    journal.append(&entry(&text)).unwrap();
    assert_eq!(journal.waiting().next(), Some(numbers[dropped.len()]));
    let all: Vec<u64> = journal.waiting().collect();
    journal.done(&all);
    for _ in 0..1000 {
        let number = journal.append(&entry(&text)).unwrap();
        journal.done(&[number]);
    }
    let huge = entry(&"x".repeat(300 << 10));
    assert_eq!(journal.append(&huge).unwrap_err().kind(), ErrorKind::TooLarge);
    let (mut journal, _) = open(Simulated::new(), small().max_messages(2));
    fill(&mut journal, 2);
    assert_eq!(journal.append(&entry("2")).unwrap_err().kind(), ErrorKind::Full);
}

#[test]
fn a_full_disk_is_an_error_and_nothing_of_the_message_is_left() {
    for room in 0..300 {
        let disk = Simulated::new();
        let (mut journal, _) = open(disk.clone(), small());
        fill(&mut journal, 2);
        disk.set_room(Some(room));
        let mut accepted = vec!["0".to_owned(), "1".to_owned()];
        for text in ["2", "3"] {
            match journal.append(&entry(text)) {
                Ok(_) => accepted.push(text.to_owned()),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Storage);
                    assert!(error.to_string().ends_with("; make room on the disk"), "{error}");
                }
            }
        }
        // It goes on when there is room again, whether or not it was opened anew.
        let (mut other, recovery) = open(disk.lose_power(hop_journal::storage::Loss::Unsynced), small());
        assert!(recovery.is_clean(), "{recovery}");
        assert_eq!(waiting(&mut other), accepted);
        disk.set_room(None);
        journal.append(&entry("later")).unwrap();
        accepted.push("later".to_owned());
        assert_eq!(waiting(&mut journal), accepted);
        drop(journal);
        let (mut journal, recovery) = open(disk, small());
        assert!(recovery.is_clean(), "{recovery}");
        assert_eq!(waiting(&mut journal), accepted);
    }
}

#[test]
fn on_a_full_disk_messages_are_still_done_and_their_files_go() {
    let disk = Simulated::new();
    let (mut journal, _) = open(disk.clone(), small());
    let numbers = fill(&mut journal, 1000);
    assert!(segments(&disk) > 5);
    disk.set_room(Some(0));
    journal.done(&numbers[..990]);
    assert!(segments(&disk) <= 2, "{}", segments(&disk));
    disk.set_room(None);
    journal.done(&[]);
    drop(journal);
    assert_eq!(waiting(&mut open(disk, small()).0), (990..1000).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[test]
fn what_is_done_is_noted_where_no_file_can_be_made_or_removed() {
    let disk = Simulated::new();
    let (mut journal, _) = open(disk.clone(), small());
    let numbers = fill(&mut journal, 300);
    assert!(segments(&disk) > 1);
    disk.keep_names(true);
    journal.done(&numbers[..299]);
    disk.keep_names(false);
    drop(journal);
    assert_eq!(waiting(&mut open(disk, small()).0), ["299"]);
}

#[test]
fn what_is_done_while_others_are_staged_does_not_harm_them() {
    let disk = Simulated::new();
    let (mut journal, _) = open(disk.clone(), small());
    let first = fill(&mut journal, 10);
    for text in ["10", "11"] {
        journal.stage(&entry(text)).unwrap();
        journal.done(&first);
    }
    assert!(journal.drop_oldest(&entry("12")).is_empty());
    journal.commit().unwrap();
    assert_eq!(waiting(&mut journal), ["10", "11"]);
    journal.done(&[]);
    drop(journal);
    let (mut journal, recovery) = open(disk, small());
    assert!(recovery.is_clean(), "{recovery}");
    assert_eq!(waiting(&mut journal), ["10", "11"]);
}

#[test]
fn closing_says_so_where_it_cannot_be_noted_what_is_done() {
    let disk = Simulated::new();
    let (mut journal, _) = open(disk.clone(), small());
    let numbers = fill(&mut journal, 3);
    disk.set_room(Some(0));
    journal.done(&numbers[..1]);
    let error = journal.close().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Storage);
    let expected = "noting in the journal which messages are done: no storage space; make room on the disk";
    assert_eq!(error.to_string(), expected);
    let (mut journal, _) = open(disk.clone(), small());
    assert_eq!(waiting(&mut journal), ["0", "1", "2"]);
    // Where all is done, the files can go.
    journal.done(&numbers);
    journal.close().unwrap();
    assert_eq!(disk.names().unwrap(), [""; 0]);
}

#[test]
fn a_disk_that_does_not_sync_is_an_error_and_the_message_is_not_accepted() {
    let disk = Simulated::new();
    let (mut journal, _) = open(disk.clone(), small());
    fill(&mut journal, 2);
    disk.fail_syncs(true);
    assert_eq!(journal.append(&entry("2")).unwrap_err().kind(), ErrorKind::Storage);
    disk.fail_syncs(false);
    journal.append(&entry("3")).unwrap();
    assert_eq!(waiting(&mut journal), ["0", "1", "3"]);
    drop(journal);
    assert_eq!(waiting(&mut open(disk, small()).0), ["0", "1", "3"]);
}

#[test]
fn messages_that_are_accepted_together_share_a_sync() {
    let disk = Simulated::new();
    let (mut journal, _) = open(disk.clone(), Options::default());
    journal.append(&entry("first")).unwrap();
    let before = disk.syncs();
    for number in 0..100 {
        journal.stage(&entry(&number.to_string())).unwrap();
    }
    journal.commit().unwrap();
    assert_eq!(disk.syncs() - before, 1);
    let (mut journal, _) = open(disk.clone(), Options::default().durability(Durability::OperatingSystem));
    let before = disk.syncs();
    fill(&mut journal, 100);
    assert_eq!((disk.syncs(), journal.sync_due()), (before, None));
    let within = Durability::Within(Duration::from_millis(30));
    let (mut journal, _) = open(Simulated::new(), Options::default().durability(within));
    fill(&mut journal, 10);
    assert!(journal.sync_due().is_some_and(|due| due <= Duration::from_millis(30)));
    std::thread::sleep(Duration::from_millis(30));
    journal.sync_if_due().unwrap();
    assert_eq!(journal.sync_due(), None);
}

#[test]
fn a_folder_is_for_its_owner_and_for_one_process() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("a/journal");
    let (mut journal, _) = open(Folder::open(&path).unwrap(), small());
    fill(&mut journal, 3);
    let error = Folder::open(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked);
    let process = format!("is in use by process {}; end that process", std::process::id());
    assert!(error.to_string().contains(&process), "{error}");
    let (mut contents, recovery) = Contents::read(Folder::inspect(&path).unwrap()).unwrap();
    assert!(recovery.is_clean());
    let first = contents.waiting().next().unwrap();
    assert_eq!(text(&contents.get(first).unwrap()), "0");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o700);
        for file in std::fs::read_dir(&path).unwrap() {
            assert_eq!(mode(&file.unwrap().path()), 0o600);
        }
    }
    drop(journal);
    let (mut journal, _) = open(Folder::open(&path).unwrap(), small());
    assert_eq!(waiting(&mut journal), ["0", "1", "2"]);
}

#[test]
fn a_folder_of_something_else_is_left_alone() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("thesis.tex"), "x").unwrap();
    let error = Folder::open(home.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotAJournal);
    assert!(error.to_string().contains("it holds `thesis.tex`; name a new folder"), "{error}");
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1);
    assert!(Folder::inspect(home.path().join("missing")).is_err());
}
