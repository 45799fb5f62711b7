//! Events of queues: callers who wait until somebody is free.

use crate::Metrics;
use crate::labels::{Label, label};
use crate::sip_events::whole;
use plugboard_model::{CallId, UserId};
use prometheus::{Gauge, IntCounter, IntGauge};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Queues with series of their own: five families times this still are a small scrape. Later ones are in the totals alone.
pub(crate) const QUEUES_MAX: usize = 200;

/// The series of one queue, such as `main/front`.
#[derive(Debug, Clone)]
pub struct QueueSeries {
    pub(crate) callers: IntGauge,
    pub(crate) oldest_wait: Gauge,
    /// In the order of [`QueueLeft`].
    pub(crate) ends: Arc<[IntCounter]>,
    /// Since when the one has waited who has waited longest: the caller's clock in nanoseconds, and one more; 0: nobody waits.
    pub(crate) oldest: Arc<AtomicU64>,
}

impl QueueSeries {
    /// So many wait on the line, the first of them since then, by the clock of whoever samples it.
    pub fn waiting(&self, callers: usize, oldest: Option<u64>) {
        self.callers.set(whole(callers));
        self.oldest.store(oldest.map_or(0, |since| since.saturating_add(1)), Ordering::Relaxed);
    }

    pub(crate) fn waited(&self, age: impl Fn(u64) -> Duration) {
        let since = self.oldest.load(Ordering::Relaxed).checked_sub(1);
        self.oldest_wait.set(since.map_or(Duration::ZERO, age).as_secs_f64());
    }
}

label!(
    /// Why a caller waits no more.
    QueueLeft {
        /// Somebody answered.
        Answered = "answered",
        /// He hung up.
        Abandoned = "abandoned",
        /// His time was over, or his scenario did something else.
        Timeout = "timeout",
        /// He left to be called back.
        CalledBack = "called_back",
        /// There was no room for him.
        Full = "full",
        /// He pressed the key with which he leaves.
        Exited = "exited",
    }
);

label!(
    /// What became of a promised call.
    QueueCalledBack {
        /// Somebody was there to call him, and he was rung.
        Rung = "rung",
        /// Nobody was, in time.
        Late = "late",
    }
);

impl QueueCalledBack {
    /// Writes the line and counts.
    pub fn emit(self, call: &CallId, metrics: &Metrics) {
        metrics.families.queue_called_back.inc(self);
        tracing::info!(call_id = %call, end = self.as_str(), "a promised call is over");
    }
}

/// So many callers have left and are to be called back now.
#[derive(Debug, Clone, Copy)]
pub struct QueuePromised(pub usize);

impl QueuePromised {
    /// Sets the gauge.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.queue_promised.set(whole(self.0));
    }
}

/// So many callers wait now.
#[derive(Debug, Clone, Copy)]
pub struct QueueHeld(pub usize);

impl QueueHeld {
    /// Sets the gauge.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.queue_waiting.set(whole(self.0));
    }
}

/// How long the one has waited who has waited longest.
#[derive(Debug, Clone, Copy)]
pub struct QueueLongest(pub Duration);

impl QueueLongest {
    /// Sets the gauge.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.queue_longest.set(self.0.as_secs_f64());
    }
}

/// Somebody was free and rings for a caller.
#[derive(Debug, Clone, Copy)]
pub struct QueueOffered<'a> {
    /// The caller.
    pub call: &'a CallId,
    /// Who rings.
    pub user: &'a UserId,
}

impl QueueOffered<'_> {
    /// Writes the line and counts.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.queue_offers.inc();
        tracing::debug!(call_id = %self.call, user = %self.user, "somebody is free for a caller who waits");
    }
}

/// A caller waits no more.
#[derive(Debug, Clone, Copy)]
pub struct QueueOver<'a> {
    /// Which.
    pub call: &'a CallId,
    /// The series of his queue, if it has any.
    pub queue: Option<&'a QueueSeries>,
    /// Why.
    pub why: QueueLeft,
}

impl QueueOver<'_> {
    /// Writes the line and counts.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.queue_left.inc(self.why);
        if let Some(count) = self.queue.and_then(|queue| queue.ends.get(self.why.index())) {
            count.inc();
        }
        tracing::info!(call_id = %self.call, why = self.why.as_str(), "a caller waits no more");
    }
}
