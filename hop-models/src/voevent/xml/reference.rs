//! References in text and attribute values: checked when read, replaced when asked for.

use std::borrow::Cow;

use super::chars;

/// What a reference stands for, and its length with `&` and `;`; an error says what should have been there.
pub(super) fn parse(text: &[u8]) -> Result<(char, usize), &'static str> {
    let Some(b'#') = text.get(1) else {
        return [("&lt;", '<'), ("&gt;", '>'), ("&amp;", '&'), ("&quot;", '"'), ("&apos;", '\'')]
            .into_iter()
            .find(|(entity, _)| text.starts_with(entity.as_bytes()))
            .map(|(entity, c)| (c, entity.len()))
            .ok_or("one of `&lt;` `&gt;` `&amp;` `&quot;` `&apos;`, or a character reference");
    };
    let (radix, first) = if text.get(2) == Some(&b'x') { (16, 3) } else { (10, 2) };
    let mut code: u32 = 0;
    let mut at = first;
    while let Some(digit) = text.get(at).and_then(|byte| char::from(*byte).to_digit(radix)) {
        code = code.saturating_mul(radix).saturating_add(digit);
        at += 1;
    }
    if at == first || text.get(at) != Some(&b';') {
        return Err("a character reference such as `&#38;` or `&#x26;`");
    }
    let c =
        char::from_u32(code).filter(|c| chars::is_allowed(*c)).ok_or("a reference to a character that XML allows")?;
    Ok((c, at + 1))
}

/// Character data with its references replaced and its line ends normalized.
pub(super) fn text(raw: &str) -> String {
    replaced(raw, true, '\n')
}

/// A CDATA section with its line ends normalized; nothing in it is a reference.
pub(super) fn cdata(raw: &str) -> Cow<'_, str> {
    if raw.contains('\r') { replaced(raw, false, '\n').into() } else { raw.into() }
}

/// An attribute's value with its references replaced, and each white space as a space.
pub(super) fn value(raw: &str) -> String {
    replaced(raw, true, ' ')
}

fn replaced(raw: &str, references: bool, line_end: char) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    loop {
        let stop = rest.find(['&', '\r', '\n', '\t']);
        let Some(at) = stop else {
            out.push_str(rest);
            return out;
        };
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let bytes = rest.as_bytes();
        let length = match bytes[0] {
            b'&' => match if references { parse(bytes) } else { Err("") } {
                Ok((c, length)) => {
                    out.push(c);
                    length
                }
                // The reader has refused all others; in CDATA it is a character like any.
                Err(_) => {
                    out.push('&');
                    1
                }
            },
            b'\r' => {
                out.push(line_end);
                if bytes.get(1) == Some(&b'\n') { 2 } else { 1 }
            }
            b'\n' => {
                out.push(line_end);
                1
            }
            _ => {
                out.push(if line_end == ' ' { ' ' } else { '\t' });
                1
            }
        };
        rest = &rest[length..];
    }
}
