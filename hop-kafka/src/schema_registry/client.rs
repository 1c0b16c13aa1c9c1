//! Requests to a registry, and its answers.

use std::fmt;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use ureq::Agent;
use ureq::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use ureq::http::{Response, StatusCode, Uri};

use super::{Failure, Scope, refused};
use crate::auth::Secret;
use crate::http::{NoAnswer, config, is_this_machine};
use crate::{Error, url};

/// The largest answer; the largest schemas of surveys have a tenth of a megabyte.
const LONGEST: u64 = 4 << 20;

const MEDIA_TYPE: &str = "application/vnd.schemaregistry.v1+json";
const MEDIA_TYPES: &str =
    "application/vnd.schemaregistry.v1+json, application/vnd.schemaregistry+json, application/json";

const CHECK_URL: &str = "check the registry's URL, and the connection to it";
const CHECK_LOGIN: &str = "check the registry's username and password, or its token";

/// What a segment of a path keeps as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Encodes a name as one segment of a path, whatever is in it.
pub(super) fn encoded(name: &str) -> String {
    match name {
        // As they are, these lead to another path.
        "." | ".." => name.replace('.', "%2E"),
        _ => utf8_percent_encode(name, SEGMENT).to_string(),
    }
}

#[derive(Debug)]
pub(super) struct Client {
    /// Without a slash at its end.
    url: String,
    uri: Uri,
    authorization: Option<Secret>,
    headers: Vec<(String, Secret)>,
    ca_location: Option<PathBuf>,
    agent: OnceLock<Result<Agent, Failure>>,
}

impl Client {
    pub(super) fn new(url: &str) -> Result<Self, Error> {
        let url = url.trim_end_matches('/');
        let uri: Uri = url.parse().map_err(|_| refused("is not a URL"))?;
        let authority = uri.authority().ok_or_else(|| refused("has no host"))?;
        if authority.as_str().contains('@') {
            return Err(refused("has a username in it"));
        }
        if uri.query().is_some() || url.contains('#') {
            return Err(refused("has more than a path"));
        }
        match uri.scheme_str() {
            Some("http" | "https") => {}
            _ => return Err(refused("is neither `http` nor `https`")),
        }
        Ok(Self {
            url: url.to_owned(),
            uri,
            authorization: None,
            headers: Vec::new(),
            ca_location: None,
            agent: OnceLock::new(),
        })
    }

    pub(super) fn basic(&mut self, username: &str, password: &Secret) {
        let pair = format!("{username}:{}", password.reveal());
        self.authorization = Some(Secret::new(format!("Basic {}", STANDARD.encode(pair))));
    }

    pub(super) fn bearer(&mut self, token: &Secret) {
        self.authorization = Some(Secret::new(format!("Bearer {}", token.reveal())));
    }

    pub(super) fn header(&mut self, name: &str, value: &str) {
        self.headers.push((name.to_owned(), Secret::new(value)));
    }

    pub(super) fn ca_location(&mut self, path: PathBuf) {
        self.ca_location = Some(path);
    }

    /// Returns host and port; an IPv6 address without brackets.
    pub(super) fn address(&self) -> (String, u16) {
        let port = if self.is_encrypted() { 443 } else { 80 };
        let host = self.uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        (url::plain_host(host), self.uri.port_u16().unwrap_or(port))
    }

    fn is_encrypted(&self) -> bool {
        self.uri.scheme_str() == Some("https")
    }

    fn agent(&self) -> Result<&Agent, Failure> {
        let make = || {
            let is_private = self.is_encrypted() || is_this_machine(self.uri.host().unwrap_or_default());
            if !is_private && (self.authorization.is_some() || !self.headers.is_empty()) {
                // A header may be a key of the registry's.
                let what = if self.authorization.is_some() { "the password" } else { "the headers" };
                return Err(self.failure(format!("{self} would get {what} in the clear"), "write `https`"));
            }
            let config = config(&self.uri, self.ca_location.as_deref())
                .map_err(|error| self.failure(error.to_string(), CHECK_URL))?;
            Ok(config.build().new_agent())
        };
        self.agent.get_or_init(make).as_ref().map_err(Clone::clone)
    }

    pub(super) fn get(&self, path: &str, deadline: Instant) -> Result<Answer, Failure> {
        let request = self.agent()?.get(format!("{}{path}", self.url));
        let request = self.within(self.headed(request)?, deadline)?;
        self.read(request.call())
    }

    pub(super) fn post(&self, path: &str, body: &Value, deadline: Instant) -> Result<Answer, Failure> {
        let request = self.agent()?.post(format!("{}{path}", self.url)).header(CONTENT_TYPE, MEDIA_TYPE);
        let request = self.within(self.headed(request)?, deadline)?;
        self.read(request.send(body.to_string()))
    }

    /// The request, to be answered by then. What takes longer before the connection is there is the registry's fault, not that
    /// of what is asked for.
    fn within<B>(
        &self,
        request: ureq::RequestBuilder<B>,
        deadline: Instant,
    ) -> Result<ureq::RequestBuilder<B>, Failure> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(self.late(Scope::Late));
        }
        let connecting = Some(left.mul_f64(0.8));
        let config = request.config().timeout_global(Some(left));
        Ok(config.timeout_resolve(connecting).timeout_connect(connecting).build())
    }

    fn headed<B>(&self, mut request: ureq::RequestBuilder<B>) -> Result<ureq::RequestBuilder<B>, Failure> {
        let secret = |text: &Secret| {
            let mut value = HeaderValue::from_str(text.reveal())
                .map_err(|_| self.failure("a header for the schema registry cannot be sent".to_owned(), CHECK_LOGIN))?;
            value.set_sensitive(true);
            Ok(value)
        };
        request = request.header(ACCEPT, MEDIA_TYPES);
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, secret(authorization)?);
        }
        for (name, value) in &self.headers {
            let name = HeaderName::try_from(name.as_str()).map_err(|_| {
                self.failure(
                    format!("`{}` is not the name of a header", name.escape_debug()),
                    "check the registry's headers",
                )
            })?;
            request = request.header(name, secret(value)?);
        }
        Ok(request)
    }

    fn read(&self, response: Result<Response<ureq::Body>, ureq::Error>) -> Result<Answer, Failure> {
        let mut response = response.map_err(|error| self.no_answer(&error))?;
        let status = response.status();
        if status.is_redirection() {
            let what = format!("{self} answers {}: it is elsewhere", status.as_u16());
            return Err(self.failed(what, "write the registry's own URL; redirections are not followed"));
        }
        let body = match response.body_mut().with_config().limit(LONGEST).read_to_vec() {
            Ok(body) => body,
            Err(ureq::Error::BodyExceedsLimit(_)) => {
                return Err(self.failed(format!("{self} gives an answer longer than {LONGEST} bytes"), CHECK_URL));
            }
            Err(error) => return Err(self.no_answer(&error)),
        };
        let size = body.len();
        let value: Option<Value> = serde_json::from_slice(&body).ok();
        drop(body);
        let code = value.as_ref().and_then(|value| value.get("error_code")).and_then(Value::as_u64);
        let refusal = || match code {
            Some(code) if code != u64::from(status.as_u16()) => format!("{self} answers {} ({code})", status.as_u16()),
            _ => format!("{self} answers {}", status.as_u16()),
        };
        match (status, value) {
            (StatusCode::OK | StatusCode::CREATED, Some(value)) => {
                Ok(Answer { value, size, is_found: true, place: self.to_string() })
            }
            // A registry that lacks something says so in JSON; elsewhere there is no registry.
            (StatusCode::NOT_FOUND, Some(value)) if code.is_some() => {
                Ok(Answer { value, size, is_found: false, place: self.to_string() })
            }
            (StatusCode::NOT_FOUND, _) => Err(self.failed(format!("{}: there is no registry", refusal()), CHECK_URL)),
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _) => Err(self.failed(refusal(), CHECK_LOGIN)),
            (StatusCode::CONFLICT, _) => {
                Err(self.failed(refusal(), "the schema is not compatible with the one before"))
            }
            (StatusCode::UNPROCESSABLE_ENTITY, _) => Err(self.failed(refusal(), "the registry refuses the schema")),
            (StatusCode::OK | StatusCode::CREATED, None) => Err(self.bad("an answer that is not JSON")),
            _ => Err(self.failed(refusal(), "ask again later; the registry's own log says why")),
        }
    }

    /// The registry cannot be asked for anything.
    fn failure(&self, what: String, help: &'static str) -> Failure {
        Failure { what, help, scope: Scope::Registry }
    }

    /// One request came to nothing, while others may be answered.
    fn failed(&self, what: String, help: &'static str) -> Failure {
        Failure { what, help, scope: Scope::Request }
    }

    pub(super) fn bad(&self, what: &str) -> Failure {
        self.failed(format!("{self} gives {what}"), CHECK_URL)
    }

    /// A schema that nobody can read with.
    pub(super) fn bad_schema(&self, what: &str) -> Failure {
        self.failed(format!("{self} has {what}"), "check the schema in the registry")
    }

    fn late(&self, scope: Scope) -> Failure {
        Failure { what: format!("{self} did not answer in time"), help: CHECK_URL, scope }
    }

    fn no_answer(&self, error: &ureq::Error) -> Failure {
        let unreachable = |why: &str| self.failure(format!("{self} cannot be reached: {why}"), CHECK_URL);
        if matches!(error, ureq::Error::Timeout(ureq::Timeout::Resolve | ureq::Timeout::Connect)) {
            return self.late(Scope::Registry);
        }
        match NoAnswer::of(error) {
            NoAnswer::Late => self.late(Scope::Late),
            NoAnswer::Unreachable(why) => unreachable(&why),
            // The connection was there, and this request ended it.
            NoAnswer::Ended(why) => self.failed(format!("{self} ends the connection: {why}"), CHECK_URL),
            NoAnswer::Proxy => unreachable("the connection through the proxy failed"),
            NoAnswer::Garbled => self.bad("an answer that is not HTTP"),
            NoAnswer::TooLong => self.bad(&format!("an answer longer than {LONGEST} bytes")),
            NoAnswer::NoTls => self.failure(
                format!("{self} takes TLS, and hop-kafka was built without"),
                "build it with the feature `ssl` or `ssl-vendored`",
            ),
            NoAnswer::Untrusted(why) => self.failure(
                format!("{self} cannot be trusted: {why}"),
                "check its certificate; where its authority is not one of the system's, name it with `ca_location`",
            ),
        }
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the schema registry {}", self.url)
    }
}

/// What a registry answers.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) value: Value,
    /// How many bytes it took.
    pub(super) size: usize,
    is_found: bool,
    place: String,
}

impl Answer {
    /// Returns the answer, if it is not that there is nothing.
    pub(super) fn found(self) -> Result<Option<Self>, Failure> {
        match (self.is_found, self.value.is_object()) {
            (false, _) => Ok(None),
            (true, true) => Ok(Some(self)),
            (true, false) => Err(self.bad("an answer that is not a JSON object")),
        }
    }

    pub(super) fn text(&self, name: &str) -> Result<&str, Failure> {
        self.value.get(name).and_then(Value::as_str).ok_or_else(|| self.bad(&format!("an answer without `{name}`")))
    }

    /// Returns subject and version of each schema that this one refers to.
    pub(super) fn references(&self) -> Result<Vec<(String, i64)>, Failure> {
        let list = match self.value.get("references") {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(list) => list.as_array().ok_or_else(|| self.bad("`references` that are not a list"))?,
        };
        let one = |reference: &Value| {
            let subject = reference.get("subject").and_then(Value::as_str)?.to_owned();
            // Others stand for the newest, whatever that is at the time.
            Some((subject, reference.get("version").and_then(Value::as_i64).filter(|version| *version > 0)?))
        };
        list.iter()
            .map(|reference| one(reference).ok_or_else(|| self.bad("a reference without subject and version")))
            .collect()
    }

    fn bad(&self, what: &str) -> Failure {
        Failure { what: format!("{} gives {what}", self.place), help: CHECK_URL, scope: Scope::Request }
    }
}
