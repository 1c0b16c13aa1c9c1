//! What each byte may be in XML 1.0, as bits to look up.

/// White space: space, tab, line feed, carriage return.
pub(super) const SPACE: u8 = 1;
/// May start a name. Bytes beyond ASCII are looked at as characters.
pub(super) const NAME_START: u8 = 2;
/// May stand in a name.
pub(super) const NAME: u8 = 4;
/// Text cannot simply run on: markup, a reference, a line end to normalize, perhaps `]]>`.
pub(super) const TEXT_STOP: u8 = 8;
/// An attribute's value cannot simply run on: a quote, `<`, a reference, white space to normalize.
pub(super) const VALUE_STOP: u8 = 16;

static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        let byte = at as u8;
        table[at] = match byte {
            b' ' => SPACE,
            b'\t' | b'\n' => SPACE | VALUE_STOP,
            b'\r' => SPACE | VALUE_STOP | TEXT_STOP,
            b'A'..=b'Z' | b'a'..=b'z' | b'_' | b':' => NAME_START | NAME,
            b'0'..=b'9' | b'-' | b'.' => NAME,
            b'<' | b'&' => TEXT_STOP | VALUE_STOP,
            b']' => TEXT_STOP,
            b'"' | b'\'' => VALUE_STOP,
            _ => 0,
        };
        at += 1;
    }
    table
}

/// Whether `byte` is one of the classes in `mask`.
#[inline]
pub(super) fn is(byte: u8, mask: u8) -> bool {
    CLASSES[usize::from(byte)] & mask != 0
}

/// `NameStartChar` beyond ASCII, XML 1.0 (fifth edition), production 4.
pub(super) fn starts_name(c: char) -> bool {
    matches!(c,
        '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}' | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}'
        | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}' | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}'
        | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}')
}

/// `NameChar` beyond ASCII, production 4a.
pub(super) fn continues_name(c: char) -> bool {
    starts_name(c) || matches!(c, '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

/// `Char`, production 2: what a document may hold at all.
pub(crate) fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// Where the first character stands that no document may hold, in UTF-8: control characters, U+FFFE and U+FFFF. There are no
/// surrogates in UTF-8.
pub(super) fn first_forbidden(text: &[u8]) -> Option<usize> {
    let control = |byte: u8| byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r');
    // Without a branch for each byte, this runs over many at once; the place matters only when there is one.
    let (mut any_control, mut any_wide) = (false, false);
    for byte in text {
        any_control |= control(*byte);
        any_wide |= *byte == 0xEF;
    }
    let of_control = if any_control { text.iter().position(|byte| control(*byte)) } else { None };
    let of_wide =
        if any_wide { text.windows(3).position(|wide| matches!(wide, [0xEF, 0xBF, 0xBE | 0xBF])) } else { None };
    [of_control, of_wide].into_iter().flatten().min()
}

/// Whether `name` is an XML name; colons are allowed anywhere, as in XML without namespaces.
pub(crate) fn is_name(name: &str) -> bool {
    let mut chars = name.chars();
    let start = |c: char| if c.is_ascii() { is(c as u8, NAME_START) } else { starts_name(c) };
    let inner = |c: char| if c.is_ascii() { is(c as u8, NAME) } else { continues_name(c) };
    chars.next().is_some_and(start) && chars.all(inner)
}
