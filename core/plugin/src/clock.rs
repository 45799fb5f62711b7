//! The runner's two clocks, given to it: the switch hands in its own, a simulation a virtual one.

use plugboard_model::{Time, WallTime};
use std::fmt;
use std::sync::Arc;

/// Time that never goes back, for limits, and the time of day, for `plugboard:switch/clock`.
#[derive(Clone)]
pub struct Clock {
    monotonic: Arc<dyn Fn() -> Time + Send + Sync>,
    wall: Arc<dyn Fn() -> WallTime + Send + Sync>,
}

impl Clock {
    /// Takes both clocks.
    pub fn new(
        monotonic: impl Fn() -> Time + Send + Sync + 'static,
        wall: impl Fn() -> WallTime + Send + Sync + 'static,
    ) -> Self {
        Self { monotonic: Arc::new(monotonic), wall: Arc::new(wall) }
    }

    /// The machine's clocks.
    #[expect(clippy::disallowed_methods, reason = "this is the thread driver's clock, the one place that reads it")]
    pub fn system() -> Self {
        let origin = std::time::Instant::now();
        Self::new(
            move || Time(u64::try_from(origin.elapsed().as_nanos()).unwrap_or(u64::MAX)),
            || {
                let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
                WallTime(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
            },
        )
    }

    /// Since the origin that the giver chose.
    pub fn now(&self) -> Time {
        (self.monotonic)()
    }

    /// The time of day.
    pub fn wall(&self) -> WallTime {
        (self.wall)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock").field("now", &self.now()).field("wall", &self.wall()).finish()
    }
}
