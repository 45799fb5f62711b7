//! What is asked of the domain name system, and what it says.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

/// A question.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Question {
    /// Which services has this domain? (RFC 3403)
    Naptr(String),
    /// Which hosts has this service? (RFC 2782)
    Srv(String),
    /// IPv4 addresses of a host.
    A(String),
    /// IPv6 addresses of a host.
    Aaaa(String),
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Naptr(name) => write!(f, "{name} NAPTR"),
            Self::Srv(name) => write!(f, "{name} SRV"),
            Self::A(name) => write!(f, "{name} A"),
            Self::Aaaa(name) => write!(f, "{name} AAAA"),
        }
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Of the type that was asked for, aliases followed.
    pub records: Records,
    /// The shortest time for which one of them is good.
    pub ttl: Duration,
}

/// Records of one type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Records {
    /// Services.
    Naptr(Vec<NaptrRecord>),
    /// Hosts of a service.
    Srv(Vec<SrvRecord>),
    /// Addresses.
    Addresses(Vec<IpAddr>),
}

/// A rule of a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NaptrRecord {
    /// Lower ones first, and higher ones not at all once one fits.
    pub order: u16,
    /// Lower ones first among equal orders.
    pub preference: u16,
    /// `s`: an SRV name follows.
    pub flags: String,
    /// Such as `SIP+D2U`.
    pub services: String,
    /// The name to ask for next.
    pub replacement: String,
}

/// A host of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SrvRecord {
    /// Lower ones first.
    pub priority: u16,
    /// How often it is drawn first among equals.
    pub weight: u16,
    /// Its port.
    pub port: u16,
    /// Its name.
    pub target: String,
}

/// No answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotFound {
    /// There is no such name, or it has no such records.
    #[error("there is nothing of this name")]
    Nothing {
        /// For how long that is said.
        ttl: Duration,
    },
    /// No server could tell.
    #[error("{reason}")]
    Failed {
        /// Why.
        reason: String,
    },
}
