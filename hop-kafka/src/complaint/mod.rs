//! What librdkafka says is wrong, understood: the layer, the reason and the way out.
//!
//! librdkafka tells much of it by words alone: a connection that ends is one code, whether nobody listens, the port is one
//! without TLS, or a client certificate is missing. So its sentences are read here. What is not recognised goes by its code.

#[cfg(any(feature = "ssl-vendored", feature = "ssl"))]
mod certificate;
mod report;

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use self::report::Report;
use crate::auth::token::TokenFailure;
use crate::error::{Error, ErrorKind};

/// The same complaint is logged again after this time.
const AGAIN: Duration = Duration::from_secs(30);
/// After this time a complaint no longer says what is wrong: librdkafka repeats itself every half a minute.
const STALE: Duration = Duration::from_secs(60);

type Help = Cow<'static, str>;

/// The last thing librdkafka complained about, so that a time-out can say why.
#[derive(Debug)]
pub(crate) struct Complaint {
    last: Mutex<Option<Heard>>,
    token: Mutex<TokenState>,
    /// The broker has answered a question of ours: it wants no other credential.
    is_served: AtomicBool,
    /// The client is being closed: that connections end is what is wanted.
    is_closing: AtomicBool,
    #[cfg(any(feature = "ssl-vendored", feature = "ssl"))]
    trust: Option<certificate::Trust>,
}

/// How it stands with the client's token.
#[derive(Debug, Default)]
struct TokenState {
    /// Until when the last one is good.
    good_until: Option<SystemTime>,
    /// Why no other came since.
    failure: Option<TokenFailure>,
}

#[derive(Debug)]
struct Heard {
    /// As librdkafka's words say it.
    said: Cause,
    /// The same, looked into.
    cause: Cause,
    logged: Instant,
    heard: Instant,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cause {
    kind: ErrorKind,
    what: String,
    help: Option<Help>,
    /// Whether librdkafka may mend it by trying again.
    mends: bool,
    /// Whether the words were understood, and not the code alone.
    recognised: bool,
}

impl Cause {
    fn error(&self, operation: &str) -> Error {
        let error = Error::new(self.kind, format!("{operation}: {}", self.what));
        match &self.help {
            Some(help) => error.help(help.clone()),
            None => error,
        }
    }

    /// What is wrong, and the way out.
    fn told(&self) -> String {
        match &self.help {
            Some(help) => format!("{}; {help}", self.what),
            None => self.what.clone(),
        }
    }

    fn log(&self) {
        let Self { kind, what, help, mends, .. } = self;
        let help = help.as_deref().unwrap_or_default();
        if *mends {
            tracing::warn!(target: "hop", %kind, help, "{what}");
        } else {
            tracing::error!(target: "hop", %kind, help, "{what}");
        }
    }
}

impl Complaint {
    /// Of a client with these settings.
    #[cfg_attr(not(any(feature = "ssl-vendored", feature = "ssl")), allow(unused_variables))]
    pub(crate) fn new(config: &ClientConfig) -> Self {
        Self {
            last: Mutex::default(),
            token: Mutex::default(),
            is_served: AtomicBool::new(false),
            is_closing: AtomicBool::new(false),
            #[cfg(any(feature = "ssl-vendored", feature = "ssl"))]
            trust: certificate::Trust::of(config),
        }
    }

    /// Notes that the broker has answered, so that it takes the credential, or wants none.
    pub(crate) fn note_served(&self) {
        self.is_served.store(true, Ordering::Release);
    }

    /// Notes that the client is being closed. What librdkafka says from now on is logged at the level `DEBUG` alone.
    pub(crate) fn note_closing(&self) {
        self.is_closing.store(true, Ordering::Release);
    }

    fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::Acquire)
    }

    fn read<'a>(&self, reason: &'a str) -> Report<'a> {
        Report::read(reason, self.is_served.load(Ordering::Acquire))
    }

    fn last(&self) -> MutexGuard<'_, Option<Heard>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps and logs an error of the client as a whole.
    pub(crate) fn hear(&self, error: &KafkaError, reason: &str) {
        match error.rdkafka_error_code() {
            None | Some(RDKafkaErrorCode::PartitionEOF) => {}
            // It follows each cause and says less than it.
            Some(RDKafkaErrorCode::AllBrokersDown) => tracing::debug!(target: "hop", "{reason}"),
            Some(code) => self.keep(code, &self.read(reason)),
        }
    }

    /// librdkafka's log lines, as events of `tracing`; some say what no error does.
    pub(crate) fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        use RDKafkaLogLevel as Level;
        match level {
            Level::Emerg | Level::Alert | Level::Critical | Level::Error => {
                tracing::error!(target: "librdkafka", facility, "{message}");
            }
            Level::Warning => tracing::warn!(target: "librdkafka", facility, "{message}"),
            Level::Notice | Level::Info => tracing::info!(target: "librdkafka", facility, "{message}"),
            Level::Debug => tracing::debug!(target: "librdkafka", facility, "{message}"),
        }
        // Of a connection that the other side ended there is only a line in the log. Most are nothing to complain of.
        let told_by_log_alone = matches!(level, Level::Warning | Level::Notice | Level::Info);
        if facility == "FAIL" && told_by_log_alone {
            let report = self.read(message.split_once("]: ").map_or(message, |(_thread, reason)| reason));
            if report.is_untimely_end() {
                self.keep(RDKafkaErrorCode::BrokerTransportFailure, &report);
            }
        }
    }

    fn keep(&self, code: RDKafkaErrorCode, report: &Report<'_>) {
        let said = report.cause(code);
        if self.is_closing() {
            tracing::debug!(target: "hop", kind = %said.kind, "while closing: {}", said.what);
            return;
        }
        if let Some(last) = &mut *self.last() {
            let lately = last.logged.elapsed() < AGAIN;
            if last.said == said {
                last.heard = Instant::now();
                if !lately {
                    last.cause.log();
                    last.logged = Instant::now();
                }
                return;
            }
            // What follows from a cause says less than it.
            if lately && last.said.recognised && !said.recognised {
                said.log();
                return;
            }
        }
        let cause = self.looked_into(said.clone(), report);
        cause.log();
        let now = Instant::now();
        *self.last() = Some(Heard { said, cause, logged: now, heard: now });
    }

    /// What librdkafka does not tell of a certificate is seen by looking at it.
    #[cfg(any(feature = "ssl-vendored", feature = "ssl"))]
    fn looked_into(&self, said: Cause, report: &Report<'_>) -> Cause {
        let found = report.host_of_bad_certificate().and_then(|(host, port)| self.trust.as_ref()?.examine(host, port));
        match found {
            Some((what, help)) => Cause { what: report.at_broker(&what), help: Some(help), ..said },
            None => said,
        }
    }

    #[cfg(not(any(feature = "ssl-vendored", feature = "ssl")))]
    fn looked_into(&self, said: Cause, _report: &Report<'_>) -> Cause {
        said
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
    fn without_token(&self) -> Option<Cause> {
        let token = self.token();
        let good = token.good_until.is_some_and(|good_until| SystemTime::now() < good_until);
        token.failure.as_ref().filter(|_| !good).map(|failure| Cause {
            kind: failure.kind,
            what: failure.what.clone(),
            help: Some(failure.help.into()),
            mends: !failure.is_for_good(),
            recognised: true,
        })
    }

    /// What is wrong now, as far as it was heard.
    fn cause(&self) -> Option<Cause> {
        // Without a token nothing else can be known.
        let token = self.without_token();
        if token.is_some() {
            return token;
        }
        self.last().as_ref().filter(|last| last.heard.elapsed() < STALE).map(|last| last.cause.clone())
    }

    /// The layer of the complaint, and what it says.
    pub(crate) fn told(&self) -> Option<(ErrorKind, String)> {
        self.cause().map(|cause| (cause.kind, cause.told()))
    }

    /// The complaint as the error that `operation` ended with.
    pub(crate) fn error(&self, operation: &str) -> Option<Error> {
        self.cause().map(|cause| cause.error(operation))
    }

    /// The complaint, when waiting longer will not help.
    pub(crate) fn hopeless(&self, operation: &str) -> Option<Error> {
        self.cause().filter(|cause| !cause.mends).map(|cause| cause.error(operation))
    }
}
