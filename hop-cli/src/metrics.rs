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
