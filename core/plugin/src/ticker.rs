//! Advances the epoch every millisecond while a guest runs for long, and sleeps when none does.
//!
//! Nearly every slice is over in some microseconds and needs no tick, so between guests the ticker only looks now and
//! then: waking it for each slice costs more than the slice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;
use wasmtime::EngineWeak;

/// Between two ticks: how long a looping guest keeps a plugin thread from its other runs.
const TICK: Duration = Duration::from_millis(1);
/// Between two looks while no guest was found running: a guest that loops has so much more before its first tick. A look costs a wake-up, and at
/// some calls a second there would be two a call with a quarter of this.
const NAP: Duration = Duration::from_millis(40);
/// Idle looks before the ticker sleeps, so that a steady trickle of runs does not pay for waking it each time.
const IDLE_NAPS: u32 = 6;

/// The ticker's thread; it ends with its owner.
pub(crate) struct Ticker {
    shared: Arc<Shared>,
    wake: Thread,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    busy: AtomicU32,
    asleep: AtomicBool,
    stop: AtomicBool,
}

/// While one exists, the epoch ticks.
pub(crate) struct Busy(Arc<Ticker>);

impl Ticker {
    pub(crate) fn start(engine: EngineWeak) -> std::io::Result<Self> {
        let shared =
            Arc::new(Shared { busy: AtomicU32::new(0), asleep: AtomicBool::new(false), stop: AtomicBool::new(false) });
        let seen = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("plugin-ticker".into()).spawn(move || seen.tick(&engine))?;
        Ok(Self { shared, wake: thread.thread().clone(), thread: Some(thread) })
    }

    pub(crate) fn busy(self: &Arc<Self>) -> Busy {
        self.shared.busy.fetch_add(1, Ordering::SeqCst);
        if self.shared.asleep.load(Ordering::SeqCst) {
            self.wake.unpark();
        }
        Busy(Arc::clone(self))
    }

    /// Does the ticker sleep?
    #[cfg(test)]
    fn asleep(&self) -> bool {
        self.shared.asleep.load(Ordering::SeqCst)
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.wake.unpark();
        if let Some(thread) = self.thread.take() {
            // A ticker that panicked has nothing left to say: its loop calls nothing that can fail.
            drop(thread.join());
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.shared.busy.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Shared {
    fn tick(&self, engine: &EngineWeak) {
        let mut idle = 0;
        while !self.stop.load(Ordering::SeqCst) {
            let busy = self.busy.load(Ordering::SeqCst) > 0;
            idle = if busy { 0 } else { idle + 1 };
            if idle > IDLE_NAPS {
                self.asleep.store(true, Ordering::SeqCst);
                // Between the store and here somebody may have become busy without seeing it: look again.
                if self.busy.load(Ordering::SeqCst) == 0 && !self.stop.load(Ordering::SeqCst) {
                    std::thread::park();
                }
                self.asleep.store(false, Ordering::SeqCst);
                continue;
            }
            std::thread::park_timeout(if busy { TICK } else { NAP });
            match engine.upgrade() {
                Some(engine) => engine.increment_epoch(),
                None => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ticker_sleeps_when_nothing_runs_and_wakes_for_the_next_run() {
        let mut config = wasmtime::Config::new();
        config.epoch_interruption(true);
        let engine = wasmtime::Engine::new(&config).unwrap();
        let ticker = Arc::new(Ticker::start(engine.weak()).unwrap());
        for _ in 0..3 {
            while !ticker.asleep() {
                std::thread::yield_now();
            }
            let busy = ticker.busy();
            while ticker.asleep() {
                std::thread::yield_now();
            }
            drop(busy);
        }
    }
}
