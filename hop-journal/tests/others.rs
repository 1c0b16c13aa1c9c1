//! What other programs do to a journal that is open: its folder, its files and its lock removed, moved or cut.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{entry, open, refused, text, waiting};
use hop_journal::storage::{Simulated, Storage};
use hop_journal::{Contents, ErrorKind, Folder, Journal, Options, Refusal};

const FIRST: &str = "waiting-000000000001.journal";

fn at(path: &Path) -> Journal {
    open(Folder::open(path).unwrap(), Options::default()).0
}

fn home() -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("journal");
    (home, path)
}

/// Appends `from`, … up to `to`.
fn fill(journal: &mut Journal, numbers: std::ops::Range<usize>) -> Vec<u64> {
    numbers.map(|number| journal.append(&entry(&number.to_string())).unwrap()).collect()
}

#[test]
fn messages_of_a_file_that_is_removed_are_in_another_one_after_the_next() {
    let (_home, path) = home();
    let mut journal = at(&path);
    let numbers = fill(&mut journal, 0..5);
    journal.done(&numbers[1..2]);
    fs::remove_file(path.join(FIRST)).unwrap();
    // It is still open.
    assert_eq!(waiting(&mut journal), ["0", "2", "3", "4"]);
    fill(&mut journal, 5..6);
    let expected = ["0", "2", "3", "4", "5"];
    assert_eq!(waiting(&mut journal), expected);
    // As a crash leaves it.
    let (mut contents, recovery) = Contents::read(Folder::inspect(&path).unwrap()).unwrap();
    assert!(recovery.is_clean(), "{recovery}");
    let found: Vec<u64> = contents.waiting().collect();
    assert_eq!(found.iter().map(|number| text(&contents.get(*number).unwrap())).collect::<Vec<_>>(), expected);
    let all: Vec<u64> = journal.waiting().collect();
    journal.done(&all);
    journal.close().unwrap();
    assert_eq!(fs::read_dir(&path).unwrap().count(), 1, "the lock alone is left");
}

#[test]
fn a_file_that_is_replaced_or_cut_is_not_written_to() {
    for cut in [0, 100, 4160, 4200] {
        let disk = Simulated::new();
        let (mut journal, _) = open(disk.clone(), Options::default());
        let numbers = fill(&mut journal, 0..3);
        disk.truncate(FIRST, cut);
        fill(&mut journal, 3..4);
        let error = journal.read(numbers[2]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        let expected = "message 3 is gone: another program removed or cut off waiting-000000000001.journal";
        assert_eq!(error.to_string(), expected);
        assert_eq!(text(&journal.read(4).unwrap()), "3");
        let (mut other, _) = open(disk.lose_power(hop_journal::storage::Loss::Unsynced), Options::default());
        assert_eq!(waiting(&mut other), ["3"]);
        // Those that are gone do not keep the file for ever.
        for number in numbers {
            journal.forget(number);
        }
        journal.done(&[]);
        assert_eq!(waiting(&mut journal), ["3"]);
        assert_eq!(disk.names().unwrap(), ["waiting-000000000002.journal"]);
    }
    // One that another program wrote anew, as editors do.
    let (_home, path) = home();
    let mut journal = at(&path);
    fill(&mut journal, 0..2);
    let bytes = fs::read(path.join(FIRST)).unwrap();
    fs::remove_file(path.join(FIRST)).unwrap();
    fs::write(path.join(FIRST), bytes).unwrap();
    fill(&mut journal, 2..3);
    drop(journal);
    assert_eq!(waiting(&mut at(&path)), ["0", "1", "2"]);
}

#[test]
fn messages_of_an_older_file_that_is_removed_are_gone_and_the_rest_goes_on() {
    let (_home, path) = home();
    let mut journal = at(&path);
    let numbers = fill(&mut journal, 0..2);
    drop(journal);
    let mut journal = at(&path);
    fill(&mut journal, 2..4);
    fs::remove_file(path.join(FIRST)).unwrap();
    let error = journal.read(numbers[0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    numbers.iter().for_each(|number| journal.forget(*number));
    fill(&mut journal, 4..5);
    assert_eq!((waiting(&mut journal).join(""), journal.len()), ("234".to_owned(), 3));
    let all: Vec<u64> = journal.waiting().collect();
    journal.done(&all);
    journal.close().unwrap();
    assert_eq!(fs::read_dir(&path).unwrap().count(), 1, "the lock alone is left");
}

#[cfg(unix)]
#[test]
fn nothing_is_accepted_where_the_folder_was_moved_or_removed() {
    let (_home, path) = home();
    let aside = path.with_extension("aside");
    let mut journal = at(&path);
    let numbers = fill(&mut journal, 0..3);
    let refuses = |journal: &mut Journal| {
        let error = journal.append(&entry("lost")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Moved, "{error}");
        let expected = format!(
            "the journal {} was moved or removed while it is in use; put the folder back where it was, or open the \
             journal anew",
            path.display()
        );
        assert_eq!(error.to_string(), expected);
    };
    fs::rename(&path, &aside).unwrap();
    refuses(&mut journal);
    // Another process has one there by now, which is left alone.
    let mut other = at(&path);
    fill(&mut other, 100..101);
    refuses(&mut journal);
    journal.done(&numbers[..1]);
    let error = journal.refuse(numbers[1], Refusal::new("authorization", "no")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Moved);
    assert_eq!(waiting(&mut other), ["100"]);
    drop(other);
    assert_eq!(waiting(&mut at(&path)), ["100"]);
    assert_eq!(fs::read_dir(&path).unwrap().count(), 2);
    // What was accepted can be read, and goes on when the folder is back.
    assert_eq!(waiting(&mut journal), ["1", "2"]);
    fs::remove_dir_all(&path).unwrap();
    fs::rename(&aside, &path).unwrap();
    fill(&mut journal, 3..4);
    journal.close().unwrap();
    assert_eq!(waiting(&mut at(&path)), ["1", "2", "3"]);
    let mut journal = at(&path);
    fs::remove_dir_all(&path).unwrap();
    refuses(&mut journal);
    fs::create_dir(&path).unwrap();
    refuses(&mut journal);
    assert_eq!(journal.close().unwrap_err().kind(), ErrorKind::Moved);
    assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn a_lock_that_is_removed_is_taken_again_unless_another_process_has_it() {
    let (_home, path) = home();
    let mut journal = at(&path);
    fill(&mut journal, 0..1);
    fs::remove_file(path.join("lock")).unwrap();
    fill(&mut journal, 1..2);
    assert_eq!(Folder::open(&path).unwrap_err().kind(), ErrorKind::Locked);
    fs::remove_file(path.join("lock")).unwrap();
    let other = Folder::open(&path).unwrap();
    let error = journal.append(&entry("2")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked, "{error}");
    drop(other);
    fill(&mut journal, 2..3);
    assert_eq!(waiting(&mut journal), ["0", "1", "2"]);
}

#[test]
fn a_copy_is_a_journal_of_its_own() {
    let (_home, path) = home();
    let copy = path.with_extension("copy");
    let mut journal = at(&path);
    let numbers = fill(&mut journal, 0..3);
    journal.refuse(numbers[2], Refusal::new("authorization", "no")).unwrap();
    fs::create_dir(&copy).unwrap();
    for file in fs::read_dir(&path).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), copy.join(file.file_name())).unwrap();
    }
    let mut copied = at(&copy);
    assert_eq!((waiting(&mut copied), refused(&mut copied)), (waiting(&mut journal), refused(&mut journal)));
    let all: Vec<u64> = copied.waiting().chain(copied.refused()).collect();
    copied.done(&all);
    copied.close().unwrap();
    assert_eq!(waiting(&mut journal), ["0", "1"]);
}

#[test]
fn a_program_may_go_to_another_folder_while_it_has_a_journal_open() {
    let (home, path) = home();
    std::env::set_current_dir(home.path()).unwrap();
    let mut journal = at(Path::new("journal"));
    fill(&mut journal, 0..1);
    std::env::set_current_dir("/").unwrap();
    fill(&mut journal, 1..2);
    journal.close().unwrap();
    assert_eq!(waiting(&mut at(&path)), ["0", "1"]);
    assert_eq!(Folder::open("").unwrap_err().kind(), ErrorKind::Storage);
}
