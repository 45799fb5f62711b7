//! Waiting for what other processes do.

use std::time::{Duration, Instant};

/// No single thing takes longer, even on a machine that is busy with much else; what does will never happen.
pub const LIMIT: Duration = Duration::from_secs(60);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Looks until there is an answer, and gives it.
#[expect(clippy::disallowed_methods, reason = "a real process is waited for in real time")]
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < LIMIT, "waited {} s in vain: {what}", LIMIT.as_secs());
        std::thread::park_timeout(PAUSE);
    }
}
