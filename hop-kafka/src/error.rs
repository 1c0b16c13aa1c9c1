//! What can go wrong between a program and the broker, and the way out of each.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use hop_core::{Outgoing, Record};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// The layer in which something failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The URL is not one of `kafka://[username@]broker[:port]/[topic[,topic2]]`.
    Url,
    /// No credential fits, or the file of credentials cannot be used.
    Credential,
    /// A setting is not possible.
    Config,
    /// The broker's name does not resolve, or it does not answer.
    Connection,
    /// TLS: the certificate is not trusted, or is for another host.
    Tls,
    /// The broker refuses the credential.
    Authentication,
    /// The credential is good, but may not do this with this topic or group.
    Authorization,
    /// The topic is not there.
    UnknownTopic,
    /// The broker refuses a message of this size.
    TooLarge,
    /// It took longer than allowed.
    TimedOut,
    /// A message does not decode; [`Error::record`] has it as it was received.
    Decode,
    /// A model does not encode, or its headers are not allowed.
    Encode,
    /// The archive does not have it.
    NotFound,
    /// The archive does not take the request: an invalid identifier, headers that it does not store, or a duplicate.
    Refused,
    /// The archive is down, or too busy.
    Unavailable,
    /// The archive's answer is not what its protocol says: truncated, malformed, a redirection, or without proof that the
    /// server knows the password.
    Protocol,
    /// A message names an address that must not be asked: another host than the broker's archive, or a private network.
    Forbidden,
    /// Messages were not sent; [`Error::undelivered`] has them.
    Undelivered,
    /// Messages were not read, since they were deleted before or cannot be unpacked; [`Error::lost`] says which.
    Lost,
    /// The call does not fit the stream, such as a topic left out where there are several.
    Usage,
    /// The journal on disk is full, in use, damaged, or cannot be written; the source is a
    /// [`journal::Error`](crate::journal::Error).
    Journal,
    /// Anything else that the broker or librdkafka reports.
    Kafka,
}

impl ErrorKind {
    /// The kind as a word for machines: `"connection"`, `"unknown-topic"`, …
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::Credential => "credential",
            Self::Config => "config",
            Self::Connection => "connection",
            Self::Tls => "tls",
            Self::Authentication => "authentication",
            Self::Authorization => "authorization",
            Self::UnknownTopic => "unknown-topic",
            Self::TooLarge => "too-large",
            Self::TimedOut => "timed-out",
            Self::Decode => "decode",
            Self::Encode => "encode",
            Self::NotFound => "not-found",
            Self::Refused => "refused",
            Self::Unavailable => "unavailable",
            Self::Protocol => "protocol",
            Self::Forbidden => "forbidden",
            Self::Undelivered => "undelivered",
            Self::Lost => "lost",
            Self::Usage => "usage",
            Self::Journal => "journal",
            Self::Kafka => "kafka",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A message that was not delivered, handed back whole.
#[derive(Debug, Clone)]
pub struct Undelivered {
    /// The topic it was for.
    pub topic: String,
    /// Content, key and headers.
    pub message: Outgoing,
    /// The layer that failed: [`Authorization`](ErrorKind::Authorization), [`TooLarge`](ErrorKind::TooLarge),
    /// [`Connection`](ErrorKind::Connection), …
    pub kind: ErrorKind,
    /// Why the broker did not take it.
    pub reason: String,
}

/// Messages that a reader did not get.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lost {
    /// The topic.
    pub topic: String,
    /// The partition, from zero.
    pub partition: i32,
    /// The offset that was to be read next.
    pub from: i64,
    /// The offset where reading goes on. It is below `from` where the topic was deleted and made anew, or the log was cut.
    pub to: i64,
    /// Why they were not read.
    pub why: Loss,
}

/// Why messages were not read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Loss {
    /// They were deleted before the reader came to them.
    Deleted,
    /// The topic was deleted and made anew, or its log was cut.
    Replaced,
    /// librdkafka could not unpack their batch, and [`pass_unreadable`](crate::Subscribe::pass_unreadable) is set.
    Unreadable {
        /// In librdkafka's words.
        reason: String,
    },
}

/// An error of a stream.
///
/// It says what failed and what to do about it, and carries what would otherwise be lost: the record that did not decode,
/// the messages that were not delivered.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    help: Option<String>,
    record: Option<Record>,
    undelivered: Vec<Undelivered>,
    lost: Option<Lost>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    #[cold]
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            help: None,
            record: None,
            undelivered: Vec::new(),
            lost: None,
            source: None,
        }))
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    fn because(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.0.source = Some(Box::new(source));
        self
    }

    /// A record that no model, or not its own, could read.
    pub(crate) fn decode(error: hop_core::Error, record: Record) -> Self {
        let place = record.place.as_ref().map_or_else(String::new, |place| format!(" at {place}"));
        let mut out =
            Self::new(ErrorKind::Decode, format!("the message{place} does not decode: {error}")).because(error);
        out.0.record = Some(record);
        out
    }

    /// A placeholder whose message could not be fetched from the archive.
    pub(crate) fn not_fetched(error: Self, placeholder: Record) -> Self {
        let place = placeholder.place.as_ref().map_or_else(String::new, |place| format!(" at {place}"));
        let mut out =
            Self::new(error.kind(), format!("the message{place} is in the archive, and was not fetched: {error}"));
        out.0.record = Some(placeholder);
        out
    }

    pub(crate) fn encode(error: hop_core::Error) -> Self {
        Self::new(ErrorKind::Encode, error.to_string()).because(error)
    }

    pub(crate) fn journal(error: hop_journal::Error) -> Self {
        Self::new(ErrorKind::Journal, error.to_string()).because(error)
    }

    pub(crate) fn undelivered_messages(undelivered: Vec<Undelivered>) -> Self {
        let count = undelivered.len();
        let reason = undelivered.first().map_or("", |first| first.reason.as_str());
        let noun = if count == 1 { "message was" } else { "messages were" };
        let mut out = Self::new(ErrorKind::Undelivered, format!("{count} {noun} not delivered: {reason}"))
            .help("`Error::undelivered` hands them back");
        out.0.undelivered = undelivered;
        out
    }

    /// A message of this size is above the topic's limit, so it was not sent.
    pub(crate) fn too_large(topic: &str, size: usize, limit: usize) -> Self {
        let message = format!(
            "writing to `{topic}`: the message has {size} bytes with its headers, and the topic takes {limit} \
             (`max.message.bytes`); it was not sent"
        );
        Self::new(ErrorKind::TooLarge, message)
            .help("compress it, send a reference to the data instead, or ask the topic's owner for more")
    }

    /// A message of this size is above the writer's own limit, so it was not sent.
    pub(crate) fn too_large_to_send(topic: &str, size: usize) -> Self {
        let message = format!(
            "writing to `{topic}`: the message has {size} bytes with its headers, which is more than this writer sends \
             (`message.max.bytes`); it was not sent"
        );
        Self::new(ErrorKind::TooLarge, message).help(
            "send a reference to the data instead, or set the property `message.max.bytes` if the topic takes more",
        )
    }

    /// Messages were not read.
    pub(crate) fn lost_messages(lost: Lost) -> Self {
        let Lost { topic, partition, from, to, why } = &lost;
        let (what, help) = match why {
            Loss::Unreadable { reason } => (
                format!(
                    "the messages of {topic}[{partition}] from {from} to {} were passed, since their batch cannot be \
                     unpacked: {reason}",
                    to - 1
                ),
                "ask the publisher for smaller batches, or raise `receive.message.max.bytes`",
            ),
            Loss::Deleted => (
                format!(
                    "the messages of {topic}[{partition}] from {from} to {} were deleted before they were read",
                    to - 1
                ),
                "read more often, or ask the topic's owner to keep messages for longer",
            ),
            Loss::Replaced => (
                format!("{topic}[{partition}] was to be read at {from}, and begins anew at {to}"),
                "the topic was deleted and made anew, or its log was cut; messages may be missing in between",
            ),
        };
        let mut error = Self::new(ErrorKind::Lost, what).help(help);
        error.0.lost = Some(lost);
        error
    }

    /// The error of a message that was not queued, with the message.
    pub(crate) fn hand_back(mut self, topic: String, message: Outgoing) -> Self {
        let (kind, reason) = (self.kind(), self.to_string());
        self.0.undelivered = vec![Undelivered { topic, message, kind, reason }];
        self
    }

    /// There was no answer, and nothing that says why.
    pub(crate) fn timed_out(operation: &str, within: Duration) -> Self {
        Self::new(ErrorKind::TimedOut, format!("{operation}: no answer within {within:?}"))
            .help("check the broker's host and port, and the connection to it")
    }

    /// A setting that librdkafka refuses: its name and why, and not its value, which may be a secret.
    pub(crate) fn setting(operation: &str, error: &KafkaError) -> Self {
        let message = match error {
            KafkaError::ClientConfig(_, why, name, _) => {
                let secret = ["password", "secret", "token", "key", "pem"].iter().any(|word| name.contains(word));
                let why = if secret { "the value is not possible" } else { why.as_str() };
                format!("{operation}: `{name}`: {why}")
            }
            error => format!("{operation}: {error}"),
        };
        Self::new(ErrorKind::Config, message)
    }

    /// What `operation` met, with the cure where the kind has one.
    pub(crate) fn kafka(operation: &str, error: KafkaError) -> Self {
        let code = error.rdkafka_error_code();
        let text = code.map_or_else(|| error.to_string(), |code| code.to_string());
        Self::of_code(operation, code, &text).because(error)
    }

    /// Returns the kind that an error of the client has.
    #[cfg(feature = "metrics")]
    pub(crate) fn kind_of(error: &KafkaError) -> ErrorKind {
        error.rdkafka_error_code().map_or(ErrorKind::Kafka, |code| layer(code).0)
    }

    /// The same, with librdkafka's own words on the reason.
    pub(crate) fn of_code(operation: &str, code: Option<RDKafkaErrorCode>, reason: &str) -> Self {
        let (kind, help) = code.map_or((ErrorKind::Kafka, None), layer);
        let error = Self::new(kind, format!("{operation}: {reason}"));
        match help {
            Some(help) => error.help(help),
            None => error,
        }
    }

    /// The layer that failed, to match on.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns what happened, without the advice.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns what to do about it, where that is known.
    pub fn advice(&self) -> Option<&str> {
        self.0.help.as_deref()
    }

    /// The record that did not decode, as it was received, with its topic, partition and offset; or the placeholder of a
    /// message that could not be fetched.
    pub fn record(&self) -> Option<&Record> {
        self.0.record.as_ref()
    }

    /// The record, owned.
    pub fn into_record(self) -> Option<Record> {
        self.0.record
    }

    /// Returns which messages were not read, for an error of kind [`Lost`](ErrorKind::Lost).
    pub fn lost(&self) -> Option<&Lost> {
        self.0.lost.as_ref()
    }

    /// The messages that were not delivered.
    pub fn undelivered(&self) -> &[Undelivered] {
        &self.0.undelivered
    }

    /// The messages, owned.
    pub fn into_undelivered(self) -> Vec<Undelivered> {
        self.0.undelivered
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        match &self.0.help {
            Some(help) => write!(f, "; {help}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error").field("kind", &self.0.kind).field("message", &self.to_string()).finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

/// The layer that a code is of, and the cure where it has one.
pub(crate) fn layer(code: RDKafkaErrorCode) -> (ErrorKind, Option<&'static str>) {
    use RDKafkaErrorCode as Code;
    match code {
        Code::BrokerTransportFailure | Code::AllBrokersDown | Code::BrokerNotAvailable => {
            (ErrorKind::Connection, Some("check the broker's host and port, and that it is up"))
        }
        Code::Resolve => (ErrorKind::Connection, Some("check the spelling of the broker's host name")),
        Code::SSL => (
            ErrorKind::Tls,
            Some("check that the broker's certificate is for this host name, and `ssl_ca_location` names its CA"),
        ),
        Code::Authentication | Code::SaslAuthenticationFailed | Code::UnsupportedSASLMechanism => {
            (ErrorKind::Authentication, Some("check the username, the password and the mechanism of the credential"))
        }
        Code::TopicAuthorizationFailed => {
            (ErrorKind::Authorization, Some("ask the topic's owner for permission, or use another credential"))
        }
        Code::GroupAuthorizationFailed => (
            ErrorKind::Authorization,
            Some("group names usually have to start with the username and a hyphen; or leave the group out"),
        ),
        Code::ClusterAuthorizationFailed => (ErrorKind::Authorization, Some("use another credential")),
        Code::UnknownTopic | Code::UnknownTopicOrPartition | Code::UnknownPartition => {
            (ErrorKind::UnknownTopic, Some("check the topic's name; it may also be one you are not allowed to see"))
        }
        Code::MessageSizeTooLarge | Code::InvalidMessageSize => (
            ErrorKind::TooLarge,
            Some("the topic's `max.message.bytes` is the limit; send a reference to the data instead"),
        ),
        Code::OperationTimedOut | Code::MessageTimedOut | Code::RequestTimedOut | Code::TimedOutQueue => {
            (ErrorKind::TimedOut, Some("check the connection to the broker, or allow more time"))
        }
        Code::InvalidArgument | Code::InvalidConfig => (ErrorKind::Config, None),
        _ => (ErrorKind::Kafka, None),
    }
}

/// Whether librdkafka mends this by itself, by connecting again: worth a log line, not an error of the stream.
pub(crate) fn is_transient(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        code,
        Code::BrokerTransportFailure
            | Code::AllBrokersDown
            | Code::Resolve
            | Code::OperationTimedOut
            | Code::RequestTimedOut
            | Code::NetworkException
            | Code::LeaderNotAvailable
            | Code::NotLeaderForPartition
            | Code::BrokerNotAvailable
            | Code::CoordinatorNotAvailable
            | Code::CoordinatorLoadInProgress
            | Code::NotCoordinator
            | Code::RebalanceInProgress
            | Code::WaitingForCoordinator
            | Code::WaitCache
            | Code::FencedLeaderEpoch
            | Code::UnknownLeaderEpoch
            | Code::OffsetNotAvailable
            | Code::AutoOffsetReset
            | Code::PollExceeded
    )
}
