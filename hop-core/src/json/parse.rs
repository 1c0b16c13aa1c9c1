//! Content to [`Value`], without recursion.

use std::cell::Cell;

use super::SUBJECT;
use super::input::{Input, length_within};
use crate::value::taken;
use crate::{Content, Error, Object, Text, Value};

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
    let mut stacks = STACKS.try_with(Cell::take).unwrap_or_default().unwrap_or_default();
    let input = Input { text, limits: content.limits() };
    let value = Parser::read(input, start, &mut stacks);
    // After an error there is something in them.
    if value.is_ok() && stacks.are_small() {
        // A thread that ends keeps nothing.
        let _kept = STACKS.try_with(|kept| kept.set(Some(stacks)));
    }
    value
}

thread_local! {
    /// The stacks of the parser before, empty: a small message then needs no allocation but those of its value.
    static STACKS: Cell<Option<Box<Stacks>>> = const { Cell::new(None) };
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
    fn are_small(&self) -> bool {
        const SMALL: usize = 256;
        self.open.capacity().max(self.values.capacity()).max(self.entries.capacity()) <= SMALL
    }
}

/// Most methods are told where to read, and say where what they read ends.
struct Parser<'a> {
    input: Input<'a>,
    /// How many more values and names there may be.
    nodes: usize,
    /// The innermost container that is open.
    top: Open,
    stacks: &'a mut Stacks,
}

/// A container that is still open, and where its own elements or entries start.
#[derive(Clone, Copy)]
enum Open {
    Nothing,
    Array(usize),
    Object(usize),
}

impl Parser<'_> {
    /// The value in `input`, from `start` on.
    #[inline(never)]
    fn read(input: Input<'_>, start: usize, stacks: &mut Stacks) -> Result<Value, Error> {
        Parser { input, nodes: input.limits.nodes, top: Open::Nothing, stacks }.whole(start)
    }

    /// The value that the content is.
    #[inline(always)]
    fn whole(&mut self, mut at: usize) -> Result<Value, Error> {
        let deepest = self.input.limits.depth.min(DEEPEST);
        loop {
            // A value starts here, behind its name where an object is open.
            if let Open::Object(_) = self.top {
                at = self.name(at)?;
            }
            if self.stacks.open.len() > deepest {
                return Err(self.input.limit(at, format!("at most {deepest} levels of nesting"), "depth"));
            }
            at = self.input.skip_white_space(at);
            match self.input.byte(at) {
                b'{' => {
                    at = self.input.skip_white_space(at + 1);
                    if self.input.byte(at) != b'}' {
                        self.stacks.open.push(self.top);
                        self.top = Open::Object(self.stacks.entries.len());
                        continue;
                    }
                    at += 1;
                    self.put(|| Value::Object(Object::new()));
                }
                b'[' => {
                    at = self.input.skip_white_space(at + 1);
                    if self.input.byte(at) != b']' {
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
                at = self.input.skip_white_space(at);
                let container = match (self.top, self.input.byte(at)) {
                    (_, b',') => {
                        at += 1;
                        break;
                    }
                    (Open::Object(start), b'}') => Value::Object(Object::taken(&mut self.stacks.entries, start)),
                    (Open::Array(start), b']') => Value::Array(taken(&mut self.stacks.values, start)),
                    (Open::Object(_), _) => return Err(self.input.error(at, "`,` or `}`")),
                    _ => return Err(self.input.error(at, "`,` or `]`")),
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
        let end = self.input.skip_white_space(at);
        if end < self.input.bytes().len() {
            return Err(self.input.error(end, "the end of the content"));
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
        match self.nodes.checked_sub(1) {
            Some(left) => self.nodes = left,
            None => {
                return Err(self.input.limit(
                    at,
                    format!("at most {} values and names", self.input.limits.nodes),
                    "nodes",
                ));
            }
        }
        Ok(())
    }

    /// Adds an entry of the name that is here, as far as the colon.
    #[inline(always)]
    fn name(&mut self, at: usize) -> Result<usize, Error> {
        let at = self.input.skip_white_space(at);
        if self.input.byte(at) != b'"' {
            return Err(self.input.error(at, "a name in double quotes"));
        }
        self.count(at)?;
        let at = self.string(at, true)?;
        let at = self.input.skip_white_space(at);
        if self.input.byte(at) != b':' {
            return Err(self.input.error(at, "`:` after the name"));
        }
        Ok(at + 1)
    }

    /// A value that is no container, which starts with the byte `first`.
    #[inline(always)]
    fn scalar(&mut self, at: usize, first: u8) -> Result<usize, Error> {
        match first {
            b'"' => self.string(at, false),
            b'0'..=b'9' => self.number(at, first),
            b'-' if self.input.byte(at + 1) != b'I' => self.number(at, first),
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
        if self.input.bytes()[at..].starts_with(word.as_bytes()) {
            self.put(value);
            return Ok(at + word.len());
        }
        Err(self.input.error(at, "a value"))
    }

    #[inline(always)]
    fn number(&mut self, start: usize, first: u8) -> Result<usize, Error> {
        let negative = first == b'-';
        // All digits as one number; of use only where there are few enough to fit.
        let first = start + usize::from(negative);
        let (mut digits, mut at) = match self.input.byte(first) {
            b'0' => (0, first + 1),
            _ => self.input.digits(first, 0)?,
        };
        let mut decimals = None;
        if self.input.byte(at) == b'.' {
            let point = at + 1;
            (digits, at) = self.input.digits(point, digits)?;
            decimals = Some(at - point);
        }
        let fits = at - start <= MOST_DIGITS && !matches!(self.input.byte(at), b'e' | b'E');
        match decimals.map(|decimals| POWERS_OF_TEN.get(decimals)) {
            // Python tells -0 from 0 only as a float; as an integer it is 0 there and here.
            None if fits => self.put(|| Value::Int(if negative { -(digits as i64) } else { digits as i64 })),
            // Both numbers are doubles as they stand, so their quotient is rounded once, as it should be.
            Some(Some(power)) if fits && digits <= EXACT => {
                let value = digits as f64 / power;
                self.put(|| Value::Float(if negative { -value } else { value }));
            }
            _ => {
                let (value, end) = self.input.long_number(start, at, decimals.is_none())?;
                self.put(|| value);
                at = end;
            }
        }
        Ok(at)
    }

    /// Puts the string whose opening quote is here into its place.
    #[inline(always)]
    fn string(&mut self, quote: usize, is_name: bool) -> Result<usize, Error> {
        let start = quote + 1;
        let padded;
        let chunk = match self.input.bytes().get(start..).and_then(|rest| rest.first_chunk()) {
            Some(chunk) => chunk,
            None => {
                padded = self.input.padded(start);
                &padded
            }
        };
        if let Some(length) = length_within(chunk) {
            self.put_text(|| Text::short(chunk, length), is_name);
            return Ok(start + length + 1);
        }
        let (text, end) = self.input.long_string(start)?;
        self.put_text(|| text, is_name);
        Ok(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorKind, Limits};

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
