//! The channels of a gateway: how many calls go through it, from where, and whether one more may.

use plugboard_metrics::TrunkSeries;
use plugboard_office::CallLimits;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// From where a call through a gateway comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// From the gateway.
    In,
    /// From us.
    Out,
}

/// Calls of one gateway. Every shard takes channels from it, without a word to the gateway's actor.
pub(crate) struct Channels {
    /// Calls from it in the low half, calls to it in the high one: one word, so that both are seen at once.
    used: AtomicU64,
    series: TrunkSeries,
}

/// The high half's one.
const OUT: u64 = 1 << 32;

impl Channels {
    pub(crate) const fn new(series: TrunkSeries) -> Self {
        Self { used: AtomicU64::new(0), series }
    }

    /// Takes a channel if the limits leave one.
    pub(crate) fn enter(self: &Arc<Self>, side: Side, limits: CallLimits) -> Option<Channel> {
        let step = |used: u64| {
            let (inbound, outbound) = parts(used);
            let fits = inbound + outbound < limits.both;
            match side {
                Side::In => (fits && inbound < limits.inbound).then(|| used + 1),
                Side::Out => (fits && outbound < limits.outbound).then(|| used + OUT),
            }
        };
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step).ok()?;
        self.show();
        Some(Channel { of: Arc::clone(self), side })
    }

    /// Calls from it, calls to it.
    pub(crate) fn used(&self) -> (u32, u32) {
        parts(self.used.load(Ordering::Relaxed))
    }

    fn show(&self) {
        let (inbound, outbound) = self.used();
        self.series.calls(inbound, outbound);
    }
}

/// A channel that a call has; given back when it is dropped, whatever becomes of the call.
pub(crate) struct Channel {
    of: Arc<Channels>,
    side: Side,
}

impl Drop for Channel {
    fn drop(&mut self) {
        let step = match self.side {
            Side::In => 1,
            Side::Out => OUT,
        };
        self.of.used.fetch_sub(step, Ordering::Relaxed);
        self.of.show();
    }
}

fn parts(used: u64) -> (u32, u32) {
    let half = |value: u64| u32::try_from(value & u64::from(u32::MAX)).unwrap_or(u32::MAX);
    (half(used), half(used >> 32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use plugboard_metrics::Metrics;

    #[test]
    fn each_direction_has_its_limit_and_both_have_one_together() {
        let metrics = Metrics::new();
        let channels = Arc::new(Channels::new(metrics.trunk("main/g")));
        let limits = CallLimits { both: 3, inbound: 2, outbound: 2 };
        let enter = |side| channels.enter(side, limits);
        let (first, second) = (enter(Side::In), enter(Side::In));
        assert!(first.is_some() && second.is_some());
        assert!(enter(Side::In).is_none(), "two from it");
        let third = enter(Side::Out);
        assert!(third.is_some() && enter(Side::Out).is_none(), "three in all");
        assert_eq!(channels.used(), (2, 1));
        drop(first);
        assert!(enter(Side::Out).is_some());
        drop((second, third));
        assert_eq!(channels.used(), (0, 0));
    }
}
