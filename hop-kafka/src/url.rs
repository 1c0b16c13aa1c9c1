//! `kafka://[username@]broker[:port]/[topic[,topic2[,...]]]`

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str};

use crate::{Error, ErrorKind};

/// What stands for a date in the name of a topic that is made anew each night.
pub(crate) const DATE: &str = "{date}";
/// The port of a broker whose URL names none.
pub(crate) const DEFAULT_PORT: u16 = 9092;
/// What is percent-encoded in a username: all but the unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A broker, the topics on it, and who asks: `kafka://[username@]broker[:port]/[topic[,topic2[,...]]]`.
///
/// The username is percent-decoded and picks the credential; a password is never read from a URL. There is one broker,
/// on port 9092 unless the URL says another; an IPv6 address stands in brackets. A topic that is named twice is one topic.
///
/// `{date}` in a topic stands for a date in UTC, `20261127`: see [`Subscribe::nights`](crate::Subscribe::nights).
///
/// ```
/// use hop_kafka::Url;
///
/// let url: Url = "kafka://ada%40example@kafka.scimma.org/gcn.circular,igwn.gwalert".parse()?;
/// assert_eq!(url.username(), Some("ada@example"));
/// assert_eq!(url.broker(), "kafka.scimma.org:9092");
/// assert_eq!(url.topics(), ["gcn.circular", "igwn.gwalert"]);
/// # Ok::<(), hop_kafka::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    username: Option<String>,
    host: String,
    port: u16,
    topics: Vec<String>,
}

impl Url {
    /// The username, decoded.
    pub fn username(&self) -> Option<&str> {
        self.username.as_deref()
    }

    /// The same broker with this topic alone.
    ///
    /// # Errors
    /// Kind `Usage` when it is no name of a topic.
    pub(crate) fn with_topic(&self, topic: &str) -> Result<Self, Error> {
        if !is_topic(topic) {
            return Err(Error::new(ErrorKind::Usage, format!("`{}` is no name of a topic", topic.escape_debug())));
        }
        Ok(Self { topics: vec![topic.to_owned()], ..self.clone() })
    }

    /// The same broker without topics.
    pub(crate) fn without_topics(self) -> Result<Self, Error> {
        Ok(Self { topics: Vec::new(), ..self })
    }

    /// The same URL for another user.
    pub(crate) fn set_username(&mut self, username: &str) {
        self.username = Some(username.to_owned());
    }

    /// The broker's host: a name, an IPv4 address, or an IPv6 address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The broker's port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Host and port as Kafka wants them, `host:port`, an IPv6 host in brackets.
    pub fn broker(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// The topics, decoded, in order, each once; there may be none.
    pub fn topics(&self) -> &[String] {
        &self.topics
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("kafka://")?;
        if let Some(username) = &self.username {
            write!(f, "{}@", percent_encoding::utf8_percent_encode(username, ENCODED))?;
        }
        write!(f, "{}/{}", self.broker(), self.topics.join(","))
    }
}

fn error(message: impl fmt::Display) -> Error {
    Error::new(ErrorKind::Url, format!("the URL {message}")).help("write `kafka://[username@]broker[:port]/topic`")
}

impl FromStr for Url {
    type Err = Error;

    /// # Errors
    /// Kind `Url`. The text is not quoted: it may hold a password that someone put there.
    fn from_str(text: &str) -> Result<Self, Error> {
        let rest = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("kafka") => rest,
            Some((scheme, _)) => {
                return Err(error(format_args!("starts with `{}://`, not `kafka://`", scheme.escape_debug())));
            }
            None => return Err(error("does not start with `kafka://`")),
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, address) = match authority.rsplit_once('@') {
            Some((user, address)) => (Some(user), address),
            None => (None, authority),
        };
        if address.contains(',') {
            return Err(error("names several brokers; one is enough, it knows the others"));
        }
        let (host, port) = split_address(address)?;
        let username = match user.map(|user| user.split(':').next().unwrap_or_default()) {
            None | Some("") => None,
            Some(user) => Some(
                percent_decode_str(user)
                    .decode_utf8()
                    .map_err(|_| error("has a username that is not UTF-8 when decoded"))?
                    .into_owned(),
            ),
        };
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let mut topics: Vec<String> = Vec::new();
        for topic in path.split(',').filter(|topic| !topic.is_empty()) {
            let topic = percent_decode_str(topic).decode_utf8_lossy();
            // Each date takes as many characters.
            if !is_topic(&topic.replacen(DATE, "20261127", 1)) {
                return Err(error(format_args!(
                    "names the topic `{}`; topics are made of letters, digits, `.`, `_` and `-`",
                    topic.escape_debug()
                )));
            }
            // Read twice, a topic would give each message twice, and its end would never be seen.
            if !topics.iter().any(|known| *known == topic) {
                topics.push(topic.into_owned());
            }
        }
        Ok(Self { username, host, port, topics })
    }
}

/// Returns a host, without brackets, as it is compared: in lower case, an IPv6 address in its shortest form.
pub(crate) fn plain_host(host: &str) -> String {
    match host.parse::<Ipv6Addr>() {
        Ok(address) => address.to_string(),
        Err(_) => host.to_ascii_lowercase(),
    }
}

fn split_address(address: &str) -> Result<(String, u16), Error> {
    let (host, port) = if let Some(rest) = address.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or_else(|| error("has a `[` without `]`"))?;
        if host.parse::<Ipv6Addr>().is_err() {
            return Err(error("has brackets around what is no IPv6 address"));
        }
        match after.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if after.is_empty() => (host, None),
            None => return Err(error("has text between `]` and the port")),
        }
    } else {
        match address.split_once(':') {
            Some((_, port)) if port.contains(':') => return Err(error("has an IPv6 address without brackets")),
            Some((host, port)) => (host, Some(port)),
            None => (address, None),
        }
    };
    if host.is_empty() {
        return Err(error("names no broker"));
    }
    if !host.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':')) {
        return Err(error("has a host with characters that no host has"));
    }
    let port = match port {
        None | Some("") => DEFAULT_PORT,
        Some(port) => match port.parse() {
            Ok(port) if port > 0 => port,
            _ => return Err(error("has a port that is no number from 1 to 65535")),
        },
    };
    Ok((host.parse::<Ipv6Addr>().map_or_else(|_| host.to_owned(), |address| address.to_string()), port))
}

/// Whether the name stands for a topic that is made anew each night.
pub(crate) fn is_nightly(topic: &str) -> bool {
    topic.contains(DATE)
}

/// Whether Kafka allows a topic of this name.
pub(crate) fn is_topic(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=249).contains(&name.len()) && name.bytes().all(allowed) && name != "." && name != ".."
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn every_part_is_optional_but_the_broker() {
        let url = read("kafka://localhost");
        assert_eq!((url.broker().as_str(), url.username(), url.topics().len()), ("localhost:9092", None, 0));
        let url = read("KAFKA://a%20b@[::1]:19092/x.y,z_");
        assert_eq!((url.broker().as_str(), url.username()), ("[::1]:19092", Some("a b")));
        assert_eq!(url.topics(), ["x.y", "z_"]);
        assert_eq!(url.to_string(), "kafka://a%20b@[::1]:19092/x.y,z_");
        assert_eq!(read("kafka://[::1]/t").broker(), "[::1]:9092");
        assert_eq!(read("kafka://[0:0::0:1]/t"), read("kafka://[::1]/t"));
        assert_eq!(read("kafka://[2001:DB8::000a]:1/t").broker(), "[2001:db8::a]:1");
        assert_eq!(read("kafka://host/a_{date},b_%7Bdate%7D_c").topics(), ["a_{date}", "b_{date}_c"]);
    }

    #[test]
    fn a_topic_named_twice_is_one_topic() {
        for text in ["a,b,a", "a,b,a,", ",a,,b,b,", "%61,b,a", "a,%62,b?a,c", "a,b#b"] {
            assert_eq!(read(&format!("kafka://host/{text}")).topics(), ["a", "b"], "{text}");
        }
        assert_eq!(read("kafka://host/t,t").to_string(), "kafka://host:9092/t");
        assert_eq!(read("kafka://host/t,T").topics(), ["t", "T"]);
        for bad in ["a%2Cb", "a%20b", "%", "a%ff", "a{b}", "{date", "{date}{date}"] {
            assert!(format!("kafka://host/{bad}").parse::<Url>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_password_is_never_read_and_never_shown() {
        let url = read("kafka://ada:hunter2@host/t");
        assert_eq!(url.username(), Some("ada"));
        assert!(!format!("{url:?} {url}").contains("hunter2"));
        for bad in [
            "kafka://ada:hunter2@host:port/t",
            "http://ada:hunter2@host/",
            "ada:hunter2@host",
            "kafka://ada:hunter2@/t",
        ] {
            let error = bad.parse::<Url>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Url);
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn what_is_no_kafka_url_is_refused_with_the_form_to_write() {
        for bad in [
            "",
            "host",
            "http://host/t",
            "kafka://",
            "kafka:///t",
            "kafka://a,b/t",
            "kafka://h:0/t",
            "kafka://h:99999/t",
            "kafka://::1/t",
            "kafka://[::1/t",
            "kafka://[x]/t",
            "kafka://h/a b",
            "kafka://h/t/u",
            "kafka://h h/t",
        ] {
            let error = bad.parse::<Url>().unwrap_err().to_string();
            assert!(error.ends_with("write `kafka://[username@]broker[:port]/topic`"), "{bad}: {error}");
        }
    }
}
