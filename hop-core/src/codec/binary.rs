//! What MessagePack and CBOR have in common: items that announce how many items they hold, made into a value.

use crate::error::{ErrorKind, Location};
use crate::{Content, Error, Limits, Text, Value};

/// What errors are about, until the codec says which model it is.
const SUBJECT: &str = "content";
/// Nesting beyond this is refused whatever the limits say: values this deep are dropped and shown by recursion.
pub(super) const DEEPEST: usize = 1000;

/// The start of an item.
pub(super) enum Item {
    /// All of it.
    Whole(Value),
    /// An array, and the number of its elements; `None` where a break ends it.
    Array(Option<u64>),
    /// A map, and the number of its entries; `None` where a break ends it.
    Map(Option<u64>),
    /// The end of what is open and has no number.
    Break,
}

/// Content that is read item by item.
pub(super) trait Items {
    /// The next item.
    ///
    /// # Errors
    /// Kind `Malformed` at the end of the content, and for what is no item.
    fn next(&mut self) -> Result<Item, Error>;

    /// Bytes from the start of the content.
    fn at(&self) -> usize;
}

/// What is open, and how many elements or entries it still has.
struct Open {
    left: Option<u64>,
    held: Held,
}

enum Held {
    Array(Vec<Value>),
    /// Entries, and the name of the one whose value comes next.
    Map(Vec<(Text, Value)>, Option<Text>),
}

/// The value that `content` is, read by `items`, and nothing after it.
///
/// What is announced is compared to the bytes that are left, of which each value takes one, before room is made for it. So
/// together all that is open has no more room than there are bytes.
///
/// # Errors
/// Those of the items; kind `Malformed` for bytes after the value, and for more values announced than the content can hold;
/// kind `Limit` beyond the limits in depth and number.
pub(super) fn value(content: Content<'_>, items: &mut impl Items) -> Result<Value, Error> {
    let limits = content.limits();
    let (mut open, mut nodes, mut to_come) = (Vec::<Open>::new(), 0_usize, 0_usize);
    loop {
        let start = items.at();
        let item = items.next()?;
        nodes += 1;
        if open.last().is_some_and(|top| top.left.is_some()) {
            to_come -= 1;
        }
        let mut announce = |count: Option<u64>, each: u64| {
            let more = usize::try_from(count.unwrap_or(0).saturating_mul(each)).unwrap_or(usize::MAX);
            to_come = more.saturating_add(to_come);
            let bytes = content.len() - items.at();
            if to_come > bytes {
                return Err(malformed(start)
                    .expected(format!("{to_come} more values, as announced"))
                    .found(format!("{bytes} more byte{}", plural(bytes))));
            }
            if nodes.saturating_add(to_come) > limits.nodes {
                return Err(over(start, format!("at most {} values", limits.nodes)));
            }
            deepen(&open, limits, start)?;
            Ok(more / each as usize)
        };
        let mut value = match item {
            Item::Whole(_) if nodes > limits.nodes => {
                return Err(over(start, format!("at most {} values", limits.nodes)));
            }
            Item::Whole(value) => value,
            Item::Array(left) => {
                let held = Held::Array(Vec::with_capacity(announce(left, 1)?));
                open.push(Open { left, held });
                match ended(&mut open) {
                    Some(value) => value,
                    None => continue,
                }
            }
            Item::Map(left) => {
                let held = Held::Map(Vec::with_capacity(announce(left, 2)?), None);
                open.push(Open { left, held });
                match ended(&mut open) {
                    Some(value) => value,
                    None => continue,
                }
            }
            Item::Break => match open.pop() {
                Some(Open { left: None, held: Held::Array(values) }) => Value::Array(values),
                Some(Open { left: None, held: Held::Map(entries, None) }) => Value::Object(entries.into()),
                _ => return Err(malformed(start).expected("a value").found("a break")),
            },
        };
        // The value is put where it belongs; what ends with it becomes the value in turn.
        loop {
            let Some(top) = open.last_mut() else {
                return match content.len() - items.at() {
                    0 => Ok(value),
                    more => Err(malformed(items.at())
                        .expected("the end of the content")
                        .found(format!("{more} more byte{}", plural(more)))),
                };
            };
            match &mut top.held {
                Held::Array(values) => values.push(value),
                Held::Map(entries, name) => match name.take() {
                    Some(name) => entries.push((name, value)),
                    None => {
                        let not_text = |found| malformed(start).expected("text as the key of a map").found(found);
                        *name = Some(key(value).map_err(not_text)?);
                        break;
                    }
                },
            }
            if let Some(left) = &mut top.left {
                *left -= 1;
            }
            match ended(&mut open) {
                Some(whole) => value = whole,
                None => break,
            }
        }
    }
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// The innermost open array or map, if it has all that it announced.
fn ended(open: &mut Vec<Open>) -> Option<Value> {
    open.last().filter(|top| top.left == Some(0))?;
    Some(match open.pop()?.held {
        Held::Array(values) => Value::Array(values),
        Held::Map(entries, _) => Value::Object(entries.into()),
    })
}

/// Keys that are numbers or truth values become text, as Python's `json` makes them.
fn key(value: Value) -> Result<Text, &'static str> {
    match value {
        Value::String(text) => Ok(text),
        Value::Bool(value) => Ok(value.to_string().into()),
        Value::Int(value) => Ok(value.to_string().into()),
        Value::BigInt(digits) => Ok((&*digits).into()),
        other => Err(other.describe()),
    }
}

/// The levels that may be written below this one.
///
/// # Errors
/// Kind `Unencodable` where there are none.
pub(super) fn below(levels: usize) -> Result<usize, Error> {
    levels.checked_sub(1).ok_or_else(|| unencodable("at most 1000 levels of nesting", "more"))
}

fn deepen(open: &[Open], limits: &Limits, at: usize) -> Result<(), Error> {
    let deepest = limits.depth.min(DEEPEST);
    if open.len() < deepest {
        return Ok(());
    }
    Err(over(at, format!("at most {deepest} levels of nesting")))
}

#[cold]
pub(super) fn over(at: usize, expected: String) -> Error {
    Error::new(ErrorKind::Limit, SUBJECT).expected(expected).found("more").at(Location::Byte(at))
}

#[cold]
pub(super) fn malformed(at: usize) -> Error {
    Error::new(ErrorKind::Malformed, SUBJECT).at(Location::Byte(at))
}

/// The error for a value that a format cannot express.
#[cold]
pub(super) fn unencodable(expected: &'static str, found: impl Into<String>) -> Error {
    Error::new(ErrorKind::Unencodable, SUBJECT).expected(expected).found(found.into())
}

/// The error for content that the format has, and hop does not read.
#[cold]
pub(super) fn unsupported(at: usize) -> Error {
    Error::new(ErrorKind::Unsupported, SUBJECT).at(Location::Byte(at))
}

/// The text to write for a string or a name.
///
/// # Errors
/// Kind `Unencodable` for lone surrogates, which UTF-8 has not.
pub(super) fn text(text: &Text) -> Result<&str, Error> {
    text.as_str().ok_or_else(|| unencodable("Unicode text", "a lone surrogate"))
}
