//! The primitive encodings of Avro, read from a slice; and what is wrong with it, when something is.
//!
//! Specification: [Binary encoding](https://avro.apache.org/docs/1.12.0/specification/#binary-encoding).

use std::borrow::Cow;

use hop_core::{Error, ErrorKind, Location};

use super::LABEL;
use super::schema::{Id, Kind, Schema};

/// What is wrong, and where in the slice that was read. Boxed by hand, so that results stay small.
#[derive(Debug)]
pub(super) struct Fault(Box<FaultInner>);

#[derive(Debug)]
struct FaultInner {
    kind: ErrorKind,
    at: usize,
    expected: Cow<'static, str>,
    found: Cow<'static, str>,
    /// Names from the innermost out.
    path: Vec<String>,
}

impl Fault {
    #[cold]
    pub(super) fn new(
        kind: ErrorKind,
        at: usize,
        expected: impl Into<Cow<'static, str>>,
        found: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self(Box::new(FaultInner { kind, at, expected: expected.into(), found: found.into(), path: Vec::new() }))
    }

    /// The same fault, inside the field `name`, or inside the element `[3]`.
    #[cold]
    pub(super) fn within(mut self, name: impl Into<String>) -> Self {
        // A path longer than this is a recursive schema, and nobody's reading.
        const LONGEST: usize = 16;
        if self.0.path.len() < LONGEST {
            self.0.path.push(name.into());
        }
        self
    }

    pub(super) fn found(&self) -> &str {
        &self.0.found
    }

    /// The way to the place: `candidates[3].magnitude`.
    pub(super) fn path(&self) -> String {
        let mut path = String::new();
        for name in self.0.path.iter().rev() {
            if !path.is_empty() && !name.starts_with('[') {
                path.push('.');
            }
            path.push_str(name);
        }
        path
    }

    /// The error, for a slice that starts at byte `start` of the content; with the name of the codec, where the slice
    /// was compressed and has no bytes of its own in the content.
    #[cold]
    pub(super) fn into_error(self, start: usize, codec: Option<&str>) -> Error {
        let place = self.path();
        let FaultInner { kind, at, expected, mut found, .. } = *self.0;
        if !place.is_empty() {
            found = format!("{found} in `{place}`").into();
        }
        let start = match codec {
            None => start + at,
            Some(codec) => {
                found = format!("{found} at byte {at} of the decompressed block ({codec})").into();
                start
            }
        };
        Error::new(kind, LABEL).expected(expected).found(found).at(Location::Byte(start))
    }
}

pub(super) type Read<T> = Result<T, Fault>;

/// A place in a slice that only moves forward.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    data: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self { data, at: 0 }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn left(&self) -> usize {
        self.data.len() - self.at
    }

    pub(super) fn fault(&self, expected: impl Into<Cow<'static, str>>, found: impl Into<Cow<'static, str>>) -> Fault {
        Fault::new(ErrorKind::Malformed, self.at, expected, found)
    }

    #[cold]
    fn ends(&self, expected: &'static str) -> Fault {
        self.fault(expected, format!("the end of the data after {} bytes", self.left()))
    }

    #[inline(always)]
    pub(super) fn take(&mut self, count: usize, expected: &'static str) -> Read<&'a [u8]> {
        match self.data.get(self.at..).and_then(|rest| rest.get(..count)) {
            Some(bytes) => {
                self.at += count;
                Ok(bytes)
            }
            None => Err(self.ends(expected)),
        }
    }

    #[inline(always)]
    pub(super) fn array<const N: usize>(&mut self, expected: &'static str) -> Read<[u8; N]> {
        match self.data.get(self.at..).and_then(|rest| rest.first_chunk()) {
            Some(bytes) => {
                self.at += N;
                Ok(*bytes)
            }
            None => Err(self.ends(expected)),
        }
    }

    /// A boolean: zero is false, and any other byte is true, as fastavro reads it.
    #[inline(always)]
    pub(super) fn boolean(&mut self) -> Read<bool> {
        let [byte] = self.array("a boolean")?;
        Ok(byte != 0)
    }

    /// An `int` or a `long`: a variable-length number in zig-zag order.
    #[inline(always)]
    pub(super) fn long(&mut self) -> Read<i64> {
        match self.data.get(self.at) {
            Some(&byte) if byte < 0x80 => {
                self.at += 1;
                Ok(i64::from(byte >> 1) ^ -i64::from(byte & 1))
            }
            _ => self.long_long(),
        }
    }

    fn long_long(&mut self) -> Read<i64> {
        let (mut bits, mut shift) = (0_u64, 0);
        let rest = self.data.get(self.at..).unwrap_or_default();
        for (count, &byte) in rest.iter().enumerate() {
            // The tenth byte has one bit left to give.
            if shift == 63 && byte > 1 {
                return Err(self.fault("an integer of at most 64 bits", "a longer one"));
            }
            bits |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                self.at += count + 1;
                return Ok((bits >> 1) as i64 ^ -((bits & 1) as i64));
            }
            shift += 7;
        }
        Err(self.ends("an integer"))
    }

    #[inline(always)]
    pub(super) fn float(&mut self) -> Read<f32> {
        self.array("the 4 bytes of a float").map(f32::from_le_bytes)
    }

    #[inline(always)]
    pub(super) fn double(&mut self) -> Read<f64> {
        self.array("the 8 bytes of a double").map(f64::from_le_bytes)
    }

    /// Bytes behind their length.
    #[inline(always)]
    pub(super) fn bytes(&mut self) -> Read<&'a [u8]> {
        let start = self.at;
        let length = self.long()?;
        match usize::try_from(length) {
            Ok(length) if length <= self.left() => self.take(length, "bytes"),
            _ => Err(self.bad_length(start, length)),
        }
    }

    #[cold]
    fn bad_length(&self, start: usize, length: i64) -> Fault {
        let expected = format!("a length of at most {}, which are left", self.left());
        Fault::new(ErrorKind::Malformed, start, expected, length.to_string())
    }

    #[inline(always)]
    pub(super) fn string(&mut self) -> Read<&'a str> {
        let bytes = self.bytes()?;
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text),
            Err(error) => Err(self.bad_text(bytes, error.valid_up_to())),
        }
    }

    /// Moves over a string.
    #[inline(always)]
    pub(super) fn text(&mut self) -> Read<()> {
        let start = self.at;
        if self.bytes()?.is_ascii() {
            return Ok(());
        }
        self.at = start;
        self.string().map(drop)
    }

    #[cold]
    fn bad_text(&self, bytes: &[u8], valid: usize) -> Fault {
        let byte = bytes.get(valid).copied().unwrap_or_default();
        let at = self.at - bytes.len() + valid;
        Fault::new(ErrorKind::Malformed, at, "UTF-8 in a string", format!("byte 0x{byte:02x}"))
    }

    /// An index into `count` things: the branches of a union, the symbols of an enum.
    #[inline(always)]
    pub(super) fn index(&mut self, count: usize, of: &'static str) -> Read<usize> {
        let start = self.at;
        let index = self.long()?;
        match usize::try_from(index) {
            Ok(index) if index < count => Ok(index),
            _ => Err(bad_index(start, index, count, of)),
        }
    }

    /// The type of what comes next: that of the branch, where a union is expected.
    #[inline(always)]
    pub(super) fn branch(&mut self, schema: &Schema, mut expected: Id) -> Read<Id> {
        while let Kind::Union(branches) = &schema.node(expected).kind {
            expected = branches[self.index(branches.len(), "branches of a union")?];
        }
        Ok(expected)
    }

    /// How many elements the next block of an array or a map holds; zero ends it. `least` is the least that one of
    /// them takes, so that a count that cannot be is refused before anything is made for it.
    #[inline(always)]
    pub(super) fn block(&mut self, least: u64) -> Read<usize> {
        let start = self.at;
        let count = self.long()?;
        if count < 0 {
            // Then the block's size in bytes follows, for readers that skip; fastavro does not look at it either.
            self.long()?;
        }
        let count = count.unsigned_abs();
        if count.saturating_mul(least) > self.left() as u64 {
            let expected = format!(
                "at most {} elements, which the {} bytes left can hold",
                self.left() as u64 / least,
                self.left()
            );
            return Err(Fault::new(ErrorKind::Malformed, start, expected, count.to_string()));
        }
        usize::try_from(count).map_err(|_| self.fault("a count", count.to_string()))
    }
}

#[cold]
fn bad_index(at: usize, index: i64, count: usize, of: &'static str) -> Fault {
    Fault::new(ErrorKind::Malformed, at, format!("one of the {count} {of}"), format!("index {index}"))
}
