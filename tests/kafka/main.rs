//! Reading and writing: on Apache Kafka where `HOP_TEST_BROKER` names one, else on the embedded broker.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

mod archive;
mod brokers;
mod choosing;
mod connections;
mod dead_letters;
mod doctor;
mod external;
mod faults;
mod framing;
mod gaps;
mod groups;
mod hostile;
mod large;
mod lost;
mod many;
mod nightly;
mod offload;
mod offsets;
mod panics;
mod passing;
mod reading;
mod registry;
mod rights;
mod security;
mod starting;
mod steering;
mod tokens;
mod topics;
mod unanswered;
mod unreadable;
mod waiting;
mod writing;

use std::time::Duration;

use hop_core::{AnyModel, Blob, JsonBlob, Value};
use hop_kafka::{Alert, Subscription};

/// No test of this suite waits longer for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// Everything that is left, within the time that a test may take.
async fn all(alerts: &mut Subscription) -> Vec<Alert> {
    let mut out = Vec::new();
    while let Some(alert) = next(alerts).await {
        out.push(alert.unwrap());
    }
    out
}

async fn next(alerts: &mut Subscription) -> Option<Result<Alert, hop_kafka::Error>> {
    tokio::time::timeout(PATIENCE, alerts.next()).await.expect("nothing came in time")
}

fn json(number: i64) -> JsonBlob {
    Value::object([("n", number.into())]).into()
}

fn blob(text: &str) -> Blob {
    text.as_bytes().into()
}

/// The numbers of JSON messages made by [`json`].
fn numbers(alerts: &[Alert]) -> Vec<i64> {
    let number = |alert: &Alert| alert.get::<JsonBlob>().unwrap().content["n"].as_i64().unwrap();
    alerts.iter().map(number).collect()
}

/// Sends one after another, each confirmed.
async fn send(url: &str, models: &[&dyn AnyModel]) {
    let out = hop_tests::stream().build().unwrap().publish(url).await.unwrap();
    for model in models {
        out.write(*model).send().await.unwrap();
    }
    out.close().await.unwrap();
}
