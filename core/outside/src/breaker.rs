//! A service that fails again and again is left alone for a while, so that callers need not wait for it each time.
//!
//! Sans-IO: the time is given.

use std::time::Duration;
use tokio::time::Instant;

/// Failures in a row after which a service is left alone.
const FAILURES_MAX: u32 = 5;
/// For how long; then one request shows whether it is back.
const PAUSE: Duration = Duration::from_secs(10);

/// What is known of a service.
#[derive(Debug, Default)]
pub(crate) struct Breaker {
    failures: u32,
    until: Option<Instant>,
}

impl Breaker {
    /// Whether it may be asked. After a pause one may, and the others wait for what comes of it.
    pub(crate) fn lets_pass(&mut self, now: Instant) -> bool {
        match self.until {
            None => true,
            Some(until) if now < until => false,
            Some(_) => {
                self.until = Some(now + PAUSE);
                true
            }
        }
    }

    /// It answered, whatever it said.
    pub(crate) fn answered(&mut self) {
        *self = Self::default();
    }

    /// It did not.
    pub(crate) fn failed(&mut self, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= FAILURES_MAX {
            self.until = Some(now + PAUSE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_fails_five_times_is_left_alone_and_tried_by_one_after_ten_seconds() {
        let (mut breaker, start) = (Breaker::default(), Instant::now());
        for n in 0..5 {
            assert!(breaker.lets_pass(start), "try {n}");
            breaker.failed(start);
        }
        assert!(!breaker.lets_pass(start));
        assert!(!breaker.lets_pass(start + Duration::from_millis(9_999)));
        let later = start + PAUSE;
        assert!(breaker.lets_pass(later), "one shows whether it is back");
        assert!(!breaker.lets_pass(later), "the others wait for it");
        breaker.failed(later);
        assert!(!breaker.lets_pass(later + Duration::from_secs(1)));
        assert!(breaker.lets_pass(later + PAUSE));
        breaker.answered();
        assert!(breaker.lets_pass(later + PAUSE) && breaker.lets_pass(later + PAUSE), "it is back");
    }

    #[test]
    fn one_answer_makes_up_for_failures() {
        let (mut breaker, now) = (Breaker::default(), Instant::now());
        for _ in 0..3 {
            (0..4).for_each(|_| breaker.failed(now));
            breaker.answered();
        }
        assert!(breaker.lets_pass(now));
    }
}
