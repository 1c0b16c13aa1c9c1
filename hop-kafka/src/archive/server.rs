//! The archive of one broker, asked by threads that may block: messages fetched and stored, with time-outs and retries.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hop_core::Outgoing;
use ureq::http::Uri;
use uuid::Uuid;

use super::document::{self, Stored};
use super::endpoint::{Discovery, Endpoint, origin};
use super::settings::{self, LargeMessages};
use crate::http::{Allowed, Body, Client, Failure, Login, Method, is_this_machine};
use crate::{Error, ErrorKind, Stream, Url};

/// How long one attempt to fetch, or to store, may take.
const FETCHING: Duration = Duration::from_secs(30);
const STORING: Duration = Duration::from_secs(120);
/// How long the first attempt that may succeed later is waited with, and the longest such wait.
const PAUSE: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(8));
/// How often a pause looks whether anyone still waits.
const GLANCE: Duration = Duration::from_millis(50);
/// The largest answer that is not a message.
const SMALL: u64 = 1 << 20;
/// How much of an address errors show.
const SHOWN: usize = 200;

/// The archive that belongs to a broker.
#[derive(Debug)]
pub(crate) struct Server {
    discovery: Discovery,
    login: Arc<Login>,
    authorities: Option<PathBuf>,
    settings: LargeMessages,
    /// Whether the broker is on this machine, and its address if the URL has one.
    broker_is_here: bool,
    broker_address: Option<IpAddr>,
    /// The client of the archive's present address.
    client: Mutex<Option<(Endpoint, Arc<Client>)>>,
}

impl Server {
    /// Makes the client of the archive of this broker. Nothing is connected yet.
    ///
    /// # Errors
    /// Kind `Credential`, `Tls` or `Config`.
    pub(crate) fn new(stream: &Stream, broker: &Url) -> Result<Self, Error> {
        let credential = stream.credential(broker)?;
        let settings = stream.shared.large.clone();
        let discovery = match &settings.archive {
            None => Discovery::new(stream.clone(), broker.clone()),
            Some(url) => {
                let endpoint = Endpoint::new(url).map_err(|why| {
                    Error::new(ErrorKind::Config, format!("the archive's address {why}"))
                        .help("write it as `https://host/path`")
                })?;
                Discovery::given(stream.clone(), broker.clone(), endpoint)
            }
        };
        let scope = crate::config::scope(&stream.shared.properties);
        Ok(Self {
            discovery,
            login: Arc::new(Login::of(credential.as_ref(), scope)?),
            authorities: credential.as_ref().and_then(|credential| credential.authorities()).map(PathBuf::from),
            settings,
            broker_is_here: is_this_machine(broker.host()),
            broker_address: broker.host().parse().ok(),
            client: Mutex::default(),
        })
    }

    /// Returns the archive's address and the client for it.
    fn own(&self, endpoint: Endpoint) -> Result<(Endpoint, Arc<Client>), Failure> {
        let mut known = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, client)) = &*known
            && *of == endpoint
        {
            return Ok((endpoint, Arc::clone(client)));
        }
        let mut allowed = self.allowed();
        // A broker on this machine, or in a private network, may have its archive there too; and who writes an address means
        // it.
        let host = endpoint.uri.host().unwrap_or_default();
        let is_given = self.settings.archive.is_some();
        allowed.loopback = self.broker_is_here || (is_given && is_this_machine(host));
        let is_beside = |address: IpAddr| {
            is_given || (!address.is_loopback() && self.broker_address.is_some_and(|own| own == address))
        };
        if let Some(address) = address(host).filter(|address| is_beside(*address)) {
            allowed.addresses.insert(address);
        }
        let name = format!("the archive {}", endpoint.url);
        let client = Client::new(&endpoint.uri, name, Arc::clone(&self.login), self.authorities.as_deref(), allowed);
        let client =
            Arc::new(client.map_err(|error| Failure::new(error.kind(), error.to_string(), "nothing was sent"))?);
        *known = Some((endpoint.clone(), Arc::clone(&client)));
        Ok((endpoint, client))
    }

    /// The addresses outside of the internet that the user allows.
    fn allowed(&self) -> Allowed {
        let addresses = self
            .settings
            .hosts
            .iter()
            .filter_map(|host| address(settings::name(host)))
            .map(|address| address.to_canonical());
        Allowed { loopback: false, addresses: addresses.collect() }
    }

    fn present(&self) -> Result<(Endpoint, Arc<Client>), Failure> {
        let endpoint = self.discovery.find()?.ok_or_else(none)?;
        self.own(endpoint)
    }

    /// Fetches the message that a placeholder's URL names; waits on this thread until the deadline at most.
    pub(crate) fn fetch(&self, url: &str, nobody_waits: &dyn Fn() -> bool) -> Result<Stored, Failure> {
        let deadline = Instant::now() + self.settings.fetch_timeout;
        let body = persist(deadline, FETCHING, nobody_waits, |until| {
            let (client, url) = self.client_for(url)?;
            client.call(Method::Get, &url, &Body::default(), self.settings.fetch_limit, until)
        })?;
        read(document::message(&body), url)
    }

    /// Returns the client that may ask for this URL, if any may, and the URL without what does not belong to a request.
    fn client_for(&self, url: &str) -> Result<(Arc<Client>, String), Failure> {
        let shown = shown(url);
        let forbidden =
            |what: &str, help| Failure::new(ErrorKind::Forbidden, format!("the message is at `{shown}`, {what}"), help);
        let unusable = || forbidden("which is not an `http` or `https` address", "ask the sender for a valid message");
        let plain = url.split('#').next().unwrap_or_default();
        let uri: Uri = plain.parse().map_err(|_| unusable())?;
        let of_message = origin(&uri).ok_or_else(unusable)?;
        if uri.authority().is_none_or(|authority| authority.as_str().contains('@')) {
            return Err(forbidden("which has a username in it", "ask the sender for a valid message"));
        }
        let is_own = |endpoint: &Endpoint| origin(&endpoint.uri).as_ref() == Some(&of_message);
        // What the user allows by name is not asked of the broker, and gets no credential.
        let (_, host, port) = &of_message;
        let mut endpoint = self.discovery.find()?;
        if !endpoint.as_ref().is_some_and(is_own) {
            if self.settings.allows(host, *port) {
                let client = Client::anonymous(&uri, format!("the server {host}"), self.allowed());
                let client =
                    client.map_err(|error| Failure::new(error.kind(), error.to_string(), "nothing was sent"))?;
                return Ok((Arc::new(client), plain.to_owned()));
            }
            // The archive may have moved.
            endpoint = self.discovery.find_again()?.filter(is_own);
        }
        match endpoint {
            Some(endpoint) => Ok((self.own(endpoint)?.1, plain.to_owned())),
            None => Err(forbidden(
                "which is not the broker's archive",
                "allow the host with `external_host`, if it is trusted",
            )),
        }
    }

    /// Asks for something below the archive's address.
    pub(crate) fn get(&self, path: &str, nobody_waits: &dyn Fn() -> bool) -> Result<Bytes, Failure> {
        let deadline = Instant::now() + self.settings.fetch_timeout;
        persist(deadline, FETCHING, nobody_waits, |until| {
            let (endpoint, client) = self.present()?;
            let url = format!("{}/{path}", endpoint.url);
            client.call(Method::Get, &url, &Body::default(), self.settings.fetch_limit, until)
        })
    }

    /// Returns true if the broker names an archive.
    pub(crate) fn is_there(&self) -> Result<bool, Failure> {
        // It may be named since.
        Ok(self.discovery.find()?.is_some() || self.discovery.find_again()?.is_some())
    }

    /// Stores a message, and returns the URL where it is; waits on this thread until the deadline at most.
    pub(crate) fn store(
        &self,
        topic: &str,
        message: &Outgoing,
        deadline: Instant,
        nobody_waits: &dyn Fn() -> bool,
    ) -> Result<String, Failure> {
        let Some(id) = message.headers.id() else {
            return Err(Failure::new(
                ErrorKind::Refused,
                format!(
                    "writing to `{topic}`: the message is too large for the topic, and has no `_id` to be stored under"
                ),
                "write it with `Publisher::write`, which gives it one",
            ));
        };
        let body = document::upload(message).map(Body).ok_or_else(|| {
            Failure::new(
                ErrorKind::Refused,
                format!("writing to `{topic}`: the message is too large for the topic, and has a header that is null"),
                "give the header a value: the archive cannot store one without",
            )
        })?;
        let mut at = None;
        let answer = persist(deadline, STORING, nobody_waits, |until| {
            let (endpoint, client) = self.present()?;
            let url = format!("{}/topic/{topic}+oversized", endpoint.url);
            let answer = client.call(Method::Post, &url, &body, SMALL, until);
            if matches!(&answer, Err(failure) if failure.is_passing) {
                // It may have moved.
                self.discovery.find_again()?;
            }
            at = Some(endpoint);
            answer
        })?;
        let endpoint = at.ok_or_else(none)?;
        // The archive chooses another one where it is taken.
        let id = match document::receipt(&answer) {
            Ok(other) => other.unwrap_or(id),
            // The placeholder might stand for another message.
            Err(fault) => {
                return Err(Failure::new(
                    ErrorKind::Protocol,
                    format!("the archive {} took the message, and answered with {fault}", endpoint.url),
                    "check the address of the archive, and write the message again; it may be stored twice then",
                ));
            }
        };
        Ok(format!("{}/msg/{id}", endpoint.url))
    }

    /// Fetches a message by its identifier.
    pub(crate) fn message(&self, id: Uuid, nobody_waits: &dyn Fn() -> bool) -> Result<Stored, Failure> {
        let body = self.get(&format!("msg/{id}"), nobody_waits)?;
        read(document::message(&body), &format!("msg/{id}"))
    }
}

/// Returns what a document says, or the failure of an archive that sent no such document.
pub(crate) fn read<T>(document: Result<T, document::Fault>, of: &str) -> Result<T, Failure> {
    document.map_err(|fault| {
        let what = format!("the archive answered for `{}` with {fault}", shown(of));
        Failure::new(
            ErrorKind::Protocol,
            what,
            "the stored message is damaged; ask its sender, or the archive's operators",
        )
    })
}

fn none() -> Failure {
    Failure::new(
        ErrorKind::NotFound,
        "the broker names no archive for large messages (topic `sys.metadata`)",
        "give its address with `StreamBuilder::archive_url`, or send a smaller message",
    )
}

/// The address that a host is written as, if it is.
fn address(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// Text from a message, fit to be shown.
fn shown(url: &str) -> String {
    let mut shown: String = url.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    // A password in it is the sender's; it does not belong into logs all the same.
    if let Some((scheme, rest)) = shown.split_once("://")
        && let Some((authority, _)) = rest.split_once('@')
        && !authority.contains('/')
    {
        shown = format!("{scheme}://…@{}", rest.split_once('@').map_or("", |(_, rest)| rest));
    }
    shown
}

/// Tries until it succeeds, fails for good, or time is over; the pauses between grow.
fn persist(
    deadline: Instant,
    longest: Duration,
    nobody_waits: &dyn Fn() -> bool,
    mut attempt: impl FnMut(Instant) -> Result<crate::http::Answer, Failure>,
) -> Result<Bytes, Failure> {
    let mut pause = PAUSE.0;
    loop {
        let failure = match attempt(deadline.min(Instant::now() + longest)) {
            Ok(answer) => return Ok(answer.body.into()),
            Err(failure) => failure,
        };
        let left = deadline.saturating_duration_since(Instant::now());
        if !failure.is_passing || left <= pause || nobody_waits() {
            return Err(failure);
        }
        tracing::debug!(target: "hop", what = failure.what, again_in = ?pause, "a request failed and is made again");
        let until = Instant::now() + pause;
        while Instant::now() < until {
            if nobody_waits() {
                return Err(failure);
            }
            std::thread::sleep(GLANCE.min(until.saturating_duration_since(Instant::now())));
        }
        pause = (pause * 2).min(PAUSE.1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_without_passwords_and_control_characters() {
        assert_eq!(shown("https://host/msg/1"), "https://host/msg/1");
        assert_eq!(shown("https://ada:hunter2@host/x@y"), "https://…@host/x@y");
        assert_eq!(shown("file:///etc/passwd\n"), "file:///etc/passwd\\n");
        assert!(shown(&"x".repeat(10_000)).len() < 1_000);
    }

    #[test]
    fn what_lasts_is_not_tried_again_and_what_passes_is() {
        let failure = |is_passing| Failure { is_passing, ..Failure::new(ErrorKind::Unavailable, "down", "wait") };
        for (is_passing, expected) in [(false, 1), (true, 3)] {
            let mut tries = 0;
            let deadline = Instant::now() + Duration::from_secs(20);
            let outcome = persist(deadline, FETCHING, &|| false, |_| {
                tries += 1;
                if tries == 3 { Ok(crate::http::Answer { body: b"done".to_vec() }) } else { Err(failure(is_passing)) }
            });
            assert_eq!((tries, outcome.is_ok()), (expected, is_passing));
        }
        // A caller that went away, and a deadline, end it.
        let started = Instant::now();
        assert!(persist(started + Duration::from_secs(20), FETCHING, &|| true, |_| Err(failure(true))).is_err());
        assert!(persist(started, FETCHING, &|| false, |_| Err(failure(true))).is_err());
        assert!(started.elapsed() < Duration::from_secs(5));
    }
}
