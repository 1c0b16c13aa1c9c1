//! Text that Python could have written: Unicode, and lone surrogates.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};

/// Text as JSON can escape it: Unicode, or Unicode with lone surrogates in it.
///
/// Python's strings may hold half of a surrogate pair, and `json.dumps` sends it as `"\ud83d"`. Rust's strings may not.
/// Such text is kept as it came (in WTF-8, UTF-8 in which surrogates stand as three bytes) and written as it came;
/// [`as_str`](Self::as_str) says `None` for it, [`to_string_lossy`](Self::to_string_lossy) shows `U+FFFD` in their place.
#[derive(Clone)]
pub struct Text(Repr);

#[derive(Clone)]
enum Repr {
    /// UTF-8 so short that it needs no allocation, as most names are: how many bytes, and these.
    Short(u8, [u8; SHORT]),
    Utf8(Box<str>),
    Wtf8(Box<[u8]>),
}

/// As many bytes as the other representations take.
const SHORT: usize = 22;
/// What a short text is copied from: a few bytes more, in whole words.
pub(crate) const CHUNK: usize = 24;

impl Text {
    /// So many bytes of UTF-8 need no allocation.
    pub(crate) const SHORT: usize = SHORT;

    /// The text, if it holds no lone surrogate.
    pub fn as_str(&self) -> Option<&str> {
        match &self.0 {
            Repr::Short(..) => std::str::from_utf8(self.as_bytes()).ok(),
            Repr::Utf8(text) => Some(text),
            Repr::Wtf8(_) => None,
        }
    }

    /// The text with `U+FFFD` in the place of each lone surrogate.
    pub fn to_string_lossy(&self) -> Cow<'_, str> {
        match self.as_str() {
            Some(text) => Cow::Borrowed(text),
            None => Cow::Owned(self.code_points().map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()),
        }
    }

    /// The bytes: UTF-8, or WTF-8 where there are lone surrogates.
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Short(length, bytes) => &bytes[..usize::from(*length).min(SHORT)],
            Repr::Utf8(text) => text.as_bytes(),
            Repr::Wtf8(bytes) => bytes,
        }
    }

    /// Each character, or the lone surrogate in its place.
    pub(crate) fn code_points(&self) -> impl Iterator<Item = Result<char, u16>> {
        let mut rest = self.as_bytes();
        std::iter::from_fn(move || {
            let first = *rest.first()?;
            let length = match first {
                0..=0x7F => 1,
                0xC0..=0xDF => 2,
                0xE0..=0xEF => 3,
                _ => 4,
            };
            let (here, after) = rest.split_at_checked(length)?;
            rest = after;
            let bits = here[1..].iter().fold(u32::from(first) & [0x7F, 0x1F, 0x0F, 0x07][length - 1], |bits, byte| {
                (bits << 6) | (u32::from(*byte) & 0x3F)
            });
            Some(char::from_u32(bits).ok_or(bits as u16))
        })
    }

    /// A number made of the length and three of the bytes, in the lowest nine bits of which texts that differ mostly differ.
    pub(super) fn sample(&self) -> u16 {
        let bytes = self.as_bytes();
        let [first, .., last] = bytes else { return 0 };
        let middle = bytes[bytes.len() / 2];
        let [length, first, middle, last] = [bytes.len() as u8, *first, middle, *last].map(u16::from);
        length + (first << 2) + (middle << 3) + (last << 5)
    }

    /// The first `length` of some bytes.
    #[inline(always)]
    pub(crate) fn short(bytes: &[u8; CHUNK], length: usize) -> Self {
        let mut own = [0; SHORT];
        own[..8].copy_from_slice(&bytes[..8]);
        own[8..16].copy_from_slice(&bytes[8..16]);
        own[16..20].copy_from_slice(&bytes[16..20]);
        own[20..].copy_from_slice(&bytes[20..SHORT]);
        Self(Repr::Short(length as u8, own))
    }

    /// The text of these bytes, in which a lone surrogate is three bytes; pairs are joined by whoever made them.
    pub(crate) fn from_wtf8(bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) => text.into(),
            Err(error) => Self(Repr::Wtf8(error.into_bytes().into())),
        }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        let mut bytes = [0; SHORT];
        Self(match bytes.get_mut(..text.len()) {
            Some(short) => {
                short.copy_from_slice(text.as_bytes());
                Repr::Short(text.len() as u8, bytes)
            }
            None => Repr::Utf8(text.into()),
        })
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        if text.len() <= SHORT { text.as_str().into() } else { Self(Repr::Utf8(text.into())) }
    }
}

impl From<Cow<'_, str>> for Text {
    fn from(text: Cow<'_, str>) -> Self {
        match text {
            Cow::Borrowed(text) => text.into(),
            Cow::Owned(text) => text.into(),
        }
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Text {}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_string_lossy())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.to_string_lossy(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_surrogate_is_kept_and_shown_as_a_replacement() {
        let text = Text::from_wtf8(b"a\xED\xA0\xBDb".to_vec());
        assert_eq!(text.as_str(), None);
        assert_eq!(text.to_string_lossy(), "a\u{FFFD}b");
        let points: Vec<_> = text.code_points().collect();
        assert_eq!(points, [Ok('a'), Err(0xD83D), Ok('b')]);
    }

    #[test]
    fn every_plane_is_walked() {
        let text = Text::from("aé€😀");
        assert_eq!(text.code_points().map(Result::unwrap).collect::<String>(), "aé€😀");
    }

    #[test]
    fn texts_of_every_length_are_kept() {
        assert_eq!(size_of::<Text>(), 24);
        for length in 0..40 {
            let text: String = "aé€😀".chars().cycle().take(length).collect();
            let kept = [Text::from(text.as_str()), text.clone().into(), Text::from_wtf8(text.clone().into_bytes())];
            for kept in kept {
                assert_eq!((kept.as_str(), kept.as_bytes()), (Some(text.as_str()), text.as_bytes()));
            }
        }
    }
}
