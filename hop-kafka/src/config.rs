//! What librdkafka is told, and what it says.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::auth::Credential;
use crate::auth::token::{TokenFailure, TokenSource};
use crate::error::{Error, is_transient};
use crate::url::Url;

/// The settings that readers and writers share.
pub(crate) fn client(url: &Url, credential: Option<&Credential>, properties: &[(String, String)]) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", url.broker());
    config.set("client.id", concat!("hop-rust-", env!("CARGO_PKG_VERSION")));
    // Reconnecting soon matters more to a listener than sparing a broker that is down.
    config.set("reconnect.backoff.max.ms", "5000");
    for (name, value) in credential.map(Credential::settings).into_iter().flatten() {
        config.set(name, value);
    }
    set_all(&mut config, properties);
    config.set_log_level(RDKafkaLogLevel::Info);
    config
}

/// Sets the properties that the user gave by name.
pub(crate) fn set_all(config: &mut ClientConfig, properties: &[(String, String)]) {
    for (name, value) in properties {
        // It is for the token endpoint, which librdkafka does not speak to.
        if name != SCOPE {
            config.set(name, value);
        }
    }
}

/// The property that says what tokens are asked for.
const SCOPE: &str = "sasl.oauthbearer.scope";

/// Where the client's tokens come from, if it needs any.
pub(crate) fn tokens(
    credential: Option<&Credential>,
    properties: &[(String, String)],
) -> Result<Option<TokenSource>, Error> {
    let scope = properties.iter().rfind(|(name, _)| name == SCOPE).map(|(_, scope)| scope.as_str());
    credential.map_or(Ok(None), |credential| credential.token_source(scope))
}

/// The last thing that was complained about, so that a time-out can say why.
#[derive(Debug, Default)]
pub(crate) struct Complaint {
    /// What librdkafka said.
    last: Mutex<Option<(RDKafkaErrorCode, String)>>,
    token: Mutex<TokenState>,
}

/// How it stands with the client's token.
#[derive(Debug, Default)]
struct TokenState {
    /// Until when the last one is good.
    good_until: Option<SystemTime>,
    /// Why no other came since.
    failure: Option<TokenFailure>,
}

impl Complaint {
    /// Keeps and logs an error of the client as a whole.
    pub(crate) fn hear(&self, error: &KafkaError, reason: &str) {
        let Some(code) = error.rdkafka_error_code() else { return };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref().is_some_and(|(known, said)| *known == code && said == reason) {
            return;
        }
        if code == RDKafkaErrorCode::AllBrokersDown {
            tracing::debug!(target: "hop", %code, "{reason}");
        } else if is_transient(code) {
            tracing::warn!(target: "hop", %code, "{reason}");
        } else {
            tracing::error!(target: "hop", %code, "{reason}");
        }
        // "All brokers down" follows each cause and says less than it.
        if code != RDKafkaErrorCode::AllBrokersDown || last.is_none() {
            *last = Some((code, reason.to_owned()));
        }
    }

    fn token(&self) -> MutexGuard<'_, TokenState> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// No token came, and why.
    pub(crate) fn no_token(&self, failure: TokenFailure) {
        self.token().failure = Some(failure);
    }

    /// There is a token, good until then.
    pub(crate) fn token_came(&self, good_until: SystemTime) {
        *self.token() = TokenState { good_until: Some(good_until), failure: None };
    }

    /// Why there is no token that is good.
    fn token_failure(&self) -> Option<TokenFailure> {
        let token = self.token();
        match token.good_until {
            Some(good_until) if SystemTime::now() < good_until => None,
            _ => token.failure.clone(),
        }
    }

    /// The complaint as the error that `operation` ended with.
    pub(crate) fn error(&self, operation: &str) -> Option<Error> {
        // Without a token nothing else can be known.
        if let Some(failure) = self.token_failure() {
            return Some(failure.error(operation));
        }
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().map(|(code, reason)| Error::of_code(operation, Some(*code), reason))
    }

    /// The complaint, when waiting longer will not help.
    pub(crate) fn hopeless(&self, operation: &str) -> Option<Error> {
        if let Some(failure) = self.token_failure().filter(TokenFailure::is_for_good) {
            return Some(failure.error(operation));
        }
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match last.as_ref() {
            Some((code, reason)) if !is_transient(*code) => Some(Error::of_code(operation, Some(*code), reason)),
            _ => None,
        }
    }
}

/// librdkafka's log lines, as events of `tracing`.
pub(crate) fn log(level: RDKafkaLogLevel, facility: &str, message: &str) {
    match level {
        RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical | RDKafkaLogLevel::Error => {
            tracing::error!(target: "librdkafka", facility, "{message}");
        }
        RDKafkaLogLevel::Warning => tracing::warn!(target: "librdkafka", facility, "{message}"),
        RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => tracing::info!(target: "librdkafka", facility, "{message}"),
        RDKafkaLogLevel::Debug => tracing::debug!(target: "librdkafka", facility, "{message}"),
    }
}
