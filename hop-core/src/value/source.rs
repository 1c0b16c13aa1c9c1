//! A [`Value`] for a model to be read from.

use std::borrow::Cow;

use serde::de::Error as _;

use super::{Object, Text, Value};
use crate::error::shorten;
use crate::reader::{Large, Name, ReadError, Reader, Source, Target, Token};
use crate::{Error, ErrorKind, Location};

/// Reads what `value` is into its place.
pub(crate) fn read<'de>(value: &'de Value, model: &mut dyn Target<'de>) -> Result<(), Error> {
    let mut tree = Tree { next: Next::Value(value), open: Vec::new(), large: Large::default() };
    match model.fill(Reader(&mut tree)) {
        // What asks for a float where integers are large; see `Large`.
        Err(_) if tree.large.met => {
            tree = Tree { next: Next::Value(value), open: Vec::new(), large: Large::AS_FLOATS };
            model.fill(Reader(&mut tree))
        }
        outcome => outcome,
    }
    .map_err(|error| tree.explain(&error))
}

/// A value, and the way to the part that is being read.
struct Tree<'a> {
    next: Next<'a>,
    open: Vec<Open<'a>>,
    large: Large,
}

/// What comes next.
#[derive(Clone, Copy)]
enum Next<'a> {
    Value(&'a Value),
    Byte(u8),
}

/// A container that is open: what is yet to come, and where in it the reader is.
enum Open<'a> {
    Array { rest: std::slice::Iter<'a, Value>, length: usize },
    Bytes { rest: std::slice::Iter<'a, u8>, length: usize },
    Object { rest: std::slice::Iter<'a, (Text, Value)>, name: Option<&'a Text> },
}

impl Tree<'_> {
    /// What is wrong, and where.
    #[cold]
    fn explain(&self, error: &ReadError) -> Error {
        let error = Error::new(ErrorKind::Invalid, "value").found(shorten(&error.to_string()));
        let mut path = String::new();
        for open in &self.open {
            match open {
                Open::Array { rest, length } => path += &format!("[{}]", (length - rest.len()).saturating_sub(1)),
                Open::Bytes { rest, length } => path += &format!("[{}]", (length - rest.len()).saturating_sub(1)),
                Open::Object { name: Some(name), .. } => {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path += &name.to_string_lossy();
                }
                Open::Object { name: None, .. } => {}
            }
        }
        if path.is_empty() { error } else { error.at(Location::Path(path)) }
    }
}

/// A number, in the smallest of serde's kinds that holds it.
pub(crate) fn number<'a>(value: &Value) -> Result<Token<'a>, ReadError> {
    match value {
        Value::Int(value) => Ok(Token::I64(*value)),
        Value::Float(value) => Ok(Token::F64(*value)),
        Value::BigInt(digits) => {
            if let Ok(value) = digits.parse() {
                Ok(Token::U64(value))
            } else if let Ok(value) = digits.parse() {
                Ok(Token::I128(value))
            } else if let Ok(value) = digits.parse() {
                Ok(Token::U128(value))
            } else {
                Ok(Token::Digits(digits.clone()))
            }
        }
        other => Err(ReadError::custom(format_args!("invalid type: {}, expected a number", other.describe()))),
    }
}

impl<'a> Source<'a> for Tree<'a> {
    fn next(&mut self) -> Result<Token<'a>, ReadError> {
        let value = match self.next {
            Next::Value(value) => value,
            Next::Byte(byte) => return Ok(Token::I64(byte.into())),
        };
        match value {
            Value::Null => Ok(Token::Null),
            Value::Bool(value) => Ok(Token::Bool(*value)),
            Value::String(text) => Ok(text.as_str().map_or_else(|| Token::Surrogates(text.clone()), Token::Str)),
            Value::Bytes(bytes) => Ok(Token::Bytes(bytes)),
            Value::Array(values) => {
                self.open.push(Open::Array { rest: values.iter(), length: values.len() });
                Ok(Token::Array)
            }
            Value::Object(Object(entries)) => {
                self.open.push(Open::Object { rest: entries.iter(), name: None });
                Ok(Token::Object)
            }
            Value::Int(_) | Value::BigInt(_) | Value::Float(_) => number(value),
        }
    }

    fn next_array(&mut self) -> Result<Token<'a>, ReadError> {
        if let Next::Value(Value::Bytes(bytes)) = self.next {
            self.open.push(Open::Bytes { rest: bytes.iter(), length: bytes.len() });
            return Ok(Token::Array);
        }
        self.next()
    }

    fn next_float(&mut self) -> Result<Token<'a>, ReadError> {
        if let Next::Value(value) = self.next
            && let Some(value) = value.as_f64()
        {
            return Ok(Token::F64(value));
        }
        self.next()
    }

    fn is_null(&mut self) -> bool {
        matches!(self.next, Next::Value(Value::Null))
    }

    fn skip(&mut self) -> Result<(), ReadError> {
        Ok(())
    }

    fn large(&mut self) -> &mut Large {
        &mut self.large
    }

    fn depth(&self) -> usize {
        self.open.len()
    }

    fn element(&mut self, depth: usize) -> Result<bool, ReadError> {
        self.open.truncate(depth);
        if self.open.len() < depth {
            return Ok(false);
        }
        let next = match self.open.last_mut() {
            Some(Open::Array { rest, .. }) => rest.next().map(Next::Value),
            Some(Open::Bytes { rest, .. }) => rest.next().copied().map(Next::Byte),
            _ => None,
        };
        match next {
            Some(next) => self.next = next,
            None => drop(self.open.pop()),
        }
        Ok(next.is_some())
    }

    fn name(&mut self, depth: usize) -> Result<Option<Name<'a>>, ReadError> {
        self.open.truncate(depth);
        if self.open.len() < depth {
            return Ok(None);
        }
        if let Some(Open::Object { rest, name }) = self.open.last_mut()
            && let Some((key, value)) = rest.next()
        {
            self.next = Next::Value(value);
            *name = Some(key);
            return Ok(Some(match key.as_str() {
                Some(key) => Name::Str(Cow::Borrowed(key)),
                None => Name::Surrogates(key.clone()),
            }));
        }
        self.open.pop();
        Ok(None)
    }
}
