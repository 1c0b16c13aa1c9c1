//! Compressed blocks.
//!
//! Specification: [Required codecs](https://avro.apache.org/docs/1.12.0/specification/#required-codecs) and the optional
//! ones.

use std::io::{self, Read};

use bytes::Bytes;
use hop_core::{Error, ErrorKind, Location};

use super::LABEL;

/// How blocks are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    Null,
    Deflate,
    Snappy,
    Zstandard,
    Bzip2,
    Xz,
    /// Not in the specification: fastavro's.
    Lz4,
}

impl Codec {
    const ALL: [(&'static str, Self); 7] = [
        ("null", Self::Null),
        ("deflate", Self::Deflate),
        ("snappy", Self::Snappy),
        ("zstandard", Self::Zstandard),
        ("bzip2", Self::Bzip2),
        ("xz", Self::Xz),
        ("lz4", Self::Lz4),
    ];

    pub(super) fn named(name: &[u8], at: usize) -> Result<Self, Error> {
        let found = Self::ALL.iter().find(|(known, _)| known.as_bytes() == name);
        found.map(|(_, codec)| *codec).ok_or_else(|| {
            Error::new(ErrorKind::Unsupported, LABEL)
                .expected("a codec of null, deflate, snappy, zstandard, bzip2, xz, lz4")
                .found(hop_core::excerpt(name))
                .at(Location::Byte(at))
        })
    }

    pub(super) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, codec)| *codec == self).map_or("", |(name, _)| name)
    }

    /// The content of a block that starts at byte `at`, of at most `most` bytes.
    pub(super) fn open(self, block: Bytes, at: usize, most: usize) -> Result<Bytes, Error> {
        let opened = match self {
            Self::Null => return Ok(block),
            Self::Deflate => inflate(&block, most),
            Self::Snappy => unsnap(&block, most),
            Self::Zstandard => unzstd(&block, most),
            Self::Bzip2 => read(bzip2::read::MultiBzDecoder::new(&*block), &block, most),
            Self::Xz => {
                // Its dictionary is made before a byte comes out.
                let memory = u32::try_from(most / 1024 + 1024).unwrap_or(u32::MAX);
                read(lzma_rust2::XzReader::new_mem_limit(&*block, true, memory), &block, most)
            }
            Self::Lz4 => unlz4(&block, most),
        };
        opened
            .map(Bytes::from)
            .map_err(|trouble| refused(trouble, format!("a block compressed with {}", self.name()), at, most))
    }
}

#[cold]
fn refused(trouble: Trouble, what: String, at: usize, most: usize) -> Error {
    match trouble {
        Trouble::TooLarge => Error::new(ErrorKind::Limit, LABEL)
            .expected(format!("at most {most} bytes in all, decompressed"))
            .found("more")
            .at(Location::Byte(at))
            .help("raise `Limits::decompressed` to read it"),
        Trouble::Broken(source) => Error::new(ErrorKind::Malformed, LABEL)
            .expected(what)
            .found(source.to_string())
            .at(Location::Byte(at))
            .source(source),
    }
}

enum Trouble {
    TooLarge,
    Broken(io::Error),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // A dictionary that is larger than what may come out.
            io::ErrorKind::OutOfMemory => Self::TooLarge,
            _ => Self::Broken(error),
        }
    }
}

fn broken(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Trouble {
    Trouble::Broken(io::Error::new(io::ErrorKind::InvalidData, why))
}

/// Room for what usually comes out of that many bytes.
fn room(block: &[u8], most: usize) -> Vec<u8> {
    Vec::with_capacity(block.len().saturating_mul(4).min(most))
}

fn read(reader: impl Read, block: &[u8], most: usize) -> Result<Vec<u8>, Trouble> {
    let mut out = room(block, most);
    reader.take((most as u64).saturating_add(1)).read_to_end(&mut out)?;
    if out.len() > most { Err(Trouble::TooLarge) } else { Ok(out) }
}

/// Raw deflate. A stream that stops before its end gives what it gave, as in fastavro: the records tell whether it is
/// enough.
fn inflate(block: &[u8], most: usize) -> Result<Vec<u8>, Trouble> {
    let mut out = room(block, most);
    let mut stream = flate2::Decompress::new(false);
    loop {
        if out.len() > most {
            return Err(Trouble::TooLarge);
        }
        if out.len() == out.capacity() {
            out.reserve(out.len().clamp(4096, 1 << 20));
        }
        let (before, had) = (stream.total_in(), out.len());
        let rest = block.get(before as usize..).unwrap_or_default();
        match stream.decompress_vec(rest, &mut out, flate2::FlushDecompress::None) {
            Ok(flate2::Status::StreamEnd) => break,
            Ok(_) if out.len() > had || stream.total_in() > before => {}
            Ok(_) if out.len() < out.capacity() => break,
            Ok(_) => {}
            Err(error) => return Err(broken(error)),
        }
    }
    if out.len() > most { Err(Trouble::TooLarge) } else { Ok(out) }
}

/// Snappy without frames, and the CRC-32 of what is in it, most significant byte first.
fn unsnap(block: &[u8], most: usize) -> Result<Vec<u8>, Trouble> {
    let (packed, crc) = block.split_last_chunk::<4>().ok_or_else(|| broken("a block without its CRC-32"))?;
    if snap::raw::decompress_len(packed).map_err(broken)? > most {
        return Err(Trouble::TooLarge);
    }
    let out = snap::raw::Decoder::new().decompress_vec(packed).map_err(broken)?;
    let (stated, found) = (u32::from_be_bytes(*crc), crc32fast::hash(&out));
    if stated == found { Ok(out) } else { Err(broken(format!("CRC-32 {found:08x} where {stated:08x} is stated"))) }
}

/// A block of LZ4 without a frame, behind the size of what is in it: four bytes, the least significant first.
fn unlz4(block: &[u8], most: usize) -> Result<Vec<u8>, Trouble> {
    /// No byte of a block stands for more.
    const MOST_OF_A_BYTE: usize = 255;
    let (size, packed) = block.split_first_chunk::<4>().ok_or_else(|| broken("a block without its size"))?;
    let size = usize::try_from(u32::from_le_bytes(*size)).unwrap_or(usize::MAX);
    if size > packed.len().saturating_mul(MOST_OF_A_BYTE) {
        return Err(broken(format!("{size} bytes stated where {} are compressed", packed.len())));
    }
    if size > most {
        return Err(Trouble::TooLarge);
    }
    let out = lz4_flex::block::decompress(packed, size).map_err(broken)?;
    if out.len() == size { Ok(out) } else { Err(broken(format!("{} bytes where {size} are stated", out.len()))) }
}

/// The file inside gzip, of at most `most` bytes.
pub(super) fn gunzip(file: &[u8], most: usize) -> Result<Bytes, Error> {
    let opened = read(flate2::read::MultiGzDecoder::new(file), file, most);
    opened.map(Bytes::from).map_err(|trouble| refused(trouble, "content inside gzip".to_owned(), 0, most))
}

/// One frame after the other; frames to be skipped are.
fn unzstd(block: &[u8], most: usize) -> Result<Vec<u8>, Trouble> {
    use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
    let (mut rest, mut out) = (block, room(block, most));
    while !rest.is_empty() {
        let left = most - out.len();
        match ruzstd::decoding::StreamingDecoder::new_with_max_window_size(&mut rest, (most as u64).max(8 << 20)) {
            Ok(frame) => {
                frame.take((left as u64).saturating_add(1)).read_to_end(&mut out)?;
                if out.len() > most {
                    return Err(Trouble::TooLarge);
                }
            }
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                let after = rest.get(length as usize..).ok_or_else(|| broken("a frame cut short"))?;
                rest = after;
            }
            Err(error) => return Err(broken(error.to_string())),
        }
    }
    Ok(out)
}
