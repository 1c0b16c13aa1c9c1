//! What hop expects of any model, tried on samples of one.

use super::Failures;
use super::check::{Kept, Rounds, check, check_model, shown};
use super::compare::{same, same_bytes};
use super::folder::one;
use super::hostile::{nasty, survive};
use crate::{AnyModel, Encoder, Headers, Limits, MessageModel, Payload, Registration, Registry, Route, header};

/// How many threads read one message at once.
const THREADS: usize = 4;

/// Holds a model to what hop expects of any, on its example and these `samples`; how many there were.
///
/// - Its label and its aliases find it, in capitals too; the headers that a message is sent with say them.
/// - Encoded and decoded, dumped and loaded, a sample keeps its fields, and its bytes the second time.
/// - Threads share a sample, and read its message at once.
/// - Content that is broken, each sample's own or made to break parsers, is refused with a message that a log can take, or
///   read as a model with fields to show. It does not panic.
///
/// It is made for models with an `impl MessageModel` by hand, whose promises no derive keeps:
///
/// ```
/// use bytes::Bytes;
/// use hop_core::{Content, Error, MessageModel, Value, registration, testing};
///
/// #[derive(Debug)]
/// struct Telegram(String);
///
/// impl MessageModel for Telegram {
///     const FORMAT: &'static str = "telegram";
///
///     fn decode(content: Content<'_>) -> Result<Self, Error> {
///         Ok(Self(content.as_str(Self::FORMAT)?.to_owned()))
///     }
///
///     fn encode(&self) -> Result<Bytes, Error> {
///         Ok(self.0.clone().into())
///     }
///
///     fn fields(&self) -> Result<Value, Error> {
///         Ok(Value::object([("text", self.0.as_str().into())]))
///     }
/// }
///
/// let samples = ["Nova in Cygnus", "", "∞"].map(|text| Telegram(text.to_owned()));
/// assert_eq!(testing::conforms(registration!(Telegram), samples)?, 3);
/// # Ok::<(), testing::Failures>(())
/// ```
///
/// # Errors
/// All that is not so, sample by sample. No sample is an error too.
pub fn conforms<M: MessageModel>(model: Registration, samples: impl IntoIterator<Item = M>) -> Result<usize, Failures> {
    if !model.is::<M>() {
        return Err(Failures::one(model.to_string(), "is another model than the samples are"));
    }
    let registry = Registry::builder().models([model]).build()?;
    let samples: Vec<(String, M)> = M::example()
        .map(|example| ("the example".to_owned(), example))
        .into_iter()
        .chain(samples.into_iter().enumerate().map(|(at, sample)| (format!("sample {at}"), sample)))
        .collect();
    if samples.is_empty() {
        return Err(Failures::one(model.to_string(), "there is no sample: give one, or write `MessageModel::example`"));
    }
    let mut failures = Failures { cases: samples.len() + 1, failed: Vec::new() };
    for (name, sample) in &samples {
        if let Err(failed) = one(name, || conform(&model, &registry, sample)) {
            failures.failed.extend(failed.failed);
        }
    }
    if let Err(failed) =
        one("content made to break it", || nasty().iter().try_for_each(|content| refuse(&model, content)))
    {
        failures.failed.extend(failed.failed);
    }
    if failures.failed.is_empty() { Ok(samples.len()) } else { Err(failures) }
}

fn conform<M: MessageModel>(model: &Registration, registry: &Registry, sample: &M) -> Result<(), String> {
    match check_model(model, sample)? {
        Rounds { wire: Kept::Same, file: Kept::Same } => {}
        Rounds { wire: Kept::Same, file } => return Err(lost("dumped and loaded", file)),
        Rounds { wire, .. } => return Err(lost("encoded and decoded", wire)),
    }
    let sent =
        Encoder::new().header("priority", "1").encode(sample).map_err(|error| format!("is not sent: {error}"))?;
    dispatch(model, registry, sample, &sent.headers, &sent.content)?;
    threads(model, sample, &sent.content)?;
    survive(model, &sent.content)?;
    let dumped = MessageModel::dump(sample).map_err(|error| format!("has no file form: {error}"))?;
    if dumped == sent.content { Ok(()) } else { survive(model, &dumped) }
}

fn lost(how: &str, kept: Kept) -> String {
    let whether = if kept == Kept::Settled { "which then stay" } else { "or is not read again" };
    format!("{how}, it has other fields, {whether}; `fields` and both forms have to hold the same")
}

/// Finds the model by each of its labels, however they are written.
fn dispatch<M: MessageModel>(
    model: &Registration,
    registry: &Registry,
    sample: &M,
    headers: &Headers,
    content: &Payload,
) -> Result<(), String> {
    let fields = shown(sample)?;
    for label in [&[M::FORMAT][..], M::ALIASES].concat() {
        let capital = |(at, letter): (usize, char)| if at % 2 == 0 { letter.to_ascii_uppercase() } else { letter };
        let mixed = label.chars().enumerate().map(capital).collect();
        for label in [label.to_owned(), label.to_ascii_uppercase(), mixed] {
            let mut headers = headers.clone();
            headers.remove(header::FORMAT);
            headers.push(header::FORMAT, Some(label.clone().into()));
            let decoded = registry
                .decode(&headers, content.into())
                .map_err(|error| format!("does not decode under the label `{label}`: {error}"))?;
            if !decoded.model.is::<M>() || decoded.route != Route::Header {
                return Err(format!(
                    "`{label}` leads to `{}` ({}), and not to {model}",
                    decoded.model.format(),
                    decoded.route
                ));
            }
            same(&format!("fields, decoded under the label `{label}`"), &shown(&*decoded.model)?, &fields)?;
        }
    }
    Ok(())
}

/// Reads one message in several threads, which share the sample.
fn threads<M: MessageModel>(model: &Registration, sample: &M, content: &Payload) -> Result<(), String> {
    let fields = shown(sample)?;
    let read = || {
        let decoded = model.decode(content.into()).map_err(|error| error.to_string())?;
        same("fields, in a thread", &shown(&*decoded)?, &fields)?;
        same("fields of the sample, in a thread", &shown(sample)?, &fields)?;
        let encoded = AnyModel::encode(sample).map_err(|error| error.to_string())?;
        same_bytes("encoded in a thread", &encoded, "encoding it", content)?;
        Ok(decoded)
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(read)).collect();
        threads.into_iter().try_for_each(|thread| match thread.join() {
            // Dropped here, in another thread than it was made in.
            Ok(decoded) => decoded.map(drop),
            Err(_) => Err("panicked in a thread".to_owned()),
        })
    })
}

/// Within limits that a test has time for.
fn refuse(model: &Registration, content: &[u8]) -> Result<(), String> {
    let limits = Limits { decompressed: 4 << 20, nodes: 100_000, ..Limits::DEFAULT };
    check(model, content, &limits).map(drop).map_err(|reason| format!("{}: {reason}", crate::excerpt(content)))
}
