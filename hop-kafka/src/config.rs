//! What librdkafka is told.

use std::fs::File;

use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::KafkaError;

use crate::auth::Credential;
use crate::auth::token::TokenSource;
use crate::url::Url;
use crate::{Error, ErrorKind};

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
        // It is for the token endpoint, which librdkafka does not speak to.
        if name != SCOPE {
            config.set(name, value);
        }
    }
    // Without this librdkafka would not say what it is asked for by the property `debug`.
    let debug = config.get("debug").is_some();
    config.set_log_level(if debug { RDKafkaLogLevel::Debug } else { RDKafkaLogLevel::Info });
    config
}

/// The property that says what tokens are asked for.
const SCOPE: &str = "sasl.oauthbearer.scope";

/// Where the client's tokens come from, if it needs any.
pub(crate) fn tokens(
    credential: Option<&Credential>,
    properties: &[(String, String)],
) -> Result<Option<TokenSource>, Error> {
    credential.map_or(Ok(None), |credential| credential.token_source(scope(properties)))
}

/// What tokens are asked for.
pub(crate) fn scope(properties: &[(String, String)]) -> Option<&str> {
    properties.iter().rfind(|(name, _)| name == SCOPE).map(|(_, scope)| scope.as_str())
}

/// The properties that name a file.
const FILES: [&str; 5] =
    ["ssl.ca.location", "ssl.certificate.location", "ssl.key.location", "ssl.keystore.location", "ssl.crl.location"];

/// Returns the error of settings that librdkafka refuses. It does not say which file it could not use, so this does.
pub(crate) fn refused(operation: &str, config: &ClientConfig, error: &KafkaError) -> Error {
    let text = error.to_string();
    let named = FILES.iter().filter_map(|name| Some((*name, config.get(name)?)));
    let mut unusable = named.filter_map(|(name, path)| {
        // librdkafka looks for the system's authorities itself.
        let is_path = name != "ssl.ca.location" || path != "probe";
        match std::fs::metadata(path).and_then(|about| if about.is_dir() { Ok(()) } else { File::open(path).map(drop) })
        {
            _ if !is_path => None,
            Err(why) => Some(format!("`{name}` names the file `{path}`, which cannot be read: {why}")),
            Ok(()) if text.contains(name) => {
                Some(format!("`{name}` names the file `{path}`, which holds nothing usable"))
            }
            Ok(()) => None,
        }
    });
    match unusable.next() {
        Some(what) => Error::new(ErrorKind::Config, format!("{operation}: {what}"))
            .help("name a PEM file that this user may read, in the credential or the property"),
        None => Error::setting(operation, error),
    }
}

/// Sets what the user has not set, by this name or the other one that the property has.
pub(crate) fn set_default(config: &mut ClientConfig, name: &str, value: impl Into<String>) {
    let other = match name {
        "compression.type" => "compression.codec",
        "message.timeout.ms" => "delivery.timeout.ms",
        "max.in.flight.requests.per.connection" => "max.in.flight",
        "linger.ms" => "queue.buffering.max.ms",
        name => name,
    };
    if config.get(name).is_none() && config.get(other).is_none() {
        config.set(name, value);
    }
}
