use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use hop_kafka::EmbeddedBroker;
use tokio::net::{TcpListener, TcpStream};

use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::output;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hop broker --port 9092 --topic alerts")]
pub(crate) struct Broker {
    /// Listen at this port of the loopback interface too, which does not change from run to run.
    #[arg(long)]
    pub(crate) port: Option<u16>,

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
    let door = match options.port {
        Some(port) => Some(door(port).await?),
        None => None,
    };
    let url = door
        .as_ref()
        .map_or_else(|| Ok(broker.url("")), |door| door.local_addr().map(|at| format!("kafka://{at}/")))?;
    output::line(url)?;
    let address = broker.address();
    tokio::select! {
        () = interrupt.received() => {}
        () = admit(door, &address) => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// Listens at a port.
async fn door(port: u16) -> Result<TcpListener, Failure> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|error| Failure::Usage(format!("--port {port}: {error}; choose a port that is free, or 0 for any")))
}

/// Passes connections on to the broker, which picks a port of its own and names that to its clients.
async fn admit(door: Option<TcpListener>, broker: &str) {
    let Some(door) = door else { return std::future::pending().await };
    loop {
        match door.accept().await {
            Ok((mut client, _)) => {
                let broker = broker.to_owned();
                tokio::spawn(async move {
                    if let Ok(mut broker) = TcpStream::connect(broker).await {
                        // Whichever side ends it, the other one notices.
                        let _ended = tokio::io::copy_bidirectional(&mut client, &mut broker).await;
                    }
                });
            }
            Err(error) => {
                tracing::warn!(target: "hop", %error, "a connection was not accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}
