//! Unpacking with a bound.

use std::io::Read;

use flate2::{Decompress, FlushDecompress, Status};
use hop_core::{Content, Error, ErrorKind};

/// Reads to the end of what is compressed; no more than the content's limits allow.
pub(super) fn read(name: &'static str, reader: impl Read, content: Content<'_>) -> Result<Vec<u8>, Error> {
    let most = content.limits().decompressed;
    let mut out = Vec::with_capacity(content.len().saturating_mul(4).min(most).min(1 << 20));
    reader.take((most as u64).saturating_add(1)).read_to_end(&mut out).map_err(|error| {
        Error::new(ErrorKind::Malformed, name).expected("compressed content").found(error.to_string()).source(error)
    })?;
    if out.len() > most { Err(too_much(name, most)) } else { Ok(out) }
}

/// Decompresses one zlib stream up to its checksum, after which nothing may come; no more than the content's limits allow.
///
/// The readers of flate2 take the end of what is there for the end of the stream, and leave alone what comes after it.
pub(super) fn zlib(name: &'static str, content: Content<'_>) -> Result<Vec<u8>, Error> {
    let wrong = |found: String| Error::new(ErrorKind::Malformed, name).expected("one zlib stream").found(found);
    let (mut packed, most) = (content.as_slice(), content.limits().decompressed);
    let (mut stream, mut out) = (Decompress::new(true), Vec::new());
    loop {
        if out.len() == out.capacity() {
            out.reserve(out.len().clamp(LEAST, MOST_AT_ONCE));
        }
        let (taken, made) = (stream.total_in(), out.len());
        let status = stream
            .decompress_vec(packed, &mut out, FlushDecompress::None)
            .map_err(|error| wrong(error.to_string()).source(error))?;
        let taken = usize::try_from(stream.total_in() - taken).unwrap_or(usize::MAX);
        packed = packed.get(taken..).unwrap_or_default();
        if out.len() > most {
            return Err(too_much(name, most));
        }
        match (status, packed.len()) {
            (Status::StreamEnd, 0) => return Ok(out),
            (Status::StreamEnd, more) => return Err(wrong(format!("{more} bytes after its end"))),
            _ if taken == 0 && out.len() == made => return Err(wrong("the first part of one".to_owned())),
            _ => {}
        }
    }
}

/// How much room is made for what is decompressed, at least and at most, in bytes.
const LEAST: usize = 4 << 10;
const MOST_AT_ONCE: usize = 1 << 20;

#[cold]
fn too_much(name: &'static str, most: usize) -> Error {
    Error::new(ErrorKind::Limit, name)
        .expected(format!("at most {most} bytes, decompressed"))
        .found("more")
        .help("raise `Limits::decompressed` to read it")
}
