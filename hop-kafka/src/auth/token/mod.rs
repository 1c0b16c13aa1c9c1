//! Tokens (OAUTHBEARER): where they come from, and what they say of themselves.
//!
//! librdkafka can fetch tokens only with libcurl, and asks for them only while the program polls. Here they are fetched by
//! us, and a thread of its own hands them over before the old one runs out.

mod command;
mod endpoint;
mod refresh;

use std::fmt;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

pub(crate) use self::endpoint::checked as endpoint_url;
pub(super) use self::endpoint::shown;
pub(crate) use self::refresh::{Refresher, hand_over};
use super::credential::{Credential, Secret};
use crate::{Error, ErrorKind};

/// The longest token, or answer with a token in it, in bytes. Brokers take half a megabyte at most for all of SASL.
const LONGEST: usize = 1 << 16;
/// No token is taken to live longer, whatever it says.
const LONGEST_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);

/// Where tokens come from.
pub(crate) struct TokenSource {
    origin: Origin,
    /// The principal where the token names none.
    username: String,
}

enum Origin {
    Endpoint(Box<endpoint::Endpoint>),
    Command(command::TokenCommand),
}

/// Proof of who asks, for a while.
pub(crate) struct Token {
    text: Secret,
    principal: String,
    expires: SystemTime,
}

/// Whom a token is for, and for how long it is good.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenLife {
    /// Whom it names.
    pub principal: String,
    /// How long it is good for, from when it came.
    pub life: Duration,
}

/// Why there is no token.
#[derive(Debug, Clone)]
pub(crate) struct TokenFailure {
    pub(crate) kind: ErrorKind,
    pub(crate) what: String,
    /// The way out.
    pub(crate) help: &'static str,
    /// Whether asking again will not help.
    for_good: bool,
}

impl TokenFailure {
    /// Asking again may help.
    fn passing(kind: ErrorKind, what: impl Into<String>, help: &'static str) -> Self {
        Self { kind, what: what.into(), help, for_good: false }
    }

    /// Asking again will not help.
    fn lasting(what: impl Into<String>, help: &'static str) -> Self {
        Self { kind: ErrorKind::Authentication, what: what.into(), help, for_good: true }
    }

    pub(crate) fn is_for_good(&self) -> bool {
        self.for_good
    }
}

impl fmt::Display for TokenFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.what, self.help)
    }
}

impl TokenSource {
    pub(super) fn new(credential: &Credential, scope: Option<&str>) -> Result<Self, Error> {
        let origin = match (&credential.token_endpoint, &credential.token_command) {
            // As in hop-client, the endpoint is taken where both are given.
            (Some(url), _) => Origin::Endpoint(Box::new(endpoint::Endpoint::new(credential, url, scope)?)),
            (None, Some(command)) => Origin::Command(command::TokenCommand::new(command.clone(), credential)),
            (None, None) => {
                return Err(Error::new(ErrorKind::Credential, format!("the credential {credential} has no token")));
            }
        };
        Ok(Self { origin, username: credential.username().to_owned() })
    }

    /// Fetches a token, within a bounded time, and returns what it says of itself.
    pub(crate) fn try_out(&self) -> Result<TokenLife, Error> {
        match self.fetch(&|| false) {
            Ok(token) => Ok(TokenLife { life: token.life(), principal: token.principal }),
            Err(failure) => Err(Error::new(failure.kind, failure.what).help(failure.help)),
        }
    }

    /// A token, within a bounded time; or sooner, for nothing, where `stopped` says so.
    pub(crate) fn fetch(&self, stopped: &dyn Fn() -> bool) -> Result<Token, TokenFailure> {
        match &self.origin {
            Origin::Endpoint(endpoint) => {
                let (text, life) = endpoint.fetch()?;
                Token::new(text, life, &self.username)
            }
            Origin::Command(command) => Token::new(command.run(stopped)?, None, &self.username),
        }
    }
}

/// Names the place that tokens come from, without what may be secret in it.
impl fmt::Display for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Origin::Endpoint(endpoint) => endpoint.fmt(f),
            Origin::Command(command) => command.fmt(f),
        }
    }
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TokenSource").field(&self.to_string()).finish()
    }
}

const NOT_A_TOKEN: &str = "check that it gives a JSON Web Token that Kafka brokers take";

impl Token {
    /// Reads what a token says of itself; `life` is what its giver says.
    fn new(text: String, life: Option<Duration>, username: &str) -> Result<Self, TokenFailure> {
        let visible = |byte: u8| (b'!'..=b'~').contains(&byte);
        if text.is_empty() || !text.bytes().all(visible) {
            return Err(TokenFailure::lasting("what was given is no token", NOT_A_TOKEN));
        }
        let claims = claims(&text);
        let claim = |name: &str| claims.as_ref().and_then(|claims| claims.get(name));
        let now = SystemTime::now();
        let until = match claim("exp") {
            None => None,
            Some(exp) => Some(
                exp.as_f64()
                    .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
                    .ok_or_else(|| TokenFailure::lasting("the token's `exp` is no time", NOT_A_TOKEN))?,
            ),
        };
        let since_epoch = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        if let Some(ago) = until.and_then(|until| since_epoch.checked_sub(until)) {
            return Err(TokenFailure::lasting(
                format!("the token ran out {} s ago", ago.as_secs()),
                "check this machine's clock, and that fresh tokens are given",
            ));
        }
        let left = until.map(|until| until.saturating_sub(since_epoch));
        let life = match (left, life) {
            (Some(left), Some(life)) => left.min(life),
            (Some(left), None) => left,
            (None, Some(life)) => life,
            (None, None) => {
                return Err(TokenFailure::lasting(
                    "nothing says when the token runs out",
                    "it has to be a JSON Web Token with `exp`, or to come with `expires_in`",
                ));
            }
        };
        // The name stands in librdkafka's complaints only, and is passed to it as text that ends with a zero.
        let named = claim("sub").and_then(|sub| sub.as_str()).filter(|sub| !sub.is_empty() && !sub.contains('\0'));
        let principal = named.unwrap_or(username).to_owned();
        Ok(Self { text: Secret::new(text), principal, expires: now + life.min(LONGEST_LIFE) })
    }

    pub(crate) fn text(&self) -> &Secret {
        &self.text
    }

    /// How long it is good for, from now.
    pub(crate) fn life(&self) -> Duration {
        self.expires.duration_since(SystemTime::now()).unwrap_or_default()
    }
}

/// The claims of a JSON Web Token, unchecked: checking is the broker's part. `None` for a token of another kind.
fn claims(token: &str) -> Option<serde_json::Map<String, serde_json::Value>> {
    let mut parts = token.split('.');
    let (Some(_), Some(claims), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return None;
    };
    let json = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&json).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jwt(claims: &str) -> String {
        format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims))
    }

    fn seconds_from_now(seconds: i64) -> i64 {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        i64::try_from(now.as_secs()).unwrap() + seconds
    }

    #[test]
    fn the_sooner_of_two_ends_counts_and_the_subject_is_the_principal() {
        let token = jwt(&format!(r#"{{"sub": "ada", "exp": {}}}"#, seconds_from_now(100)));
        let found = Token::new(token.clone(), Some(Duration::from_secs(50)), "id").unwrap();
        assert!(found.life() <= Duration::from_secs(50) && found.life() > Duration::from_secs(45));
        assert_eq!(found.principal, "ada");
        let found = Token::new(token, Some(Duration::from_secs(5000)), "id").unwrap();
        assert!(found.life() <= Duration::from_secs(100) && found.life() > Duration::from_secs(95));
        let opaque = Token::new("opaque".to_owned(), Some(Duration::from_secs(u64::MAX)), "id").unwrap();
        assert_eq!(opaque.principal, "id");
        assert!(opaque.life() <= LONGEST_LIFE);
    }

    #[test]
    fn what_is_no_token_or_no_more_one_is_refused_for_good_without_showing_it() {
        let old = jwt(&format!(r#"{{"sub": "ada", "exp": {}}}"#, seconds_from_now(-60)));
        for (text, why) in [
            (old.as_str(), "the token ran out 6"),
            (&jwt(r#"{"sub": "ada", "exp": "hunter2"}"#), "`exp` is no time"),
            (&jwt(r#"{"sub": "ada", "exp": 1e300}"#), "`exp` is no time"),
            (&jwt(r#"{"sub": "ada", "exp": -1}"#), "`exp` is no time"),
            (&jwt(r#"{"sub": "ada"}"#), "nothing says when"),
            ("hunter2", "nothing says when"),
            ("", "no token"),
            ("hunter2 hunter2", "no token"),
            ("hunter2\u{1}", "no token"),
            ("hünter2", "no token"),
        ] {
            let failure = Token::new(text.to_owned(), None, "id").err().unwrap();
            assert!(failure.to_string().starts_with(why) || failure.what.contains(why), "{text}: {failure}");
            assert!(failure.is_for_good());
            assert!(!format!("{failure} {failure:?}").contains("hunter2"), "{failure}");
        }
    }
}
