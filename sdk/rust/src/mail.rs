//! E-mail: kept first, and sent by the switch until the office's mail server takes it.

use crate::bindings::plugboard::switch::mail as raw;

pub use crate::bindings::plugboard::switch::mail::{Attachment, Content, Message, Written};
pub use crate::bindings::plugboard::switch::types::NoticeError;

/// Takes a mail into the outbox; it is kept when this returns. The name under which it is known there.
///
/// # Errors
/// Every [`NoticeError`].
pub fn send(message: &Message) -> Result<String, NoticeError> {
    raw::send(message)
}
