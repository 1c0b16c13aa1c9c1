//! Looking into a journal, and dropping messages from it.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::ExitCode;

use hop_core::{Value, escape_controls};
use hop_kafka::journal::{Contents, Entry, ErrorKind, Folder, Journal, Options, Recovery};

use super::{Drop, List, Show, Verify};
use crate::failure::Failure;
use crate::output;
use crate::output::ndjson;

fn read(path: &std::path::Path) -> Result<(Contents, Recovery), Failure> {
    Ok(Contents::read(Folder::inspect(path)?)?)
}

pub(crate) fn list(options: &List) -> Result<ExitCode, Failure> {
    let (mut contents, recovery) = read(&options.journal)?;
    let numbers: Vec<u64> = contents.waiting().chain(contents.refused()).collect();
    let mut complete = true;
    for number in numbers {
        let entry = match contents.get(number) {
            Ok(entry) => entry,
            // Whoever writes to the journal has finished with it meanwhile.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => {
                output::complain(error);
                complete = false;
                continue;
            }
        };
        if options.json {
            output::line(summary(number, &entry))?;
            continue;
        }
        let key = entry.message.key.as_deref().map_or(String::new(), |key| format!(" key {}", key.escape_ascii()));
        let (topic, bytes) = (escape_controls(&entry.topic), entry.message.content.len());
        let state = entry.refusal.as_ref().map_or_else(
            || "waits".to_owned(),
            |refusal| format!("put aside {}: {}", time(refusal.at), escape_controls(&refusal.reason)),
        );
        output::line(format_args!("{number} {} {topic}{key} {bytes} bytes, {state}", time(entry.accepted)))?;
    }
    note(&recovery);
    Ok(if complete { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

pub(crate) fn show(options: &Show) -> Result<ExitCode, Failure> {
    let (mut contents, _) = read(&options.journal)?;
    let entry = contents.get(options.number)?;
    if options.raw {
        std::io::stdout().lock().write_all(&entry.message.content)?;
        return Ok(ExitCode::SUCCESS);
    }
    let content = entry.message.content.as_bytes().map_or(Value::Null, ndjson::text_or_bytes);
    let whole = Value::object([
        ("summary", summary(options.number, &entry)),
        ("headers", ndjson::headers(&entry.message.headers)),
        ("content", content),
    ]);
    output::line(output::indented(&whole))?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn drop(options: &Drop) -> Result<ExitCode, Failure> {
    super::require(&options.journal)?;
    let (mut journal, _) = Journal::open(Folder::open(&options.journal)?, Options::default())?;
    let known: BTreeSet<u64> = journal.waiting().chain(journal.refused()).collect();
    let numbers: BTreeSet<u64> =
        if options.refused { journal.refused().collect() } else { options.numbers.iter().copied().collect() };
    if let Some(unknown) = numbers.iter().find(|number| !known.contains(number)) {
        return Err(Failure::Usage(format!("the journal has no message {unknown}; nothing was dropped")));
    }
    journal.done(&numbers.iter().copied().collect::<Vec<u64>>());
    journal.close()?;
    output::line(format_args!("{} messages dropped", numbers.len()))?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn verify(options: &Verify) -> Result<ExitCode, Failure> {
    let (mut contents, recovery) = read(&options.journal)?;
    let numbers: Vec<u64> = contents.waiting().chain(contents.refused()).collect();
    let mut is_whole = recovery.damage.is_empty() && recovery.lost.is_empty();
    for number in numbers {
        if let Err(error) = contents.get(number)
            && error.kind() != ErrorKind::NotFound
        {
            output::complain(error);
            is_whole = false;
        }
    }
    output::line(escape_controls(&recovery.to_string()))?;
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Says what is wrong with a journal, if anything is.
pub(crate) fn note(recovery: &Recovery) {
    if !recovery.damage.is_empty() || !recovery.lost.is_empty() {
        output::complain(format_args!("the journal is damaged: {recovery}"));
    }
}

fn summary(number: u64, entry: &Entry) -> Value {
    let refusal = entry.refusal.as_ref().map_or(Value::Null, |refusal| {
        Value::object([
            ("time", time(refusal.at).into()),
            ("kind", refusal.kind.clone().into()),
            ("reason", refusal.reason.clone().into()),
        ])
    });
    let headers = &entry.message.headers;
    Value::object([
        ("number", i64::try_from(number).unwrap_or(i64::MAX).into()),
        ("accepted", time(entry.accepted).into()),
        ("topic", entry.topic.clone().into()),
        ("key", entry.message.key.as_ref().map_or(Value::Null, ndjson::text_or_bytes)),
        ("id", entry.id().map(|id| id.to_string()).into()),
        (
            "format",
            headers.get(hop_core::header::FORMAT).map(|format| String::from_utf8_lossy(format).into_owned()).into(),
        ),
        ("bytes", i64::try_from(entry.message.content.len()).unwrap_or(i64::MAX).into()),
        ("refused", refusal),
    ])
}

/// A time in UTC, to the second.
fn time(milliseconds: u64) -> String {
    let seconds = i64::try_from(milliseconds / 1000).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds).map_or_else(|_| "at an impossible time".to_owned(), |time| time.to_string())
}
