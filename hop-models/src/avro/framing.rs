//! Avro without its container, and what is sometimes taken for it.
//!
//! Specification: [Single-object encoding](https://avro.apache.org/docs/1.12.0/specification/#single-object-encoding).
//! [Confluent's framing](https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format)
//! is a zero byte and the number of a schema in a registry.

use bytes::Bytes;
use hop_core::{Error, ErrorKind, Location, excerpt};

use super::LABEL;
use super::container::MAGIC;

/// The number of the schema in the sender's registry, and the datum, of a message in Confluent's framing.
///
/// `None` where the content does not start with a zero byte and four more. The number means nothing without the registry
/// it is from; with the schema, [`AvroBlob::from_datum`](super::AvroBlob::from_datum) reads the datum.
pub fn split_confluent(content: &Bytes) -> Option<(u32, Bytes)> {
    let (&[0, a, b, c, d], _) = content.split_first_chunk::<5>()? else { return None };
    Some((u32::from_be_bytes([a, b, c, d]), content.slice(5..)))
}

/// The fingerprint of the schema ([`Schema::fingerprint`](super::Schema::fingerprint)), and the datum, of a message in
/// single-object encoding.
///
/// `None` where the content does not start with `C3 01` and eight bytes more.
pub fn split_single_object(content: &Bytes) -> Option<(u64, Bytes)> {
    let (&[0xC3, 0x01, ref fingerprint @ ..], _) = content.split_first_chunk::<10>()? else { return None };
    Some((u64::from_le_bytes(*fingerprint), content.slice(10..)))
}

/// What other content starts with, and what it is.
const OTHERS: [(&[u8], &str); 15] = [
    (b"Obj\x00", "an Avro container of before 1.3"),
    (b"\xC3\x01", "Avro in single-object encoding, without its schema"),
    (b"\x1F\x8B", "gzip"),
    (b"version https://git-lfs", "a Git LFS pointer"),
    (b"PAR1", "Parquet"),
    (b"SIMPLE  =", "FITS"),
    (b"BZh", "bzip2"),
    (b"\x28\xB5\x2F\xFD", "zstandard"),
    (b"\xFD7zXZ\0", "xz"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x89HDF", "HDF5"),
    (b"<", "XML or HTML"),
    (b"{", "JSON"),
    (b"[", "JSON"),
    (b"\"", "JSON"),
];

/// The error for content that is no container; it says what it is, where that can be told.
#[cold]
pub(super) fn refuse(content: &[u8]) -> Error {
    let error =
        Error::new(ErrorKind::Unsupported, LABEL).expected("an Avro object container file").at(Location::Byte(0));
    let text = content.trim_ascii_start();
    if let Some((_, name)) = OTHERS.iter().find(|(start, _)| text.starts_with(start)) {
        let error = error.found(*name);
        return match *name {
            "gzip" | "bzip2" | "zstandard" | "xz" => error.help("decompress it first"),
            "JSON" => error.help("send it as `json`"),
            "a Git LFS pointer" => error.help("fetch the file it stands for with `git lfs pull`"),
            _ if content.starts_with(b"\xC3\x01") => error.help("with its schema, `AvroBlob::from_datum` reads it"),
            _ => error,
        };
    }
    if let Some((&[0, a, b, c, d], _)) = content.split_first_chunk::<5>() {
        let id = u32::from_be_bytes([a, b, c, d]);
        return error
            .found(format!("what may be Confluent's framing of a datum, by schema {id} of a registry"))
            .help("with that schema, `AvroBlob::from_datum` reads it");
    }
    let found = match content {
        [] => "no content".to_owned(),
        cut if MAGIC.starts_with(cut) => "the start of one".to_owned(),
        other => excerpt(other),
    };
    Error::new(ErrorKind::Malformed, LABEL)
        .expected("an Avro object container file, which starts with `Obj\\x01`")
        .found(found)
        .at(Location::Byte(0))
}
