//! What every parser of outside input must hold, for any bytes: one function a parser, which panics where it does not.
//!
//! `cargo verify` feeds them damaged messages from a seed (`tests/seeded.rs`), longer with `--long`; `by-hand/` has the same
//! functions for cargo-fuzz, which follows the branches of the code.

pub mod browser_port;
pub mod digest;
pub mod events;
pub mod header_lists;
pub mod info;
pub mod message;
pub mod mutation;
pub mod payload;
pub mod rtcp;
pub mod rtp;
pub mod sdp;
pub mod sound;
pub mod stream;
pub mod stun;
pub mod udptl;
pub mod uri;
pub mod websocket;

/// A parser's function: it panics when the bytes show a fault.
pub type Target = fn(&[u8]);

/// Every target by its name.
pub const TARGETS: [(&str, Target); 16] = [
    ("message", message::message),
    ("uri", uri::uri),
    ("header_lists", header_lists::header_lists),
    ("digest", digest::digest),
    ("events", events::events),
    ("sdp", sdp::sdp),
    ("stream", stream::stream),
    ("stun", stun::stun),
    ("info", info::info),
    ("rtp", rtp::rtp),
    ("rtcp", rtcp::rtcp),
    ("udptl", udptl::udptl),
    ("payload", payload::payload),
    ("sound", sound::sound),
    ("websocket", websocket::websocket),
    ("browser_port", browser_port::browser_port),
];
