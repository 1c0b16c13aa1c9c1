//! What librdkafka is told.

use rdkafka::config::{ClientConfig, RDKafkaLogLevel};

use crate::Error;
use crate::auth::Credential;
use crate::auth::token::TokenSource;
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
    let scope = properties.iter().rfind(|(name, _)| name == SCOPE).map(|(_, scope)| scope.as_str());
    credential.map_or(Ok(None), |credential| credential.token_source(scope))
}

/// Sets what the user has not set, by this name or the other one that the property has.
pub(crate) fn set_default(config: &mut ClientConfig, name: &str, value: impl Into<String>) {
    let other = match name {
        "compression.type" => "compression.codec",
        "message.timeout.ms" => "delivery.timeout.ms",
        "max.in.flight.requests.per.connection" => "max.in.flight",
        name => name,
    };
    if config.get(name).is_none() && config.get(other).is_none() {
        config.set(name, value);
    }
}
