use bytes::Bytes;
use rmp::{Marker, encode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Codec;
use super::binary::{self, DEEPEST, Item, Items, below, malformed, text, unencodable, unsupported};
use crate::{Content, Error, Text, Value, excerpt};

/// [MessagePack](https://github.com/msgpack/msgpack/blob/master/spec.md) of the model's fields; feature `msgpack`.
///
/// For many small messages with numbers or bytes in them, where both ends are programs: it says the same as JSON in less
/// space, and has bytes and NaN. People cannot read it, and without the `_format` header nothing tells what it is.
///
/// ```
/// use hop_core::{HopModel, MessageModel};
/// use hop_core::codec::MessagePack;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize, HopModel)]
/// #[hop(format = "packed-donut", codec = MessagePack)]
/// struct Donut {
///     flavor: String,
///     holes: u8,
/// }
///
/// let donut = Donut { flavor: "maple".into(), holes: 1 };
/// assert_eq!(donut.encode()?, &b"\x82\xa6flavor\xa5maple\xa5holes\x01"[..]);
/// assert_eq!(Donut::decode((&donut.encode()?).into())?, donut);
/// # Ok::<(), hop_core::Error>(())
/// ```
///
/// A struct is a map by its fields' names, as Python's `msgpack.packb` writes a dictionary, and the same fields give the
/// same bytes. Integers are as short as they can be, floating-point numbers 64 bits. Whole numbers are read where the model
/// has floating-point ones; map keys that are numbers as text; `bin` as bytes, or as a list of numbers where the model
/// has one.
///
/// # Limits
/// Integers have 64 bits. Extension types, timestamps among them, are refused with their number. Content is held to
/// [`Limits`](crate::Limits) in size, depth and number of values, and costs memory only for what is there.
#[derive(Debug, Clone, Copy)]
pub struct MessagePack;

#[diagnostic::do_not_recommend]
impl<M: Serialize + DeserializeOwned> Codec<M> for MessagePack {
    fn decode(format: &'static str, content: Content<'_>) -> Result<M, Error> {
        content.check_size(format)?;
        let value = binary::value(content, &mut Reader { bytes: &content, at: 0 });
        value.and_then(|value| value.read()).map_err(|error| error.about(format))
    }

    fn encode(format: &'static str, model: &M) -> Result<Bytes, Error> {
        let mut out = Vec::new();
        let written = Value::of(model).and_then(|value| write(&value, &mut out, DEEPEST));
        written.map_err(|error| error.about(format))?;
        Ok(out.into())
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize, what: &'static str) -> Result<&'a [u8], Error> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        match rest.get(..count) {
            Some(taken) => {
                self.at += count;
                Ok(taken)
            }
            None => Err(malformed(self.at)
                .expected(format!("{what} of {count} bytes"))
                .found(format!("the end of the content after {}", rest.len()))),
        }
    }

    /// A number or a length of so many bytes.
    fn unsigned(&mut self, size: usize) -> Result<u64, Error> {
        Ok(self.take(size, "a number")?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N, "a number")?);
        Ok(out)
    }

    /// Bytes behind their length, which has so many bytes itself.
    fn sized(&mut self, size: usize, what: &'static str) -> Result<&'a [u8], Error> {
        let length = self.unsigned(size)?;
        self.take(usize::try_from(length).unwrap_or(usize::MAX), what)
    }

    fn text(&self, bytes: &[u8]) -> Result<Value, Error> {
        std::str::from_utf8(bytes).map(Value::from).map_err(|error| {
            let valid = error.valid_up_to();
            let byte = bytes.get(valid).copied().unwrap_or_default();
            malformed(self.at - bytes.len() + valid).expected("UTF-8 in a string").found(format!("byte 0x{byte:02x}"))
        })
    }
}

impl Items for Reader<'_> {
    fn next(&mut self) -> Result<Item, Error> {
        let start = self.at;
        let Some(marker) = self.bytes.get(start) else {
            return Err(malformed(start).expected("a MessagePack value").found("the end of the content"));
        };
        self.at += 1;
        Ok(Item::Whole(match Marker::from_u8(*marker) {
            Marker::Null => Value::Null,
            Marker::True => true.into(),
            Marker::False => false.into(),
            Marker::FixPos(value) => Value::Int(value.into()),
            Marker::FixNeg(value) => Value::Int(value.into()),
            Marker::U8 => self.unsigned(1)?.into(),
            Marker::U16 => self.unsigned(2)?.into(),
            Marker::U32 => self.unsigned(4)?.into(),
            Marker::U64 => self.unsigned(8)?.into(),
            Marker::I8 => Value::Int(i8::from_be_bytes(self.array()?).into()),
            Marker::I16 => Value::Int(i16::from_be_bytes(self.array()?).into()),
            Marker::I32 => Value::Int(i32::from_be_bytes(self.array()?).into()),
            Marker::I64 => Value::Int(i64::from_be_bytes(self.array()?)),
            Marker::F32 => Value::Float(f32::from_be_bytes(self.array()?).into()),
            Marker::F64 => Value::Float(f64::from_be_bytes(self.array()?)),
            Marker::FixStr(length) => {
                let bytes = self.take(length.into(), "a string")?;
                self.text(bytes)?
            }
            string @ (Marker::Str8 | Marker::Str16 | Marker::Str32) => {
                let bytes = self.sized(width(string), "a string")?;
                self.text(bytes)?
            }
            binary @ (Marker::Bin8 | Marker::Bin16 | Marker::Bin32) => {
                Value::Bytes(Bytes::copy_from_slice(self.sized(width(binary), "bytes")?))
            }
            Marker::FixArray(count) => return Ok(Item::Array(Some(count.into()))),
            array @ (Marker::Array16 | Marker::Array32) => return Ok(Item::Array(Some(self.unsigned(width(array))?))),
            Marker::FixMap(count) => return Ok(Item::Map(Some(count.into()))),
            map @ (Marker::Map16 | Marker::Map32) => return Ok(Item::Map(Some(self.unsigned(width(map))?))),
            Marker::Reserved => return Err(malformed(start).expected("a MessagePack value").found("byte 0xc1")),
            extension => {
                self.unsigned(width(extension))?;
                let number = i8::from_be_bytes(self.array()?);
                let found = if number == -1 { "a timestamp".to_owned() } else { format!("extension type {number}") };
                let error = unsupported(start).expected("a value without an extension type").found(found);
                return Err(error.help("send times as text or as numbers"));
            }
        }))
    }

    fn at(&self) -> usize {
        self.at
    }
}

/// How many bytes the length has that follows this marker.
fn width(marker: Marker) -> usize {
    match marker {
        Marker::Str8 | Marker::Bin8 | Marker::Ext8 => 1,
        Marker::Str16 | Marker::Bin16 | Marker::Ext16 | Marker::Array16 | Marker::Map16 => 2,
        Marker::Str32 | Marker::Bin32 | Marker::Ext32 | Marker::Array32 | Marker::Map32 => 4,
        _ => 0,
    }
}

fn write(value: &Value, out: &mut Vec<u8>, levels: usize) -> Result<(), Error> {
    match value {
        Value::Null => encode::write_nil(out).map_err(lost),
        Value::Bool(value) => encode::write_bool(out, *value).map_err(lost),
        Value::Int(value) => encode::write_sint(out, *value).map(drop).map_err(lost),
        Value::BigInt(digits) => match digits.parse() {
            Ok(value) => encode::write_uint(out, value).map(drop).map_err(lost),
            Err(_) => Err(unencodable("an integer of at most 64 bits", excerpt(digits.as_bytes()))),
        },
        Value::Float(value) => encode::write_f64(out, *value).map_err(lost),
        Value::String(string) => write_text(string, out),
        Value::Bytes(bytes) => {
            count(bytes.len())?;
            encode::write_bin(out, bytes).map_err(lost)
        }
        Value::Array(values) => {
            encode::write_array_len(out, count(values.len())?).map_err(lost)?;
            let levels = below(levels)?;
            values.iter().try_for_each(|value| write(value, out, levels))
        }
        Value::Object(object) => {
            encode::write_map_len(out, count(object.len())?).map_err(lost)?;
            let levels = below(levels)?;
            object.iter().try_for_each(|(name, value)| {
                write_text(name, out)?;
                write(value, out, levels)
            })
        }
    }
}

fn write_text(string: &Text, out: &mut Vec<u8>) -> Result<(), Error> {
    let string = text(string)?;
    count(string.len())?;
    encode::write_str(out, string).map_err(lost)
}

fn count(length: usize) -> Result<u32, Error> {
    u32::try_from(length).map_err(|_| unencodable("at most 4294967295 bytes or values in one", length.to_string()))
}

/// What the writer says; it writes to memory and has nothing to say.
#[cold]
fn lost(error: impl Into<std::io::Error>) -> Error {
    unencodable("room to write", error.into().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn read(content: &[u8]) -> Result<Value, Error> {
        MessagePack::decode("any", content.into())
    }

    #[test]
    fn every_kind_of_value_is_read() {
        let cases: [(&[u8], Value); 27] = [
            (b"\xc0", Value::Null),
            (b"\xc2", false.into()),
            (b"\xc3", true.into()),
            (b"\x7f", 127.into()),
            (b"\xe0", (-32).into()),
            (b"\xcc\xff", 255.into()),
            (b"\xcd\x01\x00", 256.into()),
            (b"\xce\x00\x01\x00\x00", 65536.into()),
            (b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff", u64::MAX.into()),
            (b"\xd0\x80", (-128).into()),
            (b"\xd1\x80\x00", (-32768).into()),
            (b"\xd2\x80\x00\x00\x00", i32::MIN.into()),
            (b"\xd3\x80\x00\x00\x00\x00\x00\x00\x00", i64::MIN.into()),
            (b"\xca\x3f\x80\x00\x00", Value::Float(1.0)),
            (b"\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00", Value::Float(f64::INFINITY)),
            (b"\xa2\xc3\xa9", "é".into()),
            (b"\xd9\x01a", "a".into()),
            (b"\xda\x00\x01a", "a".into()),
            (b"\xdb\x00\x00\x00\x01a", "a".into()),
            (b"\xc4\x01\xff", Value::Bytes(Bytes::from_static(b"\xff"))),
            (b"\xc5\x00\x01\xff", Value::Bytes(Bytes::from_static(b"\xff"))),
            (b"\xc6\x00\x00\x00\x01\xff", Value::Bytes(Bytes::from_static(b"\xff"))),
            (b"\x92\x01\x90", vec![1.into(), Value::Array(Vec::new())].into()),
            (b"\xdc\x00\x01\x01", vec![1.into()].into()),
            (b"\xdd\x00\x00\x00\x01\x01", vec![1.into()].into()),
            (b"\x82\xa1a\x80\x05\x01", Value::object([("a", Value::object::<&str>([])), ("5", 1.into())])),
            (b"\xde\x00\x01\xa1a\x01", Value::object([("a", 1.into())])),
        ];
        for (content, expected) in cases {
            assert_eq!(read(content).unwrap(), expected, "{content:02x?}");
            let again = MessagePack::encode("any", &expected).unwrap();
            assert_eq!(read(&again).unwrap(), expected);
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (content, said) in [
            (&b""[..], "any: expected a MessagePack value, found the end of the content, at byte 0"),
            (b"\x92\x01", "any: expected 2 more values, as announced, found 1 more byte, at byte 0"),
            (
                b"\xdb\xff\xff\xff\xffa",
                "any: expected a string of 4294967295 bytes, found the end of the content after 1, at byte 5",
            ),
            (b"\xc1", "any: expected a MessagePack value, found byte 0xc1, at byte 0"),
            (b"\xa2a\xff", "any: expected UTF-8 in a string, found byte 0xff, at byte 2"),
            (b"\x81\xc0\x01", "any: expected text as the key of a map, found null, at byte 1"),
            (b"\x01\x02\x03", "any: expected the end of the content, found 2 more bytes, at byte 1"),
            (
                b"\xd6\xff\0\0\0\0",
                "any: expected a value without an extension type, found a timestamp, at byte 0; send times as text or as numbers",
            ),
            (
                b"\xc7\x01\x05\0",
                "any: expected a value without an extension type, found extension type 5, at byte 0; send times as text or as numbers",
            ),
        ] {
            assert_eq!(read(content).unwrap_err().to_string(), said);
        }
    }

    #[test]
    fn what_is_only_announced_costs_nothing_and_depth_is_bounded() {
        // Arrays and maps of four thousand million elements, one in the other.
        for marker in [b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff"] {
            assert_eq!(read(&marker.repeat(100)).unwrap_err().kind(), ErrorKind::Malformed);
        }
        assert_eq!(read(&b"\x91".repeat(100_000)).unwrap_err().kind(), ErrorKind::Limit);
        let deep = (0..1001).fold(Value::Null, |value, _| vec![value].into());
        assert_eq!(MessagePack::encode("any", &deep).unwrap_err().kind(), ErrorKind::Unencodable);
    }
}
