//! The time. This program measures real programs, so it is the one place where the clock is read and waited for.
#![expect(clippy::disallowed_methods, reason = "real programs are measured in real time")]

use std::time::{Duration, Instant};

/// Now.
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Lets time pass.
pub(crate) fn pass(time: Duration) {
    std::thread::sleep(time);
}

/// Lets time pass for whoever waits on the runtime.
pub(crate) async fn passes(time: Duration) {
    tokio::time::sleep(time).await;
}

/// Waits until something is so, at most so long; whether it is.
pub(crate) fn wait_for(limit: Duration, mut so: impl FnMut() -> bool) -> bool {
    let end = now() + limit;
    loop {
        if so() {
            return true;
        }
        if now() >= end {
            return false;
        }
        pass(Duration::from_millis(20));
    }
}
