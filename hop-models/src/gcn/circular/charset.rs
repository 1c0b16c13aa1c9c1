//! Bytes of some charset to text, and the transfer encodings of [RFC 2045] and [RFC 2047].
//!
//! [RFC 2045]: https://www.rfc-editor.org/rfc/rfc2045#section-6
//! [RFC 2047]: https://www.rfc-editor.org/rfc/rfc2047

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use encoding_rs::{Encoding, WINDOWS_1252};

/// Base64 as mailers write it: padding may be missing, the last bits may be anything.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The text of bytes that came as they are: UTF-8 if they can be that, else the charset named, else windows-1252.
pub(super) fn text<'a>(bytes: &'a [u8], charset: Option<&str>) -> Cow<'a, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => {
            let named = charset.and_then(|label| Encoding::for_label(label.as_bytes()));
            named.unwrap_or(WINDOWS_1252).decode_without_bom_handling(bytes).0
        }
    }
}

/// The text of bytes that a transfer encoding carried, so that nobody can have changed their charset on the way.
///
/// Senders that name ASCII or Latin-1 often mean UTF-8, and text that is UTF-8 is hardly ever Latin-1.
pub(super) fn carried_text<'a>(bytes: &'a [u8], charset: Option<&str>) -> Cow<'a, str> {
    let named = charset.and_then(|label| Encoding::for_label(label.as_bytes()));
    match named.filter(|encoding| *encoding != WINDOWS_1252) {
        Some(encoding) => match encoding.decode_without_bom_handling(bytes) {
            (decoded, false) => decoded,
            (_, true) => text(bytes, charset),
        },
        None => text(bytes, charset),
    }
}

/// The bytes that a transfer encoding carries; `None` where it is none (`7bit`, `8bit`, `binary`), unknown, or broken.
pub(super) fn carried(bytes: &[u8], encoding: &str) -> Option<Vec<u8>> {
    let encoding = encoding.trim();
    if encoding.eq_ignore_ascii_case("quoted-printable") {
        Some(quoted_printable(bytes))
    } else if encoding.eq_ignore_ascii_case("base64") {
        base64(bytes)
    } else {
        None
    }
}

fn base64(bytes: &[u8]) -> Option<Vec<u8>> {
    let packed: Vec<u8> = bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    BASE64.decode(packed).ok()
}

/// Escapes that are none are kept as they stand.
fn quoted_printable(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let ends = line.ends_with(b"\n");
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        // White space at the end of a line was added on the way.
        let line = &line[..line.trim_ascii_end().len()];
        let (line, soft) = match line.strip_suffix(b"=") {
            Some(line) => (line, true),
            None => (line, false),
        };
        unescape(line, b'=', &mut out);
        if ends && !soft {
            out.push(b'\n');
        }
    }
    out
}

fn unescape(bytes: &[u8], mark: u8, out: &mut Vec<u8>) {
    let mut rest = bytes;
    while let Some(at) = memchr::memchr(mark, rest) {
        out.extend_from_slice(&rest[..at]);
        rest = match rest.get(at + 1..at + 3).and_then(hex) {
            Some(byte) => {
                out.push(byte);
                &rest[at + 3..]
            }
            None => {
                out.push(mark);
                &rest[at + 1..]
            }
        };
    }
    out.extend_from_slice(rest);
}

fn hex(digits: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let value = digit(*digits.first()?)? << 4 | digit(*digits.get(1)?)?;
    u8::try_from(value).ok()
}

/// Text in which `=?charset?q?…?=` and `=?charset?b?…?=` are read, as mail headers have them.
pub(super) fn words(text: &str) -> Cow<'_, str> {
    if !text.contains("=?") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    // The bytes of the words so far that are of one charset: some senders end a word within a character.
    let mut open: Option<Word<'_>> = None;
    while let Some(at) = rest.find("=?") {
        let (before, here) = rest.split_at(at);
        match word(here) {
            Some((next, length)) => {
                rest = &here[length..];
                // White space between two encoded words is only there to part them.
                let joined = before.trim().is_empty();
                open = Some(match open.take() {
                    Some(mut word) if joined && word.charset.eq_ignore_ascii_case(next.charset) => {
                        word.bytes.extend_from_slice(&next.bytes);
                        word
                    }
                    word => {
                        let after_word = word.is_some();
                        word.into_iter().for_each(|word| out.push_str(&word.text()));
                        if !(after_word && joined) {
                            out.push_str(before);
                        }
                        next
                    }
                });
            }
            None => {
                open.take().into_iter().for_each(|word| out.push_str(&word.text()));
                out.push_str(before);
                out.push_str("=?");
                rest = &here[2..];
            }
        }
    }
    open.into_iter().for_each(|word| out.push_str(&word.text()));
    out.push_str(rest);
    Cow::Owned(out)
}

/// An encoded word, or several of one charset in a row.
struct Word<'a> {
    charset: &'a str,
    bytes: Vec<u8>,
}

impl Word<'_> {
    fn text(&self) -> Cow<'_, str> {
        carried_text(&self.bytes, Some(self.charset))
    }
}

/// The encoded word that `text` starts with, and its length. They are at most 75 characters long; some senders exceed
/// that, none by much.
fn word(text: &str) -> Option<(Word<'_>, usize)> {
    const LONGEST: usize = 1000;
    let bytes = text.as_bytes();
    let bytes = &bytes[..bytes.len().min(LONGEST)];
    let charset_end = 2 + memchr::memchr(b'?', bytes.get(2..)?)?;
    let encoding = *bytes.get(charset_end + 1)?;
    if bytes.get(charset_end + 2) != Some(&b'?') {
        return None;
    }
    let start = charset_end + 3;
    let end = start + memchr::memmem::find(bytes.get(start..)?, b"?=")?;
    let inner = &bytes[start..end];
    // RFC 2231 lets a language follow: `=?utf-8*en?…`.
    let charset = text.get(2..charset_end)?.split('*').next()?;
    let bytes = match encoding {
        b'b' | b'B' => base64(inner)?,
        b'q' | b'Q' => {
            let spaced: Vec<u8> = inner.iter().map(|byte| if *byte == b'_' { b' ' } else { *byte }).collect();
            let mut out = Vec::with_capacity(spaced.len());
            unescape(&spaced, b'=', &mut out);
            out
        }
        _ => return None,
    };
    Some((Word { charset, bytes }, end + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_words_are_read_and_joined() {
        assert_eq!(words("=?utf-8?q?Dan_G=C3=B6tz?= <d@x.org>"), "Dan Götz <d@x.org>");
        assert_eq!(words("=?ISO-8859-1?Q?J=F6rg?= =?utf-8?B?w6k=?="), "Jörgé");
        assert_eq!(words("=?koi8-r?B?8M/T1A==?="), "Пост");
        // Within a character, across both encodings; not across charsets or text.
        assert_eq!(words("=?utf-8?B?w6nD?= =?UTF-8?B?qQ==?="), "éé");
        assert_eq!(words("a =?utf-8?q?=E2=88?=\r\n =?utf-8?b?kg==?= b"), "a \u{2212} b");
        assert_eq!(words("=?gb2312?q?=B2?= =?gb2312?q?=E2?="), "测");
        assert_eq!(words("=?utf-8?q?=C3=A9?= x =?utf-8?q?=C3=A9?="), "é x é");
        for not in ["=?", "a =?b? c", "=?utf-8?x?a?=", "=?utf-8?q?no end", "=?utf-8?b?!?="] {
            assert_eq!(words(not), not);
        }
    }

    #[test]
    fn quoted_printable_keeps_what_is_no_escape() {
        assert_eq!(quoted_printable(b"a=3Db=\nc =C3=A9  \n=ZZ ="), "a=bc é\n=ZZ ".as_bytes());
    }
}
