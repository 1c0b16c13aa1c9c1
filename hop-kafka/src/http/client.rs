//! One request and its answer, with the login that it takes.

use std::io::{Cursor, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use ureq::http::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderValue};
use ureq::http::{HeaderMap, Response, StatusCode, Uri};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{Connector as _, DefaultConnector};
use ureq::{Agent, Proxy, SendBody};

use super::address::{Allowed, Guard, is_forbidden};
use super::early::EarlyAnswers;
use super::login::{Login, Tokens};
use super::scram::{self, Scram};
use super::{NoAnswer, config, is_this_machine};
use crate::{Error, ErrorKind};

/// The largest answer that only asks for a login, in bytes.
const CHALLENGE: u64 = 64 << 10;

const CHECK_LOGIN: &str = "check the username, the password and the mechanism of the credential";
const ASK_OWNER: &str = "check the credential, and ask the topic's owner for the right to read or write it";
const SERVER: &str = "this is not what the archive answers; check the address of the archive";
const LATER: &str = "try again later";

/// Why a request failed.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) kind: ErrorKind,
    pub(crate) what: String,
    pub(crate) help: &'static str,
    /// Whether another attempt may succeed.
    pub(crate) is_passing: bool,
}

impl Failure {
    /// A failure that lasts.
    pub(crate) fn new(kind: ErrorKind, what: impl Into<String>, help: &'static str) -> Self {
        Self { kind, what: what.into(), help, is_passing: false }
    }

    fn passing(self) -> Self {
        Self { is_passing: true, ..self }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::new(failure.kind, failure.what).help(failure.help)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Post,
}

/// What a request sends: parts, one after another.
#[derive(Debug, Clone, Default)]
pub(crate) struct Body(pub(crate) [Bytes; 3]);

impl Body {
    fn len(&self) -> usize {
        self.0.iter().map(Bytes::len).sum()
    }

    fn reader(&self) -> impl Read + '_ {
        let [first, second, third] = &self.0;
        Cursor::new(first).chain(Cursor::new(second)).chain(Cursor::new(third))
    }
}

/// A successful answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) body: Vec<u8>,
}

/// A client of one server: its address, and who asks.
#[derive(Debug)]
pub(crate) struct Client {
    agent: Agent,
    login: Arc<Login>,
    /// The server, as errors name it.
    name: String,
}

/// An answer of any status.
struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Reply {
    fn texts(&self, name: &str) -> Vec<String> {
        self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).map(str::to_owned).collect()
    }
}

impl Client {
    /// Makes the client of the server that this URI names.
    ///
    /// # Errors
    /// Kind `Tls`: a login would be sent in the clear, or the file of authorities cannot be used.
    pub(crate) fn new(
        uri: &Uri,
        name: String,
        login: Arc<Login>,
        authorities: Option<&Path>,
        allowed: Allowed,
    ) -> Result<Self, Error> {
        let is_encrypted = uri.scheme_str() == Some("https");
        if !login.is_anonymous() && !is_encrypted && !is_this_machine(uri.host().unwrap_or_default()) {
            return Err(Error::new(ErrorKind::Tls, format!("{name} would get the credential without TLS")).help(
                "ask for an `https` address of the archive; without TLS a credential goes to this machine alone",
            ));
        }
        let config = config(uri, authorities)?.build();
        // What is behind a proxy is the proxy's to resolve.
        let is_direct = |proxy: &Proxy| proxy.is_no_proxy(uri);
        let connector = DefaultConnector::default().chain(EarlyAnswers);
        let agent = if config.proxy().is_none_or(is_direct) {
            Agent::with_parts(config, connector, Guard::new(allowed))
        } else {
            Agent::with_parts(config, connector, DefaultResolver::default())
        };
        Ok(Self { agent, login, name })
    }

    /// Makes a client that sends no credential and uses no proxy, for servers that others name.
    pub(crate) fn anonymous(uri: &Uri, name: String, allowed: Allowed) -> Result<Self, Error> {
        let config = config(uri, None)?.proxy(None).build();
        Ok(Self {
            agent: Agent::with_parts(config, DefaultConnector::default(), Guard::new(allowed)),
            login: Arc::new(Login::Anonymous),
            name,
        })
    }

    /// Sends a request and returns its answer if that is a success; `limit` is its largest size in bytes.
    ///
    /// Everything together takes until the deadline at most.
    pub(crate) fn call(
        &self,
        method: Method,
        url: &str,
        body: &Body,
        limit: u64,
        deadline: Instant,
    ) -> Result<Answer, Failure> {
        let call = Call { client: self, method, url, body, limit, deadline };
        match &*self.login {
            Login::Anonymous => call.checked(call.send(Some(body), None, limit)?),
            Login::Bearer(tokens) => call.with_token(tokens),
            Login::Scram(scram) => call.with_scram(scram),
        }
    }

    fn garbled(&self, what: &str) -> Failure {
        Failure::new(ErrorKind::Protocol, format!("{} sent {what}", self.name), SERVER)
    }

    fn no_answer(&self, error: &ureq::Error, limit: u64) -> Failure {
        let name = &self.name;
        if is_forbidden(error) {
            return Failure::new(
                ErrorKind::Forbidden,
                format!("{name} was not asked: its address is on this machine or in a private network"),
                "allow the address with `external_host`, if it is trusted",
            );
        }
        let connection = |what: String| {
            Failure::new(ErrorKind::Connection, what, "check the address of the archive, and the connection to it")
                .passing()
        };
        match NoAnswer::of(error) {
            NoAnswer::Late => Failure::new(
                ErrorKind::TimedOut,
                format!("{name} did not answer in time"),
                "check the connection to it, or allow more time",
            )
            .passing(),
            NoAnswer::Unreachable(why) => connection(format!("{name} cannot be reached: {why}")),
            NoAnswer::Ended(why) => connection(format!("{name} ended the connection before it had answered: {why}")),
            NoAnswer::Proxy => connection(format!("{name} cannot be reached through the proxy")),
            NoAnswer::Untrusted(why) => Failure::new(
                ErrorKind::Tls,
                format!("{name} cannot be trusted: {why}"),
                "check its certificate; where its authority is not one of the system's, name it in `ssl_ca_location`",
            ),
            NoAnswer::NoTls => Failure::new(
                ErrorKind::Tls,
                format!("{name} speaks TLS, and hop-kafka was built without"),
                "build it with the feature `ssl` or `ssl-vendored`",
            ),
            NoAnswer::Garbled => self.garbled("an answer that is not HTTP"),
            NoAnswer::TooLong => Failure::new(
                ErrorKind::TooLarge,
                format!("{name} sent an answer of more than {limit} bytes"),
                "raise the limit with `external_limit`, if the memory is there",
            ),
        }
    }
}

/// One request.
struct Call<'a> {
    client: &'a Client,
    method: Method,
    url: &'a str,
    body: &'a Body,
    limit: u64,
    deadline: Instant,
}

impl Call<'_> {
    fn left(&self) -> Result<Duration, Failure> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let late = || self.client.no_answer(&ureq::Error::Timeout(ureq::Timeout::Global), self.limit);
        if left.is_zero() { Err(late()) } else { Ok(left) }
    }

    /// Sends the request, with the body or an empty one; the answer has any status.
    fn send(&self, body: Option<&Body>, authorization: Option<&str>, limit: u64) -> Result<Reply, Failure> {
        let authorization = match authorization {
            None => None,
            Some(text) => {
                let mut value = HeaderValue::from_str(text).map_err(|_| {
                    Failure::new(ErrorKind::Credential, "the credential cannot be sent over HTTP", CHECK_LOGIN)
                })?;
                value.set_sensitive(true);
                Some(value)
            }
        };
        let left = Some(self.left()?);
        let Client { agent, .. } = self.client;
        let answered = match self.method {
            Method::Get => {
                let mut request = agent.get(self.url).config().timeout_global(left).build();
                if let Some(value) = authorization {
                    request = request.header(AUTHORIZATION, value);
                }
                request.call()
            }
            Method::Post => {
                let mut request = agent.post(self.url).config().timeout_global(left).build();
                if let Some(value) = authorization {
                    request = request.header(AUTHORIZATION, value);
                }
                match body {
                    None => request.send_empty(),
                    Some(body) => {
                        let mut reader = body.reader();
                        request.header(CONTENT_LENGTH, body.len()).send(SendBody::from_reader(&mut reader))
                    }
                }
            }
        };
        answered.and_then(|response| read(response, limit)).map_err(|error| self.client.no_answer(&error, limit))
    }

    fn with_token(&self, tokens: &Tokens) -> Result<Answer, Failure> {
        loop {
            let (token, is_fresh) = tokens.get(self.deadline)?;
            let reply = self.send(Some(self.body), Some(&format!("Bearer {}", token.reveal())), self.limit)?;
            if reply.status == StatusCode::UNAUTHORIZED {
                tokens.forget();
                // It may have been withdrawn before its end.
                if !is_fresh {
                    continue;
                }
            }
            return self.checked(reply);
        }
    }

    /// The exchange of RFC 7804, whose first message goes with an empty body.
    fn with_scram(&self, login: &Scram) -> Result<Answer, Failure> {
        let mechanism = login.mechanism();
        let (exchange, message) = login.begin();
        let authorization = format!("{mechanism} data={}", STANDARD.encode(message));
        let limit = if self.method == Method::Get { self.limit } else { CHALLENGE };
        let reply = self.send(None, Some(&authorization), limit)?;
        if reply.status != StatusCode::UNAUTHORIZED {
            if self.method == Method::Post && reply.status.is_success() {
                // Believing it would lose the message, which was not sent.
                return Err(self.client.garbled("a confirmation of a message that it had not got yet"));
            }
            // What is public is given to everyone.
            return self.checked(reply);
        }
        let Some((sid, challenge)) = scram::challenge(&reply.texts("www-authenticate"), mechanism) else {
            return Err(Failure::new(
                ErrorKind::Authentication,
                format!("{} does not take the credential: it offers no login by {mechanism}", self.client.name),
                "use a credential with another mechanism; Hopskotch takes SCRAM-SHA-512",
            ));
        };
        let fault = |what| self.client.garbled(what);
        let (last, message) = exchange.answer(&challenge).map_err(fault)?;
        let authorization = format!("{mechanism} sid={sid},data={}", STANDARD.encode(message));
        let reply = self.send(Some(self.body), Some(&authorization), self.limit)?;
        if !reply.status.is_success() {
            return self.checked(reply);
        }
        let information = reply.texts("authentication-info");
        let information = information.iter().find_map(|header| scram::information(header));
        let (signed, proof) =
            information.ok_or_else(|| fault("an answer that does not prove that it knows the password"))?;
        if signed != sid {
            return Err(fault("an answer of another login"));
        }
        last.verify(&proof).map_err(fault)?;
        self.checked(reply)
    }

    /// Returns the answer if it is a success.
    fn checked(&self, reply: Reply) -> Result<Answer, Failure> {
        let (status, name) = (reply.status, &self.client.name);
        if status.is_success() {
            return Ok(Answer { body: reply.body });
        }
        let code = status.as_u16();
        let fail = |kind, why: &str, help| Failure::new(kind, format!("{name} answered {code}: {why}"), help);
        Err(match code {
            300..400 => fail(
                ErrorKind::Protocol,
                "it is elsewhere",
                "redirections are not followed; check the address of the archive",
            ),
            400 | 422 => fail(
                ErrorKind::Refused,
                "it does not take the request",
                "check the identifier, the query, or the headers of the message",
            ),
            401 if self.client.login.is_anonymous() => fail(
                ErrorKind::Authentication,
                "it wants a login, and none was sent",
                "use a credential with SCRAM-SHA-512, SCRAM-SHA-256 or a token",
            ),
            401 => fail(ErrorKind::Authentication, "it does not take the credential", CHECK_LOGIN),
            403 => fail(ErrorKind::Authorization, "wrong password, or no right to the topic", ASK_OWNER),
            404 | 410 => fail(
                ErrorKind::NotFound,
                "it does not have it",
                "check the identifier; the message may not be archived, or not be public",
            ),
            408 | 429 => fail(ErrorKind::Unavailable, "it is too busy", LATER).passing(),
            413 => fail(ErrorKind::TooLarge, "the message is too large for it", "send a smaller message"),
            500 => fail(ErrorKind::Unavailable, "it failed", LATER),
            501 => fail(ErrorKind::Refused, "it stores nothing at present", "send the message again when it does"),
            502..=504 => fail(ErrorKind::Unavailable, "it is not available", LATER).passing(),
            505.. => fail(ErrorKind::Unavailable, "it failed", LATER),
            _ => fail(ErrorKind::Refused, "it does not take the request", SERVER),
        })
    }
}

fn read(response: Response<ureq::Body>, limit: u64) -> Result<Reply, ureq::Error> {
    let (parts, mut body) = response.into_parts();
    // What a failure says is not shown: it may quote what was sent.
    let limit = if parts.status.is_success() { limit } else { CHALLENGE };
    let read = body.with_config().limit(limit.saturating_add(1)).read_to_vec();
    let body = match read {
        Ok(body) if body.len() as u64 > limit => Err(ureq::Error::BodyExceedsLimit(limit)),
        read => read,
    };
    match body {
        Err(ureq::Error::BodyExceedsLimit(_)) if !parts.status.is_success() => {
            Ok(Reply { status: parts.status, headers: parts.headers, body: Vec::new() })
        }
        body => Ok(Reply { status: parts.status, headers: parts.headers, body: body? }),
    }
}
