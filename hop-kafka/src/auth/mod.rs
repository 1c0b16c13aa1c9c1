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
//! mechanism = "SCRAM-SHA-512"        # the default; or SCRAM-SHA-256, PLAIN, OAUTHBEARER
//! ssl_ca_location = "/path/to/ca.pem"
//!
//! [[auth]]                           # OpenID Connect, client credentials
//! username = "client-id"
//! password = "client-secret"
//! hostname = "kafka.gcn.nasa.gov"
//! token_endpoint = "https://auth.gcn.nasa.gov/oauth2/token"
//!
//! [[auth]]                           # a shell command that prints a JWT
//! username = "ada"
//! password = ""                      # hop-client wants the line
//! token_command = "htgettoken --quiet && cat /run/user/1000/bt_token"
//! ```
//!
//! A client certificate stands in `ssl_certificate_location`, `ssl_key_location` and, where the key is encrypted,
//! `ssl_key_password`. hop-client passes these three over, and drops them when it writes the file.
//!
//! # Differences from hop-client
//! - Host names are compared without regard to case.
//! - An entry that cannot be used, of an unknown mechanism or without a password say, is an error where it is chosen, not for
//!   the whole file; where another one fits as well, that is used.
//! - `https` is required of a token endpoint that is not on this machine, and a redirection is an error.

mod credential;
mod csv;
mod select;
mod store;
pub(crate) mod token;

pub(crate) use self::credential::Secret;
pub use self::credential::{Credential, Mechanism, Protocol};
pub use self::csv::read_csv;
pub use self::select::select;
pub use self::store::{CredentialStore, load, load_from, path};
pub use self::token::TokenLife;
use crate::Error;
use crate::url::Url;

/// Where a credential comes from, for those who have none.
const GET_ONE: &str = "get one (Hopskotch: https://my.hop.scimma.org, GCN: https://gcn.nasa.gov/quickstart) and add it with \
                       `hop auth add`, or turn authentication off";

/// How a stream finds its credential.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum Auth {
    /// From the user's file of credentials, by broker and username.
    #[default]
    File,
    /// From these, by broker and username.
    Credentials(Vec<Credential>),
    /// None: no authentication at the broker, and no TLS.
    Off,
}

impl Auth {
    /// Returns username and password of the credential that names this host and port of a registry, if one does.
    pub(crate) fn login_at(&self, host: &str, port: u16) -> Option<(String, Secret)> {
        let loaded;
        let credentials = match self {
            Self::Credentials(credentials) => credentials,
            // It is the broker that asks for no authentication.
            Self::File | Self::Off => {
                // The broker may be one without authentication, so that nothing else need say what is wrong with the file.
                loaded = store::load_if_any().unwrap_or_else(|error| {
                    tracing::warn!(target: "hop", %error, "the registry is asked without a login");
                    Vec::new()
                });
                &loaded
            }
        };
        let is_it =
            |credential: &&Credential| credential.address().is_some_and(|(name, at)| name == host && at == port);
        let found = credentials.iter().find(is_it)?;
        if let Some(problem) = found.problem() {
            tracing::warn!(
                target: "hop",
                "the credential for `{host}:{port}` {problem}; the registry is asked without a login"
            );
            return None;
        }
        Some((found.username.clone(), found.password.clone()))
    }

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
