//! The ends and changes of legs.

use plugboard_model::{Cause, JournalEvent, LegId, Time};

use super::Call;
use crate::ear::Ear;
use crate::leg::LegState;
use crate::output::{CancelWhy, Output};

impl Call {
    pub(super) fn cancel_leg(&mut self, leg: LegId, why: CancelWhy) {
        let Some(found) = self.legs.get_mut(&leg) else { return };
        match found.state {
            LegState::Calling | LegState::Ringing => {
                found.state = LegState::Ending;
                self.out(Output::CancelLeg { leg, why });
            }
            LegState::Claiming | LegState::Up => self.end_leg(leg, &Cause::normal()),
            LegState::Ending | LegState::Ended { .. } => {}
        }
    }

    pub(super) fn end_leg(&mut self, leg: LegId, cause: &Cause) {
        let Some(found) = self.legs.get_mut(&leg) else { return };
        match found.state {
            LegState::Claiming | LegState::Up => {
                found.state = LegState::Ending;
                found.told = (!cause.is_normal()).then(|| cause.clone());
                self.out(Output::EndLeg { leg, cause: cause.clone() });
            }
            LegState::Calling | LegState::Ringing | LegState::Ending | LegState::Ended { .. } => {}
        }
    }

    pub(super) fn mark_ended(&mut self, now: Time, leg: LegId, cause: Cause) {
        let Some(found) = self.legs.get_mut(&leg) else { return };
        if found.is_over() {
            return;
        }
        // That it ended as it was told to says less than why.
        let cause = found.told.take().filter(|_| cause.status == Cause::normal().status).unwrap_or(cause);
        found.state = LegState::Ended { at: now, cause: cause.clone() };
        // Its media is closed.
        found.music = None;
        let user = found.person().cloned();
        self.journal(JournalEvent::LegEnded { leg, cause });
        if let Some(user) = user {
            self.release_if_unused(&user);
        }
    }

    /// A leg is over. `told`: the cause as the caller and the scenario may hear it.
    pub(super) fn leg_ended(&mut self, now: Time, leg: LegId, cause: &Cause, told: Cause) {
        if self.legs.get(&leg).is_none_or(|leg| leg.is_over()) {
            return;
        }
        let before = self.legs.get(&leg).map(|leg| leg.state.clone());
        let rang = before == Some(LegState::Ringing);
        self.mark_ended(now, leg, cause.clone());
        // Who gives up before he is answered hangs up as well.
        if before == Some(LegState::Up) || leg == self.anchor {
            self.out(Output::HungUp { leg });
        }
        if before == Some(LegState::Up) {
            self.left_by_the_silent(leg, cause);
        }
        if leg == self.anchor {
            return self.anchor_gone(now);
        }
        if leg == self.guest {
            self.caller_left();
        }
        if matches!(self.ear, Ear::Talking { peer } if peer == leg) {
            self.free_ear();
            self.out(Output::Unbridged);
            return self.end_if_nothing_goes_on(now);
        }
        let user = self.legs.get(&leg).and_then(|leg| leg.user.clone());
        let Some(ring) = &mut self.ring else { return };
        let Some(rung) = ring.forget(leg) else { return };
        // 600, 603 and 607 speak for the person, not for one device (decision 2).
        if matches!(cause.status, 600 | 603 | 607)
            && let Some(user) = &user
        {
            self.stop_devices(user, CancelWhy::Declined);
        }
        if user.is_none_or(|user| !self.forward_failed(now, &user, leg, cause.status))
            && let Some(ring) = &mut self.ring
        {
            ring.failed(told);
        }
        if self.goes_on(now, leg, cause.status, rang, rung.chain) {
            return;
        }
        self.next_claim(now);
        self.ring_check(now);
    }
}
