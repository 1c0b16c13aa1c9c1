//! What a [`Value`] holds and serde has no kind for, on its way through serde: text with lone surrogates, and integers that
//! some of serde's own types, such as those behind `#[serde(flatten)]`, cannot take.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use serde::{Serialize, Serializer};

use super::{Text, Value};

/// The start of bytes that stand for such a value. It is not UTF-8, and of every process its own, so that no content has it.
static MARK: LazyLock<[u8; 17]> = LazyLock::new(|| {
    let mut mark = [0xFF; 17];
    for half in mark[1..].chunks_exact_mut(8) {
        half.copy_from_slice(&RandomState::new().hash_one(0).to_le_bytes());
    }
    mark
});

const TEXT: u8 = b't';
const DIGITS: u8 = b'd';

fn marked(kind: u8, bytes: &[u8]) -> Vec<u8> {
    [&MARK[..], &[kind], bytes].concat()
}

/// The bytes that stand for a text with lone surrogates.
pub(crate) fn text(text: &Text) -> Vec<u8> {
    marked(TEXT, text.as_bytes())
}

/// The bytes that stand for an integer of these decimal digits.
pub(crate) fn integer(digits: &str) -> Vec<u8> {
    marked(DIGITS, digits.as_bytes())
}

/// The value that some bytes stand for.
pub(super) fn value(bytes: &[u8]) -> Option<Value> {
    match bytes.strip_prefix(&*MARK)?.split_first()? {
        (&TEXT, bytes) => Some(Value::String(Text::from_wtf8(bytes.to_vec()))),
        (&DIGITS, digits) => {
            let digits = std::str::from_utf8(digits).ok()?;
            Some(digits.parse().map_or_else(|_| Value::BigInt(digits.into()), Value::Int))
        }
        _ => None,
    }
}

/// The name of the newtype by which [`ValueSerializer`](super::ser::ValueSerializer) knows such a value, and the reader of
/// models an [`Integer`](super::Integer).
pub(crate) const NAME: &str = "$hop_core::value::exact";

/// Writes text: as it is where it is Unicode or goes into a value, else with replacements for lone surrogates.
pub(super) fn serialize_text<S: Serializer>(text: &Text, serializer: S) -> Result<S::Ok, S::Error> {
    match text.as_str() {
        Some(text) => serializer.serialize_str(text),
        None => serializer.serialize_newtype_struct(NAME, &Exact::Text(text)),
    }
}

/// Writes the digits of an integer beyond 128 bits: as one where they go into a value, else as text.
pub(super) fn serialize_digits<S: Serializer>(digits: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_newtype_struct(NAME, &Exact::Digits(digits))
}

enum Exact<'a> {
    Text(&'a Text),
    Digits(&'a str),
}

impl Serialize for Exact<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// As any serializer shows it; the alternate form is exact, for [`parse`].
impl fmt::Display for Exact<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Digits(digits) if f.alternate() => write!(f, "d{digits}"),
            Self::Digits(digits) => f.write_str(digits),
            Self::Text(text) if f.alternate() => {
                f.write_str("t")?;
                text.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
            Self::Text(text) => f.write_str(&text.to_string_lossy()),
        }
    }
}

/// The value in the alternate form.
pub(super) fn parse(form: &str) -> Option<Value> {
    match form.split_at_checked(1)? {
        ("d", digits) => Some(Value::BigInt(digits.into())),
        ("t", hex) => {
            let (pairs, _) = hex.as_bytes().as_chunks::<2>();
            let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
            pairs.iter().map(byte).collect::<Option<Vec<u8>>>().map(|bytes| Value::String(Text::from_wtf8(bytes)))
        }
        _ => None,
    }
}
