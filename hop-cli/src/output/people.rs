//! Messages for people: a few lines, in colour on a terminal that has it.

use std::io::IsTerminal;

use hop_core::{AnyModel, Blob, Header, Headers, Record, Summary, Value, escape_controls, guarded};
use jiff::Timestamp;

use crate::moment;

/// How text is set off: by escape sequences on a terminal, or not at all.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Colours(bool);

impl Colours {
    /// Colours if the standard output is a terminal, and neither `NO_COLOR` nor `TERM=dumb` asks for none.
    pub(crate) fn of_stdout() -> Self {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self(std::io::stdout().is_terminal() && !crate::is_set("NO_COLOR") && !dumb)
    }

    #[cfg(test)]
    pub(crate) const NONE: Self = Self(false);

    fn paint(self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    fn warning(self, text: &str) -> String {
        self.paint("1;33", text)
    }

    fn alarm(self, text: &str) -> String {
        self.paint("1;31", text)
    }
}

/// Returns the summary of a model; of one whose summary panics, its label and the panic.
pub(crate) fn summary(model: &dyn AnyModel) -> Summary {
    guarded("the model's `summary`", || Ok(hop_models::summary::of(model))).unwrap_or_else(|error| {
        let mut summary = Summary::new(model.format());
        summary.problems.push(error.to_string());
        summary
    })
}

/// Returns a message as a block of lines: what it says in one glance, then where, when, and where it was read.
pub(crate) fn block(model: &dyn AnyModel, record: &Record, now: Timestamp, colours: Colours) -> String {
    let summary = summary(model);
    let facts = summary.facts();
    let mut out = title(&summary, record, colours);
    out.push('\n');
    let mut line = |name: &str, text: &str| {
        out.push_str(&format!("  {}  {}\n", colours.dim(&format!("{name:<12}")), escape_controls(text)));
    };
    for (name, text) in &facts {
        line(name, text);
    }
    // What has no summary beyond its label is shown by its fields.
    if facts.is_empty() && summary.subject.is_none() && summary.names.is_empty() {
        let text = model.downcast_ref::<Blob>().and_then(|blob| std::str::from_utf8(&blob.content).ok());
        match guarded("the model's `fields`", || model.fields()) {
            Ok(_) if text.is_some() => line("content", &cut(text.unwrap_or_default().trim_end())),
            Ok(fields) => line("content", &short(&fields)),
            Err(error) => line("not read", &error.to_string()),
        }
    }
    line("from", &origin(model.format(), record, now));
    out
}

/// The first line: warnings, the event, and what was observed.
fn title(summary: &Summary, record: &Record, colours: Colours) -> String {
    let mut plain = summary.clone();
    (plain.is_test, plain.is_retraction) = (false, false);
    // Where and when have lines of their own.
    plain.direction = hop_core::summary::Direction::Unknown;
    (plain.time, plain.sky_map) = (None, None);
    let mut line = String::new();
    if summary.is_test || record.headers.is_test() {
        line.push_str(&colours.warning("TEST"));
        line.push(' ');
    }
    if summary.is_retraction {
        line.push_str(&colours.alarm("RETRACTION"));
        line.push(' ');
    }
    line + &colours.bold(&plain.title())
}

/// Where a message was read, as what, by whom it was sent, and how old it is.
fn origin(format: &str, record: &Record, now: Timestamp) -> String {
    let mut parts = Vec::new();
    if let Some(place) = &record.place {
        parts.push(place.to_string());
    }
    parts.push(format.to_owned());
    if let Some(sender) = record.headers.sender() {
        parts.push(format!("sent by {sender}"));
    }
    if let Some(published) = record.timestamp.and_then(|ms| Timestamp::from_millisecond(ms).ok()) {
        let second = published.round(jiff::Unit::Second).unwrap_or(published);
        let age = match now.as_second().saturating_sub(published.as_second()) {
            age if age < 0 => format!("{} ahead of this clock", moment::in_words(age.saturating_neg())),
            age => format!("{} ago", moment::in_words(age)),
        };
        parts.push(format!("{second} ({age})"));
    }
    parts.join(", ")
}

/// The start of a value's one-line form, for people.
pub(crate) fn short(value: &Value) -> String {
    cut(&value.to_string())
}

/// The start of a text.
fn cut(text: &str) -> String {
    const MOST: usize = 100;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Headers in one line, for people.
pub(crate) fn headers_line(headers: &Headers) -> String {
    let one = |header: &Header| match &header.value {
        None => format!("{}: null", header.name),
        Some(value) if header.name == hop_core::header::ID => {
            headers.id().map_or_else(|| format!("_id: {} bytes", value.len()), |id| format!("_id: {id}"))
        }
        Some(value) => format!("{}: {}", header.name, value.escape_ascii()),
    };
    headers.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Content for a terminal: text with its line ends and tabs, every other control character as an escape.
pub(crate) fn harmless(content: &[u8]) -> String {
    let text = String::from_utf8_lossy(content);
    text.split_inclusive(['\n', '\t'])
        .map(|part| {
            let end = part.len() - usize::from(part.ends_with(['\n', '\t']));
            format!("{}{}", escape_controls(&part[..end]), &part[end..])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use hop_core::{MessageModel as _, Place};
    use hop_models::Circular;

    use super::*;

    fn shown(model: &dyn AnyModel, colours: Colours) -> String {
        let record = Record {
            timestamp: Some(1_795_665_600_000),
            place: Some(Place { topic: "gcn.circular".into(), partition: 0, offset: 42 }),
            ..Record::default()
        };
        block(model, &record, Timestamp::from_second(1_795_665_612).unwrap(), colours)
    }

    #[test]
    fn a_message_says_what_where_and_when_it_was_read() {
        let text =
            "TITLE:   GCN CIRCULAR\nNUMBER:  1\nSUBJECT: GRB 261125A: a burst\nDATE:    26/11/25\nFROM:    A\n\nbody\n";
        let circular = Circular::load(text.as_bytes().into()).unwrap();
        assert_eq!(
            shown(&circular, Colours::NONE),
            "GRB 261125A: a burst\n  from          gcn.circular[0]@42, circular, 2026-11-26T04:00:00Z (12 s ago)\n"
        );
        assert!(shown(&circular, Colours(true)).starts_with("\x1b[1mGRB 261125A: a burst\x1b[0m\n"));
    }

    #[test]
    fn what_would_steer_a_terminal_arrives_harmless() {
        let text = "SUBJECT: \x1b]0;title\x07 \u{9b}31m red\n\nbody\n";
        let circular = Circular::load(text.as_bytes().into()).unwrap();
        let blob = Blob::from(&b"\x1b[2J"[..]);
        for shown in [shown(&circular, Colours::NONE), shown(&blob, Colours::NONE), harmless(text.as_bytes())] {
            assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown:?}");
        }
    }
}
