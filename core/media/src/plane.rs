//! The seam between the calls and whatever carries their media: threads in production, a simulated network in tests.

use crate::browser::{BrowserEnd, IceLogin};
use crate::command::{Command, Event, MediaLeg};
use crate::ports::{Need, PortsExhausted};
use crate::security::Fingerprint;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Where events go. Called on the media thread: it must hand over and return, never wait.
pub type EventSink = Arc<dyn Fn(Event) + Send + Sync>;

/// The family of a leg's sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AddressFamily {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl From<IpAddr> for AddressFamily {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }
}

/// A new leg's own addresses, ready to be written in SDP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalMedia {
    /// The leg, for commands.
    pub leg: MediaLeg,
    /// Where it takes RTP: the advertised address and an even port.
    pub rtp: SocketAddr,
    /// Where it takes RTCP: the port above.
    pub rtcp: SocketAddr,
}

impl LocalMedia {
    /// The same, as peers see it who reach us under another address.
    #[must_use]
    pub fn seen_at(self, address: IpAddr) -> Self {
        let at = |own: SocketAddr| SocketAddr::new(address, own.port());
        Self { rtp: at(self.rtp), rtcp: at(self.rtcp), ..self }
    }
}

/// Why a leg got no media. To the caller each of them is a 503.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// No port is free.
    #[error(transparent)]
    PortsExhausted(#[from] PortsExhausted),
    /// There is no shard of this number.
    #[error("media shard {shard} does not exist, there are {shards}")]
    NoShard {
        /// Asked for.
        shard: usize,
        /// How many there are.
        shards: usize,
    },
    /// The plane has no address of this family.
    #[error("no {0:?} address for media is configured")]
    NoFamily(AddressFamily),
    /// As many legs as the shard can hold.
    #[error("media shard {shard} is full: {limit} legs")]
    ShardFull {
        /// Which.
        shard: usize,
        /// The limit.
        limit: usize,
    },
    /// The shard's command queue is full: it does not keep up.
    #[error("media shard {0} does not keep up: its command queue is full")]
    Busy(usize),
    /// The operating system refused a socket.
    #[error("could not open a media socket on {address}; is the limit of open files (ulimit -n) too low?")]
    Socket {
        /// Where.
        address: SocketAddr,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// The media threads have ended.
    #[error("the media threads have ended")]
    Stopped,
}

/// Why a command was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The shard's queue is full. [`Command::Close`] is always taken.
    #[error("media shard {0} does not keep up: its command queue is full")]
    Full(usize),
    /// There is no such shard.
    #[error("media shard {0} does not exist")]
    NoShard(usize),
    /// Two legs can be bridged within one shard only.
    #[error("{a:?} and {b:?} are on different media shards; open both legs of a call on one")]
    DifferentShards {
        /// One leg.
        a: MediaLeg,
        /// The other.
        b: MediaLeg,
    },
    /// The media threads have ended.
    #[error("the media threads have ended")]
    Stopped,
}

/// Carries the media of calls. Events come back through the [`EventSink`] given at its start.
pub trait MediaPlane: Send + Sync {
    /// How many shards there are; both legs of a call must be opened on the same one.
    fn shards(&self) -> usize;

    /// Opens a leg and its sockets at once, so that the SDP can be written without waiting.
    ///
    /// # Errors
    /// See [`OpenError`]; nothing stays open.
    fn open(&self, shard: usize, family: AddressFamily, need: Need) -> Result<LocalMedia, OpenError>;

    /// Opens a leg for a browser, on the port that browsers share, and says what its description needs.
    ///
    /// # Errors
    /// See [`OpenError`]; nothing stays open.
    fn open_browser(&self, shard: usize, family: AddressFamily) -> Result<(LocalMedia, BrowserEnd), OpenError>;

    /// Another name and password for the checks of a browser's leg: for an ICE restart.
    fn ice_login(&self, leg: MediaLeg) -> IceLogin;

    /// Of the certificate that it shows in handshakes; `None`: it cannot encrypt.
    fn fingerprint(&self) -> Option<Fingerprint>;

    /// Hands over a command; never waits. Commands of one leg are carried out in order.
    ///
    /// # Errors
    /// See [`SendError`]; the command was not taken.
    fn send(&self, command: Command) -> Result<(), SendError>;

    /// The same for who gives several commands one after the other: the plane may not know of them before [`MediaPlane::tell`], which the same
    /// thread calls before it waits for anything.
    ///
    /// # Errors
    /// See [`SendError`]; the command was not taken.
    fn hold(&self, command: Command) -> Result<(), SendError> {
        self.send(command)
    }

    /// Tells the plane of what was held, by whomever. Costs next to nothing where that is nothing.
    fn tell(&self) {}
}
