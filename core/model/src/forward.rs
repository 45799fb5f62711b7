//! When and why calls go on to somebody else than was called.

use serde::{Deserialize, Serialize};
use std::fmt;

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
}

/// When a forward applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ForwardWhen {
    /// To every call: he is not rung at all.
    Always,
    /// When he is busy, does not want to be disturbed, or declines.
    Busy,
    /// When he was rung and did not answer in time.
    NoAnswer,
    /// When no device of his can be reached, or he is logged out.
    Unreachable,
}

impl ForwardWhen {
    /// Every one, in the order in which people are told them.
    pub const ALL: [Self; 4] = [Self::Always, Self::Busy, Self::NoAnswer, Self::Unreachable];

    /// The word in documents, JSON and commands.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Busy => "busy",
            Self::NoAnswer => "no_answer",
            Self::Unreachable => "unreachable",
        }
    }
}

impl fmt::Display for ForwardWhen {
    /// For people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Always => "always",
            Self::Busy => "when busy",
            Self::NoAnswer => "on no answer",
            Self::Unreachable => "when not reachable",
        })
    }
}
