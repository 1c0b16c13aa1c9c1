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

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use openssl::asn1::Asn1Time;
    use openssl::bn::BigNum;
    use openssl::ec::{EcGroup, EcKey};
    use openssl::hash::MessageDigest;
    use openssl::pkey::{PKey, Private};
    use openssl::ssl::SslAcceptor;
    use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
    use openssl::x509::{X509Builder, X509NameBuilder};

    use super::*;

    struct Authority {
        key: PKey<Private>,
        certificate: X509,
    }

    fn key() -> PKey<Private> {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
        PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
    }

    /// A certificate that is valid from one day to another, counted from 1970.
    fn begin(name: &str, key: &PKey<Private>, days: [i64; 2]) -> X509Builder {
        let mut builder = X509::builder().unwrap();
        builder.set_version(2).unwrap();
        builder.set_serial_number(&BigNum::from_u32(1).unwrap().to_asn1_integer().unwrap()).unwrap();
        let mut subject = X509NameBuilder::new().unwrap();
        subject.append_entry_by_text("CN", name).unwrap();
        builder.set_subject_name(&subject.build()).unwrap();
        builder.set_pubkey(key).unwrap();
        let [from, to] = days.map(|day| Asn1Time::from_unix(day * 86400).unwrap());
        builder.set_not_before(&from).unwrap();
        builder.set_not_after(&to).unwrap();
        builder
    }

    fn authority() -> Authority {
        let key = key();
        let mut builder = begin("an authority", &key, [1, 40_000]);
        builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
        let name = begin("an authority", &key, [1, 2]).build().subject_name().to_owned().unwrap();
        builder.set_issuer_name(&name).unwrap();
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        Authority { key, certificate: builder.build() }
    }

    /// What is found wrong with a broker's certificate that `signs` signed, by one who trusts `trusted`.
    fn found(signs: &Authority, trusted: &Authority, days: [i64; 2], names: &[String]) -> Option<(String, Help)> {
        let own = key();
        let mut builder = begin("a broker", &own, days);
        builder.set_issuer_name(signs.certificate.subject_name()).unwrap();
        if !names.is_empty() {
            let mut alternative = SubjectAlternativeName::new();
            for name in names {
                if name.contains(':') {
                    alternative.ip(name)
                } else {
                    alternative.dns(name)
                };
            }
            let alternative = alternative.build(&builder.x509v3_context(Some(&signs.certificate), None)).unwrap();
            builder.append_extension(alternative).unwrap();
        }
        builder.sign(&signs.key, MessageDigest::sha256()).unwrap();
        let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
        acceptor.set_private_key(&own).unwrap();
        acceptor.set_certificate(&builder.build()).unwrap();
        let acceptor = acceptor.build();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let broker = std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            // Whether it comes to an end is for the other side to decide.
            let _ended = acceptor.accept(stream);
        });
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, trusted.certificate.to_pem().unwrap()).unwrap();
        let mut config = ClientConfig::new();
        config.set("ssl.ca.location", file.to_str().unwrap());
        let found = Trust::of(&config).unwrap().examine("localhost", port);
        broker.join().unwrap();
        found
    }

    #[test]
    fn what_is_wrong_with_a_certificate_is_said() {
        let (ours, other) = (authority(), authority());
        let good = [1, 40_000];
        let here = ["localhost".to_owned()];
        assert_eq!(found(&ours, &ours, good, &here), None);

        let (what, help) = found(&ours, &ours, [1, 2], &here).unwrap();
        assert_eq!(what, "the certificate of `a broker` ran out on Jan  3 00:00:00 1970 GMT");
        assert!(help.contains("this machine's clock"), "{help}");
        let (what, _) = found(&ours, &ours, [39_999, 40_000], &here).unwrap();
        assert!(what.starts_with("the certificate of `a broker` is not valid before "), "{what}");

        let elsewhere = ["*.kafka.example".to_owned(), "::1".to_owned()];
        let (what, _) = found(&ours, &ours, good, &elsewhere).unwrap();
        assert_eq!(what, "the broker's certificate is for `*.kafka.example`, `::1`, and not for `localhost`");
        let many: Vec<_> = (0..9).map(|number| format!("b{number}")).collect();
        let (what, _) = found(&ours, &ours, good, &many).unwrap();
        assert!(what.contains("for `b0`, `b1`, `b2`, `b3`, `b4` and 4 more, and not"), "{what}");
        let (what, _) = found(&ours, &ours, good, &[]).unwrap();
        assert_eq!(what, "the broker's certificate is for `a broker`, and not for `localhost`");

        // Both have the same name, so the signature is what does not fit.
        let (what, help) = found(&other, &ours, good, &here).unwrap();
        assert!(what.starts_with("the broker's certificate is not trusted: "), "{what}");
        assert!(what.ends_with(", issued by `an authority`"), "{what}");
        assert!(help.ends_with("ca.pem has to have the authority that issued it"), "{help}");
    }

    #[test]
    fn settings_that_are_not_followed_are_left_alone() {
        let mut config = ClientConfig::new();
        config.set("ssl.ca.location", "probe");
        let trust = Trust::of(&config).unwrap();
        assert!(trust.authorities.is_none() && trust.checks_host);
        config.set("ssl.ca.pem", "…");
        assert!(Trust::of(&config).is_none());
    }
}
