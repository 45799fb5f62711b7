//! The codecs the switch speaks, and the way audio may flow.

use crate::g711::Law;
use std::fmt;

/// Samples a second of what is played and of most codecs' RTP clock (RFC 3551 section 4.5.14).
pub const CLOCK_RATE: u32 = 8_000;

/// The frame that prompts and tones are sent in.
pub const FRAME_MS: u64 = 20;

/// Samples, and with G.711 also bytes, of one frame at 8 kHz.
pub const FRAME_SAMPLES: usize = 160;

/// How audio is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// G.711 mu-law, static payload type 0.
    Pcmu,
    /// G.711 A-law, static payload type 8.
    Pcma,
    /// G.722 at 64 kbit/s: 16 kHz audio; static payload type 9.
    G722,
    /// Opus (RFC 6716, RFC 7587): any payload type that is not taken.
    Opus,
}

impl Codec {
    /// Those that the switch takes, in the order that it offers them in when nobody says otherwise: what costs least first.
    pub const ALL: [Self; 4] = [Self::Pcma, Self::Pcmu, Self::G722, Self::Opus];

    /// The payload type in an offer of ours: the static one (RFC 3551 section 6), or what is usual.
    pub const fn payload_type(self) -> u8 {
        match self {
            Self::Pcmu => 0,
            Self::Pcma => 8,
            Self::G722 => 9,
            Self::Opus => 111,
        }
    }

    /// The codec of a static payload type.
    pub const fn of_static(payload_type: u8) -> Option<Self> {
        match payload_type {
            0 => Some(Self::Pcmu),
            8 => Some(Self::Pcma),
            9 => Some(Self::G722),
            _ => None,
        }
    }

    /// The encoding name of `a=rtpmap`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
            Self::G722 => "G722",
            Self::Opus => "opus",
        }
    }

    /// Ticks a second of its RTP timestamps, as `a=rtpmap` says them. G.722's are half its samples, by an old mistake that
    /// everybody keeps (RFC 3551 section 4.5.2); Opus's are 48,000 whatever is in it (RFC 7587 section 4.1).
    pub const fn clock_rate(self) -> u32 {
        match self {
            Self::Pcmu | Self::Pcma | Self::G722 => CLOCK_RATE,
            Self::Opus => 48_000,
        }
    }

    /// The channels that `a=rtpmap` says, where it has to (RFC 7587 section 7).
    pub const fn channels(self) -> Option<u8> {
        match self {
            Self::Pcmu | Self::Pcma | Self::G722 => None,
            Self::Opus => Some(2),
        }
    }

    /// What `a=fmtp` says of what we take.
    pub const fn parameters(self) -> Option<&'static str> {
        match self {
            Self::Pcmu | Self::Pcma | Self::G722 => None,
            Self::Opus => Some("minptime=10;useinbandfec=1"),
        }
    }

    /// Which law of G.711, if any: these are turned into each other by table, and into nothing else without work.
    pub const fn law(self) -> Option<Law> {
        match self {
            Self::Pcmu => Some(Law::Mu),
            Self::Pcma => Some(Law::A),
            Self::G722 | Self::Opus => None,
        }
    }

    /// Whether a payload has nothing but silence, as far as that is seen without unpacking it: of Opus, what is too short for a sound
    /// (RFC 6716 section 3.1 and discontinuous transmission, RFC 7587 section 3.1.3); of G.722 it is not.
    pub(crate) fn is_silent(self, payload: &[u8]) -> bool {
        /// A frame of digital silence has three bytes, one that is left out one or two; speech at the lowest rate has 15.
        const OPUS_SILENCE: usize = 3;
        match self {
            Self::Pcmu => Law::Mu.is_silent(payload),
            Self::Pcma => Law::A.is_silent(payload),
            Self::Opus => !payload.is_empty() && payload.len() <= OPUS_SILENCE,
            Self::G722 => false,
        }
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which way audio flows, seen from the switch (RFC 3264 section 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Flow {
    /// Both ways.
    #[default]
    SendRecv,
    /// The switch sends only.
    SendOnly,
    /// The switch receives only: the far end holds us.
    RecvOnly,
    /// Neither way.
    Inactive,
}

impl Flow {
    /// Builds the flow from its two halves.
    pub const fn new(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    /// The switch may send.
    pub const fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// The switch may receive.
    pub const fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// The same flow seen from the far end.
    pub const fn reversed(self) -> Self {
        Self::new(self.receives(), self.sends())
    }

    /// What both sides agree to.
    pub const fn and(self, other: Self) -> Self {
        Self::new(self.sends() && other.sends(), self.receives() && other.receives())
    }

    /// The attribute's name in SDP.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    /// The flow that an attribute names, if it names one.
    pub fn of_attribute(name: &str) -> Option<Self> {
        [Self::SendRecv, Self::SendOnly, Self::RecvOnly, Self::Inactive].into_iter().find(|flow| flow.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_seen_from_the_other_side_is_a_receive_only_flow() {
        assert_eq!(Flow::SendOnly.reversed(), Flow::RecvOnly);
        assert_eq!(Flow::Inactive.reversed(), Flow::Inactive);
        assert_eq!(Flow::SendRecv.and(Flow::RecvOnly), Flow::RecvOnly);
        assert_eq!(Flow::SendOnly.and(Flow::RecvOnly), Flow::Inactive);
    }

    #[test]
    fn static_payload_types_are_those_of_rfc_3551() {
        assert_eq!(Codec::of_static(0), Some(Codec::Pcmu));
        assert_eq!(Codec::of_static(8), Some(Codec::Pcma));
        assert_eq!(Codec::of_static(10), None);
    }
}
