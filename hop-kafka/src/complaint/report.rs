//! librdkafka's sentences, read.
//!
//! They look like `sasl_ssl://localhost:9093/bootstrap: SSL handshake failed: … (after 3ms in state SSL_HANDSHAKE)`: the
//! broker, what happened, and how far the connection had come. Librdkafka has guesses of its own about ports with TLS and brokers
//! that want a credential; of a connection that the other side closed, which is the rule, it does not come to make them.

use rdkafka::error::RDKafkaErrorCode;

use super::{Cause, Help};
use crate::error::{ErrorKind, is_transient, layer};

/// The alerts by which a broker says that it minds the client's certificate, or has none of it (RFC 8446, 6.2).
const CERTIFICATE_ALERTS: [u32; 7] = [42, 43, 44, 45, 46, 48, 116];

/// How soon a connection ends where the broker wanted a credential first.
const SOON: u32 = 2000;

/// What was said about one broker.
#[derive(Debug)]
pub(super) struct Report<'a> {
    /// `host:port`, where it was said.
    broker: Option<&'a str>,
    protocol: &'a str,
    text: &'a str,
    /// How far the connection had come, and since how many milliseconds.
    state: &'a str,
    since: u32,
    /// Whether this client was served before.
    is_served: bool,
}

impl<'a> Report<'a> {
    pub(super) fn read(reason: &'a str, is_served: bool) -> Self {
        let (text, after) = reason.rsplit_once(" (after ").unwrap_or((reason, ""));
        let (since, state) = after.split_once("ms in state ").unwrap_or_default();
        let state = state.split([',', ')']).next().unwrap_or_default();
        let since = since.parse().unwrap_or(u32::MAX);
        let mut report = Self { broker: None, protocol: "", text, state, since, is_served };
        // The coordinator's name is followed by its address.
        while let Some((name, rest)) = report.text.split_once(": ")
            && let Some((protocol, broker)) = address(name)
        {
            report.protocol = protocol;
            report.broker = broker.or(report.broker);
            report.text = rest;
        }
        report
    }

    fn ended(&self) -> bool {
        ["Disconnected", "Send failed: Broken pipe", "Receive failed: Connection reset"]
            .iter()
            .any(|words| self.text.starts_with(words))
    }

    fn speaks_tls(&self) -> bool {
        self.protocol.ends_with("ssl")
    }

    /// Whether the connection ended at the first question: so it does where the broker waits for TLS. One that has served
    /// this client before does not; it is being stopped or started.
    fn ended_at_once(&self) -> bool {
        self.ended() && !self.is_served && !self.speaks_tls() && self.state == "APIVERSION_QUERY"
    }

    /// Whether the connection ended right after it was made: so it does where the broker waits for a credential. One that
    /// has served this client before waits for none.
    fn ended_soon(&self) -> bool {
        self.ended() && !self.is_served && !self.protocol.starts_with("sasl") && self.state == "UP" && self.since < SOON
    }

    fn ended_in_authentication(&self) -> bool {
        self.ended() && self.state.starts_with("AUTH")
    }

    /// Whether a connection ended in a way that is something to complain of.
    pub(super) fn is_untimely_end(&self) -> bool {
        self.ended_at_once() || self.ended_soon() || self.ended_in_authentication()
    }

    /// A sentence with the broker's address before it.
    pub(super) fn at_broker(&self, what: &str) -> String {
        match self.broker {
            Some(broker) => format!("{broker}: {what}"),
            None => what.to_owned(),
        }
    }

    fn says(&self, words: &str) -> bool {
        self.text.contains(words)
    }

    fn is_bad_certificate(&self) -> bool {
        self.says("certificate verify failed")
    }

    /// Where a certificate was seen that could not be verified.
    #[cfg(any(feature = "ssl-vendored", feature = "ssl"))]
    pub(super) fn host_of_bad_certificate(&self) -> Option<(&'a str, u16)> {
        let (host, port) = self.broker.filter(|_| self.is_bad_certificate())?.rsplit_once(':')?;
        Some((host.trim_start_matches('[').trim_end_matches(']'), port.parse().ok()?))
    }

    /// The layer, the reason and the way out.
    pub(super) fn cause(&self, code: RDKafkaErrorCode) -> Cause {
        let known = self.known(code);
        let recognised = known.is_some();
        let (kind, mends, what, help) = known.unwrap_or_else(|| {
            let (kind, help) = layer(code);
            (kind, is_transient(code), self.text.to_owned(), help.map(Help::from))
        });
        Cause { kind, what: self.at_broker(&what), help, mends, recognised }
    }

    fn known(&self, code: RDKafkaErrorCode) -> Option<(ErrorKind, bool, String, Option<Help>)> {
        let told = |kind, mends, what: String, help: Help| Some((kind, mends, what, Some(help)));
        if self.is_bad_certificate() {
            let what = "the broker's certificate could not be verified";
            let help = "check that it is for this host name, and `ssl_ca_location` names its authority";
            return told(ErrorKind::Tls, false, what.to_owned(), help.into());
        }
        if let Some(alert) = self.alert() {
            if CERTIFICATE_ALERTS.contains(&alert) {
                let what = format!("the broker refuses the client's certificate, or misses one: {}", self.text);
                let help = "give the certificate that it wants, and its key: `ssl_certificate_location`, `ssl_key_location` in the credential";
                return told(ErrorKind::Tls, false, what, help.into());
            }
            let what = format!("the broker ended the TLS handshake: {}", self.text);
            return told(
                ErrorKind::Tls,
                false,
                what,
                "ask those who run the broker which versions of TLS it speaks".into(),
            );
        }
        if self.state == "SSL_HANDSHAKE"
            && [
                "Disconnected",
                "wrong version number",
                "packet length too long",
                "unexpected eof",
                "record layer failure",
            ]
            .iter()
            .any(|words| self.says(words))
        {
            let what = "the broker does not answer by TLS; the port seems to be one without";
            let help =
                "check the port; without TLS it is `protocol = \"SASL_PLAINTEXT\"` in the credential, or no credential";
            return told(ErrorKind::Tls, true, what.to_owned(), help.into());
        }
        if self.ended_at_once() {
            let what = "the broker ended the connection before it said anything; the port seems to be one with TLS";
            let help = "check the port; TLS is spoken with a credential that has `protocol = \"SASL_SSL\"`, which is the default";
            return told(ErrorKind::Tls, true, what.to_owned(), help.into());
        }
        if self.ended_in_authentication() {
            let what = "the broker ended the connection while it was given the credential";
            let help = "check the port, and the mechanism of the credential";
            return told(ErrorKind::Authentication, true, what.to_owned(), help.into());
        }
        if self.ended_soon() {
            let what = "the broker ended the connection; it seems to want a credential";
            return told(ErrorKind::Authentication, true, what.to_owned(), "give one that is for this broker".into());
        }
        if let Some((_, supported)) = self.text.split_once("supported mechanisms:") {
            let mechanism =
                self.text.strip_prefix("SASL ").and_then(|text| text.split(' ').next()).unwrap_or("this one");
            let (what, help) = match supported.trim() {
                "" => (
                    "the broker asks for no credential at this port".to_owned(),
                    "turn authentication off, or check the port".to_owned(),
                ),
                supported => (
                    format!("the broker does not know the mechanism {mechanism}"),
                    format!("set the `mechanism` of the credential to one that it knows: {supported}"),
                ),
            };
            return told(ErrorKind::Authentication, false, what, help.into());
        }
        if self.says("\"status\":\"invalid_token\"") {
            let what = "the broker does not accept the token";
            let help = "it may have run out, or be for others: check where it comes from (`token_endpoint` or \
                        `token_command`), and this machine's clock";
            return told(ErrorKind::Authentication, false, what.to_owned(), help.into());
        }
        if let Some(why) = self.text.strip_prefix("SASL authentication error: ") {
            let help = "check the username, the password and the mechanism of the credential";
            return told(ErrorKind::Authentication, false, format!("the credential is refused: {why}"), help.into());
        }
        if let (RDKafkaErrorCode::Resolve, Some(why)) = (code, self.text.strip_prefix("Failed to resolve ")) {
            let help = "check the spelling of the host name, and that this machine resolves names";
            return told(ErrorKind::Connection, true, format!("the name does not resolve: {why}"), help.into());
        }
        if self.says("Connection refused") {
            let help = "check the port, and that the broker is up";
            return told(
                ErrorKind::Connection,
                true,
                "the connection is refused: nobody listens there".to_owned(),
                help.into(),
            );
        }
        if self.says("onnection setup timed out") || self.says("Local: Timed out") {
            let what = format!("the broker does not answer: {}", self.text);
            return told(ErrorKind::TimedOut, true, what, "check the port, and that the broker is well".into());
        }
        None
    }

    /// The number of the TLS alert that the broker sent.
    fn alert(&self) -> Option<u32> {
        let (_, number) = self.text.split_once("SSL alert number ")?;
        number.split(|end: char| !end.is_ascii_digit()).next()?.parse().ok()
    }
}

/// Reads the name that librdkafka has for a broker, such as `sasl_ssl://localhost:9093/bootstrap`: the protocol, and the
/// address where it is not a name for whichever broker has an office. `None` for what is no name of a broker.
fn address(name: &str) -> Option<(&str, Option<&str>)> {
    if name == "GroupCoordinator" || name == "TxnCoordinator" {
        return Some(("", None));
    }
    let (protocol, name) = name.split_once("://").unwrap_or(("", name));
    let address = name.split_once('/').map_or(name, |(address, _id)| address);
    let (host, port) = address.rsplit_once(':')?;
    let fits = !host.is_empty() && !host.contains(' ') && port.parse::<u16>().is_ok();
    fits.then_some((protocol, Some(address)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As librdkafka 2.12 said it of Apache Kafka 4.4.
    #[test]
    fn what_librdkafka_says_is_understood() {
        use ErrorKind::{Authentication, Connection, TimedOut, Tls};
        use RDKafkaErrorCode as Code;
        let failed = Code::BrokerTransportFailure;
        let cases = [
            (
                Code::SSL,
                "sasl_ssl://127.0.0.1:9093/bootstrap: SSL handshake failed: error:0A000086:SSL routines::certificate verify \
                 failed: broker certificate could not be verified, verify that ssl.ca.location is correctly configured or \
                 root CA certificates are installed (install ca-certificates package) (after 3ms in state SSL_HANDSHAKE)",
                Tls,
                false,
                "127.0.0.1:9093: the broker's certificate could not be verified",
            ),
            (
                failed,
                "sasl_ssl://[::1]:9093/bootstrap: error:0A000086:SSL routines::certificate verify failed (after 2ms in \
                 state SSL_HANDSHAKE)",
                Tls,
                false,
                "[::1]:9093: the broker's certificate could not be verified",
            ),
            (
                failed,
                "sasl_ssl://localhost:9094/1: Receive failed: error:0A000412:SSL routines::ssl/tls alert bad certificate: \
                 SSL alert number 42 (after 3ms in state APIVERSION_QUERY)",
                Tls,
                false,
                "localhost:9094: the broker refuses the client's certificate, or misses one: Receive failed: error:0A000412:\
                 SSL routines::ssl/tls alert bad certificate: SSL alert number 42",
            ),
            (
                failed,
                "sasl_ssl://localhost:9092/bootstrap: SSL handshake failed: Disconnected: SSL connection closed by peer: \
                 connecting to a PLAINTEXT broker listener? (after 4ms in state SSL_HANDSHAKE)",
                Tls,
                true,
                "localhost:9092: the broker does not answer by TLS; the port seems to be one without",
            ),
            (
                failed,
                "localhost:9093/bootstrap: Disconnected: connection closed by peer: receive 0 after POLLIN (after 1ms in state \
                 APIVERSION_QUERY, 4 identical error(s) suppressed)",
                Tls,
                true,
                "localhost:9093: the broker ended the connection before it said anything; the port seems to be one with TLS",
            ),
            (
                failed,
                "localhost:9095/bootstrap: Disconnected: connection closed by peer: receive 0 after POLLIN (after 1ms in state UP)",
                Authentication,
                true,
                "localhost:9095: the broker ended the connection; it seems to want a credential",
            ),
            (
                Code::Authentication,
                "sasl_ssl://localhost:9093/bootstrap: SASL authentication error: Authentication failed during \
                 authentication due to invalid credentials with SASL mechanism SCRAM-SHA-512 (after 314ms in state AUTH_REQ)",
                Authentication,
                false,
                "localhost:9093: the credential is refused: Authentication failed during authentication due to invalid \
                 credentials with SASL mechanism SCRAM-SHA-512",
            ),
            (
                Code::Authentication,
                "GroupCoordinator: localhost:9093: SASL authentication error: {\"status\":\"invalid_token\"} (after 9ms in \
                 state AUTH_REQ)",
                Authentication,
                false,
                "localhost:9093: the broker does not accept the token",
            ),
            (
                Code::Authentication,
                "sasl_ssl://localhost:9093/bootstrap: SASL OAUTHBEARER mechanism handshake failed: Broker: Unsupported SASL \
                 mechanism: broker's supported mechanisms: PLAIN,SCRAM-SHA-512 (after 3ms in state AUTH_HANDSHAKE)",
                Authentication,
                false,
                "localhost:9093: the broker does not know the mechanism OAUTHBEARER",
            ),
            (
                Code::Authentication,
                "sasl_plaintext://localhost:9092/bootstrap: SASL PLAIN mechanism handshake failed: Broker: Request not valid \
                 in current SASL state: broker's supported mechanisms:  (after 3ms in state AUTH_HANDSHAKE)",
                Authentication,
                false,
                "localhost:9092: the broker asks for no credential at this port",
            ),
            (
                Code::Resolve,
                "nowhere.invalid:9092/bootstrap: Failed to resolve 'nowhere.invalid:9092': Name or service not known (after \
                 8ms in state CONNECT)",
                Connection,
                true,
                "nowhere.invalid:9092: the name does not resolve: 'nowhere.invalid:9092': Name or service not known",
            ),
            (
                failed,
                "127.0.0.1:1/bootstrap: Connect to ipv4#127.0.0.1:1 failed: Connection refused (after 0ms in state CONNECT)",
                Connection,
                true,
                "127.0.0.1:1: the connection is refused: nobody listens there",
            ),
            (
                failed,
                "127.0.0.1:9092/3: ApiVersionRequest failed: Local: Timed out: probably due to broker version < 0.10 (see \
                 api.version.request configuration) (after 10227ms in state APIVERSION_QUERY)",
                TimedOut,
                true,
                "127.0.0.1:9092: the broker does not answer: ApiVersionRequest failed: Local: Timed out: probably due to \
                 broker version < 0.10 (see api.version.request configuration)",
            ),
            (
                failed,
                "localhost:9095/bootstrap: Send failed: Broken pipe (after 3ms in state UP)",
                Authentication,
                true,
                "localhost:9095: the broker ended the connection; it seems to want a credential",
            ),
            (
                failed,
                "localhost:9092/1: Disconnected: connection closed by peer: receive 0 after POLLIN (after 600000ms in state UP)",
                Connection,
                true,
                "localhost:9092: Disconnected: connection closed by peer: receive 0 after POLLIN",
            ),
            (
                failed,
                "127.0.0.1:9092/3: Connect to ipv4#127.0.0.1:9092 failed: Network is unreachable (after 1ms in state CONNECT)",
                Connection,
                true,
                "127.0.0.1:9092: Connect to ipv4#127.0.0.1:9092 failed: Network is unreachable",
            ),
        ];
        for (code, said, kind, mends, what) in cases {
            let cause = Report::read(said, false).cause(code);
            assert_eq!((cause.kind, cause.mends, cause.what.as_str()), (kind, mends, what));
            assert!(cause.help.is_some(), "{what}");
        }
    }

    #[test]
    fn a_broker_that_served_us_wants_no_credential() {
        let said =
            "localhost:9095/1: Disconnected: connection closed by peer: receive 0 after POLLIN (after 1ms in state UP)";
        assert!(Report::read(said, false).is_untimely_end());
        assert!(!Report::read(said, true).is_untimely_end());
        let cause = Report::read(said, true).cause(RDKafkaErrorCode::BrokerTransportFailure);
        assert_eq!((cause.kind, cause.mends), (ErrorKind::Connection, true));
    }

    #[test]
    fn a_broker_that_served_us_does_not_wait_for_tls() {
        let said = "localhost:9095/1: Disconnected: connection closed by peer (after 1ms in state APIVERSION_QUERY)";
        assert!(Report::read(said, false).is_untimely_end());
        assert!(!Report::read(said, true).is_untimely_end());
        assert_eq!(
            Report::read(said, true).cause(RDKafkaErrorCode::BrokerTransportFailure).kind,
            ErrorKind::Connection
        );
    }

    #[cfg(any(feature = "ssl-vendored", feature = "ssl"))]
    #[test]
    fn the_host_of_a_bad_certificate_is_found_and_no_other() {
        let host =
            |said| Report::read(said, false).host_of_bad_certificate().map(|(host, port)| format!("{host} {port}"));
        assert_eq!(host("sasl_ssl://[::1]:9093/bootstrap: certificate verify failed").as_deref(), Some("::1 9093"));
        assert_eq!(
            host("GroupCoordinator: a.example:9093: certificate verify failed").as_deref(),
            Some("a.example 9093")
        );
        assert_eq!(host("certificate verify failed"), None);
        assert_eq!(host("a.example:9093: certificate fine"), None);
    }
}
