//! Reach people: ring them, connect the caller to whoever answers first.

use crate::bindings::plugboard::switch::dial as raw;
use crate::duration::millis;
use std::time::Duration;

pub use crate::bindings::plugboard::switch::dial::{Connected, Line, NotConnected, Phones, RingBack, Target};
pub use crate::bindings::plugboard::switch::types::Cause;

/// Rings all `targets` at once (1 to 32) and connects the caller to the first that answers.
///
/// Waits up to `ring_for` (1 s to 10 min). Whoever was too late stops ringing and sees no missed call. The caller himself
/// is never rung.
///
/// # Errors
/// Every [`NotConnected`].
pub fn ring(targets: &[Target], ring_for: Duration, ring_back: RingBack) -> Result<Connected, NotConnected> {
    raw::ring(targets, millis(ring_for), ring_back)
}
