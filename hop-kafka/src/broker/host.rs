use std::fmt;
use std::net::Ipv6Addr;

use hop_core::TopicPattern;

/// A name of a broker's hosts, in which `*` stands for a part between dots or a piece of one; or an IPv6 address.
///
/// ```
/// use hop_kafka::Broker;
///
/// let gcn = Broker::built_in().into_iter().find(|broker| broker.name == "gcn");
/// assert!(gcn.is_some_and(|gcn| gcn.hosts.iter().any(|host| host.matches("kafka2.gcn.nasa.gov"))));
/// # Ok::<(), hop_kafka::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HostPattern(Pattern);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Pattern {
    Name(TopicPattern),
    Address(Ipv6Addr),
}

impl HostPattern {
    /// Reads a name, or an IPv6 address with or without brackets.
    pub(super) fn parse(text: &str) -> Result<Self, hop_core::Error> {
        let address = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        Ok(Self(match address.parse() {
            Ok(address) => Pattern::Address(address),
            // Hosts have the characters of topics.
            Err(_) => Pattern::Name(text.to_ascii_lowercase().parse()?),
        }))
    }

    /// Returns true if the pattern stands for this host; an IPv6 address is without brackets.
    pub fn matches(&self, host: &str) -> bool {
        match &self.0 {
            Pattern::Name(pattern) => pattern.matches(&host.to_ascii_lowercase()),
            Pattern::Address(address) => host.parse() == Ok(*address),
        }
    }

    /// Returns true if it is one host, and no pattern of several.
    pub fn is_one(&self) -> bool {
        match &self.0 {
            Pattern::Name(pattern) => !pattern.as_str().contains(['*', '{']),
            Pattern::Address(_) => true,
        }
    }
}

/// The name, or the address in brackets, as in a URL.
impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Pattern::Name(pattern) => pattern.fmt(f),
            Pattern::Address(address) => write!(f, "[{address}]"),
        }
    }
}
