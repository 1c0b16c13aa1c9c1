//! Who a stream speaks as: credentials, the file that holds them, and which one is taken.
//!
//! Credentials stand in `$XDG_CONFIG_HOME/hop/auth.toml`, else `$HOME/.config/hop/auth.toml`, the same file that
//! hop-client uses; it must be readable by its owner alone. Older forms are read too: a single `[auth]` table, and either
//! form in `config.toml` beside it.
//!
//! ```toml
//! [[auth]]
//! username = "ada-1234"
//! password = "…"
//! hostname = "kafka.scimma.org"      # left out: for any broker
//! protocol = "SASL_SSL"              # the default; or SASL_PLAINTEXT
//! mechanism = "SCRAM-SHA-512"        # the default; or SCRAM-SHA-256, PLAIN
//! ssl_ca_location = "/path/to/ca.pem"
//! ```

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use crate::url::Url;
use crate::{Error, ErrorKind};

/// How a stream finds its credential.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum Auth {
    /// From the user's file of credentials, by broker and username.
    #[default]
    File,
    /// From these, by broker and username.
    Credentials(Vec<Credential>),
    /// None: no authentication, no TLS.
    Off,
}

/// A username and a password, and where and how they are used.
///
/// ```
/// use hop_kafka::Credential;
///
/// let credential = Credential::new("ada-1234", "secret").hostname("kafka.scimma.org");
/// assert!(!format!("{credential:?}").contains("secret"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    username: String,
    password: Secret,
    hostname: Option<String>,
    protocol: Protocol,
    mechanism: Mechanism,
    ssl_ca_location: Option<PathBuf>,
}

/// Text that is never shown.
#[derive(Clone, PartialEq, Eq)]
struct Secret(String);

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

/// How the password is proved.
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
}

impl Credential {
    /// A credential for any broker, over TLS, with SCRAM-SHA-512.
    pub fn new(username: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            username: username.into(),
            password: Secret(password.into()),
            hostname: None,
            protocol: Protocol::default(),
            mechanism: Mechanism::default(),
            ssl_ca_location: None,
        }
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

    /// Trusting the certificate authorities in this file, in the place of the system's.
    #[must_use]
    pub fn ssl_ca_location(mut self, path: impl Into<PathBuf>) -> Self {
        self.ssl_ca_location = Some(path.into());
        self
    }

    /// The username.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// What librdkafka is told.
    pub(crate) fn settings(&self) -> Vec<(&'static str, String)> {
        let protocol = match self.protocol {
            Protocol::SaslSsl => "SASL_SSL",
            Protocol::SaslPlaintext => "SASL_PLAINTEXT",
        };
        let mechanism = match self.mechanism {
            Mechanism::ScramSha512 => "SCRAM-SHA-512",
            Mechanism::ScramSha256 => "SCRAM-SHA-256",
            Mechanism::Plain => "PLAIN",
        };
        let mut settings = vec![
            ("security.protocol", protocol.to_owned()),
            ("sasl.mechanism", mechanism.to_owned()),
            ("sasl.username", self.username.clone()),
            ("sasl.password", self.password.0.clone()),
        ];
        if self.protocol == Protocol::SaslSsl {
            // OpenSSL that was built along looks for the system's CA files in the wrong place; `probe` finds them.
            let ca = self.ssl_ca_location.as_ref().map_or("probe".into(), |path| path.to_string_lossy());
            settings.push(("ssl.ca.location", ca.into_owned()));
        }
        settings
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
            .finish()
    }
}

impl Auth {
    /// The credential for the broker and the username of `url`; `None` when authentication is off.
    ///
    /// # Errors
    /// Kind `Credential`: the file cannot be used, or none or several credentials fit.
    pub(crate) fn select(&self, url: &Url) -> Result<Option<Credential>, Error> {
        match self {
            Self::Off => Ok(None),
            Self::Credentials(credentials) => select(credentials, url).map(Some),
            Self::File => select(&load()?, url).map(Some),
        }
    }
}

/// A credential that names the broker comes before one that names none; a username in the URL must be its own.
fn select(credentials: &[Credential], url: &Url) -> Result<Credential, Error> {
    let named = |credential: &&Credential| url.username().is_none_or(|username| credential.username == username);
    let here =
        |credential: &&Credential| credential.hostname.as_deref().is_some_and(|hostname| is_broker(hostname, url));
    let mut fit: Vec<&Credential> = credentials.iter().filter(here).filter(named).collect();
    if fit.is_empty() {
        fit = credentials.iter().filter(|credential| credential.hostname.is_none()).filter(named).collect();
    }
    let wanted = match url.username() {
        Some(username) => format!("{} with the username `{username}`", url.broker()),
        None => url.broker(),
    };
    match fit.as_slice() {
        [credential] => Ok((*credential).clone()),
        [] => Err(Error::new(
            ErrorKind::Credential,
            format!("no credential fits {wanted}; there are: {}", list(credentials)),
        )
        .help("add one to auth.toml, or turn authentication off")),
        several => {
            let urls: Vec<String> = several
                .iter()
                .map(|credential| {
                    let mut typed = url.clone();
                    typed.set_username(&credential.username);
                    typed.to_string()
                })
                .collect();
            Err(Error::new(ErrorKind::Credential, format!("{} credentials fit {wanted}", several.len()))
                .help(format!("say which one in the URL: {}", urls.join(" or "))))
        }
    }
}

fn list(credentials: &[Credential]) -> String {
    if credentials.is_empty() {
        return "none".to_owned();
    }
    let one = |credential: &Credential| match &credential.hostname {
        Some(hostname) => format!("`{}` for {hostname}", credential.username),
        None => format!("`{}` for any broker", credential.username),
    };
    credentials.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Whether `hostname`, with or without a port, is the broker of `url`.
fn is_broker(hostname: &str, url: &Url) -> bool {
    // A host in a credential is written as in a URL.
    format!("kafka://{hostname}")
        .parse::<Url>()
        .is_ok_and(|broker| broker.host().eq_ignore_ascii_case(url.host()) && broker.port() == url.port())
}

/// The folder of hop's configuration, `$XDG_CONFIG_HOME/hop` or `$HOME/.config/hop`.
///
/// # Errors
/// Kind `Credential` when neither variable is set.
fn folder() -> Result<PathBuf, Error> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = set("XDG_CONFIG_HOME").or_else(|| Some(set("HOME")?.join(".config")));
    base.map(|base| base.join("hop")).ok_or_else(|| {
        Error::new(ErrorKind::Credential, "neither XDG_CONFIG_HOME nor HOME says where credentials are kept")
    })
}

/// The credentials in the user's file.
///
/// # Errors
/// Kind `Credential`: there is no such file, others may read it, or it is not as it should be.
pub fn load() -> Result<Vec<Credential>, Error> {
    let folder = folder()?;
    let file = folder.join("auth.toml");
    if file.exists() {
        return load_from(&file);
    }
    // Before hop-client 0.3 credentials stood in the general file.
    let general = folder.join("config.toml");
    if fs::read_to_string(&general)
        .is_ok_and(|text| text.parse::<toml::Table>().is_ok_and(|table| table.contains_key("auth")))
    {
        return load_from(&general);
    }
    Err(Error::new(ErrorKind::Credential, format!("there are no credentials: no file {}", file.display()))
        .help("write your credential there, readable by you alone (mode 0600), or turn authentication off"))
}

/// The credentials in `file`.
///
/// # Errors
/// As [`load`].
pub fn load_from(file: &Path) -> Result<Vec<Credential>, Error> {
    let error = |what: &str| Error::new(ErrorKind::Credential, format!("{}: {what}", file.display()));
    let metadata = fs::metadata(file).map_err(|problem| error(&problem.to_string()))?;
    check_permissions(&metadata).map_err(|mode| {
        error(&format!("others may read it (mode {mode:04o})")).help(format!("chmod 0600 {}", file.display()))
    })?;
    let text = fs::read_to_string(file).map_err(|problem| error(&problem.to_string()))?;
    // toml's errors quote the line they are about, which may hold a password: only the place is passed on.
    let table: toml::Table = text.parse().map_err(|problem: toml::de::Error| {
        let line = problem.span().map_or(0, |span| text[..span.start.min(text.len())].lines().count());
        error(&format!("it is not TOML, near line {line}"))
    })?;
    let entries = match table.get("auth") {
        Some(toml::Value::Array(entries)) => entries.as_slice(),
        Some(entry @ toml::Value::Table(_)) => std::slice::from_ref(entry),
        _ => return Err(error("it has no `[[auth]]`")),
    };
    entries
        .iter()
        .enumerate()
        .map(|(at, entry)| {
            credential(entry).map_err(|what| error(&format!("credential {}: {what}", at + 1)).help(FIELDS))
        })
        .collect()
}

const FIELDS: &str =
    "a credential has `username` and `password`, and may have `hostname`, `protocol`, `mechanism`, `ssl_ca_location`";

/// A credential as a table says it. The error names fields and never quotes a value.
fn credential(entry: &toml::Value) -> Result<Credential, String> {
    let table = entry.as_table().ok_or("it is no table")?;
    let text = |name: &str| match table.get(name) {
        None => Ok(None),
        Some(toml::Value::String(text)) if text.is_empty() => Ok(None),
        Some(toml::Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(format!("`{name}` is no string")),
    };
    let need = |name: &str| text(name)?.ok_or_else(|| format!("`{name}` is missing"));
    let protocol = match text("protocol")?.as_deref() {
        None | Some("SASL_SSL") => Protocol::SaslSsl,
        Some("SASL_PLAINTEXT") => Protocol::SaslPlaintext,
        Some(_) => return Err("`protocol` is neither SASL_SSL nor SASL_PLAINTEXT".to_owned()),
    };
    if table.contains_key("token_endpoint") || table.contains_key("token_command") {
        return Err("tokens (OAUTHBEARER) are not supported yet".to_owned());
    }
    let mechanism = match text("mechanism")?.map(|name| name.replace('_', "-").to_ascii_uppercase()).as_deref() {
        None | Some("SCRAM-SHA-512") => Mechanism::ScramSha512,
        Some("SCRAM-SHA-256") => Mechanism::ScramSha256,
        Some("PLAIN") => Mechanism::Plain,
        Some("OAUTHBEARER") => return Err("tokens (OAUTHBEARER) are not supported yet".to_owned()),
        Some(_) => return Err("`mechanism` is none of SCRAM-SHA-512, SCRAM-SHA-256, PLAIN".to_owned()),
    };
    Ok(Credential {
        username: need("username")?,
        password: Secret(need("password")?),
        hostname: text("hostname")?,
        protocol,
        mechanism,
        ssl_ca_location: text("ssl_ca_location")?.map(PathBuf::from),
    })
}

/// The mode, when others than the owner may do anything with the file.
#[cfg(unix)]
fn check_permissions(metadata: &fs::Metadata) -> Result<(), u32> {
    use std::os::unix::fs::PermissionsExt;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o7077 == 0 { Ok(()) } else { Err(mode) }
}

#[cfg(not(unix))]
fn check_permissions(_: &fs::Metadata) -> Result<(), u32> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    fn pick(credentials: &[Credential], text: &str) -> Result<String, String> {
        select(credentials, &url(text)).map(|found| found.username).map_err(|error| error.to_string())
    }

    #[test]
    fn the_broker_comes_before_anything_and_the_username_narrows() {
        let all = [
            Credential::new("any", "secret"),
            Credential::new("ada", "secret").hostname("kafka.example"),
            Credential::new("bob", "secret").hostname("kafka.example:9092"),
            Credential::new("eve", "secret").hostname("kafka.example:9999"),
        ];
        assert_eq!(pick(&all, "kafka://ada@kafka.example/t").as_deref(), Ok("ada"));
        assert_eq!(pick(&all, "kafka://bob@kafka.example/t").as_deref(), Ok("bob"));
        assert_eq!(pick(&all, "kafka://kafka.example:9999/t").as_deref(), Ok("eve"));
        assert_eq!(pick(&all, "kafka://elsewhere/t").as_deref(), Ok("any"));
        let several = pick(&all, "kafka://kafka.example/t").unwrap_err();
        assert_eq!(
            several,
            "2 credentials fit kafka.example:9092; say which one in the URL: kafka://ada@kafka.example:9092/t or \
             kafka://bob@kafka.example:9092/t"
        );
        let none = pick(&all, "kafka://zoe@kafka.example/t").unwrap_err();
        assert!(none.contains("no credential fits kafka.example:9092 with the username `zoe`"), "{none}");
        assert!(none.contains("`ada` for kafka.example, "), "{none}");
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_read_in_each_form_and_only_when_private() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("auth.toml");
        let write = |text: &str, mode: u32| {
            fs::write(&file, text).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            load_from(&file)
        };
        let entry = "username = \"ada\"\npassword = \"hunter2\"\nhostname = \"h\"\nprotocol = \"SASL_PLAINTEXT\"\n\
                     mechanism = \"PLAIN\"\n";
        for text in [format!("[[auth]]\n{entry}"), format!("[auth]\n{entry}")] {
            let expected = Credential::new("ada", "hunter2")
                .hostname("h")
                .protocol(Protocol::SaslPlaintext)
                .mechanism(Mechanism::Plain);
            assert_eq!(write(&text, 0o600).unwrap(), [expected]);
        }
        let open = write(&format!("[[auth]]\n{entry}"), 0o640).unwrap_err().to_string();
        assert!(open.contains("mode 0640") && open.contains("chmod 0600"), "{open}");
        for broken in ["[[auth]]\npassword = \"hunter2\"", "[[auth]]\nusername = \"ada\"\npassword = hunter2", "x = 1"]
        {
            let error = write(broken, 0o600).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Credential);
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
    }
}
