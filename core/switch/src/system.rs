//! The machine's clock and random source: the only place that reads them.

use plugboard_model::{Time, WallTime};
use rand::TryRng;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::env::{Clock, Random};

/// The machine's clocks; [`Time::ZERO`] is when this was made.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// Starts now.
    #[expect(clippy::disallowed_methods, reason = "the one clock that everything else is given")]
    pub fn start() -> Self {
        Self { start: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Time {
        Time::ZERO + self.start.elapsed()
    }

    #[expect(clippy::disallowed_methods, reason = "the one clock that everything else is given")]
    fn wall(&self) -> WallTime {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        WallTime(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// The operating system's random source.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        // Without random numbers nothing here is safe: no nonce, no tag. Stopping is the honest answer.
        if let Err(error) = rand::rngs::SysRng.try_fill_bytes(bytes) {
            tracing::error!(%error, "the operating system gives no random numbers");
            std::process::abort();
        }
    }
}
