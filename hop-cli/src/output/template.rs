//! Lines of one's own: `--template '%t %o %S\n'`, with kcat's tokens and some of hop's.

use hop_core::{AnyModel, Header, Record};

use super::people;

/// The tokens, for errors.
const TOKENS: &str = "%t %p %o %T %k %h %s %f %S %i %l %K, and %% for a percent sign";

/// A line with places to be filled in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Literal(Vec<u8>),
    Topic,
    Partition,
    Offset,
    Time,
    Key,
    KeyLength,
    Headers,
    Content,
    ContentLength,
    Format,
    Summary,
    Id,
}

impl Template {
    /// Reads a template.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = |found: &str| format!("expected one of {TOKENS}; found `{}`", found.escape_debug());
        let mut parts = Vec::new();
        let mut literal = Vec::new();
        let mut pieces = text.split('%');
        literal.extend(super::unescape(pieces.next().unwrap_or_default())?);
        while let Some(piece) = pieces.next() {
            let Some(token) = piece.chars().next() else {
                // `%%`, unless the text ends here.
                let after = pieces.next().ok_or_else(|| wrong("%"))?;
                literal.push(b'%');
                literal.extend(super::unescape(after)?);
                continue;
            };
            let part = match token {
                't' => Part::Topic,
                'p' => Part::Partition,
                'o' => Part::Offset,
                'T' => Part::Time,
                'k' => Part::Key,
                'K' => Part::KeyLength,
                'h' => Part::Headers,
                's' => Part::Content,
                'l' => Part::ContentLength,
                'f' => Part::Format,
                'S' => Part::Summary,
                'i' => Part::Id,
                other => return Err(wrong(&format!("%{other}"))),
            };
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
            }
            parts.push(part);
            literal.extend(super::unescape(&piece[token.len_utf8()..])?);
        }
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Ok(Self(parts))
    }

    /// Fills it in. On a terminal, what comes from the message has its control characters escaped.
    pub(crate) fn fill(&self, model: &dyn AnyModel, record: &Record, for_terminal: bool) -> Vec<u8> {
        let place = record.place.as_ref();
        let number =
            |number: Option<i64>| number.map_or_else(|| "-1".to_owned(), |number| number.to_string()).into_bytes();
        let length = |length: Option<usize>| number(length.and_then(|length| i64::try_from(length).ok()));
        let mut out = Vec::new();
        for part in &self.0 {
            let bytes = match part {
                Part::Literal(text) => {
                    out.extend_from_slice(text);
                    continue;
                }
                Part::Topic => place.map_or_else(Vec::new, |place| place.topic.as_bytes().to_vec()),
                Part::Partition => number(place.map(|place| i64::from(place.partition))),
                Part::Offset => number(place.map(|place| place.offset)),
                Part::Time => number(record.timestamp),
                Part::Key => record.key.as_deref().unwrap_or_default().to_vec(),
                Part::KeyLength => length(record.key.as_ref().map(|key| key.len())),
                Part::Headers => headers(record),
                Part::Content => record.content.to_vec(),
                Part::ContentLength => length((!record.content.is_null()).then(|| record.content.len())),
                Part::Format => model.format().as_bytes().to_vec(),
                Part::Summary => people::summary(model).title().into_bytes(),
                Part::Id => record.headers.id().map(|id| id.to_string()).unwrap_or_default().into_bytes(),
            };
            match for_terminal {
                true => out.extend_from_slice(people::harmless(&bytes).as_bytes()),
                false => out.extend_from_slice(&bytes),
            }
        }
        out
    }
}

/// `name=value,name=value`, as kcat writes them; the bytes of a UUID as one, and null as `NULL`.
fn headers(record: &Record) -> Vec<u8> {
    let mut out = Vec::new();
    for (at, Header { name, value }) in record.headers.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(name.as_bytes());
        out.push(b'=');
        match (value, record.headers.id()) {
            (Some(_), Some(id)) if name == hop_core::header::ID => out.extend_from_slice(id.to_string().as_bytes()),
            (Some(value), _) => out.extend_from_slice(value),
            (None, _) => out.extend_from_slice(b"NULL"),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use hop_core::{JsonBlob, MessageModel as _, Payload, Place};

    use super::*;

    fn record() -> Record {
        Record {
            content: r#"{"n": "\u001b"}"#.into(),
            key: Some("k\u{1b}".into()),
            headers: [("a", Some("1")), ("b", None)].into_iter().collect(),
            timestamp: Some(1_500),
            place: Some(Place { topic: "t".into(), partition: 2, offset: 7 }),
        }
    }

    fn fill(template: &str, record: &Record, for_terminal: bool) -> String {
        let model = JsonBlob::decode("1".into()).unwrap();
        String::from_utf8(Template::parse(template).unwrap().fill(&model, record, for_terminal)).unwrap()
    }

    #[test]
    fn tokens_are_filled_in_and_percent_signs_are_kept() {
        assert_eq!(fill(r"%t[%p]@%o %T %h %f 100%%\t%l\n", &record(), false), "t[2]@7 1500 a=1,b=NULL json 100%\t15\n");
        assert_eq!(fill("%s|%K|%S|%i", &record(), false), "{\"n\": \"\\u001b\"}|2|json|");
        assert_eq!(fill("%k", &record(), true), "k\\u{1b}");
        let null = Record { content: Payload::NULL, ..Record::default() };
        assert_eq!(fill("%t%p%o%T%k%K%l%s", &null, false), "-1-1-1-1-1");
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for bad in ["%", "%q", "100%", "%é", r"\q", "%%%"] {
            assert!(Template::parse(bad).is_err(), "{bad}");
        }
    }
}
