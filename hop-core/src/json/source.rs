//! JSON text for a model to be read from, without a value in between.

use std::borrow::Cow;

use super::parse::DEEPEST;
use crate::error::shorten;
use crate::reader::{Large, Name, ReadError, Reader, Source, Target, Token};
use crate::value::number;
use crate::{Content, Error, ErrorKind, Location, Value};

/// Reads the model labelled `format` that is in `content` into its place.
///
/// # Errors
/// Kind `Malformed` with line and column, `Invalid` likewise where it is another model, `Limit`.
pub(crate) fn read(
    format: &'static str,
    content: Content<'_>,
    model: &mut dyn for<'a> Target<'a>,
) -> Result<(), Error> {
    let mut text = Text::new(format, content)?;
    let mut outcome = model.fill(Reader(&mut text)).and_then(|()| text.end());
    // What asks for a float where integers are large; see `Large`.
    if outcome.is_err() && text.large.met {
        text = Text { large: Large::AS_FLOATS, ..Text::new(format, content)? };
        outcome = model.fill(Reader(&mut text)).and_then(|()| text.end());
    }
    match outcome.map_err(|error| text.explain(format, &error)) {
        Ok(()) => Ok(()),
        Err(Err(error)) => Err(error),
        Err(Ok(value)) => crate::value::read(&value, model).map_err(|error| error.about(format)),
    }
}

/// Text whose values are told as serde asks for them. It reads what [`parse`](super::parse) reads.
///
/// Only what most messages are made of is read here, short integers and strings without escapes: other scalars are
/// parsed by themselves, and what is wrong with malformed text is told by parsing it as a whole.
struct Text<'a> {
    content: Content<'a>,
    text: &'a str,
    at: usize,
    nodes: usize,
    open: Vec<Open>,
    /// A name has been given, and its value not yet.
    owes_value: bool,
    large: Large,
}

/// A container that is open, and whether its first element or entry is yet to come.
struct Open {
    is_array: bool,
    is_new: bool,
}

/// Digits that fit into 63 bits.
const MOST_DIGITS: usize = 18;

impl<'a> Text<'a> {
    /// The text that is the content of a model labelled `format`.
    ///
    /// # Errors
    /// Where it is too large, or no text.
    fn new(format: &'static str, content: Content<'a>) -> Result<Self, Error> {
        content.check_size(format)?;
        let text = content.as_str(format)?;
        let at = text.len() - text.trim_start_matches('\u{FEFF}').len();
        // One mark stands for the order of bytes; a second one is text.
        let at = at.min('\u{FEFF}'.len_utf8());
        Ok(Self { content, text, at, nodes: 0, open: Vec::new(), owes_value: false, large: Large::default() })
    }

    /// Makes sure that nothing comes after the value.
    fn end(&mut self) -> Result<(), ReadError> {
        self.close_to(0)?;
        if self.peek().is_none() { Ok(()) } else { Err(ReadError::syntax()) }
    }

    /// What is wrong, for the model labelled `format`. Where it is not the text after all, the value that it is.
    #[cold]
    fn explain(&self, format: &'static str, error: &ReadError) -> Result<Value, Error> {
        match error.message() {
            Some(message) => Err(Error::new(ErrorKind::Invalid, format)
                .found(shorten(message))
                .at(Location::in_text(self.text.as_bytes(), self.at.saturating_sub(1)))),
            None => super::parse(self.content).map_err(|error| error.about(format)),
        }
    }

    /// Passes over what is left of the containers that are open beyond this depth.
    fn close_to(&mut self, depth: usize) -> Result<(), ReadError> {
        while self.open.len() > depth {
            let innermost = self.open.len();
            let more = match self.open.last() {
                Some(Open { is_array: true, .. }) => self.element(innermost)?,
                _ => self.name(innermost)?.is_some(),
            };
            if more {
                self.next()?;
            }
        }
        Ok(())
    }

    fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.bytes().get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                other => return other.copied(),
            }
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), ReadError> {
        if self.peek() != Some(byte) {
            return Err(ReadError::syntax());
        }
        self.at += 1;
        Ok(())
    }

    /// Counts a value or a name.
    fn count(&mut self) -> Result<(), ReadError> {
        self.nodes += 1;
        if self.nodes > self.content.limits().nodes { Err(ReadError::syntax()) } else { Ok(()) }
    }

    fn container(&mut self, is_array: bool) -> Result<Token<'a>, ReadError> {
        self.at += 1;
        self.open.push(Open { is_array, is_new: true });
        // A container without anything in it is no level; the parser has the last word on those.
        let deepest = self.content.limits().depth.min(DEEPEST);
        if self.open.len() > deepest && !matches!(self.peek(), Some(b']' | b'}')) {
            return Err(ReadError::syntax());
        }
        Ok(if is_array { Token::Array } else { Token::Object })
    }

    fn word(&mut self, word: &str, token: Token<'a>) -> Result<Token<'a>, ReadError> {
        if !self.bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(ReadError::syntax());
        }
        self.at += word.len();
        Ok(token)
    }

    /// The string whose opening quote is here.
    fn string(&mut self) -> Result<Name<'a>, ReadError> {
        let start = self.at + 1;
        let mut end = start;
        let mut is_plain = true;
        loop {
            match self.bytes().get(end) {
                Some(b'"') => break,
                Some(b'\\') => {
                    is_plain = false;
                    end += 2;
                }
                Some(0x20..) => end += 1,
                _ => return Err(ReadError::syntax()),
            }
        }
        self.at = end + 1;
        if is_plain {
            return Ok(Name::Str(Cow::Borrowed(&self.text[start..end])));
        }
        match self.scalar(start - 1)? {
            Value::String(text) => Ok(match text.as_str() {
                Some(text) => Name::Str(Cow::Owned(text.to_owned())),
                None => Name::Surrogates(text),
            }),
            _ => Err(ReadError::syntax()),
        }
    }

    /// Where the number starts that is here; it is gone by then.
    fn skip_number(&mut self) -> usize {
        let start = self.at;
        while let Some(b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E') = self.bytes().get(self.at) {
            self.at += 1;
        }
        start
    }

    fn short_integer(&self, start: usize) -> Option<i64> {
        let digits = &self.bytes()[start..self.at];
        let (negative, digits) = match digits {
            [b'-', digits @ ..] => (true, digits),
            _ => (false, digits),
        };
        let is_short = (1..=MOST_DIGITS).contains(&digits.len()) && (digits[0] != b'0' || digits.len() == 1);
        if !is_short || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let value = digits.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
        Some(if negative { -value } else { value })
    }

    /// The scalar from `start` to here, by the parser of values.
    fn scalar(&self, start: usize) -> Result<Value, ReadError> {
        let token = Content::from(&self.text[start..self.at]).with_limits(self.content.limits());
        super::parse(token).map_err(|_| ReadError::syntax())
    }
}

impl<'a> Source<'a> for Text<'a> {
    fn next(&mut self) -> Result<Token<'a>, ReadError> {
        self.owes_value = false;
        self.count()?;
        match self.peek() {
            Some(b'"') => Ok(match self.string()? {
                Name::Str(Cow::Borrowed(text)) => Token::Str(text),
                Name::Str(Cow::Owned(text)) => Token::String(text),
                Name::Surrogates(text) => Token::Surrogates(text),
            }),
            Some(b'{') => self.container(false),
            Some(b'[') => self.container(true),
            Some(b't') => self.word("true", Token::Bool(true)),
            Some(b'f') => self.word("false", Token::Bool(false)),
            Some(b'n') => self.word("null", Token::Null),
            Some(b'N') => self.word("NaN", Token::F64(f64::NAN)),
            Some(b'I') => self.word("Infinity", Token::F64(f64::INFINITY)),
            Some(b'-') if self.bytes().get(self.at + 1) == Some(&b'I') => {
                self.word("-Infinity", Token::F64(f64::NEG_INFINITY))
            }
            Some(b'-' | b'0'..=b'9') => {
                let start = self.skip_number();
                match self.short_integer(start) {
                    Some(value) => Ok(Token::I64(value)),
                    None => number(&self.scalar(start)?),
                }
            }
            _ => Err(ReadError::syntax()),
        }
    }

    fn next_float(&mut self) -> Result<Token<'a>, ReadError> {
        let is_number = match self.peek() {
            Some(b'-') => self.bytes().get(self.at + 1) != Some(&b'I'),
            first => first.is_some_and(|byte| byte.is_ascii_digit()),
        };
        if !is_number {
            return self.next();
        }
        self.owes_value = false;
        self.count()?;
        let start = self.skip_number();
        self.scalar(start)?.as_f64().map(Token::F64).ok_or_else(ReadError::syntax)
    }

    fn is_null(&mut self) -> bool {
        self.peek() == Some(b'n')
    }

    fn skip(&mut self) -> Result<(), ReadError> {
        let outside = self.open.len();
        self.next()?;
        self.close_to(outside)
    }

    fn large(&mut self) -> &mut Large {
        &mut self.large
    }

    fn depth(&self) -> usize {
        self.open.len()
    }

    fn element(&mut self, depth: usize) -> Result<bool, ReadError> {
        if self.open.len() != depth {
            self.close_to(depth)?;
            if self.open.len() < depth {
                return Ok(false);
            }
        }
        match (self.peek(), self.open.last_mut()) {
            (Some(b']'), Some(_)) => {
                self.at += 1;
                self.open.pop();
                Ok(false)
            }
            (_, Some(open)) if open.is_new => {
                open.is_new = false;
                Ok(true)
            }
            (Some(b','), Some(_)) => {
                self.at += 1;
                // What comes next is a value, and no end.
                if self.peek() == Some(b']') { Err(ReadError::syntax()) } else { Ok(true) }
            }
            _ => Err(ReadError::syntax()),
        }
    }

    fn name(&mut self, depth: usize) -> Result<Option<Name<'a>>, ReadError> {
        if self.owes_value {
            self.skip()?;
        }
        if self.open.len() != depth {
            self.close_to(depth)?;
            if self.open.len() < depth {
                return Ok(None);
            }
        }
        match (self.peek(), self.open.last_mut()) {
            (Some(b'}'), Some(_)) => {
                self.at += 1;
                self.open.pop();
                return Ok(None);
            }
            (_, Some(open)) if open.is_new => open.is_new = false,
            _ => self.expect(b',')?,
        }
        if self.peek() != Some(b'"') {
            return Err(ReadError::syntax());
        }
        self.count()?;
        let name = self.string()?;
        self.expect(b':')?;
        self.owes_value = true;
        Ok(Some(name))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};

    use super::super::parse as parse_all;
    use crate::codec::Json;
    use crate::{Codec, Content, Error, ErrorKind, Limits, Value};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct All {
        text: String,
        float: f64,
        small: i8,
        large: u128,
        maybe: Option<Box<All>>,
        list: Vec<Kind>,
        by_number: BTreeMap<u16, bool>,
        pair: (char, f32),
        unit: (),
        any: Value,
        #[serde(default)]
        words: Words,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Kind {
        Unit,
        One(String),
        Pair(u8, u8),
        Named { a: i64, b: Option<f64> },
    }

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Words {
        #[default]
        None,
        One(String),
        Many(Vec<String>),
        Tagged(Tagged),
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "kind")]
    enum Tagged {
        A { x: f64 },
        B,
    }

    const MESSAGE: &str = r#" {"text": "caf\u00e9 \"x\"", "float": -1.5e-3, "small": -7, "large": 340282366920938463463374607431768211455,
        "maybe": null, "list": ["Unit", {"One": "1"}, {"Pair": [1, 2]}, {"Named": {"a": 1, "b": NaN}}, {"Unit": null}],
        "by_number": {"1": true, "65535": false}, "pair": ["é", 0.1], "unit": null, "ignored": [{"a": [1, "\n"]}, {}, []],
        "any": {"b": [-Infinity, 1e999, -0, 0.0, 12345678901234567890, "\ud83d\ude00"], "a": {}}, "words": {"kind": "A", "x": 1} } "#;

    fn decode(text: &str) -> Result<All, Error> {
        Json::decode("all", text.into())
    }

    /// By way of a value, as anything else is read.
    fn detour(text: &str) -> Result<All, Error> {
        parse_all(text.into()).map_err(|error| error.about("all"))?.read()
    }

    fn agree(text: &str) {
        match (decode(text), detour(text)) {
            // NaN is not itself, and shows alike.
            (Ok(all), Ok(other)) => assert_eq!(format!("{all:?}"), format!("{other:?}"), "{text}"),
            (Err(error), Err(other)) if error.kind() == other.kind() => {}
            // Of a repeated name a value keeps the last, and a struct has no two fields of one name.
            (Err(error), _) if error.to_string().contains("duplicate field") => {}
            // A struct says what it misses as soon as it does, whatever comes after.
            (Err(error), Err(other)) if (error.kind(), other.kind()) == (ErrorKind::Invalid, ErrorKind::Malformed) => {}
            (one, other) => panic!("{text}\n{one:?}\n{other:?}"),
        }
    }

    #[test]
    fn everything_is_read_as_by_way_of_a_value() {
        let all = decode(MESSAGE).unwrap();
        assert_eq!((all.text.as_str(), all.list.len(), all.pair), ("café \"x\"", 5, ('é', 0.1)));
        assert_eq!(all.words, Words::Tagged(Tagged::A { x: 1.0 }));
        agree(MESSAGE);
        let nested = MESSAGE.replace("\"maybe\": null", &format!("\"maybe\": {MESSAGE}"));
        assert!(decode(&nested).unwrap().maybe.is_some());
        agree(&nested);
        agree(&format!("\u{FEFF}{MESSAGE}"));
        agree(&format!("\u{FEFF}\u{FEFF}{MESSAGE}"));
        for end in (0..MESSAGE.len()).filter(|end| MESSAGE.is_char_boundary(*end)) {
            agree(&MESSAGE[..end]);
        }
    }

    #[test]
    fn what_the_standard_refuses_is_refused_wherever_it_stands() {
        for wrong in [
            "01",
            "1.",
            ".5",
            "+1",
            "1e",
            "- 1",
            "tru",
            "nul",
            "nan",
            "'a'",
            "\"\t\"",
            r#""\x""#,
            r#""\u12""#,
            "[1,]",
            "[,1]",
            "[1 2]",
            "{,}",
            r#"{"a" 1}"#,
            r#"{"a": 1,}"#,
            "{1: 2}",
            "[1}",
            "{]",
            "]",
            "-",
            "-I",
            "",
        ] {
            for field in ["ignored", "any"] {
                let text = MESSAGE.replace(r#""unit": null"#, &format!(r#""unit": null, "{field}2": {wrong}"#));
                assert_eq!(decode(&text).unwrap_err().kind(), ErrorKind::Malformed, "{wrong} as {field}");
            }
            agree(wrong);
            agree(&format!("{MESSAGE}{wrong}"));
        }
    }

    #[test]
    fn limits_hold_for_what_is_read_and_for_what_is_passed_over() {
        let limits = Limits { depth: 4, ..Limits::DEFAULT };
        let read = |text: &str| Json::decode("any", Content::from(text).with_limits(&limits)).map(|_: Value| ());
        assert!(read("[[[[]]]]").is_ok() && read("[[[[[]]]]]").is_ok());
        assert_eq!(read("[[[[[1]]]]]").unwrap_err().kind(), ErrorKind::Limit);
        assert_eq!(read(&"[".repeat(100_000)).unwrap_err().kind(), ErrorKind::Limit);
        let deep = MESSAGE.replace("[{\"a\": [1, \"\\n\"]}, {}, []]", &"[".repeat(100_000));
        assert_eq!(decode(&deep).unwrap_err().kind(), ErrorKind::Limit);
        let limits = Limits { nodes: 3, ..Limits::DEFAULT };
        let read = |text: &str| Json::decode("any", Content::from(text).with_limits(&limits)).map(|_: Value| ());
        assert!(read("[1, 2]").is_ok());
        assert_eq!(read("[1, 2, 3]").unwrap_err().kind(), ErrorKind::Limit);
        assert_eq!(read("{\"a\": 1, \"b\": 2}").unwrap_err().kind(), ErrorKind::Limit);
    }

    #[test]
    fn the_place_of_what_does_not_fit_is_told() {
        let error = decode(&MESSAGE.replace("-7", "700")).unwrap_err().to_string();
        assert_eq!(error, "all: invalid value: integer `700`, expected i8, at line 1, column 59 (byte 58)");
        let error = decode(&MESSAGE.replace("\"Unit\", ", "\"Knot\", ")).unwrap_err().to_string();
        assert!(error.starts_with("all: unknown variant `Knot`, expected one of `Unit`"), "{error}");
        let error = decode(&MESSAGE.replace("[1, 2]", "[1, 2, 3]")).unwrap_err().to_string();
        assert!(error.starts_with("all: invalid length 3, expected fewer elements, at line 2"), "{error}");
        let error = decode(&MESSAGE.replace("{\"Unit\": null}", "{\"Unit\": 1}")).unwrap_err().to_string();
        assert!(
            error.starts_with("all: invalid type: integer `1`, expected nothing beside the variant's name"),
            "{error}"
        );
        let error = decode(&MESSAGE.replace("{\"Unit\": null}", "{\"Unit\": null, \"a\": 1}")).unwrap_err().to_string();
        assert!(error.contains("an object of several entries, expected a variant"), "{error}");
        let error = decode("[]").unwrap_err().to_string();
        assert_eq!(error, "all: invalid type: sequence, expected struct All, at line 1, column 1 (byte 0)");
    }

    proptest! {
        #[test]
        fn mutants_are_read_as_by_way_of_a_value(
            changes in proptest::collection::vec((0..MESSAGE.len(), r#"[\]\[{}:,"\\0-9eE.+a-zNI \n-]{0,3}"#), 1..4)
        ) {
            let mut text = MESSAGE.to_owned();
            for (at, with) in changes {
                if let Some((at, c)) = text.char_indices().nth(at % text.chars().count().max(1)) {
                    text.replace_range(at..at + c.len_utf8(), &with);
                }
            }
            agree(&text);
        }
    }
}
