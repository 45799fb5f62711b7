//! The one place that reads a clock: the seconds each step takes.

use std::time::Instant;

/// Now, to measure how long a step takes.
#[expect(clippy::disallowed_methods, reason = "set-up measures its steps; nothing of it is replayed")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
