//! What the caller hears and who listens to his keys.

use plugboard_model::{Cause, CollectEnd, CollectRequest, Collected, HostResult, LegId, Time};
use std::time::Duration;

use crate::{Op, PlayId};

/// The caller's ear.
#[derive(Debug)]
pub(crate) enum Ear {
    /// Nothing.
    Idle,
    /// A playback that a run asked for.
    Playing { op: Op, play: PlayId, stop_on_digit: bool },
    /// Digits are collected.
    Collecting(Collecting),
    /// His own voice.
    Echoing { op: Op, until: Time },
    /// Those in a room.
    Conferring { op: Op, until: Time, leave_on: Option<char> },
    /// A tape, until this key or this time; what he hears is silence.
    Dictating { op: Op, until: Time, stop_on: char },
    /// A fax machine; `until`: none when it was told to end; `before`: whose place it took.
    Faxing { op: Op, until: Option<Time>, before: Option<Before> },
    /// What became of a feature code; then the call ends so.
    Told { play: PlayId, cause: Cause },
    /// Somebody: they talk.
    Talking { peer: LegId },
}

/// Whose place a fax machine took, which is told when the fax is over.
#[derive(Debug)]
pub(crate) enum Before {
    /// Who asked for something, and what he is told.
    Asker(Box<(Op, HostResult)>),
    /// Somebody whom the caller talked to: he was hung up.
    Talk,
}

/// A collection that goes on.
#[derive(Debug)]
pub(crate) struct Collecting {
    pub(crate) op: Op,
    pub(crate) request: CollectRequest,
    pub(crate) digits: String,
    /// The prompt that plays meanwhile; the first wait begins at its end.
    pub(crate) prompt: Option<PlayId>,
    /// The wait that runs when no prompt plays.
    pub(crate) until: Option<Time>,
    pub(crate) not_played: Option<String>,
}

impl Collecting {
    /// Takes a digit; the result when it was the last one.
    pub(crate) fn digit(&mut self, now: Time, digit: char) -> Option<Collected> {
        if self.request.end_digit == Some(digit) {
            return Some(self.finish(CollectEnd::EndDigit));
        }
        self.digits.push(digit);
        if self.digits.len() >= usize::from(self.request.max_digits) {
            return Some(self.finish(CollectEnd::MaxDigits));
        }
        self.until = Some(now + Duration::from_millis(u64::from(self.request.inter_digit_ms)));
        None
    }

    /// The prompt is over (or could not be played): the wait for the first digit begins.
    pub(crate) fn prompt_over(&mut self, now: Time, not_played: Option<String>) {
        self.prompt = None;
        self.not_played = not_played;
        self.until = Some(now + Duration::from_millis(u64::from(self.request.first_digit_ms)));
    }

    /// The collection as its asker is told.
    pub(crate) fn finish(&mut self, ended_by: CollectEnd) -> Collected {
        Collected { digits: std::mem::take(&mut self.digits), ended_by, not_played: self.not_played.take() }
    }
}

/// Checks the ranges that the WIT states; the fault names the range.
pub(crate) fn check_collect(request: &CollectRequest) -> Result<(), String> {
    if !(1..=32).contains(&request.max_digits) {
        return Err(format!("max-digits is 1 to 32, not {}", request.max_digits));
    }
    if !(100..=120_000).contains(&request.first_digit_ms) {
        return Err(format!("first-digit-ms is 100 to 120,000, not {}", request.first_digit_ms));
    }
    if !(100..=30_000).contains(&request.inter_digit_ms) {
        return Err(format!("inter-digit-ms is 100 to 30,000, not {}", request.inter_digit_ms));
    }
    match request.end_digit {
        Some(digit) if !is_digit(digit) => Err(format!("end-digit is one of 0-9 * # A-D, not {digit:?}")),
        Some(_) | None => Ok(()),
    }
}

/// A key of a telephone (RFC 4733 events 0 to 15).
pub(crate) fn is_digit(digit: char) -> bool {
    matches!(digit, '0'..='9' | '*' | '#' | 'A'..='D')
}
