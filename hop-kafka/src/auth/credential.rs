use std::fmt;
use std::path::{Path, PathBuf};

use hop_core::escape_controls;

use super::token::{self, TokenSource};
use crate::url::Url;
use crate::{Error, ErrorKind};

const FIELDS: &str = "a credential has `username` and `password`, and may have `hostname`, `protocol`, `mechanism`, \
                      `ssl_ca_location`, `token_endpoint`, `token_command`";

/// A username and a password, and where and how they are used.
///
/// ```
/// use hop_kafka::Credential;
///
/// let credential = Credential::new("ada-1234", "secret").hostname("kafka.scimma.org");
/// assert!(!format!("{credential:?}").contains("secret"));
/// ```
///
/// Tokens in the place of a password:
///
/// ```
/// use hop_kafka::Credential;
///
/// // The endpoint gives a token to who knows the client's secret (OpenID Connect, client credentials).
/// let by_endpoint = Credential::new("client-id", "client-secret").token_endpoint("https://auth.example.org/token");
/// // The shell command prints one.
/// let by_command = Credential::new("ada", "").token_command("cat /run/secrets/token");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    pub(super) username: String,
    pub(super) password: Secret,
    pub(super) hostname: Option<String>,
    pub(super) protocol: Protocol,
    pub(super) mechanism: Mechanism,
    pub(super) ssl_ca_location: Option<PathBuf>,
    pub(super) ssl_certificate_location: Option<PathBuf>,
    pub(super) ssl_key_location: Option<PathBuf>,
    pub(super) ssl_key_password: Option<Secret>,
    pub(super) token_endpoint: Option<String>,
    pub(super) token_command: Option<Secret>,
    /// What is wrong with the entry of the file that it was read from.
    pub(super) fault: Option<String>,
}

/// Text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for who it is meant for.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

/// Whether the connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Protocol {
    /// Over TLS, with the broker's certificate and host name checked.
    #[default]
    SaslSsl,
    /// In the clear.
    SaslPlaintext,
}

impl Protocol {
    /// Kafka's name for it: `SASL_SSL` or `SASL_PLAINTEXT`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SaslSsl => "SASL_SSL",
            Self::SaslPlaintext => "SASL_PLAINTEXT",
        }
    }
}

/// How the broker is shown who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Mechanism {
    /// RFC 5802 with SHA-512.
    #[default]
    ScramSha512,
    /// RFC 5802 with SHA-256.
    ScramSha256,
    /// RFC 4616: the password itself.
    Plain,
    /// RFC 7628: a token, from an endpoint or a command.
    OAuthBearer,
}

impl Mechanism {
    /// Its name in SASL, such as `SCRAM-SHA-512`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ScramSha512 => "SCRAM-SHA-512",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::Plain => "PLAIN",
            Self::OAuthBearer => "OAUTHBEARER",
        }
    }
}

impl Credential {
    /// A credential for any broker, over TLS, with SCRAM-SHA-512.
    pub fn new(username: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            username: username.into(),
            password: Secret::new(password),
            hostname: None,
            protocol: Protocol::default(),
            mechanism: Mechanism::default(),
            ssl_ca_location: None,
            ssl_certificate_location: None,
            ssl_key_location: None,
            ssl_key_password: None,
            token_endpoint: None,
            token_command: None,
            fault: None,
        }
    }

    /// An entry of a file that cannot be used, with what could be read of it.
    pub(super) fn faulty(username: String, hostname: Option<String>, fault: String) -> Self {
        Self { hostname, fault: Some(fault), ..Self::new(username, "") }
    }

    /// For this broker alone: `host` or `host:port`; without a port, 9092.
    #[must_use]
    pub fn hostname(mut self, hostname: impl Into<String>) -> Self {
        self.hostname = Some(hostname.into());
        self
    }

    /// With or without TLS.
    #[must_use]
    pub fn protocol(mut self, protocol: Protocol) -> Self {
        self.protocol = protocol;
        self
    }

    /// By another mechanism.
    #[must_use]
    pub fn mechanism(mut self, mechanism: Mechanism) -> Self {
        self.mechanism = mechanism;
        self
    }

    /// Trusting the certificate authorities in this PEM file, in the place of the system's: for the broker, and for the
    /// token endpoint where there is one.
    #[must_use]
    pub fn ssl_ca_location(mut self, path: impl Into<PathBuf>) -> Self {
        self.ssl_ca_location = Some(path.into());
        self
    }

    /// Showing the broker this certificate, with the chain that it takes, and its private key; both in PEM.
    #[must_use]
    pub fn client_certificate(mut self, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.ssl_certificate_location = Some(certificate.into());
        self.ssl_key_location = Some(key.into());
        self
    }

    /// The password of the private key in the client certificate.
    #[must_use]
    pub fn ssl_key_password(mut self, password: impl Into<String>) -> Self {
        self.ssl_key_password = Some(Secret::new(password));
        self
    }

    /// With tokens that this endpoint gives out for client credentials of OpenID Connect: the username is the client's id,
    /// the password its secret.
    ///
    /// It is an `https` URL; `http` only on this machine. The password is sent to no other address: redirections are not
    /// followed. The URL itself is no place for a secret: the HTTP client logs it. Proxies of the environment (`HTTPS_PROXY`, `NO_PROXY`) are used. An endpoint that wants a scope is asked
    /// for the one in the stream's property `sasl.oauthbearer.scope`.
    #[must_use]
    pub fn token_endpoint(mut self, url: impl Into<String>) -> Self {
        self.token_endpoint = Some(url.into());
        self.mechanism = Mechanism::OAuthBearer;
        self
    }

    /// With tokens (JWT) that this shell command prints, within eight seconds; no password is used.
    #[must_use]
    pub fn token_command(mut self, command: impl Into<String>) -> Self {
        self.token_command = Some(Secret::new(command));
        self.mechanism = Mechanism::OAuthBearer;
        self
    }

    /// The username.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// The broker it is for, as it was written; `None` when it is for any.
    pub fn host(&self) -> Option<&str> {
        self.hostname.as_deref()
    }

    /// The password.
    pub(crate) fn secret(&self) -> &Secret {
        &self.password
    }

    pub(crate) fn mechanism_in_use(&self) -> Mechanism {
        self.mechanism
    }

    /// The file of authorities that are trusted in the place of the system's.
    pub(crate) fn authorities(&self) -> Option<&Path> {
        self.ssl_ca_location.as_deref()
    }

    /// Returns whether the connection is encrypted, and how the broker is shown who asks.
    pub fn security(&self) -> (Protocol, Mechanism) {
        (self.protocol, self.mechanism)
    }

    /// Returns why the credential cannot be used, without any of its values; `None` if it can.
    ///
    /// ```
    /// use hop_kafka::Credential;
    ///
    /// assert_eq!(Credential::new("ada", "secret").problem(), None);
    /// assert_eq!(Credential::new("ada", "").problem().as_deref(), Some("has no `password`"));
    /// ```
    pub fn problem(&self) -> Option<String> {
        self.examine().err().map(|(what, _)| what)
    }

    /// The broker's host, in lower case, and its port; `None` for any broker, or where the hostname is invalid.
    pub(super) fn address(&self) -> Option<(String, u16)> {
        let broker = format!("kafka://{}", self.host()?).parse::<Url>().ok()?;
        Some((broker.host().to_ascii_lowercase(), broker.port()))
    }

    /// Whether it is an entry of the file without a username to call it by.
    pub(super) fn has_no_name(&self) -> bool {
        self.fault.is_some() && self.username.is_empty()
    }

    /// Whether both are for the same broker, `host` being `host:9092`; or both for any.
    pub(super) fn has_broker_of(&self, other: &Self) -> bool {
        self.host() == other.host() || self.address().is_some_and(|address| other.address() == Some(address))
    }

    /// Whether it can be used: what its mechanism needs is there.
    ///
    /// # Errors
    /// Kind `Credential`, naming what is missing or not possible.
    pub(super) fn check(&self) -> Result<(), Error> {
        self.examine().map_err(|(what, help)| {
            let error = Error::new(ErrorKind::Credential, format!("the credential {self} {what}"));
            help.into_iter().fold(error, Error::help)
        })
    }

    /// What is wrong with it, and what to do about that.
    fn examine(&self) -> Result<(), (String, Option<&'static str>)> {
        let unusable = |what: &str| (what.to_owned(), None);
        let advised = |what: &str, help| (what.to_owned(), Some(help));
        if let Some(fault) = &self.fault {
            return Err(advised(&format!("cannot be used: {fault}"), FIELDS));
        }
        if self.texts().any(|text| text.contains('\0')) {
            return Err(unusable("has a zero byte in it"));
        }
        let is_host = |hostname: &str| {
            let broker = format!("kafka://{hostname}").parse::<Url>();
            broker.is_ok_and(|url| url.username().is_none() && url.topics().is_empty()) && !hostname.contains('/')
        };
        if !self.hostname.as_deref().is_none_or(is_host) {
            return Err(advised("has an invalid hostname", "write its hostname as `host` or `host:port`"));
        }
        if self.ssl_certificate_location.is_some() != self.ssl_key_location.is_some() {
            return Err(advised(
                "has only one of `ssl_certificate_location` and `ssl_key_location`",
                "a client certificate takes both",
            ));
        }
        match (self.mechanism, &self.token_endpoint, &self.token_command) {
            (Mechanism::OAuthBearer, None, None) => {
                return Err(advised(
                    "has the mechanism OAUTHBEARER and no token",
                    "give it a `token_endpoint` or a `token_command`",
                ));
            }
            (Mechanism::OAuthBearer, Some(url), _) => {
                token::endpoint_url(url).map_err(|why| unusable(&format!("has a `token_endpoint` that {why}")))?;
            }
            (Mechanism::OAuthBearer, None, Some(_)) => return Ok(()),
            _ => {}
        }
        if self.username.is_empty() {
            return Err(unusable("has no `username`"));
        }
        if self.password.reveal().is_empty() {
            return Err(unusable("has no `password`"));
        }
        Ok(())
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        let paths = [&self.ssl_ca_location, &self.ssl_certificate_location, &self.ssl_key_location];
        [self.username.as_str(), self.password.reveal()]
            .into_iter()
            .chain(self.hostname.as_deref())
            .chain(self.ssl_key_password.as_ref().map(Secret::reveal))
            .chain(self.token_endpoint.as_deref())
            .chain(self.token_command.as_ref().map(Secret::reveal))
            .chain(paths.into_iter().flatten().filter_map(|path| path.to_str()))
    }

    /// What librdkafka is told.
    pub(crate) fn settings(&self) -> Vec<(&'static str, String)> {
        let mut settings = vec![
            ("security.protocol", self.protocol.as_str().to_owned()),
            ("sasl.mechanism", self.mechanism.as_str().to_owned()),
        ];
        // Tokens are fetched by us and handed over one by one.
        if self.mechanism != Mechanism::OAuthBearer {
            settings.push(("sasl.username", self.username.clone()));
            settings.push(("sasl.password", self.password.reveal().to_owned()));
        }
        if self.protocol == Protocol::SaslSsl {
            // OpenSSL that was built along looks for the system's CA files in the wrong place; `probe` finds them.
            let ca = self.ssl_ca_location.as_ref().map_or("probe".into(), |path| path.to_string_lossy());
            settings.push(("ssl.ca.location", ca.into_owned()));
            let paths = [
                ("ssl.certificate.location", &self.ssl_certificate_location),
                ("ssl.key.location", &self.ssl_key_location),
            ];
            for (name, path) in paths {
                settings.extend(path.as_ref().map(|path| (name, path.to_string_lossy().into_owned())));
            }
            settings
                .extend(self.ssl_key_password.as_ref().map(|secret| ("ssl.key.password", secret.reveal().to_owned())));
        }
        settings
    }

    /// Where its tokens come from; `None` where the mechanism takes none.
    ///
    /// # Errors
    /// Kind `Credential` or `Tls`: `token_endpoint` or the certificates in `ssl_ca_location` cannot be used.
    pub(crate) fn token_source(&self, scope: Option<&str>) -> Result<Option<TokenSource>, Error> {
        if self.mechanism != Mechanism::OAuthBearer {
            return Ok(None);
        }
        self.check()?;
        TokenSource::new(self, scope).map(Some)
    }
}

/// Who it is and for which broker, as in `` `ada` for kafka.scimma.org ``.
impl fmt::Display for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let username = escape_controls(&self.username);
        match &self.hostname {
            Some(hostname) => write!(f, "`{username}` for {}", escape_controls(hostname)),
            None => write!(f, "`{username}` for any broker"),
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("username", &self.username)
            .field("password", &self.password)
            .field("hostname", &self.hostname)
            .field("protocol", &self.protocol)
            .field("mechanism", &self.mechanism)
            .field("ssl_ca_location", &self.ssl_ca_location)
            .field("ssl_certificate_location", &self.ssl_certificate_location)
            .field("ssl_key_location", &self.ssl_key_location)
            .field("ssl_key_password", &self.ssl_key_password)
            // It may have a password in it, where it does not belong.
            .field("token_endpoint", &self.token_endpoint.as_deref().map(token::shown))
            .field("token_command", &self.token_command)
            .field("fault", &self.fault)
            .finish()
    }
}
