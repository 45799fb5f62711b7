//! The call this run belongs to, and the caller's ear.

use crate::bindings::plugboard::switch::call as raw;
use crate::duration::millis;
use std::time::Duration;

pub use crate::bindings::plugboard::switch::call::{
    Audio, CallError, CollectEnd, Collected, Event, Info, ParkEnd, ParkError, PlayEnd, Speech, Tone,
};
pub use crate::bindings::plugboard::switch::types::Cause;

/// How long to play, and what stops it. The default plays once, to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Play {
    /// Stop after this time (100 ms to 1 h); `None`: at the audio's end.
    pub max: Option<Duration>,
    /// Begin again at the end, until `max` or a digit or the caller's hang-up.
    pub repeat: bool,
    /// A digit of the caller stops it, and is the result.
    pub stop_on_digit: bool,
}

/// What to collect.
#[derive(Debug, Clone, PartialEq)]
pub struct Collect {
    /// Played meanwhile; the first digit stops it.
    pub prompt: Option<Audio>,
    /// 1 to 32.
    pub max_digits: u8,
    /// Wait for the first digit, counted from the prompt's end: 100 ms to 2 min.
    pub first_digit: Duration,
    /// Wait between digits: 100 ms to 30 s.
    pub inter_digit: Duration,
    /// Ends the input and is not part of it.
    pub end_digit: Option<char>,
}

/// Who calls whom. Returns at once.
pub fn info() -> Info {
    raw::get_info()
}

/// Answers the caller if he is not answered yet. Returns at once.
///
/// # Errors
/// [`CallError::CallerGone`], [`CallError::NoMedia`].
pub fn answer() -> Result<(), CallError> {
    raw::answer()
}

/// Plays to the caller, answering him first. Waits until it ended.
///
/// An audio that is missing or broken is no error but [`PlayEnd::NotPlayable`].
///
/// # Errors
/// Every [`CallError`]; `Invalid` when [`Play::max`] is out of its range.
pub fn play(audio: &Audio, options: Play) -> Result<PlayEnd, CallError> {
    let Play { max, repeat, stop_on_digit } = options;
    raw::play(audio, raw::PlayOptions { max_ms: max.map(millis), repeat, stop_on_digit })
}

/// Collects digits, answering the caller first. Waits until it ended; no digit at all is an empty [`Collected::digits`].
///
/// # Errors
/// Every [`CallError`]; `Invalid` when a field is out of its range.
pub fn collect(request: &Collect) -> Result<Collected, CallError> {
    raw::collect(&raw::CollectRequest {
        prompt: request.prompt.clone(),
        max_digits: request.max_digits,
        first_digit_ms: millis(request.first_digit),
        inter_digit_ms: millis(request.inter_digit),
        end_digit: request.end_digit,
    })
}

/// Returns the caller's own voice to him for `max` (100 ms to 1 h), answering him first.
///
/// # Errors
/// Every [`CallError`]; his hang-up is `CallerGone`.
pub fn echo(max: Duration) -> Result<(), CallError> {
    raw::echo(millis(max))
}

/// Waits up to `timeout` (0 to 1 h) for the next event. 64 earlier ones are kept; past that the oldest is dropped.
///
/// # Errors
/// [`CallError::CallerGone`], [`CallError::Invalid`].
pub fn next_event(timeout: Duration) -> Result<Event, CallError> {
    raw::next_event(millis(timeout))
}

/// Puts the caller aside at a place (1 to 99; `None`: the first that is free) for `max` (1 s to 1 h), answering him first. Waits until
/// somebody fetches him, or the time is over.
///
/// # Errors
/// Every [`ParkError`].
pub fn park(place: Option<u32>, max: Duration) -> Result<ParkEnd, ParkError> {
    raw::park(place, millis(max))
}

/// Ends the call: as the final response if it is unanswered, else with BYE and a Reason (RFC 3326). Returns at once.
///
/// # Errors
/// [`CallError::CallerGone`], [`CallError::Invalid`] when the status is not 300 to 699.
pub fn hang_up(cause: &Cause) -> Result<(), CallError> {
    raw::hang_up(cause)
}
