//! Browser legs: ICE, DTLS and SRTP by str0m, whose one user this is.
//!
//! What is agreed is written and read by [`crate::OfferAnswer`], as for every leg: str0m is told the result through its
//! direct interface and never sees SDP. So a hold, an offer of ours, an ICE restart or a fork is to a browser's leg what
//! it is to a telephone's. We are ICE-lite: the browser checks, we answer, and the address it checks from is where its
//! media goes. RTP comes out of a [`Session`] and goes into it as it is on every other leg; RTCP is str0m's own.

mod ice;
pub(crate) mod lines;
mod session;

pub(crate) use ice::is_stun;
pub use ice::{IceLogin, stun_leg};
pub use session::{Certificate, CertificateError};
pub(crate) use session::{Found, Session};

use crate::codec::Codec;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

/// Our end of a browser's leg, ready to be written in SDP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrowserEnd {
    /// By which the browser's checks find the leg.
    pub login: IceLogin,
    /// Of our certificate, as `a=fingerprint` says it.
    pub fingerprint: Arc<str>,
    /// Where else the leg is reached, beside the address of its [`crate::LocalMedia`] unless `only`: what the configuration names.
    pub candidates: Vec<SocketAddr>,
    /// It is reached at these alone.
    pub only: bool,
    /// The stream that the browser hears.
    pub stream: u32,
}

/// The far end of a browser's leg, as its description tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteBrowser {
    /// By which its answers to checks are known.
    pub login: IceLogin,
    /// Of its certificate: `sha-256 AB:CD...`.
    pub fingerprint: String,
    /// Who begins DTLS.
    pub setup: Setup,
    /// The line's name.
    pub mid: Option<String>,
    /// It bundles its lines (RFC 8843).
    pub bundles: bool,
    /// The streams that it sends.
    pub streams: Vec<u32>,
    /// The header extension that carries the line's name, by its number.
    pub mid_extension: Option<u8>,
    /// The one that carries how loud a packet is.
    pub level_extension: Option<u8>,
}

/// `a=setup` (RFC 8842).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setup {
    /// It begins.
    Active,
    /// The other one begins.
    Passive,
    /// The answer says who.
    Either,
}

/// What offer and answer agreed on beside codecs, for [`crate::Command::SetBrowser`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrowserAgreed {
    /// What the browser's checks name, as we said last.
    pub login: IceLogin,
    /// The browser.
    pub remote: RemoteBrowser,
    /// We begin DTLS.
    pub begins: bool,
    /// What payload types mean here: all that either side ever said, and what we would say, since a session learns no others
    /// once it is made.
    pub formats: Vec<(u8, BrowserFormat)>,
}

/// What a packet of some payload type carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrowserFormat {
    /// A voice.
    Audio(Codec),
    /// Keys (RFC 4733), by a clock of so many ticks a second.
    Events(u32),
    /// Comfort noise (RFC 3389).
    Noise,
}

/// What all browser legs of an engine share.
#[derive(Debug, Clone)]
pub struct Browsers {
    /// The instant at which the engine's time is zero: str0m's clock is the standard library's.
    pub epoch: Instant,
    /// Ours.
    pub certificate: Arc<Certificate>,
}

/// A datagram for the port that browsers share.
#[derive(Debug)]
pub struct Datagram {
    /// Which of our addresses sends it: one of each family.
    pub from: SocketAddr,
    /// To whom.
    pub to: SocketAddr,
    /// What.
    pub bytes: Vec<u8>,
}
