//! The time of day, from the call's journal.

use crate::bindings::plugboard::switch::clock as raw;

/// Milliseconds since 1970-01-01T00:00:00Z.
pub fn now_ms() -> i64 {
    raw::now()
}
