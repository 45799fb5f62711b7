//! A device with several flows (RFC 5626): it is one leg, and rings over the next flow when nobody is reached over the first.

use actix::{AsyncContext, Context};
use plugboard_model::{Cause, JournalEvent, LegId, UserId};
use std::time::Duration;

use super::CallActor;
use crate::message::LoseFlow;
use crate::post::post;

/// How long a flow may be silent where there is another one: as long as a gateway. A device says 100 within 200 ms
/// (RFC 3261 section 17.2.1), and by then the INVITE was sent four times.
pub(super) const FLOW_ANSWERS_WITHIN: Duration = Duration::from_secs(5);

impl CallActor {
    /// Nobody was reached over the flow that a leg rings over. Whether it rings over another one of the same device: only where
    /// nothing was answered, so that nothing rings twice.
    pub(super) fn calls_over_another_flow(&mut self, leg: LegId, cause: &Cause, ctx: &mut Context<Self>) -> bool {
        let Some(mut failed) = self.ringing.remove(&leg) else { return false };
        let user = self.call.party(leg).and_then(|(user, _)| user.cloned());
        let (Some(user), true) = (user, self.call.is_calling(leg)) else { return false };
        let (contact, flow) = (failed.contact.clone(), failed.flow);
        self.lose_flow(&user, LoseFlow::Unanswered { contact, flow });
        let number = self.office.user(&user).map(|user| user.number.as_str().to_owned());
        let (Some(number), false) = (number, failed.others.is_empty()) else { return false };
        let mut next = failed.others.remove(0);
        next.others = failed.others;
        self.leg_left(leg, cause);
        let text =
            format!("{leg} was not reached ({}); it is called over another flow of the same device", cause.status);
        self.journal.note(self.now(), JournalEvent::Note { text });
        self.journal.flush();
        self.call_device(leg, next, &number, ctx.address().recipient()).is_ok()
    }

    /// The proxy before a device has lost it: nobody is rung there before it registers anew. Only its own word counts: a cause with this
    /// number may be of a scenario, or come from whoever is at the other end.
    pub(super) fn flow_lost(&self, leg: LegId) {
        let at = self.ringing.get(&leg).or_else(|| self.caller_at.as_ref().filter(|_| leg == LegId::CALLER));
        if let (Some((Some(user), _)), Some(device)) = (self.call.party(leg), at) {
            let (contact, flow) = (device.contact.clone(), device.flow);
            self.lose_flow(user, LoseFlow::Failed { contact, flow });
        }
    }

    fn lose_flow(&self, user: &UserId, lost: LoseFlow) {
        if let Some(handle) = self.snapshot.users.get(user) {
            post(&handle.lost, lost);
        }
    }
}
