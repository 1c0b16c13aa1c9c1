use std::process::ExitCode;

use clap::Args;
use hop_kafka::EmbeddedBroker;

use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::output;

#[derive(Debug, Args)]
pub(crate) struct Broker {
    /// Make a topic beforehand, with so many partitions: `name` or `name:partitions`. Others are made as they are used.
    #[arg(long, value_name = "NAME[:PARTITIONS]", value_parser = topic)]
    pub(crate) topic: Vec<(String, u16)>,
}

fn topic(text: &str) -> Result<(String, u16), String> {
    match text.split_once(':') {
        None => Ok((text.to_owned(), 1)),
        Some((name, partitions)) => {
            let partitions =
                partitions.parse().map_err(|_| format!("expected a number of partitions, found `{partitions}`"))?;
            Ok((name.to_owned(), partitions))
        }
    }
}

pub(crate) async fn run(options: Broker) -> Result<ExitCode, Failure> {
    let broker = EmbeddedBroker::start()?;
    for (name, partitions) in &options.topic {
        broker.create_topic(name, *partitions)?;
    }
    // Before anyone can know that there is a broker to end.
    let mut interrupt = Interrupt::listen()?;
    output::line(broker.url(""))?;
    interrupt.received().await;
    Ok(ExitCode::SUCCESS)
}
