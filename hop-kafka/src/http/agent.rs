//! The settings that all requests share, and why there is no answer to one.

use std::io::ErrorKind;
use std::path::Path;

use ureq::Agent;
use ureq::config::ConfigBuilder;
use ureq::http::Uri;
use ureq::typestate::AgentScope;

use super::trust::trusting;
use crate::Error;

/// Returns true for `localhost` and for loopback addresses.
pub(crate) fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || address.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Returns the settings of an agent that sends requests to this URI, and possibly a credential with them.
///
/// # Errors
/// Kind `Tls`: the file of authorities cannot be used.
pub(crate) fn config(uri: &Uri, authorities: Option<&Path>) -> Result<ConfigBuilder<AgentScope>, Error> {
    let mut config = Agent::config_builder()
        // A login goes to no other address than the one that was given.
        .max_redirects(0)
        .http_status_as_error(false)
        // The next request comes long after; nothing is kept open until then.
        .max_idle_connections(0)
        .user_agent(concat!("hop-rust/", env!("CARGO_PKG_VERSION")));
    if uri.scheme_str() == Some("https") {
        config = trusting(config, authorities)?;
    } else if is_this_machine(uri.host().unwrap_or_default()) {
        // No proxy is to see a password.
        config = config.proxy(None);
    }
    Ok(config)
}

/// Why there is no answer.
pub(crate) enum NoAnswer {
    /// Time ran out.
    Late,
    /// There was no connection.
    Unreachable(String),
    /// The connection ended before the answer did.
    Ended(String),
    /// The connection through the proxy of the environment failed.
    Proxy,
    /// The server's certificate is not trusted.
    Untrusted(String),
    /// The server speaks TLS, and this program does not.
    NoTls,
    /// The answer is not HTTP.
    Garbled,
    /// The answer is longer than allowed.
    TooLong,
}

impl NoAnswer {
    pub(crate) fn of(error: &ureq::Error) -> Self {
        use ureq::Error as Http;
        match error {
            Http::Timeout(_) => Self::Late,
            Http::Io(problem) if problem.kind() == ErrorKind::TimedOut => Self::Late,
            Http::Io(problem) if is_end(problem.kind()) => Self::Ended(problem.to_string()),
            Http::HostNotFound => Self::Unreachable("its name does not resolve".to_owned()),
            Http::Io(problem) => Self::Unreachable(problem.to_string()),
            Http::InvalidProxyUrl | Http::ConnectProxyFailed(_) => Self::Proxy,
            Http::BodyExceedsLimit(_) => Self::TooLong,
            #[cfg(any(feature = "ssl", feature = "ssl-vendored"))]
            Http::NativeTls(problem) => Self::Untrusted(problem.to_string()),
            Http::TlsRequired | Http::Tls(_) => Self::NoTls,
            // Its own words may quote what was received.
            Http::Protocol(_) | Http::Http(_) | Http::LargeResponseHeader(..) => Self::Garbled,
            _ => Self::Unreachable("the connection failed".to_owned()),
        }
    }
}

/// Returns true for what a connection says that was there and has ended.
const fn is_end(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::UnexpectedEof
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
            | ErrorKind::NotConnected
    )
}
