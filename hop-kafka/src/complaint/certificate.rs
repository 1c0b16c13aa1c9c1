//! What is wrong with a broker's certificate.
//!
//! librdkafka says only that it could not be verified. When it has said so, the handshake is done once more here, with the
//! same authorities and nothing else: no credential is sent, and the connection is closed after it.

use std::net::{TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode};
use openssl::x509::{X509, X509NameRef, X509Ref, X509VerifyResult};
use rdkafka::config::ClientConfig;

use super::Help;

/// How long each step of the handshake may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// Names of a certificate that are listed; it may have hundreds.
const LISTED: usize = 5;
/// Characters of a name that are shown.
const SHOWN: usize = 100;

// What is wrong, as openssl/x509_vfy.h numbers it.
const EARLY: i32 = 9;
const EXPIRED: i32 = 10;
const HOST: i32 = 62;
const ADDRESS: i32 = 64;

/// Whom a client trusts.
#[derive(Debug)]
pub(super) struct Trust {
    /// The file or the folder of authorities; the system's where there is none.
    authorities: Option<PathBuf>,
    checks_host: bool,
}

impl Trust {
    /// As the settings say it; `None` where they say it in a way that is not followed here.
    pub(super) fn of(config: &ClientConfig) -> Option<Self> {
        let elsewhere = ["ssl.ca.pem", "ssl.ca.certificate.stores", "ssl.providers", "ssl.engine.location"];
        if elsewhere.iter().any(|name| config.get(name).is_some()) {
            return None;
        }
        let authorities = config.get("ssl.ca.location").filter(|location| *location != "probe").map(PathBuf::from);
        Some(Self { authorities, checks_host: config.get("ssl.endpoint.identification.algorithm") != Some("none") })
    }

    /// What is wrong with the certificate that the broker shows, and the way out; `None` where it cannot be seen any more.
    pub(super) fn examine(&self, host: &str, port: u16) -> Option<(String, Help)> {
        let (wrong, certificate) = self.handshake(host, port)?;
        Some(self.told(host, wrong, &certificate))
    }

    /// The first thing that is wrong, and the certificate it is wrong with.
    fn handshake(&self, host: &str, port: u16) -> Option<(X509VerifyResult, X509)> {
        let address = (host, port).to_socket_addrs().ok()?.next()?;
        let stream = TcpStream::connect_timeout(&address, PATIENCE).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        stream.set_write_timeout(Some(PATIENCE)).ok()?;
        let seen = Arc::new(Mutex::new(None));
        let seeing = Arc::clone(&seen);
        let mut connector = self.connector().ok()?;
        connector.set_verify_callback(SslVerifyMode::PEER, move |fine, context| {
            if !fine {
                let certificate = context.current_cert().map(X509Ref::to_owned);
                let mut seeing = seeing.lock().unwrap_or_else(PoisonError::into_inner);
                *seeing = certificate.map(|certificate| (context.error(), certificate));
            }
            fine
        });
        let configured = connector.build().configure().ok()?.verify_hostname(self.checks_host);
        // It fails as it did before; what is of interest was seen on the way.
        let _failed = configured.connect(host, stream);
        seen.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn connector(&self) -> Result<openssl::ssl::SslConnectorBuilder, ErrorStack> {
        let mut connector = SslConnector::builder(SslMethod::tls_client())?;
        match &self.authorities {
            Some(folder) if folder.is_dir() => connector.load_verify_locations(None, Some(folder))?,
            Some(file) => connector.set_ca_file(file)?,
            None => {
                let found = openssl_probe::probe();
                let folder = found.cert_dir.first().map(PathBuf::as_path);
                connector.load_verify_locations(found.cert_file.as_deref(), folder)?;
            }
        }
        Ok(connector)
    }

    fn told(&self, host: &str, wrong: X509VerifyResult, certificate: &X509Ref) -> (String, Help) {
        match wrong.as_raw() {
            HOST | ADDRESS => (
                format!("the broker's certificate is for {}, and not for `{host}`", names(certificate)),
                "connect by a name that the certificate is for".into(),
            ),
            EXPIRED => (
                format!(
                    "the certificate of {} ran out on {}",
                    name(certificate.subject_name()),
                    certificate.not_after()
                ),
                "ask those who run the broker for a new one, and check this machine's clock".into(),
            ),
            EARLY => (
                format!(
                    "the certificate of {} is not valid before {}",
                    name(certificate.subject_name()),
                    certificate.not_before()
                ),
                "check this machine's clock".into(),
            ),
            _ => (
                format!(
                    "the broker's certificate is not trusted: {}, issued by {}",
                    wrong.error_string(),
                    name(certificate.issuer_name())
                ),
                self.cure(),
            ),
        }
    }

    /// What to do about an authority that is not known.
    fn cure(&self) -> Help {
        match self.authorities.as_deref().map(Path::display) {
            Some(file) => format!("{file} has to have the authority that issued it").into(),
            None => {
                "name the authority's file in the credential, as `ssl_ca_location`; if it is a public one, install the \
                     system's (ca-certificates)"
                    .into()
            }
        }
    }
}

/// The hosts that a certificate is for.
fn names(certificate: &X509Ref) -> String {
    let alternative = certificate.subject_alt_names();
    let hosts: Vec<String> = alternative
        .iter()
        .flatten()
        .filter_map(|name| name.dnsname().map(quoted).or_else(|| name.ipaddress().and_then(address)))
        .collect();
    match hosts.len() {
        0 => name(certificate.subject_name()),
        few if few <= LISTED => hosts.join(", "),
        many => format!("{} and {} more", hosts[..LISTED].join(", "), many - LISTED),
    }
}

/// An IP address, which stands in certificates as four or sixteen bytes.
fn address(bytes: &[u8]) -> Option<String> {
    let four = <[u8; 4]>::try_from(bytes).map(std::net::IpAddr::from);
    four.or_else(|_| <[u8; 16]>::try_from(bytes).map(Into::into)).ok().map(|address| format!("`{address}`"))
}

/// Whom a certificate names: its common name, else its organisation.
fn name(name: &X509NameRef) -> String {
    let entry = |kind| name.entries_by_nid(kind).next()?.data().to_string().ok();
    let found = entry(Nid::COMMONNAME).or_else(|| entry(Nid::ORGANIZATIONNAME));
    found.map_or_else(|| "someone who is not named".to_owned(), |found| quoted(&found))
}

fn quoted(text: &str) -> String {
    let shown: String = text.chars().take(SHOWN).collect();
    format!("`{}`", shown.escape_debug())
}
