//! Which addresses a request may connect to.
//!
//! The check is made on the addresses that are connected to, after the name is resolved: a name that resolves to another
//! address the second time gets nothing by it.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// Returns true for addresses of the public internet: not of this machine, of a private network, or of a link.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    let is_special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || address.is_documentation()
        || matches!((first, second, third), (0 | 240.., ..) | (100, 64..=127, _) | (192, 0, 0) | (198, 18 | 19, _));
    !is_special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        // Mapped and compatible IPv4 addresses; `::` and `::1` are among the latter.
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] => embedded(high, low),
        // IPv4 addresses behind a translator.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => embedded(high, low),
        [0x64, 0xff9b, ..] => false,
        // 6to4.
        [0x2002, high, low, ..] => embedded(high, low),
        // Teredo, documentation, and what is not assigned.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        // Global unicast. Private networks, links and groups lie outside of it.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

/// Addresses outside of the public internet that may be connected to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Allowed {
    /// Every address of this machine.
    pub(crate) loopback: bool,
    /// These addresses.
    pub(crate) addresses: BTreeSet<IpAddr>,
}

impl Allowed {
    pub(crate) fn allows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        is_public(address) || (self.loopback && address.is_loopback()) || self.addresses.contains(&address)
    }
}

/// Resolves names, and refuses those that stand for an address that is not allowed.
#[derive(Debug)]
pub(super) struct Guard {
    resolver: DefaultResolver,
    allowed: Allowed,
}

impl Guard {
    pub(super) fn new(allowed: Allowed) -> Self {
        Self { resolver: DefaultResolver::default(), allowed }
    }
}

impl Resolver for Guard {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let resolved = self.resolver.resolve(uri, config, timeout)?;
        let mut allowed = self.empty();
        for address in resolved.iter().filter(|address| self.allowed.allows(address.ip())) {
            allowed.push(*address);
        }
        if allowed.is_empty() { Err(forbidden()) } else { Ok(allowed) }
    }
}

/// Marks the error of an address that is not allowed.
#[derive(Debug)]
struct Forbidden;

impl std::fmt::Display for Forbidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("its address is on this machine or in a private network")
    }
}

impl std::error::Error for Forbidden {}

fn forbidden() -> ureq::Error {
    ureq::Error::Io(io::Error::new(io::ErrorKind::PermissionDenied, Forbidden))
}

/// Returns true if the error is that of an address that is not allowed.
pub(super) fn is_forbidden(error: &ureq::Error) -> bool {
    matches!(error, ureq::Error::Io(problem) if problem.get_ref().is_some_and(|inner| inner.is::<Forbidden>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_this_machine_of_private_networks_and_of_links_are_not_public() {
        for address in [
            "127.0.0.1",
            "127.255.255.254",
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "100.127.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "198.18.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2002:a00:1::",
            "2001::1",
            "2001:db8::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
            assert!(!Allowed::default().allows(address.parse().unwrap()), "{address}");
        }
        for address in
            ["8.8.8.8", "172.32.0.1", "100.128.0.1", "192.0.1.1", "2600::1", "2001:4860::1", "::ffff:8.8.8.8"]
        {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn an_address_that_is_named_is_allowed_and_no_other() {
        let allowed = Allowed { loopback: false, addresses: [[10, 1, 2, 3].into()].into() };
        assert!(allowed.allows([10, 1, 2, 3].into()) && allowed.allows("::ffff:10.1.2.3".parse().unwrap()));
        assert!(!allowed.allows([10, 1, 2, 4].into()) && !allowed.allows([127, 0, 0, 1].into()));
        let loopback = Allowed { loopback: true, addresses: BTreeSet::new() };
        assert!(loopback.allows([127, 0, 0, 1].into()) && !loopback.allows([10, 1, 2, 3].into()));
    }
}
