//! From the name of the broker to a connection, without a word of Kafka's.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::{Patient, Report, Step};
use crate::failure::Failure;

/// Runs what blocks on a thread of its own, and waits no longer than this; the thread may go on.
pub(super) async fn within<T: Send + 'static>(
    patience: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (tell, told) = oneshot::channel();
    let spawned = std::thread::Builder::new().name("hop-doctor".to_owned()).spawn(move || {
        // Nobody may wait for it any more.
        let _told = tell.send(work());
    });
    spawned.ok()?;
    tokio::time::timeout(patience, told).await.ok()?.ok()
}

/// Looks at the name and the connection; returns whether there is one.
pub(super) async fn examine(patient: &Patient<'_>, report: &mut Report) -> Result<bool, Failure> {
    let Some(addresses) = resolve(patient, report).await? else {
        report.add(Step::skipped("connection", "there is no address to connect to"))?;
        return Ok(false);
    };
    connect(patient, addresses, report).await
}

async fn resolve(patient: &Patient<'_>, report: &mut Report) -> Result<Option<Vec<SocketAddr>>, Failure> {
    const NAME: &str = "name";
    const ADVICE: &str = "check the spelling of the host name, and that this machine's resolver works";
    let (host, port) = (patient.url.host().to_owned(), patient.url.port());
    let asked = host.clone();
    let found = within(patient.patience, move || (asked.as_str(), port).to_socket_addrs().map(Vec::from_iter)).await;
    let step = match found {
        Some(Ok(addresses)) if !addresses.is_empty() => {
            let shown: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
            report.add(Step::ok(NAME, format!("{host} is {}", shown.join(", "))))?;
            return Ok(Some(addresses));
        }
        Some(Ok(_)) => Step::failed(NAME, format!("{host}: the name does not resolve: there is no address"), ADVICE),
        Some(Err(error)) => Step::failed(NAME, format!("{host}: the name does not resolve: {error}"), ADVICE),
        None => Step::failed(
            NAME,
            format!("{host}: the name does not resolve: no answer within {} s", patient.patience.as_secs()),
            ADVICE,
        ),
    };
    report.add(step)?;
    Ok(None)
}

async fn connect(patient: &Patient<'_>, addresses: Vec<SocketAddr>, report: &mut Report) -> Result<bool, Failure> {
    const NAME: &str = "connection";
    let share = patient.patience / u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    let attempt = move || {
        let mut last = None;
        for address in addresses {
            let started = Instant::now();
            match TcpStream::connect_timeout(&address, share.max(Duration::from_millis(100))) {
                Ok(_closed) => return Ok((address, started.elapsed())),
                Err(error) => last = Some((address, error)),
            }
        }
        Err(last)
    };
    let no_answer = |address: &str| {
        Step::failed(
            NAME,
            format!("{address} does not answer"),
            "check the host, the port, and whether a firewall is in between",
        )
    };
    let step = match within(patient.patience + Duration::from_secs(1), attempt).await {
        Some(Ok((address, took))) => {
            report.add(Step::ok(NAME, format!("{address} accepts connections ({} ms)", took.as_millis())))?;
            return Ok(true);
        }
        Some(Err(Some((address, error)))) => match error.kind() {
            ErrorKind::ConnectionRefused => Step::failed(
                NAME,
                format!("{address}: nobody listens there"),
                "check the port, and that the broker is up",
            ),
            ErrorKind::TimedOut | ErrorKind::WouldBlock => no_answer(&address.to_string()),
            _ => Step::failed(NAME, format!("{address}: {error}"), "check the network of this machine"),
        },
        Some(Err(None)) | None => no_answer(&patient.url.broker()),
    };
    report.add(step)?;
    Ok(false)
}
