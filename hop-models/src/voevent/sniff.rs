//! What content is, from its first bytes; and what it is when it is no event.

use hop_core::{Error, ErrorKind, Location, excerpt};

use super::xml::SUBJECT;

/// What content seems to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Markup, or something that the reader of XML shall refuse with line and column.
    Xml,
    /// JSON.
    Json,
}

/// What content is, told from its start.
///
/// # Errors
/// Kind `Unsupported`, naming it, for what is known to be no event; kind `Malformed` for nothing and for text.
pub(super) fn kind(content: &[u8]) -> Result<Kind, Error> {
    let compressed: [(&[u8], &str); 4] =
        [(b"\x1F\x8B", "gzip"), (b"BZh", "bzip2"), (b"\x28\xB5\x2F\xFD", "Zstandard"), (b"PK\x03\x04", "ZIP")];
    if let Some((_, name)) = compressed.into_iter().find(|(magic, _)| content.starts_with(magic)) {
        return Err(unsupported(format!("{name} data")).help("decompress it first"));
    }
    if content.starts_with(b"version https://git-lfs") {
        return Err(unsupported("a Git LFS pointer".to_owned()).help("fetch the file itself with `git lfs pull`"));
    }
    let text = content.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(content);
    let Some(first) = text.iter().position(|byte| !byte.is_ascii_whitespace()) else {
        return Err(Error::new(ErrorKind::Malformed, SUBJECT).expected("`<VOEvent`").found(if content.is_empty() {
            "no content"
        } else {
            "nothing but white space"
        }));
    };
    let rest = &text[first..];
    match rest.first() {
        Some(b'<') if is_html(rest) => Err(unsupported("an HTML page".to_owned())
            .help("a server may have answered with an error instead of the event")),
        Some(b'<' | 0 | 0xFE | 0xFF) => Ok(Kind::Xml),
        Some(b'{' | b'[') => Ok(Kind::Json),
        _ => {
            let offset = content.len() - rest.len();
            let error = Error::new(ErrorKind::Malformed, SUBJECT)
                .expected("`<VOEvent`, or the XML declaration before it")
                .found(excerpt(rest))
                .at(Location::in_text(content, offset));
            Err(match memchr::memmem::find(rest, b"<?xml") {
                Some(_) => error.help("take out the text in front of `<?xml`"),
                None => error,
            })
        }
    }
}

fn is_html(text: &[u8]) -> bool {
    [&b"<!doctype html"[..], b"<html"]
        .iter()
        .any(|start| text.get(..start.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(start)))
}

/// The error for a document whose root element is called `name`.
pub(super) fn other_root(name: &str) -> Error {
    let help = match name {
        "Transport" => {
            "it is a message of the VOEvent Transport Protocol, with which brokers greet each other; skip it"
        }
        "LIGO_LW" => "it is a LIGO light-weight table file; read it as `blob`",
        "quakeml" => "it is QuakeML; read it as `blob`",
        "html" => "it is a web page; a server may have answered with an error instead of the event",
        _ => "read it as `blob` to get the bytes as they are",
    };
    unsupported(format!("`<{}`", hop_core::excerpt(name.as_bytes()).trim_matches('`'))).help(help)
}

fn unsupported(found: String) -> Error {
    Error::new(ErrorKind::Unsupported, SUBJECT).expected("the root element `VOEvent`").found(found)
}
