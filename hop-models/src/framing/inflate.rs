//! Unpacking with a bound.

use std::io::Read;

use hop_core::{Content, Error, ErrorKind};

/// Reads to the end of what is compressed; no more than the content's limits allow.
pub(super) fn read(name: &'static str, reader: impl Read, content: Content<'_>) -> Result<Vec<u8>, Error> {
    let most = content.limits().decompressed;
    let mut out = Vec::with_capacity(content.len().saturating_mul(4).min(most).min(1 << 20));
    reader.take((most as u64).saturating_add(1)).read_to_end(&mut out).map_err(|error| {
        Error::new(ErrorKind::Malformed, name).expected("compressed content").found(error.to_string()).source(error)
    })?;
    if out.len() > most {
        return Err(Error::new(ErrorKind::Limit, name)
            .expected(format!("at most {most} bytes, decompressed"))
            .found("more")
            .help("raise `Limits::decompressed` to read it"));
    }
    Ok(out)
}
