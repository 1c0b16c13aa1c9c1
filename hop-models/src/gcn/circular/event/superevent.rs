//! Candidates of the gravitational-wave detectors: `S231127cg`, `MS230922ab`, `G298048`.

use super::cursor::Cursor;
use super::designation::is_day;
use super::fold::is_word;

/// The detectors, and what their collaborations call themselves.
const DETECTORS: [&str; 6] = ["LIGO", "VIRGO", "KAGRA", "LVC", "LVK", "GEO"];

/// Reads a candidate's name.
///
/// Behind the name of a detector the letters may be missing, and case does not count. Elsewhere a letter and six digits are
/// little, so the day has to be one and letters have to follow, or the six digits follow a capital `G`.
pub(super) fn read(text: &mut Cursor<'_>) -> Option<String> {
    let start = *text;
    let kind = match text.letters() {
        kind if kind.eq_ignore_ascii_case("s") => "S",
        kind if kind.eq_ignore_ascii_case("g") => "G",
        kind if kind.eq_ignore_ascii_case("ms") => "MS",
        kind if kind.eq_ignore_ascii_case("ts") => "TS",
        _ => return None,
    };
    let detected = follows_detector(start.before());
    if detected {
        text.gap();
    }
    let (digits, letters) = (text.digits(), text.letters());
    let named = match kind {
        "G" if detected => (5..=8).contains(&digits.len()) && letters.is_empty(),
        "G" => start.peek() == Some(b'G') && digits.len() == 6 && letters.is_empty(),
        _ => digits.len() == 6 && is_day(digits) && letters.len() <= 5 && (detected || !letters.is_empty()),
    };
    named.then(|| format!("{kind}{digits}{}", letters.to_ascii_lowercase()))
}

/// Whether the text before a candidate ends with the name of a detector, apart from it or glued to it.
fn follows_detector(before: &[u8]) -> bool {
    const LONGEST_GAP: usize = 3;
    let gap = before.iter().rev().take(LONGEST_GAP).take_while(|byte| b" _-/:".contains(byte)).count();
    let before = before.get(..before.len() - gap).unwrap_or_default();
    DETECTORS.iter().any(|detector| ends_with_word(before, detector))
}

/// Whether a text ends with this word in any case.
fn ends_with_word(text: &[u8], word: &str) -> bool {
    text.len().checked_sub(word.len()).is_some_and(|start| {
        text.get(start..).is_some_and(|end| end.eq_ignore_ascii_case(word.as_bytes()))
            && !text.get(..start).and_then(<[u8]>::last).is_some_and(|byte| is_word(*byte))
    })
}
