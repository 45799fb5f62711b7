//! Waiting for somebody to become free, and who may be rung as what.

use crate::{CallError, CallId, Connected, Dialled, Name, ScenarioId, UserId, WallTime};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Callers that wait in one scenario's queue, whatever its steps say.
pub const QUEUE_CALLERS_MAX: u32 = 10_000;

/// How a caller waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueRequest {
    /// So long at most: 1,000 to 14,400,000.
    pub max_ms: u32,
    /// How long each who is free is rung: 1,000 to 600,000.
    pub ring_for_ms: u32,
    /// The music that is heard meanwhile; `None`: the office's music on hold.
    pub music: Option<String>,
    /// His place is told so often: 5,000 to 3,600,000; `None`: never.
    pub announce_ms: Option<u32>,
    /// The key with which he leaves to be called back.
    pub call_back_on: Option<char>,
    /// Who has more of it goes before all who have less: 0 to 10.
    pub priority: u8,
    /// None but those who have this skill are rung.
    pub skill: Option<Skill>,
    /// With him at most so many wait in the queue: 1 to [`QUEUE_CALLERS_MAX`].
    pub callers_max: u32,
    /// The key with which he leaves, and the scenario goes on.
    pub exit_on: Option<char>,
}

/// Something that people can do, and how well.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Skill {
    /// What: 1 to 64 of `a-z 0-9 . _ -`.
    pub name: String,
    /// How well, at least: 1 to 10.
    pub level: u8,
}

/// How waiting ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueueEnd {
    /// Somebody answered and talks to the caller.
    Answered(Connected),
    /// The time is over.
    Timeout,
    /// The steps above name nobody who may be rung.
    Nobody,
    /// As many wait as may.
    Full,
    /// He is called back when somebody is free.
    CalledBack,
    /// He pressed the key with which he leaves.
    Exited,
}

/// Why nothing came of waiting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueueError {
    /// The caller hung up.
    CallerGone,
    /// The caller talks to somebody.
    Talking,
    /// No media, with the reason.
    NoMedia(String),
    /// A parameter is out of its range, with the range.
    Invalid(String),
}

impl From<CallError> for QueueError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::CallerGone => Self::CallerGone,
            CallError::Talking => Self::Talking,
            CallError::NoMedia(reason) => Self::NoMedia(reason),
            CallError::Invalid(which) => Self::Invalid(which),
        }
    }
}

/// A member of a group as whoever spreads calls sees him.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Who.
    pub user: UserId,
    /// In a random draw; 0 stands at the end.
    pub weight: u32,
    /// Those of a lower tier are rung first: 1 to 10.
    pub tier: u8,
    /// How well he can do what was asked for; 0 when nothing was.
    pub level: u8,
    /// Since when he is free, in milliseconds; 0 when he is not.
    pub idle_ms: u64,
}

/// Somebody for whom a caller waits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Wanted {
    /// Who.
    pub user: UserId,
    /// The groups through which he is wanted; none when he was named himself. Who has logged out of all of them is not rung.
    pub groups: Vec<Name>,
    /// Those of a lower tier go first.
    pub tier: u8,
}

/// A caller who has left a queue and was told that he is called back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromisedCall {
    /// The call with which he came.
    pub call: CallId,
    /// The scenario in whose queue he has his place.
    pub queue: ScenarioId,
    /// His number, for people.
    pub caller: String,
    /// ... and as whoever calls him dials it.
    pub to: Dialled,
    /// How long whoever is free is rung before, in milliseconds.
    pub ring_for_ms: u32,
    /// Who may call him, sorted; each once.
    pub wanted: Vec<Wanted>,
    /// Who has more goes first.
    pub priority: u8,
    /// Since when he has his place.
    pub since: WallTime,
    /// His place among those who came in the same millisecond.
    pub order: u64,
    /// Nobody calls him later than this.
    pub until: WallTime,
}

/// What an office wants of its queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueRules {
    /// Who was rung for so many callers in a row and did not answer becomes away; 0: never.
    pub away_after: u32,
    /// Callers who are answered within this time were served well.
    pub service_level: Duration,
    /// Whether callers are told with their place how long it is likely to take.
    pub tell_wait: bool,
}

impl Default for QueueRules {
    fn default() -> Self {
        Self { away_after: 5, service_level: Duration::from_secs(20), tell_wait: true }
    }
}
