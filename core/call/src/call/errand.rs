//! Calls of the switch's own: nobody calls, and whoever answers first is who the call is about.

use plugboard_model::{Connected, HostResult, LegId, NotConnected, RingBack, Time};
use std::time::Duration;

use super::Call;
use super::ringing::LEGS_MAX;
use crate::input::{Op, Origin, Party, RingOrder};

impl Call {
    pub(super) fn call_out(&mut self, now: Time, op: Op, parties: Vec<Party>, order: RingOrder, ring_for: Duration) {
        // Once, and on its own behalf: somebody who is there already is rung for by `Request::Ring`.
        if op != Op::Errand || !self.calls_out() || !self.legs.is_empty() {
            let why = NotConnected::Invalid("this call has somebody already".into());
            return self.result(op, HostResult::Rang(Err(why)));
        }
        self.ring(now, op, parties, order, ring_for, RingBack::Silence);
    }

    /// Nobody is there yet for whom somebody is called.
    pub(super) fn calls_out(&self) -> bool {
        self.is_ours() && !self.legs.contains_key(&self.anchor)
    }

    /// The first has answered. Whoever has the errand says what is done with him.
    pub(super) fn called_out(&mut self, leg: LegId, connected: Connected) {
        self.anchor = leg;
        self.events.clear();
        self.result(Op::Errand, HostResult::Rang(Ok(connected)));
    }

    /// The number of the next leg, if there may be one more. A caller has the first, whether there is one or not.
    pub(super) fn next_leg(&self) -> Option<LegId> {
        let next = u32::try_from(self.legs.len()).unwrap_or(u32::MAX).saturating_add(u32::from(self.is_ours()));
        (next < LEGS_MAX).then_some(LegId(next))
    }

    fn is_ours(&self) -> bool {
        self.begin.as_ref().is_some_and(|begin| begin.origin == Origin::Ours)
    }
}
