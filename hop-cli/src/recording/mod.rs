//! A topic in a file: newline-delimited JSON in zstd. `docs/src/recordings.md` describes the format.

mod reader;
mod writer;

pub(crate) use self::reader::Reader;
pub(crate) use self::writer::Writer;

/// The version of the format, which the first line of a recording states.
const VERSION: i64 = 1;
