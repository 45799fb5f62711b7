//! Over what a message came or goes.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::SocketAddr;

/// A transport protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Datagrams: requests and some responses are sent again until they are answered.
    Udp,
    /// A stream, never sent again.
    Tcp,
    /// A stream under TLS (RFC 3261 section 26.3.1).
    Tls,
    /// A WebSocket: one message a frame (RFC 7118).
    Ws,
    /// A WebSocket under TLS.
    Wss,
}

/// Two addresses and, for streams, the connection between them. Small and `Copy`: it goes with each message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Flow {
    /// The protocol.
    pub transport: Transport,
    /// Our address, as the peer is to see it: it goes into Via.
    pub local: SocketAddr,
    /// The peer's address, the source of what came.
    pub remote: SocketAddr,
    /// The connection's number, of the driver's choice; 0 for UDP, and for "open one if there is none".
    pub connection: u64,
}

impl Transport {
    /// Whether what is sent arrives, or the connection fails (RFC 3261 section 17.1.1.1).
    pub const fn is_reliable(self) -> bool {
        match self {
            Self::Udp => false,
            Self::Tcp | Self::Tls | Self::Ws | Self::Wss => true,
        }
    }

    /// Whether nobody on the way can read it or change it.
    pub const fn is_secure(self) -> bool {
        match self {
            Self::Udp | Self::Tcp | Self::Ws => false,
            Self::Tls | Self::Wss => true,
        }
    }

    /// Whether only the peer can open a connection: a browser is called by nobody (RFC 7118 section 5).
    pub const fn is_opened_by_peers(self) -> bool {
        match self {
            Self::Udp | Self::Tcp | Self::Tls => false,
            Self::Ws | Self::Wss => true,
        }
    }

    /// The port where nothing else is said (RFC 3261 section 18.2.2, RFC 7118 section 5.3).
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Udp | Self::Tcp => 5060,
            Self::Tls => 5061,
            Self::Ws => 80,
            Self::Wss => 443,
        }
    }

    /// As Via spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Ws => "WS",
            Self::Wss => "WSS",
        }
    }

    /// As the parameter `transport` of a URI spells it; `wss` has the name of WebSocket, whatever carries it
    /// (RFC 7118 section 5.5).
    pub const fn uri_param(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Ws | Self::Wss => "ws",
        }
    }

    /// The transport that a URI or a Via names, in any case of letters.
    pub fn of_name(name: &str) -> Option<Self> {
        [Self::Udp, Self::Tcp, Self::Tls, Self::Ws, Self::Wss]
            .into_iter()
            .find(|transport| transport.name().eq_ignore_ascii_case(name))
    }
}

impl Flow {
    /// A flow over UDP.
    pub const fn udp(local: SocketAddr, remote: SocketAddr) -> Self {
        Self { transport: Transport::Udp, local, remote, connection: 0 }
    }

    /// A flow over the TCP connection with this number.
    pub const fn tcp(local: SocketAddr, remote: SocketAddr, connection: u64) -> Self {
        Self { transport: Transport::Tcp, local, remote, connection }
    }

    /// The same two addresses over the connection with this number.
    pub const fn over(self, connection: u64) -> Self {
        Self { connection, ..self }
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} -> {}", self.transport.name(), self.local, self.remote)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transport_is_found_by_its_name_in_any_case() {
        for (name, transport) in [
            ("udp", Transport::Udp),
            ("tcp", Transport::Tcp),
            ("TLS", Transport::Tls),
            ("Ws", Transport::Ws),
            ("wss", Transport::Wss),
        ] {
            assert_eq!(Transport::of_name(name), Some(transport));
        }
        assert_eq!(Transport::of_name("sctp"), None);
    }

    #[test]
    fn only_datagrams_are_sent_again_and_only_browsers_are_called_by_nobody() {
        let all = [Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss];
        assert_eq!(all.map(Transport::is_reliable), [false, true, true, true, true]);
        assert_eq!(all.map(Transport::is_secure), [false, false, true, false, true]);
        assert_eq!(all.map(Transport::is_opened_by_peers), [false, false, false, true, true]);
    }
}
