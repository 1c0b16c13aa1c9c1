//! What librdkafka is told, and what it says.

use std::sync::Mutex;

use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::auth::Credential;
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
    for (name, value) in properties {
        config.set(name, value);
    }
    config.set_log_level(RDKafkaLogLevel::Info);
    config
}

/// The last thing librdkafka complained about, so that a time-out can say why.
#[derive(Debug, Default)]
pub(crate) struct Complaint(Mutex<Option<(RDKafkaErrorCode, String)>>);

impl Complaint {
    /// Keeps and logs an error of the client as a whole.
    pub(crate) fn hear(&self, error: &KafkaError, reason: &str) {
        let Some(code) = error.rdkafka_error_code() else { return };
        let mut last = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
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

    /// The complaint as the error that `operation` ended with.
    pub(crate) fn error(&self, operation: &str) -> Option<Error> {
        let last = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        last.as_ref().map(|(code, reason)| Error::of_code(operation, Some(*code), reason))
    }

    /// The complaint, when waiting longer will not help.
    pub(crate) fn hopeless(&self, operation: &str) -> Option<Error> {
        let last = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
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
