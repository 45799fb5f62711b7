//! The timers of RFC 3261 and the queue that wakes transactions.

use plugboard_model::Time;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// The three values that all timers are made of (RFC 3261 section 17.1.1.1 and table 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timers {
    /// Estimate of the round trip: 500 ms.
    pub t1: Duration,
    /// Longest pause between two sends: 4 s.
    pub t2: Duration,
    /// How long a message may stay in the network: 5 s.
    pub t4: Duration,
}

impl Default for Timers {
    fn default() -> Self {
        Self { t1: Duration::from_millis(500), t2: Duration::from_secs(4), t4: Duration::from_secs(5) }
    }
}

impl Timers {
    /// 64 * T1: how long a side waits for the other (Timers B, F, H, J, L, M), 32 s.
    pub const fn give_up(&self) -> Duration {
        self.t1.saturating_mul(64)
    }

    /// Timer D: how long a repeated refusal is still acknowledged; more than 32 s (RFC 3261 section 17.1.1.2).
    pub(super) fn d(&self) -> Duration {
        self.give_up().max(Duration::from_secs(32))
    }

    /// The pause after `pause` in a series that doubles up to T2 (Timers E and G, and the 2xx of a session).
    pub(crate) fn next_pause(&self, pause: Duration) -> Duration {
        pause.saturating_mul(2).min(self.t2)
    }
}

/// Sends the same bytes again and again, until a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Resend {
    /// When to send again; `None` on a reliable transport.
    pub(super) at: Option<Time>,
    /// The pause before `at`.
    pub(super) pause: Duration,
}

impl Resend {
    /// A series that begins `t1` from now, or none at all.
    pub(super) fn start(now: Time, reliable: bool, timers: &Timers) -> Self {
        Self { at: (!reliable).then(|| now + timers.t1), pause: timers.t1 }
    }

    /// Whether it is time to send; if so, the next time is set, `pause` being what `next` makes of the last one.
    pub(super) fn due(&mut self, now: Time, next: impl Fn(Duration) -> Duration) -> bool {
        match self.at {
            Some(at) if at <= now => {
                self.pause = next(self.pause);
                self.at = Some(now + self.pause);
                true
            }
            Some(_) | None => false,
        }
    }

    /// The earlier of the next send and `end`.
    pub(super) fn wake(&self, end: Time) -> Time {
        self.at.map_or(end, |at| at.min(end))
    }
}

/// Who is woken when. Entries are not removed when a transaction changes its mind: one whose transaction is gone, or
/// wants another time by now, is skipped when it comes up, and the queue is rebuilt when most of it is such.
#[derive(Debug)]
pub(super) struct WakeQueue<K> {
    heap: BinaryHeap<Reverse<(Time, K)>>,
}

impl<K: Copy + Ord> WakeQueue<K> {
    pub(super) const fn new() -> Self {
        Self { heap: BinaryHeap::new() }
    }

    pub(super) fn push(&mut self, at: Time, key: K) {
        self.heap.push(Reverse((at, key)));
    }

    /// The next to be woken at or before `now`.
    pub(super) fn pop_due(&mut self, now: Time) -> Option<(Time, K)> {
        let Reverse((at, _)) = self.heap.peek()?;
        if *at > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| entry)
    }

    /// Takes skipped entries off the top, so that [`Self::next`] is true; rebuilds when more than three in four of
    /// the entries are not among the `live` ones.
    pub(super) fn tidy(&mut self, live: usize, is_live: impl Fn(Time, K) -> bool) {
        while let Some(Reverse((at, key))) = self.heap.peek()
            && !is_live(*at, *key)
        {
            self.heap.pop();
        }
        if self.heap.len() > 64 + live.saturating_mul(4) {
            self.heap.retain(|Reverse((at, key))| is_live(*at, *key));
        }
    }

    pub(super) fn next(&self) -> Option<Time> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.heap.len()
    }
}
