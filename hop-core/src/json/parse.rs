//! Content to [`Value`], without recursion.

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
    let mut parser = Parser {
        text,
        bytes: text.as_bytes(),
        at: start,
        nodes: 0,
        limits: content.limits(),
        open: Vec::with_capacity(8),
        values: Vec::new(),
        entries: Vec::with_capacity(16),
    };
    let value = parser.value()?;
    parser.skip_white_space();
    if parser.at < parser.bytes.len() {
        return Err(parser.error("the end of the content"));
    }
    Ok(value)
}

struct Parser<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    nodes: usize,
    limits: &'a Limits,
    open: Vec<Open>,
    /// The elements so far of all arrays that are open. A container that closes takes what is its own off the end, so that
    /// it is allocated once.
    values: Vec<Value>,
    /// The entries so far of all objects that are open; the value of an object's last one comes next.
    entries: Vec<(Text, Value)>,
}

/// A container that is still open, and where its own elements or entries start.
#[derive(Clone, Copy)]
enum Open {
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
    fn value(&mut self) -> Result<Value, Error> {
        let deepest = self.limits.depth.min(DEEPEST);
        loop {
            self.skip_white_space();
            // A value starts here: a container opens, or a whole value is read.
            let mut value = match self.peek() {
                Some(b'{') => {
                    self.at += 1;
                    self.skip_white_space();
                    if self.peek() == Some(b'}') {
                        self.at += 1;
                        Value::Object(Object::new())
                    } else {
                        let start = self.entries.len();
                        self.key()?;
                        self.deepen(deepest)?;
                        self.open.push(Open::Object(start));
                        continue;
                    }
                }
                Some(b'[') => {
                    self.at += 1;
                    self.skip_white_space();
                    if self.peek() == Some(b']') {
                        self.at += 1;
                        Value::Array(Vec::new())
                    } else {
                        self.deepen(deepest)?;
                        self.open.push(Open::Array(self.values.len()));
                        continue;
                    }
                }
                _ => self.scalar()?,
            };
            // The value is put where it belongs; containers that end with it become the value in turn.
            loop {
                self.count()?;
                let Some(&top) = self.open.last() else { return Ok(value) };
                self.skip_white_space();
                let next = self.peek();
                match top {
                    Open::Array(start) => {
                        self.values.push(value);
                        match next {
                            Some(b',') => {
                                self.at += 1;
                                break;
                            }
                            Some(b']') => {
                                self.at += 1;
                                value = Value::Array(taken(&mut self.values, start));
                            }
                            _ => return Err(self.error("`,` or `]`")),
                        }
                    }
                    Open::Object(start) => {
                        if let Some((_, last)) = self.entries.last_mut() {
                            *last = value;
                        }
                        match next {
                            Some(b',') => {
                                self.at += 1;
                                self.skip_white_space();
                                self.key()?;
                                break;
                            }
                            Some(b'}') => {
                                self.at += 1;
                                value = Value::Object(taken(&mut self.entries, start).into());
                            }
                            _ => return Err(self.error("`,` or `}`")),
                        }
                    }
                }
                self.open.pop();
            }
        }
    }

    /// Counts a value or a name.
    fn count(&mut self) -> Result<(), Error> {
        self.nodes += 1;
        if self.nodes <= self.limits.nodes {
            return Ok(());
        }
        Err(self.limit(format!("at most {} values and names", self.limits.nodes), "more", "nodes"))
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_white_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn deepen(&self, deepest: usize) -> Result<(), Error> {
        if self.open.len() < deepest {
            return Ok(());
        }
        Err(self.limit(format!("at most {deepest} levels of nesting"), "more", "depth"))
    }

    /// Adds an entry of the name that is here.
    fn key(&mut self) -> Result<(), Error> {
        if self.peek() != Some(b'"') {
            return Err(self.error("a name in double quotes"));
        }
        self.count()?;
        let start = self.at + 1;
        self.at = start;
        self.skip_plain();
        if self.peek() == Some(b'"') {
            let key = Text::piece(self.text, start..self.at);
            self.entries.push((key, Value::Null));
            self.at += 1;
        } else {
            let key = self.string_with_escapes(start)?;
            self.entries.push((key, Value::Null));
        }
        self.skip_white_space();
        if self.peek() != Some(b':') {
            return Err(self.error("`:` after the name"));
        }
        self.at += 1;
        Ok(())
    }

    #[inline]
    fn scalar(&mut self) -> Result<Value, Error> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'0'..=b'9') => self.number(),
            Some(b'-') if self.bytes[self.at + 1..].first() != Some(&b'I') => self.number(),
            Some(b'n') => self.word("null", Value::Null),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'N') => self.word("NaN", Value::Float(f64::NAN)),
            Some(b'I') => self.word("Infinity", Value::Float(f64::INFINITY)),
            _ => self.word("-Infinity", Value::Float(f64::NEG_INFINITY)),
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, Error> {
        if self.bytes[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            return Ok(value);
        }
        Err(self.error("a value"))
    }

    fn number(&mut self) -> Result<Value, Error> {
        let start = self.at;
        let negative = self.peek() == Some(b'-');
        if negative {
            self.at += 1;
        }
        // All digits as one number; of use only where there are few enough to fit.
        let mut digits = 0_u64;
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.skip_digits(&mut digits),
            _ => return Err(self.error("a digit")),
        }
        let mut whole = true;
        let mut decimals = 0;
        if self.peek() == Some(b'.') {
            whole = false;
            self.at += 1;
            let point = self.at;
            self.digits(&mut digits)?;
            decimals = self.at - point;
        }
        let fits = self.at - start <= MOST_DIGITS;
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits(&mut digits)?;
        } else if fits && whole {
            // Python tells -0 from 0 only as a float; as an integer it is 0 there and here.
            let value = digits as i64;
            return Ok(Value::Int(if negative { -value } else { value }));
        } else if fits && digits <= EXACT {
            // Both numbers are doubles as they stand, so their quotient is rounded once, as it should be.
            let value = digits as f64 / POWERS_OF_TEN[decimals];
            return Ok(Value::Float(if negative { -value } else { value }));
        } else if whole {
            let digits = &self.text[start..self.at];
            return Ok(digits.parse().map_or_else(|_| Value::BigInt(digits.into()), Value::Int));
        }
        self.text[start..self.at].parse().map(Value::Float).map_err(|_| self.error("a number"))
    }

    fn digits(&mut self, so_far: &mut u64) -> Result<(), Error> {
        match self.peek() {
            Some(b'0'..=b'9') => {
                self.skip_digits(so_far);
                Ok(())
            }
            _ => Err(self.error("a digit")),
        }
    }

    fn skip_digits(&mut self, so_far: &mut u64) {
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            *so_far = so_far.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            self.at += 1;
        }
    }

    /// The string whose opening quote is here.
    fn string(&mut self) -> Result<Value, Error> {
        let start = self.at + 1;
        self.at = start;
        self.skip_plain();
        if self.peek() != Some(b'"') {
            return self.string_with_escapes(start).map(Value::String);
        }
        let value = Value::String(Text::piece(self.text, start..self.at));
        self.at += 1;
        Ok(value)
    }

    /// The string that starts there and is plain up to here.
    fn string_with_escapes(&mut self, start: usize) -> Result<Text, Error> {
        let mut bytes = self.bytes[start..self.at].to_vec();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Text::from_wtf8(bytes));
                }
                Some(b'\\') => {
                    self.at += 1;
                    self.escape(&mut bytes)?;
                }
                Some(_) => return Err(self.error("an escape for a control character")),
                None => {
                    // The quote that opens it.
                    self.at = start - 1;
                    return Err(self.error("a string with a closing quote"));
                }
            }
            let plain = self.at;
            self.skip_plain();
            bytes.extend_from_slice(&self.bytes[plain..self.at]);
        }
    }

    /// Moves to the next quote, backslash or control character.
    #[inline]
    fn skip_plain(&mut self) {
        self.at += plain_length(&self.bytes[self.at..]);
    }

    /// The escape whose backslash has just been read.
    fn escape(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        let plain = match self.peek() {
            Some(plain @ (b'"' | b'\\' | b'/')) => plain,
            Some(b'b') => 0x08,
            Some(b'f') => 0x0C,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode_escape(out);
            }
            _ => return Err(self.error(r#"one of `"\/bfnrtu` after a backslash"#)),
        };
        self.at += 1;
        out.push(plain);
        Ok(())
    }

    fn unicode_escape(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        let mut unit = u32::from(self.four_hex_digits()?);
        if (0xD800..0xDC00).contains(&unit) && self.bytes[self.at..].starts_with(br"\u") {
            let after_first = self.at;
            self.at += 2;
            let second = u32::from(self.four_hex_digits()?);
            if (0xDC00..0xE000).contains(&second) {
                unit = 0x10000 + ((unit - 0xD800) << 10) + (second - 0xDC00);
            } else {
                // Not the other half: the second escape stands for itself.
                self.at = after_first;
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
        Ok(())
    }

    fn four_hex_digits(&mut self) -> Result<u16, Error> {
        let digits = self.bytes.get(self.at..self.at + 4).unwrap_or_default();
        let unit = digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)? as u16));
        match unit {
            Some(unit) if !digits.is_empty() => {
                self.at += 4;
                Ok(unit)
            }
            _ => Err(self.error("four hexadecimal digits")),
        }
    }

    #[cold]
    fn error(&self, expected: &'static str) -> Error {
        let found = match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            None => "the end of the content".to_owned(),
            Some(_) => {
                let rest = &self.bytes[self.at..];
                excerpt(&rest[..rest.len().min(16)])
            }
        };
        Error::new(ErrorKind::Malformed, SUBJECT)
            .expected(expected)
            .found(found)
            .at(Location::in_text(self.bytes, self.at))
    }

    #[cold]
    fn limit(&self, expected: String, found: &'static str, name: &str) -> Error {
        Error::new(ErrorKind::Limit, SUBJECT)
            .expected(expected)
            .found(found)
            .at(Location::in_text(self.bytes, self.at))
            .help(format!("`Limits::{name}` sets the bound"))
    }
}

/// How many bytes stand before the first quote, backslash or control character.
fn plain_length(bytes: &[u8]) -> usize {
    // Most strings end within a few words. The others are gone through in blocks, for which the compiler has larger
    // registers, up to the one with the end in it.
    const SHORT: usize = 32;
    const BLOCK: usize = 64;
    let special = |byte: u8| (byte < 0x20) | (byte == b'"') | (byte == b'\\');
    let mut at = 0;
    while let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        let found = special_bytes(u64::from_le_bytes(*word));
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
        if at == SHORT {
            let (blocks, _) = bytes[at..].as_chunks::<BLOCK>();
            let plain = |block: &&[u8; BLOCK]| !block.iter().fold(false, |any, byte| any | special(*byte));
            at += BLOCK * blocks.iter().take_while(plain).count();
        }
    }
    let rest = &bytes[at..];
    at + rest.iter().position(|byte| special(*byte)).unwrap_or(rest.len())
}

/// The highest bit of the first byte that is a quote, a backslash or a control character; bits above it mean nothing.
fn special_bytes(word: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    // Where a byte is less than the other, subtracting borrows, from the bytes above it at worst.
    let below = |word: u64, limit: u8| word.wrapping_sub(EACH * u64::from(limit)) & !word;
    let equal = |byte: u8| below(word ^ (EACH * u64::from(byte)), 1);
    (below(word, 0x20) | equal(b'"') | equal(b'\\')) & (EACH << 7)
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
            assert_eq!(plain_length(&plain), length);
            for end in [b'"', b'\\', 0, b'\n', 0x1F] {
                for after in [&[][..], b"\"", b"!\x01#", &[b'z'; 90]] {
                    let bytes = [&plain, &[end][..], after].concat();
                    assert_eq!(Some(plain_length(&bytes)), bytes.iter().position(special));
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
