//! Content to [`Value`], without recursion.

use std::cell::Cell;

use crate::error::{ErrorKind, Location, excerpt};
use crate::{Content, Error, Limits, Object, Text, Value};

const SUBJECT: &str = "json";
const BYTE_ORDER_MARK: &str = "\u{FEFF}";
/// Nesting beyond this is refused whatever the limits say: values this deep are dropped and shown by recursion.
pub(super) const DEEPEST: usize = 1000;
/// So many digits fit into 63 bits.
const MOST_DIGITS: usize = 18;
/// Integers up to here are doubles too.
const EXACT: u64 = 1 << 53;
/// Doubles all.
const POWERS_OF_TEN: [f64; MOST_DIGITS] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17];

pub(super) fn parse(content: Content<'_>) -> Result<Value, Error> {
    content.check_size(SUBJECT)?;
    let text = content.as_str(SUBJECT)?;
    let start = if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    let stacks = STACKS.try_with(Cell::take).unwrap_or_default();
    let (bytes, limits) = (text.as_bytes(), content.limits());
    let mut parser = Parser { text, bytes, limits, nodes: 0, top: Open::Nothing, stacks };
    let value = parser.whole(start);
    let mut stacks = parser.stacks;
    if stacks.are_small() {
        stacks.clear();
        // A thread that ends keeps nothing.
        let _kept = STACKS.try_with(|kept| kept.set(stacks));
    }
    value
}

thread_local! {
    /// The stacks of the parser before, empty: a small message then needs no allocation but those of its value.
    static STACKS: Cell<Stacks> = const { Cell::new(Stacks::new()) };
}

#[derive(Default)]
struct Stacks {
    /// The containers around the innermost that is open.
    open: Vec<Open>,
    /// The elements so far of all arrays that are open. A container that closes takes what is its own off the end, so that
    /// it is allocated once.
    values: Vec<Value>,
    /// The entries so far of all objects that are open; the value of an object's last one comes next.
    entries: Vec<(Text, Value)>,
}

impl Stacks {
    const fn new() -> Self {
        Self { open: Vec::new(), values: Vec::new(), entries: Vec::new() }
    }

    fn are_small(&self) -> bool {
        const SMALL: usize = 256;
        self.open.capacity().max(self.values.capacity()).max(self.entries.capacity()) <= SMALL
    }

    fn clear(&mut self) {
        self.open.clear();
        self.values.clear();
        self.entries.clear();
    }
}

/// Its methods are told where to read, and say where what they read ends.
struct Parser<'a> {
    text: &'a str,
    bytes: &'a [u8],
    limits: &'a Limits,
    nodes: usize,
    /// The innermost container that is open.
    top: Open,
    stacks: Stacks,
}

/// A container that is still open, and where its own elements or entries start.
#[derive(Clone, Copy)]
enum Open {
    Nothing,
    Array(usize),
    Object(usize),
}

/// What stands from `start` on, in an allocation of its size. All of a large one is handed over as it is: a copy would
/// double the memory that it takes.
fn taken<T>(all: &mut Vec<T>, start: usize) -> Vec<T> {
    const LARGE: usize = 1024;
    if start == 0 && all.len() >= LARGE { std::mem::take(all) } else { all.split_off(start) }
}

impl Parser<'_> {
    /// The value that the content is.
    fn whole(&mut self, mut at: usize) -> Result<Value, Error> {
        let deepest = self.limits.depth.min(DEEPEST);
        loop {
            // A value starts here, behind its name where an object is open.
            if let Open::Object(_) = self.top {
                at = self.name(at)?;
            }
            if self.stacks.open.len() > deepest {
                return Err(self.limit(at, format!("at most {deepest} levels of nesting"), "depth"));
            }
            at = self.skip_white_space(at);
            match self.byte(at) {
                b'{' => {
                    at = self.skip_white_space(at + 1);
                    if self.byte(at) != b'}' {
                        self.stacks.open.push(self.top);
                        self.top = Open::Object(self.stacks.entries.len());
                        continue;
                    }
                    at += 1;
                    self.put(|| Value::Object(Object::new()));
                }
                b'[' => {
                    at = self.skip_white_space(at + 1);
                    if self.byte(at) != b']' {
                        self.stacks.open.push(self.top);
                        self.top = Open::Array(self.stacks.values.len());
                        continue;
                    }
                    at += 1;
                    self.put(|| Value::Array(Vec::new()));
                }
                first => at = self.scalar(at, first)?,
            }
            // The value was put where it belongs; containers that end with it are values in turn.
            loop {
                if let Open::Nothing = self.top {
                    let value = self.stacks.values.pop().unwrap_or_default();
                    return self.last(at, value);
                }
                self.count(at)?;
                at = self.skip_white_space(at);
                let container = match (self.top, self.byte(at)) {
                    (_, b',') => {
                        at += 1;
                        break;
                    }
                    (Open::Object(start), b'}') => Value::Object(taken(&mut self.stacks.entries, start).into()),
                    (Open::Array(start), b']') => Value::Array(taken(&mut self.stacks.values, start)),
                    (Open::Object(_), _) => return Err(self.error(at, "`,` or `}`")),
                    _ => return Err(self.error(at, "`,` or `]`")),
                };
                at += 1;
                self.top = self.stacks.open.pop().unwrap_or(Open::Nothing);
                if let Open::Nothing = self.top {
                    return self.last(at, container);
                }
                self.put(|| container);
            }
        }
    }

    /// The value of the whole content, behind which there is no other.
    #[inline(always)]
    fn last(&mut self, at: usize, value: Value) -> Result<Value, Error> {
        self.count(at)?;
        let end = self.skip_white_space(at);
        if end < self.bytes.len() {
            return Err(self.error(end, "the end of the content"));
        }
        Ok(value)
    }

    /// Puts a value into its place: after the last name of an object, or at the end of an array.
    #[inline(always)]
    fn put(&mut self, value: impl FnOnce() -> Value) {
        match self.stacks.entries.last_mut() {
            Some((_, last)) if matches!(self.top, Open::Object(_)) => {
                std::mem::forget(std::mem::replace(last, value()))
            }
            _ => self.stacks.values.extend(std::iter::once_with(value)),
        }
    }

    #[inline(always)]
    fn put_text(&mut self, text: impl FnOnce() -> Text, is_name: bool) {
        if is_name {
            self.stacks.entries.extend(std::iter::once_with(|| (text(), Value::Null)));
        } else {
            self.put(|| Value::String(text()));
        }
    }

    /// Counts a value or a name.
    #[inline(always)]
    fn count(&mut self, at: usize) -> Result<(), Error> {
        self.nodes += 1;
        if self.nodes <= self.limits.nodes {
            return Ok(());
        }
        Err(self.limit(at, format!("at most {} values and names", self.limits.nodes), "nodes"))
    }

    /// The byte that stands there; zero, which is nothing in JSON, after the end.
    #[inline(always)]
    fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    #[inline(always)]
    fn skip_white_space(&self, mut at: usize) -> usize {
        while let b' ' | b'\n' | b'\r' | b'\t' = self.byte(at) {
            at += 1;
        }
        at
    }

    /// Adds an entry of the name that is here, as far as the colon.
    #[inline(always)]
    fn name(&mut self, at: usize) -> Result<usize, Error> {
        let at = self.skip_white_space(at);
        if self.byte(at) != b'"' {
            return Err(self.error(at, "a name in double quotes"));
        }
        self.count(at)?;
        let at = self.string(at, true)?;
        let at = self.skip_white_space(at);
        if self.byte(at) != b':' {
            return Err(self.error(at, "`:` after the name"));
        }
        Ok(at + 1)
    }

    /// A value that is no container, which starts with the byte `first`.
    #[inline(always)]
    fn scalar(&mut self, at: usize, first: u8) -> Result<usize, Error> {
        match first {
            b'"' => self.string(at, false),
            b'0'..=b'9' => self.number(at, first),
            b'-' if self.byte(at + 1) != b'I' => self.number(at, first),
            b'n' => self.word(at, "null", || Value::Null),
            b't' => self.word(at, "true", || Value::Bool(true)),
            b'f' => self.word(at, "false", || Value::Bool(false)),
            b'N' => self.word(at, "NaN", || Value::Float(f64::NAN)),
            b'I' => self.word(at, "Infinity", || Value::Float(f64::INFINITY)),
            _ => self.word(at, "-Infinity", || Value::Float(f64::NEG_INFINITY)),
        }
    }

    #[inline(always)]
    fn word(&mut self, at: usize, word: &str, value: impl FnOnce() -> Value) -> Result<usize, Error> {
        if self.bytes[at..].starts_with(word.as_bytes()) {
            self.put(value);
            return Ok(at + word.len());
        }
        Err(self.error(at, "a value"))
    }

    #[inline(always)]
    fn number(&mut self, start: usize, first: u8) -> Result<usize, Error> {
        let negative = first == b'-';
        // All digits as one number; of use only where there are few enough to fit.
        let mut digits = 0_u64;
        let mut at = start + usize::from(negative);
        at = match self.byte(at) {
            b'0' => at + 1,
            _ => self.digits(at, &mut digits)?,
        };
        let mut decimals = None;
        if self.byte(at) == b'.' {
            let point = at + 1;
            at = self.digits(point, &mut digits)?;
            decimals = Some(at - point);
        }
        let fits = at - start <= MOST_DIGITS && !matches!(self.byte(at), b'e' | b'E');
        match decimals.map(|decimals| POWERS_OF_TEN.get(decimals)) {
            // Python tells -0 from 0 only as a float; as an integer it is 0 there and here.
            None if fits => self.put(|| Value::Int(if negative { -(digits as i64) } else { digits as i64 })),
            // Both numbers are doubles as they stand, so their quotient is rounded once, as it should be.
            Some(Some(power)) if fits && digits <= EXACT => {
                let value = digits as f64 / power;
                self.put(|| Value::Float(if negative { -value } else { value }));
            }
            _ => return self.long_number(start, at, decimals.is_none()),
        }
        Ok(at)
    }

    /// The number that starts at `start`, whose digits and decimals end at `at`.
    #[cold]
    fn long_number(&mut self, start: usize, mut at: usize, whole: bool) -> Result<usize, Error> {
        let exponent = matches!(self.byte(at), b'e' | b'E');
        if exponent {
            at += 1 + usize::from(matches!(self.byte(at + 1), b'+' | b'-'));
            at = self.digits(at, &mut 0)?;
        }
        let text = &self.text[start..at];
        let value = if whole && !exponent {
            text.parse().map_or_else(|_| Value::BigInt(text.into()), Value::Int)
        } else {
            Value::Float(text.parse().map_err(|_| self.error(start, "a number"))?)
        };
        self.put(|| value);
        Ok(at)
    }

    /// One digit or more, put behind those in `so_far`.
    #[inline(always)]
    fn digits(&mut self, start: usize, so_far: &mut u64) -> Result<usize, Error> {
        let mut at = start;
        while let digit @ b'0'..=b'9' = self.byte(at) {
            *so_far = so_far.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            at += 1;
        }
        if at == start { Err(self.error(at, "a digit")) } else { Ok(at) }
    }

    /// The string whose opening quote is here; `put` is given its text.
    #[inline(always)]
    fn string(&mut self, quote: usize, is_name: bool) -> Result<usize, Error> {
        let start = quote + 1;
        let end = plain_end(self.bytes, start);
        if self.byte(end) == b'"' {
            match self.bytes.get(start..).and_then(|rest| rest.first_chunk()) {
                Some(bytes) if end - start <= 22 => self.put_text(|| Text::short(bytes, end - start), is_name),
                _ => {
                    let text = self.long_text(start, end);
                    self.put_text(|| text, is_name)
                }
            }
            return Ok(end + 1);
        }
        let (text, end) = self.string_with_escapes(start, end)?;
        self.put_text(|| text, is_name);
        Ok(end)
    }

    #[inline(never)]
    fn long_text(&self, start: usize, end: usize) -> Text {
        self.text[start..end].into()
    }

    /// The string that starts at `start` and is plain up to `at`.
    #[cold]
    fn string_with_escapes(&self, start: usize, mut at: usize) -> Result<(Text, usize), Error> {
        let mut bytes = self.bytes[start..at].to_vec();
        loop {
            at = match self.bytes.get(at) {
                Some(b'"') => return Ok((Text::from_wtf8(bytes), at + 1)),
                Some(b'\\') => self.escape(at + 1, &mut bytes)?,
                Some(_) => return Err(self.error(at, "an escape for a control character")),
                // The quote that opens it.
                None => return Err(self.error(start - 1, "a string with a closing quote")),
            };
            let end = plain_end(self.bytes, at);
            bytes.extend_from_slice(&self.bytes[at..end]);
            at = end;
        }
    }

    /// The escape whose backslash has just been read.
    fn escape(&self, at: usize, out: &mut Vec<u8>) -> Result<usize, Error> {
        out.push(match self.byte(at) {
            plain @ (b'"' | b'\\' | b'/') => plain,
            b'b' => 0x08,
            b'f' => 0x0C,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => return self.unicode_escape(at + 1, out),
            _ => return Err(self.error(at, r#"one of `"\/bfnrtu` after a backslash"#)),
        });
        Ok(at + 1)
    }

    fn unicode_escape(&self, at: usize, out: &mut Vec<u8>) -> Result<usize, Error> {
        let mut unit = self.four_hex_digits(at)?;
        let mut end = at + 4;
        if (0xD800..0xDC00).contains(&unit) && self.bytes[end..].starts_with(br"\u") {
            let second = self.four_hex_digits(end + 2)?;
            // Where it is not the other half, the second escape stands for itself.
            if (0xDC00..0xE000).contains(&second) {
                unit = 0x10000 + ((unit - 0xD800) << 10) + (second - 0xDC00);
                end += 6;
            }
        }
        match char::from_u32(unit) {
            Some(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            // A lone surrogate, in the three bytes that UTF-8 would have for it.
            None => out.extend_from_slice(&[
                0xE0 | (unit >> 12) as u8,
                0x80 | ((unit >> 6) & 0x3F) as u8,
                0x80 | (unit & 0x3F) as u8,
            ]),
        }
        Ok(end)
    }

    fn four_hex_digits(&self, at: usize) -> Result<u32, Error> {
        let digits = self.bytes.get(at..at + 4).unwrap_or_default();
        let unit = digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?));
        match unit {
            Some(unit) if !digits.is_empty() => Ok(unit),
            _ => Err(self.error(at, "four hexadecimal digits")),
        }
    }

    #[cold]
    fn error(&self, at: usize, expected: &'static str) -> Error {
        let found = match self.text.get(at..).and_then(|rest| rest.chars().next()) {
            None => "the end of the content".to_owned(),
            Some(_) => {
                let rest = &self.bytes[at..];
                excerpt(&rest[..rest.len().min(16)])
            }
        };
        Error::new(ErrorKind::Malformed, SUBJECT).expected(expected).found(found).at(Location::in_text(self.bytes, at))
    }

    #[cold]
    fn limit(&self, at: usize, expected: String, name: &str) -> Error {
        Error::new(ErrorKind::Limit, SUBJECT)
            .expected(expected)
            .found("more")
            .at(Location::in_text(self.bytes, at))
            .help(format!("`Limits::{name}` sets the bound"))
    }
}

/// The place, from `start` on, of the first quote, backslash or control character; the end where there is none.
#[inline(always)]
fn plain_end(bytes: &[u8], start: usize) -> usize {
    // Most strings end within a few words.
    let mut at = start;
    for _ in 0..3 {
        let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk()) else { break };
        let found = special_bytes(u64::from_le_bytes(*word));
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    at + plain_length(&bytes[at..])
}

/// How many bytes stand before the first quote, backslash or control character.
fn plain_length(bytes: &[u8]) -> usize {
    // Blocks, for which the compiler has larger registers, up to the one with the end in it.
    const BLOCK: usize = 64;
    let special = |byte: u8| (byte < 0x20) | (byte == b'"') | (byte == b'\\');
    let (blocks, _) = bytes.as_chunks::<BLOCK>();
    let plain = |block: &&[u8; BLOCK]| !block.iter().fold(false, |any, byte| any | special(*byte));
    let mut at = BLOCK * blocks.iter().take_while(plain).count();
    while let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        let found = special_bytes(u64::from_le_bytes(*word));
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let rest = &bytes[at..];
    at + rest.iter().position(|byte| special(*byte)).unwrap_or(rest.len())
}

/// The highest bit of the first byte that is a quote, a backslash or a control character; bits above it mean nothing.
#[inline(always)]
fn special_bytes(word: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    // Where a byte is less than what is subtracted from it, it borrows, from the bytes above it at worst.
    let control = word.wrapping_sub(EACH * 0x20);
    let quote = (word ^ (EACH * u64::from(b'"'))).wrapping_sub(EACH);
    let backslash = (word ^ (EACH * u64::from(b'\\'))).wrapping_sub(EACH);
    // Bytes beyond ASCII have the highest bit before.
    (control | quote | backslash) & !word & (EACH << 7)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Value {
        parse(text.into()).unwrap()
    }

    fn fails(text: &str) -> String {
        parse(text.into()).unwrap_err().to_string()
    }

    #[test]
    fn what_python_writes_beyond_the_standard_is_read_and_written_back() {
        for text in [
            "NaN",
            "[Infinity, -Infinity]",
            "123456789012345678901234567890",
            "-9223372036854775809",
            r#""\ud83d""#,
            r#""\udc00\ud800""#,
            r#"{"\udfff": 1}"#,
            r#""\ud83d\ude00""#,
            "1e-07",
            "1e+16",
            "1.0",
            "-0.0",
            "5e-324",
            "123456789.125",
        ] {
            let written = crate::json::write(&read(text)).unwrap();
            assert_eq!(String::from_utf8(written).unwrap(), text);
        }
    }

    #[test]
    fn what_the_standard_refuses_is_refused() {
        for text in [
            "",
            " ",
            "[1,]",
            "{\"a\":1,}",
            "{a:1}",
            "'a'",
            "01",
            "1.",
            ".5",
            "+1",
            "1e",
            "-",
            "nul",
            "\"\t\"",
            "\"\\x\"",
            "\"\\u12\"",
            "[1 2]",
            "1 2",
            "[",
            "{\"a\"",
            "{\"a\":",
            "\"abc",
            "// c\n1",
            "--1",
            "-Inf",
            "[}",
            "{]",
        ] {
            assert!(parse(text.into()).is_err(), "{text}");
        }
    }

    #[test]
    fn an_error_says_what_where_and_why() {
        assert_eq!(
            fails("{\"a\": 1,\n \"b\" 2}"),
            "json: expected `:` after the name, found `2}`, at line 2, column 6 (byte 14)"
        );
        assert_eq!(
            fails("[1"),
            "json: expected `,` or `]`, found the end of the content, at line 1, column 3 (byte 2)"
        );
    }

    #[test]
    fn depth_and_count_are_bounded() {
        let deep = "[".repeat(100_000);
        assert_eq!(parse(deep.as_str().into()).unwrap_err().kind(), ErrorKind::Limit);
        let limits = Limits { nodes: 3, depth: 2, ..Limits::default() };
        assert!(parse(Content::from("[1,2]").with_limits(&limits)).is_ok());
        // A name takes as much room as a value.
        assert!(parse(Content::from(r#"{"a":1}"#).with_limits(&limits)).is_ok());
        assert_eq!(parse(Content::from(r#"[{"a":1}]"#).with_limits(&limits)).unwrap_err().kind(), ErrorKind::Limit);
        assert_eq!(parse(Content::from("[1,2,3]").with_limits(&limits)).unwrap_err().kind(), ErrorKind::Limit);
        assert!(parse(Content::from("[[1]]").with_limits(&limits)).is_ok());
        assert_eq!(parse(Content::from("[[[1]]]").with_limits(&limits)).unwrap_err().kind(), ErrorKind::Limit);
    }

    #[test]
    fn a_byte_order_mark_is_skipped() {
        assert_eq!(read("\u{FEFF}[1]"), Value::Array(vec![1.into()]));
    }

    #[test]
    fn strict_readers_agree_where_they_read() {
        for text in [
            r#"{"a": [1, 2.5, "x\n\u00e9", null, true, {"b": {}}], "c": []}"#,
            "\"\\ud83d\\ude00\"",
            "1.7976931348623157e308",
        ] {
            let strict: serde_json::Value = serde_json::from_str(text).unwrap();
            assert_eq!(read(text).read::<serde_json::Value>().unwrap(), strict);
        }
    }
    #[test]
    fn strings_end_where_they_end() {
        let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
        for length in 0..200 {
            let plain: Vec<u8> =
                (0..length).map(|at| [b' ', b'!', b'#', b'[', b']', 0x7F, 0x80, 0xA2, 0xFF][at % 9]).collect();
            assert_eq!((plain_length(&plain), plain_end(&plain, 0)), (length, length));
            for end in [b'"', b'\\', 0, b'\n', 0x1F] {
                for after in [&[][..], b"\"", b"!\x01#", &[b'z'; 90]] {
                    let bytes = [&plain, &[end][..], after].concat();
                    let expected = bytes.iter().position(special);
                    assert_eq!((Some(plain_length(&bytes)), Some(plain_end(&bytes, 0))), (expected, expected));
                }
            }
        }
    }

    #[test]
    fn numbers_are_those_of_the_standard_library() {
        let integers = ["0", "7", "-0", "999999999999999999", "1000000000000000000", "9223372036854775807"];
        for text in integers.into_iter().chain(["-9223372036854775808", "-999999999999999999", "-99999999999999999"]) {
            assert_eq!(read(text), Value::Int(text.parse().unwrap()), "{text}");
        }
        let mut floats: Vec<String> = [
            "-0.0",
            "0.1",
            "0.3",
            "9007199254740992.0",
            "9007199254740993.0",
            "900719925474099.3",
            "90071992547409.93",
            "0.0000000000000001",
            "0.00000000000000001",
            "99999999999999999.9",
            "123.456e-7",
            "1e22",
            "1e23",
            "1E400",
        ]
        .map(str::to_owned)
        .into();
        let mut digits = 1_u64;
        for at in 0..2000 {
            digits = digits.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let text = (digits >> (at % 64)).to_string();
            floats.extend(
                (0..=text.len()).map(|point| format!("{}{}.{}", ["", "-"][at % 2], &text[..point], &text[point..])),
            );
        }
        for text in
            floats.into_iter().filter(|text| !text.starts_with('.') && !text.starts_with("-.") && !text.ends_with('.'))
        {
            let Value::Float(value) = read(&text) else { panic!("{text}") };
            assert_eq!(value.to_bits(), text.parse::<f64>().unwrap().to_bits(), "{text}");
        }
    }
}
