//! The journal files of hop-client.

use std::collections::HashSet;
use std::process::ExitCode;

use bytes::Bytes;
use hop_kafka::journal::hop_client::HopClientJournal;
use hop_kafka::journal::{Entry, Folder, Journal, Options};

use super::Import;
use crate::failure::Failure;
use crate::output;

pub(crate) fn run(options: &Import) -> Result<ExitCode, Failure> {
    let name = output::path(&options.file);
    let named = |what: &dyn std::fmt::Display| Failure::Io(std::io::Error::other(format!("{name}: {what}")));
    let file = Bytes::from(std::fs::read(&options.file).map_err(|error| named(&error))?);
    let Some(found) = HopClientJournal::read(&file) else {
        return Err(named(&"it is not a journal file of hop-client; nothing was imported"));
    };
    let without_topic = found.messages.iter().filter(|message| message.topic.is_none()).count();
    if without_topic > 0 && options.topic.is_none() {
        return Err(Failure::Usage(format!(
            "{without_topic} messages of {name} do not say which topic they are for; name it with `--topic`"
        )));
    }
    let (mut journal, recovery) = Journal::open(Folder::open(&options.journal)?, Options::default())?;
    super::contents::note(&recovery);
    let numbers: Vec<u64> = journal.waiting().chain(journal.refused()).collect();
    let known: HashSet<_> = numbers.into_iter().filter_map(|number| journal.read(number).ok()?.id()).collect();
    let (mut imported, mut again) = (0, 0);
    for message in found.messages {
        let topic = message.topic.or_else(|| options.topic.clone()).unwrap_or_default();
        let entry = Entry::new(topic, message.message);
        // The same file again, after the command was interrupted, does not make two of each message.
        if entry.id().is_some_and(|id| known.contains(&id)) {
            again += 1;
        } else {
            journal.append(&entry)?;
            imported += 1;
        }
    }
    journal.close()?;
    output::line(format_args!("{imported} messages imported; hop-client had sent {}", found.sent))?;
    if again > 0 {
        output::complain(format_args!("{again} of its messages were in the journal already"));
    }
    for part in &found.damage {
        output::complain(format_args!("{name}: {} bytes from {} on are damaged", part.len(), part.start));
    }
    if let Some(torn) = &found.torn {
        output::complain(format_args!("{name}: the last {} bytes are a record that was being written", torn.len()));
    }
    Ok(if found.damage.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
