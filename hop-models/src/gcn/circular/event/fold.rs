//! Reduces the typography of a subject to ASCII.

/// The byte that stands for a letter or digit beyond ASCII.
const LETTER: u8 = 0x7F;

/// Returns the subject in ASCII: any of Unicode's spaces is a space, any dash or minus sign is `-`, fullwidth forms are
/// their ASCII twins, and invisible joiners are gone. Other characters keep only whether they are part of a word.
pub(super) fn fold(subject: &str) -> Vec<u8> {
    let mut folded = Vec::with_capacity(subject.len());
    folded.extend(subject.chars().filter_map(fold_char));
    folded
}

/// Whether a byte of the folded subject is part of a word.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == LETTER
}

fn fold_char(c: char) -> Option<u8> {
    Some(match c {
        '\u{7F}' => b' ',
        c if c.is_ascii_whitespace() => b' ',
        c if c.is_ascii() => u8::try_from(c).ok()?,
        // Soft hyphen, joiners, directional marks, byte-order mark.
        '\u{AD}' | '\u{200C}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}' => {
            return None;
        }
        c if c.is_whitespace() || matches!(c, '\u{180E}' | '\u{200B}' | '\u{2800}' | '\u{3164}') => b' ',
        c if is_dash(c) => b'-',
        '\u{207A}' | '\u{208A}' | '\u{FE62}' => b'+',
        '\u{2044}' | '\u{2215}' => b'/',
        '\u{2024}' | '\u{FE52}' => b'.',
        '\u{FF01}'..='\u{FF5E}' => u8::try_from(u32::from(c) - 0xFF01 + 0x21).ok()?,
        c if c.is_alphanumeric() => LETTER,
        _ => b'|',
    })
}

/// Whether a character is a dash, hyphen or minus sign: Unicode's property `Dash`, and what looks like one.
///
/// Source: Unicode 16, `PropList.txt`.
fn is_dash(c: char) -> bool {
    matches!(
        c,
        '\u{58A}' | '\u{5BE}' | '\u{1400}' | '\u{1806}' | '\u{2010}'
            ..='\u{2015}'
                | '\u{2043}'
                | '\u{2053}'
                | '\u{207B}'
                | '\u{208B}'
                | '\u{2212}'
                | '\u{2796}'
                | '\u{2E17}'
                | '\u{2E1A}'
                | '\u{2E3A}'
                | '\u{2E3B}'
                | '\u{2E40}'
                | '\u{2E5D}'
                | '\u{301C}'
                | '\u{3030}'
                | '\u{30A0}'
                | '\u{30FC}'
                | '\u{FE31}'
                | '\u{FE32}'
                | '\u{FE58}'
                | '\u{FE63}'
                | '\u{FF0D}'
                | '\u{10EAD}'
                | '\u{2D7}'
    )
}
