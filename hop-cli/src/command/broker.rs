use std::process::ExitCode;

use hop_kafka::EmbeddedBroker;

use crate::args::Broker;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::output;

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
