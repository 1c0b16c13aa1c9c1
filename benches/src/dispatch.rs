//! What it costs to find the model of a label, among few models and among many, and to know them all.

use bytes::Bytes;
use hop_core::{Content, Error, Headers, MessageModel, Registration, Registry, Value, header};

use crate::table::Row;
use crate::{Options, Outcome, time};

/// A model that does nothing, labelled `model-` and three digits.
#[derive(Debug)]
struct Numbered<const A: u8, const B: u8, const C: u8>;

impl<const A: u8, const B: u8, const C: u8> Numbered<A, B, C> {
    const LABEL: &'static [u8] = &[b'm', b'o', b'd', b'e', b'l', b'-', b'0' + A, b'0' + B, b'0' + C];
}

impl<const A: u8, const B: u8, const C: u8> MessageModel for Numbered<A, B, C> {
    const FORMAT: &'static str = match std::str::from_utf8(Self::LABEL) {
        Ok(label) => label,
        Err(_) => "",
    };

    fn decode(_: Content<'_>) -> Result<Self, Error> {
        Ok(Self)
    }

    fn encode(&self) -> Result<Bytes, Error> {
        Ok(Bytes::new())
    }

    fn fields(&self) -> Result<Value, Error> {
        Ok(Value::Null)
    }
}

fn one<const A: u8, const B: u8, const C: u8>() -> Registration {
    Registration::of::<Numbered<A, B, C>>("Numbered", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
}

macro_rules! ten {
    ($one:ident $(, $digit:ident)*) => {
        [
            $one::<$($digit,)* 0>(), $one::<$($digit,)* 1>(), $one::<$($digit,)* 2>(), $one::<$($digit,)* 3>(),
            $one::<$($digit,)* 4>(), $one::<$($digit,)* 5>(), $one::<$($digit,)* 6>(), $one::<$($digit,)* 7>(),
            $one::<$($digit,)* 8>(), $one::<$($digit,)* 9>(),
        ]
    };
}

fn ten<const A: u8, const B: u8>() -> [Registration; 10] {
    ten!(one, A, B)
}

fn hundred<const A: u8>() -> Vec<Registration> {
    ten!(ten, A).concat()
}

pub(crate) fn rows(options: &Options) -> Outcome<Vec<Row>> {
    let thousand = ten!(hundred).concat();
    let rounds = options.rounds();
    Ok(vec![
        dispatch("dispatch-10", &thousand[..10], 10, rounds)?,
        dispatch("dispatch-1000", &thousand, 10, rounds)?,
        dispatch("dispatch-1000-each", &thousand, 1000, rounds)?,
        start_up("start-up-10", &thousand[..10], rounds)?,
        start_up("start-up-1000", &thousand, rounds)?,
    ])
}

/// Finds the models of ten labels in turn, so many times.
pub(crate) fn repeat(times: u64) -> Outcome<()> {
    let models = ten::<0, 0>();
    let registry = Registry::builder().models(models).build()?;
    let headers: Vec<Headers> =
        models.iter().map(|model| [(header::FORMAT, Some(model.format()))].into_iter().collect()).collect();
    let content = Bytes::new();
    for headers in headers.iter().cycle().take(times as usize) {
        std::hint::black_box(registry.decode(headers, (&content).into())?);
    }
    Ok(())
}

/// Makes the registry, which a program does once.
fn start_up(name: &str, models: &[Registration], rounds: usize) -> Outcome<Row> {
    let mut seconds = Vec::new();
    for _ in 0..rounds {
        let work = || Ok(Registry::builder().models(models.iter().copied()).build()?.iter().len() as f64);
        seconds.push(time(1, work)?.0);
    }
    Ok(Row::alone(name, seconds))
}

/// Decodes messages of the first so many models in turn, whose decoding costs nothing.
fn dispatch(name: &str, models: &[Registration], sent: usize, rounds: usize) -> Outcome<Row> {
    const TIMES: u64 = 200_000;
    let registry = Registry::builder().models(models.iter().copied()).build()?;
    let headers: Vec<Headers> =
        models[..sent].iter().map(|model| [(header::FORMAT, Some(model.format()))].into_iter().collect()).collect();
    let content = Bytes::new();
    let mut seconds = Vec::new();
    for _ in 0..rounds {
        let mut next = headers.iter().cycle();
        let work = || {
            let headers = next.next().ok_or("no models")?;
            let decoded = registry.decode(headers, (&content).into())?;
            Ok(decoded.model.format().len() as f64)
        };
        seconds.push(time(TIMES, work)?.0 / TIMES as f64);
    }
    Ok(Row::alone(name, seconds))
}
