//! What is kept of a recording beside its file.

use crate::{CallId, GroupId, OfficeId, UserId, WallTime};
use serde::{Deserialize, Serialize};

/// What a recording is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TapeKind {
    /// Of a call: the left side is what its caller says, or who stayed in his place, the right one what he hears.
    Recording {
        /// Who wanted it.
        by: TapeBy,
    },
    /// A voice message.
    Message {
        /// For whom.
        of: Mailbox,
        /// It was heard to its end, or saved: it is no new one any more.
        heard: bool,
    },
    /// What a mailbox says to callers.
    Greeting {
        /// Which.
        of: Mailbox,
    },
}

impl TapeKind {
    /// The mailbox that it is of; a recording of a call is of none.
    pub const fn mailbox(&self) -> Option<&Mailbox> {
        match self {
            Self::Recording { .. } => None,
            Self::Message { of, .. } | Self::Greeting { of } => Some(of),
        }
    }
}

/// Where voice messages are left.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mailbox {
    /// A user's.
    User(UserId),
    /// A group's, for all its members.
    Group(GroupId),
}

impl Mailbox {
    /// The office that it is in.
    pub const fn office(&self) -> &OfficeId {
        match self {
            Self::User(user) => &user.office,
            Self::Group(group) => &group.office,
        }
    }

    /// The name of its user or group in the office.
    pub fn name(&self) -> &str {
        match self {
            Self::User(user) => user.name.as_str(),
            Self::Group(group) => group.name.as_str(),
        }
    }
}

/// Who wants a call to be recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TapeBy {
    /// A step of its scenario.
    Scenario,
    /// Somebody in the call.
    User,
    /// The office's rule.
    Policy,
}

impl TapeBy {
    /// The word in metrics and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scenario => "scenario",
            Self::User => "user",
            Self::Policy => "policy",
        }
    }
}

/// A recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TapeRecord {
    /// Of this call.
    pub call: CallId,
    /// Counted from 1 in the call.
    pub n: u32,
    /// What it is.
    pub kind: TapeKind,
    /// When it began.
    pub began: WallTime,
    /// The caller's number, empty when withheld.
    pub caller: String,
    /// The caller's name.
    pub caller_name: String,
    /// The number called.
    pub called: String,
    /// Further numbers of people who talked while it went on, such as of whom the call was handed on to.
    pub others: Vec<String>,
    /// The file, relative to the folder of recordings.
    pub file: String,
    /// How it ended; `None`: it goes on.
    pub end: Option<TapeEnd>,
}

/// How a recording ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TapeEnd {
    /// How long it plays.
    pub length_ms: u64,
    /// The file's size.
    pub bytes: u64,
    /// The file's SHA-256.
    pub sha256: [u8; 32],
    /// How much of both sides together is missing since the disk did not keep up; silence stands in its place.
    pub missing_ms: u64,
    /// Why it ended.
    pub why: TapeWhy,
}

/// Why a recording ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TapeWhy {
    /// Who wanted it wants it no more.
    Asked,
    /// The call ended.
    CallOver,
    /// Nobody spoke.
    Silence,
    /// It was as long as it may be.
    Limit,
    /// The disk is full.
    DiskFull,
    /// The disk refused it, with the reason.
    Disk(String),
    /// The switch ended before it did.
    Interrupted,
    /// Nobody here can unpack what the leg speaks (which): the file would be silence.
    Codec(String),
}

impl TapeWhy {
    /// The word in metrics and JSON: a bounded set.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::CallOver => "call_over",
            Self::Silence => "silence",
            Self::Limit => "limit",
            Self::DiskFull => "disk_full",
            Self::Disk(_) => "disk",
            Self::Interrupted => "interrupted",
            Self::Codec(_) => "codec",
        }
    }

    /// Something is wrong with this machine, or missing here.
    pub const fn is_fault(&self) -> bool {
        matches!(self, Self::DiskFull | Self::Disk(_) | Self::Codec(_))
    }
}
