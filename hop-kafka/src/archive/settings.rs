//! What a stream does with messages that are too large for their topic.

use std::time::Duration;

use crate::{Configuration, Error, ErrorKind};

/// When a message is stored in the archive, and a placeholder sent in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Offload {
    /// Never: a message that is too large is an error.
    Off,
    /// If the message is larger than its topic takes, and the broker has an archive.
    #[default]
    Automatic,
    /// Always.
    Always,
}

/// The settings of a stream.
#[derive(Debug, Clone)]
pub(crate) struct LargeMessages {
    /// `None` where the user's configuration decides.
    pub(crate) fetch: Option<bool>,
    pub(crate) offload: Option<Offload>,
    /// Hosts other than the broker's archive that may be asked, `host` or `host:port`.
    pub(crate) hosts: Vec<String>,
    /// The largest answer, in bytes.
    pub(crate) fetch_limit: u64,
    /// How long a message may take to be fetched, all attempts together.
    pub(crate) fetch_timeout: Duration,
    /// The address of the archive, in the place of what the broker says.
    pub(crate) archive: Option<String>,
}

impl Default for LargeMessages {
    fn default() -> Self {
        Self {
            fetch: None,
            offload: None,
            hosts: Vec::new(),
            fetch_limit: 100 << 20,
            fetch_timeout: Duration::from_secs(60),
            archive: None,
        }
    }
}

impl LargeMessages {
    /// Returns whether placeholders are replaced by what they stand for.
    ///
    /// # Errors
    /// Kind `Config`: the user's configuration cannot be read.
    pub(crate) fn fetches(&self) -> Result<bool, Error> {
        self.fetch.map_or_else(|| Ok(configuration()?.fetch_external), Ok)
    }

    /// Returns when messages are stored.
    ///
    /// # Errors
    /// Kind `Config`: the user's configuration cannot be read.
    pub(crate) fn offloads(&self) -> Result<Offload, Error> {
        let by_configuration = || match configuration()?.automatic_offload {
            true => Ok(Offload::Automatic),
            false => Ok(Offload::Off),
        };
        self.offload.map_or_else(by_configuration, Ok)
    }

    /// Returns true if the user allows this host by name.
    pub(crate) fn allows(&self, host: &str, port: u16) -> bool {
        self.hosts.iter().any(|allowed| match split(allowed) {
            (name, Some(allowed)) => name.eq_ignore_ascii_case(host) && allowed == port,
            (name, None) => name.eq_ignore_ascii_case(host) && matches!(port, 80 | 443),
        })
    }
}

/// Splits a port off, if there is one.
fn split(host: &str) -> (&str, Option<u16>) {
    match host.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') || name.ends_with(']') => match port.parse() {
            Ok(port) => (name, Some(port)),
            Err(_) => (host, None),
        },
        _ => (host, None),
    }
}

/// The host alone.
pub(super) fn name(host: &str) -> &str {
    split(host).0
}

fn configuration() -> Result<Configuration, Error> {
    match Configuration::load() {
        // A machine without a home directory has no such file.
        Err(error) if error.kind() == ErrorKind::Config && Configuration::path().is_err() => {
            Configuration::from_environment()
        }
        loaded => loaded,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_allowed_by_name_and_port() {
        let settings = LargeMessages {
            hosts: ["files.example.org", "lab:8443", "10.1.2.3", "[::1]:8080", "[fd00::1]"].map(str::to_owned).into(),
            ..LargeMessages::default()
        };
        for (host, port) in [
            ("files.example.org", 443),
            ("FILES.example.org", 80),
            ("lab", 8443),
            ("10.1.2.3", 443),
            ("[::1]", 8080),
            ("[fd00::1]", 443),
        ] {
            assert!(settings.allows(host, port), "{host}:{port}");
        }
        for (host, port) in [
            ("files.example.org", 8443),
            ("lab", 443),
            ("example.org", 443),
            ("xfiles.example.org", 443),
            ("[::1]", 80),
        ] {
            assert!(!settings.allows(host, port), "{host}:{port}");
        }
    }
}
