//! Where a broker has its archive: what its topic `sys.metadata` says.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ureq::http::Uri;

use crate::blocking::block_on_within;
use crate::http::Failure;
use crate::{Error, ErrorKind, StartPosition, Stream, Url};

/// The topic, and the field of its JSON messages.
const TOPIC: &str = "sys.metadata";
const FIELD: &str = "LargeMessageUploadEndpoint";

/// How old an answer may be.
const FRESH: Duration = Duration::from_secs(600);
/// How often the broker is asked where something speaks against its answer: a message that names another host, an archive
/// that is down.
const DOUBTED: Duration = Duration::from_secs(10);
/// How long the topic may take to be read, beyond connecting.
const READING: Duration = Duration::from_secs(5);

/// The address of an archive, as the broker names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// Without a slash at its end.
    pub(crate) url: String,
    pub(crate) uri: Uri,
}

impl Endpoint {
    pub(crate) fn new(url: &str) -> Result<Self, &'static str> {
        let url = url.trim_end_matches('/');
        let uri: Uri = url.parse().map_err(|_| "is not a URL")?;
        let authority = uri.authority().ok_or("has no host")?;
        if authority.as_str().contains('@') {
            return Err("has a username in it");
        }
        if uri.query().is_some() || url.contains('#') {
            return Err("has more than a path");
        }
        match uri.scheme_str() {
            Some("http" | "https") => Ok(Self { url: url.to_owned(), uri }),
            _ => Err("is neither `http` nor `https`"),
        }
    }
}

/// Scheme, host and port of a URI: what has to be the same for a credential to be sent.
pub(crate) fn origin(uri: &Uri) -> Option<(bool, String, u16)> {
    let is_encrypted = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => false,
        _ => return None,
    };
    let host = uri.host()?.trim_end_matches('.').to_ascii_lowercase();
    Some((is_encrypted, host, uri.port_u16().unwrap_or(if is_encrypted { 443 } else { 80 })))
}

/// Finds the archive of a broker, and remembers it for a while.
#[derive(Debug)]
pub(crate) struct Discovery {
    stream: Stream,
    broker: Url,
    /// Locked while the broker is asked, so that it is asked once.
    known: Mutex<Option<Known>>,
    /// Set where the address was given.
    is_given: bool,
}

#[derive(Debug, Clone)]
struct Known {
    endpoint: Option<Endpoint>,
    at: Instant,
    /// When it was last asked for because of a doubt.
    doubted: Option<Instant>,
}

impl Discovery {
    pub(crate) fn new(stream: Stream, broker: Url) -> Self {
        Self { stream, broker, known: Mutex::default(), is_given: false }
    }

    /// An archive whose address is known.
    pub(crate) fn given(stream: Stream, broker: Url, endpoint: Endpoint) -> Self {
        let known = Some(Known { endpoint: Some(endpoint), at: Instant::now(), doubted: None });
        Self { stream, broker, known: Mutex::new(known), is_given: true }
    }

    /// Returns the address of the archive; `None` if the broker names none. Waits on this thread.
    pub(crate) fn find(&self) -> Result<Option<Endpoint>, Failure> {
        self.find_unless(|known| known.at.elapsed() < FRESH, false)
    }

    /// Asks again, unless there was a doubt just now. So the first message that names an archive which has moved finds it,
    /// and messages that name others have the broker asked only now and then.
    pub(crate) fn find_again(&self) -> Result<Option<Endpoint>, Failure> {
        self.find_unless(|known| known.doubted.is_some_and(|doubted| doubted.elapsed() < DOUBTED), true)
    }

    fn find_unless(&self, is_good: impl FnOnce(&Known) -> bool, is_doubt: bool) -> Result<Option<Endpoint>, Failure> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*known
            && (self.is_given || is_good(known))
        {
            return Ok(known.endpoint.clone());
        }
        let asked = self.ask();
        let doubted = if is_doubt { Some(Instant::now()) } else { known.as_ref().and_then(|known| known.doubted) };
        match asked {
            Ok(endpoint) => {
                *known = Some(Known { endpoint: endpoint.clone(), at: Instant::now(), doubted });
                Ok(endpoint)
            }
            Err(error) => match &mut *known {
                // An answer that was good is better than none.
                Some(known) => {
                    tracing::warn!(target: "hop", %error, "the broker does not say anew where its archive is");
                    (known.at, known.doubted) = (Instant::now(), doubted);
                    Ok(known.endpoint.clone())
                }
                None => Err(Failure {
                    kind: error.kind(),
                    what: format!("asking the broker where its archive is: {error}"),
                    help: "check the connection to the broker, and the right to read `sys.metadata`",
                    is_passing: matches!(error.kind(), ErrorKind::Connection | ErrorKind::TimedOut),
                }),
            },
        }
    }

    fn ask(&self) -> Result<Option<Endpoint>, Error> {
        let subscribe = crate::consumer::Subscribe::new(self.stream.clone(), self.broker.with_topic(TOPIC));
        let subscribe = subscribe.start_at(StartPosition::Earliest).until_eos(true).test_messages(true);
        let mut newest: Option<(i64, Endpoint)> = None;
        let reading = async {
            let mut records = subscribe.fetch_external(false).await?;
            while let Some(record) = records.next_record().await {
                let record = record?;
                let (content, timestamp) = (record.content.as_bytes(), record.timestamp.unwrap_or(i64::MIN));
                match content.map(|content| read(content)) {
                    Some(Ok(endpoint)) if newest.as_ref().is_none_or(|(before, _)| *before <= timestamp) => {
                        newest = Some((timestamp, endpoint));
                    }
                    Some(Ok(_)) | None => {}
                    Some(Err(why)) => {
                        tracing::warn!(target: "hop", why, "a message of sys.metadata is passed over");
                    }
                }
            }
            Ok::<(), Error>(())
        };
        let within = self.stream.shared.connect_timeout + READING;
        match block_on_within(reading, within) {
            Ok(()) => Ok(newest.map(|(_, endpoint)| endpoint)),
            Err(error) if error.kind() == ErrorKind::UnknownTopic => Ok(None),
            // What was read until then counts.
            Err(error) => newest.map(|(_, endpoint)| Some(endpoint)).ok_or(error),
        }
    }
}

/// Reads a message of the topic.
fn read(content: &[u8]) -> Result<Endpoint, &'static str> {
    let message: serde_json::Value = serde_json::from_slice(content).map_err(|_| "it is not JSON")?;
    let url = message.get(FIELD).and_then(serde_json::Value::as_str).ok_or("it names no LargeMessageUploadEndpoint")?;
    Endpoint::new(url)
}
