//! The channels of a gateway: how many calls go through it, from where, and whether one more may.

use actix::Recipient;
use plugboard_metrics::TrunkSeries;
use plugboard_model::Cause;
use plugboard_office::CallLimits;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::message::EndCall;
use crate::post::post;

/// From where a call through a gateway comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// From the gateway.
    In,
    /// From us.
    Out,
}

/// Calls of one gateway. Every shard takes channels from it, without a word to the gateway's actor; locked for one look-up.
pub(crate) struct Channels {
    held: Mutex<Held>,
    series: TrunkSeries,
}

/// Who has channels; as many as the gateway's limit, and the calls for help beyond it.
#[derive(Default)]
struct Held {
    last: u64,
    inbound: u32,
    outbound: u32,
    calls: BTreeMap<u64, Holder>,
}

struct Holder {
    side: Side,
    /// The way to end its call, which may have to make room; none for a call for help.
    end: Option<Recipient<EndCall>>,
}

impl Held {
    fn enter(&mut self, side: Side, limits: CallLimits) -> Option<u64> {
        let fits = self.inbound + self.outbound < limits.both;
        let free = match side {
            Side::In => self.inbound < limits.inbound,
            Side::Out => self.outbound < limits.outbound,
        };
        (fits && free).then(|| self.put(side))
    }

    fn put(&mut self, side: Side) -> u64 {
        self.last += 1;
        *self.count(side) += 1;
        self.calls.insert(self.last, Holder { side, end: None });
        self.last
    }

    fn remove(&mut self, number: u64) -> Option<Holder> {
        let holder = self.calls.remove(&number)?;
        *self.count(holder.side) -= 1;
        Some(holder)
    }

    fn count(&mut self, side: Side) -> &mut u32 {
        match side {
            Side::In => &mut self.inbound,
            Side::Out => &mut self.outbound,
        }
    }

    /// The call that gives its channel to one for help: the youngest that goes out, else the youngest that came in. Whoever
    /// called us from outside has waited for us; whoever calls out can do so again.
    fn youngest(&self) -> Option<u64> {
        let of = |side| {
            let may = |holder: &Holder| holder.side == side && holder.end.is_some();
            self.calls.iter().rev().find(|(_, holder)| may(holder)).map(|(number, _)| *number)
        };
        of(Side::Out).or_else(|| of(Side::In))
    }
}

impl Channels {
    pub(crate) fn new(series: TrunkSeries) -> Self {
        Self { held: Mutex::default(), series }
    }

    /// Takes a channel if the limits leave one.
    pub(crate) fn enter(self: &Arc<Self>, side: Side, limits: CallLimits) -> Option<Channel> {
        let number = self.held().enter(side, limits)?;
        self.show();
        Some(Channel { of: Arc::clone(self), number })
    }

    /// Takes a channel for a call for help: where none is free, that of another call, which ends; where each is a call
    /// for help, one that there is not: its gateway may know better. Whether another call ends.
    pub(crate) fn enter_for_help(self: &Arc<Self>, limits: CallLimits) -> (Channel, bool) {
        let mut held = self.held();
        let free = held.enter(Side::Out, limits);
        let (number, gives) = match free {
            Some(number) => (number, None),
            None => {
                let gives = held.youngest().and_then(|number| held.remove(number)).and_then(|holder| holder.end);
                (held.put(Side::Out), gives)
            }
        };
        drop(held);
        self.show();
        let took = gives.is_some();
        if let Some(end) = gives {
            let text = "Its channel was needed for an emergency call".to_owned();
            post(&end, EndCall(Cause { status: 503, text }));
        }
        (Channel { of: Arc::clone(self), number }, took)
    }

    /// Calls from it, calls to it.
    pub(crate) fn used(&self) -> (u32, u32) {
        let held = self.held();
        (held.inbound, held.outbound)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self) {
        let (inbound, outbound) = self.used();
        self.series.calls(inbound, outbound);
    }
}

/// A channel that a call has; given back when it is dropped, whatever becomes of the call.
pub(crate) struct Channel {
    of: Arc<Channels>,
    number: u64,
}

impl Channel {
    /// This call has it, and ends when a call for help needs it.
    pub(crate) fn is_of(&self, end: Recipient<EndCall>) {
        if let Some(holder) = self.of.held().calls.get_mut(&self.number) {
            holder.end = Some(end);
        }
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        let _ = self.of.held().remove(self.number);
        self.of.show();
    }
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
        let (help, took) = channels.enter_for_help(limits);
        assert!(!took, "nobody said how he is ended");
        assert_eq!(channels.used(), (2, 2));
        drop(help);
        drop(first);
        assert!(enter(Side::Out).is_some());
        drop((second, third));
        assert_eq!(channels.used(), (0, 0));
    }
}
