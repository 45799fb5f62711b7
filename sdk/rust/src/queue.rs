//! Waiting for somebody to become free.

use crate::bindings::plugboard::switch::queue as raw;
use crate::duration::millis;
use std::time::Duration;

pub use crate::bindings::plugboard::switch::queue::{Connected, End, QueueError, Skill};

/// How the caller waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// So long at most: 1 s to 4 h.
    pub max: Duration,
    /// How long each who is free is rung: 1 s to 10 min.
    pub ring_for: Duration,
    /// The music that is heard meanwhile; `None`: the office's music on hold.
    pub music: Option<String>,
    /// The caller is told his place so often: 5 s to 1 h.
    pub announce: Option<Duration>,
    /// The key with which he leaves to be called back.
    pub call_back_on: Option<char>,
    /// The key with which he leaves, and the scenario goes on; another one than `call_back_on`.
    pub exit_on: Option<char>,
    /// Who has more of it goes before all who have less: 0 to 10.
    pub priority: u8,
    /// None but those who have this skill, as well as this, are rung.
    pub skill: Option<(String, u8)>,
    /// With him at most so many wait in the queue: 1 to 10,000.
    pub callers_max: u32,
}

impl Default for Options {
    /// Half an hour of the office's music among at most 10,000, each who is free being rung for 20 s.
    fn default() -> Self {
        Self {
            max: Duration::from_mins(30),
            ring_for: Duration::from_secs(20),
            music: None,
            announce: None,
            call_back_on: None,
            exit_on: None,
            priority: 0,
            skill: None,
            callers_max: 10_000,
        }
    }
}

/// Answers the caller and lets him wait until one of those whom the scenario has named above this step is free and answers.
///
/// # Errors
/// Every [`QueueError`]; his hang-up is `CallerGone`.
pub fn wait(options: Options) -> Result<End, QueueError> {
    let Options { max, ring_for, music, announce, call_back_on, exit_on, priority, skill, callers_max } = options;
    raw::wait(&raw::Options {
        max_ms: millis(max),
        ring_for_ms: millis(ring_for),
        music,
        announce_ms: announce.map(millis),
        call_back_on,
        exit_on,
        priority,
        skill: skill.map(|(name, level)| Skill { name, level }),
        callers_max,
    })
}
