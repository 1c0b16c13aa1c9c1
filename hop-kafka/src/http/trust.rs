//! Whose word is taken for a server being what it says it is.

use std::path::Path;

use ureq::config::ConfigBuilder;
use ureq::typestate::AgentScope;

use crate::Error;

/// TLS by the system's library, trusting the authorities in this PEM file in the place of the system's.
#[cfg(any(feature = "ssl", feature = "ssl-vendored"))]
pub(crate) fn trusting(
    config: ConfigBuilder<AgentScope>,
    authorities: Option<&Path>,
) -> Result<ConfigBuilder<AgentScope>, Error> {
    use ureq::tls::{RootCerts, TlsConfig, TlsProvider};

    let roots = match authorities {
        None => RootCerts::PlatformVerifier,
        Some(path) => RootCerts::from(certificates(path).map_err(|why| {
            Error::new(crate::ErrorKind::Tls, format!("{}: {why}", path.display()))
                .help("`ssl_ca_location` is a file of certificates in PEM")
        })?),
    };
    Ok(config.tls_config(TlsConfig::builder().provider(TlsProvider::NativeTls).root_certs(roots).build()))
}

/// Without TLS only an endpoint on this machine can be used.
#[cfg(not(any(feature = "ssl", feature = "ssl-vendored")))]
pub(crate) fn trusting(
    config: ConfigBuilder<AgentScope>,
    _authorities: Option<&Path>,
) -> Result<ConfigBuilder<AgentScope>, Error> {
    Ok(config)
}

/// The certificates in a PEM file.
#[cfg(any(feature = "ssl", feature = "ssl-vendored"))]
fn certificates(path: &Path) -> Result<Vec<ureq::tls::Certificate<'static>>, String> {
    let pem = std::fs::read(path).map_err(|problem| problem.to_string())?;
    let mut found = Vec::new();
    for item in ureq::tls::parse_pem(&pem) {
        match item {
            Ok(ureq::tls::PemItem::Certificate(certificate)) => found.push(certificate),
            Ok(_) => {}
            Err(_) => return Err("it is not PEM".to_owned()),
        }
    }
    if found.is_empty() { Err("there is no certificate in it".to_owned()) } else { Ok(found) }
}
