//! Targets that failed of late: they are tried last for a while.

use super::Target;
use plugboard_model::Time;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a target that failed is tried last: long enough that a burst of calls does not find out one by one, short
/// enough that a peer that was started again has its calls back.
pub const BAD_FOR: Duration = Duration::from_secs(60);
/// Longest time for which a peer may ask to be left alone.
const BAD_FOR_MAX: Duration = Duration::from_secs(3_600);
/// Targets remembered; more than one name has.
const BAD_MAX: usize = 64;

/// What failed, and until when that counts (RFC 3263 section 4.3, RFC 3261 section 21.5.4 for Retry-After).
#[derive(Debug, Default)]
pub struct BadTargets(BTreeMap<Target, Time>);

impl BadTargets {
    /// It failed now; `retry_after` is what it asked for, if it said so.
    pub fn failed(&mut self, now: Time, target: Target, retry_after: Option<Duration>) {
        self.0.retain(|_, until| *until > now);
        if self.0.len() < BAD_MAX || self.0.contains_key(&target) {
            let pause = retry_after.unwrap_or(BAD_FOR).min(BAD_FOR_MAX);
            self.0.insert(target, now + pause);
        }
    }

    /// It answers again.
    pub fn works(&mut self, target: Target) {
        self.0.remove(&target);
    }

    /// Whether it failed of late.
    pub fn is_bad(&self, now: Time, target: Target) -> bool {
        self.0.get(&target).is_some_and(|until| *until > now)
    }

    /// The same targets, those that failed of late at the end: one of them is better than none.
    pub fn last(&self, now: Time, mut targets: Vec<Target>) -> Vec<Target> {
        targets.sort_by_key(|target| self.is_bad(now, *target));
        targets
    }
}
