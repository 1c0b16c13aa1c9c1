//! Decoding as a consumer does it: headers and shared content through the registry, then a few fields are read.

use std::path::Path;

use hop_core::{Content, Headers, Registry, header};

use crate::inputs::{self, Case, Form};
use crate::peer::{self, Peer};
use crate::table::Row;
use crate::{Options, Outcome, time};

/// How long one round of one side takes, about.
const ROUND: f64 = 0.01;

pub(crate) fn rows(options: &Options) -> Outcome<Vec<Row>> {
    let cases = inputs::cases()?;
    if let Some(name) = options.names.iter().find(|name| cases.iter().all(|case| case.name != **name)) {
        let names: Vec<_> = cases.iter().map(|case| case.name).collect();
        return Err(format!("no row is called `{name}`; there are {}", names.join(", ")).into());
    }
    let registry = Registry::builder().models(hop_models::MODELS).build()?;
    let folder = peer::root().join("target/bench");
    std::fs::create_dir_all(&folder)?;
    let mut peer = Peer::start()?;
    let wanted = |case: &&Case| options.names.is_empty() || options.names.iter().any(|name| case.name == name);
    let rows = cases.iter().filter(wanted).map(|case| row(case, &registry, &mut peer, &folder, options.rounds()));
    rows.collect()
}

/// Measures one case: ours, hop-client's, ours, hop-client's, …
fn row(case: &Case, registry: &Registry, peer: &mut Peer, folder: &Path, rounds: usize) -> Outcome<Row> {
    let file = folder.join(case.name);
    std::fs::write(&file, &case.content)?;
    let headers: Headers =
        [("_id", Some(&b"0123456789abcdef"[..])), (header::FORMAT, Some(case.label.as_bytes()))].into_iter().collect();
    let mut ours = |times| {
        time(times, || {
            let content = Content::from(&case.content);
            let model = match case.form {
                Form::Wire => registry.decode(&headers, content)?.model,
                Form::File => registry.require(case.label)?.load(content)?,
            };
            (case.read)(&*model)
        })
    };
    let mut theirs = |times| peer.time(case.name, &file, times);

    let ((_, here), (_, there)) = (ours(1)?, theirs(1)?);
    if here.is_nan() || (here - there).abs() > 1e-6 * here.abs() {
        return Err(format!("{}: hop reads {here} and hop-client {there}", case.name).into());
    }
    let (our_times, their_times) = (repetitions(&mut ours)?, repetitions(&mut theirs)?);
    let mut pairs = Vec::new();
    for _ in 0..rounds {
        let our_seconds = ours(our_times)?.0 / our_times as f64;
        pairs.push((our_seconds, theirs(their_times)?.0 / their_times as f64));
    }
    Ok(Row::beside(case.name, case.content.len(), &pairs))
}

/// How many times fill a round.
fn repetitions(side: &mut impl FnMut(u64) -> Outcome<(f64, f64)>) -> Outcome<u64> {
    let mut times = 1;
    loop {
        let (seconds, _) = side(times)?;
        if seconds > ROUND / 4.0 {
            return Ok((times as f64 * ROUND / seconds).ceil() as u64);
        }
        times *= 2;
    }
}
