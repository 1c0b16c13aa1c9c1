//! How many instructions of the processor decoding and dispatch take, as valgrind's callgrind counts them: about the same
//! number on a busy machine as on an idle one.

use std::collections::BTreeMap;
use std::process::Command;

use hop_core::{Content, Headers, Registry, header};

use crate::inputs::{self, Case, Form};
use crate::{Outcome, dispatch};

/// What finding the model among ten is called here.
const DISPATCH: &str = "dispatch-10";
/// Not counted: it takes long there and adds nothing to the others.
const LEFT_OUT: [&str; 2] = ["json-large", "avro-alert"];

/// Instructions for one message of each kind.
pub(crate) fn count() -> Outcome<BTreeMap<String, u64>> {
    let cases = inputs::cases()?;
    let counted = cases.iter().filter(|case| !LEFT_OUT.contains(&case.name)).map(|case| (case.name, times(case)));
    let idle = collected(DISPATCH, 0)?;
    let each = |(name, times): (&str, u64)| {
        let instructions = collected(name, times)?.saturating_sub(idle);
        Outcome::Ok((name.to_owned(), instructions / times))
    };
    counted.chain([(DISPATCH, 20_000)]).map(each).collect()
}

/// How often a message is decoded, so that it matters beside the start of the program.
fn times(case: &Case) -> u64 {
    (3_000_000 / (case.content.len() as u64 + 1000)).clamp(40, 2000)
}

/// What the whole program takes that does the work so many times.
fn collected(name: &str, times: u64) -> Outcome<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe()?)
        .args(["work", name, &times.to_string()])
        .output()
        .map_err(|error| format!("valgrind does not run: {error} (Debian: apt-get install valgrind)"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    let number = text.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
    match number {
        Some(number) if output.status.success() => Ok(number),
        _ => Err(format!("valgrind counted nothing for `{name}`: {text}").into()),
    }
}

/// The program that is counted.
pub(crate) fn work(name: &str, times: u64) -> Outcome<()> {
    // The preparations are the same, whatever the work is.
    let cases = inputs::cases()?;
    let registry = Registry::builder().models(hop_models::MODELS).build()?;
    if name == DISPATCH {
        return dispatch::repeat(times);
    }
    let case = cases.iter().find(|case| case.name == name).ok_or("no such row")?;
    let headers: Headers = [(header::FORMAT, Some(case.label))].into_iter().collect();
    for _ in 0..times {
        let content = Content::from(&case.content);
        let model = match case.form {
            Form::Wire => registry.decode(&headers, content)?.model,
            Form::File => registry.require(case.label)?.load(content)?,
        };
        std::hint::black_box((case.read)(&*model)?);
    }
    Ok(())
}
