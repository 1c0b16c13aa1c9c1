//! What must be true of any content, fixture or not.

use bytes::Bytes;

use super::compare::{same, same_bytes};
use crate::{AnyModel, Content, Error, Limits, Registration};

/// What became of content that [`check`] was given, read as the wire form and as the file form; `None` where `model` refused it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Checked {
    /// Of the model that it decoded to.
    pub decoded: Option<Rounds>,
    /// Of the model that it loaded to.
    pub loaded: Option<Rounds>,
}

/// How the fields of a model came through its two forms and back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rounds {
    /// Encoded and decoded.
    pub wire: Kept,
    /// Dumped and loaded.
    pub file: Kept,
}

/// What a round kept of the fields of a model; the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kept {
    /// All of them, as they were.
    Same,
    /// Other fields, which the next round kept: the model brought them into its own form.
    Settled,
    /// Other fields in each round, or none, because the form was not read again.
    Lost,
}

/// An error's message may be that long: it quotes the content, and never at length.
const LONGEST_MESSAGE: usize = 2000;

/// Holds `model` to what must be true of any content, however broken, read within `limits`:
///
/// - what it refuses, it refuses with a message that a log can take;
/// - what it reads has fields to show, and is encoded and dumped;
/// - what it encoded it decodes, with no more than one change of the fields, and encodes as the same bytes again.
///
/// Whether the fields may change at all depends on the model, so it is the caller who looks at what comes back:
///
/// ```
/// use hop_core::testing::{Kept, check};
/// use hop_core::{JsonBlob, Limits, registration};
///
/// let json = registration!(JsonBlob);
/// let rounds = check(&json, br#"{"far": 1e-9}"#, &Limits::DEFAULT)?.decoded.ok_or("refused")?;
/// assert_eq!(rounds.wire, Kept::Same);
/// assert!(check(&json, b"{far: 1e-9}", &Limits::DEFAULT)?.decoded.is_none());
/// # Ok::<(), String>(())
/// ```
///
/// # Errors
/// What is not true, with the fields or bytes that show it. A model that panics is not caught.
pub fn check(model: &Registration, content: &[u8], limits: &Limits) -> Result<Checked, String> {
    let content = Content::from(content).with_limits(limits);
    let rounds = |read: Result<Box<dyn AnyModel>, Error>| match read {
        Ok(read) => check_model(model, &*read).map(Some),
        Err(error) => check_error(&error).map(|()| None),
    };
    Ok(Checked { decoded: rounds(model.decode(content))?, loaded: rounds(model.load(content))? })
}

/// Holds a model that was read to the promises of [`check`]; `registration` is its own.
///
/// # Errors
/// As there.
pub fn check_model(registration: &Registration, model: &dyn AnyModel) -> Result<Rounds, String> {
    let fields = shown(model)?;
    let encoded = model.encode().map_err(|error| format!("does not encode: {error}"))?;
    let decode = |content: &Bytes| {
        let again = registration.decode(content.into());
        again.map_err(|error| format!("does not decode what it encoded: {error}\n{}", crate::excerpt(content)))
    };
    let again = decode(&encoded)?;
    let encoded_again = again.encode().map_err(|error| format!("does not encode a second time: {error}"))?;
    same_bytes("encoded a second time", &encoded_again, "the first time", &encoded)?;
    let fields_again = shown(&*again)?;
    let wire = if fields_again == fields {
        Kept::Same
    } else {
        same("fields, decoded a second time", &shown(&*decode(&encoded_again)?)?, &fields_again)?;
        Kept::Settled
    };
    let dumped = model.dump().map_err(|error| format!("has no file form: {error}"))?;
    Ok(Rounds { wire, file: file_round(registration, &fields, &dumped)? })
}

fn file_round(registration: &Registration, fields: &str, dumped: &Bytes) -> Result<Kept, String> {
    let Ok(loaded) = registration.load(dumped.into()) else { return Ok(Kept::Lost) };
    let fields_again = shown(&*loaded)?;
    if fields_again == fields {
        return Ok(Kept::Same);
    }
    let dumped_again = loaded.dump().map_err(|error| format!("has no file form a second time: {error}"))?;
    match registration.load((&dumped_again).into()) {
        Ok(loaded) if shown(&*loaded)? == fields_again => Ok(Kept::Settled),
        _ => Ok(Kept::Lost),
    }
}

/// Holds an error to what [`check`] says of messages.
///
/// # Errors
/// The start of a message that is too long.
pub fn check_error(error: &Error) -> Result<(), String> {
    let message = error.to_string();
    if message.len() <= LONGEST_MESSAGE {
        return Ok(());
    }
    Err(format!("a message of {} bytes: {}", message.len(), crate::error::shorten(&message)))
}

pub(super) fn shown(model: &dyn AnyModel) -> Result<String, String> {
    match model.fields() {
        Ok(fields) => Ok(fields.to_string()),
        Err(error) => Err(format!("has no fields to show: {error}")),
    }
}
