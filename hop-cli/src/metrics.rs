//! Counters over HTTP, for Prometheus.

use std::net::SocketAddr;

use metrics_exporter_prometheus::PrometheusBuilder;

use crate::failure::Failure;

/// Answers requests at this address from now on, in a task.
pub(crate) fn serve(address: SocketAddr) -> Result<(), Failure> {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::Usage(format!("--metrics {address}: {error}; choose a free port, at an address of this machine"))
    };
    // The exporter binds in its task, where a failure would only be logged.
    drop(std::net::TcpListener::bind(address).map_err(|error| failed(&error))?);
    PrometheusBuilder::new().with_http_listener(address).install().map_err(|error| failed(&error))
}

/// Reads an address to listen at; a port alone is one of this machine.
pub(crate) fn listen_address(text: &str) -> Result<std::net::SocketAddr, String> {
    if let Ok(port) = text.parse() {
        return Ok(std::net::SocketAddr::from((std::net::Ipv4Addr::LOCALHOST, port)));
    }
    text.parse().map_err(|_| "expected a port, or an address with one such as `0.0.0.0:9090`".to_owned())
}
