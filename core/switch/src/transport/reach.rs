//! Under which of our addresses a peer sees us: the one that leads to it, or the public one of a NAT before us.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

/// Peers whose own address of ours is remembered; past it the memory starts anew.
const ROUTES_MAX: usize = 10_000;

/// Addresses that begin alike, such as `192.168.0.0/16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalNetwork {
    address: IpAddr,
    bits: u8,
}

impl LocalNetwork {
    /// Whether an address is in it.
    pub fn contains(self, address: IpAddr) -> bool {
        let begins = |one: u128, other: u128, len: u8| {
            let rest = u32::from(len.saturating_sub(self.bits));
            (one ^ other).checked_shr(rest).unwrap_or(0) == 0
        };
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => begins(own.to_bits().into(), other.to_bits().into(), 32),
            (IpAddr::V6(own), IpAddr::V6(other)) => begins(own.to_bits(), other.to_bits(), 128),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

/// A text is no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no network")]
pub struct NoNetwork;

impl FromStr for LocalNetwork {
    type Err = NoNetwork;

    fn from_str(text: &str) -> Result<Self, NoNetwork> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u8>().map_err(|_| NoNetwork)?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NoNetwork)?;
        let all = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(all);
        if bits > all { Err(NoNetwork) } else { Ok(Self { address, bits }) }
    }
}

impl fmt::Display for LocalNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

/// What peers see of us.
#[derive(Default)]
pub struct Reach {
    public: Vec<IpAddr>,
    local: Vec<LocalNetwork>,
    /// Our addresses that lead to peers, for listeners that are bound to all of them.
    routes: Mutex<HashMap<IpAddr, IpAddr>>,
}

impl Reach {
    /// With these addresses that a NAT gives us, one for each family at most, for peers outside these networks.
    pub fn new(public: Vec<IpAddr>, local: Vec<LocalNetwork>) -> Self {
        Self { public, local, routes: Mutex::default() }
    }

    /// The addresses that a NAT gives us.
    pub fn public(&self) -> impl Iterator<Item = IpAddr> {
        self.public.iter().copied()
    }

    /// The public address that a peer uses; none: ours.
    pub fn public_for(&self, remote: IpAddr) -> Option<IpAddr> {
        let remote = remote.to_canonical();
        // What is on the machine itself or on the same wire is behind the NAT with us, whoever forgot to say so.
        let here = match remote {
            IpAddr::V4(address) => address.is_loopback() || address.is_link_local(),
            IpAddr::V6(address) => address.is_loopback() || address.is_unicast_link_local(),
        };
        if here || self.local.iter().any(|network| network.contains(remote)) {
            return None;
        }
        self.public.iter().copied().find(|address| address.is_ipv4() == remote.is_ipv4())
    }

    /// The address that a peer sends to, for Via, Contact and the media description.
    pub(super) fn seen_by(&self, bound: SocketAddr, remote: SocketAddr) -> SocketAddr {
        if let Some(public) = self.public_for(remote.ip()) {
            return SocketAddr::new(public, bound.port());
        }
        if !bound.ip().is_unspecified() {
            // Without the scope of a link-local address, which is known to this machine alone.
            return SocketAddr::new(bound.ip(), bound.port());
        }
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ip) = routes.get(&remote.ip()) {
            return SocketAddr::new(*ip, bound.port());
        }
        let ip = source_address(remote).unwrap_or(remote.ip());
        if routes.len() >= ROUTES_MAX {
            routes.clear();
        }
        routes.insert(remote.ip(), ip);
        SocketAddr::new(ip, bound.port())
    }
}

/// Asks the kernel's routing table, by a socket that sends nothing.
fn source_address(remote: SocketAddr) -> Option<IpAddr> {
    let any = if remote.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(any).ok()?;
    socket.connect(remote).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn reach() -> Reach {
        let local = ["10.0.0.0/8", "192.168.7.0/25", "fd00::/8"].map(|network| network.parse().unwrap());
        Reach::new(vec![ip("203.0.113.9"), ip("2001:db8::9")], local.to_vec())
    }

    #[test]
    fn a_network_holds_the_addresses_that_begin_as_it_does() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.255.255", "11.0.0.0"),
            ("192.168.7.128/25", "192.168.7.200", "192.168.7.127"),
            ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
            ("fd00::/8", "fdff::1", "fc00::1"),
            ("0.0.0.0/0", "8.8.8.8", "::1"),
            ("::/0", "2001:db8::1", "10.0.0.1"),
            ("2001:db8::1/128", "2001:db8::1", "2001:db8::2"),
        ] {
            let parsed: LocalNetwork = network.parse().unwrap();
            assert!(parsed.contains(ip(inside)) && !parsed.contains(ip(outside)), "{network}");
        }
        for text in ["10.0.0.0/33", "10.0.0/8", "fd00::/129", "10.0.0.0/", "/8", ""] {
            assert_eq!(text.parse::<LocalNetwork>(), Err(NoNetwork), "{text}");
        }
    }

    #[test]
    fn peers_outside_see_the_public_address_of_their_family_and_those_at_home_ours() {
        let reach = reach();
        for (remote, public) in [
            ("198.51.100.1", Some("203.0.113.9")),
            ("192.168.7.128", Some("203.0.113.9")),
            ("2001:db8:5::1", Some("2001:db8::9")),
            ("192.168.7.1", None),
            ("10.1.2.3", None),
            ("fd12::1", None),
            ("127.0.0.1", None),
            ("::1", None),
            ("fe80::1", None),
        ] {
            assert_eq!(reach.public_for(ip(remote)), public.map(ip), "{remote}");
        }
        let only_v4 = Reach::new(vec![ip("203.0.113.9")], Vec::new());
        assert_eq!(only_v4.public_for(ip("2001:db8:5::1")), None);
    }

    #[test]
    fn the_port_is_the_listeners_own() {
        let bound = SocketAddr::new(ip("10.0.0.5"), 5070);
        let seen = |remote: &str| reach().seen_by(bound, SocketAddr::new(ip(remote), 5060)).to_string();
        assert_eq!(seen("198.51.100.1"), "203.0.113.9:5070");
        assert_eq!(seen("10.0.0.9"), "10.0.0.5:5070");
        let all = SocketAddr::new(ip("0.0.0.0"), 5070);
        assert_eq!(reach().seen_by(all, SocketAddr::new(ip("127.0.0.1"), 9)).to_string(), "127.0.0.1:5070");
    }
}
