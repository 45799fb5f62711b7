//! Lines in the call's log, where an administrator reads them. A line is cut at 1,024 bytes, a run has 256 of them.

use crate::bindings::plugboard::switch::log as raw;

/// For the author of the action.
pub fn debug(message: &str) {
    raw::write(raw::Level::Debug, message);
}

/// For the administrator.
pub fn info(message: &str) {
    raw::write(raw::Level::Info, message);
}

/// Something is wrong, and the action goes on without it.
pub fn warn(message: &str) {
    raw::write(raw::Level::Warn, message);
}
