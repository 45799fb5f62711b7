//! Rooms of the office in which more than two talk.

use crate::bindings::plugboard::switch::conference as raw;
use crate::duration::millis;
use std::time::Duration;

pub use crate::bindings::plugboard::switch::conference::{Left, NotJoined};

/// How the caller sits in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seat {
    /// He hears the others and is not heard.
    pub listens: bool,
    /// With him there are at most so many: 2 to 256.
    pub seats_max: u16,
    /// He leaves after this time: 1 s to 12 h.
    pub max: Duration,
    /// A key with which he leaves; other keys are events.
    pub leave_on: Option<char>,
    /// The others hear a beep when he enters and when he leaves.
    pub beep: bool,
}

impl Default for Seat {
    /// He talks, among at most 32, for at most 12 h, and is heard coming and going.
    fn default() -> Self {
        Self { listens: false, seats_max: 32, max: Duration::from_hours(12), leave_on: None, beep: true }
    }
}

/// Answers the caller and lets him talk in the room of this name (1 to 64 of `a-z 0-9 -`) until he leaves it. Who is alone there hears
/// the music on hold.
///
/// # Errors
/// Every [`NotJoined`]; his hang-up is `CallerGone`.
pub fn join(room: &str, seat: Seat) -> Result<Left, NotJoined> {
    let Seat { listens, seats_max, max, leave_on, beep } = seat;
    raw::join(room, raw::Seat { listens, seats_max, max_ms: millis(max), leave_on, beep })
}
