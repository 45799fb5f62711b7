//! Virtual time, and the dice.

use plugboard_model::{Time, WallTime};
use plugboard_switch::{Clock, Random};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::time::Instant;

/// When every story begins: 2026-01-05, a Monday, 09:00 UTC.
pub(crate) const WALL_START: WallTime = WallTime(1_767_603_600_000);

/// The paused clock of the runtime, as the switch is given it.
#[derive(Debug)]
pub(crate) struct SimClock {
    start: Instant,
    /// What other clocks showed then.
    wall: WallTime,
    /// The last reading: outside of the runtime the clock does not move.
    last: AtomicU64,
}

impl SimClock {
    /// Time zero is now. Called within the runtime.
    pub(crate) fn start(wall: WallTime) -> Self {
        Self { start: Instant::now(), wall, last: AtomicU64::new(0) }
    }

    /// As the runtime's timers take it.
    pub(crate) fn instant(&self, at: Time) -> Instant {
        self.start + at.since(Time::ZERO)
    }
}

impl Clock for SimClock {
    fn now(&self) -> Time {
        if tokio::runtime::Handle::try_current().is_ok() {
            let now = Time::ZERO + Instant::now().duration_since(self.start);
            self.last.store(now.0, Ordering::Relaxed);
        }
        Time(self.last.load(Ordering::Relaxed))
    }

    fn wall(&self) -> WallTime {
        let since = i64::try_from(self.now().as_millis()).unwrap_or(i64::MAX);
        WallTime(self.wall.0.saturating_add(since))
    }
}

/// Random numbers from a seed: `SplitMix64`, the same for ever on every machine.
///
/// Source: Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// The numbers of this seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// 0 to `end` - 1; 0 when `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.roll().checked_rem(end).unwrap_or(0)
    }

    /// True in `per_mille` of 1,000 cases.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1_000) < per_mille
    }

    /// One of these.
    ///
    /// # Panics
    /// When there is none.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let index = self.below(u64::try_from(from.len()).unwrap_or(u64::MAX));
        usize::try_from(index).ok().and_then(|index| from.get(index)).unwrap_or_else(|| panic!("nothing to pick from"))
    }
}

/// The dice as the switch's random source.
#[derive(Debug)]
pub(crate) struct SimRandom(Mutex<Dice>);

impl SimRandom {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(Mutex::new(Dice::new(seed)))
    }
}

impl Random for SimRandom {
    fn fill(&self, bytes: &mut [u8]) {
        let mut dice = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for chunk in bytes.chunks_mut(8) {
            for (byte, random) in chunk.iter_mut().zip(dice.roll().to_be_bytes()) {
                *byte = random;
            }
        }
    }
}
