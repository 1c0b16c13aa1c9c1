//! Segments: the files of a journal, their names and what they begin with.
//!
//! A file begins with 64 bytes, which stand once more at 4096; between them are zeros, and records follow. So no single
//! damaged byte, or block of the disk, makes all records unreadable.
//!
//! | at | type | field |
//! |---|---|---|
//! | 0 | 8 bytes | `hopjrnl`, 0 |
//! | 8 | `u32` | version of the format: 1 |
//! | 12 | 4 bytes | 0 |
//! | 16 | 16 bytes | the journal's id, random |
//! | 32 | `u64` | number of the segment |
//! | 40 | `u64` | number of the first message that it may hold |
//! | 48 | `u64` | when it was made, in milliseconds since 1970 |
//! | 56 | 4 bytes | 0 |
//! | 60 | `u32` | CRC-32 of the bytes before |

use uuid::Uuid;

use crate::error::{Error, ErrorKind};

const MAGIC: [u8; 8] = *b"hopjrnl\0";
const VERSION: u32 = 1;
const SIZE: usize = 64;
/// Where the second copy stands.
const COPY: usize = 4096;
/// Where the records begin.
pub(crate) const RECORDS: usize = COPY + SIZE;
const SUFFIX: &str = ".journal";

/// What a segment says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Opening {
    pub(crate) journal: Uuid,
    pub(crate) segment: u64,
    /// The number of the first message that it may hold.
    pub(crate) first: u64,
    pub(crate) made: u64,
}

impl Opening {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut one = [0; SIZE];
        one[..8].copy_from_slice(&MAGIC);
        one[8..12].copy_from_slice(&VERSION.to_le_bytes());
        one[16..32].copy_from_slice(self.journal.as_bytes());
        one[32..40].copy_from_slice(&self.segment.to_le_bytes());
        one[40..48].copy_from_slice(&self.first.to_le_bytes());
        one[48..56].copy_from_slice(&self.made.to_le_bytes());
        let sum = crc32fast::hash(&one[..60]);
        one[60..].copy_from_slice(&sum.to_le_bytes());
        let mut both = vec![0; RECORDS];
        both[..SIZE].copy_from_slice(&one);
        both[COPY..].copy_from_slice(&one);
        both
    }

    /// Reads what a segment begins with; `None` where both copies are damaged.
    ///
    /// # Errors
    /// Kind `Unsupported`, for a version that is not known.
    pub(crate) fn decode(segment: &[u8]) -> Result<Option<Self>, Error> {
        let copies = [segment.get(..SIZE), segment.get(COPY..RECORDS)];
        copies.into_iter().flatten().find_map(|copy| Self::decode_one(copy).transpose()).transpose()
    }

    fn decode_one(one: &[u8]) -> Result<Option<Self>, Error> {
        let field = |at: usize| one.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()).map(u64::from_le_bytes);
        let small = |at: usize| one.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes);
        if one.get(..8) != Some(&MAGIC[..]) || small(60) != Some(crc32fast::hash(&one[..60])) {
            return Ok(None);
        }
        match small(8) {
            Some(VERSION) => {}
            version => {
                let version = version.unwrap_or_default();
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    format!("the journal has version {version} of the format, and this program reads {VERSION}"),
                )
                .help("open it with the newer version of hop that wrote it"));
            }
        }
        let journal = one.get(16..32).and_then(|bytes| Uuid::from_slice(bytes).ok());
        let (Some(journal), Some(segment), Some(first), Some(made)) = (journal, field(32), field(40), field(48)) else {
            return Ok(None);
        };
        Ok(Some(Self { journal, segment, first, made }))
    }
}

/// The two lists of messages that a journal keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    /// Messages that wait to be sent.
    Waiting,
    /// Messages that were put aside.
    Refused,
}

impl List {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Waiting => "waiting-",
            Self::Refused => "refused-",
        }
    }

    /// Returns the name of a segment.
    pub(crate) fn name(self, segment: u64) -> String {
        format!("{}{segment:012}{SUFFIX}", self.prefix())
    }

    /// Returns the number of the segment that has this name, if it is one of this list.
    pub(crate) fn segment(self, name: &str) -> Option<u64> {
        let digits = name.strip_prefix(self.prefix())?.strip_suffix(SUFFIX)?;
        let segment = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()?;
        (self.name(segment) == name).then_some(segment)
    }
}

/// What the names of files with damaged parts of a journal begin with.
pub(crate) const DAMAGED: &str = "damaged-";

/// Returns true for the name of a file that a journal writes.
pub(crate) fn is_ours(name: &str) -> bool {
    name.starts_with(DAMAGED) || [List::Waiting, List::Refused].iter().any(|list| list.segment(name).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_copy_does_and_newer_versions_are_refused() {
        let opening = Opening { journal: Uuid::from_u128(7), segment: 3, first: 40, made: 5 };
        let bytes = opening.encode();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Opening::decode(&flipped).unwrap(), Some(opening), "bit {bit}");
        }
        let mut newer = bytes.clone();
        newer[8] = 2;
        let sum = crc32fast::hash(&newer[..60]);
        newer[60..64].copy_from_slice(&sum.to_le_bytes());
        let error = Opening::decode(&newer).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert_eq!(Opening::decode(&[0; RECORDS]).unwrap(), None);
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for segment in [1, 999_999_999_999, u64::MAX] {
            assert_eq!(List::Waiting.segment(&List::Waiting.name(segment)), Some(segment));
            assert_eq!(List::Refused.segment(&List::Waiting.name(segment)), None);
        }
        for name in ["waiting-1.journal", "waiting-.journal", "waiting-+00000000001.journal", "lock"] {
            assert_eq!(List::Waiting.segment(name), None, "{name}");
        }
    }
}
