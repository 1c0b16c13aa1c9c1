use bytes::Bytes;
use minicbor::data::{IanaTag, Tag, Type};
use minicbor::{Decoder, Encoder};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Codec;
use super::binary::{self, DEEPEST, Item, Items, below, malformed, over, text, unencodable, unsupported};
use crate::{Content, Error, Value, excerpt};

/// [CBOR (RFC 8949)](https://www.rfc-editor.org/rfc/rfc8949) of the model's fields; feature `cbor`.
///
/// For the same as [`MessagePack`](super::MessagePack), where a standard of the IETF is asked for, or integers beyond 64
/// bits are sent.
///
/// ```
/// use hop_core::{HopModel, MessageModel};
/// use hop_core::codec::Cbor;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize, HopModel)]
/// #[hop(format = "cbor-donut", codec = Cbor)]
/// struct Donut {
///     flavor: String,
///     holes: u8,
/// }
///
/// let donut = Donut { flavor: "maple".into(), holes: 1 };
/// assert_eq!(donut.encode()?, &b"\xa2\x66flavor\x65maple\x65holes\x01"[..]);
/// assert_eq!(Donut::decode((&donut.encode()?).into())?, donut);
/// # Ok::<(), hop_core::Error>(())
/// ```
///
/// A struct is a map by its fields' names, as Python's `cbor2.dumps` writes a dictionary, and the same fields give the same
/// bytes. Integers are as short as they can be, floating-point numbers 64 bits, but for infinities and NaN. Halves and singles are read too, and what
/// has no announced length; whole numbers where the model has floating-point ones; map keys that are numbers as text; byte
/// strings as bytes, or as a list of numbers where the model has one.
///
/// # Limits
/// Integers have 128 bits. Other tags are read past: a date under tag 0 is the text it is, a decimal fraction under tag 4 the
/// array of its exponent and its mantissa. `undefined` is null; other simple values are refused. Content is held to
/// [`Limits`](crate::Limits) in size, depth and number of values, and costs memory only for what is there.
#[derive(Debug, Clone, Copy)]
pub struct Cbor;

#[diagnostic::do_not_recommend]
impl<M: Serialize + DeserializeOwned> Codec<M> for Cbor {
    fn decode(format: &'static str, content: Content<'_>) -> Result<M, Error> {
        content.check_size(format)?;
        let value = binary::value(content, &mut Reader(Decoder::new(&content)));
        value.and_then(|value| value.read()).map_err(|error| error.about(format))
    }

    fn encode(format: &'static str, model: &M) -> Result<Bytes, Error> {
        let mut out = Encoder::new(Vec::new());
        let written = Value::of(model).and_then(|value| write(&value, &mut out, DEEPEST));
        written.map_err(|error| error.about(format))?;
        Ok(out.into_writer().into())
    }
}

/// The most tags that stand before one value; programs write one or two.
const MOST_TAGS: usize = 1_000;

struct Reader<'a>(Decoder<'a>);

impl Items for Reader<'_> {
    fn next(&mut self) -> Result<Item, Error> {
        let start = self.0.position();
        match self.item(start) {
            Ok(item) => item,
            Err(_) if start >= self.0.input().len() => {
                Err(malformed(start).expected("a CBOR value").found("the end of the content"))
            }
            Err(error) => {
                let found = if error.is_end_of_input() {
                    "the end of the content".to_owned()
                } else {
                    excerpt(self.0.input().get(start..).unwrap_or_default())
                };
                Err(malformed(start).expected("a whole CBOR value").found(found).source(error))
            }
        }
    }

    fn at(&self) -> usize {
        self.0.position()
    }
}

impl Reader<'_> {
    /// The next item; outside the error of the decoder, inside one of ours.
    fn item(&mut self, start: usize) -> Result<Result<Item, Error>, minicbor::decode::Error> {
        let decoder = &mut self.0;
        let mut tags = 0;
        while decoder.datatype()? == Type::Tag {
            tags += 1;
            if tags > MOST_TAGS {
                return Ok(Err(over(start, format!("at most {MOST_TAGS} tags before a value"))));
            }
            match decoder.tag()? {
                tag if tag == IanaTag::PosBignum.tag() || tag == IanaTag::NegBignum.tag() => {
                    return Ok(bignum(tag, bytes(decoder)?, start).map(Item::Whole));
                }
                _ => {}
            }
        }
        Ok(Ok(Item::Whole(match decoder.datatype()? {
            Type::Bool => decoder.bool()?.into(),
            Type::Null => {
                decoder.null()?;
                Value::Null
            }
            Type::Undefined => {
                decoder.undefined()?;
                Value::Null
            }
            Type::U8 | Type::U16 | Type::U32 | Type::U64 => decoder.u64()?.into(),
            Type::I8 | Type::I16 | Type::I32 | Type::I64 | Type::Int => i128::from(decoder.int()?).into(),
            Type::F16 | Type::F32 | Type::F64 => Value::Float(decoder.f64()?),
            Type::Bytes | Type::BytesIndef => Value::Bytes(bytes(decoder)?.into()),
            Type::String => decoder.str()?.into(),
            Type::StringIndef => decoder.str_iter()?.collect::<Result<String, _>>()?.into(),
            Type::Array | Type::ArrayIndef => return Ok(Ok(Item::Array(decoder.array()?))),
            Type::Map | Type::MapIndef => return Ok(Ok(Item::Map(decoder.map()?))),
            Type::Break => {
                decoder.set_position(decoder.position() + 1);
                return Ok(Ok(Item::Break));
            }
            Type::Simple => {
                let found = format!("simple value {}", decoder.simple()?);
                return Ok(Err(unsupported(start).expected("a value that JSON has, or bytes").found(found)));
            }
            Type::Tag | Type::Unknown(_) => return Err(minicbor::decode::Error::message("no value")),
        })))
    }
}

fn bytes(decoder: &mut Decoder<'_>) -> Result<Vec<u8>, minicbor::decode::Error> {
    let mut out = Vec::new();
    for part in decoder.bytes_iter()? {
        out.extend_from_slice(part?);
    }
    Ok(out)
}

/// The integer in these bytes, the most significant first; under tag 3 it is minus one minus that.
fn bignum(tag: Tag, bytes: Vec<u8>, start: usize) -> Result<Value, Error> {
    let mut number = 0_u128;
    for byte in &bytes {
        let shifted = number.checked_mul(256).ok_or_else(|| {
            unsupported(start).expected("an integer of at most 128 bits").found(format!("one of {} bytes", bytes.len()))
        })?;
        number = shifted + u128::from(*byte);
    }
    if tag == IanaTag::PosBignum.tag() {
        return Ok(number.into());
    }
    match i128::try_from(number) {
        Ok(number) => Ok((-1 - number).into()),
        Err(_) => Err(unsupported(start).expected("an integer of at most 128 bits").found("a longer one")),
    }
}

type Out = Encoder<Vec<u8>>;

fn write(value: &Value, out: &mut Out, levels: usize) -> Result<(), Error> {
    match value {
        Value::Null => put(out.null()),
        Value::Bool(value) => put(out.bool(*value)),
        Value::Int(value) => put(out.i64(*value)),
        Value::BigInt(digits) => match (digits.parse(), digits.parse::<i128>()) {
            (Ok(value), _) => put(out.u64(value)),
            // Down to -2⁶⁴ there is a number without a tag.
            (_, Ok(value)) => match minicbor::data::Int::try_from(value) {
                Ok(value) => put(out.int(value)),
                Err(_) if value < 0 => big(IanaTag::NegBignum, (-1 - value).unsigned_abs(), out),
                Err(_) => big(IanaTag::PosBignum, value.unsigned_abs(), out),
            },
            _ => match digits.parse() {
                Ok(value) => big(IanaTag::PosBignum, value, out),
                Err(_) => Err(unencodable("an integer of at most 128 bits", excerpt(digits.as_bytes()))),
            },
        },
        // As cbor2 writes them: what is no number takes two bytes.
        Value::Float(value) if !value.is_finite() => put(out.f16(*value as f32)),
        Value::Float(value) => put(out.f64(*value)),
        Value::String(string) => put(out.str(text(string)?)),
        Value::Bytes(bytes) => put(out.bytes(bytes)),
        Value::Array(values) => {
            put(out.array(values.len() as u64))?;
            let levels = below(levels)?;
            values.iter().try_for_each(|value| write(value, out, levels))
        }
        Value::Object(object) => {
            put(out.map(object.len() as u64))?;
            let levels = below(levels)?;
            object.iter().try_for_each(|(name, value)| {
                put(out.str(text(name)?))?;
                write(value, out, levels)
            })
        }
    }
}

fn big(tag: IanaTag, number: u128, out: &mut Out) -> Result<(), Error> {
    let bytes = number.to_be_bytes();
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    put(out.tag(tag))?;
    put(out.bytes(bytes.get(zeros..).unwrap_or_default()))
}

/// What the encoder says; it writes to memory and cannot fail.
fn put(written: Result<&mut Out, minicbor::encode::Error<std::convert::Infallible>>) -> Result<(), Error> {
    written.map(drop).map_err(|error| unencodable("room to write", error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn read(content: &[u8]) -> Result<Value, Error> {
        Cbor::decode("any", content.into())
    }

    #[test]
    fn every_kind_of_value_is_read() {
        let cases: [(&[u8], Value); 30] = [
            (b"\xf6", Value::Null),
            (b"\xf7", Value::Null),
            (b"\xf4", false.into()),
            (b"\xf5", true.into()),
            (b"\x17", 23.into()),
            (b"\x18\xff", 255.into()),
            (b"\x19\x01\x00", 256.into()),
            (b"\x1a\x00\x01\x00\x00", 65536.into()),
            (b"\x1b\xff\xff\xff\xff\xff\xff\xff\xff", u64::MAX.into()),
            (b"\x20", (-1).into()),
            (b"\x38\xff", (-256).into()),
            (b"\x3b\xff\xff\xff\xff\xff\xff\xff\xff", (-(1_i128 << 64)).into()),
            (b"\xc2\x49\x01\x00\x00\x00\x00\x00\x00\x00\x00", (1_i128 << 64).into()),
            (b"\xc3\x49\x01\x00\x00\x00\x00\x00\x00\x00\x00", (-1 - (1_i128 << 64)).into()),
            (b"\xc2\x50\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", u128::MAX.into()),
            (b"\xf9\x3c\x00", Value::Float(1.0)),
            (b"\xf9\x7e\x00", Value::Float(f64::NAN)),
            (b"\xfa\x3f\x80\x00\x00", Value::Float(1.0)),
            (b"\xfb\x7f\xf0\x00\x00\x00\x00\x00\x00", Value::Float(f64::INFINITY)),
            (b"\x62\xc3\xa9", "é".into()),
            (b"\x7f\x61a\x61b\xff", "ab".into()),
            (b"\x41\xff", Value::Bytes(Bytes::from_static(b"\xff"))),
            (b"\x5f\x41\x01\x41\x02\xff", Value::Bytes(Bytes::from_static(b"\x01\x02"))),
            (b"\x82\x01\x80", vec![1.into(), Value::Array(Vec::new())].into()),
            (b"\x9f\x01\x9f\xff\xff", vec![1.into(), Value::Array(Vec::new())].into()),
            (b"\xa2\x61a\xa0\x05\x01", Value::object([("a", Value::object::<&str>([])), ("5", 1.into())])),
            (b"\xbf\x61a\x01\xff", Value::object([("a", 1.into())])),
            (b"\xc0\x6a2026-11-22", "2026-11-22".into()),
            (b"\xc4\x82\x21\x19\x6a\xb3", vec![(-2).into(), 27315.into()].into()),
            (b"\xd9\xd9\xf7\xc1\x1a\x51\x4b\x67\xb0", 1_363_896_240.into()),
        ];
        for (content, expected) in cases {
            assert_eq!(read(content).unwrap(), expected, "{content:02x?}");
            let again = Cbor::encode("any", &expected).unwrap();
            assert_eq!(read(&again).unwrap(), expected);
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (content, said) in [
            (&b""[..], "any: expected a CBOR value, found the end of the content, at byte 0"),
            (b"\x82\x01", "any: expected 2 more values, as announced, found 1 more byte, at byte 0"),
            (b"\x9f\x01", "any: expected a CBOR value, found the end of the content, at byte 2"),
            (
                b"\x7b\xff\xff\xff\xff\xff\xff\xff\xffa",
                "any: expected a whole CBOR value, found the end of the content, at byte 0",
            ),
            (b"\x1c", r"any: expected a whole CBOR value, found `\x1c`, at byte 0"),
            (b"\x62a\xff", r"any: expected a whole CBOR value, found `ba\xff`, at byte 0"),
            (b"\xff", "any: expected a value, found a break, at byte 0"),
            (b"\x81\xff", "any: expected a value, found a break, at byte 1"),
            (b"\xbf\x61a\xff", "any: expected a value, found a break, at byte 3"),
            (b"\xa1\xf6\x01", "any: expected text as the key of a map, found null, at byte 1"),
            (b"\x01\x02", "any: expected the end of the content, found 1 more byte, at byte 1"),
            (b"\xe0", "any: expected a value that JSON has, or bytes, found simple value 0, at byte 0"),
            (
                b"\xc2\x51\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
                "any: expected an integer of at most 128 bits, found one of 17 bytes, at byte 0",
            ),
        ] {
            assert_eq!(read(content).unwrap_err().to_string(), said);
        }
    }

    #[test]
    fn what_is_only_announced_costs_nothing_and_depth_is_bounded() {
        // Arrays and maps of 2⁶⁴-1 elements, one in the other.
        for initial in [0x9b, 0xbb] {
            let start = [&[initial][..], &[0xff; 8]].concat();
            assert_eq!(read(&start.repeat(100)).unwrap_err().kind(), ErrorKind::Malformed);
        }
        for nested in [0x81, 0x9f] {
            assert_eq!(read(&[nested; 100_000]).unwrap_err().kind(), ErrorKind::Limit);
        }
        assert_eq!(read(&[0xc1; 1_000]).unwrap_err().kind(), ErrorKind::Malformed);
        assert_eq!(read(&[0xc1; 100_000]).unwrap_err().kind(), ErrorKind::Limit);
        let deep = (0..1001).fold(Value::Null, |value, _| vec![value].into());
        assert_eq!(Cbor::encode("any", &deep).unwrap_err().kind(), ErrorKind::Unencodable);
    }
}
