use std::process::ExitCode;

use clap::Args;
use hop_core::{Registry, Value};
use hop_kafka::Broker;

use crate::failure::Failure;
use crate::output;
use crate::output::table::table;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hop brokers")]
pub(crate) struct Brokers {
    /// Print a JSON list, with the rules for topics.
    #[arg(short, long)]
    pub(crate) json: bool,
}

pub(crate) fn run(registry: &Registry, options: &Brokers) -> Result<ExitCode, Failure> {
    let brokers = Broker::all()?;
    if options.json {
        output::line(Value::Array(brokers.iter().map(as_json).collect()))?;
    } else {
        show(&brokers)?;
    }
    let mut all_known = true;
    for error in brokers.iter().filter_map(|broker| broker.check_rules(registry).err()) {
        all_known = false;
        output::complain(error);
    }
    Ok(if all_known { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints a line a broker.
fn show(brokers: &[Broker]) -> Result<(), Failure> {
    let rows: Vec<[String; 4]> = brokers
        .iter()
        .map(|broker| {
            let login = broker.mechanism.map_or("none", |mechanism| mechanism.as_str());
            let host = broker.hosts.first().map(ToString::to_string).unwrap_or_default();
            [broker.name.clone(), broker.title.clone(), login.to_owned(), host]
        })
        .collect();
    Ok(table(["NAME", "BROKER", "LOGIN", "HOST"], &rows)?)
}

fn as_json(broker: &Broker) -> Value {
    let text = |text: Option<&str>| text.map_or(Value::Null, Into::into);
    let number = |number: Option<i64>| number.map_or(Value::Null, Value::Int);
    let rules = broker.rules().iter().map(|rule| {
        Value::object([
            ("pattern", rule.pattern().as_str().into()),
            ("format", rule.label().into()),
            ("before_header", rule.is_before_header().into()),
            ("framing", text(rule.framing_name())),
        ])
    });
    Value::object([
        ("name", broker.name.as_str().into()),
        ("title", broker.title.as_str().into()),
        ("hosts", Value::Array(broker.hosts.iter().map(|host| host.to_string().into()).collect())),
        ("port", Value::Int(broker.port.into())),
        ("protocol", text(broker.protocol.map(|protocol| protocol.as_str()))),
        ("mechanism", text(broker.mechanism.map(|mechanism| mechanism.as_str()))),
        ("token_endpoint", text(broker.token_endpoint.as_deref())),
        ("scope", text(broker.scope.as_deref())),
        ("group", broker.group.as_str().into()),
        ("retention_days", number(broker.retention_days.map(i64::from))),
        ("largest_message", number(broker.largest_message.and_then(|bytes| i64::try_from(bytes).ok()))),
        ("registry", text(broker.registry.as_deref())),
        ("heartbeat", text(broker.heartbeat.as_deref())),
        ("third_hand", Value::Array(broker.third_hand.iter().map(|name| name.as_str().into()).collect())),
        ("topics", Value::Array(rules.collect())),
    ])
}
