//! Rooms in which more than two talk, as actions enter them.

use serde::{Deserialize, Serialize};

/// How somebody sits in a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConferenceRequest {
    /// 1 to 64 of `a-z 0-9 -`.
    pub room: String,
    /// He is not heard.
    pub listens: bool,
    /// With him there are at most so many: 2 to 256.
    pub seats_max: u16,
    /// 1,000 to 43,200,000.
    pub max_ms: u32,
    /// The key with which he leaves.
    pub leave_on: Option<char>,
    /// The others hear him come and go.
    pub beep: bool,
}

/// Why somebody left a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConferenceEnd {
    /// He pressed the key.
    Key,
    /// His time is over.
    TimeOver,
}

/// Why somebody did not enter a room, or was taken out of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotJoined {
    /// It has no free seat.
    Full,
    /// The caller hung up.
    CallerGone,
    /// The caller talks to somebody.
    Talking,
    /// No media, with the reason.
    NoMedia(String),
    /// A parameter is out of its range, with the range.
    Invalid(String),
}
