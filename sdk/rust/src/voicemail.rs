//! Mailboxes of users and groups.

use crate::bindings::plugboard::switch::voicemail as raw;
use crate::duration::millis;
use std::time::Duration;

pub use crate::bindings::plugboard::switch::voicemail::{Closed, Left, Mailbox, VoicemailError};

/// How a message is taken; what is not said is as the office has it.
#[derive(Debug, Clone, Default)]
pub struct Leave {
    /// Whose mailbox; without one, of the user whose forward led here, else of whom the scenario rang last, else of whom the called
    /// number belongs to.
    pub mailbox: Option<Mailbox>,
    /// A prompt of the office that is heard before the beep, in place of the mailbox's own greeting.
    pub greeting: Option<String>,
    /// The longest message: 5 s to 30 min.
    pub longest: Option<Duration>,
    /// The silence that ends a message: 2 s to 1 min.
    pub silence: Option<Duration>,
}

/// Answers the caller, greets him, beeps, and takes a message until `#`, a silence, the longest length or his hang-up; then tells him
/// what became of it.
///
/// # Errors
/// Every [`VoicemailError`]; his hang-up is `CallerGone`.
pub fn leave(options: Leave) -> Result<Left, VoicemailError> {
    let Leave { mailbox, greeting, longest, silence } = options;
    let (longest_ms, silence_ms) = (longest.map(millis), silence.map(millis));
    raw::leave(&raw::LeaveOptions { mailbox, greeting, longest_ms, silence_ms })
}

/// Answers the caller, lets him show who he is, and lets him hear, save and delete messages and record a greeting until he has done.
/// Without a mailbox it is his own if he is a user, else the one whose number he enters.
///
/// # Errors
/// Every [`VoicemailError`]; his hang-up is `CallerGone`.
pub fn open(mailbox: Option<&Mailbox>) -> Result<Closed, VoicemailError> {
    raw::open(mailbox)
}
