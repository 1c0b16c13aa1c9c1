//! How messages are printed, and how that went.

use hop_core::{AnyModel, Blob, Record, Route, Value, guarded};
use hop_kafka::{Alert, Error};
use jiff::Timestamp;

use super::args::Subscribe;
use super::select::Selection;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::output::people::{self, Colours};
use crate::output::save::{self, Folder, Name};
use crate::output::sink::Sink;
use crate::output::template::Template;
use crate::output::{self, ndjson};

/// The form of what is printed.
enum Form {
    /// Its summary, for people.
    People(Colours),
    /// As a file has it.
    Text,
    /// As it travelled.
    Raw,
    Json {
        full: bool,
    },
    Template(Template),
    /// The names of the files that messages are saved in.
    Files {
        folder: Folder,
        raw: bool,
    },
}

pub(super) struct Printing {
    form: Form,
    delimiter: Vec<u8>,
    for_terminal: bool,
    selection: Selection,
    sink: Sink,
    printed: u64,
    all_decoded: bool,
}

impl Printing {
    pub(super) fn new(options: &Subscribe, interrupt: Interrupt) -> Result<Self, Failure> {
        use std::io::IsTerminal as _;
        let for_terminal = std::io::stdout().is_terminal();
        let form = match (&options.save, &options.template) {
            (Some(folder), _) => Form::Files { folder: Folder::open(folder)?, raw: options.raw },
            (None, Some(template)) => Form::Template(template.clone()),
            (None, None) if options.json => Form::Json { full: options.full },
            (None, None) if options.raw => Form::Raw,
            (None, None) if options.text || !for_terminal => Form::Text,
            (None, None) => Form::People(Colours::of_stdout()),
        };
        Ok(Self {
            form,
            delimiter: output::unescape(&options.delimiter).map_err(Failure::Usage)?,
            for_terminal,
            selection: Selection::new(options.near, &options.event),
            sink: Sink::new(interrupt),
            printed: 0,
            all_decoded: true,
        })
    }

    /// Prints a message, or says that it does not decode; returns its record, unless it is to be met again.
    pub(super) fn print(&mut self, alert: Result<Alert, Error>, stops: bool) -> Result<Option<Record>, Failure> {
        match alert {
            Ok(alert) => {
                if self.selection.takes(&*alert.model) {
                    self.show(&alert)?;
                }
                Ok(Some(alert.record))
            }
            // It is one message's; the others follow.
            Err(error) if error.record().is_some() => {
                let text = error.to_string();
                let record = error.into_record();
                match (&mut self.form, &record) {
                    (Form::Raw, Some(record)) => {
                        self.sink.push(&shown(&record.content, self.for_terminal), &self.delimiter);
                        self.printed += 1;
                        return Ok(Some(record.clone()));
                    }
                    (Form::Files { folder, .. }, Some(record)) => {
                        let name = Name::of(record, None, save::extension("", &record.content));
                        let entry = [("error", text.as_str().into())].into_iter().chain(described(record));
                        folder.save(&name, &record.content, Value::object(entry))?;
                    }
                    _ => {}
                }
                self.all_decoded = false;
                self.complain(text)?;
                Ok(record.filter(|_| !stops))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn show(&mut self, alert: &Alert) -> Result<(), Failure> {
        match self.form(alert) {
            Ok(bytes) => {
                let delimiter = match self.form {
                    Form::Template(_) | Form::People(_) => &b""[..],
                    Form::Files { .. } => b"\n",
                    _ => &self.delimiter,
                };
                self.sink.push(&bytes, delimiter);
                self.printed += 1;
                Ok(())
            }
            Err(Failure::Core(error)) => {
                self.all_decoded = false;
                let place = alert.record.place.as_ref().map(ToString::to_string).unwrap_or_default();
                self.complain(format!("the message at {place} cannot be shown: {error}"))
            }
            Err(failure) => Err(failure),
        }
    }

    fn form(&mut self, Alert { model, route, record }: &Alert) -> Result<Vec<u8>, Failure> {
        let dump = || guarded("the model's `dump`", || model.dump());
        Ok(match &mut self.form {
            Form::People(colours) => (people::block(&**model, record, Timestamp::now(), *colours) + "\n").into_bytes(),
            Form::Text => shown(&dump()?, self.for_terminal),
            Form::Raw => shown(&record.content, self.for_terminal),
            Form::Json { full } => ndjson::line(&**model, route, record, *full, self.for_terminal)?,
            Form::Template(template) => template.fill(&**model, record, self.for_terminal),
            Form::Files { folder, raw } => {
                let content = if *raw { record.content.clone() } else { dump()?.into() };
                saved(folder, &**model, route, record, &content)?.into_bytes()
            }
        })
    }

    /// Writes a line to the standard error, after what was printed before.
    fn complain(&mut self, what: String) -> Result<(), Failure> {
        self.sink.flush()?;
        output::complain(what);
        Ok(())
    }

    /// Returns whether it is time to write what was gathered.
    pub(super) fn is_full(&self) -> bool {
        self.sink.is_full()
    }

    /// Writes what was gathered.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        Ok(self.sink.flush()?)
    }

    /// Returns how many messages were printed or gathered.
    pub(super) fn count(&self) -> u64 {
        self.printed
    }

    /// Returns whether every message could be printed.
    pub(super) fn is_complete(&self) -> bool {
        self.all_decoded
    }

    /// Says at the end what `--near` could not compare.
    pub(super) fn report(&self) {
        if let count @ 1.. = self.selection.unplaced() {
            output::complain(format_args!(
                "{count} alerts state no position, or only a sky map, and were not compared with `--near`"
            ));
        }
    }
}

/// Content as it is for a program, and without what steers a terminal for people.
fn shown(content: &[u8], for_terminal: bool) -> Vec<u8> {
    if for_terminal { people::harmless(content).into_bytes() } else { content.to_vec() }
}

/// Saves a message, and returns a line about it.
fn saved(
    folder: &mut Folder,
    model: &dyn AnyModel,
    route: &Route,
    record: &Record,
    content: &[u8],
) -> Result<String, Failure> {
    let summary = people::summary(model);
    let event = summary.names.first().map(String::as_str);
    let format = if model.is::<Blob>() { "" } else { model.format() };
    let name = Name::of(record, event, save::extension(format, content));
    let known = [
        ("format", model.format().into()),
        ("route", route.as_str().into()),
        ("title", summary.title().into()),
        ("null", record.content.is_null().into()),
    ];
    let path = folder.save(&name, content, Value::object(known.into_iter().chain(described(record))))?;
    Ok(format!("{}: {}", output::path(&path), summary.title()))
}

fn described(record: &Record) -> [(&'static str, Value); 2] {
    [("metadata", ndjson::metadata(record)), ("headers", ndjson::headers(&record.headers))]
}
