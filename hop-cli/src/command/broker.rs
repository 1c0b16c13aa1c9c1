use std::process::ExitCode;

use hop_kafka::EmbeddedBroker;

use crate::args::Broker;
use crate::failure::Failure;
use crate::output;

pub(crate) async fn run(options: Broker) -> Result<ExitCode, Failure> {
    let broker = EmbeddedBroker::start()?;
    for (name, partitions) in &options.topic {
        broker.create_topic(name, *partitions)?;
    }
    output::line(broker.url(""))?;
    tokio::signal::ctrl_c().await?;
    Ok(ExitCode::SUCCESS)
}
