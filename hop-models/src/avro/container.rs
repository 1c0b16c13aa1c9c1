//! Object container files: a header with the schema, then blocks of records.
//!
//! Specification: [Object container files](https://avro.apache.org/docs/1.12.0/specification/#object-container-files).

use bytes::Bytes;
use hop_core::{Content, Error, ErrorKind, Limits, Location};

use super::codec::{self, Codec};
use super::cursor::{Cursor, Fault, Read};
use super::decode::{self, Budget};
use super::schema::{Schema, rabin};
use super::{LABEL, framing};

pub(super) const MAGIC: [u8; 4] = *b"Obj\x01";

const GZIP: [u8; 2] = [0x1F, 0x8B];

/// Records whose bytes were checked.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub(super) data: Bytes,
    pub(super) count: usize,
}

/// A file that was checked to its end.
#[derive(Debug, Clone)]
pub(super) struct File {
    pub(super) schema: Schema,
    pub(super) blocks: Vec<Block>,
    pub(super) origin: Origin,
}

/// What the records came in.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    /// No container.
    Datum,
    /// This container.
    Container(Bytes),
    /// The container that [`write_with`] makes of them with this sync marker.
    Written([u8; 16]),
}

/// What the header says, as it lies in the file.
struct Header<'a> {
    schema: Option<&'a [u8]>,
    codec: Option<(&'a [u8], usize)>,
    sync: [u8; 16],
}

fn header<'a>(cursor: &mut Cursor<'a>, mut each: impl FnMut(&'a str, &'a [u8])) -> Read<Header<'a>> {
    let _magic: [u8; 4] = cursor.array("the magic")?;
    let (mut schema, mut codec) = (None, None);
    loop {
        let count = cursor.block(2)?;
        if count == 0 {
            break;
        }
        for _ in 0..count {
            let (key, value) = (key(cursor)?, cursor.bytes()?);
            match key {
                "avro.schema" => schema = Some(value),
                "avro.codec" => codec = Some((value, cursor.at() - value.len())),
                _ => {}
            }
            each(key, value);
        }
    }
    Ok(Header { schema, codec, sync: cursor.array("the 16 bytes of the sync marker")? })
}

fn key<'a>(cursor: &mut Cursor<'a>) -> Read<&'a str> {
    let before = cursor.clone();
    // These come in every file, and need not be checked to be text.
    for known in ["avro.schema", "avro.codec"] {
        if cursor.bytes()? == known.as_bytes() {
            return Ok(known);
        }
        *cursor = before.clone();
    }
    cursor.string()
}

/// The entries of the header of a file that was read before.
pub(super) fn metadata(bytes: &[u8]) -> Vec<(&str, &[u8])> {
    let mut entries = Vec::new();
    // It was read before, so it is one.
    let _header = header(&mut Cursor::new(bytes), |key, value| entries.push((key, value)));
    entries
}

fn malformed(expected: &'static str, found: impl Into<String>, at: usize) -> Error {
    Error::new(ErrorKind::Malformed, LABEL).expected(expected).found(found.into()).at(Location::Byte(at))
}

impl File {
    pub(super) fn read(content: Content<'_>) -> Result<Self, Error> {
        content.check_size(LABEL)?;
        let limits = content.limits();
        // Files of archives come inside gzip; what is in it is the message.
        let zipped = content.starts_with(&GZIP);
        let bytes = if zipped { codec::gunzip(&content, limits.decompressed)? } else { content.to_bytes() };
        if !bytes.starts_with(&MAGIC) {
            let error = framing::refuse(&bytes);
            return Err(if zipped { error.expected("an Avro object container file inside gzip") } else { error });
        }
        let mut cursor = Cursor::new(&bytes);
        let in_file = |fault: Fault| fault.into_error(0, None);
        let header = header(&mut cursor, |_, _| {}).map_err(in_file)?;
        let end = cursor.at();
        let schema = header.schema.ok_or_else(|| malformed("`avro.schema` in the header", "none", end))?;
        let schema = match Schema::known(schema) {
            Some(schema) => schema,
            None => std::str::from_utf8(schema)
                .map_err(|_| malformed("UTF-8 in `avro.schema`", "other bytes", end))
                .and_then(|text| Schema::parse_within(text, limits))?,
        };
        let codec = header.codec.map_or(Ok(Codec::Null), |(name, at)| Codec::named(name, at))?;
        let mut file = Reading {
            schema: &schema,
            codec,
            sync: header.sync,
            limits,
            budget: Budget::new(limits),
            records: 0,
            decompressed: if zipped { bytes.len() } else { 0 },
        };
        let mut blocks = Vec::new();
        while cursor.left() > 0 {
            blocks.extend(file.block(&bytes, &mut cursor)?);
        }
        let origin = match blocks.as_mut_slice() {
            [block] if is_written(&schema, block, &header.sync, &bytes) => {
                // Framings make a container of each datum. The schema is shared: its text is not kept once more.
                block.data = Bytes::copy_from_slice(&block.data);
                Origin::Written(header.sync)
            }
            _ => Origin::Container(bytes),
        };
        Ok(Self { schema, blocks, origin })
    }

    /// One datum, and nothing after it.
    pub(super) fn datum(schema: &Schema, data: Bytes, limits: &Limits) -> Result<Self, Error> {
        let end =
            decode::check(schema, &data, 1, &mut Budget::new(limits)).map_err(|fault| fault.into_error(0, None))?;
        if end < data.len() {
            let found = format!("{} bytes more", data.len() - end);
            return Err(malformed("the end of the content after the datum", found, end)
                .help("the schema may be another than the sender's"));
        }
        Ok(Self { schema: schema.clone(), blocks: vec![Block { data, count: 1 }], origin: Origin::Datum })
    }

    pub(super) fn count(&self) -> usize {
        self.blocks.iter().map(|block| block.count).sum()
    }

    /// Returns the file: as it was read, else one that is made of the records.
    pub(super) fn bytes(&self) -> Bytes {
        match &self.origin {
            Origin::Datum => write(&self.schema, &self.blocks).into(),
            Origin::Container(bytes) => bytes.clone(),
            Origin::Written(sync) => write_with(&self.schema, &self.blocks, sync).into(),
        }
    }
}

/// The least text of a schema that is worth not to be kept.
const LONG_SCHEMA: usize = 1024;

/// Returns true if `bytes` are what [`write_with`] makes of the block, most of them the text of the schema.
fn is_written(schema: &Schema, block: &Block, sync: &[u8; 16], bytes: &[u8]) -> bool {
    let text = schema.text().as_bytes();
    text.len() >= LONG_SCHEMA
        && text.len() >= block.data.len() / 4
        && sync.starts_with(&schema.checksum().to_le_bytes())
        && bytes.len() == write_length(schema, block)
        && bytes.starts_with(&opening(text.len()))
}

/// What is the same for all blocks of a file, and what they have used up together.
struct Reading<'a> {
    schema: &'a Schema,
    codec: Codec,
    sync: [u8; 16],
    limits: &'a Limits,
    budget: Budget,
    records: usize,
    decompressed: usize,
}

impl Reading<'_> {
    /// The next block; none where it has no records.
    fn block(&mut self, bytes: &Bytes, cursor: &mut Cursor<'_>) -> Result<Option<Block>, Error> {
        let start = cursor.at();
        let in_file = |fault: Fault| fault.into_error(0, None);
        let count = cursor.long().map_err(in_file)?;
        let count =
            usize::try_from(count).map_err(|_| malformed("a block to count its records", count.to_string(), start))?;
        self.records = self.records.saturating_add(count);
        if self.records > self.limits.records {
            return Err(Error::new(ErrorKind::Limit, LABEL)
                .expected(format!("at most {} records", self.limits.records))
                .found(format!("{} at least", self.records))
                .at(Location::Byte(start)));
        }
        let length = cursor.bytes().map_err(in_file)?.len();
        let (from, to) = (cursor.at() - length, cursor.at());
        if cursor.array("the sync marker after a block").map_err(in_file)? != self.sync {
            return Err(malformed("the sync marker after a block", "other bytes", to));
        }
        let room = self.limits.decompressed.saturating_sub(self.decompressed);
        if count == 0 {
            return Ok(None);
        }
        let data = self.codec.open(bytes.slice(from..to), from, room)?;
        let codec = (self.codec != Codec::Null).then(|| self.codec.name());
        if codec.is_some() {
            self.decompressed += data.len();
        }
        decode::check(self.schema, &data, count, &mut self.budget).map_err(|fault| fault.into_error(from, codec))?;
        Ok(Some(Block { data, count }))
    }
}

/// The file of one block, uncompressed, that holds `count` records.
///
/// Its sync marker is made of what it holds, so that the same records give the same file.
pub(super) fn write(schema: &Schema, blocks: &[Block]) -> Vec<u8> {
    let mut sync = [0; 16];
    let (first, second) = sync.split_at_mut(8);
    first.copy_from_slice(&schema.checksum().to_le_bytes());
    let data = blocks.iter().fold(0, |sum: u64, block| sum.rotate_left(1) ^ rabin(&block.data));
    second.copy_from_slice(&data.to_le_bytes());
    write_with(schema, blocks, &sync)
}

/// The beginning of a file, up to the text of its schema.
fn opening(schema: usize) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    long(&mut out, 2);
    for text in [&b"avro.codec"[..], b"null", b"avro.schema"] {
        bytes(&mut out, text);
    }
    long(&mut out, schema as i64);
    out
}

fn write_length(schema: &Schema, block: &Block) -> usize {
    let (mut count, mut size) = (Vec::new(), Vec::new());
    long(&mut count, block.count as i64);
    long(&mut size, block.data.len() as i64);
    let text = schema.text().len();
    opening(text).len() + text + 1 + 16 + count.len() + size.len() + block.data.len() + 16
}

fn write_with(schema: &Schema, blocks: &[Block], sync: &[u8; 16]) -> Vec<u8> {
    let text = schema.text().as_bytes();
    let size: usize = blocks.iter().map(|block| block.data.len()).sum();
    let mut out = Vec::with_capacity(text.len() + size + 100);
    out.extend(opening(text.len()));
    out.extend(text);
    long(&mut out, 0);
    out.extend(sync);
    for block in blocks {
        long(&mut out, block.count as i64);
        bytes(&mut out, &block.data);
        out.extend(sync);
    }
    out
}

pub(super) fn long(out: &mut Vec<u8>, value: i64) {
    let mut bits = ((value << 1) ^ (value >> 63)) as u64;
    while bits >= 0x80 {
        out.push(bits as u8 | 0x80);
        bits >>= 7;
    }
    out.push(bits as u8);
}

pub(super) fn bytes(out: &mut Vec<u8>, value: &[u8]) {
    long(out, value.len() as i64);
    out.extend_from_slice(value);
}
