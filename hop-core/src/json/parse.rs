//! Content to [`Value`], without recursion.

use crate::error::{ErrorKind, Location, excerpt};
use crate::{Content, Error, Limits, Object, Text, Value};

const SUBJECT: &str = "json";
const BYTE_ORDER_MARK: &str = "\u{FEFF}";
/// Nesting beyond this is refused whatever the limits say: values this deep are dropped and shown by recursion.
const DEEPEST: usize = 1000;

pub(super) fn parse(content: Content<'_>) -> Result<Value, Error> {
    content.check_size(SUBJECT)?;
    let text = content.as_str(SUBJECT)?;
    let start = if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    let mut parser = Parser { text, bytes: text.as_bytes(), at: start, nodes: 0, limits: content.limits() };
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
}

/// A container that is still open.
enum Open {
    Array(Vec<Value>),
    /// The entries so far and the name whose value comes next.
    Object(Vec<(Text, Value)>, Text),
}

/// What grew one by one, without the room that is left. A container of one has room for four, and a message may hold a
/// million of them; large ones have little to give.
fn fitted<T>(mut values: Vec<T>) -> Vec<T> {
    const LARGE: usize = 1024;
    if values.len() < LARGE {
        values.shrink_to_fit();
    }
    values
}

impl Parser<'_> {
    fn value(&mut self) -> Result<Value, Error> {
        let mut open: Vec<Open> = Vec::new();
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
                        let key = self.key()?;
                        self.deepen(open.len(), deepest)?;
                        open.push(Open::Object(Vec::new(), key));
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
                        self.deepen(open.len(), deepest)?;
                        open.push(Open::Array(Vec::new()));
                        continue;
                    }
                }
                _ => self.scalar()?,
            };
            // The value is put where it belongs; containers that end with it become the value in turn.
            loop {
                self.count()?;
                let Some(top) = open.last_mut() else { return Ok(value) };
                self.skip_white_space();
                let next = self.peek();
                match top {
                    Open::Array(values) => {
                        values.push(value);
                        match next {
                            Some(b',') => {
                                self.at += 1;
                                break;
                            }
                            Some(b']') => self.at += 1,
                            _ => return Err(self.error("`,` or `]`")),
                        }
                    }
                    Open::Object(entries, key) => {
                        entries.push((std::mem::replace(key, Text::from("")), value));
                        match next {
                            Some(b',') => {
                                self.at += 1;
                                self.skip_white_space();
                                let next_key = self.key()?;
                                *key = next_key;
                                break;
                            }
                            Some(b'}') => self.at += 1,
                            _ => return Err(self.error("`,` or `}`")),
                        }
                    }
                }
                value = match open.pop() {
                    Some(Open::Array(values)) => Value::Array(fitted(values)),
                    Some(Open::Object(entries, _)) => Value::Object(fitted(entries).into()),
                    None => return Err(self.error("an open array or object")),
                };
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

    fn deepen(&self, depth: usize, deepest: usize) -> Result<(), Error> {
        if depth < deepest {
            return Ok(());
        }
        Err(self.limit(format!("at most {deepest} levels of nesting"), "more", "depth"))
    }

    fn key(&mut self) -> Result<Text, Error> {
        if self.peek() != Some(b'"') {
            return Err(self.error("a name in double quotes"));
        }
        self.count()?;
        let key = self.string()?;
        self.skip_white_space();
        if self.peek() != Some(b':') {
            return Err(self.error("`:` after the name"));
        }
        self.at += 1;
        Ok(key)
    }

    fn scalar(&mut self) -> Result<Value, Error> {
        match self.peek() {
            Some(b'"') => self.string().map(Value::String),
            Some(b'0'..=b'9') => self.number(),
            Some(b'-') if self.bytes[self.at + 1..].first() != Some(&b'I') => self.number(),
            _ => {
                const WORDS: [(&str, Value); 6] = [
                    ("null", Value::Null),
                    ("true", Value::Bool(true)),
                    ("false", Value::Bool(false)),
                    ("NaN", Value::Float(f64::NAN)),
                    ("Infinity", Value::Float(f64::INFINITY)),
                    ("-Infinity", Value::Float(f64::NEG_INFINITY)),
                ];
                for (word, value) in WORDS {
                    if self.bytes[self.at..].starts_with(word.as_bytes()) {
                        self.at += word.len();
                        return Ok(value);
                    }
                }
                Err(self.error("a value"))
            }
        }
    }

    fn number(&mut self) -> Result<Value, Error> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.skip_digits(),
            _ => return Err(self.error("a digit")),
        }
        let mut whole = true;
        if self.peek() == Some(b'.') {
            whole = false;
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            whole = false;
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        let digits = &self.text[start..self.at];
        if whole {
            return Ok(match digits.parse() {
                // Python tells -0 from 0 only as a float; as an integer it is 0 there and here.
                Ok(value) => Value::Int(value),
                Err(_) => Value::BigInt(digits.into()),
            });
        }
        digits.parse().map(Value::Float).map_err(|_| self.error("a number"))
    }

    fn digits(&mut self) -> Result<(), Error> {
        match self.peek() {
            Some(b'0'..=b'9') => {
                self.skip_digits();
                Ok(())
            }
            _ => Err(self.error("a digit")),
        }
    }

    fn skip_digits(&mut self) {
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
    }

    /// The string whose opening quote is here.
    fn string(&mut self) -> Result<Text, Error> {
        let opened = self.at;
        self.at += 1;
        let start = self.at;
        self.skip_plain();
        if self.peek() == Some(b'"') {
            let text = &self.text[start..self.at];
            self.at += 1;
            return Ok(text.into());
        }
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
                    self.at = opened;
                    return Err(self.error("a string with a closing quote"));
                }
            }
            let plain = self.at;
            self.skip_plain();
            bytes.extend_from_slice(&self.bytes[plain..self.at]);
        }
    }

    /// Moves to the next quote, backslash or control character.
    fn skip_plain(&mut self) {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|b| matches!(b, b'"' | b'\\' | 0..0x20)).unwrap_or(rest.len());
        self.at += length;
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
}
