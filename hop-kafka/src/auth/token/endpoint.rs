//! Tokens for client credentials of OpenID Connect (RFC 6749, section 4.4).

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ureq::Agent;
use ureq::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use ureq::http::{StatusCode, Uri};

use super::{LONGEST, TokenFailure};
use crate::auth::credential::{Credential, Secret};
use crate::http::{NoAnswer, config, is_this_machine};
use crate::{Error, ErrorKind};

/// One request, from resolving the name to the last byte of the answer.
const TIMEOUT: Duration = Duration::from_secs(5);

const CHECK_URL: &str = "check `token_endpoint`, and the connection to it";
const CHECK_SECRET: &str =
    "check the credential's username (the client's id), its password (the client's secret) and `token_endpoint`";

/// What is wrong with a URL as a token endpoint, as in "… that is no URL"; else the URL.
pub(crate) fn checked(url: &str) -> Result<Uri, &'static str> {
    let uri: Uri = url.parse().map_err(|_| "is no URL")?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err("is no URL: write `https://host/path`");
    };
    if authority.as_str().contains('@') {
        return Err("has a username in it: write it as `username` and `password`");
    }
    match scheme {
        "https" => Ok(uri),
        "http" if is_this_machine(authority.host()) => Ok(uri),
        "http" => Err("would send the password in the clear: write `https`"),
        _ => Err("is not an `https` URL"),
    }
}

/// A URL without what may be secret in it.
pub(in crate::auth) fn shown(url: &str) -> String {
    match checked(url) {
        Ok(uri) => place(&uri),
        Err(_) => "[not a token endpoint]".to_owned(),
    }
}

fn place(uri: &Uri) -> String {
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    format!("{}://{authority}{}", uri.scheme_str().unwrap_or_default(), uri.path())
}

pub(super) struct Endpoint {
    agent: Agent,
    url: Uri,
    authorization: Secret,
    form: String,
}

impl Endpoint {
    pub(super) fn new(credential: &Credential, url: &str, scope: Option<&str>) -> Result<Self, Error> {
        let url = checked(url).map_err(|why| {
            Error::new(ErrorKind::Credential, format!("the credential {credential} has a `token_endpoint` that {why}"))
        })?;
        let config = config(&url, credential.ssl_ca_location.as_deref())?.timeout_global(Some(TIMEOUT));
        // As hop-client and librdkafka send them: not percent-encoded.
        let pair = format!("{}:{}", credential.username, credential.password.reveal());
        let mut form = "grant_type=client_credentials".to_owned();
        if let Some(scope) = scope {
            form.push_str("&scope=");
            form.extend(percent_encoding::utf8_percent_encode(scope, percent_encoding::NON_ALPHANUMERIC));
        }
        Ok(Self {
            agent: config.build().new_agent(),
            url,
            authorization: Secret::new(format!("Basic {}", STANDARD.encode(pair))),
            form,
        })
    }

    /// A token, and how long it lives where the endpoint says so.
    pub(super) fn fetch(&self) -> Result<(String, Option<Duration>), TokenFailure> {
        let mut authorization = HeaderValue::from_str(self.authorization.reveal())
            .map_err(|_| TokenFailure::lasting("the credential cannot be sent", CHECK_SECRET))?;
        authorization.set_sensitive(true);
        let mut response = self
            .agent
            .post(&self.url)
            .header(AUTHORIZATION, authorization)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT, "application/json")
            .send(&self.form)
            .map_err(|error| self.no_answer(&error))?;
        let status = response.status();
        // A byte more than allowed tells that it is too long.
        let body = response.body_mut().with_config().limit(LONGEST as u64 + 1).read_to_vec();
        let body = match body {
            Ok(body) if body.len() <= LONGEST => body,
            Ok(_) | Err(ureq::Error::BodyExceedsLimit(_)) => {
                return Err(self.bad(&format!("an answer longer than {LONGEST} bytes")));
            }
            Err(error) => return Err(self.no_answer(&error)),
        };
        let answer = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&body).ok();
        if status != StatusCode::OK {
            return Err(self.refusal(status, answer.as_ref().and_then(|answer| answer.get("error"))));
        }
        let Some(answer) = answer else { return Err(self.bad("something else than a JSON object")) };
        let token = answer.get("access_token").and_then(|token| token.as_str());
        let Some(token) = token else { return Err(self.bad("no `access_token`")) };
        match answer.get("token_type").map(|kind| kind.as_str()) {
            None => {}
            Some(Some(kind)) if kind.eq_ignore_ascii_case("bearer") => {}
            Some(_) => return Err(self.bad("a token that is no bearer token")),
        }
        let life = match answer.get("expires_in") {
            None | Some(serde_json::Value::Null) => None,
            // Some endpoints write the number as text.
            Some(life) => Some(
                life.as_f64()
                    .or_else(|| life.as_str()?.parse().ok())
                    .filter(|seconds| *seconds > 0.0)
                    .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
                    .ok_or_else(|| self.bad("an `expires_in` that is no number of seconds"))?,
            ),
        };
        Ok((token.to_owned(), life))
    }

    fn bad(&self, what: &str) -> TokenFailure {
        TokenFailure::lasting(format!("{self} gives {what}"), CHECK_URL)
    }

    /// Of what the endpoint says only the words of RFC 6749 are passed on: it knows the password, and might send it back.
    fn refusal(&self, status: StatusCode, error: Option<&serde_json::Value>) -> TokenFailure {
        const KNOWN: [&str; 6] = [
            "invalid_request",
            "invalid_client",
            "invalid_grant",
            "unauthorized_client",
            "unsupported_grant_type",
            "invalid_scope",
        ];
        let error = error.and_then(|error| error.as_str()).filter(|error| KNOWN.contains(error));
        let because = error.map_or_else(String::new, |error| format!(" ({error})"));
        let what = format!("{self} answers {}{because}", status.as_u16());
        match status {
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
                TokenFailure::passing(ErrorKind::Connection, what, CHECK_URL)
            }
            _ if status.is_server_error() => TokenFailure::passing(ErrorKind::Connection, what, CHECK_URL),
            _ if status.is_redirection() => TokenFailure::lasting(
                format!("{what}: the endpoint is elsewhere"),
                "write its own address as `token_endpoint`; redirections are not followed",
            ),
            _ if error == Some("invalid_scope") => {
                TokenFailure::lasting(what, "set the property `sasl.oauthbearer.scope` to a scope that it gives")
            }
            _ => TokenFailure::lasting(what, CHECK_SECRET),
        }
    }

    fn no_answer(&self, error: &ureq::Error) -> TokenFailure {
        let tls = |what: String, help| TokenFailure { kind: ErrorKind::Tls, what, help, for_good: true };
        match NoAnswer::of(error) {
            NoAnswer::Late => TokenFailure::passing(
                ErrorKind::TimedOut,
                format!("{self} did not answer within {} s", TIMEOUT.as_secs()),
                CHECK_URL,
            ),
            NoAnswer::Unreachable(why) => {
                TokenFailure::passing(ErrorKind::Connection, format!("{self} cannot be reached: {why}"), CHECK_URL)
            }
            NoAnswer::Ended(why) => TokenFailure::passing(
                ErrorKind::Connection,
                format!("{self} ended the connection before it had answered: {why}"),
                CHECK_URL,
            ),
            NoAnswer::Proxy => TokenFailure::passing(
                ErrorKind::Connection,
                format!("{self} cannot be reached through the proxy"),
                "check HTTPS_PROXY, ALL_PROXY and NO_PROXY",
            ),
            NoAnswer::Untrusted(why) => tls(
                format!("{self} cannot be trusted: {why}"),
                "check that its certificate is for this host name; where its authority is not one of the system's, name it \
                 in `ssl_ca_location`",
            ),
            NoAnswer::NoTls => tls(
                format!("{self} takes TLS, and hop-kafka was built without"),
                "build it with the feature `ssl` or `ssl-vendored`",
            ),
            NoAnswer::Garbled => self.bad("an answer that is not HTTP"),
            NoAnswer::TooLong => self.bad(&format!("an answer longer than {LONGEST} bytes")),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the token endpoint {}", place(&self.url))
    }
}
