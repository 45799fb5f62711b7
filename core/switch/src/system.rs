//! The machine's clock and random source: the only place that reads them.

use plugboard_model::{Time, WallTime};
use rand::Rng;
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

/// Random numbers that nobody can guess, seeded by the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        // ChaCha, seeded and now and then seeded anew by the operating system: a call needs a dozen of these, and
        // a system call for each costs more than all of them.
        rand::rng().fill_bytes(bytes);
    }
}
