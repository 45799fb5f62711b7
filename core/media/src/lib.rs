//! Media: offer and answer, RTP relay, tones, prompts, DTMF.
//!
//! [`Engine`] is the sans-IO machine behind every leg of one media thread; [`MediaPlane`] is the seam that calls see,
//! [`MediaThreads`] its production form (sockets, epoll). [`OfferAnswer`] speaks SDP for one leg. [`Audio`] is what can
//! be played: made by [`tone`], or of files (`core/sound`) and kept by name in [`Prompts`].
//!
//! The life of a leg: [`MediaPlane::open`] gives its address, [`OfferAnswer::make_offer`] or
//! [`OfferAnswer::make_answer`] writes it down, [`Command::SetRemote`] tells the far end's, then [`Command::Bridge`],
//! [`Command::Play`] and the rest, and [`Command::Close`] at the end.

mod audio;
mod base64;
mod booth;
mod browser;
mod calling;
mod codec;
pub mod coding;
mod comfort;
mod command;
mod country;
mod digits;
mod driver;
mod engine;
mod fax;
pub mod g711;
mod guard;
mod hearing;
mod image;
pub mod jitter;
mod leg;
mod offer_answer;
mod outgoing;
mod plane;
mod playing;
mod ports;
mod pressing;
mod prompts;
mod reception;
mod reports;
mod room;
mod rtcp;
pub mod rtp;
mod sdp;
mod security;
mod source;
pub mod tape;
pub mod tone;
pub mod turn;
pub mod udptl;

pub use audio::Audio;
pub use booth::Work;
pub use browser::{
    BrowserAgreed, BrowserEnd, BrowserFormat, Browsers, Certificate, CertificateError, Datagram, IceLogin,
    RemoteBrowser, Setup, stun_leg,
};
pub use codec::{CLOCK_RATE, Codec, FRAME_MS, FRAME_SAMPLES, Flow};
pub use coding::{Codecs, Rate};
pub use command::{Command, Event, KeyForm, KeysByEar, MediaLeg, PlayEnd, PlayId, PlayOptions, Stats, Traffic};
pub use driver::{
    DEFAULT_BROWSER_PORT, DEFAULT_GATHER, DriverConfig, Interface, MediaThreads, StartError, raise_descriptor_limit,
};
pub use engine::{Engine, EngineConfig, Forward, Kind, LEGS_MAX};
pub use fax::{FAX_DELAY, FAX_FRAME, Fax, FaxDocument, FaxEnd, FaxMachine, FaxOrder, FaxReport};
pub use guard::{Guard, Guards, NotOpened, SEAL_BYTES_MAX, Shake};
pub use image::{Correction, Image, ImageOffer, ImageTerms};
pub use offer_answer::{Negotiated, Offer, OfferAnswer};
pub use outgoing::StreamStart;
pub use plane::{AddressFamily, EventSink, LocalMedia, MediaPlane, OpenError, SendError};
pub use ports::{DEFAULT_PORTS, Need, PORT_REST, PortRange, PortsExhausted};
pub use prompts::{PromptError, Prompts};
pub use reports::Told;
pub use room::{Role, Room, SEATS_MAX};
pub use sdp::SdpError;
pub use security::{DtlsRole, Encryption, Fingerprint, Keying, MasterKey, OurKeys, Protection, Suite, Terms};
