//! Why a call goes on to somebody else than was called.

use serde::{Deserialize, Serialize};

/// Why a call goes on to somebody else than was called. The words are those of Diversion (RFC 5806 section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ForwardWhy {
    /// He wants all his calls to go there.
    Unconditional,
    /// He talks to somebody else.
    Busy,
    /// He did not answer.
    NoAnswer,
    /// No device of his can be reached.
    Unavailable,
    /// He does not want to be disturbed.
    DoNotDisturb,
    /// He, or his device, sent this one call on: a 3xx, or a transfer.
    Deflection,
}

impl ForwardWhy {
    /// The reason as Diversion says it.
    pub const fn diversion_reason(self) -> &'static str {
        match self {
            Self::Unconditional => "unconditional",
            Self::Busy => "user-busy",
            Self::NoAnswer => "no-answer",
            Self::Unavailable => "unavailable",
            Self::DoNotDisturb => "do-not-disturb",
            Self::Deflection => "deflection",
        }
    }

    /// The status that stands for it in History-Info (RFC 7044 section 5, RFC 4458 section 2).
    pub const fn status(self) -> u16 {
        match self {
            Self::Unconditional | Self::Deflection => 302,
            Self::Busy => 486,
            Self::NoAnswer => 408,
            Self::Unavailable => 404,
            Self::DoNotDisturb => 480,
        }
    }
}
