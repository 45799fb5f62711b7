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
            Self::Tcp => true,
        }
    }

    /// As Via spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
        }
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
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} -> {}", self.transport.name(), self.local, self.remote)
    }
}
