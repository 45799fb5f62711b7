//! What the office remembers of its calls.

use crate::bindings::plugboard::switch::history as raw;

pub use crate::bindings::plugboard::switch::history::{HistoryError, Talk};

/// The user who talked last with a number in these last days, whoever called whom. Waits for the disk.
///
/// # Errors
/// Every [`HistoryError`].
pub fn last_talk(number: &str, days: u32) -> Result<Option<Talk>, HistoryError> {
    raw::last_talk(number, days)
}
