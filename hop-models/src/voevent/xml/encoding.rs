//! From the bytes of a document to UTF-8, by byte-order mark and XML declaration.

use bytes::Bytes;
use encoding_rs::Encoding;
use hop_core::{Content, Error, ErrorKind, Location};

use super::SUBJECT;
use super::declaration::{self, Declaration};

/// A document as UTF-8, and where in it the XML declaration or the first markup stands.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) text: Bytes,
    pub(super) start: usize,
}

/// The document as UTF-8: shared where it is UTF-8 already, else transcoded.
///
/// A byte-order mark decides; else two bytes of UTF-16; else the declaration; else it is UTF-8.
pub(super) fn decode(content: Content<'_>) -> Result<Decoded, Error> {
    let bytes = content.as_slice();
    if bytes.starts_with(&[0xFF, 0xFE, 0, 0]) || bytes.starts_with(&[0, 0, 0xFE, 0xFF]) {
        return Err(unsupported("UTF-32"));
    }
    match bytes {
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [b'<' | b' ' | b'\t' | b'\r' | b'\n', 0, ..] => utf16(bytes, u16::from_le_bytes),
        [0, b'<' | b' ' | b'\t' | b'\r' | b'\n', ..] => utf16(bytes, u16::from_be_bytes),
        [0xEF, 0xBB, 0xBF, ..] => by_declaration(content, 3),
        _ => by_declaration(content, 0),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Decoded, Error> {
    let (pairs, odd) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(bytes.len());
    for (at, c) in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))).enumerate() {
        text.push(c.map_err(|error| {
            Error::new(ErrorKind::Malformed, SUBJECT).expected("UTF-16 text").found(format!(
                "the lone surrogate U+{:04X} as character {}",
                error.unpaired_surrogate(),
                at + 1
            ))
        })?);
    }
    if !odd.is_empty() {
        return Err(Error::new(ErrorKind::Malformed, SUBJECT)
            .expected("UTF-16 text")
            .found("an odd number of bytes")
            .help("the message was cut short, or is not UTF-16"));
    }
    let start = skip_space(text.as_bytes(), 0);
    if let Some(Declaration { encoding: Some(name), .. }) = declaration::read(text.as_bytes(), start)?
        && !matches!(normal(name).as_str(), "utf16" | "utf16le" | "utf16be")
    {
        return Err(mismatch(name, "UTF-16"));
    }
    Ok(Decoded { text: text.into(), start })
}

fn by_declaration(content: Content<'_>, mark: usize) -> Result<Decoded, Error> {
    let bytes = content.as_slice();
    let start = skip_space(bytes, mark);
    let declared = declaration::read(bytes, start)?.and_then(|declaration| declaration.encoding);
    let Some(name) = declared else { return utf8(content, start, None) };
    let normal = normal(name);
    match normal.as_str() {
        "utf8" => utf8(content, start, Some(name)),
        // The bytes are read as such only where they are in truth 16 bits each, and these are not.
        "utf16" | "utf16le" | "utf16be" | "ucs2" | "iso10646ucs2" => Err(mismatch(name, "one byte a character")),
        "iso88591" | "latin1" | "l1" | "cp819" | "ibm819" => {
            Ok(transcoded(bytes, start, |byte| Some(char::from(byte)))?)
        }
        "usascii" | "ascii" | "iso646us" => transcoded(bytes, start, |byte| byte.is_ascii().then(|| char::from(byte))),
        _ => {
            let encoding = Encoding::for_label(name.as_bytes()).filter(|encoding| encoding.is_single_byte());
            let encoding = encoding.ok_or_else(|| unsupported(name))?;
            // The web reads ISO 8859-9 and -11 as the Windows pages that extend them; XML does not.
            let iso = normal.starts_with("iso8859");
            transcoded(bytes, start, |byte| {
                if iso && (0x80..0xA0).contains(&byte) {
                    return Some(char::from(byte));
                }
                let text = [byte];
                encoding.decode_without_bom_handling_and_without_replacement(&text)?.chars().next()
            })
        }
    }
}

fn utf8(content: Content<'_>, start: usize, declared: Option<&str>) -> Result<Decoded, Error> {
    let says = declared.map_or("the document declares no encoding, so it is UTF-8", |_| "it declares UTF-8");
    content.as_str(SUBJECT).map_err(|error| {
        error.help(format!("{says}; other text must declare its own, such as encoding=\"ISO-8859-1\""))
    })?;
    Ok(Decoded { text: content.to_bytes(), start })
}

/// Each byte from `start` on as the character that `decode` says.
fn transcoded(bytes: &[u8], start: usize, decode: impl Fn(u8) -> Option<char>) -> Result<Decoded, Error> {
    let table: [Option<char>; 256] = std::array::from_fn(|byte| decode(byte as u8));
    let mut text = String::with_capacity(bytes.len() + bytes.len() / 8);
    // What stands before the declaration is white space or a byte-order mark.
    for byte in &bytes[start..] {
        match table[usize::from(*byte)] {
            Some(c) => text.push(c),
            None => {
                return Err(Error::new(ErrorKind::Malformed, SUBJECT)
                    .expected("text in the encoding that the document declares")
                    .found(format!("byte 0x{byte:02x}"))
                    .at(Location::in_text(text.as_bytes(), text.len())));
            }
        }
    }
    Ok(Decoded { text: text.into(), start: 0 })
}

fn skip_space(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).unwrap_or(rest.len())
}

/// An encoding's name without what its spellings differ in: `ISO_8859-1` and `iso8859-1` are one.
fn normal(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

fn unsupported(name: &str) -> Error {
    Error::new(ErrorKind::Unsupported, SUBJECT)
        .expected("UTF-8, UTF-16, US-ASCII, ISO-8859-x or windows-125x")
        .found(format!("the encoding `{}`", name.escape_debug()))
}

fn mismatch(name: &str, found: &'static str) -> Error {
    Error::new(ErrorKind::Malformed, SUBJECT)
        .expected(format!("text in `{}`, as the XML declaration says", name.escape_debug()))
        .found(found)
        .help("the declaration was kept when the text was re-encoded; mend it or leave it out")
}
