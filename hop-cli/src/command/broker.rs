use std::future::{Future, poll_fn};
use std::pin::pin;
use std::process::ExitCode;
use std::task::Poll;

use hop_kafka::EmbeddedBroker;

use crate::args::Broker;
use crate::failure::Failure;
use crate::output;

pub(crate) async fn run(options: Broker) -> Result<ExitCode, Failure> {
    let broker = EmbeddedBroker::start()?;
    for (name, partitions) in &options.topic {
        broker.create_topic(name, *partitions)?;
    }
    let mut interrupted = pin!(tokio::signal::ctrl_c());
    // It listens once it is polled: before anyone can know that there is a broker to end.
    let already = poll_fn(|context| Poll::Ready(interrupted.as_mut().poll(context))).await;
    output::line(broker.url(""))?;
    match already {
        Poll::Ready(outcome) => outcome?,
        Poll::Pending => interrupted.await?,
    }
    Ok(ExitCode::SUCCESS)
}
