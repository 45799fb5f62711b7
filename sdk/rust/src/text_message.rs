//! Text messages to telephones: kept first, and sent by the switch until the office's provider takes them.

use crate::bindings::plugboard::switch::text_message as raw;

pub use crate::bindings::plugboard::switch::types::NoticeError;

/// Takes a message into the outbox; it is kept when this returns. The name under which it is known there.
///
/// # Errors
/// Every [`NoticeError`].
pub fn send(to: &str, text: &str) -> Result<String, NoticeError> {
    raw::send(to, text)
}
